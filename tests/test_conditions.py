"""A condition is chosen, scaled, flipped, mixed and said as its schema has it; all else is refused."""

from __future__ import annotations

import numpy as np
import pytest

from latentlab.conditions import (
    as_condition,
    choose,
    chosen,
    extrapolates,
    first_classes,
    flip,
    from_probabilities,
    parse_choices,
    scaled,
    weights,
    with_codes,
    words,
)
from latentlab.errors import SettingsError
from latentlab.spec import Attribute, ConditionSchema

SCHEMA = ConditionSchema(
    attributes=(
        Attribute(name="gender", classes=("female", "male")),
        Attribute(name="race", classes=("asian", "black", "white")),
        Attribute(name="age", kind="continuous"),
    )
)
KNOWN = choose(SCHEMA, {"gender": "male", "race": "asian", "age": 0.5})


def test_classes_values_and_weights_are_chosen() -> None:
    assert KNOWN.tolist() == [0, 1, 1, 0, 0, 0.5]
    assert KNOWN.dtype == np.float32
    mixed = choose(SCHEMA, {"race": {"black": 0.25, "white": 0.5}}, KNOWN)
    assert mixed.tolist() == [0, 1, 0, 0.25, 0.5, 0.5]
    assert KNOWN.tolist() == [0, 1, 1, 0, 0, 0.5], "the base stays as it is"


def test_the_scale_multiplies_classes_and_values_but_no_weights() -> None:
    found = choose(SCHEMA, {"gender": "female", "race": {"black": 1.0}, "age": 3.0}, scale=2.0)
    assert found.tolist() == [2, 0, 0, 1, 0, 6]


def test_what_the_schema_does_not_know_is_said() -> None:
    with pytest.raises(SettingsError, match=r"no attribute 'hat'; it has gender, race, age"):
        choose(SCHEMA, {"hat": "yes"})
    with pytest.raises(SettingsError, match=r"no class 'robot'; it has female, male"):
        choose(SCHEMA, {"gender": "robot"})
    with pytest.raises(SettingsError, match="'robot'"):
        choose(SCHEMA, {"gender": {"robot": 1.0}})
    with pytest.raises(SettingsError, match="matter of classes"):
        choose(SCHEMA, {"gender": 1.0})
    with pytest.raises(SettingsError, match="continuous and has no class"):
        choose(SCHEMA, {"age": "old"})
    with pytest.raises(SettingsError, match="has 6 numbers"):
        as_condition([1.0], SCHEMA)
    with pytest.raises(SettingsError, match="finite"):
        as_condition([np.nan] * 6, SCHEMA)
    with pytest.raises(SettingsError, match="it is unconditional"):
        as_condition([1.0], ConditionSchema())


def test_what_one_sets_out_with_is_the_first_class_of_each() -> None:
    assert first_classes(SCHEMA).tolist() == [1, 0, 1, 0, 0, 0]
    assert first_classes(ConditionSchema()).shape == (0,)


def test_codes_set_one_attribute_of_many_conditions() -> None:
    found = with_codes(SCHEMA, np.stack([KNOWN, KNOWN]), "race", [2, 1], scale=1.5)
    assert found.tolist() == [[0, 1, 0, 0, 1.5, 0.5], [0, 1, 0, 1.5, 0, 0.5]]


def test_weights_and_the_one_class_are_read_back() -> None:
    assert weights(SCHEMA, KNOWN, "race") == {"asian": 1.0, "black": 0.0, "white": 0.0}
    assert weights(SCHEMA, KNOWN, "age") == {"age": 0.5}
    assert chosen(SCHEMA, KNOWN, "gender") == ("male", 1.0)
    assert chosen(SCHEMA, KNOWN, "age") == ("age", 0.5)
    assert chosen(SCHEMA, choose(SCHEMA, {"race": {"black": 0.5, "white": 0.5}}), "race") is None
    assert chosen(SCHEMA, np.zeros(6), "race") is None


def test_a_flip_hands_on_to_the_next_class_and_comes_round() -> None:
    assert flip(SCHEMA, KNOWN, "gender").tolist() == [1, 0, 1, 0, 0, 0.5]
    assert flip(SCHEMA, KNOWN, "age")[-1] == -0.5
    around = KNOWN
    for _ in range(3):
        around = flip(SCHEMA, around, "race")
    np.testing.assert_array_equal(around, KNOWN)
    mixed = choose(SCHEMA, {"gender": {"female": 1.5, "male": 0.5}})
    assert flip(SCHEMA, mixed, "gender")[:2].tolist() == [0.5, 1.5]


def test_scaling_keeps_the_shares() -> None:
    mixed = choose(SCHEMA, {"race": {"black": 0.25, "white": 0.75}})
    assert scaled(SCHEMA, mixed, "race", 2.0)[2:5].tolist() == [0, 0.5, 1.5]
    assert scaled(SCHEMA, KNOWN, "gender", -3.0)[:2].tolist() == [0, -3]
    assert scaled(SCHEMA, KNOWN, "age", 2.0)[-1] == 2.0
    nothing = np.zeros(6, dtype=np.float32)
    np.testing.assert_array_equal(scaled(SCHEMA, nothing, "race", 2.0), nothing)


@pytest.mark.parametrize(
    ("race", "beyond"),
    [
        ({"black": 1.0}, False),
        ({"black": 0.5, "white": 0.5}, False),
        ({}, False),
        ({"black": 0.3}, False),
        ({"black": 1.1}, True),
        ({"black": -0.1, "white": 0.5}, True),
        ({"black": 0.7, "white": 0.7}, True),
    ],
)
def test_outside_the_mixtures_is_extrapolation(race: dict[str, float], beyond: bool) -> None:
    assert extrapolates(SCHEMA, choose(SCHEMA, {"race": race}), "race") is beyond


def test_a_continuous_value_is_extrapolation_outside_its_span_where_that_is_known() -> None:
    assert not extrapolates(SCHEMA, choose(SCHEMA, {"age": 99.0}), "age")
    age = SCHEMA.attribute("age").model_copy(update={"span": (18.0, 80.5)})
    schema = ConditionSchema(attributes=(age,))
    for value, beyond in (
        (18.0, False),
        (80.5, False),
        (0.0, False),
        (17.9, True),
        (81.0, True),
        (-1.0, True),
    ):
        assert extrapolates(schema, choose(schema, {"age": value}), "age") is beyond, value


def test_a_condition_is_said_in_words() -> None:
    assert words(SCHEMA, KNOWN) == ["gender male", "race asian", "age 0.5"]
    mixed = choose(SCHEMA, {"gender": "male", "race": {"black": 0.5, "white": 0.5}}, scale=2.0)
    assert words(SCHEMA, mixed) == ["gender 2 male", "race 0.5 black + 0.5 white", "age 0"]
    assert words(SCHEMA, np.zeros(6)) == ["gender -", "race -", "age 0"]


def test_what_a_predictor_sees_is_matched_by_the_classes_names() -> None:
    classes = {"gender": ("male", "female"), "race": ("white", "brown"), "hat": ("no", "yes")}
    seen = {"gender": [0.9, 0.1], "race": [0.2, 0.8], "hat": [0.0, 1.0]}
    found = from_probabilities(SCHEMA, seen, classes)
    assert found.tolist() == [0, 1, 0, 0, 0, 0], "brown is no class of the model: not told"
    base = from_probabilities(SCHEMA, {"gender": [0.1, 0.9]}, classes, KNOWN)
    assert base.tolist() == [1, 0, 1, 0, 0, 0.5]
    assert not from_probabilities(SCHEMA, {}, {}).any()


def test_choices_are_read_from_words() -> None:
    assert parse_choices(SCHEMA, "gender=female, race=black:2,age=-0.5") == {
        "gender": "female",
        "race": {"black": 2.0},
        "age": -0.5,
    }
    assert parse_choices(SCHEMA, "gender=female:0.5+male:0.5") == {"gender": {"female": 0.5, "male": 0.5}}
    assert parse_choices(SCHEMA, "race=black:.5+white") == {"race": {"black": 0.5, "white": 1.0}}
    assert parse_choices(SCHEMA, "gender=male:-1") == {"gender": {"male": -1.0}}


def test_a_class_may_have_signs_in_its_name() -> None:
    odd = ConditionSchema(attributes=(Attribute(name="age", classes=("0:10", "10+")),))
    assert parse_choices(odd, "age=10+") == {"age": "10+"}
    assert parse_choices(odd, "age=0:10") == {"age": "0:10"}
    assert parse_choices(odd, "age=0:10:2") == {"age": {"0:10": 2.0}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gender", "'gender' chooses nothing"),
        ("gender=", "chooses nothing"),
        ("", "chooses nothing"),
        ("gender=female,", "'' chooses nothing"),
        ("gender=robot", "no class 'robot'"),
        ("hat=yes", "no attribute 'hat'"),
        ("gender=male:big", "'big' in 'gender=male:big' is no number"),
        ("age=old", "'old' in 'age=old' is no number"),
        ("gender=male,gender=female", "'gender' is chosen twice"),
    ],
)
def test_words_that_choose_nothing_are_refused(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said.replace("'", ".")):
        parse_choices(SCHEMA, text)


def test_a_default_stands_where_nothing_is_said_or_predicted() -> None:
    mode = Attribute(name="mode", classes=("follow", "keep"), default="keep")
    schema = ConditionSchema(attributes=(Attribute(name="hat", classes=("no", "yes")), mode))
    np.testing.assert_array_equal(first_classes(schema), [1, 0, 0, 1])
    seen = {"hat": [0.2, 0.8]}
    np.testing.assert_array_equal(from_probabilities(schema, seen, {"hat": ("no", "yes")}), [0, 1, 0, 1])
    base = [1.0, 0.0, 1.0, 0.0]
    np.testing.assert_array_equal(from_probabilities(schema, {}, {}, base), base)
    with pytest.raises(ValueError, match="no class 'maybe' to be its default"):
        Attribute(name="mode", classes=("follow", "keep"), default="maybe")
