"""``latentlab info``: what a checkpoint is."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the app."""

    @app.command()
    def info(
        path: Annotated[str, typer.Argument(help="A checkpoint's folder or file, or a bundled name.")],
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    ) -> None:
        """Say what a checkpoint is: family, sizes, attributes, training, what it cannot do and why.

        Example: latentlab info faces-vae
        """
        from latentlab.checkpoints import describe

        description = describe(path)
        if as_json:
            print(json.dumps(description.record(), indent=1))
            return
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(title=description.name, show_header=False, title_justify="left")
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for name, value in description.rows():
            table.add_row(name, Text(value))
        Console().print(table)
