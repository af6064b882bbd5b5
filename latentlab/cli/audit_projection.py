"""``latentlab audit projection``: what dataset projection does to people."""

from __future__ import annotations

from typing import Annotated

import typer

from latentlab.cli.audit_options import Attributes, Judge, Out, show
from latentlab.cli.options import AsJson, Checkpoint, split_names


def register(group: typer.Typer) -> None:
    """Add the command to the group ``audit``."""
    group.command("projection")(projection)


def projection(
    checkpoint: Checkpoint,
    data: Annotated[
        str, typer.Option("--data", help="Images: faces:test, avatars:test, a set's folder, or any folder.")
    ],
    onto: Annotated[str, typer.Option("--to", help="Datasets to project onto, by commas, or all.")] = "all",
    source: Annotated[
        str,
        typer.Option("--from", help="The images' dataset; auto takes what their labels say, or guesses it."),
    ] = "auto",
    n: Annotated[int, typer.Option("--n", help="Images at most; of more, so many are chosen.")] = 512,
    groups: Annotated[
        str | None,
        typer.Option(
            help="Attributes whose intersections are the groups, by commas; the set's usual ones by default."
        ),
    ] = None,
    attributes: Attributes = None,
    seed: Annotated[int, typer.Option(help="Of the choice of images and of the intervals.")] = 0,
    predictor: Judge = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Project images onto datasets in both modes, and split what shifts into composition and style.

    Example: latentlab audit projection faces-triple-cinn --data faces:test --out audit
    """
    from latentlab.audit.runs import run_projection
    from latentlab.cli.progress import show_progress

    with show_progress() as reporter:
        found = run_projection(
            checkpoint,
            data,
            onto=() if onto == "all" else split_names(onto) or (),
            source=source,
            n=n,
            groups=split_names(groups),
            attributes=split_names(attributes) or (),
            seed=seed,
            predictor=predictor,
            out=out,
            reporter=reporter,
        )
    show(found, out, as_json)
