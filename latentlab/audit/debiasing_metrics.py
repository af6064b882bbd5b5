"""The debiasing study's figures under the names that every command prints them by."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentlab.audit.debiasing_plan import BASELINE, DebiasingPlan
from latentlab.audit.debiasing_report import caveats
from latentlab.checkpoints import locate
from latentlab.metrics.intervals import Estimate
from latentlab.metrics.report import Evaluation, Report


def record_of(plan: DebiasingPlan, results: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """Return what ``audit debiasing --json`` prints.

    Plain names are of the test rows; before those of other sets stands ``validation.``, ``fresh.`` or
    ``training.``, before those of arms that are neither the baseline nor chosen ``arm.NAME.``.

    Raises
    ------
    CheckpointError
        If a checkpoint of the chosen arm cannot be read.
    """
    arms, best = results["arms"], str(results["best"])
    names = {BASELINE: "baseline.", best: "debiased."}
    metrics: dict[str, Estimate] = {}
    groups: dict[str, dict[str, Estimate]] = {}
    for arm, sets in arms.items():
        for of, found in sets.items():
            start = ("" if of == "test" else f"{of}.") + names.get(arm, f"arm.{arm}.")
            metrics |= {start + name: Estimate(**one) for name, one in found["metrics"].items()}
            for group, figures in found["groups"].items():
                groups.setdefault(group, {}).update(
                    {start + key: Estimate(**one) for key, one in figures.items()}
                )
    folders = [out / best / f"seed-{seed}" for seed in range(plan.seeds)]
    settings = {
        "plan": results["plan"],
        "chosen": best,
        "verdicts": results["verdicts"],
        "fresh_test": results["fresh_test"],
    }
    return Report(
        "audit debiasing",
        " ".join(str(folder) for folder in folders),
        " ".join(locate(folder).sha256() for folder in folders),
        f"{plan.training.data}:test",
        sum(arms[best]["test"]["n"]),
        0,
        "cpu",
        Evaluation(metrics, groups, settings, tuple(caveats(plan, results))),
    ).record()
