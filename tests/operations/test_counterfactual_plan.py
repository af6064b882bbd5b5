"""Which conditions a row or a table draws, and what is said to have changed: without torch."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from latentlab.conditions import choose
from latentlab.errors import SettingsError
from latentlab.operations.counterfactual_plan import (
    other_class,
    row,
    single,
    table,
    total_variation,
    what_changed,
)
from latentlab.operations.difference import difference_picture, differing
from latentlab.spec import Attribute, ConditionSchema

SCHEMA = ConditionSchema(
    attributes=(
        Attribute(name="gender", classes=("female", "male")),
        Attribute(name="race", classes=("asian", "black", "white")),
        Attribute(name="age", kind="continuous"),
    )
)
OWN = choose(SCHEMA, {"gender": "male", "race": "black", "age": 0.5})
CLASSES = {"gender": ("female", "male"), "race": ("asian", "black", "white"), "hat": ("no", "yes")}


def test_no_torch_is_imported() -> None:
    code = "import sys; import latentlab.operations.counterfactual_plan; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_row_has_every_class_and_keeps_the_rest() -> None:
    plan = row(SCHEMA, OWN, "race")
    assert (plan.rows, plan.columns) == (1, 3)
    assert plan.column_labels == ("asian", "black", "white")
    assert plan.row_labels == ("race",)
    assert plan.conditions.dtype == np.float32
    assert plan.conditions.tolist() == [[0, 1, 1, 0, 0, 0.5], [0, 1, 0, 1, 0, 0.5], [0, 1, 0, 0, 1, 0.5]]
    assert plan.own == 1
    np.testing.assert_array_equal(plan.conditions[plan.own], OWN)
    assert plan.targets == ({"race": "asian"}, {"race": "black"}, {"race": "white"})
    assert plan.names == ("race=asian", "race=black", "race=white")
    assert plan.extrapolation == (False, False, False)


def test_a_table_goes_down_the_first_and_across_the_second() -> None:
    plan = table(SCHEMA, OWN, "gender", "race")
    assert (plan.rows, plan.columns) == (2, 3)
    assert plan.row_labels == ("female", "male")
    assert plan.column_labels == ("asian", "black", "white")
    assert plan.own == 4
    np.testing.assert_array_equal(plan.conditions[4], OWN)
    assert plan.targets[2] == {"gender": "female", "race": "white"}
    assert plan.names[2] == "gender=female,race=white"


def test_the_scale_multiplies_and_is_marked() -> None:
    plan = row(SCHEMA, OWN, "gender", 1.5)
    assert plan.conditions[:, :2].tolist() == [[1.5, 0], [0, 1.5]]
    assert plan.extrapolation == (True, True)
    assert plan.own == 1
    assert plan.names[0] == "gender=female x1.5"
    assert row(SCHEMA, OWN, "gender", 0.5).extrapolation == (False, False)
    assert row(SCHEMA, OWN, "gender", -1.0).extrapolation == (True, True)
    beyond = choose(SCHEMA, {"race": {"black": 2.0}}, OWN)
    assert row(SCHEMA, beyond, "gender").extrapolation == (True, True), "the other attribute is"


@pytest.mark.parametrize("gender", [{}, {"female": 0.5, "male": 0.5}, {"male": -1.0}])
def test_without_one_class_of_its_own_no_cell_is_the_pictures(gender: dict[str, float]) -> None:
    mixed = choose(SCHEMA, {"gender": gender}, OWN)
    assert row(SCHEMA, mixed, "gender").own is None
    assert table(SCHEMA, mixed, "race", "gender").own is None
    assert row(SCHEMA, mixed, "race").own == 1
    assert other_class(SCHEMA, mixed, "gender") is None


def test_one_class_can_be_planned_alone_and_the_next_one_is_known() -> None:
    plan = single(SCHEMA, OWN, "race", "white", 2.0)
    assert plan.conditions.tolist() == [[0, 1, 0, 0, 2, 0.5]]
    assert plan.own is None
    assert single(SCHEMA, OWN, "race", "black").own == 0
    assert other_class(SCHEMA, OWN, "race") == "white"
    assert other_class(SCHEMA, OWN, "gender") == "female"
    assert other_class(SCHEMA, 2.0 * OWN, "race") == "white"


def test_what_cannot_be_planned_is_refused() -> None:
    for plan, said in (
        (lambda: row(SCHEMA, OWN, "hat"), "no attribute 'hat'"),
        (lambda: row(SCHEMA, OWN, "age"), "'age' is continuous .* choose from: gender, race"),
        (lambda: table(SCHEMA, OWN, "race", "race"), "given twice"),
        (lambda: single(SCHEMA, OWN, "race", "green"), "no class 'green'"),
        (lambda: row(SCHEMA, OWN[:3], "race"), "has 6 numbers"),
        (lambda: row(SCHEMA, OWN, "race", float("nan")), "finite"),
        (lambda: row(ConditionSchema(), [], "race"), "unconditional"),
    ):
        with pytest.raises(SettingsError, match=said):
            plan()


def grey(value: int) -> np.ndarray:
    return np.full((4, 4, 3), value, dtype=np.uint8)


def said(gender: float, black: float, hat: float) -> dict[str, np.ndarray]:
    rest = (1.0 - black) / 2
    return {
        "gender": np.array([1 - gender, gender], np.float32),
        "race": np.array([rest, black, rest], np.float32),
        "hat": np.array([1 - hat, hat], np.float32),
    }


def test_effect_leakage_and_what_slipped() -> None:
    before, after = said(0.9, 0.8, 0.4), said(0.2, 0.6, 0.7)
    change = what_changed(grey(100), grey(100), before, after, CLASSES, {"gender": "female"})
    assert change.effect == pytest.approx(0.7)
    assert change.moved == pytest.approx({"race": 0.2, "hat": 0.3})
    assert change.leakage == pytest.approx(0.25)
    assert change.slipped == ("hat",)
    assert change.share == 0.0


def test_the_effect_of_two_targets_is_of_both_at_once() -> None:
    before, after = said(0.9, 0.8, 0.4), said(0.2, 0.6, 0.7)
    change = what_changed(grey(0), grey(0), before, after, CLASSES, {"gender": "female", "race": "black"})
    assert change.effect == pytest.approx(0.8 * 0.6 - 0.1 * 0.8)
    assert list(change.moved) == ["hat"]


def test_what_is_not_judged_is_not_known() -> None:
    change = what_changed(grey(0), grey(0), {}, {}, {}, {"gender": "female"})
    assert change.effect is None
    assert change.leakage is None
    assert change.slipped == ()
    before = said(0.9, 0.8, 0.4)
    assert what_changed(grey(0), grey(0), before, before, CLASSES, {"shoes": "red"}).effect is None
    assert what_changed(grey(0), grey(0), before, before, CLASSES, {"gender": "other"}).effect is None


def test_pixels_below_the_threshold_are_plain_and_count_as_unchanged() -> None:
    before, after = grey(100), grey(100)
    after[0, 0] = 105
    after[1, 1] = 60
    change = what_changed(before, after, {}, {}, {}, {}, threshold=8.0, ground=(1, 2, 3))
    assert change.share == pytest.approx(1 / 16)
    assert (change.difference[0, 0] == (1, 2, 3)).all()
    assert not (change.difference[1, 1] == (1, 2, 3)).all()
    every = what_changed(before, after, {}, {}, {}, {}, threshold=0.0)
    assert every.share == pytest.approx(2 / 16)
    np.testing.assert_array_equal(every.difference, difference_picture(before, after))
    assert differing(before, after, 5.0).sum() == 2
    assert differing(before, before).sum() == 0


def test_total_variation_runs_from_the_same_to_nothing_in_common() -> None:
    assert total_variation([0.5, 0.5], [0.5, 0.5]) == 0.0
    assert total_variation([1.0, 0.0], [0.0, 1.0]) == 1.0
    assert total_variation([0.7, 0.2, 0.1], [0.5, 0.2, 0.3]) == pytest.approx(0.2)
