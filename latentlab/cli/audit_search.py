"""``latentlab audit search``: whose group survives where a picture is found for a few pixels."""

from __future__ import annotations

from typing import Annotated

import typer

from latentlab.cli.audit_options import Judge, Models, Out, show
from latentlab.cli.options import AsJson, Data, Device, Groups, split_names
from latentlab.cli.search_options import Restarts


def register(group: typer.Typer) -> None:
    """Add the command to the group ``audit``."""
    group.command("search")(search)


def search(
    models: Models,
    data: Data,
    per_group: Annotated[
        int,
        typer.Option(
            help="Images of each group at most. 48 images in all take about a quarter of an hour of one core."
        ),
    ] = 6,
    groups: Groups = None,
    restarts: Restarts = 4,
    steps: Annotated[int, typer.Option(help="Steps of each restart at most.")] = 200,
    eps: Annotated[
        float | None,
        typer.Option(
            help="Mean squared error to reach, for all models and inputs; without it the smallest of the "
            "models' own."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Of the choice of images, exposures, starts, chains and intervals.")
    ] = 0,
    predictor: Judge = None,
    out: Out = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Count whose group is kept where a model finds a picture for a few pixels. This identifies no one.

    Every image is reduced to 8x8 in colour, and to 4x4 luminance under an exposure of its own; each is
    searched for, and its posterior sampled, in each model. Differences are the first model minus the others,
    and search minus sampling.

    Example: latentlab audit search faces-narrow-vae faces-vae --data faces:test --out audit
    """
    from latentlab.audit.runs import run_search
    from latentlab.cli.progress import show_progress

    wanted = split_names(groups)
    with show_progress() as reporter:
        found = run_search(
            models,
            data,
            per_group=per_group,
            groups=None if wanted is None else tuple(wanted),
            restarts=restarts,
            steps=steps,
            eps=eps,
            seed=seed,
            predictor=predictor,
            out=out,
            device=device,
            reporter=reporter,
        )
    show(found, out, as_json)
