"""``latentlab card``: measure a checkpoint and write its model card."""

from __future__ import annotations

from typing import Annotated

import typer

from latentlab.cli.evaluate import Seed
from latentlab.cli.options import Checkpoint, Data, Device


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("card")(card)


def card(
    checkpoint: Checkpoint,
    data: Data,
    predictor: Annotated[
        str | None, typer.Option(help="The judging attribute predictor; the model's own by default.")
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
    replace: Annotated[
        bool, typer.Option("--replace", help="Overwrite a card that was not written by this command.")
    ] = False,
) -> None:
    """Evaluate a checkpoint and write README.md into its folder, for a model with pictures.

    Example: latentlab card my-model --data faces:test
    """
    from latentlab.cli.progress import show_progress
    from latentlab.operations.write_card import write_card

    with show_progress() as reporter:
        path = write_card(
            checkpoint,
            data,
            predictor=predictor,
            seed=seed,
            device=device,
            replace=replace,
            reporter=reporter,
        )
    print(f"Written to {path}")
