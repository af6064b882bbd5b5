"""The avatars: the same identities drawn in every style, so that pairs across styles are exact.

Identities are sampled once, evenly over all combinations of classes, and split by identity: a person of
the test rows stands in no training row of any style. Rows are ordered by style, and an image is named
``IDENTITY:STYLE``, such as ``00012:lorelei``. Drawing takes some milliseconds an image and runs in
several processes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from itertools import product
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from latentlab.data.avatar_styles import (
    Identity,
    avatar_schema,
    draw_avatar,
    shown_classes,
    style_credit,
)
from latentlab.data.draw_many import draw_many
from latentlab.data.drawn_style import LARGEST, drawn_by
from latentlab.data.image_set import SPLITS, UNKNOWN, ImageSet, SetInfo
from latentlab.data.set_folder import check_is_free, open_drawn, write_image_set
from latentlab.errors import DataError
from latentlab.progress import Reporter

IDENTITIES: Mapping[str, int] = MappingProxyType({"train": 3000, "validation": 500, "test": 1000})
"""How many identities the avatars have in each split."""
_VERSION = 1


@lru_cache(maxsize=4)
def identities(count: int, seed: int = 0) -> tuple[Identity, ...]:
    """Sample identities evenly: no combination of classes stands twice before all stood once.

    The first ones of a longer list with the same seed are the same.
    """
    schema = avatar_schema()
    names = tuple(schema.attributes)
    order_of, shade_of = (np.random.default_rng([seed, stream]) for stream in (0, 1))
    chosen = even_combinations({name: schema.classes(name) for name in names}, count, order_of)
    return tuple(
        Identity(
            number=number,
            classes=classes,
            shade=(float(shade_of.uniform(-1, 1)), float(shade_of.uniform(-1, 1))),
            variant=int(shade_of.integers(2**16)),
        )
        for number, classes in enumerate(chosen)
    )


def even_combinations(
    classes: Mapping[str, Sequence[str]], count: int, generator: np.random.Generator
) -> list[dict[str, str]]:
    """Choose a class of every attribute ``count`` times: no combination twice before all stood once."""
    combinations = list(product(*classes.values()))
    rounds = -(-count // len(combinations))
    order = np.concatenate([generator.permutation(len(combinations)) for _ in range(rounds)])[:count]
    return [dict(zip(classes, combinations[index], strict=True)) for index in order]


def open_avatars(image_size: int = 64, reporter: Reporter | None = None) -> ImageSet:
    """Open the avatars in all shippable styles and splits, drawing them on first use (a minute or two).

    Raises
    ------
    DataError
        If the size is not between 16 and 512 pixels.
    """
    recipe = {
        "schema": avatar_schema().model_dump(mode="json"),
        "drawn by": drawn_by(),
        "identities": dict(IDENTITIES),
        "version": _VERSION,
    }
    return open_drawn(
        "avatars",
        recipe,
        image_size,
        lambda folder: make_avatars(folder, list_avatars(IDENTITIES), image_size, reporter),
    )


def list_avatars(
    counts: Mapping[str, int] = IDENTITIES,
    seed: int = 0,
    styles: Sequence[str] | None = None,
    variety: bool = False,
) -> ImageSet:
    """List avatars with what they will show, without pictures; rows can be chosen before any is drawn.

    Parameters
    ----------
    counts
        Identities in each split.
    seed
        Which identities they are.
    styles
        The styles to draw, all shippable ones if None.
    variety
        Draw the training identities with all variants of their hair, instead of the first of its class.
        Validation and test, which serve as truth, never vary.

    Raises
    ------
    DataError
        If a style is unknown or named twice, or no identity is asked for.
    """
    styles = tuple(styles or avatar_schema().shippable)
    credits = {style: style_credit(style) for style in styles}
    numbers = [counts.get(split, 0) for split in SPLITS]
    if len(credits) < len(styles) or min(numbers) < 0 or not sum(numbers):
        raise DataError(
            f"Avatars need styles, each named once, and identities: found {', '.join(styles)} and {numbers}."
        )
    people = identities(sum(numbers), seed)
    attributes = avatar_schema().of_sets(styles)
    labels: dict[str, list[int]] = {attribute.name: [] for attribute in attributes}
    for style in styles:
        for person in people:
            shown = shown_classes(style, person) | {"style": style}
            for attribute in attributes:
                label = shown[attribute.name]
                labels[attribute.name].append(UNKNOWN if label is None else attribute.index(label))
    works = [f"{style}: “{credit['title']}” by {credit['creator']}" for style, credit in credits.items()]
    info = SetInfo(
        name="avatars",
        image_size=0,
        attributes=attributes,
        licence="; ".join(f"{style}: {credit['licence']}" for style, credit in credits.items()),
        credit="; ".join(works) + ". Drawn with DiceBear, changed.",
        source={
            "kind": "avatars",
            "seed": seed,
            "identities": len(people),
            "variety": variety,
            "styles": credits,
        },
    )
    return ImageSet.without_pictures(
        info,
        {name: np.array(codes, dtype=np.int64) for name, codes in labels.items()},
        np.array([f"{person.number:05d}:{style}" for style in styles for person in people], dtype=np.str_),
        np.tile(np.repeat(np.arange(len(SPLITS), dtype=np.int8), numbers), len(styles)),
    )


def make_avatars(
    folder: Path,
    avatars: ImageSet,
    image_size: int = 64,
    reporter: Reporter | None = None,
    workers: int | None = None,
) -> Path:
    """Draw the selected rows of `list_avatars` into a set's folder.

    Parameters
    ----------
    workers
        Processes that draw; one a core if None. From a script of your own, call this under
        ``if __name__ == "__main__":``, as everything that starts processes.

    Raises
    ------
    DataError
        If the size is not between 16 and 512 pixels, or the folder holds other things.
    """
    if not 16 <= image_size <= LARGEST:
        raise DataError(f"The avatars are drawn at 16 to {LARGEST} px, not {image_size}.")
    check_is_free(folder)
    rows, source = avatars.rows, avatars.info.source
    people = identities(int(source["identities"]), int(source["seed"]))
    names, splits = avatars.names[rows], avatars.splits[rows]
    drawings = []
    for name, split in zip(names.tolist(), splits.tolist(), strict=True):
        number, style = name.split(":")
        drawings.append((style, people[int(number)], bool(source["variety"]) and SPLITS[split] == "train"))
    return write_image_set(
        folder,
        avatars.info.model_copy(update={"image_size": image_size}),
        draw_many(drawings, partial(_draw, image_size=image_size), "Drawing the avatars", reporter, workers),
        {name: codes[rows] for name, codes in avatars.labels.items()},
        names,
        splits,
    )


def paired(images: ImageSet) -> tuple[NDArray[np.str_], dict[str, NDArray[np.int64]]]:
    """Return the identities that the selected rows show in all their styles or qualities, and where.

    Returns
    -------
    tuple
        The identities' names ``[K]``, and for each class of `SetInfo.paired_by` that is among the rows the
        positions ``[K]`` of their images within the selection, in the same order.

    Raises
    ------
    DataError
        If the set is not of avatars in two styles or more, nor of robots in both qualities.
    """
    parts = [str(name).split(":") for name in images.names[images.rows]]
    where: dict[str, dict[str, int]] = {}
    if images.info.paired_by:
        for position, (identity, drawn) in enumerate(parts):
            where.setdefault(drawn, {}).setdefault(identity, position)
    if len(where) < 2:
        raise DataError(
            f"The set {images.info.name} has no pairs: it needs avatars in two styles or more, or robots in "
            "both qualities."
        )
    common = sorted(set.intersection(*(set(found) for found in where.values())))
    positions = {
        drawn: np.array([found[identity] for identity in common], dtype=np.int64)
        for drawn, found in where.items()
    }
    return np.array(common, dtype=np.str_), positions


def identity_of(images: ImageSet, position: int) -> Identity:
    """Return the identity of the image at a position of the selection, to draw it otherwise.

    Raises
    ------
    DataError
        If the set is not of avatars.
    """
    source = images.info.source
    if source.get("kind") != "avatars":
        raise DataError(f"The set {images.info.name} is not of avatars; only theirs can be drawn again.")
    number = int(str(images.names[images.rows[position]]).split(":")[0])
    return identities(int(source["identities"]), int(source["seed"]))[number]


_Drawing = tuple[str, Identity, bool]
"""A style, who is drawn in it, and whether with variety."""


def _draw(drawings: Sequence[_Drawing], image_size: int) -> NDArray[np.uint8]:
    return np.stack([draw_avatar(style, person, image_size, variety) for style, person, variety in drawings])
