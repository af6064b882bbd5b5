"""``latentlab data``: make image sets in any mixture, and show what a set holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentlab.cli.options import AsJson

if TYPE_CHECKING:
    from latentlab.data.image_set import ImageSet
    from latentlab.data.make import Mixture

Out = Annotated[Path, typer.Argument(help="Folder of the new set; an older set there is replaced.")]
Size = Annotated[int, typer.Option(help="Height and width of the images in pixels.")]
Preset = Annotated[
    str | None, typer.Option(help="A named mixture: original, equal, male60, light90, balanced, narrow.")
]
Ratio = Annotated[
    list[str] | None,
    typer.Option(help="Shares of classes: gender=female:0.52,male:0.48 or race=asian+white:0.9. Repeatable."),
]
Correlate = Annotated[
    list[str] | None,
    typer.Option(help="A correlation of two classes: glasses=yes,facial_hair=yes:0.5. Repeatable."),
]
Identities = Annotated[str, typer.Option(help="Identities in train,validation,test, by commas.")]
Number = Annotated[
    int | None, typer.Option("--n", help="Images of the resampled split; the most by default.")
]
Seed = Annotated[
    int, typer.Option(help="Of the choice of rows (and of the avatars' and robots' identities).")
]
Repeats = Annotated[bool, typer.Option("--repeats", help="Use images several times where a group is short.")]
Split = Annotated[str, typer.Option(help="Split that is resampled: train, validation, test or all.")]


def register(app: typer.Typer) -> None:
    """Add the command group ``data``."""
    group = typer.Typer(help="Make image sets in any mixture, and show them.", no_args_is_help=True)
    making = typer.Typer(help="Make an image set in a folder.", no_args_is_help=True)
    for command in (faces, avatars, robots, celeba, folder, joined):
        making.command(command.__name__)(command)
    group.add_typer(making, name="make")
    group.command("show")(show)
    app.add_typer(group, name="data")


def faces(
    out: Out,
    size: Size = 64,
    preset: Preset = None,
    ratio: Ratio = None,
    correlate: Correlate = None,
    n: Number = None,
    seed: Seed = 0,
    repeats: Repeats = False,
    split: Split = "train",
    as_json: AsJson = False,
) -> None:
    """Make a set of the bundled faces, or of a mixture of them.

    Example: latentlab data make faces mostly-light --preset light90 --n 4000
    """
    from latentlab.cli.progress import show_progress
    from latentlab.data.make import make_faces_set

    mixture = _mixture(preset, ratio, correlate, n, seed, repeats, split)
    with show_progress() as reporter:
        images = make_faces_set(out, size, mixture, reporter)
    _print_made(images, "data make faces", out, mixture, as_json)


def avatars(
    out: Out,
    size: Size = 64,
    identities: Identities = "3000,500,1000",
    styles: Annotated[str, typer.Option(help="Styles by commas; all by default.")] = "",
    variety: Annotated[
        bool, typer.Option("--variety", help="All variants of hair in the training split.")
    ] = False,
    preset: Preset = None,
    ratio: Ratio = None,
    correlate: Correlate = None,
    n: Number = None,
    seed: Seed = 0,
    repeats: Repeats = False,
    split: Split = "train",
    as_json: AsJson = False,
) -> None:
    """Draw a set of illustrated people, each in every style.

    Example: latentlab data make avatars two-styles --styles lorelei,toon-head --identities 500,100,100
    """
    from latentlab.cli.progress import show_progress
    from latentlab.data.make import make_avatars_set

    mixture = _mixture(preset, ratio, correlate, n, seed, repeats, split)
    counts = _counts(identities)
    chosen = [style.strip() for style in styles.split(",") if style.strip()]
    with show_progress() as reporter:
        images = make_avatars_set(out, size, mixture, counts, chosen, variety, reporter)
    _print_made(images, "data make avatars", out, mixture, as_json)


def robots(
    out: Out,
    size: Size = 64,
    identities: Identities = "3000,500,1000",
    preset: Preset = None,
    ratio: Ratio = None,
    correlate: Correlate = None,
    n: Number = None,
    seed: Seed = 0,
    repeats: Repeats = False,
    split: Split = "train",
    as_json: AsJson = False,
) -> None:
    """Draw a set of robots, each in high and in low quality.

    Example: latentlab data make robots few-robots --identities 500,100,100
    """
    from latentlab.cli.progress import show_progress
    from latentlab.data.make import make_robots_set

    mixture = _mixture(preset, ratio, correlate, n, seed, repeats, split)
    counts = _counts(identities)
    with show_progress() as reporter:
        images = make_robots_set(out, size, mixture, counts, reporter)
    _print_made(images, "data make robots", out, mixture, as_json)


def celeba(
    root: Annotated[Path, typer.Argument(help="Folder with list_attr_celeba.txt and img_align_celeba.")],
    out: Out,
    size: Size = 64,
    preset: Preset = None,
    ratio: Ratio = None,
    correlate: Correlate = None,
    n: Number = None,
    seed: Seed = 0,
    repeats: Repeats = False,
    split: Split = "train",
    as_json: AsJson = False,
) -> None:
    """Make a set of CelebA from its official files on disk.

    Example: latentlab data make celeba ~/celeba celeba-equal --preset equal --n 20000
    """
    from latentlab.cli.progress import show_progress
    from latentlab.data.make import make_celeba_set

    mixture = _mixture(preset, ratio, correlate, n, seed, repeats, split)
    with show_progress() as reporter:
        images = make_celeba_set(root.expanduser(), out, size, mixture, reporter)
    _print_made(images, "data make celeba", out, mixture, as_json)


def folder(
    root: Annotated[Path, typer.Argument(help="Folder of pictures, with attributes.csv or folders in it.")],
    out: Out,
    size: Size = 64,
    preset: Preset = None,
    ratio: Ratio = None,
    correlate: Correlate = None,
    n: Number = None,
    seed: Seed = 0,
    repeats: Repeats = False,
    split: Split = "train",
    as_json: AsJson = False,
) -> None:
    """Make a set of any folder of pictures, with the attributes of its attributes.csv if there is one.

    Example: latentlab data make folder ~/portraits portraits --size 128
    """
    from latentlab.cli.progress import show_progress
    from latentlab.data.make import make_folder_set

    mixture = _mixture(preset, ratio, correlate, n, seed, repeats, split)
    with show_progress() as reporter:
        images = make_folder_set(root.expanduser(), out, size, mixture, reporter)
    _print_made(images, "data make folder", out, mixture, as_json)


def joined(
    out: Out,
    parts: Annotated[list[str], typer.Argument(help="NAME=SET, such as photos=photos:train; two or more.")],
    size: Size = 64,
    as_json: AsJson = False,
) -> None:
    """Join sets into one whose attribute dataset says of which each image is, as a cINN needs it.

    Example: latentlab data make joined both photos=./photos drawings=./drawings
    """
    from latentlab.cli.progress import show_progress
    from latentlab.data.catalog import open_set
    from latentlab.data.joined import join_sets
    from latentlab.errors import SettingsError

    pairs = [part.partition("=") for part in parts]
    if not all(name and equals and source for name, equals, source in pairs):
        raise SettingsError(f"Each set is given as NAME=SET, such as photos=./photos; not {' '.join(parts)}.")
    with show_progress() as reporter:
        bodies = [(name, open_set(source, size, reporter)) for name, _, source in pairs]
        images = join_sets(out, bodies, reporter=reporter)
    _print_made(images, "data make joined", out, _mixture(None, None, None, None, 0, False, "train"), as_json)


def show(
    name: Annotated[
        str, typer.Argument(metavar="SET", help="faces:train, avatars:lorelei, robots, a folder, ...")
    ],
    out: Annotated[Path | None, typer.Option(help="Write a contact sheet to this picture file.")] = None,
    by: Annotated[str, typer.Option(help="Attributes whose intersections are the groups, by commas.")] = "",
    size: Size = 64,
    columns: Annotated[int, typer.Option(help="Images in a row of the sheet.")] = 16,
    rows: Annotated[int, typer.Option(help="Rows of the sheet; with --by its groups.")] = 8,
    seed: Annotated[int, typer.Option(help="Of the images on the sheet.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Count a set's images by split, class and group, and lay some out on a contact sheet.

    Example: latentlab data show faces:train --by gender,race --out faces.png
    """
    from latentlab.cli.progress import show_progress
    from latentlab.data.catalog import open_set
    from latentlab.data.contact_sheet import contact_sheet, save_sheet

    attributes = [attribute.strip() for attribute in by.split(",") if attribute.strip()]
    with show_progress() as reporter:
        images = open_set(name, size, reporter)
        if out is not None:
            save_sheet(out, contact_sheet(images, attributes, columns, rows, seed))
    _print_set(images, "data show", name, attributes, seed, {"by": attributes}, as_json)
    if out is not None and not as_json:
        print(f"Contact sheet written to {out}")


def _mixture(
    preset: str | None,
    ratio: list[str] | None,
    correlate: list[str] | None,
    n: int | None,
    seed: int,
    repeats: bool,
    split: str,
) -> Mixture:
    from latentlab.data.make import Mixture

    return Mixture(preset, tuple(ratio or ()), tuple(correlate or ()), n, seed, repeats, split)


def _counts(identities: str) -> dict[str, int]:
    parts = identities.split(",")
    if len(parts) != 3 or not all(part.strip().isdecimal() for part in parts):
        raise typer.BadParameter("--identities needs three numbers, such as 3000,500,1000.")
    return dict(zip(("train", "validation", "test"), map(int, parts), strict=True))


def _print_made(images: ImageSet, command: str, out: Path, mixture: Mixture, as_json: bool) -> None:
    from dataclasses import asdict

    _print_set(images, command, str(out), (), mixture.seed, asdict(mixture), as_json)
    if not as_json:
        print(f"Written to {out}")


def _print_set(
    images: ImageSet,
    command: str,
    path: str,
    by: list[str] | tuple[str, ...],
    seed: int,
    settings: dict[str, Any],
    as_json: bool,
) -> None:
    from latentlab.data.describe import describe_set

    description = describe_set(images, by)
    if as_json:
        print(json.dumps(description.record(command, path, seed, settings), indent=1, allow_nan=False))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    title = f"{description.info.name}, {description.info.image_size} px"
    table = Table(title=title, title_justify="left", box=None)
    table.add_column("")
    table.add_column("images", justify="right")
    table.add_column("share", justify="right")
    for what, count, share in description.rows():
        table.add_row(Text(what), count, share)
    console = Console()
    console.print(table)
    for note in description.notes:
        console.print(Text(note), soft_wrap=True)
    for line in (description.info.licence, description.info.credit):
        if line:
            console.print(Text(line), style="dim", soft_wrap=True)
