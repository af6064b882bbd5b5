"""Specifications and conditions: validated, frozen, and refusing what they do not know."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from latentlab.errors import SettingsError
from latentlab.spec import Attribute, CheckpointConfig, Condition, ConditionSchema, LatentSummary, ModelSpec

GENDER = Attribute(name="gender", classes=("female", "male"))
AGE = Attribute(name="age", kind="continuous")
SCHEMA = ConditionSchema(attributes=(GENDER, AGE))


def test_a_condition_is_scale_times_one_hot():
    np.testing.assert_array_equal(Condition.of(SCHEMA, scale=2.0, gender="male").vector(), [0, 2, 0])


def test_a_continuous_factor_is_scale_times_value():
    np.testing.assert_allclose(Condition.of(SCHEMA, scale=3.0, age=0.5).vector(), [0, 0, 1.5])


def test_a_condition_of_the_wrong_length_is_refused():
    with pytest.raises(ValidationError, match="has 3 entries, found 2"):
        Condition(of_model=SCHEMA, weights=(1.0, 0.0))


def test_a_condition_holds_only_finite_numbers():
    with pytest.raises(ValidationError, match="finite"):
        Condition(of_model=SCHEMA, weights=(1.0, float("nan"), 0.0))


@pytest.mark.parametrize(
    ("choices", "words"),
    [({"gender": "robot"}, "no class 'robot'; it has female, male"), ({"hat": "yes"}, "no attribute 'hat'")],
)
def test_unknown_factors_and_classes_are_named(choices, words):
    with pytest.raises(SettingsError, match=words):
        Condition.of(SCHEMA, **choices)


def test_factors_stand_where_the_schema_says():
    assert SCHEMA.slice("age") == slice(2, 3)
    assert SCHEMA.size == 3


@pytest.mark.parametrize(
    "bad",
    [
        {"name": "x", "classes": ("one",)},
        {"name": "x", "classes": ("a", "a")},
        {"name": "x", "classes": ("a", "b"), "kind": "continuous"},
    ],
)
def test_impossible_attributes_are_refused(bad):
    with pytest.raises(ValidationError):
        Attribute(**bad)


def test_a_latent_summary_must_fit_the_latent():
    summary = LatentSummary(mean=(0.0,), std=(1.0,), kl=(0.1,))
    with pytest.raises(ValidationError, match="3 entries"):
        ModelSpec(family="vae", image_size=64, latent_shape=(3,), latent_summary=summary)


def test_a_configuration_survives_json_and_is_frozen():
    spec = ModelSpec(family="vae", image_size=64, latent_shape=(2, 3), cannot={"encode": "no encoder"})
    config = CheckpointConfig(kind="model", model=spec, network={"latent": 6})
    again = CheckpointConfig.model_validate_json(config.model_dump_json())
    assert again == config
    assert again.spec.latent_size == 6
    with pytest.raises(ValidationError):
        again.name = "other"


def test_a_configuration_needs_the_spec_of_its_kind():
    with pytest.raises(ValidationError, match="needs exactly the field"):
        CheckpointConfig(kind="predictor", model=ModelSpec(family="vae", image_size=64, latent_shape=(2,)))
