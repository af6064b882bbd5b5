"""What the commands of ``latentlab audit`` have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from latentlab.audit.report import Audit

Models = Annotated[list[str], typer.Argument(help="Checkpoints' folders or files, or bundled names.")]
Judge = Annotated[
    str | None, typer.Option(help="The judging attribute predictor; the model's own by default.")
]
Attributes = Annotated[
    str | None, typer.Option(help="What is counted, by commas; all that is judged without it.")
]
Out = Annotated[
    Path | None,
    typer.Option(help="A folder for settings, a row an image, a row a group, and the report; resumes there."),
]
SampleCount = Annotated[int, typer.Option("--n", help="Samples of each model and seed.")]
SampleSeeds = Annotated[str, typer.Option(help="Of the samples, by commas: one run each.")]
PerGroup = Annotated[int, typer.Option(help="Images of each group at most.")]
Reference = Annotated[
    str,
    typer.Option(help="What the shares are compared with: uniform, training (the set trained on), or a set."),
]
Condition = Annotated[
    str,
    typer.Option(
        help="What a conditional model is told, such as gender=female; without it the labels of the "
        "reference set's images, or each class as often."
    ),
]
Truncation = Annotated[float, typer.Option(help="What every drawn z is multiplied by, 0 to 1.")]
Predictions = Annotated[
    Path | None,
    typer.Option(
        help="A table (CSV) of what somebody else says of the images of `latentlab audit images`, in the "
        "place of a predictor."
    ),
]
PredictionsConfusion = Annotated[
    Path | None,
    typer.Option(
        help="A table (CSV: attribute, true, predicted, count) of how often they err; not corrected without."
    ),
]


def show(found: Audit, out: Path | None, as_json: bool) -> None:
    """Write a study's reports where there is a folder, print its results, and say where they are."""
    if out is not None:
        from latentlab.audit.report_files import write_reports
        from latentlab.cli.progress import show_progress

        with show_progress() as reporter:
            write_reports(out, reporter, again=False)
    if as_json:
        print(found.report.json())
        return
    print("\n".join([found.report.title(), *found.summary]))
    print(
        f"Tables and reports (report.html, report.pdf) are in {out}."
        if out is not None
        else "Give --out DIR to keep tables."
    )
