"""Options that the commands of ``latentlab train`` have in common."""

from __future__ import annotations

from typing import Annotated

import typer

Stop = Annotated[
    int | None, typer.Option(help="Stop after this step; the same command without it goes on from there.")
]
Seed = Annotated[int, typer.Option(help="Of the weights, the order of the rows, and the noise.")]
Rate = Annotated[float, typer.Option(help="Highest learning rate.")]
ImageSize = Annotated[int, typer.Option(help="Height and width of the pictures in pixels.")]
Accelerator = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Precision = Annotated[str, typer.Option(help="bf16-mixed, 16-mixed or 32-true.")]
Threads = Annotated[int, typer.Option(help="Intra-op threads; 0 leaves torch's choice.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Begin anew where OUT holds an unfinished run.")]
