"""True counterfactuals: avatars drawn again with one attribute changed and all else the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from latentlab.data.avatar_styles import avatar_schema, draw_avatar, shown_classes
from latentlab.data.avatars import identity_of
from latentlab.data.image_set import ImageSet
from latentlab.data.pictures import square_picture
from latentlab.progress import Progress, Reporter


def can_be_drawn_again(images: ImageSet) -> bool:
    """Whether a set's pictures can be drawn again: those of avatars, drawn without variety, not degraded."""
    source = images.info.source
    return source.get("kind") == "avatars" and not source.get("variety") and "degraded" not in source


def true_counterfactual(
    images: ImageSet, position: int, attribute: str, label: str
) -> NDArray[np.uint8] | None:
    """Draw the avatar at a position of the selection again, with another class of one attribute.

    Returns
    -------
    numpy.ndarray or None
        Uint8 ``[S, S, 3]``, RGB; None where the avatar's style does not show the attribute, before or after
        the change, or has not the class.

    Raises
    ------
    DataError
        If the set is not of avatars.
    """
    return drawn_again(images, position, {attribute: label})


def drawn_again(images: ImageSet, position: int, classes: Mapping[str, str]) -> NDArray[np.uint8] | None:
    """Draw the avatar at a position of the selection again, with other classes of some attributes.

    Returns
    -------
    numpy.ndarray or None
        As `true_counterfactual`; None where that holds for any of the attributes.

    Raises
    ------
    DataError
        If the set is not of avatars.
    """
    person = identity_of(images, position)
    style = str(images.names[images.rows[position]]).split(":")[1]
    schema = avatar_schema()
    if any(
        name not in schema.attributes or label not in schema.classes(name) for name, label in classes.items()
    ):
        return None
    changed = replace(person, classes={**person.classes, **classes})
    before, after = shown_classes(style, person), shown_classes(style, changed)
    if any(before[name] is None or after[name] is None for name in classes):
        return None
    # A set that was resized is drawn as it was, and takes the same way.
    sizes: list[int] = [*images.info.source.get("sizes", ()), images.image_size]
    picture = draw_avatar(style, changed, sizes[0])
    for size in sizes[1:]:
        picture = square_picture(picture, size)
    return picture


def true_counterfactuals(
    images: ImageSet,
    attribute: str,
    labels: NDArray[np.str_],
    reporter: Reporter | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Draw every avatar of a selection again, each with the class that stands for it in ``labels`` ``[n]``.

    Returns
    -------
    tuple
        Uint8 ``[n, S, S, 3]`` (white where there is none), and which there are, bool ``[n]``.

    Raises
    ------
    Cancelled
        If the reporter asked for it.
    """
    reporter = reporter or Reporter()
    pictures = np.full((len(images), images.image_size, images.image_size, 3), 255, dtype=np.uint8)
    known = np.zeros(len(images), dtype=bool)
    for position, label in enumerate(labels.tolist()):
        reporter.raise_if_cancelled()
        drawn = true_counterfactual(images, position, attribute, label) if label else None
        if drawn is not None:
            pictures[position], known[position] = drawn, True
        if position % 64 == 63:
            reporter.report(
                Progress(f"Drawing the true counterfactuals of {attribute}", position + 1, len(images))
            )
    return pictures, known
