"""A cINN, its judge and a set, ready to be measured: latents into z and out of it, and what is said of them.

What every evaluation of projections is made of: `latentlab.metrics.evaluate_projection` where the datasets
show the same identities, `latentlab.metrics.evaluate_unpaired` where they do not. All in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray

from latentlab.conditions import choose
from latentlab.data.image_set import ImageSet
from latentlab.errors import SettingsError
from latentlab.families.cinn import CINN
from latentlab.metrics.condition_probe import probe_figures, probe_points
from latentlab.metrics.frechet import frechet_distance
from latentlab.metrics.intervals import Estimate
from latentlab.metrics.labels import translate
from latentlab.metrics.passes import BATCH, Judgements, JudgementsList, batches, evaluation
from latentlab.metrics.transport import Affine, Gaussian, gaussian_transport, mean_shift
from latentlab.model import AttributePredictor
from latentlab.progress import Progress, Reporter
from latentlab.spec import MODE

Codes = NDArray[np.int64]
Latents = NDArray[np.float32]
Floats = NDArray[np.float64]
Way = Callable[[int, int], Latents]
"""Gives the autoencoder's latents ``[n, D]`` of the projection from one dataset onto another."""

BY_LIKELIHOOD = (
    "The judge does not tell the datasets apart: a picture is encoded again and taken for the dataset under "
    "which that is likeliest (truth.target_dataset_share says how often that is right)."
)
NO_TRAINING_ROWS = "No baselines and no probe: there are no training rows to fit them on."

_LEAST = 1e-12
_BLENDS = 21


@dataclass(frozen=True)
class Seen:
    """What is said of n pictures.

    Parameters
    ----------
    codes
        The judged classes as the set numbers them, ``[n, A]``.
    dataset
        The dataset that each is taken for, ``[n]``.
    features
        The judge's last hidden layer, ``[n, F]``.
    """

    codes: Codes
    dataset: Codes
    features: Latents

    def of(self, rows: Codes) -> Seen:
        """Return what is said of some of them."""
        return Seen(self.codes[rows], self.dataset[rows], self.features[rows])


class Projector:
    """Projects latents, decodes them, and has the pictures judged.

    Parameters
    ----------
    model, predictor
        On ``device`` already, in float32.
    data
        The set whose attributes are judged.

    Attributes
    ----------
    names, ordered
        The model's datasets, and the ordered pairs of them.
    attributes
        The set's attributes that the predictor judges, without the dataset itself.
    judges_datasets
        Whether the predictor tells the datasets apart; else the likelihood does (`seen`).

    Raises
    ------
    SettingsError
        If the predictor judges no attribute of the set.
    """

    def __init__(
        self,
        model: CINN,
        predictor: AttributePredictor,
        data: ImageSet,
        device: torch.device,
        reporter: Reporter,
    ) -> None:
        self.model, self.predictor, self.device, self.reporter = model, predictor, device, reporter
        self.domain = model.spec.condition.attributes[0]
        self.names = self.domain.classes
        count = len(self.names)
        self.ordered = [(a, b) for a in range(count) for b in range(count) if a != b]
        known = {attribute.name: attribute for attribute in predictor.spec.attributes}
        self.attributes = [
            attribute
            for attribute in data.info.attributes
            if attribute.kind == "categorical"
            and attribute.name != self.domain.name
            and attribute.name in known
            and set(attribute.classes) == set(known[attribute.name].classes)
        ]
        if not self.attributes:
            raise SettingsError(
                f"The predictor judges no attribute of the set {data.info.name}. Name another with "
                "--predictor."
            )
        judged = known.get(self.domain.name)
        places = {self.domain.place_of(label) for label in (judged.classes if judged else ())}
        self.judged_domain = judged if places >= set(range(count)) else None

    @property
    def judges_datasets(self) -> bool:
        """Whether the predictor tells the model's datasets apart."""
        return self.judged_domain is not None

    def encoded(self, images: ImageSet, stage: str, judged: JudgementsList | None = None) -> Latents:
        """Return the autoencoder's latents of a set's images, ``[n, D]``; they are judged where wished."""
        latents = np.zeros((len(images), self.model.flow.size), dtype=np.float32)
        with evaluation():
            for rows, x in batches(images, self.device, self.reporter, stage):
                latents[rows] = self.model.autoencoder.encode(x).mean.float().cpu().numpy()
                if judged is not None:
                    judged.judge(x)
        return latents

    def encoded_and_seen(self, images: ImageSet, stage: str) -> tuple[Latents, Seen]:
        """Return the same, and what is said of the images themselves."""
        judged = JudgementsList(self.predictor)
        latents = self.encoded(images, stage, judged)
        return latents, self._seen(judged.all(), latents)

    def seen(self, latents: Latents) -> Seen:
        """Return what is said of the autoencoder's pictures of latents ``[n, D]``.

        Where the predictor does not judge the dataset, a picture is encoded again and taken for the dataset
        under which that is likeliest, in the mode *follow*.
        """
        judged = JudgementsList(self.predictor)
        again = np.zeros_like(latents)
        with evaluation():
            for start in range(0, len(latents), BATCH):
                part = torch.from_numpy(latents[start : start + BATCH]).to(self.device)
                pictures = self.model.autoencoder.decode(part)
                judged.judge(pictures)
                if not self.judges_datasets:
                    found = self.model.autoencoder.encode(pictures).mean
                    again[start : start + BATCH] = found.float().cpu().numpy()
        return self._seen(judged.all(), again)

    def _seen(self, found: Judgements, latents: Latents) -> Seen:
        """Return judgements as the set and the model number them, of pictures with these latents."""
        codes = [
            translate(self.predictor.spec.attribute(a.name), a, found.codes(a.name)) for a in self.attributes
        ]
        if self.judged_domain is not None:
            dataset = translate(self.judged_domain, self.domain, found.codes(self.domain.name))
        else:
            dataset = self._likeliest(latents)
        return Seen(np.stack(codes, axis=1), dataset, found.features)

    def _likeliest(self, latents: Latents) -> Codes:
        with evaluation():
            x = torch.from_numpy(latents).to(self.device)
            nats = [
                self.model.flow.log_likelihood(x, self.weights(k, len(x), "follow"))
                for k in range(len(self.names))
            ]
        found: Codes = torch.stack(nats).argmax(dim=0).cpu().numpy()
        return found

    def weights(self, dataset: int, n: int, mode: str) -> torch.Tensor:
        """Return the flow's weights ``[n, 2 K]`` of a dataset in a mode."""
        chosen = {self.domain.name: self.names[dataset], MODE.name: mode}
        condition = torch.from_numpy(choose(self.model.spec.condition, chosen)).to(self.device)
        return self.model.weights(condition[None]).repeat(n, 1)

    def into(self, latents: Latents, dataset: int, mode: str) -> Latents:
        """Return z ``[n, D]`` of the autoencoder's latents of a dataset."""
        with evaluation():
            x = torch.from_numpy(latents).to(self.device)
            z, _ = self.model.flow(x, self.weights(dataset, len(latents), mode))
        found: Latents = z.cpu().numpy()
        return found

    def out(self, z: Latents, dataset: int, mode: str) -> Latents:
        """Return the autoencoder's latents ``[n, D]`` of z in a dataset."""
        with evaluation():
            u = torch.from_numpy(z).to(self.device)
            x = self.model.flow.inverse(u, self.weights(dataset, len(z), mode))
        found: Latents = x.cpu().numpy()
        return found

    def round_trip(self, latents: Sequence[Latents], mode: str) -> Estimate:
        """Return the largest error of an entry of latents, each dataset's under its own condition."""
        worst = 0.0
        with evaluation():
            for k, part in enumerate(latents):
                x = torch.from_numpy(part).to(self.device)
                worst = max(worst, float(self.model.round_trip(x, self.weights(k, len(part), mode)).max()))
        return plain(worst, sum(len(part) for part in latents))

    def blend_stretch(self, mode: str) -> Estimate:
        """Return how much a mixture of two datasets' conditions leaves of the direction that it shrinks most.

        The least singular value of an affine layer's matrix along the way between two datasets, divided by
        the least at its ends; the least of all pairs and layers. Near 0 the mixture cannot be undone: nothing
        can be encoded under it. Decoding never divides by it.
        """
        flow = self.model.flow
        own = [self.weights(k, 1, mode)[0].cpu().double().numpy() for k in range(len(self.names))]
        shares = np.linspace(0.0, 1.0, _BLENDS)[:, None, None]
        left = []
        for layer in (flow.affine, flow.whitening):
            if layer is None:
                continue
            matrices = layer.matrix.detach().cpu().double().numpy()
            ends = [np.tensordot(one, matrices, 1) for one in own]
            for a, b in combinations(range(len(ends)), 2):
                way = np.linalg.svd((1.0 - shares) * ends[a] + shares * ends[b], compute_uv=False)[:, -1]
                left.append(float(way.min() / max(_LEAST, min(way[0], way[-1]))))
        return plain(min(left), len(list(combinations(own, 2))))

    def baselines(self, train: ImageSet, trained: Latents, own: Sequence[Latents]) -> dict[str, Way]:
        """Return closed-form maps of each dataset's latents, fitted on the training rows' latents."""
        codes = self.datasets_of(train)
        bodies = [Gaussian.of(trained[codes == k]) for k in range(len(self.names))]

        def by(make: Callable[[Gaussian, Gaussian], Affine]) -> Way:
            return lambda a, b: make(bodies[a], bodies[b])(own[a]).astype(np.float32)

        return {
            "baseline.identity.": lambda a, b: own[a],
            "baseline.mean_shift.": by(mean_shift),
            "baseline.gaussian_transport.": by(gaussian_transport),
        }

    def datasets_of(self, images: ImageSet) -> Codes:
        """Return the dataset of each image, ``[n]``, as the model numbers them; -1 where it knows none."""
        return translate(images.attribute(self.domain.name), self.domain, images.codes(self.domain.name))

    def dataset_probes(
        self, name: str, fitted: Sequence[Latents], tried: Sequence[Latents], seed: int
    ) -> dict[str, Estimate]:
        """Return what probes read of the dataset from z, under a name.

        ``fitted`` and ``tried`` are each dataset's z ``[n, D]``, of different images.
        """
        (seen, seen_of), (shown, shown_of) = (
            (np.concatenate(parts), np.repeat(np.arange(len(parts)), [len(part) for part in parts]))
            for parts in (fitted, tried)
        )
        points = probe_points(seen, seen_of, shown, shown_of, len(self.names), seed)
        return probe_figures(name, points)

    def frechet_ratios(
        self,
        latents: Sequence[Latents],
        z: Sequence[Latents],
        features: Sequence[Latents],
        reconstructed: Sequence[Latents],
        halves: Sequence[tuple[Codes, Codes]],
        mode: str,
        seed: int,
    ) -> tuple[Floats, Floats]:
        """Return ratios of squared Frechet distances by pair ``[K, K]``, and by dataset ``[K]``.

        The first: projected latents of the source's one half to the target's other half, divided by the
        target's own two halves, of equal numbers; not a number on the diagonal. The second, in the judge's
        features: pictures of sampled z to the dataset's other half, divided by reconstructions of its one
        half.

        Parameters
        ----------
        latents, z, features
            Of each dataset's images, ``[n, D]``, ``[n, D]`` and ``[n, F]``.
        reconstructed
            The features of the reconstructions of each dataset's one half.
        halves
            Rows of each dataset: no image of a one half is in any other half.
        """
        count = len(self.names)
        targets, samples = np.full((count, count), np.nan), np.zeros(count)
        generator = torch.Generator().manual_seed(seed)
        for b, (one, two) in enumerate(halves):
            self.reporter.raise_if_cancelled()
            for a in (k for k in range(count) if k != b):
                most = min(len(halves[a][0]), len(one))
                own = frechet_distance(latents[b][one[:most]], latents[b][two])
                made = self.out(z[a][halves[a][0][:most]], b, mode)
                targets[a, b] = frechet_distance(made, latents[b][two]) / max(_LEAST, own)
            drawn = self.model.sample(len(one), None, generator).cpu().numpy()
            made = self.seen(self.out(drawn, b, mode)).features
            own = frechet_distance(reconstructed[b], features[b][two])
            samples[b] = frechet_distance(made, features[b][two]) / max(_LEAST, own)
            self.reporter.report(Progress("Comparing distributions", b + 1, count))
        return targets, samples


def entropy(codes: Codes, classes: int) -> float:
    """Return the entropy in nats of class codes ``[n]``; -1 is left out."""
    shares = np.bincount(codes[codes >= 0], minlength=classes) / max(1, int((codes >= 0).sum()))
    present = shares[shares > 0]
    return float(-(present * np.log(present)).sum())


def plain(value: float, n: int) -> Estimate:
    """Return a figure without an interval."""
    return Estimate(float(value), None, None, n)
