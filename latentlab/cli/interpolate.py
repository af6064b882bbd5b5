"""``latentlab interpolate``: the way from one face to the next, as a strip or a loop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from latentlab.operations.interpolate import Kind


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("interpolate")(interpolate)


def interpolate(
    pins: Annotated[
        list[str], typer.Argument(help="Two or more pictures, or seed:NUMBER for random latents, in order.")
    ],
    model: Annotated[str, typer.Option(help="A model's folder or file, or a bundled name.")] = "faces-vae",
    steps: Annotated[int, typer.Option(help="Pictures from one pin up to the next.")] = 16,
    kind: Annotated[str, typer.Option(help="spherical or linear.")] = "spherical",
    closed: Annotated[bool, typer.Option("--closed", help="Go back to the first, so that it loops.")] = False,
    out: Annotated[Path | None, typer.Option(help="Save all pictures here as one.")] = None,
    loop: Annotated[
        Path | None, typer.Option(help="Save a loop (.gif, .webp or .png), to and fro unless --closed.")
    ] = None,
    fps: Annotated[float, typer.Option(help="Pictures a second of the loop.")] = 12.0,
    enlarge: Annotated[int, typer.Option(help="How many times larger the loop's pictures become.")] = 4,
    table: Annotated[Path | None, typer.Option(help="Save the predicted attributes here, as CSV.")] = None,
    predictor: Annotated[
        str | None, typer.Option(help="An attribute predictor; the model's own by default, none for none.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads; the result is repeatable for one count.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Go from one face to the next through the latent space.

    Example: latentlab interpolate a.png b.png seed:3 --closed --loop faces.gif --enlarge 4
    """
    from latentlab.cli.progress import show_progress
    from latentlab.operations.explore import Explorer
    from latentlab.operations.series import interpolation, start_from

    explorer = Explorer.open(model, "" if predictor == "none" else predictor, threads=threads)
    latents = [start_from(explorer, pin) for pin in pins]
    with show_progress() as reporter:
        found = interpolation(explorer, latents, steps, cast("Kind", kind), closed, reporter)
    if out is not None:
        found.save_sheet(out)
    if loop is not None:
        found.save_loop(loop, fps, enlarge, back=not closed)
    if table is not None:
        found.save_table(table)
    if as_json:
        settings = {"steps": steps, "kind": kind, "closed": closed}
        print(json.dumps(found.record("interpolate", pins, settings), indent=1))
    else:
        print(f"{len(found.pictures)} pictures through {len(pins)} pins, {kind}")
