"""``latentlab export``: write a checkpoint in another program's form."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli.options import Checkpoint


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    group = typer.Typer(help="Write a checkpoint in another program's form.", no_args_is_help=True)
    group.callback()(lambda: None)
    app.add_typer(group, name="export")

    @group.command()
    def onnx(
        checkpoint: Checkpoint,
        out: Annotated[Path, typer.Argument(help="The folder to write.")],
    ) -> None:
        """Write a model or a predictor as ONNX graphs, with a JSON that says what they are.

        Each graph is run beside the network before it is kept. The folder opens here like any checkpoint.

        Example: latentlab export onnx faces-vae faces-vae-onnx
        """
        from latentlab.checkpoints import load
        from latentlab.checkpoints.export_onnx import export_onnx

        exported = export_onnx(load(checkpoint), out)
        for name, difference in exported.differences.items():
            print(f"{exported.folder / name}.onnx: differs from the network by at most {difference:.1g}")
        for name, reason in exported.left_out.items():
            print(f"{name} left out: {reason}")
