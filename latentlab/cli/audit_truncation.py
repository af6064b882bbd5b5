"""``latentlab audit truncation``: what becomes of minorities nearer to the mean."""

from __future__ import annotations

from typing import Annotated

import typer

from latentlab.cli.audit_options import Attributes, Condition, Judge, Out, Reference, SampleSeeds, show
from latentlab.cli.options import AsJson, Checkpoint, Device, numbers, split_names, whole_numbers


def register(group: typer.Typer) -> None:
    """Add the command to the group ``audit``."""
    group.command("truncation")(truncation)


def truncation(
    checkpoint: Checkpoint,
    truncations: Annotated[
        str, typer.Option(help="What every drawn z is multiplied by, by commas, above 0 and up to 1.")
    ] = "1,0.7,0.5",
    n: Annotated[int, typer.Option("--n", help="Samples of each truncation and seed.")] = 2000,
    seeds: SampleSeeds = "0",
    attributes: Attributes = None,
    reference: Reference = "uniform",
    condition: Condition = "",
    predictor: Judge = None,
    out: Out = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Count the attributes of random samples at several truncations of the prior, and compare them with 1.

    Example: latentlab audit truncation faces-vae --truncations 1,0.7,0.5 --reference training --out audit
    """
    from latentlab.audit.runs import run_truncation
    from latentlab.cli.progress import show_progress

    chosen = whole_numbers(seeds, "--seeds")
    factors = numbers(truncations, "--truncations")
    with show_progress() as reporter:
        found = run_truncation(
            checkpoint,
            truncations=factors,
            n=n,
            seeds=chosen,
            attributes=split_names(attributes) or (),
            reference=reference,
            condition=condition,
            predictor=predictor,
            out=out,
            device=device,
            reporter=reporter,
        )
    show(found, out, as_json)
