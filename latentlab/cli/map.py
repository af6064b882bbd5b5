"""``latentlab map``: where the images of a set lie in a model's latent space."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentlab.cli.options import AsJson, Model, Threads

if TYPE_CHECKING:
    from latentlab.operations.map_info import Layout


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("map")(make)


def make(
    model: Model = "faces-vae",
    data: Annotated[
        str, typer.Option(help="The set to encode; the one the model was trained on without it.")
    ] = "",
    count: Annotated[int, typer.Option(help="Images at most; of more, a seeded choice is taken.")] = 10_000,
    layout: Annotated[str, typer.Option(help="tsne or pca.")] = "tsne",
    colour: Annotated[str, typer.Option(help="The attribute that colours the picture.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="Write the map here (.safetensors); what is there is taken up.")
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Save a picture of the map here.")] = None,
    table: Annotated[Path | None, typer.Option(help="Save names, places and labels here, as CSV.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the images, and sets out the t-SNE.")] = 0,
    threads: Threads = 1,
    as_json: AsJson = False,
) -> None:
    """Lay the encoded images of a set out in the plane, by principal components or t-SNE.

    The window finds the map again where it is kept, if count and seed are as by default; --out keeps it
    elsewhere too.

    Example: latentlab map --data faces:train --colour glasses --picture map.png --table map.csv
    """
    import latentlab
    from latentlab.cli.progress import show_progress
    from latentlab.data.catalog import full_name, open_set
    from latentlab.errors import SettingsError
    from latentlab.operations.explore import Explorer
    from latentlab.operations.make_map import make_map
    from latentlab.operations.map_file import map_path, save_map
    from latentlab.operations.map_info import LAYOUTS
    from latentlab.operations.map_table import save_map_picture, save_map_table
    from latentlab.operations.training_sets import usual_data

    if layout not in LAYOUTS:
        raise SettingsError(f"A map is laid out by {' or '.join(LAYOUTS)}, not {layout!r}.")
    chosen: Layout = "pca" if layout == "pca" else "tsne"
    explorer = Explorer.open(model, threads=threads)
    data = full_name(data or usual_data(explorer.located.path))
    if not data:
        raise SettingsError(f"{model} does not say on which images it was trained; name a set with --data.")
    kept = map_path(explorer.located.sha256(), data, count, seed)
    with show_progress() as reporter:
        images = open_set(data, explorer.spec.image_size, reporter)
        if colour:
            images.attribute(colour)  # a name that is wrong is told before the work
        found = make_map(
            explorer, images, data, count, tsne=chosen == "tsne", seed=seed, out=kept, reporter=reporter
        )
    if out is not None:
        save_map(out, found)
    if picture is not None:
        save_map_picture(picture, found, chosen, colour)
    if table is not None:
        save_map_table(table, found, chosen)
    if as_json:
        info, n = found.info, len(found)
        record = {
            "command": "map",
            "version": latentlab.__version__,
            "checkpoint": {"path": str(explorer.located.path), "sha256": info.sha256},
            "data": {"path": data, "n": n},
            "seed": seed,
            "device": "cpu",
            "settings": {
                "threads": threads,
                "count": count,
                "layout": layout,
                "fingerprint": info.fingerprint,
            },
            "metrics": {
                f"variance_share.pc{k + 1}": {
                    "value": float(share),
                    "low": None,
                    "high": None,
                    "n": len(found),
                }
                for k, share in enumerate(found.shares)
            },
            "groups": {},
            "notes": [],
        }
        print(json.dumps(record, indent=1))
        return
    shares = ", ".join(f"{100 * share:.1f}%" for share in found.shares[:2])
    print(f"{len(found):,} images of {data}; the first two components hold {shares} of the variance")
    if picture is None and table is None and out is None:
        print("Open the map in the window, or give --picture FILE, --table FILE or --out FILE.")
