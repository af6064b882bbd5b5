"""The pair of the debiasing laboratory: a baseline and a DB-VAE on the same faces, judged on the same test.

The folder holds ``baseline/seed-N``, ``debiased/seed-N`` and, at the end, ``judged.json``. What is finished
stays: the same call goes on where another was stopped.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from latentlab.metrics.detection import Decisions
from latentlab.progress import PartOf, Progress, Reporter
from latentlab.training.detection_evaluation import decide, figures_of, open_detectors
from latentlab.training.detection_runs import DetectionTraining, train_seeds
from latentlab.training.detection_task import Detection, open_detection
from latentlab.training.loop import LoopSettings
from latentlab.whole_file import write_whole

ARMS = {"baseline": "cnn", "debiased": "dbvae"}
"""The two trainings' folders, and the family of each, in the order in which they are trained."""
JUDGED = "judged.json"
"""The file with how both stand on the test rows."""


def train_pair(
    asked: DetectionTraining,
    out: Path,
    settings: LoopSettings,
    seeds: int = 1,
    fresh: bool = False,
    reporter: Reporter | None = None,
) -> dict[str, Any]:
    """Train the baseline and the DB-VAE with as many seeds each, judge them on the test rows, and tell.

    Parameters
    ----------
    asked
        As of a DB-VAE; the baseline is trained on the same faces, in the same batches of faces and others.
    seeds
        So many of each arm, ``settings.seed`` and those after it.

    Returns
    -------
    dict
        What ``judged.json`` holds: of each arm its ``metrics``, its ``groups`` and its ``seeds``.

    Raises
    ------
    LatentLabError
        If the set or the settings cannot be used, or the folder cannot be written.
    """
    whole = reporter or Reporter()
    for place, (arm, family) in enumerate(ARMS.items()):
        training = replace(asked, family=family)  # type: ignore[arg-type]
        part = _Arm(whole, place, len(ARMS), arm)
        train_seeds(training, out / arm, settings, seeds, fresh, part)
    found = judge_pair(out, asked, settings.seed, seeds, whole)
    write_whole(out / JUDGED, json.dumps(found, indent=1, allow_nan=False))
    return found


def judge_pair(
    out: Path, asked: DetectionTraining, first: int, seeds: int, reporter: Reporter | None = None
) -> dict[str, Any]:
    """Judge the trained pair on the set's test rows; see `train_pair`."""
    reporter = reporter or Reporter()
    test = open_detection(asked.data, "test", asked.image_size, reporter=reporter)
    found: dict[str, Any] = {"data": f"{asked.data}:test", "arms": {}}
    for place, arm in enumerate(ARMS):
        reporter.raise_if_cancelled()
        reporter.report(Progress("Judging on the test rows", place, len(ARMS)))
        detectors = open_detectors([out / arm / f"seed-{seed}" for seed in range(first, first + seeds)])
        judged: list[tuple[Decisions, Detection]] = [(decide(one, test), test) for one in detectors]
        metrics, groups = figures_of(judged)
        found["arms"][arm] = {
            "metrics": {name: one.record() for name, one in metrics.items()},
            "groups": {name: one["recall"].record() for name, one in groups.items()},
            "seeds": [decisions.every() for decisions, _ in judged],
        }
    return found


class _Arm(PartOf):
    """Tells how far one of the two trainings has come, under its name, as a share of both."""

    def __init__(self, whole: Reporter, place: int, parts: int, name: str) -> None:
        super().__init__(whole, place, parts)
        self._name, self._share = name, 0.0

    def report(self, progress: Progress) -> None:
        """Pass the event on."""
        if progress.total:
            self._share = progress.done / progress.total
        done = round(1000 * (self._place + self._share))
        stage = f"{progress.stage}: {self._name}"
        self._whole.report(Progress(stage, done, 1000 * self._parts, progress.values))
