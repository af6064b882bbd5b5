"""The debiasing study's figures under the names that every command prints them by."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import latentlab
from latentlab.audit.debiasing_plan import BASELINE, DebiasingPlan
from latentlab.audit.debiasing_report import caveats
from latentlab.checkpoints import locate


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
    metrics: dict[str, Any] = {}
    groups: dict[str, dict[str, Any]] = {}
    for arm, sets in arms.items():
        for of, found in sets.items():
            start = ("" if of == "test" else f"{of}.") + names.get(arm, f"arm.{arm}.")
            metrics |= {start + name: one for name, one in found["metrics"].items()}
            for group, figures in found["groups"].items():
                groups.setdefault(group, {}).update({start + key: one for key, one in figures.items()})
    folders = [out / best / f"seed-{seed}" for seed in range(plan.seeds)]
    return {
        "command": "audit debiasing",
        "version": latentlab.__version__,
        "checkpoint": {
            "path": " ".join(str(folder) for folder in folders),
            "sha256": " ".join(locate(folder).sha256() for folder in folders),
        },
        "data": {"path": f"{plan.training.data}:test", "n": sum(arms[best]["test"]["n"])},
        "seed": 0,
        "device": "cpu",
        "settings": {
            "plan": results["plan"],
            "chosen": best,
            "verdicts": results["verdicts"],
            "fresh_test": results["fresh_test"],
        },
        "metrics": metrics,
        "groups": groups,
        "notes": caveats(plan, results),
    }
