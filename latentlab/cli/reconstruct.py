"""``latentlab reconstruct``: encode a picture, change latent dimensions, save what the model makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli.options import AsJson, Condition, Model, Predictor, Table, Threads
from latentlab.errors import SettingsError


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("reconstruct")(reconstruct)


def reconstruct(
    image: Annotated[
        Path | None, typer.Argument(help="A picture; without one --seed sets the start.", show_default=False)
    ] = None,
    model: Model = "faces-vae",
    out: Annotated[Path | None, typer.Option(help="Save the edited picture here; PNG loses nothing.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="DIMENSION=VALUE, e.g. 3=1.5; may be repeated.")
    ] = None,
    brush: Annotated[
        list[str] | None,
        typer.Option(
            help="On a latent that is a grid: INK=AMOUNT at X,Y X,Y radius R hardness H, in pixels; may be "
            "repeated. INK is FILE.json:NAME (a direction), channel:K, start, or a picture or copied latent."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Set out from a random latent of this seed instead of a picture.")
    ] = None,
    truncation: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Multiplies the random latent: less is more usual.")
    ] = 1.0,
    mutate: Annotated[
        list[int] | None, typer.Option(help="Seed of a small random step from the start; may be repeated.")
    ] = None,
    condition: Condition = "",
    told: Annotated[
        str,
        typer.Option(
            help="What the encoder is told, likewise; as the predictor sees the picture without it."
        ),
    ] = "",
    predictor: Predictor = None,
    table: Table = None,
    threads: Threads = 1,
    as_json: AsJson = False,
) -> None:
    """Do what the Explore screen does: encode a picture, change latent dimensions, save the picture.

    Example: latentlab reconstruct face.png --model faces-vae --set 55=-2.5 --out out.png --table out.csv

    Example: latentlab reconstruct face.png --model faces-cvae --condition gender=female:2 --out female.png

    Example: latentlab reconstruct face.png --model my-vae --brush "pca.json:PC 1=2 at 20,24 34,24 radius 8"
    """
    from latentlab.operations.latents import parse_changes
    from latentlab.operations.reconstruct import Reconstruction, reconstruct_picture

    if (image is None) == (seed is None):
        raise SettingsError("Give either a picture or --seed, and not both.")
    found: Reconstruction = reconstruct_picture(
        model,
        predictor="" if predictor == "none" else predictor,
        image=image,
        seed=seed,
        changes=parse_changes(changes or []),
        threads=threads,
        truncation=truncation,
        mutations=mutate or [],
        condition=condition,
        told=told,
        brush=brush or [],
    )
    if out is not None:
        found.save_picture(out)
    if table is not None:
        found.save_table(table)
    if as_json:
        print(json.dumps(found.record(), indent=1))
    else:
        print(found.text())
