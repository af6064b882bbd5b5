"""``latentlab session``: what a saved session holds, and its picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli.options import AsJson


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("session")(session)


def session(
    path: Annotated[Path, typer.Argument(help="A session that the window has saved.")],
    picture: Annotated[
        Path | None, typer.Option(help="Render the edited picture and save it here; PNG loses nothing.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Where its model lies; also one with other weights is taken.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what is in a saved session, whether its model is still there, and render its picture.

    Example: latentlab session smile.json --picture smile.png
    """
    from latentlab.session.session_report import look_into

    report = look_into(path, model)
    if picture is not None:
        report.save_picture(picture)
    if as_json:
        print(json.dumps(report.record(), indent=1))
        return
    for name, value in report.rows():
        print(f"{name + ':':14}{value}")
