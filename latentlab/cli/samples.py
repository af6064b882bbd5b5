"""``latentlab samples``: the same z on every dataset of a cINN, blends of datasets, ways between z."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from latentlab.cli.options import (
    AsJson,
    Enlarge,
    Fps,
    Loop,
    Mode,
    Predictor,
    Sheet,
    Threads,
    share_of_keep,
    split_names,
)
from latentlab.errors import SettingsError

if TYPE_CHECKING:
    from latentlab.operations.interpolate import Kind


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("samples")(samples)


def samples(
    checkpoint: Annotated[str, typer.Argument(help="A cINN's folder or file, or a bundled name.")],
    rows: Annotated[int, typer.Option(min=1, help="How many z are drawn: by seeds one after the other.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    truncation: Annotated[float, typer.Option(help="What every drawn z is multiplied by, 0 to 1.")] = 1.0,
    picture: Annotated[
        Path | None, typer.Option("--input", help="A picture, whose z is the first row.")
    ] = None,
    source: Annotated[str, typer.Option("--from", help="The picture's dataset; auto guesses it.")] = "auto",
    onto: Annotated[str, typer.Option("--to", help="Datasets, by commas, or all.")] = "all",
    mode: Mode = "keep",
    blend: Annotated[
        str, typer.Option(help="Two datasets, A:B, or A:B:0.3 with the share of B: a further column.")
    ] = "",
    way: Annotated[
        str, typer.Option(help="Two rows, counted from 1, such as 1:3: the way from one z to the other.")
    ] = "",
    on: Annotated[str, typer.Option(help="The dataset of the way; the first without it.")] = "",
    steps: Annotated[int, typer.Option(help="Pictures of the way, with both ends.")] = 24,
    kind: Annotated[str, typer.Option(help="How the way goes: spherical or linear.")] = "spherical",
    row: Annotated[int, typer.Option(min=1, help="Whose blends the strip shows, counted from 1.")] = 1,
    out: Sheet = None,
    table: Annotated[
        Path | None, typer.Option(help="Save seeds, datasets, |z| and predicted attributes here, as CSV.")
    ] = None,
    strip: Annotated[
        Path | None, typer.Option(help="Save the pictures of --way, else of --blend, here as one.")
    ] = None,
    loop: Loop = None,
    fps: Fps = 12.0,
    enlarge: Enlarge = None,
    predictor: Predictor = None,
    threads: Threads = 1,
    as_json: AsJson = False,
) -> None:
    """Draw the same z on every dataset that a cINN knows: one z a row, one dataset a column.

    A strip or a loop shows either the way from one row's z to another's on one dataset (--way), or one row
    from a dataset to another (--blend).

    Example: latentlab samples my-cinn --rows 8 --truncation 0.7 --out sheet.png --table samples.csv

    Example: latentlab samples my-cinn --blend lorelei:pixel-art --row 2 --strip blend.png

    Example: latentlab samples my-cinn --input face.png --way 1:3 --on lorelei --loop way.gif
    """
    import numpy as np

    from latentlab.cli.progress import show_progress
    from latentlab.data.pictures import read_picture
    from latentlab.operations.explore import Explorer
    from latentlab.operations.project import datasets_of
    from latentlab.operations.sample_figure import sample_figure, sample_rows
    from latentlab.operations.sample_grid import (
        blend_series,
        chosen_pair,
        input_sample,
        sample_grid,
        way_series,
    )
    from latentlab.operations.sample_plan import Blend, draw_samples

    if (strip is not None or loop is not None) and not (way or blend):
        raise SettingsError("A strip or a loop needs --way 1:2 or --blend A:B.")
    explorer = Explorer.open(checkpoint, "" if predictor == "none" else predictor, threads=threads)
    known, keep = datasets_of(explorer), share_of_keep(mode)
    chosen = None if onto == "all" else split_names(onto)
    pair = chosen_pair(explorer, blend) if blend else None
    drawn = draw_samples(explorer.spec, range(seed, seed + rows), truncation)
    if picture is not None:
        seen = read_picture(picture).pixels
        drawn = (input_sample(explorer, seen, source=source, keep=keep, name=picture.name), *drawn)
    ends = [] if not way else [drawn[place] for place in _rows(way, len(drawn))]
    if row > len(drawn):
        raise SettingsError(f"There is no row {row}; there are {len(drawn)}.")
    mixed = None if pair is None else Blend(pair[0], pair[1], 0.5 if pair[2] is None else pair[2])
    with show_progress() as reporter:
        grid = sample_grid(explorer, drawn, onto=chosen, keep=keep, blend=mixed, reporter=reporter)
        if strip is not None or loop is not None:
            if ends:
                series = way_series(
                    explorer,
                    ends[0],
                    ends[1],
                    on or known[0],
                    steps=steps,
                    kind=cast("Kind", kind),
                    keep=keep,
                    reporter=reporter,
                )
            else:
                assert mixed is not None
                series = blend_series(
                    explorer, drawn[row - 1], mixed.first, mixed.second, keep=keep, reporter=reporter
                )
            if strip is not None:
                series.save_sheet(strip)
            if loop is not None:
                series.save_loop(loop, fps, enlarge, back=True)
    if out is not None:
        from latentlab.data.contact_sheet import save_sheet

        save_sheet(out, np.array(sample_figure(grid)))
    if table is not None:
        from latentlab.operations.row_table import save_rows

        save_rows(table, sample_rows(grid))
    if as_json:
        print(json.dumps(grid.record(), indent=1))
        return
    columns = ", ".join(column.name for column in grid.plan.columns)
    print(f"{len(grid.plan.samples)} rows of one z each, on {columns}")
    if out is None and table is None and strip is None and loop is None:
        print("Nothing was saved; give --out FILE, --table FILE, --strip FILE or --loop FILE.")


def _rows(way: str, count: int) -> tuple[int, int]:
    """Return the two rows of a way, counted from 0."""
    first, _, second = way.partition(":")
    if not (first.isdigit() and second.isdigit()):
        raise SettingsError(f"{way!r} names no two rows; write 1:3, for example.")
    found = int(first) - 1, int(second) - 1
    for place in found:
        if not 0 <= place < count:
            raise SettingsError(f"There is no row {place + 1}; there are {count}.")
    return found
