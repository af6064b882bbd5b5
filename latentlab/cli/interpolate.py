"""``latentlab interpolate``: the way from one face to the next, as a strip or a loop."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from latentlab.cli.options import (
    AsJson,
    Condition,
    Enlarge,
    Fps,
    Loop,
    Model,
    Predictor,
    Sheet,
    Table,
    Threads,
    condition_setting,
)

if TYPE_CHECKING:
    from latentlab.operations.interpolate import Kind


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("interpolate")(interpolate)


def interpolate(
    pins: Annotated[
        list[str],
        typer.Argument(help="Two or more pictures, copied latents (.json) or seed:NUMBER, in order."),
    ],
    model: Model = "faces-vae",
    steps: Annotated[int, typer.Option(help="Pictures from one pin up to the next.")] = 16,
    kind: Annotated[str, typer.Option(help="spherical or linear.")] = "spherical",
    closed: Annotated[bool, typer.Option("--closed", help="Go back to the first, so that it loops.")] = False,
    out: Sheet = None,
    loop: Loop = None,
    fps: Fps = 12.0,
    enlarge: Enlarge = None,
    condition: Condition = "",
    table: Table = None,
    predictor: Predictor = None,
    threads: Threads = 1,
    as_json: AsJson = False,
) -> None:
    """Go from one face to the next through the latent space.

    A conditional model goes evenly from one pin's condition to the next. With --condition it draws the whole
    path under one: the first pin's, and what is chosen.

    Example: latentlab interpolate a.png b.png seed:3 --closed --loop faces.gif --enlarge 4
    """
    import numpy as np

    from latentlab.cli.progress import show_progress
    from latentlab.operations.explore import Explorer
    from latentlab.operations.series import interpolation, start_under

    explorer = Explorer.open(model, "" if predictor == "none" else predictor, threads=threads)
    starts = [start_under(explorer, pin, condition) for pin in pins]
    told = [start.condition for start in starts if start.condition is not None]
    under = None if not told else told[0] if condition else np.stack(told)
    with show_progress() as reporter:
        latents = [start.latent for start in starts]
        found = interpolation(explorer, latents, steps, cast("Kind", kind), closed, reporter, under)
    if out is not None:
        found.save_sheet(out)
    if loop is not None:
        found.save_loop(loop, fps, enlarge, back=not closed)
    if table is not None:
        found.save_table(table)
    if as_json:
        settings: dict[str, Any] = {"steps": steps, "kind": kind, "closed": closed}
        if condition:
            settings |= condition_setting(under)
        elif found.conditions is not None:
            settings["conditions"] = found.conditions.tolist()
        print(json.dumps(found.record("interpolate", pins, settings), indent=1))
    else:
        print(f"{len(found.pictures)} pictures through {len(pins)} pins, {kind}")
        if out is None and loop is None and table is None:
            print("Nothing was saved; give --out FILE, --loop FILE or --table FILE.")
