"""Judge trained detectors on a set: each at its own threshold, which was chosen on validation rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from latentlab.checkpoints import Located, locate
from latentlab.checkpoints.native import load_located
from latentlab.errors import CheckpointError, SettingsError
from latentlab.families.dbvae import DBVAE
from latentlab.families.detector import Detector
from latentlab.metrics.detection import Decisions, over_seeds
from latentlab.metrics.intervals import Estimate
from latentlab.metrics.report import Evaluation, Report
from latentlab.progress import Progress, Reporter
from latentlab.training.detection_runs import DetectionTraining, of_plain, plain
from latentlab.training.detection_task import Detection, logits_of, open_detection

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TrainedDetector:
    """A checkpoint with how it was trained."""

    located: Located
    network: Detector | DBVAE
    training: DetectionTraining
    seed: int

    def logits(self, task: Detection) -> tuple[Floats, Floats]:
        """Return its logits of a task's faces ``[n]`` and others ``[m]``, degraded as it was trained."""
        return logits_of(self.network.logit, task, self.training.losses.degradation)


def open_detectors(names: Sequence[str | Path]) -> list[TrainedDetector]:
    """Open detectors and DB-VAEs; a folder of several seeds stands for all of them.

    Raises
    ------
    LatentLabError
        If one cannot be opened, or is something else.
    """
    found = []
    for name in names:
        folder = Path(name)
        seeds = sorted(folder.glob("seed-*/config.json"), key=lambda path: int(_number(path.parent.name)))
        places: list[str | Path] = [path.parent for path in seeds]
        if not places or (folder / "config.json").is_file():
            places = [name]
        found += [_open(place) for place in places]
    return found


def evaluate_detection(
    detectors: Sequence[TrainedDetector],
    data: str,
    baseline: Sequence[TrainedDetector] = (),
    reporter: Reporter | None = None,
) -> Evaluation:
    """Judge detectors of several seeds, beside a baseline's where it is given.

    Parameters
    ----------
    data
        A split of a set of faces, such as ``faces:test``; ``training`` for the rows that each was trained on.

    Returns
    -------
    Evaluation
        Recall, precision, accuracy, false positives, variance and worst group; each group's recall, of the
        groups and of the attributes whose intersections they are. With a baseline the names begin with
        ``baseline.`` and ``debiased.``.

    Raises
    ------
    LatentLabError
        If the set cannot be used.
    """
    reporter = reporter or Reporter()
    if not detectors:
        raise SettingsError("No detector was given.")
    parts = {"baseline.": baseline, "debiased.": detectors} if baseline else {"": detectors}
    metrics: dict[str, Estimate] = {}
    groups: dict[str, dict[str, Estimate]] = {}
    total, done, n = len(detectors) + len(baseline), 0, (0, 0)
    tasks: dict[tuple[object, ...], Detection] = {}
    for prefix, several in parts.items():
        judged = []
        for one in several:
            reporter.raise_if_cancelled()
            task = _task(one, data, tasks, reporter)
            judged.append((decide(one, task), task))
            n, done = (len(task.faces), len(task.others)), done + 1
            reporter.report(Progress("Judging the detectors", done, total))
        overall, each = figures_of(judged)
        metrics |= {prefix + name: estimate for name, estimate in overall.items()}
        for name, found in each.items():
            groups.setdefault(name, {}).update({prefix + key: value for key, value in found.items()})
    seeds = len(detectors)
    notes = [
        f"{n[0]:,} faces and {n[1]:,} pictures of no face, degraded alike for every detector.",
        "Each detector judges at its own threshold, which was chosen on validation rows.",
        f"Mean over {seeds} seeds with Student's 95% interval."
        if seeds > 1
        else "One seed: the intervals are of other pictures, not of other trainings.",
    ]
    settings = {
        "detectors": [str(one.located.path) for one in detectors],
        "training": plain(detectors[0].training),
    }
    if baseline:
        settings["baseline"] = [str(one.located.path) for one in baseline]
    return Evaluation(metrics, groups, settings, tuple(notes))


def figures_of(
    judged: Sequence[tuple[Decisions, Detection]],
) -> tuple[dict[str, Estimate], dict[str, dict[str, Estimate]]]:
    """Return the figures of several seeds, and the recall of each attribute's and each group's faces."""
    overall, each = over_seeds([found for found, _ in judged])
    wider = [_of_single_attributes(found, task) for found, task in judged]
    single = over_seeds(wider)[1] if wider[0].groups else {}
    return overall, {**single, **each}


def run_detection(
    names: Sequence[str],
    data: str = "faces:test",
    baseline: Sequence[str] = (),
    reporter: Reporter | None = None,
) -> Report:
    """Evaluate detectors by name or path on a set by name: what the command line calls."""
    detectors, others = open_detectors(names), open_detectors(baseline)
    found = evaluate_detection(detectors, data, others, reporter)
    located = [one.located for one in (*detectors, *others)]
    n = found.metrics["debiased.accuracy" if others else "accuracy"].n
    return Report(
        "evaluate detection",
        " ".join(str(one.path) for one in located),
        " ".join(one.sha256() for one in located),
        data,
        n,
        detectors[0].seed,
        "cpu",
        found,
    )


def decide(one: TrainedDetector, task: Detection) -> Decisions:
    """Return what a detector decides of a task's pictures."""
    faces, others = one.logits(task)
    threshold = one.network.config.threshold
    return Decisions(faces > threshold, others > threshold, task.group_rows())


def _open(name: str | Path) -> TrainedDetector:
    located = locate(name)
    opened = load_located(located)
    network: nn.Module = opened.network
    if not isinstance(network, (Detector, DBVAE)):
        raise CheckpointError(f"{name} is no detector; give what train dbvae or train cnn wrote.")
    made = located.config.training
    try:
        asked = of_plain({name: made[name] for name in plain(DetectionTraining())})
        seed = int(made["settings"]["seed"])
    except (KeyError, TypeError, ValueError):
        raise CheckpointError(
            f"{name} does not say how it was trained, so that nobody knows what its threshold is of."
        ) from None
    return TrainedDetector(located, network.eval(), asked, seed)


def _task(
    one: TrainedDetector, data: str, known: dict[tuple[object, ...], Detection], reporter: Reporter
) -> Detection:
    asked = one.training
    if data == "training":
        key: tuple[object, ...] = (asked.data, asked.bias, asked.count, one.seed, asked.image_size)
        if key not in known:
            known[key] = asked.task(one.seed, reporter)
        return known[key]
    source, _, split = data.rpartition(":")
    if not source or split not in ("train", "validation", "test"):
        raise SettingsError(
            f"Detectors are judged on a split, such as faces:test, or on training; not on {data!r}."
        )
    key = (data, asked.image_size)
    if key not in known:
        known[key] = open_detection(source, split, asked.image_size, reporter=reporter)
    return known[key]


def _of_single_attributes(judged: Decisions, task: Detection) -> Decisions:
    """Return the same decisions with the groups of each attribute alone."""
    rows: dict[str, NDArray[np.int64]] = {}
    if len(task.groups) > 1:
        for attribute in task.groups:
            rows |= task.faces.groups([attribute])
    return Decisions(judged.faces, judged.others, rows)


def _number(name: str) -> str:
    digits = name.removeprefix("seed-")
    return digits if digits.isdigit() else "0"
