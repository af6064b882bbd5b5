"""Predicted attributes as a table, and how often the predictor errs. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentlab import whole_file
from latentlab.spec import Attribute, Confusion, PredictorSpec

Probabilities = Mapping[str, NDArray[np.float32]]
"""Probabilities of one picture, float32 ``[classes]`` by attribute."""

COLUMNS = ("picture", "attribute", "class", "probability", "origin", "held_out_error")


@dataclass(frozen=True)
class AttributeRow:
    """One probability: of which picture, attribute and class, and how often the predictor errs there."""

    picture: str
    attribute: str
    label: str
    probability: float
    origin: str
    held_out_error: float | None


def attribute_rows(spec: PredictorSpec, pictures: Mapping[str, Probabilities]) -> list[AttributeRow]:
    """List the probabilities of some pictures by name, picture by picture, in the predictor's order."""
    return [
        AttributeRow(picture, attribute.name, label, float(probability), attribute.origin, error)
        for picture, probabilities in pictures.items()
        for attribute in spec.attributes
        if attribute.name in probabilities
        for error in (held_out_error(spec, attribute),)
        for label, probability in zip(attribute.classes, probabilities[attribute.name], strict=True)
    ]


def table_text(rows: list[AttributeRow]) -> str:
    """Return rows as CSV text with a header; probabilities and errors with six decimals."""
    return whole_file.table_text(
        COLUMNS,
        (
            (
                row.picture,
                row.attribute,
                row.label,
                f"{row.probability:.6f}",
                row.origin,
                "" if row.held_out_error is None else f"{row.held_out_error:.6f}",
            )
            for row in rows
        ),
    )


def save_table(path: Path, rows: list[AttributeRow]) -> None:
    """Write rows as CSV; raises `SettingsError` if the file cannot be written."""
    whole_file.write_whole(path, table_text(rows))


def held_out_error(spec: PredictorSpec, attribute: Attribute) -> float | None:
    """Return 1 - balanced accuracy of the predictor on held-out images; None where it was not measured."""
    confusion = spec.confusion.get(attribute.name)
    return None if confusion is None else balanced_error(confusion)


def balanced_error(confusion: Confusion) -> float | None:
    """Return the share of errors averaged over the classes that occur, in [0, 1]; None without any."""
    counts = confusion.array()
    totals = counts.sum(axis=1)
    seen = totals > 0
    if not seen.any():
        return None
    return float(1.0 - (counts.diagonal()[seen] / totals[seen]).mean())


def origin_note(spec: PredictorSpec) -> str:
    """Say in a sentence what the predicted attributes are, and what they are not."""
    origins = {attribute.origin for attribute in spec.attributes}
    if origins == {"constructed"}:
        return "Attributes are constructed by the drawing program; they say nothing about who a person is."
    if origins == {"perceived"}:
        return "Attributes are as people perceived them in pictures; they say nothing about who a person is."
    return (
        "Attributes are partly constructed by a drawing program and partly perceived by people; they say "
        "nothing about who a person is."
    )
