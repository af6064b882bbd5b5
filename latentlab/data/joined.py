"""Several sets as one, with an attribute that says of which each image is: what a cINN is trained on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data.image_set import ImageSet, SetInfo
from latentlab.data.set_folder import open_image_set, write_image_set
from latentlab.errors import DataError
from latentlab.progress import Progress, Reporter
from latentlab.spec import Attribute

DATASET = "dataset"
"""The attribute of a joined set whose classes are the sets."""
_BATCH = 256


def join_sets(
    folder: Path,
    parts: Sequence[tuple[str, ImageSet]],
    name: str = "",
    source: Mapping[str, object] | None = None,
    reporter: Reporter | None = None,
) -> ImageSet:
    """Write the selected rows of several sets into the folder of one set, and open it.

    Its attributes are `DATASET`, with the parts' names as classes, and those that all parts have with the
    same classes. Images keep their splits; their names get the part's name in front.

    Parameters
    ----------
    folder
        Where it shall lie.
    parts
        The sets with the names that they get, all of one image size. Two names at least; those of the same
        name become one class.
    name
        What the set is called; the folder's name if empty.
    source
        What its record says of its origin; the parts' own records if None.

    Raises
    ------
    DataError
        If there are fewer than two names, the sets differ in size, or the folder holds other things.
    """
    joined = _table(parts, name or folder.name, source)
    write_image_set(
        folder,
        joined.info,
        _pixels([images for _, images in parts], reporter or Reporter()),
        joined.labels,
        joined.names,
        joined.splits,
    )
    return open_image_set(folder)


def join_in_memory(
    parts: Sequence[tuple[str, ImageSet]], name: str, reporter: Reporter | None = None
) -> ImageSet:
    """Return the selected rows of several sets as one set without a folder; its pixels are in memory.

    As `join_sets`, which also says what is raised.
    """
    joined = _table(parts, name)
    size = joined.info.image_size
    pixels, start = np.empty((len(joined), size, size, 3), dtype=np.uint8), 0
    for batch in _pixels([images for _, images in parts], reporter or Reporter()):
        pixels[start : start + len(batch)] = batch
        start += len(batch)
    return replace(joined, images=pixels)


def _table(
    parts: Sequence[tuple[str, ImageSet]], name: str, source: Mapping[str, object] | None = None
) -> ImageSet:
    """Return what the joined set is, without pictures."""
    classes, bodies = tuple(dict.fromkeys(part for part, _ in parts)), [images for _, images in parts]
    if len(classes) < 2:
        raise DataError(f"A joined set is made of sets with two names or more; found {', '.join(classes)}.")
    if len({images.image_size for images in bodies}) > 1:
        words = ", ".join(f"{part} {images.image_size} px" for part, images in parts)
        raise DataError(f"Only images of one size can be joined: {words}.")
    first = bodies[0]
    shared = [
        attribute
        for attribute in first.info.attributes
        if attribute.name != DATASET and all(_has(images, attribute) for images in bodies)
    ]
    domain = Attribute(name=DATASET, classes=classes, origin="constructed")
    codes = [classes.index(part) for part, _ in parts]
    labels: dict[str, NDArray[Any]] = {DATASET: np.repeat(codes, [len(images) for images in bodies])}
    for attribute in shared:
        labels[attribute.name] = np.concatenate([images.codes(attribute.name) for images in bodies])
    info = SetInfo(
        name=name,
        image_size=first.image_size,
        attributes=(domain, *shared),
        licence="; ".join(dict.fromkeys(images.info.licence for images in bodies)),
        credit="; ".join(dict.fromkeys(images.info.credit for images in bodies)),
        source=source
        or {
            "kind": "joined",
            "parts": {part: dict(images.info.source) for part, images in parts},
        },
    )
    names = [f"{part}:{one}" for part, images in parts for one in images.names[images.rows].tolist()]
    splits = np.concatenate([images.splits[images.rows] for images in bodies])
    return ImageSet.without_pictures(info, labels, np.array(names, dtype=np.str_), splits)


def _has(images: ImageSet, attribute: Attribute) -> bool:
    """Whether a set has an attribute of that name and kind with the same classes."""
    return any(
        (one.name, one.kind, one.classes) == (attribute.name, attribute.kind, attribute.classes)
        for one in images.info.attributes
    )


def _pixels(bodies: Sequence[ImageSet], reporter: Reporter) -> Iterator[NDArray[np.uint8]]:
    total, done = sum(len(images) for images in bodies), 0
    for images in bodies:
        for start in range(0, len(images), _BATCH):
            reporter.raise_if_cancelled()
            batch = images.pixels(np.arange(start, min(len(images), start + _BATCH)))
            done += len(batch)
            reporter.report(Progress("Joining the sets", done, total))
            yield batch
