"""What the commands of ``latentlab audit`` have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from latentlab.audit.report import Audit

Models = Annotated[list[str], typer.Argument(help="Checkpoints' folders or files, or bundled names.")]
Checkpoint = Annotated[str, typer.Argument(help="A checkpoint's folder or file, or a bundled name.")]
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
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def whole_numbers(text: str, option: str) -> tuple[int, ...]:
    """Read whole numbers between commas, however large; raises `SettingsError` if one is none."""
    from latentlab.errors import SettingsError

    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise SettingsError(f"{option} takes whole numbers by commas, such as 0,1,2; not {text!r}.") from None


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
