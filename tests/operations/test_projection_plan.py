"""What is planned and said of projections without torch."""

from __future__ import annotations

import numpy as np
import pytest

from latentlab.errors import SettingsError
from latentlab.operations.projection_plan import (
    changes_of_all,
    comparable,
    judged_classes,
    judged_dataset,
    latent_norm,
    no_projection,
    norm_words,
    projection_plan,
    shortened,
    told_dataset,
)
from latentlab.spec import MODE, Attribute, ConditionSchema, ModelSpec, PredictorSpec

STYLE = Attribute(name="style", classes=("ink", "clay", "tiles"))
SCHEMA = ConditionSchema(attributes=(STYLE, Attribute(name="mode", classes=("follow", "keep"))))
HAIR = Attribute(name="hair", classes=("short", "long"))


def said(**chosen: int) -> dict[str, np.ndarray]:
    return {name: np.eye(4, dtype=np.float32)[place] for name, place in chosen.items()}


def test_a_plan_has_a_condition_for_each_dataset_in_one_mode() -> None:
    plan = projection_plan(SCHEMA, "clay", guessed=True, keep=0.25)
    np.testing.assert_array_equal(plan.conditions[:, :3], np.eye(3))
    np.testing.assert_array_equal(plan.conditions[:, 3:], [[0.75, 0.25]] * 3)
    assert plan.own == 1
    np.testing.assert_array_equal(plan.told, plan.conditions[1])
    assert told_dataset(SCHEMA, plan.conditions[2]) == "tiles"
    for dataset, keep, words in (("oil", 1.0, "no dataset 'oil'"), ("ink", 1.5, "between 0")):
        with pytest.raises(SettingsError, match=words):
            projection_plan(SCHEMA, dataset, keep=keep)


def test_the_dataset_is_the_predictors_among_those_that_the_model_knows() -> None:
    other = Attribute(name="style", classes=("oil", "tiles", "ink"))
    judge = PredictorSpec(family="attribute_cnn", image_size=32, attributes=(other, HAIR))
    seen = {"style": np.array([0.8, 0.05, 0.15], dtype=np.float32)}
    assert judged_dataset(SCHEMA, seen, judge) == "ink", "oil is more probable, and unknown to the model"
    assert judged_dataset(SCHEMA, seen, None) is None
    plain = PredictorSpec(family="attribute_cnn", image_size=32, attributes=(HAIR,))
    assert judged_dataset(SCHEMA, said(hair=0), plain) is None
    assert judged_classes(judge, "style") == {"hair": HAIR.classes}
    assert judged_classes(None, "style") == {}


def test_projections_are_compared_with_the_reconstruction_and_that_with_the_input() -> None:
    classes = {"hair": HAIR.classes}
    found = changes_of_all(said(hair=0), [said(hair=0), said(hair=1), said(hair=1)], 1, [classes] * 3)
    assert found == [["hair: long to short (100%)"], ["hair: short to long (100%)"], []]
    without = changes_of_all(said(hair=0), [said(hair=0), said(hair=1)], None, [classes] * 2)
    assert without == [[], ["hair: short to long (100%)"]]


def test_what_a_dataset_cannot_show_is_not_compared() -> None:
    classes = {"hair": HAIR.classes, "glasses": ("no", "yes")}
    unseen = {"ink": ("glasses",)}
    assert comparable(classes, unseen, "oil", "lead") == classes
    assert comparable(classes, unseen, "oil", "ink") == {"hair": HAIR.classes}
    told = [classes, comparable(classes, unseen, "ink", "oil")]
    assert changes_of_all(said(hair=0), [said(hair=0), said(hair=1)], None, [told[0], {}])[1] == []
    assert changes_of_all(said(hair=0), [said(hair=0), said(hair=1)], None, told)[1] == [
        "hair: short to long (100%)"
    ]


def test_words() -> None:
    assert shortened("abcdef", 4) == ["a", "b", "c", "d", "and 2 more"]
    assert shortened("abcd", 4) == list("abcd")
    assert latent_norm(np.full(16, -2.0, dtype=np.float32)) == pytest.approx(2.0)
    assert norm_words(1.2, 64) == "inside what the model knows"
    assert norm_words(1.93, 64) == "outside: |z| is 1.9 times what is usual"
    assert norm_words(67639.84, 64) == "outside: |z| is 67,640 times what is usual"
    spec = ModelSpec(family="vae", image_size=32, latent_shape=(8,))
    assert "faces-vae does not project onto datasets: it is of the family vae" in no_projection(
        spec, "faces-vae"
    )
    domain = Attribute(name="style", classes=("ink", "clay"))
    for condition, projects in (((domain, MODE), False), ((domain,), True)):
        schema = ConditionSchema(attributes=condition)
        whose = ModelSpec.model_validate(dict(spec) | {"condition": schema, "projects": projects})
        assert no_projection(whose, "styles") == ""
        assert whose.datasets == domain.classes
    with pytest.raises(ValueError, match="its condition is a dataset and no more"):
        ModelSpec.model_validate(dict(spec) | {"projects": True})
