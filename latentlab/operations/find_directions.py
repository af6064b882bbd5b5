"""Finds the directions of a model in a set of images: principal components and attributes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from latentlab.data.image_set import ImageSet
from latentlab.errors import SettingsError
from latentlab.operations.direction import Direction, Directions
from latentlab.operations.directions import (
    attribute_direction,
    check_components,
    orthogonalised,
    principal_directions,
)
from latentlab.operations.explore import Explorer
from latentlab.progress import Reporter
from latentlab.spec import Attribute


def find_directions(
    explorer: Explorer,
    data: ImageSet,
    attributes: Sequence[str] = (),
    components: int = 0,
    orthogonal: bool = False,
    seed: int = 0,
    reporter: Reporter | None = None,
    given: Sequence[Direction] = (),
) -> Directions:
    """Encode a set and find directions in its latents.

    Parameters
    ----------
    attributes
        Categorical attributes of the set. One of two classes gives the direction towards the second, one of
        more a direction towards each.
    components
        How many principal directions to find; they come after the attributes.
    orthogonal
        Whether to make each direction orthogonal to those before it.
    given
        Directions that are there already, such as those between faces; they come first.

    Raises
    ------
    LatentLabError
        If nothing is asked for, the set lacks an attribute, or a class has too few images.
    """
    if not attributes and not components and not given:
        raise SettingsError("Name an attribute, or a number of principal components, to find directions for.")
    for name in attributes:
        if data.attribute(name).kind != "categorical":
            raise SettingsError(f"A direction needs an attribute with classes; {name!r} is continuous.")
    if components:
        check_components(components, len(data), explorer.spec.latent_size)
    latents = explorer.encode_set(data, reporter)
    found = [*given]
    found += [
        one
        for name in attributes
        for one in attribute_directions(latents, data.codes(name), data.attribute(name), seed)
    ]
    if components:
        found += principal_directions(latents, components)
    if orthogonal:
        found = orthogonalised(found, latents)
    located = explorer.located
    return Directions(model=located.name, sha256=located.sha256(), directions=tuple(found))


def attribute_directions(
    latents: NDArray[np.float32], codes: NDArray[np.int64], attribute: Attribute, seed: int = 0
) -> list[Direction]:
    """Return an attribute's directions: of two classes towards the second, of more one towards each.

    Parameters
    ----------
    latents, codes
        ``[n, ...]`` and the class of each, ``[n]``; rows whose class is not known (negative) are left out.

    Raises
    ------
    DataError
        If a class has too few rows.
    """
    known = codes >= 0
    chosen = range(len(attribute.classes)) if len(attribute.classes) != 2 else (1,)
    return [
        attribute_direction(
            latents[known], codes[known] == k, f"{attribute.name}={attribute.classes[k]}", seed
        )
        for k in chosen
    ]
