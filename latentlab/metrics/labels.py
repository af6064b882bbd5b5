"""What a set's labels are to a predictor or a condition: the same classes by name, not by position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data.image_set import UNKNOWN, ImageSet
from latentlab.errors import DataError, SettingsError
from latentlab.spec import MODE, Attribute, ConditionSchema, PredictorSpec

_MOST_GROUPS = 64
_USUAL_GROUPS = (("gender", "race"), ("style",), ("skin",), ("quality",))
# Of several, the first whose attributes the images show in two classes or more.


def true_codes(spec: PredictorSpec, data: ImageSet) -> tuple[dict[str, NDArray[np.int64]], list[str]]:
    """Return the true classes of a set in a predictor's own numbering.

    Returns
    -------
    tuple
        Codes ``[n]`` by attribute, -1 where the truth is unknown or is a class the predictor does not
        have; and notes on what had to be left out.

    Raises
    ------
    DataError
        If the set has labels for none of the predictor's attributes.
    """
    known = {attribute.name: attribute for attribute in data.info.attributes}
    found, notes = {}, []
    for attribute in spec.attributes:
        labelled = known.get(attribute.name)
        if attribute.kind != "categorical" or labelled is None or labelled.kind != "categorical":
            notes.append(f"{attribute.name} was not judged: the set has no classes of it.")
            continue
        codes = translate(labelled, attribute, data.codes(attribute.name))
        if (codes >= 0).any():
            found[attribute.name] = codes
            left_out = int((codes < 0).sum())
            if left_out:
                notes.append(f"{attribute.name}: {left_out} images without a label that the predictor knows.")
        else:
            notes.append(f"{attribute.name} was not judged: no label of the set is one of its classes.")
    if not found:
        names = ", ".join(attribute.name for attribute in spec.attributes)
        raise DataError(
            f"The set {data.info.name} has labels for none of the predictor's attributes ({names}); it has "
            f"{', '.join(known) or 'none'}. Choose another predictor or set."
        )
    return found, notes


def group_attributes(data: ImageSet, wish: Sequence[str] | None = None) -> tuple[str, ...]:
    """Return the attributes whose intersections are the groups.

    Without a wish these are gender and race where the set has them (or the one that it has), else the style
    of avatars, or of one style their skin; else none.

    Raises
    ------
    DataError
        If the set lacks a wished attribute.
    SettingsError
        If a wished attribute is continuous, or there would be too many groups to tell apart.
    """
    if wish is None:
        names = {attribute.name for attribute in data.info.attributes if attribute.kind == "categorical"}
        for usual in _USUAL_GROUPS:
            found = tuple(name for name in usual if name in names and _differs(data, name))
            if found:
                return found
        return ()
    chosen = tuple(dict.fromkeys(wish))
    for name in chosen:
        if data.attribute(name).kind != "categorical":
            raise SettingsError(f"Groups need attributes with classes; {name!r} is continuous.")
    count = int(np.prod([len(data.attribute(name).classes) for name in chosen]))
    if count > _MOST_GROUPS:
        raise SettingsError(
            f"Groups over {', '.join(chosen)} would be {count}; at most {_MOST_GROUPS} are told apart. "
            "Choose fewer attributes."
        )
    return chosen


def _differs(data: ImageSet, name: str) -> bool:
    codes = data.codes(name)
    return len(np.unique(codes[codes >= 0])) > 1


def identities(data: ImageSet) -> NDArray[np.int64] | None:
    """Return whom each image shows, as integers ``[n]``, for intervals that are bootstrapped by identity.

    An avatar is named ``IDENTITY:STYLE``, a robot ``IDENTITY:QUALITY``; of other sets each image is
    its own identity. An image that stands several times in a resampled set is one.

    Returns
    -------
    numpy.ndarray or None
        None where no identity occurs twice.
    """
    names = data.names[data.rows]
    if data.info.paired_by:
        names = np.array([name.partition(":")[0] for name in names.tolist()])
    found, where = np.unique(names, return_inverse=True)
    return None if len(found) == len(names) else where.astype(np.int64)


def conditions(schema: ConditionSchema, data: ImageSet) -> NDArray[np.float32] | None:
    """Return the condition of each image from the set's labels, float32 ``[n, C]``.

    A class is one-hot and a continuous attribute its value; unknown labels are zeros. The mode of a cINN is
    no label: where the set has none it is the mode's default everywhere.

    Returns
    -------
    numpy.ndarray or None
        None for an unconditional model.

    Raises
    ------
    DataError
        If the set lacks an attribute of the condition.
    """
    if not schema.size:
        return None
    vectors = np.zeros((len(data), schema.size), dtype=np.float32)
    known = {attribute.name for attribute in data.info.attributes}
    for attribute in schema.attributes:
        if attribute.name == MODE.name and attribute.default and attribute.name not in known:
            vectors[:, schema.slice(attribute.name).start + attribute.index(attribute.default)] = 1.0
            continue
        labelled, values = data.attribute(attribute.name), data.codes(attribute.name)
        if labelled.kind != attribute.kind:
            raise DataError(
                f"The set {data.info.name} has {attribute.name!r} as {labelled.kind}; the model's condition "
                f"needs it {attribute.kind}."
            )
        write_labels(vectors, schema, attribute, labelled, values)
    return vectors


def write_labels(
    vectors: NDArray[np.float32],
    schema: ConditionSchema,
    attribute: Attribute,
    labelled: Attribute,
    values: NDArray[Any],
) -> None:
    """Write one attribute of images into their conditions ``[n, C]``, which are zeros there.

    Parameters
    ----------
    attribute, labelled
        The attribute as the condition has it and as the labels have it, of one kind.
    values
        Class codes ``[n]`` of ``labelled``, -1 where unknown, or values, NaN where unknown.
    """
    where = schema.slice(attribute.name)
    if attribute.kind == "continuous":
        vectors[:, where.start] = np.nan_to_num(values)
    else:
        codes = translate(labelled, attribute, values)
        rows = np.flatnonzero(codes >= 0)
        vectors[rows, where.start + codes[rows]] = 1.0


def translate(source: Attribute, target: Attribute, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Renumber codes of one attribute's classes as those of another's, by the classes' names.

    A class that was merged into another counts as that (`Attribute.place_of`).

    Parameters
    ----------
    codes
        Codes ``[n]`` of the classes of ``source``, -1 where unknown.

    Returns
    -------
    numpy.ndarray
        Codes of the classes of ``target``, -1 where unknown or where it has no class of that name.
    """
    return translation(source, target)[codes]


def translation(source: Attribute, target: Attribute) -> NDArray[np.int64]:
    """Return the table by which `translate` renumbers: a code for each class, and last that of no class."""
    places = [target.place_of(label) for label in source.classes]
    return np.array([*(UNKNOWN if place is None else place for place in places), UNKNOWN], dtype=np.int64)


def with_span(images: ImageSet, name: str) -> Attribute:
    """Return an attribute of a set; a continuous one with the span of its values in the selected rows."""
    attribute = images.attribute(name)
    if attribute.kind != "continuous":
        return attribute
    values = np.asarray(images.codes(name), dtype=np.float64)
    known = values[np.isfinite(values)]
    if not len(known):
        return attribute
    return attribute.model_copy(update={"span": (float(known.min()), float(known.max()))})


def with_attribute(images: ImageSet, attribute: Attribute) -> ImageSet:
    """Return the same rows with labels told as those of another attribute of that name: merged classes."""
    former = images.attribute(attribute.name)
    attributes = tuple(attribute if one.name == attribute.name else one for one in images.info.attributes)
    codes = translate(former, attribute, np.asarray(images.labels[attribute.name]))
    return replace(
        images,
        info=images.info.model_copy(update={"attributes": attributes}),
        labels={**images.labels, attribute.name: codes},
    )
