"""``latentlab project``: pictures as other datasets would have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli.options import AsJson, Mode, Predictor, Threads, share_of_keep, split_names


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("project")(project)


def project(
    checkpoint: Annotated[str, typer.Argument(help="A cINN's folder or file, or a bundled name.")],
    images: Annotated[list[Path], typer.Argument(help="Pictures, or folders of pictures.")],
    out: Annotated[Path, typer.Option(help="Folder for the figures and tables; what is done stays.")],
    source: Annotated[
        str, typer.Option("--from", help="The pictures' dataset; auto guesses it for each.")
    ] = "auto",
    onto: Annotated[str, typer.Option("--to", help="Datasets to project onto, by commas, or all.")] = "all",
    mode: Mode = "keep",
    predictor: Predictor = None,
    threads: Threads = 1,
    as_json: AsJson = False,
) -> None:
    """Project pictures onto other datasets; a folder that was interrupted goes on where it stopped.

    OUT gets a figure for each picture (NAME.png), projections.csv with what the predictor sees in each, and
    shifts.csv: what each dataset does to the shares of the classes, with intervals.

    Example: latentlab project my-cinn face.png --to lorelei,pixel-art --out projected

    Example: latentlab project my-cinn portraits/ --mode follow --out followed
    """
    from latentlab.cli.progress import show_progress
    from latentlab.operations.explore import Explorer
    from latentlab.operations.many_pictures import list_images
    from latentlab.operations.project_many import project_many

    explorer = Explorer.open(checkpoint, "" if predictor == "none" else predictor, threads=threads)
    chosen = None if onto == "all" else split_names(onto)
    with show_progress() as reporter:
        found = project_many(
            explorer,
            list_images(images),
            out,
            source=source,
            onto=chosen,
            keep=share_of_keep(mode),
            reporter=reporter,
        )
    print(json.dumps(found.record(), indent=1) if as_json else found.text())
