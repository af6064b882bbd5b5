"""``latentlab convert``: write another program's checkpoint as one of LatentLab."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the app."""

    @app.command()
    def convert(
        path: Annotated[str, typer.Argument(help="Another program's checkpoint: its file or folder.")],
        out: Annotated[Path, typer.Argument(help="The new folder of the native checkpoint.")],
        settings: Annotated[
            list[str] | None,
            typer.Option(
                "--set", metavar="NAME=VALUE", help="Say what the file does not tell; may be repeated."
            ),
        ] = None,
    ) -> None:
        """Write another program's checkpoint in LatentLab's own format; what opens can be converted.

        What its format can be told (--set) is named where another name is given. The original is never
        changed, and nothing in it is run.

        Example: latentlab convert vae.ckpt my-vae
        """
        from latentlab.checkpoints.convert import convert as write
        from latentlab.errors import SettingsError

        options = {}
        for setting in settings or []:
            name, sign, value = setting.partition("=")
            if not name or not sign:
                raise SettingsError(f"--set should be NAME=VALUE; {setting!r} was given.")
            options[name] = value
        located = write(path, out, options)
        size = located.weights.stat().st_size / 1e6
        print(f"{located.path} is written: family {located.config.spec.family}, {size:,.1f} MB.")
        print(f"Its README.md tells what was recognised; latentlab {located.path} opens it.")
