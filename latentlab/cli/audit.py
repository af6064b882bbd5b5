"""``latentlab audit``: what a model does to groups."""

from __future__ import annotations

from typing import Annotated

import typer

from latentlab.cli import (
    audit_conditioning,
    audit_debiasing,
    audit_predictions,
    audit_projection,
    audit_report,
    audit_search,
    audit_training_ratio,
    audit_truncation,
)
from latentlab.cli.audit_options import (
    Attributes,
    Condition,
    Judge,
    Models,
    Out,
    PerGroup,
    Predictions,
    PredictionsConfusion,
    Reference,
    SampleCount,
    SampleSeeds,
    Truncation,
    show,
)
from latentlab.cli.options import AsJson, Checkpoint, Data, Device, Groups, split_names, whole_numbers


def register(app: typer.Typer) -> None:
    """Add the command group ``audit``."""
    group = typer.Typer(help="Audit what a model does to groups.", no_args_is_help=True)
    group.command("generation")(generation)
    group.command("reconstruction")(reconstruction)
    audit_conditioning.register(group)
    audit_truncation.register(group)
    audit_projection.register(group)
    audit_search.register(group)
    audit_debiasing.register(group)
    audit_training_ratio.register(group)
    audit_predictions.register(group)
    audit_report.register(group)
    app.add_typer(group, name="audit")


def generation(
    models: Models,
    n: SampleCount = 2000,
    seeds: SampleSeeds = "0",
    attributes: Attributes = None,
    reference: Reference = "uniform",
    truncation: Truncation = 1.0,
    condition: Condition = "",
    predictor: Judge = None,
    predictions: Predictions = None,
    predictions_confusion: PredictionsConfusion = None,
    out: Out = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Count the attributes of random samples: raw, corrected for the predictor's errors, beside a reference.

    Example: latentlab audit generation faces-vae --n 2000 --reference training --out audit
    """
    from latentlab.audit.runs import run_generation
    from latentlab.cli.progress import show_progress

    chosen = whole_numbers(seeds, "--seeds")
    with show_progress() as reporter:
        found = run_generation(
            models,
            n=n,
            seeds=chosen,
            attributes=split_names(attributes) or (),
            reference=reference,
            truncation=truncation,
            condition=condition,
            predictor=predictor,
            predictions=predictions,
            predictions_confusion=predictions_confusion,
            out=out,
            device=device,
            reporter=reporter,
        )
    show(found, out, as_json)


def reconstruction(
    checkpoint: Checkpoint,
    data: Data,
    per_group: PerGroup = 200,
    groups: Groups = None,
    attributes: Attributes = None,
    seed: Annotated[int, typer.Option(help="Of the choice of images and of the intervals.")] = 0,
    predictor: Judge = None,
    predictions: Predictions = None,
    predictions_confusion: PredictionsConfusion = None,
    out: Out = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Count whose attributes survive reconstruction, on as many images of each group.

    Example: latentlab audit reconstruction faces-vae --data faces:test --out audit
    """
    from latentlab.audit.runs import run_reconstruction
    from latentlab.cli.progress import show_progress

    wanted = split_names(groups)
    with show_progress() as reporter:
        found = run_reconstruction(
            checkpoint,
            data,
            per_group=per_group,
            groups=None if wanted is None else tuple(wanted),
            attributes=split_names(attributes) or (),
            seed=seed,
            predictor=predictor,
            predictions=predictions,
            predictions_confusion=predictions_confusion,
            out=out,
            device=device,
            reporter=reporter,
        )
    show(found, out, as_json)
