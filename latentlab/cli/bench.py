"""``latentlab bench``: how fast it is on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from latentlab.cli.options import AsJson, Device

if TYPE_CHECKING:
    from latentlab.metrics.report import Report

Predictor = Annotated[str | None, typer.Option(help="The attribute predictor; the one that fits by default.")]
Precision = Annotated[
    str | None, typer.Option(help="float32, bfloat16, float16 or int8; chosen by trial by default.")
]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads; chosen by trial.")]


def register(app: typer.Typer) -> None:
    """Add the command group ``bench``."""
    group = typer.Typer(help="Measure how fast things are on this machine.", no_args_is_help=True)
    group.command("live")(live)
    group.command("projection")(projection)
    group.command("search")(search)
    app.add_typer(group, name="bench")


def live(
    model: Annotated[str, typer.Option(help="A model's checkpoint or bundled name.")] = "faces-vae",
    predictor: Predictor = None,
    device: Device = "auto",
    precision: Precision = None,
    threads: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Time the live path: slider to painted picture, the forward pass, a plain script's.

    Run it when nothing else runs. Example: latentlab bench live --json
    """
    from latentlab.cli.progress import show_progress
    from latentlab.live.frames import DeviceOverride
    from latentlab.ui.bench_report import bench_live

    override = DeviceOverride(None if device == "auto" else device, precision, threads)
    with show_progress() as reporter:
        report = bench_live(model, predictor, override, reporter)
    _show(report, as_json)


def projection(
    model: Annotated[str, typer.Argument(help="A cINN's checkpoint or bundled name.")],
    predictor: Predictor = None,
    device: Device = "auto",
    precision: Precision = None,
    threads: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Time one picture's projection onto all datasets, and a painted stroke to its answer.

    Run it when nothing else runs. Example: latentlab bench projection my-cinn --json
    """
    from latentlab.cli.progress import show_progress
    from latentlab.live.bench_projection import bench_projection
    from latentlab.live.frames import DeviceOverride

    override = DeviceOverride(None if device == "auto" else device, precision, threads)
    with show_progress() as reporter:
        report = bench_projection(model, predictor, override, reporter)
    _show(report, as_json)


def search(
    model: Annotated[str, typer.Option(help="A model's checkpoint or bundled name.")] = "faces-vae",
    restarts: Annotated[int, typer.Option(min=1, help="Restarts in one batch.")] = 8,
    factor: Annotated[int, typer.Option(help="What the picture is reduced by.")] = 8,
    device: Device = "auto",
    precision: Annotated[str, typer.Option(help="float32, bfloat16, or auto: the faster one here.")] = "auto",
    threads: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Time a step of a latent search, beside the bare forward and backward pass of the same batch.

    Run it when nothing else runs. Example: latentlab bench search --json
    """
    from latentlab.cli.progress import show_progress
    from latentlab.operations.search_bench import bench_search

    with show_progress() as reporter:
        report = bench_search(
            model,
            restarts=restarts,
            factor=factor,
            device=device,
            precision=precision,
            threads=threads,
            reporter=reporter,
        )
    _show(report, as_json)


def _show(report: Report, as_json: bool) -> None:
    if as_json:
        print(report.json())
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=report.command, title_justify="left")
    for column in ("metric", "value", "", "n"):
        table.add_column(column)
    for row in report.texts():
        table.add_row(*row)
    Console().print(table)
    for note in report.evaluation.notes:
        print(note)
