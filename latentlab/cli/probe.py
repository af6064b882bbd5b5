"""``latentlab probe``: how probable an attribute becomes along a dimension or direction."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli.options import AsJson, Condition, Model, Predictor, Table, Threads


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("probe")(probe)


def probe(
    start: Annotated[
        str, typer.Argument(help="A picture, a copied latent (.json), seed:NUMBER or middle.")
    ] = "middle",
    model: Model = "faces-vae",
    axis: Annotated[
        list[str] | None,
        typer.Option(
            help="A dimension's number, FILE.json:NAME for a direction, or scale:gender=female for the scale "
            "of a class; may be repeated."
        ),
    ] = None,
    lock: Annotated[
        list[int] | None,
        typer.Option(help="A dimension that directions leave as it is, counted from 0; may be repeated."),
    ] = None,
    attribute: Annotated[
        list[str] | None, typer.Option(help="Such as glasses or glasses=yes; all without it.")
    ] = None,
    data: Annotated[
        str, typer.Option(help="The set whose images the mean is taken of; random draws without it.")
    ] = "",
    count: Annotated[int, typer.Option(min=0, help="Latents of the mean; 0 for none.")] = 200,
    seed: Annotated[int, typer.Option(help="Chooses the latents of the mean.")] = 0,
    condition: Condition = "",
    picture: Annotated[Path | None, typer.Option(help="Save the curves as a picture here.")] = None,
    table: Table = None,
    predictor: Predictor = None,
    threads: Threads = 1,
    as_json: AsJson = False,
) -> None:
    """Show how an attribute's predicted probability changes along an axis, for one face and on average.

    Example: latentlab probe seed:3 --axis 55 --attribute glasses --picture probe.png --table probe.csv
    """
    from latentlab.cli.progress import show_progress
    from latentlab.data.catalog import open_set
    from latentlab.operations.axis_text import probed_from
    from latentlab.operations.explore import Explorer
    from latentlab.operations.latents import ranking
    from latentlab.operations.probe_axes import probe_axes
    from latentlab.operations.series import start_under

    explorer = Explorer.open(model, "" if predictor == "none" else predictor, threads=threads)
    axes = [probed_from(explorer, text) for text in axis or [str(int(ranking(explorer.spec)[0]))]]
    begin = start_under(explorer, start, condition)
    with show_progress() as reporter:
        images = open_set(data, explorer.spec.image_size, reporter) if data and count else None
        found = probe_axes(
            explorer,
            begin.latent,
            axes,
            attribute or (),
            images,
            count,
            seed,
            reporter,
            lock or (),
            begin.condition,
        )
    if picture is not None:
        found.save_picture(picture, start)
    if table is not None:
        found.save_table(table)
    if as_json:
        settings = {"axes": axis, "locked": lock or [], "attributes": attribute, "data": data, "count": count}
        print(json.dumps(found.record(start, settings), indent=1))
    else:
        print(found.text())
