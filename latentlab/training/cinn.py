"""The recipe of the cINN's flow: exact likelihood under every dataset, and in *keep* mode tied attributes.

    L = sum over both modes of -log p(x | y, mode) / D
        + w_a * CE(attributes, H z_keep) + w_p * |z_keep - z'_keep|^2 / D of known pairs
        + w_g * (CE(guide(x*), attributes and target dataset) + what x* and a known counterpart differ in)

x is a sample of the autoencoder's posterior, with noise as wide as the data in every direction: that keeps a
flow from learning its rows by heart; `whitened` makes up for it where the mean is projected. H is one
linear head that all datasets share (an attribute that a dataset cannot draw is left out of the sum): for the
same attributes z must look the same in every dataset. Pairs are optional: the same content in two datasets.
x* = D(tau^-1(z_keep|y*)) is the projection onto another dataset as a picture, read by the *guide*, a
classifier of its own that judges nothing: what few pixels show, such as a mouth, hardly counts in a latent.

The flow begins as Gaussian transport between the datasets (`begin`). In *keep* mode its first layer is turned
so that the datasets' means of each class, and the pairs where there are any, lie on one another: likelihood
alone leaves every dataset free to be turned on its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from numpy.typing import NDArray
from scipy.linalg import schur
from torch import Tensor, nn

from latentlab.data.avatars import paired
from latentlab.data.image_set import UNKNOWN, ImageSet
from latentlab.errors import SettingsError
from latentlab.families.attribute_cnn import AttributeCNN
from latentlab.families.flow import ConditionalFlow, FlowConfig
from latentlab.families.vae import VAE
from latentlab.metrics.transport import Array, Gaussian, from_standard, nearest_rotation, root, rotation
from latentlab.spec import MODE, Attribute
from latentlab.training.loop import Part, Step, descend
from latentlab.training.vae import posteriors

FOLLOW, KEEP = (MODE.classes.index(name) for name in MODE.classes)
MODES = len(MODE.classes)
WIDEST = 2.0 * math.pi / 3.0
"""How far a plane may be turned at the beginning: half of such a turn and half of none leave half of it."""
GUIDED = 32
"""Projections of a step that a guide reads."""
INITIAL_ROWS = 4096
"""Latents that the activation normalisation is initialised on."""


@dataclass(frozen=True)
class CINNLosses:
    """Weights of the recipe's losses.

    Parameters
    ----------
    rate
        The highest learning rate.
    tie
        Weight w_a of the attributes' cross-entropy; 0 leaves the head out.
    pairs
        Weight w_p of the squared distance of known pairs in z; needs pairs.
    guide
        Weight w_g of what a guide reads of projections, in nats; needs a guide.
    noise
        Deviation of the noise that is added to latents, as a share of their dataset's own in each direction.
    posterior
        By what the posterior's deviation is multiplied for the draw from it: 0 for its mean, which is what is
        projected afterwards; 1 for the posterior as it is, whose z has pictures nearer to 0 than samples.
    """

    rate: float = 1e-3
    tie: float = 1.0
    pairs: float = 1.0
    guide: float = 0.0
    noise: float = 0.3
    posterior: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.rate < math.inf:
            raise SettingsError(f"The learning rate is more than 0, not {self.rate}.")
        for name in ("tie", "pairs", "guide", "noise", "posterior"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise SettingsError(f"The weight {name} is 0 or more, not {getattr(self, name)}.")


@dataclass(frozen=True)
class LatentRows:
    """The autoencoder's posteriors of a set as examples: ``[B, 2 D]``, means and deviations side by side.

    Parameters
    ----------
    mean, deviation
        float32 ``[n, D]``.
    datasets
        The dataset of each row, int64 ``[n]``.
    attributes
        Class codes ``[n]`` by attribute, `UNKNOWN` where the dataset cannot show it.
    pairs
        Rows that show the same, ``[P, 2]``, each in two datasets; none by default.
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    datasets: NDArray[np.int64]
    attributes: Mapping[str, NDArray[np.int64]]
    pairs: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.mean)

    def tensor(self, rows: NDArray[np.int64], device: torch.device) -> Tensor:
        """Return the posteriors of rows."""
        both = np.concatenate([self.mean[rows], self.deviation[rows]], axis=1)
        return torch.from_numpy(both).to(device)

    def can_draw(self, attribute: str, datasets: int) -> NDArray[np.bool_]:
        """Return whether each dataset has any image whose class of an attribute is known, ``[K]``."""
        known = self.attributes[attribute] != UNKNOWN
        return np.array([(known & (self.datasets == k)).any() for k in range(datasets)], dtype=bool)


def latent_rows(
    vae: VAE, images: ImageSet, datasets: str, attributes: Sequence[str], pairs: int = 0, seed: int = 0
) -> LatentRows:
    """Encode a set's images, with their labels, and choose pairs.

    Parameters
    ----------
    datasets
        The attribute whose classes are the datasets.
    attributes
        The attributes whose codes are wanted.
    pairs
        How many identities are taken, in all their styles, as known pairs.

    Raises
    ------
    DataError
        If pairs are asked for and the set has none.
    SettingsError
        If it has fewer, or an image's dataset is not known.
    """
    codes = np.asarray(images.codes(datasets), dtype=np.int64)
    if (codes == UNKNOWN).any():
        first = images.names[images.rows[int(np.argmax(codes == UNKNOWN))]]
        raise SettingsError(
            f"Every image needs its dataset; {int((codes == UNKNOWN).sum())} of {images.info.name} have no "
            f"{datasets}, such as {first}. Fill in the set's attributes.csv or leave them out."
        )
    means, deviations = [], []
    for posterior in posteriors(vae, images):
        assert posterior.logvar is not None
        means.append(posterior.mean.float().cpu())
        deviations.append(torch.exp(0.5 * posterior.logvar.float()).cpu())
    return LatentRows(
        torch.cat(means).numpy(),
        torch.cat(deviations).numpy(),
        codes,
        {name: np.asarray(images.codes(name), dtype=np.int64) for name in attributes},
        _known_pairs(images, codes, pairs, seed) if pairs else np.zeros((0, 2), dtype=np.int64),
    )


def _known_pairs(images: ImageSet, datasets: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Return the rows of all pairs of styles of some identities, ``[P, 2]``.

    Styles that were merged into one dataset are no pair: under one condition two pictures have two latents.
    """
    identities, places = paired(images)
    if count < 0 or count > len(identities):
        raise SettingsError(f"There are {len(identities)} identities in all styles, so no {count} pairs.")
    chosen = np.random.default_rng([seed, 2]).permutation(len(identities))[:count]
    styles = list(places)
    found = [
        np.stack([places[a][chosen], places[b][chosen]], axis=1)
        for k, a in enumerate(styles)
        for b in styles[k + 1 :]
    ]
    pairs = np.concatenate(found)
    return np.asarray(pairs[datasets[pairs[:, 0]] != datasets[pairs[:, 1]]], dtype=np.int64)


class Guide:
    """Reads projections as pictures: a frozen decoder, and a frozen classifier that judges nothing else.

    Parameters
    ----------
    vae
        The autoencoder, whose decoder draws.
    network
        The classifier.
    datasets
        The attribute whose classes are the datasets.
    attributes
        What is tied. Those that the classifier knows are read; a class that it knows by no name is not.
    can_draw
        By attribute, whether each dataset can draw it, ``[K]``.
    """

    def __init__(
        self,
        vae: VAE,
        network: AttributeCNN,
        datasets: Attribute,
        attributes: Sequence[Attribute],
        can_draw: Mapping[str, NDArray[np.bool_]],
    ) -> None:
        self.vae, self.network = vae.requires_grad_(False).eval(), network.requires_grad_(False).eval()
        known = {attribute.name: attribute for attribute in network.spec.attributes}
        self.places = {
            one.name: torch.tensor([_place(known[one.name], label) for label in one.classes])
            for one in (datasets, *attributes)
            if one.name in known
        }
        self.datasets = datasets.name
        self.can_draw = {name: torch.from_numpy(where) for name, where in can_draw.items()}

    def to(self, device: torch.device) -> Guide:
        """Move the networks to a device."""
        self.vae.to(device)
        self.network.to(device)
        return self

    def drawn(self, x: Tensor) -> Tensor:
        """Return the pictures ``[B, 3, S, S]`` of the autoencoder's latents ``[B, D]``."""
        return self.vae.decode(x)

    def misread(self, pictures: Tensor, targets: Tensor, labels: Mapping[str, Tensor]) -> Tensor:
        """Return the cross-entropy of what pictures ``[B, 3, S, S]`` ought to show, a mean over attributes.

        Parameters
        ----------
        targets
            Their datasets, ``[B]``; what a dataset cannot draw does not count.
        labels
            Class codes ``[B]`` by attribute; nor does what is `UNKNOWN`.
        """
        logits, losses = self.network(pictures), []
        for name, places in self.places.items():
            codes = targets if name == self.datasets else labels[name]
            wanted = torch.where(codes == UNKNOWN, UNKNOWN, places[codes.clamp_min(0)])
            known = wanted != UNKNOWN
            if name != self.datasets:
                known &= self.can_draw[name][targets]
            entropy = F.cross_entropy(
                logits[name].float(), wanted.clamp_min(0).to(pictures.device), reduction="none"
            )
            counts = known.float().to(pictures.device)
            losses.append((entropy * counts).sum() / counts.sum().clamp_min(1.0))
        return torch.stack(losses).mean() if losses else pictures.new_zeros(())

    def apart(self, pictures: Tensor, wanted: Tensor) -> Tensor:
        """Return how far pictures are from those wanted: their mean error, and the features' relative one."""
        with torch.no_grad():
            features = self.network.features(wanted)
        found = self.network.features(pictures)
        relative = (found - features).square().sum(1) / features.square().sum(1).clamp_min(1e-6)
        return (pictures - wanted).abs().mean() + relative.mean()


def _place(attribute: Attribute, label: str) -> int:
    place = attribute.place_of(label)
    return UNKNOWN if place is None else place


class CINNRecipe:
    """Trains a `ConditionalFlow` on latents, with the head that ties the attributes.

    Parameters
    ----------
    rows
        What it is trained on.
    datasets
        Number K of datasets.
    attributes
        The attributes that are tied, with their classes.
    held_out
        Other rows, whose likelihood is shown meanwhile.
    guide
        What reads the projections as pictures; None leaves that loss out.
    """

    def __init__(
        self,
        config: FlowConfig,
        losses: CINNLosses,
        rows: LatentRows,
        datasets: int,
        attributes: Sequence[Attribute] = (),
        held_out: LatentRows | None = None,
        guide: Guide | None = None,
    ) -> None:
        if losses.tie and not attributes and not len(rows.pairs):
            raise SettingsError(
                "The mode keep ties what the datasets share: attributes or known pairs. The set has neither; "
                "give --tie '' to train without, and then both modes are likelihood only."
            )
        size = rows.mean.shape[1]
        self.losses, self.rows, self.held_out = losses, rows, held_out
        self.datasets, self.guide = datasets, guide
        self.attributes = tuple(attributes) if losses.tie else ()
        self.flow = ConditionalFlow(size, datasets * MODES, config)
        self.head = nn.Linear(size, sum(attribute.width for attribute in self.attributes) or 1)
        self.labels = {a.name: torch.from_numpy(rows.attributes[a.name]) for a in self.attributes}
        begin(self.flow, rows, datasets, tuple(a.name for a in self.attributes))
        self.spread = self.flow.affine.matrix.detach()[FOLLOW::MODES].clone()

    def parts(self) -> dict[str, tuple[nn.Module, torch.optim.Optimizer]]:
        """Return the flow and the head, both with Adam."""
        return {
            name: (network, torch.optim.Adam(network.parameters(), self.losses.rate, betas=(0.9, 0.99)))
            for name, network in (("flow", self.flow), ("head", self.head))
        }

    def step(self, fabric: Fabric, parts: Mapping[str, Part], step: Step) -> dict[str, Tensor]:
        """Do one step of the flow and the head."""
        rows = self._with_partners(step)
        x = self._sampled(rows, step)
        datasets = torch.from_numpy(self.rows.datasets[rows]).to(x.device)
        n, size = x.shape
        weights = torch.cat([flow_weights(datasets, mode, self.datasets) for mode in (FOLLOW, KEEP)])
        z, log_det = parts["flow"].wrapped(x.repeat(MODES, 1), weights)
        nats = -self.flow.log_density(z.float(), log_det).view(MODES, n).mean(dim=1)
        kept = z.float().view(MODES, n, size)[KEEP]
        loss = nats.sum() / size
        figures = {f"nats_{MODE.classes[mode]}": nats[mode].detach() for mode in (FOLLOW, KEEP)}
        if self.attributes:
            entropy, right = self._misread(parts["head"].wrapped(kept), rows)
            loss = loss + self.losses.tie * entropy
            figures |= {"attributes_nats": entropy.detach(), "attributes_right": right}
        if len(self.rows.pairs):
            half = self._pairs_of(step)
            apart = (kept[n - 2 * half : n - half] - kept[n - half :]).square().mean()
            loss = loss + self.losses.pairs * apart
            figures["pairs_apart"] = apart.detach()
        if self.guide is not None and self.losses.guide:
            seen = self._seen_otherwise(self.guide, kept, rows, step)
            loss = loss + self.losses.guide * sum(seen.values())
            figures |= {name: one.detach() for name, one in seen.items()}
        descend(fabric, list(parts.values()), loss, step, self.losses.rate)
        return figures

    def _seen_otherwise(
        self, guide: Guide, kept: Tensor, rows: NDArray[np.int64], step: Step
    ) -> dict[str, Tensor]:
        """Return what a guide reads otherwise in projections of some of the rows, in nats, and of pairs."""
        count = min(GUIDED, len(step.rows))
        own = self.rows.datasets[rows[:count]]
        drawn = torch.randint(1, self.datasets, (count,), generator=step.generator).numpy()
        targets = torch.from_numpy((own + drawn) % self.datasets)
        labels = {name: codes[rows[:count]] for name, codes in self.labels.items()}
        z = kept[:count]
        if not len(self.rows.pairs):
            return {"guide": guide.misread(self._drawn(guide, z, targets), targets, labels)}
        half = self._pairs_of(step)
        some = min(GUIDED // 2, half)
        first, second = len(rows) - 2 * half, len(rows) - half
        partners = rows[second:][:some]
        both = torch.cat([z, kept[first:][:some]])
        onto = torch.cat([targets, torch.from_numpy(self.rows.datasets[partners])])
        pictures = self._drawn(guide, both, onto)
        wanted = guide.drawn(torch.from_numpy(self.rows.mean[partners]).to(z.device))
        return {
            "guide": guide.misread(pictures[:count], targets, labels),
            "pairs_seen": guide.apart(pictures[count:], wanted),
        }

    def _drawn(self, guide: Guide, z: Tensor, targets: Tensor) -> Tensor:
        """Return the pictures of latents z ``[B, D]`` on datasets ``[B]``, in the mode *keep*."""
        x = self.flow.inverse(z, flow_weights(targets.to(z.device), KEEP, self.datasets))
        return guide.drawn(x)

    def snapshot(self, average: nn.Module, folder: Path, step: int) -> dict[str, float]:
        """Return the held-out rows' nats in both modes."""
        assert isinstance(average, ConditionalFlow)
        if self.held_out is None:
            return {}
        where = average.affine.matrix.device
        datasets = torch.from_numpy(self.held_out.datasets).to(where)
        x = torch.from_numpy(self.held_out.mean).to(where)
        with torch.inference_mode():
            return {
                f"nats_{MODE.classes[mode]}": -float(
                    average.log_likelihood(x, flow_weights(datasets, mode, self.datasets)).mean()
                )
                for mode in (FOLLOW, KEEP)
            }

    def _pairs_of(self, step: Step) -> int:
        return min(len(self.rows.pairs), max(1, len(step.rows) // 4))

    def _with_partners(self, step: Step) -> NDArray[np.int64]:
        """Return the step's rows; of known pairs, both sides take the last places."""
        if not len(self.rows.pairs):
            return step.rows
        count = self._pairs_of(step)
        drawn = torch.randint(len(self.rows.pairs), (count,), generator=step.generator).numpy()
        pairs = self.rows.pairs[drawn]
        return np.concatenate([step.rows, pairs[:, 0], pairs[:, 1]])

    def _sampled(self, rows: NDArray[np.int64], step: Step) -> Tensor:
        device = step.examples.device
        more = self.rows.tensor(rows[len(step.rows) :], device)
        both = step.examples if not len(more) else torch.cat([step.examples, more])
        mean, deviation = both.chunk(2, dim=1)
        eps, jitter = (
            torch.randn(len(rows), mean.shape[1], generator=step.generator).to(device) for _ in range(2)
        )
        spread = self.spread.to(device)[torch.from_numpy(self.rows.datasets[rows]).to(device)]
        noise = self.losses.noise * torch.einsum("bde,be->bd", spread, jitter)
        return mean + self.losses.posterior * deviation * eps + noise

    def _misread(self, logits: Tensor, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Return the attributes' mean cross-entropy in nats, and the share that is read right."""
        losses, right, start = [], [], 0
        for attribute in self.attributes:
            part = logits[:, start : start + attribute.width].float()
            start += attribute.width
            wanted = self.labels[attribute.name][rows].to(part.device)
            known = (wanted != UNKNOWN).float()
            entropy = F.cross_entropy(part, wanted.clamp_min(0), reduction="none")
            total = known.sum().clamp_min(1.0)
            losses.append((entropy * known).sum() / total)
            right.append(((part.argmax(1) == wanted).float() * known).sum() / total)
        return torch.stack(losses).mean(), torch.stack(right).mean().detach()


def flow_weights(codes: Tensor, mode: int, datasets: int) -> Tensor:
    """Return the flow's weights ``[B, 2 K]`` of dataset codes ``[B]`` in a mode, one-hot."""
    return F.one_hot(codes * MODES + mode, datasets * MODES).float()


def begin(flow: ConditionalFlow, rows: LatentRows, datasets: int, tied: Sequence[str]) -> None:
    """Set a flow's first layer to Gaussian transport between the datasets, and initialise its normalisation.

    In *keep* mode each dataset is turned so that what is tied lies where it lies in all.

    Raises
    ------
    SettingsError
        If a dataset has fewer than two rows.
    """
    parts = [rows.mean[rows.datasets == k] for k in range(datasets)]
    if min(len(part) for part in parts) < 2:
        raise SettingsError("Each dataset of a cINN needs at least two images.")
    bodies = [Gaussian.of(part) for part in parts]
    matrices = from_standard(bodies)
    turns = _turns(rows, bodies, matrices, tied)
    with torch.no_grad():
        for k, (body, matrix, turn) in enumerate(zip(bodies, matrices, turns, strict=True)):
            for mode, found in ((FOLLOW, matrix), (KEEP, matrix @ turn.T)):
                flow.affine.matrix[k * MODES + mode].copy_(torch.from_numpy(found))
                flow.affine.offset[k * MODES + mode].copy_(torch.from_numpy(body.mean))
    some = np.random.default_rng(0).permutation(len(rows))[:INITIAL_ROWS]
    x = torch.from_numpy(rows.mean[some]).repeat(MODES, 1)
    codes = torch.from_numpy(rows.datasets[some])
    weights = torch.cat([flow_weights(codes, mode, datasets) for mode in (FOLLOW, KEEP)])
    flow.initialise(x, weights)


def whitened(flow: ConditionalFlow, rows: LatentRows, datasets: int) -> ConditionalFlow:
    """Return a trained flow with a last layer under which rows have the mean 0 and the covariance I.

    They have so under each dataset and mode; likelihood alone brings them near. The flow stays as it is.
    """
    found = ConditionalFlow(flow.size, datasets * MODES, flow.config.model_copy(update={"whitened": True}))
    found.load_state_dict(flow.state_dict(), strict=False)
    assert found.whitening is not None
    for k in range(datasets):
        x = torch.from_numpy(rows.mean[rows.datasets == k])
        for mode in range(MODES):
            weights = flow_weights(torch.full((len(x),), k), mode, datasets)
            with torch.no_grad():
                starts = range(0, len(x), INITIAL_ROWS)  # a matrix a row is solved with at once
                parts = [slice(start, start + INITIAL_ROWS) for start in starts]
                body = Gaussian.of(torch.cat([flow(x[part], weights[part])[0] for part in parts]).numpy())
                found.whitening.matrix[k * MODES + mode].copy_(torch.from_numpy(root(body.covariance)))
                found.whitening.offset[k * MODES + mode].copy_(torch.from_numpy(body.mean))
    return found


def _turns(
    rows: LatentRows, bodies: Sequence[Gaussian], matrices: Sequence[Array], tied: Sequence[str]
) -> list[Array]:
    """Return each dataset's rotation R of its standard space, u -> R u, that lays what is tied together."""
    size = rows.mean.shape[1]
    standard = np.zeros((len(rows), size))
    for k, (body, matrix) in enumerate(zip(bodies, matrices, strict=True)):
        here = rows.datasets == k
        standard[here] = np.linalg.solve(matrix, (rows.mean[here] - body.mean).T).T
    means, known = _class_means(rows, standard, len(bodies), tied)
    turns = [np.eye(size)] * len(bodies)
    if not len(rows.pairs) and not known.any():
        return turns
    for _ in range(10):
        for k in range(len(bodies)):  # one after the other: two that are turned at once may swap for ever
            turned = np.stack([mean @ turn.T for mean, turn in zip(means, turns, strict=True)])
            others = known & (np.arange(len(bodies)) != k)[:, None]
            usable = known[k] & others.any(axis=0)
            middle = (turned * others[:, :, None]).sum(axis=0) / np.maximum(others.sum(axis=0), 1)[:, None]
            x, y = _pair_sides(rows, standard, turns, k)
            own = np.concatenate([means[k, usable], x])
            turns[k] = rotation(own, np.concatenate([middle[usable], y]), pull=1e-3 * len(own))
    # A rotation that all share changes no projection; with it each is as near to none as can be. A condition
    # between modes or datasets mixes the matrices, and a mixture of opposites has no inverse.
    together = nearest_rotation(np.mean(turns, axis=0)).T
    return [_not_opposite(together @ turn) for turn in turns]


def _not_opposite(turn: Array) -> Array:
    """Return the rotation with no plane turned by more than `WIDEST`, and mirrored directions turned back."""
    blocks, basis = schur(turn, output="real")
    found, place, size = np.eye(len(turn)), 0, len(turn)
    mirrored: list[int] = []
    while place < size:
        if place + 1 < size and abs(blocks[place + 1, place]) > 1e-9:
            angle = math.atan2(blocks[place + 1, place], blocks[place, place])
            found[place : place + 2, place : place + 2] = _plane(float(np.clip(angle, -WIDEST, WIDEST)))
            place += 2
            continue
        if blocks[place, place] < 0.0:
            mirrored.append(place)
        place += 1
    for one, other in zip(mirrored[::2], mirrored[1::2], strict=False):  # two make half a turn
        found[np.ix_([one, other], [one, other])] = _plane(WIDEST)
    return np.asarray(basis @ found @ basis.T, dtype=np.float64)


def _plane(angle: float) -> Array:
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def _class_means(
    rows: LatentRows, standard: Array, datasets: int, tied: Sequence[str]
) -> tuple[Array, NDArray[np.bool_]]:
    """Return each class's mean in each standard space, ``[K, classes, D]``, and where there is one."""
    chosen = [
        [(rows.datasets == k) & (rows.attributes[name] == code) for k in range(datasets)]
        for name in tied
        for code in range(int(rows.attributes[name].max(initial=-1)) + 1)
    ]
    known = np.array([[here.sum() > 1 for here in one] for one in chosen], dtype=bool).reshape(-1, datasets).T
    means = np.zeros((datasets, len(chosen), standard.shape[1]))
    for place, one in enumerate(chosen):
        for k, here in enumerate(one):
            if known[k, place]:
                means[k, place] = standard[here].mean(axis=0)
    return means, known


def _pair_sides(rows: LatentRows, standard: Array, turns: Sequence[Array], k: int) -> tuple[Array, Array]:
    """Return one dataset's sides of the pairs ``[P, D]``, and their partners as they are turned."""
    own, others = [np.zeros((0, standard.shape[1]))], [np.zeros((0, standard.shape[1]))]
    for mine, other in ((0, 1), (1, 0)):
        chosen = rows.pairs[rows.datasets[rows.pairs[:, mine]] == k]
        for m, turn in enumerate(turns):
            there = chosen[rows.datasets[chosen[:, other]] == m]
            own.append(standard[there[:, mine]])
            others.append(standard[there[:, other]] @ turn.T)
    return np.concatenate(own), np.concatenate(others)
