"""The debiasing study: train all arms and seeds, choose on validation, judge on the balanced test, tell.

The folder holds ``plan.json``, a checkpoint for each arm and seed, ``results.json`` and ``report.html``. What
is trained stays: the same call goes on where another was stopped, also in the middle of a training.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.audit.debiasing_plan import BASELINE, DebiasingPlan
from latentlab.audit.debiasing_report import write_report
from latentlab.audit.stage_part import StagePart
from latentlab.checkpoints import locate
from latentlab.errors import Cancelled, SettingsError
from latentlab.metrics.detection import VARIANCE, WORST, Decisions, finest, mean_over_seeds
from latentlab.progress import Progress, Reporter
from latentlab.training.detection_evaluation import figures_of, open_detectors
from latentlab.training.detection_runs import (
    EMA,
    DetectionTraining,
    is_finished,
    of_plain,
    plain,
    train_detection,
)
from latentlab.training.detection_task import (
    Detection,
    open_detection,
    open_fresh,
    threshold_at,
)
from latentlab.training.loop import LoopSettings
from latentlab.whole_file import whole_file, write_whole
from latentlab.worker_process import begin_worker

PLAN, RESULTS, STOP = "plan.json", "results.json", ".stop"
SETS = ("validation", "test", "training")
"""On what each arm is judged: the choice rests on the first alone."""
FRESH = "fresh"
"""What a fresh test is called among them, where other faces were given for one."""
PASSING = (0.01, 0.015, 0.02, 0.03, 0.05)
"""Shares of the validation rows that are no face, at whose thresholds all arms are looked at besides."""
Floats = NDArray[np.float64]
TOLERANCE = 0.01
"""How much lower than the baseline's precision and accuracy may be, of a rule that is chosen."""


@dataclass(frozen=True)
class Verdict:
    """What the study is to show, on one of `SETS`: figures of the chosen rule against the baseline's.

    Parameters
    ----------
    best
        The arm that was chosen on validation.
    baseline_gap_points
        The baseline's recall of its best group less that of its worst.
    variance_cut, miss_cut
        By what share the variance over groups, and the worst group's miss rate, are lower.
    precision_points, accuracy_points
        By how many points precision and accuracy are higher.
    """

    best: str
    baseline_gap_points: float
    variance_cut: float
    miss_cut: float
    precision_points: float
    accuracy_points: float

    @property
    def met(self) -> bool:
        """Whether the gap is 10 points, both cuts a half, and neither price over a point."""
        return (
            self.baseline_gap_points >= 10.0
            and min(self.variance_cut, self.miss_cut) >= 0.5
            and min(self.precision_points, self.accuracy_points) >= -100.0 * TOLERANCE
        )


def run_debiasing(
    plan: DebiasingPlan,
    out: Path,
    workers: int = 1,
    reporter: Reporter | None = None,
    fresh_test: str = "",
) -> dict[str, Any]:
    """Do the study, or go on with it, and return what ``results.json`` then holds.

    Parameters
    ----------
    workers
        Trainings at a time, each in a process with one thread; with 1 they are done in this one.
    fresh_test
        Other faces on which all arms are judged too, by name; nothing is chosen on them.

    Raises
    ------
    LatentLabError
        If the folder holds another plan or cannot be written, or a training fails; `Cancelled` on request.
    """
    reporter = reporter or Reporter()
    if workers < 1:
        raise SettingsError(f"At least one training goes on at a time, not {workers}.")
    others = open_fresh(fresh_test, plan.training.image_size, reporter) if fresh_test else None
    _begin(plan, out)
    arms = plan.arms()
    todo = [
        (name, seed)
        for seed in range(plan.seeds)
        for name in arms
        if not is_finished(out / name / f"seed-{seed}", arms[name], seed)
    ]
    for split in ("train", "validation", "test"):  # what is drawn on first use is drawn once, by one process
        open_detection(plan.training.data, split, plan.training.image_size, reporter=reporter)
    started = time.monotonic()
    if workers == 1 or len(todo) < 2:
        _one_by_one(plan, arms, todo, out, reporter)
    else:
        _side_by_side(plan, arms, todo, out, workers, reporter)
    seconds = time.monotonic() - started
    results = judge(plan, out, reporter, fresh=others)
    results["fresh_test"] = fresh_test
    results["trained_now"] = {"trainings": len(todo), "minutes": round(seconds / 60.0, 2), "workers": workers}
    write_whole(out / RESULTS, json.dumps(results, indent=1, allow_nan=False))
    reporter.report(Progress("Writing the report"))
    write_report(plan, results, out, reporter)
    return results


def judge(
    plan: DebiasingPlan,
    out: Path,
    reporter: Reporter | None = None,
    seeds: int | None = None,
    fresh: Detection | None = None,
) -> dict[str, Any]:
    """Judge all arms on all sets, choose the rule on validation, and return the results as plain values.

    ``seeds`` limits it to the first ones, so that a study can be looked at which is not finished.
    """
    reporter = reporter or Reporter()
    tasks: dict[tuple[str, int], Detection] = {} if fresh is None else {(FRESH, 0): fresh}
    arms: dict[str, Any] = {}
    sets = SETS if fresh is None else (*SETS, FRESH)
    for name in plan.arms():
        arms[name] = {}
        thresholds: list[dict[float, float]] = []  # of each seed, by share that passes
        for of in sets:  # validation first: every threshold is of it
            reporter.raise_if_cancelled()
            judged: list[tuple[Decisions, Detection]] = []
            elsewhere: list[dict[float, dict[str, float]]] = []
            for seed in range(plan.seeds if seeds is None else seeds):
                folder = out / name / f"seed-{seed}"
                task = _task(plan, of, seed, tasks)
                found = logits(folder, of, task)
                if of == SETS[0]:
                    thresholds.append({share: threshold_at(found[1], share) for share in PASSING})
                own = float(locate(folder).config.network["threshold"])
                judged.append((judged_at(own, found, task), task))
                elsewhere.append(
                    {share: judged_at(at, found, task).figures() for share, at in thresholds[seed].items()}
                )
            arms[name][of] = _told(judged, elsewhere)
        reporter.report(Progress("Judging the detectors", len(arms), len(plan.arms())))
    best, why = choose({name: values(found["validation"]) for name, found in arms.items()})
    verdicts = {}
    for of in sets:
        baseline, chosen = arms[BASELINE][of], arms[best][of]
        verdict = compare(best, values(baseline), values(chosen), _recalls(baseline))
        verdicts[of] = {**verdict.__dict__, "met": verdict.met, "differences": differences(baseline, chosen)}
    return {
        "plan": plan.plain(),
        "arms": arms,
        "best": best,
        "chosen": why,
        "verdict": verdicts["test"],
        "verdicts": verdicts,
    }


def _told(
    judged: Sequence[tuple[Decisions, Detection]], elsewhere: Sequence[Mapping[float, Mapping[str, float]]]
) -> dict[str, Any]:
    """Return what the results hold of an arm on a set: at its own thresholds, and at those of `PASSING`."""
    metrics, groups = figures_of(judged)
    return {
        "n": [len(judged[0][1].faces), len(judged[0][1].others)],
        "metrics": {key: one.record() for key, one in metrics.items()},
        "groups": {
            group: {key: one.record() for key, one in figures.items()} for group, figures in groups.items()
        },
        "seeds": [figures.every() for figures, _ in judged],
        "thresholds": [{"passing": share, **_mean([one[share] for one in elsewhere])} for share in PASSING],
    }


def _mean(seeds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the means of the figures that all seeds have."""
    names = [name for name in seeds[0] if all(name in one for one in seeds)]
    return {name: float(np.mean([one[name] for one in seeds])) for name in names}


def differences(baseline: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return by how much each figure is higher than the baseline's: mean over seeds, each with its own.

    The two of one seed are trained on the same faces, so that what a seed does to both is taken off.
    """
    pairs = list(zip(baseline["seeds"], chosen["seeds"], strict=True))
    n = sum(baseline["n"])
    return {
        name: mean_over_seeds([after[name] - before[name] for before, after in pairs], n).record()
        for name in (VARIANCE, WORST, "recall", "precision", "accuracy", "false_positive_rate")
        if all(name in figures for pair in pairs for figures in pair)
    }


def logits(folder: Path, of: str, task: Detection) -> tuple[Floats, Floats]:
    """Return a trained detector's logits of a task's faces and others; kept beside its run: it takes seconds.

    Those of a fresh test are not kept, for other faces may be given for it the next time.
    """
    kept, config = folder / "run" / f"logits-{of}.npz", folder / "config.json"
    with suppress(OSError, ValueError, KeyError):
        if of != FRESH and kept.stat().st_mtime_ns >= config.stat().st_mtime_ns:
            with np.load(kept, allow_pickle=False) as found:
                faces, others = found["faces"], found["others"]
            if (len(faces), len(others)) == (len(task.faces), len(task.others)):
                return faces, others
    (detector,) = open_detectors([folder])
    faces, others = detector.logits(task)
    if of != FRESH:
        with whole_file(kept) as part, part.open("wb") as file:
            np.savez(file, faces=faces, others=others)
    return faces, others


def judged_at(threshold: float, found: tuple[Floats, Floats], task: Detection) -> Decisions:
    """Return what a detector decides at a threshold."""
    return Decisions(found[0] > threshold, found[1] > threshold, task.group_rows())


def _task(plan: DebiasingPlan, of: str, seed: int, known: dict[tuple[str, int], Detection]) -> Detection:
    """Return one of `SETS`: the training rows of a seed, or a whole split."""
    key = (of, seed if of == "training" else 0)
    if key not in known:
        asked = plan.training
        known[key] = (
            asked.task(seed) if of == "training" else open_detection(asked.data, of, asked.image_size)
        )
    return known[key]


def choose(validation: Mapping[str, Mapping[str, float]]) -> tuple[str, str]:
    """Return the arm to be preferred, from the figures on validation rows alone, and why, as a sentence.

    Of those whose precision and accuracy are at most `TOLERANCE` below the baseline's it is the one that
    misses least of its worst group; where none is like that, the one with the highest accuracy.
    """
    baseline = validation[BASELINE]
    others = {name: found for name, found in validation.items() if name != BASELINE}
    fair = {
        name: found
        for name, found in others.items()
        if all(found.get(key, 0.0) >= baseline.get(key, 0.0) - TOLERANCE for key in ("precision", "accuracy"))
    }
    points = f"{100 * TOLERANCE:g} point"
    if len(others) == 1:
        (best,) = others
        return best, f"{best} is the only arm beside the baseline, so nothing was chosen."
    if fair:
        best = min(fair, key=lambda name: fair[name].get(WORST, 1.0))
        return best, (
            f"of {len(others)} arms, {len(fair)} had precision and accuracy on the validation rows at most "
            f"{points} below the baseline's, and of these {best} missed least of its worst group there."
        )
    best = max(others, key=lambda name: others[name]["accuracy"])
    return best, (
        f"every one of {len(others)} arms lost more than {points} of precision or accuracy on the validation "
        f"rows, so {best} was taken, whose accuracy was the highest there."
    )


def compare(
    best: str, baseline: Mapping[str, float], found: Mapping[str, float], recalls: Sequence[float]
) -> Verdict:
    """Return how the chosen arm's figures compare with the baseline's."""
    return Verdict(
        best=best,
        baseline_gap_points=100.0 * (max(recalls) - min(recalls)) if recalls else 0.0,
        variance_cut=_cut(baseline.get(VARIANCE, 0.0), found.get(VARIANCE, 0.0)),
        miss_cut=_cut(baseline.get(WORST, 0.0), found.get(WORST, 0.0)),
        precision_points=100.0 * (found.get("precision", 0.0) - baseline.get("precision", 0.0)),
        accuracy_points=100.0 * (found["accuracy"] - baseline["accuracy"]),
    )


def values(found: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures of one arm on one set by name."""
    return {name: float(one["value"]) for name, one in found["metrics"].items()}


def _recalls(found: Mapping[str, Any]) -> list[float]:
    """Return the recalls of the groups between which inequality is measured: the finest ones."""
    return [float(found["groups"][name]["recall"]["value"]) for name in finest(found["groups"])]


def _cut(before: float, after: float) -> float:
    return 1.0 - after / before if before > 0.0 else 0.0


def _begin(plan: DebiasingPlan, out: Path) -> None:
    path = out / PLAN
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / STOP).unlink(missing_ok=True)
        kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (OSError, ValueError) as error:
        raise SettingsError(f"The study's folder {out} cannot be used: {error}.") from None
    if kept is not None and kept != json.loads(json.dumps(plan.plain())):
        raise SettingsError(
            f"{out} holds a debiasing study with another plan ({path}). Give the same options to go on with "
            "it, or another folder."
        )
    write_whole(path, json.dumps(plan.plain(), indent=1))


def _settings(plan: DebiasingPlan, seed: int) -> LoopSettings:
    return LoopSettings(
        batch=plan.batch, seed=seed, ema=EMA, accelerator="cpu", precision="32-true", threads=1
    )


def _one_by_one(
    plan: DebiasingPlan,
    arms: Mapping[str, DetectionTraining],
    todo: Sequence[tuple[str, int]],
    out: Path,
    reporter: Reporter,
) -> None:
    for place, (name, seed) in enumerate(todo):
        part = StagePart(reporter, f"Training {name}, seed {seed}", place, place + 1, len(todo))
        train_detection(arms[name], out / name / f"seed-{seed}", _settings(plan, seed), reporter=part)


class _UntilStopped(Reporter):
    """Hears the wish to stop from a file, in a process of its own."""

    def __init__(self, stop: Path) -> None:
        super().__init__()
        self._stop = stop

    @property
    def cancelled(self) -> bool:
        """Whether the file is there."""
        return self._stop.exists()


def _side_by_side(
    plan: DebiasingPlan,
    arms: Mapping[str, DetectionTraining],
    todo: Sequence[tuple[str, int]],
    out: Path,
    workers: int,
    reporter: Reporter,
) -> None:
    context = multiprocessing.get_context("spawn")
    many = min(workers, len(todo))
    with ProcessPoolExecutor(many, mp_context=context, initializer=begin_worker) as pool:
        waiting: set[Future[str]] = {
            pool.submit(_train_one, plan.plain(), plain(arms[name]), str(out), name, seed)
            for name, seed in todo
        }
        done = 0
        try:
            while waiting:
                reporter.raise_if_cancelled()
                over, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
                for one in over:
                    done += 1
                    reporter.report(Progress(f"Trained {one.result()}", done, len(todo)))
        except BaseException:
            with suppress(OSError):
                (out / STOP).touch()
            for one in waiting:
                one.cancel()
            raise


def _train_one(plan: Mapping[str, Any], asked: Mapping[str, Any], out: str, name: str, seed: int) -> str:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    folder = Path(out)
    with suppress(Cancelled):
        train_detection(
            of_plain(asked),
            folder / name / f"seed-{seed}",
            _settings(DebiasingPlan.of(plan), seed),
            reporter=_UntilStopped(folder / STOP),
        )
        for of in SETS:
            logits(folder / name / f"seed-{seed}", of, _task(DebiasingPlan.of(plan), of, seed, {}))
    return f"{name}, seed {seed}"
