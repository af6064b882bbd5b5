"""Classes merged into one: by what name they go, and which labels count as them."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from latentlab.conditions import from_probabilities
from latentlab.data.image_set import ImageSet
from latentlab.data.merge import merged, parse_merges
from latentlab.errors import SettingsError
from latentlab.metrics.labels import conditions, translate, with_attribute
from latentlab.operations.projection_plan import judged_dataset
from latentlab.spec import Attribute, ConditionSchema, PredictorSpec

DATASET = Attribute(name="dataset", classes=("broad", "narrow", "low"), default="narrow")
FACES = merged(DATASET, parse_merges(["broad + narrow = faces"]))


def test_a_merged_class_stands_where_its_first_part_stood() -> None:
    assert FACES.classes == ("faces", "low")
    assert FACES.parts == (("broad", "narrow"), ("low",))
    assert FACES.default == "faces"
    assert [FACES.place_of(label) for label in ("broad", "narrow", "low", "faces", "none")] == [
        0,
        0,
        1,
        0,
        None,
    ]
    last = merged(DATASET, {"poor": ("narrow", "low")})
    assert last.classes == ("broad", "poor")
    assert merged(DATASET, {"broad": ("broad", "low")}).classes == ("broad", "narrow")
    assert merged(DATASET, {}) is DATASET


def test_what_is_stored_names_the_parts_only_where_there_are_any() -> None:
    assert "parts" not in DATASET.model_dump(mode="json")
    again = Attribute.model_validate(FACES.model_dump(mode="json"))
    assert again == FACES
    assert Attribute.model_validate_json(FACES.model_dump_json()) == FACES


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["broad=faces"], "merges nothing"),
        (["broad+narrow"], "merges nothing"),
        (["broad++low=x"], "merges nothing"),
        (["broad+narrow=x", "broad+low=y"], "'broad' is merged twice"),
        (["broad+broad=x"], "'broad' is merged twice"),
        (["broad+narrow=x", "low+other=x"], "the name of two merges"),
    ],
)
def test_what_is_no_merge_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        parse_merges(words)


def test_merges_that_do_not_fit_are_refused() -> None:
    for merges, said in (
        ({"x": ("broad", "moon")}, "no class 'moon'"),
        ({"low": ("broad", "narrow")}, "has a class 'low' already"),
        ({"x": ("broad", "narrow", "low")}, "none to tell apart"),
    ):
        with pytest.raises(SettingsError, match=said):
            merged(DATASET, merges)
    with pytest.raises(ValidationError, match="each label once"):
        Attribute(name="a", classes=("x", "y"), parts=(("p",), ("p",)))
    with pytest.raises(ValidationError, match="parts of each class"):
        Attribute(name="a", classes=("x", "y"), parts=(("p",),))


def test_labels_and_judges_that_tell_the_parts_apart_are_understood(tiny_faces: ImageSet) -> None:
    assert translate(DATASET, FACES, np.array([0, 1, 2, -1])).tolist() == [0, 0, 1, -1]
    gender = tiny_faces.attribute("race")
    light = merged(gender, {"light": ("asian", "white")})
    told = with_attribute(tiny_faces, light)
    assert told.attribute("race") == light
    names = [gender.classes[code] for code in tiny_faces.codes("race")]
    assert [light.classes[code] for code in told.codes("race")] == [
        "light" if name in ("asian", "white") else name for name in names
    ]
    schema = ConditionSchema(attributes=(light,))
    np.testing.assert_array_equal(conditions(schema, tiny_faces), conditions(schema, told))


def test_what_a_judge_says_of_the_parts_counts_together() -> None:
    schema = ConditionSchema(attributes=(FACES,))
    judge = PredictorSpec(family="attribute_cnn", image_size=32, attributes=(DATASET,))
    said = {"dataset": np.array([0.3, 0.3, 0.4], dtype=np.float32)}
    assert judged_dataset(schema, said, judge) == "faces"
    found = from_probabilities(schema, {"dataset": [0.1, 0.6, 0.3]}, {"dataset": DATASET.classes})
    assert found.tolist() == [1.0, 0.0]
