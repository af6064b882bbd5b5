"""``latentlab audit training-ratio``: the samples of models trained on several shares of a class."""

from __future__ import annotations

from typing import Annotated

import typer

from latentlab.cli.audit_options import Attributes, Out, show
from latentlab.cli.options import AsJson, Device, numbers, split_names, whole_numbers


def register(group: typer.Typer) -> None:
    """Add the command to the group ``audit``."""
    group.command("training-ratio")(training_ratio)


def training_ratio(
    data: Annotated[
        str, typer.Option("--data", help="Labelled images to train on: faces:train, a set's folder, ...")
    ] = "faces:train",
    attribute: Annotated[
        str, typer.Option(help="The attribute of two classes whose share in training is varied.")
    ] = "gender",
    ratios: Annotated[
        str, typer.Option(help="Shares of its first class in training, by commas, between 0 and 1.")
    ] = "0.52,0.5,0.4",
    seeds: Annotated[str, typer.Option(help="Of the trainings at each ratio, by commas.")] = "0,1,2",
    n: Annotated[int, typer.Option("--n", help="Samples of each model.")] = 2000,
    attributes: Attributes = None,
    steps: Annotated[int, typer.Option(help="Optimiser steps of each training.")] = 1500,
    image_size: Annotated[int, typer.Option(help="Height and width of the pictures in pixels.")] = 32,
    latent: Annotated[int, typer.Option(help="Entries of the latent.")] = 16,
    predictor: Annotated[
        str | None, typer.Option(help="The judging attribute predictor; the set's usual one by default.")
    ] = None,
    out: Out = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Train the same small model at several ratios and seeds, and count what the samples of each show.

    Example: latentlab audit training-ratio --ratios 0.52,0.5,0.4 --seeds 0,1,2 --out audit
    """
    from latentlab.audit.runs import run_training_ratio
    from latentlab.cli.progress import show_progress

    chosen = whole_numbers(seeds, "--seeds")
    with show_progress() as reporter:
        found = run_training_ratio(
            data,
            attribute=attribute,
            ratios=numbers(ratios, "--ratios"),
            seeds=chosen,
            n=n,
            attributes=split_names(attributes) or (),
            steps=steps,
            image_size=image_size,
            latent=latent,
            predictor=predictor,
            out=out,
            device=device,
            reporter=reporter,
        )
    show(found, out, as_json)
