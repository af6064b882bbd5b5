"""``latentlab evaluate``: measure a checkpoint on labelled images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from latentlab.cli.evaluate_search import register_search
from latentlab.cli.options import AsJson, Checkpoint, Data, Device, Figures, Groups, split_names

if TYPE_CHECKING:
    from latentlab.metrics.report import Report

Seed = Annotated[int, typer.Option(help="Of the samples and of the bootstrapped intervals.")]


def register(app: typer.Typer) -> None:
    """Add the command group ``evaluate``."""
    group = typer.Typer(help="Measure a checkpoint on labelled images.", no_args_is_help=True)
    group.command("classifier")(classifier)
    group.command("reconstruction")(reconstruction)
    group.command("counterfactual")(counterfactual)
    group.command("projection")(projection)
    group.command("detection")(detection)
    register_search(group)
    app.add_typer(group, name="evaluate")


def classifier(
    checkpoint: Checkpoint,
    data: Data,
    groups: Groups = None,
    seed: Seed = 0,
    device: Device = "auto",
    as_json: AsJson = False,
    table: Figures = None,
) -> None:
    """Accuracy and calibration error of an attribute predictor, overall and by group.

    Example: latentlab evaluate classifier faces-attributes --data faces:test
    """
    from latentlab.cli.progress import show_progress
    from latentlab.metrics.report import check_place
    from latentlab.metrics.runs import run_classifier

    check_place(table)
    with show_progress() as reporter:
        report = run_classifier(
            checkpoint, data, seed=seed, device=device, groups=split_names(groups), reporter=reporter
        )
    show(report, as_json, table)


def reconstruction(
    checkpoint: Checkpoint,
    data: Data,
    predictor: Annotated[
        str | None, typer.Option(help="The judging attribute predictor; the model's own by default.")
    ] = None,
    samples: Annotated[int, typer.Option(help="Pictures drawn for frechet_sample.")] = 2048,
    groups: Groups = None,
    seed: Seed = 0,
    device: Device = "auto",
    as_json: AsJson = False,
    table: Figures = None,
) -> None:
    """Error of a model's reconstructions, attributes that survive them, and Frechet distances.

    Example: latentlab evaluate reconstruction faces-vae --data faces:test
    """
    from latentlab.cli.progress import show_progress
    from latentlab.metrics.report import check_place
    from latentlab.metrics.runs import run_reconstruction

    check_place(table)
    with show_progress() as reporter:
        report = run_reconstruction(
            checkpoint,
            data,
            predictor=predictor,
            samples=samples,
            seed=seed,
            device=device,
            groups=split_names(groups),
            reporter=reporter,
        )
    show(report, as_json, table)


def counterfactual(
    checkpoint: Checkpoint,
    data: Data,
    predictor: Annotated[
        str | None, typer.Option(help="The judging attribute predictor; the model's own by default.")
    ] = None,
    scales: Annotated[
        str, typer.Option(help="Scales of the flipped class at which flips are judged, by commas.")
    ] = "1,1.5,2,3",
    groups: Groups = None,
    seed: Seed = 0,
    device: Device = "auto",
    as_json: AsJson = False,
    table: Figures = None,
) -> None:
    """Whether a conditional model's flips do what they say, and nothing else.

    Example: latentlab evaluate counterfactual faces-cvae --data faces:test
    """
    from latentlab.cli.options import numbers
    from latentlab.cli.progress import show_progress
    from latentlab.metrics.report import check_place
    from latentlab.metrics.runs import run_counterfactual

    check_place(table)
    with show_progress() as reporter:
        report = run_counterfactual(
            checkpoint,
            data,
            predictor=predictor,
            scales=numbers(scales, "--scales"),
            seed=seed,
            device=device,
            groups=split_names(groups),
            reporter=reporter,
        )
    show(report, as_json, table)


def projection(
    checkpoint: Checkpoint,
    data: Annotated[
        str,
        typer.Option(
            "--data", "--pairs", help="Held-out images of all the model's datasets, or avatars in its styles."
        ),
    ],
    mode: Annotated[
        str | None,
        typer.Option(
            help="keep (only style shifts, the default) or follow (composition too); without pairs both are "
            "measured together."
        ),
    ] = None,
    predictor: Annotated[
        str | None, typer.Option(help="Checkpoint of the attribute predictor that judges.")
    ] = None,
    known_pairs: Annotated[
        int, typer.Option(min=0, help="Training identities that the ridge map learns from.")
    ] = 200,
    count: Annotated[
        int | None,
        typer.Option(
            "--count",
            "--identities",
            min=2,
            help="Held-out identities that are projected, 300 by default; without pairs images of each "
            "dataset, 2,048 by default.",
        ),
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
    as_json: AsJson = False,
    table: Figures = None,
) -> None:
    """Project held-out pictures onto every dataset, and judge that beside closed-form maps.

    Where the set shows the same identities in all datasets (avatars), projections are compared with the true
    drawings. Else the shares of the classes are counted: what each dataset does to people, in both modes.

    Example: latentlab evaluate projection my-cinn --pairs avatars:test --mode follow

    Example: latentlab evaluate projection my-cinn --data faces-triple:test --json
    """
    from latentlab.cli.progress import show_progress
    from latentlab.errors import SettingsError
    from latentlab.metrics.report import check_place
    from latentlab.metrics.runs import run_projection

    modes: dict[str | None, Literal["keep", "follow"] | None] = {
        None: None,
        "keep": "keep",
        "follow": "follow",
    }
    if mode not in modes:
        raise SettingsError(f"The mode is keep or follow, not {mode!r}.")
    check_place(table)
    with show_progress() as reporter:
        report = run_projection(
            checkpoint,
            data,
            mode=modes[mode],
            predictor=predictor,
            known_pairs=known_pairs,
            count=count,
            seed=seed,
            device=device,
            reporter=reporter,
        )
    show(report, as_json, table)


def detection(
    checkpoints: Annotated[
        list[str],
        typer.Argument(help="Detectors or DB-VAEs; a folder with seed-N in it stands for all seeds."),
    ],
    data: Annotated[
        str,
        typer.Option(help="Faces of one split: faces:test; or training for the rows each was trained on."),
    ] = "faces:test",
    baseline: Annotated[list[str] | None, typer.Option(help="Detectors to compare with. Repeatable.")] = None,
    as_json: AsJson = False,
    table: Figures = None,
) -> None:
    """How well detectors tell faces from what is none, overall and by group; mean over seeds.

    Example: latentlab evaluate detection my-dbvae --baseline my-baseline --data faces:test
    """
    from latentlab.cli.progress import show_progress
    from latentlab.metrics.report import check_place
    from latentlab.training.detection_evaluation import run_detection

    check_place(table)
    with show_progress() as reporter:
        report = run_detection(checkpoints, data, baseline or (), reporter)
    show(report, as_json, table)


def show(report: Report, as_json: bool, table: Path | None) -> None:
    """Print a report, as JSON or as a table, and write it as CSV where wished."""
    if table is not None:
        report.write_csv(table)
    if as_json:
        print(report.json())
        return
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table as Sheet

    sheet = Sheet(title=report.title(), title_justify="left", box=SIMPLE)
    sheet.add_column("metric and group", no_wrap=True)
    for column in ("value", "95% interval", "n"):
        sheet.add_column(column, justify="right", no_wrap=True)
    for name, *figures in report.texts():
        sheet.add_row(name, *figures, style="" if name.startswith(" ") else "bold")
    console = Console()
    console.print(sheet)
    for note in report.evaluation.notes:
        console.print(f"- {note}", highlight=False, markup=False)
