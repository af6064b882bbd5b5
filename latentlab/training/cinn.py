"""The recipe of the cINN's flow: exact likelihood under every dataset, and in *keep* mode tied attributes.

    L = sum over both modes of -log p(x | y, mode) / D
        + w_a * CE(attributes, H z_keep) + w_p * |z_keep - z'_keep|^2 / D of known pairs
        + w_g * (CE(guide(x*), attributes and target dataset) + what x* and a known counterpart differ in)
        + w_m * e / D + w_t * t + w_s * s of projections and samples in the mode follow
          (`latentlab.training.moments`: moments, transport, shares)
        + w_d * d of pictures of samples in both modes (`latentlab.training.sample_pictures`)

x is a sample of the autoencoder's posterior, with noise as wide as the data in every direction: that keeps a
flow from learning its rows by heart; `whitened` makes up for it where the mean is projected. H is one
linear head that all datasets share (an attribute that a dataset cannot draw is left out of the sum): for the
same attributes z must look the same in every dataset. Pairs are optional: the same content in two datasets.
x* = D(tau^-1(z_keep|y*)) is the projection onto another dataset as a picture, read by the *guide*, a
classifier of its own that judges nothing: what few pixels show, such as a mouth, hardly counts in a latent.

The flow begins as Gaussian transport between the datasets (`latentlab.training.affine_layers`).
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
from torch import Tensor, nn

from latentlab.data.image_set import UNKNOWN
from latentlab.errors import SettingsError
from latentlab.families.flow import ConditionalFlow, FlowConfig
from latentlab.spec import MODE, Attribute
from latentlab.training.affine_layers import FOLLOW, KEEP, MODES, begin, flow_weights
from latentlab.training.guide import Guide, mean_of_known
from latentlab.training.latent_rows import LatentRows
from latentlab.training.loop import Part, Step, descend
from latentlab.training.moments import Moments
from latentlab.training.sample_pictures import SamplePictures

GUIDED = 32
"""Projections of a step that a guide reads."""
READ = 64
"""Those in the mode *follow* whose shares it reads."""


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
    moments
        Weight w_m of how far the moments of projected and sampled latents are from their dataset's own.
    transport
        Weight w_t of how far projections are from where Gaussian transport would move them.
    shares
        Weight w_s of how far the shares of classes, as a guide reads them, are from the dataset's own.
    samples
        Weight w_d of how far pictures of samples are from the dataset's own in a guide's features.
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
    moments: float = 40.0
    transport: float = 0.0
    shares: float = 0.0
    samples: float = 0.0
    noise: float = 0.3
    posterior: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.rate < math.inf:
            raise SettingsError(f"The learning rate is more than 0, not {self.rate}.")
        for name in (
            "tie",
            "pairs",
            "guide",
            "moments",
            "transport",
            "shares",
            "samples",
            "noise",
            "posterior",
        ):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise SettingsError(f"The weight {name} is 0 or more, not {getattr(self, name)}.")


class Head(nn.Module):
    """The linear head H that ties the attributes; beside it what else is measured of z while one trains."""

    def __init__(
        self, size: int, width: int, moments: Moments | None, samples: SamplePictures | None
    ) -> None:
        super().__init__()
        self.attributes, self.moments, self.samples = nn.Linear(size, width), moments, samples

    def forward(self, z: Tensor) -> Tensor:
        """Return logits ``[B, width]`` of z ``[B, D]``."""
        found: Tensor = self.attributes(z)
        return found


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
    alike
        Whether all datasets show the same ones, so that samples in the mode *keep* should look like each.
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
        alike: bool = True,
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
        followed = losses.moments or losses.transport or losses.shares
        moments = Moments(rows, datasets) if followed else None
        samples = None
        if guide is not None and losses.samples:
            samples = SamplePictures(guide, rows, datasets, (FOLLOW, KEEP) if alike else (FOLLOW,))
        self.head = Head(size, sum(attribute.width for attribute in self.attributes) or 1, moments, samples)
        self.shares = [_shares(rows, k, self.attributes, guide) for k in range(datasets)]
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
        if self.head.moments is not None:
            more = self._followed(self.head.moments, step)
            weights_of = {"moments": self.losses.moments / size, "transport": self.losses.transport}
            weights_of["shares"] = self.losses.shares
            loss = loss + sum(weights_of[name] * one for name, one in more.items())
            figures |= {f"{name}_apart": one.detach() for name, one in more.items()}
        if self.guide is not None and self.head.samples is not None:
            apart = self.head.samples.apart(self.guide, self.flow, step.generator)
            loss = loss + self.losses.samples * apart
            figures["samples_apart"] = apart.detach()
        if self.guide is not None and self.losses.guide:
            seen = self._seen_otherwise(self.guide, kept, rows, step)
            loss = loss + self.losses.guide * sum(seen.values())
            figures |= {name: one.detach() for name, one in seen.items()}
        descend(fabric, list(parts.values()), loss, step, self.losses.rate)
        return figures

    def _followed(self, moments: Moments, step: Step) -> dict[str, Tensor]:
        """Return what projections and samples in the mode *follow* are off, by what is asked of them."""
        moved = moments.moved(self.flow, step.generator)
        found = {"moments": moments.apart(moved), "transport": moments.further(moved)}
        if self.guide is not None and self.losses.shares:
            pictures = self.guide.drawn(moved.x[:READ])
            found["shares"] = self.guide.shares_apart(pictures, self.shares[moved.target])
        return found

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
            known = wanted != UNKNOWN
            entropy = F.cross_entropy(part, wanted.clamp_min(0), reduction="none")
            losses.append(mean_of_known(entropy, known))
            right.append(mean_of_known((part.argmax(1) == wanted).float(), known))
        return torch.stack(losses).mean(), torch.stack(right).mean().detach()


def _shares(
    rows: LatentRows, dataset: int, attributes: Sequence[Attribute], guide: Guide | None
) -> dict[str, Tensor]:
    """Return the shares ``[C]`` of each attribute's classes in a dataset, of those that a guide reads."""
    found = {}
    for one in attributes:
        codes = rows.attributes[one.name][rows.datasets == dataset]
        counts = np.bincount(codes[codes != UNKNOWN], minlength=len(one.classes))
        if guide is not None and one.name in guide.places and counts.sum():
            found[one.name] = torch.from_numpy(counts / counts.sum()).float()
    return found
