"""``latentlab directions``: find what an attribute is in a latent space, and show it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli.options import AsJson, Condition, Model, Predictor, Threads


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
    begin: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            help="Where a direction of your own begins: a picture, a copied latent (.json), seed:NUMBER, "
            "middle, or SESSION.json:NAME for a pin or group; several are taken by their mean.",
        ),
    ] = None,
    end: Annotated[list[str] | None, typer.Option("--to", help="Where it ends, likewise.")] = None,
    name: Annotated[str, typer.Option(help="What the direction from --from to --to is called.")] = "",
    out: Annotated[Path | None, typer.Option(help="Save the directions here, as JSON.")] = None,
    load: Annotated[
        Path | None, typer.Option(help="Show the directions of this file instead of finding some.")
    ] = None,
    sheet: Annotated[Path | None, typer.Option(help="Save a strip along each direction here.")] = None,
    start: Annotated[str, typer.Option(help="Where strips set out from, as --from.")] = "middle",
    reach: Annotated[
        float | None, typer.Option(help="How far strips go, in sigma; each direction's own without it.")
    ] = None,
    steps: Annotated[int, typer.Option(help="Pictures of each strip.")] = 7,
    condition: Condition = "",
    seed: Annotated[int, typer.Option(help="Chooses the rows that test the probes.")] = 0,
    predictor: Predictor = None,
    threads: Threads = 1,
    as_json: AsJson = False,
) -> None:
    """Find directions: of attributes, of principal components, between faces of your own; show what they do.

    A conditional model draws strips under the condition of where they set out from, and what is chosen.

    Example: latentlab directions --attribute glasses --attribute gender --pca 4 --sheet directions.png

    Example: latentlab directions --from a.png --to smiling.json:Smile --name smile --out smile.json
    """
    from latentlab.cli.progress import show_progress
    from latentlab.data.catalog import open_set
    from latentlab.operations.axis_text import model_directions
    from latentlab.operations.direction import Directions, save_directions
    from latentlab.operations.explore import Explorer
    from latentlab.operations.find_directions import find_directions
    from latentlab.operations.series import directions_series
    from latentlab.session.session_places import direction_between, start_at

    explorer = Explorer.open(model, "" if predictor == "none" else predictor, threads=threads)
    # Before the work, so that what cannot be drawn is said at once.
    setting_out = None if sheet is None else start_at(explorer, start, condition)
    with show_progress() as reporter:
        given = [direction_between(explorer, begin or (), end or (), name)] if begin or end else []
        if load is not None:
            found = model_directions(explorer, load)
        elif given and not (attribute or components or orthogonal):
            located = explorer.located
            found = Directions(model=located.name, sha256=located.sha256(), directions=tuple(given))
        else:
            images = open_set(data, explorer.spec.image_size, reporter)
            found = find_directions(
                explorer, images, attribute or (), components, orthogonal, seed, reporter, given
            )
        if out is not None:
            save_directions(out, found)
        if sheet is not None and setting_out is not None:
            latent, under = setting_out.latent, setting_out.condition
            strips = directions_series(explorer, latent, found.directions, reach, steps, reporter, under)
            strips.save_sheet(sheet)
    if as_json:
        print(json.dumps(found.model_dump(mode="json"), indent=1))
        return
    for one in found.directions:
        right = "" if one.accuracy is None else f"  held-out accuracy {100 * one.accuracy:.1f}%"
        print(f"{one.name:24} sigma {one.sigma:.3f}{right}  ({one.origin})")
