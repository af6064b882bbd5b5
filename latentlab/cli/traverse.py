"""``latentlab traverse``: what latent dimensions do, as strips, a plane or a loop."""

from __future__ import annotations

import json
from typing import Annotated, Any

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


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("traverse")(traverse)


def traverse(
    start: Annotated[
        str, typer.Argument(help="A picture to set out from, a copied latent (.json), seed:NUMBER or middle.")
    ] = "middle",
    model: Model = "faces-vae",
    dimension: Annotated[
        list[int] | None,
        typer.Option(
            help="One gives a strip, two a plane, more give strips; by default the eight that do most."
        ),
    ] = None,
    axis: Annotated[
        list[str] | None,
        typer.Option(help="Likewise: a dimension's number, or FILE.json:NAME for a direction."),
    ] = None,
    reach: Annotated[
        float | None, typer.Option(help="How far directions go, in sigma; each one's own without it.")
    ] = None,
    lock: Annotated[
        list[int] | None,
        typer.Option(help="A dimension that directions leave as it is, counted from 0; may be repeated."),
    ] = None,
    low: Annotated[
        float | None, typer.Option("--from", help="First value; by default 3 sigma below.")
    ] = None,
    high: Annotated[float | None, typer.Option("--to", help="Last value; by default 3 sigma above.")] = None,
    rank: Annotated[
        str, typer.Option(help="What doing most means: kl (information) or change (of this picture).")
    ] = "kl",
    steps: Annotated[int, typer.Option(help="Values of each dimension.")] = 9,
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
    """Move latent dimensions and directions through their range and show what they do.

    Example: latentlab traverse face.png --dimension 55 --dimension 56 --steps 7 --out plane.png

    Example: latentlab traverse face.png --axis smile.json:smile --axis 55 --out plane.png
    """
    from latentlab.cli.progress import show_progress
    from latentlab.operations.axis_text import axis_from
    from latentlab.operations.explore import Explorer
    from latentlab.operations.series import start_under, traversal

    explorer = Explorer.open(model, "" if predictor == "none" else predictor, threads=threads)
    begin = start_under(explorer, start, condition)
    axes = [*(dimension or ()), *(axis_from(explorer, text) for text in axis or ())]
    with show_progress() as reporter:
        found = traversal(
            explorer,
            begin.latent,
            axes,
            low,
            high,
            steps,
            reporter,
            rank,
            begin.condition,
            reach,
            lock or (),
        )
    if out is not None:
        found.save_sheet(out)
    if loop is not None:
        found.save_loop(loop, fps, enlarge, back=True)
    if table is not None:
        found.save_table(table)
    if as_json:
        settings: dict[str, Any] = {"dimensions": dimension or [], "axes": axis or [], "locked": lock or []}
        settings |= {"from": low, "to": high, "reach": reach, "steps": steps, "rank": rank}
        settings |= condition_setting(begin.condition)
        print(json.dumps(found.record("traverse", [start], settings), indent=1))
    else:
        print(f"{len(found.pictures)} pictures, {found.columns} in a row")
        if out is None and loop is None and table is None:
            print("Nothing was saved; give --out FILE, --loop FILE or --table FILE.")
