"""What a projection between datasets is worth: whether it is of the target, and still the same content.

Every image of some held-out identities is projected onto every other dataset, and what comes out is judged
beside closed-form maps between the same latents (`latentlab.metrics.transport`), which have the same
autoencoder's errors: *identity*, *mean shift*, *Gaussian transport*, and a *ridge* map learnt from pairs.
``truth.`` is what the judge says of the true drawing in the target's style: nothing can do much better.
Intervals are bootstrapped by identity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from latentlab.data.avatars import paired
from latentlab.data.image_set import UNKNOWN, ImageSet
from latentlab.errors import DataError, SettingsError
from latentlab.families.cinn import CINN
from latentlab.metrics.frechet import LEAST_IMAGES
from latentlab.metrics.intervals import Estimate, bootstrap_totals
from latentlab.metrics.passes import check_size
from latentlab.metrics.projecting import (
    BY_LIKELIHOOD,
    NO_TRAINING_ROWS,
    Codes,
    Floats,
    Latents,
    Projector,
    Seen,
    Way,
    entropy,
    plain,
)
from latentlab.metrics.report import Evaluation
from latentlab.metrics.resampled_rates import absolute, estimate
from latentlab.metrics.transport import best_ridge
from latentlab.model import AttributePredictor
from latentlab.progress import Progress, Reporter
from latentlab.spec import MODE

CONTENT = ("skin", "hair", "hair_color", "beard", "glasses")
"""The avatars' attributes that ``attributes_kept`` is the mean of; of other sets it is all of them."""
ORDERED = {"skin": 1}
"""By how many classes an attribute may be off and still count as kept: skin by one band."""
NEEDS_HAIR = {"hair_color": ("hair", "bald")}
"""An attribute that does not count where another has a class."""
IDENTITIES = 300


@dataclass
class _Outcome:
    """How one way fared, by ordered pair of datasets P and identity n.

    ``kept`` is ``[P, n, A]``, not a number where it does not count; ``rank`` ``[P, n]`` is how many of the
    true drawings are nearer than the true counterpart; ``on_target`` ``[P, n]``; ``codes`` ``[P, n, A]``.
    """

    kept: NDArray[np.float64]
    rank: NDArray[np.float64]
    on_target: NDArray[np.float64]
    codes: Codes


def evaluate_projection(
    model: CINN,
    predictor: AttributePredictor,
    data: ImageSet,
    *,
    train: ImageSet | None = None,
    pairs: int = 200,
    mode: Literal["keep", "follow"] = "keep",
    count: int = IDENTITIES,
    device: torch.device | str = "cpu",
    seed: int = 0,
    reporter: Reporter | None = None,
) -> Evaluation:
    """Project held-out identities onto every other dataset, in one mode, and judge the result.

    Metrics, over all ordered pairs of the model's datasets:

    - ``target_dataset_share``: share of projections that the judge takes for the target's.
    - ``attributes_kept.ATTR``: share that are predicted as what the identity has, counted where both datasets
      can draw it (skin within one band; hair colour not of bald heads). ``attributes_kept``: the mean over
      the attributes (`CONTENT`, or all).
    - ``top1``, ``top10``: share whose true counterpart is the nearest (among the ten nearest) of ``count``
      true drawings, in the judge's features.
    - the same after ``baseline.identity.``, ``baseline.mean_shift.``, ``baseline.gaussian_transport.`` and
      ``baseline.ridge_pairs.``, which need ``train``, and after ``truth.``.
    - ``attributes_kept_of_truth``: ``attributes_kept`` divided by ``truth.attributes_kept``;
      ``lead.BASELINE.attributes_kept`` and ``.top1``: the difference to a baseline, identity by identity.
    - ``round_trip_max``: largest error of a latent's entry through the flow and back.
    - ``blend_stretch``: what a mixture of two datasets leaves at least (`Projector.blend_stretch`).
    - ``dataset_probe_points``: how far above chance a linear probe reads the dataset from z (``@network``:
      one with a hidden layer), on identities that all datasets draw alike; needs ``train``.
    - ``frechet_target_ratio``: Frechet distance of projected latents of one half of ``data`` to the target's
      latents of the other half, divided by that of the target's own two halves; mean over the ordered pairs.
    - ``frechet_sample_ratio``: the same in the judge's features, of pictures of sampled z, divided by that of
      reconstructions; mean over the datasets, each also as a group.
    - ``entropy_ratio.ATTR``: entropy in nats of the predicted classes after, divided by before.
    - ``composition_bias.ATTR``: how far apart the shares of the predicted classes are in the two modes, in
      points (total variation, mean over the ordered pairs); what the dataset's composition alone does.

    Parameters
    ----------
    model, predictor
        On ``device`` already, in float32.
    data
        Held-out avatars in all the model's datasets (styles).
    train
        Training rows in the same datasets: what the baselines and the probe are fitted on.
    pairs
        Identities of ``train`` that the ridge map learns from.
    count
        Identities of ``data`` that are projected.

    Raises
    ------
    LatentLabError
        If the set does not show the model's datasets in pairs; `Cancelled` if the reporter asked for it.
    """
    check_size(data, model.spec.image_size, "model")
    projector = Projector(model, predictor, data, torch.device(device), reporter or Reporter())
    run = _Run(projector, data, mode, count, seed)
    metrics, groups, notes = run.measure(train, pairs)
    settings = {"mode": mode, "identities": run.count, "pairs": pairs if train is not None else 0}
    return Evaluation(metrics, groups, settings, tuple(notes))


class _Run:
    """One evaluation: the latents and judgements of the set, and what is made of them."""

    def __init__(self, projector: Projector, data: ImageSet, mode: str, count: int, seed: int) -> None:
        self.projector, self.data, self.mode, self.seed = projector, data, mode, seed
        self.domain, self.names, self.ordered = projector.domain, projector.names, projector.ordered
        self.attributes, self.reporter = projector.attributes, projector.reporter
        _, places = paired(data)
        missing = [name for name in self.names if name not in places]
        if missing:
            raise DataError(f"The set {data.info.name} lacks the dataset(s) {', '.join(missing)}.")
        self.places = [places[name] for name in self.names]
        self.total = len(self.places[0])
        self.count = min(count, self.total)
        if self.count < 2 or self.total < 4:
            raise SettingsError(
                f"A projection is judged on at least two identities of a set with four; {data.info.name} has "
                f"{self.total}, and {count} were asked for."
            )
        self.labels = self._labels(data, self.places)

    def measure(
        self, train: ImageSet | None, pairs: int
    ) -> tuple[dict[str, Estimate], dict[str, dict[str, Estimate]], list[str]]:
        """Return the figures, those of each target dataset, and notes."""
        notes: list[str] = []
        every, seen = self.projector.encoded_and_seen(self.data, "Encoding")
        latents = [every[rows] for rows in self.places]
        features = [seen.features[rows] for rows in self.places]
        codes = [seen.codes[rows] for rows in self.places]
        z = [self.projector.into(latents[a], a, self.mode) for a in range(len(self.names))]
        self.features = [part[: self.count] for part in features]
        ways: dict[str, Way] = {"": lambda a, b: self.projector.out(z[a][: self.count], b, self.mode)}
        own = [part[: self.count] for part in latents]
        trained = every[:0]
        if train is None:
            notes.append(NO_TRAINING_ROWS)
        else:
            trained = self.projector.encoded(train, "Encoding the training rows")
            ways |= self.projector.baselines(train, trained, own)
            if pairs > 1:
                ways["baseline.ridge_pairs."] = self._by_ridge(train, trained, own, pairs)
        if not self.projector.judges_datasets:
            notes.append(BY_LIKELIHOOD)
        outcomes = {name: self._judge(way, name) for name, way in ways.items()}
        outcomes["truth."] = self._truth(seen)
        metrics: dict[str, Estimate] = {}
        for name, outcome in outcomes.items():
            metrics |= {f"{name}{key}": value for key, value in self._figures(outcome).items()}
        metrics |= self._compared(outcomes)
        metrics["round_trip_max"] = self.projector.round_trip(latents, self.mode)
        metrics["blend_stretch"] = self.projector.blend_stretch(self.mode)
        if train is not None:
            metrics |= self._probe(train, trained, z)
        metrics |= self._entropies(outcomes[""], codes)
        other = next(name for name in MODE.classes if name != self.mode)
        opposite = self._judge(
            lambda a, b: self.projector.out(self.projector.into(own[a], a, other), b, other),
            f"the mode {other}",
        )
        metrics |= self._composition_bias(outcomes[""], opposite, np.ones(len(self.ordered), dtype=bool))
        order = np.random.default_rng([self.seed, 5]).permutation(self.total)
        half = self.total // 2
        halves = [(order[:half], order[half : 2 * half])] * len(self.names)
        reconstructed = [self.projector.seen(part[order[:half]]).features for part in latents]
        pairwise, of_samples = self.projector.frechet_ratios(
            latents, z, features, reconstructed, halves, self.mode, self.seed
        )
        of_latents = np.nanmean(pairwise, axis=0)
        metrics["frechet_target_ratio"] = plain(of_latents.mean(), half)
        metrics["frechet_sample_ratio"] = plain(of_samples.mean(), half)
        if half < LEAST_IMAGES:
            notes.append(
                f"The Frechet distances rest on {half:,} images a side; at least {LEAST_IMAGES:,} "
                "should be there: latentlab data make avatars OUT --identities 3000,500,4000."
            )
        groups = self._by_target(outcomes[""], opposite, of_latents, of_samples)
        return metrics, groups, notes

    def _by_ridge(self, train: ImageSet, trained: Latents, own: Sequence[Latents], pairs: int) -> Way:
        """Return the ridge map from pairs of the training rows."""
        names, places = paired(train)
        chosen = np.random.default_rng([self.seed, 3]).permutation(len(names))[:pairs]
        sides = [trained[places[name][chosen]] for name in self.names]
        return lambda a, b: best_ridge(sides[a], sides[b])(own[a]).astype(np.float32)

    def _judge(self, way: Way, name: str) -> _Outcome:
        """Project all identities over all ordered pairs one way, and judge them."""
        outcome = self._empty()
        for place, (a, b) in enumerate(self.ordered):
            self.reporter.raise_if_cancelled()
            self._fill(outcome, place, self.projector.seen(way(a, b)))
            stage = f"Judging {name.strip('.') or 'the projection'}"
            self.reporter.report(Progress(stage, place + 1, len(self.ordered)))
        return outcome

    def _truth(self, seen: Seen) -> _Outcome:
        """Return what the judge says of the true drawings in the targets' styles."""
        outcome = self._empty()
        for place, (_, b) in enumerate(self.ordered):
            self._fill(outcome, place, seen.of(self.places[b][: self.count]))
        return outcome

    def _empty(self) -> _Outcome:
        shape = (len(self.ordered), self.count)
        nothing = np.full((*shape, len(self.attributes)), np.nan)
        codes = np.zeros((*shape, len(self.attributes)), dtype=np.int64)
        return _Outcome(nothing, np.zeros(shape), np.zeros(shape), codes)

    def _fill(self, outcome: _Outcome, place: int, seen: Seen) -> None:
        a, b = self.ordered[place]
        outcome.codes[place] = seen.codes
        outcome.kept[place] = self._kept(seen.codes, a, b)
        outcome.rank[place] = _ranks(seen.features, self.features[b])
        outcome.on_target[place] = seen.dataset == b

    def _kept(self, codes: Codes, a: int, b: int) -> NDArray[np.float64]:
        """Return 1 where an attribute is what the identity has, 0 where not, NaN where it does not count."""
        source, target = self.labels[a][: self.count], self.labels[b][: self.count]
        found = np.full(codes.shape, np.nan)
        names = [attribute.name for attribute in self.attributes]
        for column, name in enumerate(names):
            counts = (source[:, column] != UNKNOWN) & (target[:, column] != UNKNOWN)
            if name in NEEDS_HAIR and NEEDS_HAIR[name][0] in names:
                other = names.index(NEEDS_HAIR[name][0])
                counts &= source[:, other] != self.attributes[other].index(NEEDS_HAIR[name][1])
            near = np.abs(codes[:, column] - source[:, column]) <= ORDERED.get(name, 0)
            found[counts, column] = near[counts]
        return found

    def _figures(self, outcome: _Outcome) -> dict[str, Estimate]:
        """Return one way's figures."""
        kept = self._rates(outcome)
        counted = (~np.isnan(outcome.kept)).sum(axis=(0, 1))
        shares = {"attributes_kept": self._mean(kept)} | {
            f"attributes_kept.{attribute.name}": kept[:, k]
            for k, attribute in enumerate(self.attributes)
            if counted[k]
        }
        shares |= {f"top{most}": self._share(outcome.rank < most) for most in (1, 10)}
        shares["target_dataset_share"] = self._share(outcome.on_target)
        return {name: estimate(share, self.count) for name, share in shares.items()}

    def _rates(self, outcome: _Outcome) -> Floats:
        """Return how often each attribute is kept, ``[1 + R, A]``: as measured, then of each resample.

        0 where an attribute never counts. The resampled identities are always the same, so that ways can be
        compared.
        """
        hits, counts = np.nansum(outcome.kept, axis=0), (~np.isnan(outcome.kept)).sum(axis=0)
        sums = self._resampled(np.concatenate([hits, counts], axis=1))
        found: Floats = sums[:, : hits.shape[1]] / np.maximum(sums[:, hits.shape[1] :], 1)
        return found

    def _mean(self, kept: Floats) -> Floats:
        """Return the mean over the attributes that make up the content, ``[1 + R]``."""
        names = [attribute.name for attribute in self.attributes]
        content = [names.index(name) for name in CONTENT if name in names]
        used = content if len(content) == len(CONTENT) else list(range(len(names)))
        found: Floats = kept[:, used].mean(axis=1)
        return found

    def _share(self, hits: Floats | NDArray[np.bool_]) -> Floats:
        """Return a share over pairs and identities ``[P, n]``, as `_rates` does."""
        by_identity = np.asarray(hits, dtype=np.float64).mean(axis=0)
        return self._resampled(by_identity[:, None])[:, 0] / len(by_identity)

    def _resampled(self, by_identity: Floats, purpose: int = 4) -> Floats:
        """Return the sums of the identities' rows ``[n, C]`` and of each resample, ``[1 + R, C]``."""
        drawn = bootstrap_totals(by_identity, np.random.default_rng([self.seed, purpose]))
        return np.concatenate([by_identity.sum(axis=0, keepdims=True), drawn])

    def _compared(self, outcomes: Mapping[str, _Outcome]) -> dict[str, Estimate]:
        """Return the projection beside the truth and beside the baselines, identity by identity."""
        kept = {name: self._mean(self._rates(outcome)) for name, outcome in outcomes.items()}
        first = {name: self._share(outcome.rank < 1) for name, outcome in outcomes.items()}
        values = {"attributes_kept_of_truth": kept[""] / np.maximum(kept["truth."], 1e-9)}
        for name in outcomes:
            if name.startswith("baseline."):
                for figure, of in (("attributes_kept", kept), ("top1", first)):
                    values[f"lead.{name.removeprefix('baseline.')}{figure}"] = of[""] - of[name]
        return {name: estimate(value, self.count) for name, value in values.items()}

    def _probe(self, train: ImageSet, trained: Latents, z: Sequence[Latents]) -> dict[str, Estimate]:
        """Return what probes read of the dataset from z, on identities that all datasets draw alike."""
        _, places = paired(train)
        rows = [places[name] for name in self.names]
        chosen, alike = _drawn_alike(self._labels(train, rows)), _drawn_alike(self.labels)
        if not chosen.any() or not alike.any():
            return {}
        seen = [self.projector.into(trained[part[chosen]], k, self.mode) for k, part in enumerate(rows)]
        shown = [part[alike] for part in z]
        return self.projector.dataset_probes("dataset_probe_points", seen, shown, self.seed)

    def _labels(self, images: ImageSet, rows: Sequence[Codes]) -> list[Codes]:
        """Return the true codes of rows of a set, ``[n, A]`` for each dataset's."""
        codes = np.stack([np.asarray(images.codes(a.name)) for a in self.attributes], axis=1)
        return [codes[part] for part in rows]

    def _entropies(self, outcome: _Outcome, codes: Sequence[Codes]) -> dict[str, Estimate]:
        """Return the entropy of each attribute after, divided by before, mean over the ordered pairs."""
        found = {}
        for column, attribute in enumerate(self.attributes):
            ratios = []
            for place, (a, _) in enumerate(self.ordered):
                before = entropy(codes[a][: self.count, column], attribute.width)
                if before > 0.0:
                    ratios.append(entropy(outcome.codes[place, :, column], attribute.width) / before)
            if ratios:
                found[f"entropy_ratio.{attribute.name}"] = plain(float(np.mean(ratios)), self.count)
        return found

    def _composition_bias(
        self, one: _Outcome, other: _Outcome, onto: NDArray[np.bool_]
    ) -> dict[str, Estimate]:
        """Return how far the classes' shares in the two modes are apart, over some of the ordered pairs."""
        found = {}
        for column, attribute in enumerate(self.attributes):
            classes = np.arange(attribute.width)
            apart = [
                (outcome.codes[onto, :, column][..., None] == classes).astype(np.float64)
                for outcome in (one, other)
            ]
            by_identity = (apart[0] - apart[1]).transpose(1, 0, 2)  # [n, P, classes]
            sums = self._resampled(by_identity.reshape(self.count, -1), purpose=6)
            shares = sums.reshape(-1, *by_identity.shape[1:]) / self.count
            distance: Floats = 50.0 * absolute(shares).sum(axis=-1).mean(axis=-1)
            found[f"composition_bias.{attribute.name}"] = estimate(np.maximum(distance, 0.0), self.count)
        return found

    def _by_target(
        self, outcome: _Outcome, opposite: _Outcome, of_latents: Floats, of_samples: Floats
    ) -> dict[str, dict[str, Estimate]]:
        """Return the projection's figures onto each dataset."""
        found = {}
        for b, name in enumerate(self.names):
            onto = np.array([target == b for _, target in self.ordered])
            part = _Outcome(
                outcome.kept[onto], outcome.rank[onto], outcome.on_target[onto], outcome.codes[onto]
            )
            found[f"{self.domain.name}={name}"] = {
                **self._figures(part),
                "frechet_target_ratio": plain(of_latents[b], self.total // 2),
                "frechet_sample_ratio": plain(of_samples[b], self.total // 2),
                **self._composition_bias(outcome, opposite, onto),
            }
        return found


def _ranks(found: Latents, true: Latents) -> NDArray[np.float64]:
    """Return how many true drawings are nearer to each found picture than its own true one, ``[n]``."""
    x, y = found.astype(np.float64), true.astype(np.float64)
    squares = np.square(x).sum(1)[:, None] - 2.0 * x @ y.T + np.square(y).sum(1)
    own = np.diagonal(squares)[:, None]
    nearer: NDArray[np.float64] = (squares < own).sum(axis=1).astype(np.float64)
    return nearer


def _drawn_alike(labels: Sequence[Codes]) -> NDArray[np.bool_]:
    """Return the identities whose attributes are known in all datasets or in none, ``[n]``."""
    known = np.stack([part != UNKNOWN for part in labels])
    alike = np.logical_or(known.all(axis=0), ~known.any(axis=0))
    return np.asarray(alike.all(axis=1), dtype=np.bool_)
