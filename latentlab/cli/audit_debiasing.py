"""``latentlab audit debiasing``: the whole study of debiasing by adaptive resampling, in one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli.options import AsJson, numbers, split_names


def register(group: typer.Typer) -> None:
    """Add the command to the group ``audit``."""
    group.command("debiasing")(debiasing)


def debiasing(
    out: Annotated[
        Path, typer.Option("--out", help="Folder of the study; a study that was stopped goes on.")
    ],
    lesson: Annotated[
        bool, typer.Option("--lesson", help="A short one: one seed, 4 epochs, the max rule beside ours.")
    ] = False,
    seeds: Annotated[int | None, typer.Option(min=1, help="Seeds of each rule; 5 by default.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs of each training; 8 by default.")] = None,
    rules: Annotated[
        str | None, typer.Option(help="Rules by commas, each at every smoothing factor: max,informative.")
    ] = None,
    smoothing: Annotated[str, typer.Option(help="Smoothing factors by commas.")] = "0.1,0.01,0.001",
    data: Annotated[str, typer.Option(help="Set of faces, without its split.")] = "faces",
    ratio: Annotated[
        list[str] | None,
        typer.Option(help="Shares of the faces trained on. Repeatable; 90% light, 80% male by default."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Trainings at a time, one thread each.")] = 2,
    fresh_test: Annotated[
        str,
        typer.Option(
            help="Other faces with gender and race, by name or folder, on which all arms are judged too; "
            "masks are made of them."
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Train a baseline and DB-VAEs of several rules and seeds, and compare them on balanced test faces.

    Rule and threshold are chosen on validation rows, whose figures are told too. The folder gets all
    checkpoints, results.json and report.html; run the same command again to go on.

    Example: latentlab audit debiasing --out debiasing --workers 2

    Example: latentlab audit debiasing --out lesson --lesson
    """
    import json
    from dataclasses import replace

    from latentlab.audit import debiasing_plan
    from latentlab.audit.debiasing_metrics import record_of
    from latentlab.audit.debiasing_report import SETS
    from latentlab.audit.debiasing_study import run_debiasing
    from latentlab.cli.progress import show_progress

    plan = debiasing_plan.lesson() if lesson else debiasing_plan.DebiasingPlan()
    training = replace(plan.training, data=data)
    if epochs is not None:
        training = replace(training, epochs=epochs)
    if ratio is not None:
        training = replace(training, bias=tuple(ratio))
    pairs = plan.rules
    if rules is not None:
        alphas = numbers(smoothing, "--smoothing")
        pairs = tuple((rule, alpha) for rule in split_names(rules) or () for alpha in alphas)  # type: ignore[misc]
    plan = replace(plan, training=training, rules=pairs, seeds=plan.seeds if seeds is None else seeds)
    with show_progress() as reporter:
        results = run_debiasing(plan, out, workers, reporter, fresh_test)
    if as_json:
        print(json.dumps(record_of(plan, results, out), indent=1, allow_nan=False))
        return
    print(f"Chosen on the validation rows: {results['chosen']}")
    for of, verdict in results["verdicts"].items():
        print(
            f"On the {SETS[of]} the baseline's gap is {verdict['baseline_gap_points']:.1f} points; "
            f"variance over groups {-100 * verdict['variance_cut']:+.0f}%, "
            f"worst group's misses {-100 * verdict['miss_cut']:+.0f}%, "
            f"precision {verdict['precision_points']:+.1f}, "
            f"accuracy {verdict['accuracy_points']:+.1f} points."
        )
    print(f"Written to {out}: report.html says what this does not show.")
