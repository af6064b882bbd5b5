from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from latentlab.operations.attribute_table import (
    attribute_rows,
    balanced_error,
    origin_note,
    table_text,
)
from latentlab.spec import Attribute, Confusion, PredictorSpec

SPEC = PredictorSpec(
    family="attribute_cnn",
    image_size=32,
    attributes=(
        Attribute(name="glasses", classes=("no", "yes"), origin="constructed"),
        Attribute(name="race", classes=("a", "b", "c"), origin="constructed"),
    ),
    confusion={"glasses": Confusion(counts=((90, 10), (1, 9)))},
)


def test_rows_name_picture_attribute_class_and_error() -> None:
    rows = attribute_rows(
        SPEC, {"input": {"glasses": np.float32([0.25, 0.75]), "race": np.float32([0.5, 0.25, 0.25])}}
    )
    assert [(row.attribute, row.label, row.probability) for row in rows] == [
        ("glasses", "no", 0.25),
        ("glasses", "yes", 0.75),
        ("race", "a", 0.5),
        ("race", "b", 0.25),
        ("race", "c", 0.25),
    ]
    assert rows[0].held_out_error == pytest.approx(0.1)
    assert rows[2].held_out_error is None
    read = list(csv.DictReader(io.StringIO(table_text(rows))))
    assert read[1]["probability"] == "0.750000"
    assert read[0]["held_out_error"] == "0.100000"
    assert read[2]["held_out_error"] == ""
    assert read[0]["origin"] == "constructed"


def test_errors_are_balanced_over_the_classes_that_occur() -> None:
    assert balanced_error(Confusion(counts=((50, 50), (0, 4)))) == pytest.approx(0.25)
    assert balanced_error(Confusion(counts=((8, 2), (0, 0)))) == pytest.approx(0.2)
    assert balanced_error(Confusion(counts=((0, 0), (0, 0)))) is None


def test_the_note_says_where_labels_come_from() -> None:
    assert "constructed" in origin_note(SPEC)
    perceived = tuple(a.model_copy(update={"origin": "perceived"}) for a in SPEC.attributes)
    assert "perceived" in origin_note(SPEC.model_copy(update={"attributes": perceived}))
    mixed = SPEC.model_copy(update={"attributes": (SPEC.attributes[0], perceived[1])})
    assert "partly" in origin_note(mixed)
