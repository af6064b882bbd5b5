"""What a projection does to people when no dataset shows the same ones: shares, beside the target's own.

The paper's demonstration (Rombach, Esser and Ommer 2020): the same pictures, projected onto a dataset with a
bias of its own, get its composition. Held-out pictures of every dataset are projected onto every other, in
the mode *follow* and in *keep*, and counted by the judging classifier, as are the target's own held-out
pictures and their reconstructions. The difference of the two modes, input by input, is the target's
composition bias.

Where the same identities stand in all datasets more can be measured: `latentlab.metrics.evaluate_projection`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from latentlab.data.image_set import ImageSet
from latentlab.errors import DataError, SettingsError
from latentlab.families.cinn import CINN
from latentlab.metrics.frechet import LEAST_IMAGES
from latentlab.metrics.intervals import Estimate
from latentlab.metrics.passes import check_size
from latentlab.metrics.projecting import (
    BY_LIKELIHOOD,
    NO_TRAINING_ROWS,
    Codes,
    Floats,
    Latents,
    Projector,
    Way,
    entropy,
    plain,
)
from latentlab.metrics.projection_shares import BEFORE, PREFIXES, RECONSTRUCTED, TRUTH, Key, Shares
from latentlab.metrics.report import Evaluation
from latentlab.model import AttributePredictor
from latentlab.progress import Progress, Reporter

INPUTS = 2048
"""Pictures of each dataset that are projected onto each of the others."""
_LEAST_IMAGES = 4


def evaluate_unpaired(
    model: CINN,
    predictor: AttributePredictor,
    data: ImageSet,
    *,
    train: ImageSet | None = None,
    count: int = INPUTS,
    device: torch.device | str = "cpu",
    seed: int = 0,
    reporter: Reporter | None = None,
) -> Evaluation:
    """Project held-out pictures of every dataset onto every other, in both modes, and count what comes out.

    Metrics of the mode *keep*, and with ``follow.`` before them of *follow*. Those of an ordered pair stand
    in the group ``source=A,DATASET=B``, their means over the sources in ``DATASET=B``, and the means over all
    ordered pairs without a group:

    - ``target_dataset_share``: share of projections that are taken for the target's: by the judge, or where
      it does not tell the datasets apart by likelihood (`Projector.seen`).
    - ``attributes_kept.ATTR``: share whose predicted class is that of their reconstruction;
      ``attributes_kept``: the mean over the attributes.
    - ``share.ATTR=CLASS`` (pairs only): share of projections that are predicted as the class;
      ``shift_points.ATTR=CLASS``: the same minus the share in the inputs' reconstructions
      (``before.share.ATTR=CLASS``), in points.
    - ``gap_points.ATTR``: the largest difference of such a share to the target's own, in points;
      ``gap_points_reconstructed.ATTR``: to that in the target's reconstructions.
    - ``entropy_ratio.ATTR``: entropy in nats of the predicted classes after, divided by before.
    - ``frechet_target_ratio``, ``frechet_sample_ratio``: as in `evaluate_projection`, of halves that share no
      image.
    - ``round_trip_max``, ``blend_stretch``: as there.
    - ``dataset_probe_points`` (``@network``): how far above chance probes read the dataset from z; needs
      ``train``. ``dataset_probe_points_matched``: the same on rows with the same shares of the judged
      attributes in every dataset: what *keep* keeps tells the datasets apart by their composition.

    And of both modes, or none:

    - ``composition_bias.ATTR=CLASS`` (pairs only): the shift of *follow* minus that of *keep*, in points;
      ``composition_bias.ATTR``: half the sum of their absolute values (total variation).
    - ``truth.share.ATTR=CLASS``, ``reconstructed.share.ATTR=CLASS``, ``truth.target_dataset_share`` (targets
      only): what the judge says of the target's own held-out pictures and of their reconstructions.
    - ``baseline.NAME.`` before ``target_dataset_share``, ``attributes_kept`` and ``gap_points.ATTR``: of
      closed-form maps between the same latents (`latentlab.metrics.transport`); need ``train``.

    Intervals are bootstrapped over the images, drawn once for all datasets, modes and targets; shares have
    Wilson's where no image stands twice.

    Parameters
    ----------
    model, predictor
        On ``device`` already, in float32.
    data
        Held-out images with the model's dataset attribute. Names that are alike after the first colon are of
        one image (``broad:7`` and ``narrow:7``, as `latentlab.data.joined` writes them), of avatars those
        that are alike before it.
    train
        Training rows of the same datasets: what the baselines and the probe are fitted on.
    count
        Images of each dataset that are projected, at most; all others count for the target's own shares.

    Raises
    ------
    LatentLabError
        If the set lacks a dataset of the model, or has too few images of one; `Cancelled` if the reporter
        asked for it.
    """
    check_size(data, model.spec.image_size, "model")
    if count < 2:
        raise SettingsError(f"At least two images of each dataset are projected, not {count}.")
    projector = Projector(model, predictor, data, torch.device(device), reporter or Reporter())
    return _Run(projector, data, count, seed).measure(train)


class _Run:
    """One evaluation: what is said of pictures, the rates made of that, and the figures made of those."""

    def __init__(self, projector: Projector, data: ImageSet, count: int, seed: int) -> None:
        self.projector, self.data, self.seed = projector, data, seed
        self.names, self.ordered, self.attributes = projector.names, projector.ordered, projector.attributes
        codes = projector.datasets_of(data)
        self.rows = [np.flatnonzero(codes == k) for k in range(len(self.names))]
        missing = [name for name, rows in zip(self.names, self.rows, strict=True) if not len(rows)]
        if missing:
            raise DataError(f"The set {data.info.name} lacks the dataset(s) {', '.join(missing)}.")
        self.whom = _images_of(data)
        fewest = min(len(np.unique(self.whom[rows])) for rows in self.rows)
        if fewest < _LEAST_IMAGES:
            raise SettingsError(
                f"A projection is judged on at least {_LEAST_IMAGES} images of each dataset; of one of them "
                f"{data.info.name} has {fewest}."
            )
        # Places of the inputs among their dataset's rows.
        self.inputs = [
            np.sort(np.random.default_rng([seed, 8, k]).permutation(len(rows))[:count])
            for k, rows in enumerate(self.rows)
        ]
        self.shares = Shares(projector, int(self.whom.max()) + 1, seed)

    def measure(self, train: ImageSet | None) -> Evaluation:
        """Return everything that is measured."""
        projector = self.projector
        notes: list[str] = []
        every, seen = projector.encoded_and_seen(self.data, "Encoding")
        again = projector.seen(every)
        latents = [every[rows] for rows in self.rows]
        own = [part[chosen] for part, chosen in zip(latents, self.inputs, strict=True)]
        before = [again.codes[rows][chosen] for rows, chosen in zip(self.rows, self.inputs, strict=True)]
        for k, rows in enumerate(self.rows):
            self.shares.add((TRUTH, k, k), seen.of(rows), self.whom[rows])
            self.shares.add((RECONSTRUCTED, k, k), again.of(rows), self.whom[rows])
            chosen = rows[self.inputs[k]]
            self.shares.add((BEFORE, k, k), again.of(chosen), self.whom[chosen])
        z = {mode: [projector.into(part, k, mode) for k, part in enumerate(latents)] for mode in PREFIXES}
        ways: dict[str, Way] = {mode: self._way(z[mode], mode) for mode in PREFIXES}
        trained = every[:0]
        if train is None:
            notes.append(NO_TRAINING_ROWS)
        else:
            trained = projector.encoded(train, "Encoding the training rows")
            ways |= projector.baselines(train, trained, own)
        if not projector.judges_datasets:
            notes.append(BY_LIKELIHOOD)
        after = {
            (name, a, b): self._project(name, way, a, b, before[a])
            for name, way in ways.items()
            for a, b in self.ordered
        }
        metrics, groups = self.shares.figures([name for name in ways if name not in PREFIXES])
        halves = [self._halves(rows) for rows in self.rows]
        features = [seen.features[rows] for rows in self.rows]
        reconstructed = [again.features[rows[one]] for rows, (one, _) in zip(self.rows, halves, strict=True)]
        for mode, prefix in PREFIXES.items():
            self._entropies(metrics, groups, mode, after, before)
            metrics[f"{prefix}round_trip_max"] = projector.round_trip(latents, mode)
            metrics[f"{prefix}blend_stretch"] = projector.blend_stretch(mode)
            ratios = projector.frechet_ratios(
                latents, z[mode], features, reconstructed, halves, mode, self.seed
            )
            self._distances(metrics, groups, prefix, *ratios, halves)
            if train is not None:
                metrics |= self._probe(train, trained, z[mode], mode)
        least = min(min(len(one), len(two)) for one, two in halves)
        if least < LEAST_IMAGES:
            notes.append(
                f"The Frechet distances rest on {least:,} images a side; below {LEAST_IMAGES:,} they vary."
            )
        counts = (f"{len(x):,} of {name}" for name, x in zip(self.names, self.inputs, strict=True))
        notes += [
            f"Projected: {', '.join(counts)}. Groups of two datasets are projections from the first onto the "
            "second.",
            "gap_points and composition_bias without a class are made of absolute values, which chance alone "
            "makes larger than 0: whether there is a bias is told by the intervals of the classes.",
        ]
        settings = {"modes": list(PREFIXES), "inputs": max(len(x) for x in self.inputs)}
        return Evaluation(metrics, groups, settings, tuple(notes))

    def _way(self, z: list[Latents], mode: str) -> Way:
        return lambda a, b: self.projector.out(z[a][self.inputs[a]], b, mode)

    def _project(self, name: str, way: Way, a: int, b: int, before: Codes) -> Codes:
        """Project one dataset's inputs onto another, count what is seen, and return its codes ``[n, A]``."""
        self.projector.reporter.raise_if_cancelled()
        seen = self.projector.seen(way(a, b))
        self.shares.add((name, a, b), seen, self.whom[self.rows[a][self.inputs[a]]], before)
        done = self.ordered.index((a, b)) + 1
        stage = f"Judging {name.removeprefix('baseline.').strip('.').replace('_', ' ')}"
        self.projector.reporter.report(Progress(stage, done, len(self.ordered)))
        return seen.codes

    def _entropies(
        self,
        metrics: dict[str, Estimate],
        groups: dict[str, dict[str, Estimate]],
        mode: str,
        after: Mapping[Key, Codes],
        before: list[Codes],
    ) -> None:
        """Add the entropy after, divided by before, of each attribute of each pair and of all."""
        for column, attribute in enumerate(self.attributes):
            name, ratios = f"{PREFIXES[mode]}entropy_ratio.{attribute.name}", []
            for a, b in self.ordered:
                was = entropy(before[a][:, column], attribute.width)
                if was > 0.0:
                    ratios.append(entropy(after[mode, a, b][:, column], attribute.width) / was)
                    groups[self.shares.pair(a, b)][name] = plain(ratios[-1], len(before[a]))
            if ratios:
                metrics[name] = plain(float(np.mean(ratios)), max(map(len, before)))

    def _halves(self, rows: Codes) -> tuple[Codes, Codes]:
        """Return places among a dataset's rows, in random order, that share no image in any dataset."""
        generator = np.random.default_rng([self.seed, 5])
        first = np.zeros(int(self.whom.max()) + 1, dtype=bool)
        first[generator.permutation(len(first))[: len(first) // 2]] = True
        order = generator.permutation(len(rows))
        mine = first[self.whom[rows[order]]]
        return order[mine], order[~mine]

    def _distances(
        self,
        metrics: dict[str, Estimate],
        groups: dict[str, dict[str, Estimate]],
        prefix: str,
        targets: Floats,
        samples: Floats,
        halves: list[tuple[Codes, Codes]],
    ) -> None:
        """Add the ratios of Frechet distances."""
        sizes = [len(one) for one, _ in halves]
        for a, b in self.ordered:
            n = min(sizes[a], sizes[b])
            groups[self.shares.pair(a, b)][f"{prefix}frechet_target_ratio"] = plain(targets[a, b], n)
        for b, of_target in enumerate(np.nanmean(targets, axis=0).tolist()):
            groups[self.shares.target(b)][f"{prefix}frechet_target_ratio"] = plain(of_target, sizes[b])
            groups[self.shares.target(b)][f"{prefix}frechet_sample_ratio"] = plain(samples[b], sizes[b])
        metrics[f"{prefix}frechet_target_ratio"] = plain(float(np.nanmean(targets)), min(sizes))
        metrics[f"{prefix}frechet_sample_ratio"] = plain(float(samples.mean()), min(sizes))

    def _probe(self, train: ImageSet, trained: Latents, z: list[Latents], mode: str) -> dict[str, Estimate]:
        """Return what probes read of the dataset from z, of all rows and of rows that are composed alike."""
        codes = self.projector.datasets_of(train)
        rows = [np.flatnonzero(codes == k) for k in range(len(self.names))]
        seen = [self.projector.into(trained[part], k, mode) for k, part in enumerate(rows)]
        every = [np.arange(len(part)) for part in rows], [np.arange(len(part)) for part in self.rows]
        found: dict[str, Estimate] = {}
        for name, (fitted, tried) in {
            "dataset_probe_points": every,
            "dataset_probe_points_matched": (self._alike(train, rows), self._alike(self.data, self.rows)),
        }.items():
            if all(len(part) for part in (*fitted, *tried)):
                found |= self.projector.dataset_probes(
                    f"{PREFIXES[mode]}{name}",
                    [part[chosen] for part, chosen in zip(seen, fitted, strict=True)],
                    [part[chosen] for part, chosen in zip(z, tried, strict=True)],
                    self.seed,
                )
        return found

    def _alike(self, images: ImageSet, rows: list[Codes]) -> list[Codes]:
        """Return places among each dataset's rows: as many of every combination of classes in each."""
        labels = np.stack([np.asarray(images.codes(a.name), dtype=np.int64) for a in self.attributes], axis=1)
        _, cells = np.unique(labels, axis=0, return_inverse=True)
        generator = np.random.default_rng([self.seed, 9])
        orders = [generator.permutation(len(part)) for part in rows]
        found: list[list[Codes]] = [[] for _ in rows]
        for cell in range(int(cells.max()) + 1):
            members = [
                order[cells.reshape(-1)[part[order]] == cell]
                for part, order in zip(rows, orders, strict=True)
            ]
            fewest = min(map(len, members))
            for one, chosen in zip(found, members, strict=True):
                one.append(chosen[:fewest])
        return [np.concatenate(one) for one in found]


def _images_of(data: ImageSet) -> Codes:
    """Return of which image each row is, as integers ``[n]``: of avatars and robots, whom it shows.

    A joined set writes its part before the name, and the same image may stand in several parts.
    """
    names = [str(name) for name in data.names[data.rows].tolist()]
    if data.info.paired_by:
        names = [name.partition(":")[0] for name in names]
    else:
        names = [name.partition(":")[2] or name for name in names]
    return np.unique(np.array(names), return_inverse=True)[1].astype(np.int64)
