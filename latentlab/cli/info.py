"""``latentlab info``: what a checkpoint is."""

from __future__ import annotations

import json

import typer

from latentlab.cli.options import AsJson, Checkpoint


def register(app: typer.Typer) -> None:
    """Add the command to the app."""

    @app.command()
    def info(path: Checkpoint, as_json: AsJson = False) -> None:
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
