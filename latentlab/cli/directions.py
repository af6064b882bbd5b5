"""``latentlab directions``: find what an attribute is in a latent space, and show it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli.options import AsJson, Model, Threads


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("directions")(directions)


def directions(
    model: Model = "faces-vae",
    data: Annotated[str, typer.Option(help="The labelled set whose latents are looked at.")] = "faces:train",
    attribute: Annotated[list[str] | None, typer.Option(help="An attribute; may be repeated.")] = None,
    components: Annotated[int, typer.Option("--pca", help="Principal directions to find.")] = 0,
    orthogonal: Annotated[
        bool, typer.Option("--orthogonal", help="Make each direction orthogonal to those before it.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Save the directions here, as JSON.")] = None,
    load: Annotated[
        Path | None, typer.Option(help="Show the directions of this file instead of finding some.")
    ] = None,
    sheet: Annotated[Path | None, typer.Option(help="Save a strip along each direction here.")] = None,
    start: Annotated[
        str, typer.Option(help="Where strips set out from: a picture, seed:NUMBER or middle.")
    ] = "middle",
    reach: Annotated[
        float | None, typer.Option(help="How far strips go, in sigma; each direction's own without it.")
    ] = None,
    steps: Annotated[int, typer.Option(help="Pictures of each strip.")] = 7,
    seed: Annotated[int, typer.Option(help="Chooses the rows that test the probes.")] = 0,
    threads: Threads = 1,
    as_json: AsJson = False,
) -> None:
    """Find directions for attributes and principal components, and show what they do.

    Example: latentlab directions --attribute glasses --attribute gender --pca 4 --sheet directions.png
    """
    from latentlab.cli.progress import show_progress
    from latentlab.data.catalog import open_set
    from latentlab.operations.axis_text import model_directions
    from latentlab.operations.direction import save_directions
    from latentlab.operations.explore import Explorer
    from latentlab.operations.find_directions import find_directions
    from latentlab.operations.series import directions_series, start_from

    explorer = Explorer.open(model, threads=threads)
    with show_progress() as reporter:
        if load is None:
            images = open_set(data, explorer.spec.image_size, reporter)
            found = find_directions(explorer, images, attribute or (), components, orthogonal, seed, reporter)
        else:
            found = model_directions(explorer, load)
        if out is not None:
            save_directions(out, found)
        if sheet is not None:
            latent = start_from(explorer, start)
            directions_series(explorer, latent, found.directions, reach, steps, reporter).save_sheet(sheet)
    if as_json:
        print(json.dumps(found.model_dump(mode="json"), indent=1))
        return
    for one in found.directions:
        right = "" if one.accuracy is None else f"  held-out accuracy {100 * one.accuracy:.1f}%"
        print(f"{one.name:24} sigma {one.sigma:.3f}{right}  ({one.origin})")
