"""The robots: a pair of datasets that are not faces, the same identities in high and in low quality.

They stand for the animal faces that the projection between datasets is shown on beside people's. Robots are
sampled once, evenly over all combinations of classes, and split by identity: a robot of the test rows stands
in no training row of either quality. Rows are ordered by quality, and an image is named ``IDENTITY:QUALITY``,
such as ``00012:low``.

The drawings are of DiceBear's style ``bottts``. Of its many parts those are classes that differ plainly from
one another at 64 pixels, also in low quality; the others are not drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from latentlab.data.avatars import even_combinations
from latentlab.data.draw_many import draw_many
from latentlab.data.drawn_style import LARGEST, credit_of, draw, drawn_by, shaded
from latentlab.data.image_set import SPLITS, ImageSet, SetInfo
from latentlab.data.set_folder import check_is_free, open_drawn, write_image_set
from latentlab.data.triple import QUALITY, SIDE, degraded
from latentlab.errors import DataError
from latentlab.progress import Reporter
from latentlab.spec import Attribute

IDENTITIES: Mapping[str, int] = MappingProxyType({"train": 3000, "validation": 500, "test": 1000})
"""How many robots there are in each split."""
QUALITIES = ("high", "low")
"""The classes of the attribute ``quality``: as drawn, and as `latentlab.data.triple.degrade` leaves it."""
STYLE = "bottts"
"""DiceBear's name of the style."""
COLOURS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "red": ("#e45e4d",),
        "olive": ("#b18911", "#9b9312"),
        "green": ("#40a843", "#15a876"),
        "blue": ("#1499da", "#448ef4"),
        "purple": ("#9975ea", "#b46bd6"),
        "grey": ("#978d87", "#8f8f8f", "#879198"),
    }
)
"""The style's own colours in each class; a robot's tone chooses among them."""
PARTS: Mapping[str, Mapping[str, str | None]] = MappingProxyType(
    {
        "head": {"round": "round02", "square": "square01", "tapered": "square03", "sloped": "square04"},
        "eyes": {
            "round": "round",
            "bulging": "bulging",
            "crossed": "dizzy",
            "visor": "eva",
            "goggles": "roundFrame02",
            "sensor": "sensor",
            "shades": "shade01",
        },
        "mouth": {"smile": "smile01", "open": "smile02", "teeth": "grill03", "screen": "diagram"},
        "top": {
            "antenna": "antenna",
            "bulb": "bulb01",
            "horns": "horns",
            "lights": "lights",
            "radar": "radar",
        },
        "sides": {
            "round": "round",
            "antennas": "antenna01",
            "cables": "cables02",
            "blocks": "squareAssymetric",
        },
        "texture": {"none": None, "camouflage": "camo01", "dirt": "dirty01"},
    }
)
"""The style's component of each attribute, and its variant of each class; None is without the component."""
_SMALLEST = SIDE
_VERSION = 1


@dataclass(frozen=True)
class Robot:
    """One robot.

    Parameters
    ----------
    number
        Its number, which names it.
    classes
        Its class of every attribute but quality, by the attribute's name.
    tone
        Which of the colours of its class it has, from 0 to below 1.
    shade
        How light that colour is, from -1 to 1: so that no two robots look exactly alike.
    """

    number: int
    classes: Mapping[str, str]
    tone: float = 0.0
    shade: float = 0.0


def robot_attributes() -> tuple[Attribute, ...]:
    """Return the attributes of a set of robots: the quality first, then what the robots differ in."""
    classes = {"quality": QUALITIES, **_classes()}
    return tuple(Attribute(name=name, classes=found, origin="constructed") for name, found in classes.items())


@lru_cache(maxsize=4)
def robot_identities(count: int, seed: int = 0) -> tuple[Robot, ...]:
    """Sample robots evenly: no combination of classes stands twice before all stood once.

    The first ones of a longer list with the same seed are the same.
    """
    order, shades = (np.random.default_rng([seed, stream]) for stream in (0, 1))
    return tuple(
        Robot(number, classes, float(shades.uniform()), float(shades.uniform(-1, 1)))
        for number, classes in enumerate(even_combinations(_classes(), count, order))
    )


def draw_robot(robot: Robot, quality: str = "high", image_size: int = 64) -> NDArray[np.uint8]:
    """Draw a robot on white.

    Parameters
    ----------
    quality
        ``high`` is as drawn; ``low`` is that picture reduced to 24 px, compressed, and enlarged again.

    Returns
    -------
    numpy.ndarray
        Uint8 ``[image_size, image_size, 3]``, RGB.

    Raises
    ------
    DataError
        If the quality is unknown, or the size is not between 24 and 512 pixels.
    """
    if quality not in QUALITIES:
        raise DataError(f"Robots are drawn in {' or '.join(QUALITIES)} quality, not {quality!r}.")
    _check_size(image_size)
    picture = draw(STYLE, _options(robot), image_size)
    return degraded(picture) if quality == "low" else picture


def open_robots(image_size: int = 64, reporter: Reporter | None = None) -> ImageSet:
    """Open the robots in both qualities and all splits, drawing them on first use (a minute or two).

    Raises
    ------
    DataError
        If the size is not between 24 and 512 pixels.
    """
    recipe = {
        "colours": dict(COLOURS),
        "parts": dict(PARTS),
        "low": {"side": SIDE, "quality": QUALITY},
        "drawn by": drawn_by(),
        "identities": dict(IDENTITIES),
        "version": _VERSION,
    }
    return open_drawn(
        "robots",
        recipe,
        image_size,
        lambda folder: make_robots(folder, list_robots(IDENTITIES), image_size, reporter),
    )


def list_robots(counts: Mapping[str, int] = IDENTITIES, seed: int = 0) -> ImageSet:
    """List robots in both qualities, without pictures; rows can be chosen before any is drawn.

    Parameters
    ----------
    counts
        Identities in each split.
    seed
        Which identities they are.

    Raises
    ------
    DataError
        If no identity is asked for.
    """
    numbers = [counts.get(split, 0) for split in SPLITS]
    if min(numbers) < 0 or not sum(numbers):
        raise DataError(f"A set of robots needs identities: found {numbers}.")
    robots = robot_identities(sum(numbers), seed)
    attributes, credit = robot_attributes(), credit_of(STYLE)
    labels = {
        attribute.name: np.array(
            [
                attribute.index({**robot.classes, "quality": quality}[attribute.name])
                for quality in QUALITIES
                for robot in robots
            ],
            dtype=np.int64,
        )
        for attribute in attributes
    }
    info = SetInfo(
        name="robots",
        image_size=0,
        attributes=attributes,
        licence=f"{STYLE}: {credit['licence']} ({credit['licence_url']})",
        credit=f"{STYLE}: “{credit['title']}” by {credit['creator']}. Drawn with DiceBear, changed.",
        source={
            "kind": "robots",
            "seed": seed,
            "identities": len(robots),
            "low": {"side": SIDE, "quality": QUALITY},
            "styles": {STYLE: credit},
        },
    )
    return ImageSet.without_pictures(
        info,
        labels,
        np.array(
            [f"{robot.number:05d}:{quality}" for quality in QUALITIES for robot in robots], dtype=np.str_
        ),
        np.tile(np.repeat(np.arange(len(SPLITS), dtype=np.int8), numbers), len(QUALITIES)),
    )


def make_robots(
    folder: Path,
    robots: ImageSet,
    image_size: int = 64,
    reporter: Reporter | None = None,
    workers: int | None = None,
) -> Path:
    """Draw the selected rows of `list_robots` into a set's folder.

    Parameters
    ----------
    workers
        Processes that draw; one a core if None. From a script of your own, call this under
        ``if __name__ == "__main__":``, as everything that starts processes.

    Raises
    ------
    DataError
        If the size is not between 24 and 512 pixels, or the folder holds other things.
    """
    _check_size(image_size)
    check_is_free(folder)
    rows, source = robots.rows, robots.info.source
    known = robot_identities(int(source["identities"]), int(source["seed"]))
    names = robots.names[rows]
    parts = [name.split(":") for name in names.tolist()]
    drawings = [(known[int(number)], quality) for number, quality in parts]
    return write_image_set(
        folder,
        robots.info.model_copy(update={"image_size": image_size}),
        draw_many(drawings, partial(_draw, image_size=image_size), "Drawing the robots", reporter, workers),
        {name: codes[rows] for name, codes in robots.labels.items()},
        names,
        robots.splits[rows],
    )


def _draw(drawings: Sequence[tuple[Robot, str]], image_size: int) -> NDArray[np.uint8]:
    return np.stack([draw_robot(robot, quality, image_size) for robot, quality in drawings])


def _classes() -> dict[str, tuple[str, ...]]:
    return {"colour": tuple(COLOURS)} | {name: tuple(variants) for name, variants in PARTS.items()}


def _options(robot: Robot) -> dict[str, str | int]:
    """Return the options of ``dicebear-core`` that draw a robot."""
    colours = COLOURS[robot.classes["colour"]]
    options: dict[str, str | int] = {
        "baseColor": shaded(colours[int(robot.tone * len(colours))], robot.shade)
    }
    for component, variants in PARTS.items():
        variant = variants[robot.classes[component]]
        options[f"{component}Probability"] = 0 if variant is None else 100
        if variant is not None:
            options[f"{component}Variant"] = variant
    return options


def _check_size(image_size: int) -> None:
    if not _SMALLEST <= image_size <= LARGEST:
        raise DataError(f"The robots are drawn at {_SMALLEST} to {LARGEST} px, not {image_size}.")
