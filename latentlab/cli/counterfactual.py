"""``latentlab counterfactual``: the same picture as another class, and what changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from latentlab.cli.options import AsJson, Condition, Model, Predictor, Sheet, Threads
from latentlab.errors import SettingsError

if TYPE_CHECKING:
    from latentlab.operations.counterfactual import Side, Sort


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("counterfactual")(counterfactual)


def counterfactual(
    image: Annotated[
        str | None,
        typer.Argument(
            help="A picture, a copied latent (.json), seed:NUMBER or middle; without one --data names a set.",
            show_default=False,
        ),
    ] = None,
    model: Model = "faces-cvae",
    attribute: Annotated[str, typer.Option(help="The attribute of the condition to go through.")] = "gender",
    second: Annotated[str | None, typer.Option(help="Another one, for a table of both.")] = None,
    scale: Annotated[
        float, typer.Option(help="What the classes are multiplied by; more than 1 is an extrapolation.")
    ] = 1.0,
    side: Annotated[
        str,
        typer.Option(
            help="Who is told the other class: decoder, encoder (of which nothing should come) or both."
        ),
    ] = "decoder",
    condition: Condition = "",
    data: Annotated[str, typer.Option(help="A set: a page of its pictures, each as another class.")] = "",
    position: Annotated[
        int | None, typer.Option(help="One picture of the set instead, as every class, counted from 0.")
    ] = None,
    target: Annotated[
        str,
        typer.Option(help="The class to draw a page's pictures as; other is the one after each one's own."),
    ] = "other",
    count: Annotated[int, typer.Option(min=1, help="Pictures of the page.")] = 32,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the pictures of the page.")] = 0,
    sort: Annotated[
        str, typer.Option(help="Order of the page, the largest first: effect or leakage; set for the set's.")
    ] = "set",
    threshold: Annotated[
        float, typer.Option(help="Pixels that differ by less, of 255, count as unchanged.")
    ] = 8.0,
    sheet: Sheet = None,
    table: Annotated[Path | None, typer.Option(help="Save every figure here, as CSV.")] = None,
    predictor: Predictor = None,
    threads: Threads = 1,
    as_json: AsJson = False,
) -> None:
    """Show a picture as every class of an attribute, what changed, and what changed that should not have.

    A copied latent is drawn under its own condition, a random one under each attribute's first class; nothing
    of them is encoded, so only the decoder can be told another class.

    Example: latentlab counterfactual face.png --attribute gender --second race --scale 1.5 --sheet table.png

    Example: latentlab counterfactual --data faces:test --attribute glasses --sort leakage --sheet page.png
    """
    import numpy as np

    from latentlab.cli.progress import show_progress
    from latentlab.conditions import parse_choices
    from latentlab.data.catalog import open_set
    from latentlab.data.contact_sheet import save_sheet
    from latentlab.data.pictures import read_picture
    from latentlab.operations import counterfactual as draw
    from latentlab.operations.counterfactual_figure import figure
    from latentlab.operations.counterfactual_table import (
        counterfactual_record,
        counterfactual_rows,
        counterfactual_text,
    )
    from latentlab.operations.explore import Explorer
    from latentlab.operations.row_table import save_rows
    from latentlab.operations.series import SEED, is_latent, start_under

    if (image is None) == (not data):
        raise SettingsError("Give either a picture or a set with --data, and not both.")
    if data and position is None and second is not None:
        raise SettingsError("A page shows one attribute; name one picture of the set with --position.")
    explorer = Explorer.open(model, "" if predictor == "none" else predictor, threads=threads)
    own = parse_choices(explorer.spec.condition, condition) if condition else {}
    how: dict[str, Any] = {"scale": scale, "side": cast("Side", side), "threshold": threshold}
    settings = {"attribute": attribute, "second": second, **how, "choices": own}
    found: draw.Counterfactuals | draw.CounterfactualPage
    with show_progress() as reporter:
        how |= {"condition": own, "reporter": reporter}
        if image is not None and is_latent(image):
            if side != "decoder":
                raise SettingsError(f"{image} is no picture that is encoded, so --side can only be decoder.")
            begin = start_under(explorer, image, condition)
            under = np.zeros(0, np.float32) if begin.condition is None else begin.condition
            found = draw.counterfactuals_of_latent(
                explorer,
                begin.latent,
                under,
                attribute,
                second,
                scale=scale,
                threshold=threshold,
                name=image if image.startswith(SEED) else Path(image).name,
                again="start",
                reporter=reporter,
            )
        elif image is not None:
            pixels = read_picture(image).pixels
            found = draw.counterfactuals(explorer, pixels, attribute, second, name=Path(image).name, **how)
        else:
            images = open_set(data, explorer.spec.image_size, reporter)
            if position is not None:
                found = draw.counterfactuals_in_set(explorer, images, position, attribute, second, **how)
            else:
                how |= {"sort": cast("Sort", sort)}
                how |= {"positions": draw.page_positions(images, attribute, target, count, seed)}
                found = draw.counterfactual_page(explorer, images, attribute, target, **how)
    if sheet is not None:
        save_sheet(sheet, np.array(figure(found)))
    if table is not None:
        save_rows(table, counterfactual_rows(found))
    if as_json:
        settings |= {"position": position, "target": target, "count": count, "sort": sort}
        print(json.dumps(counterfactual_record(found, data or image or "", settings, seed), indent=1))
    else:
        print(counterfactual_text(found, seed))
