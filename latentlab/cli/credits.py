"""``latentlab credits``: whose works the program is made of, and under which licences."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("credits")(credits_of)


def credits_of(
    installed: Annotated[
        bool,
        typer.Option("--installed", help="List the libraries installed here instead, with their versions."),
    ] = False,
) -> None:
    """Print the credits: artists, drawings, fonts, data, models and libraries, with their licences.

    Example: latentlab credits --installed
    """
    from latentlab.session.credits import credits_text, installed_libraries

    if not installed:
        print(credits_text(), end="")
        return
    for one in installed_libraries():
        print(f"{one.name}\t{one.version}\t{one.licence}\t{one.home}")
