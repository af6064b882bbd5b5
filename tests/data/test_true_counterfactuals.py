"""A true counterfactual is the same person drawn again: only what was asked for changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latentlab.data.avatars import list_avatars, make_avatars
from latentlab.data.catalog import open_set
from latentlab.data.image_set import ImageSet
from latentlab.data.set_folder import copy_image_set, open_image_set
from latentlab.data.true_counterfactuals import (
    can_be_drawn_again,
    drawn_again,
    true_counterfactual,
    true_counterfactuals,
)
from latentlab.errors import Cancelled, DataError
from latentlab.progress import Reporter

STYLES = ("lorelei", "toon-head")


@pytest.fixture(scope="module")
def avatars(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    """Five people in two styles at 32 px; toon-head shows no glasses."""
    listed = list_avatars({"test": 5}, seed=4, styles=STYLES)
    return open_image_set(make_avatars(tmp_path_factory.mktemp("avatars") / "set", listed, 32, workers=1))


def own(avatars: ImageSet, position: int, attribute: str) -> str | None:
    code = int(avatars.codes(attribute)[position])
    return None if code < 0 else avatars.attribute(attribute).classes[code]


def test_the_same_class_gives_the_sets_own_picture(avatars: ImageSet) -> None:
    assert can_be_drawn_again(avatars)
    tried = 0
    for position in range(len(avatars)):
        for attribute in ("glasses", "beard", "skin", "hair"):
            label = own(avatars, position, attribute)
            if label is not None:
                drawn = true_counterfactual(avatars, position, attribute, label)
                np.testing.assert_array_equal(drawn, avatars.pixels([position])[0])
                tried += 1
    assert tried > 20


def test_a_set_that_was_resized_has_truths_that_were_resized(avatars: ImageSet, tmp_path: Path) -> None:
    smaller = open_set(copy_image_set(tmp_path / "copy", avatars), 20)
    smallest = open_set(copy_image_set(tmp_path / "again", smaller), 16)
    for resized in (smaller, smallest):
        for position in range(len(resized)):
            label = own(resized, position, "beard")
            drawn = true_counterfactual(resized, position, "beard", label)
            np.testing.assert_array_equal(drawn, resized.pixels([position])[0])


def test_another_class_changes_something_and_leaves_most(avatars: ImageSet) -> None:
    for position in range(len(avatars)):
        label = own(avatars, position, "glasses")
        if label is None:
            continue
        other = true_counterfactual(avatars, position, "glasses", "yes" if label == "no" else "no")
        changed = (other != avatars.pixels([position])[0]).any(-1).mean()
        assert 0.005 < changed < 0.4


def test_a_selection_is_drawn_by_its_own_positions(avatars: ImageSet) -> None:
    chosen = avatars.select(np.arange(len(avatars))[::-1])
    label = own(chosen, 0, "beard")
    np.testing.assert_array_equal(true_counterfactual(chosen, 0, "beard", label), chosen.pixels([0])[0])


def test_what_a_style_cannot_draw_has_no_truth(avatars: ImageSet) -> None:
    toon = int(np.flatnonzero(avatars.codes("style") == avatars.attribute("style").index("toon-head"))[0])
    assert true_counterfactual(avatars, toon, "glasses", "yes") is None
    assert true_counterfactual(avatars, toon, "hat", "yes") is None
    assert true_counterfactual(avatars, toon, "beard", "purple") is None


def test_several_attributes_change_at_once(avatars: ImageSet) -> None:
    lorelei = int(np.flatnonzero(avatars.codes("style") == avatars.attribute("style").index("lorelei"))[0])
    both = drawn_again(avatars, lorelei, {"glasses": "yes", "beard": "yes"})
    alone = drawn_again(avatars, lorelei, {"glasses": "yes", "beard": "no"})
    assert (both != alone).any()
    np.testing.assert_array_equal(drawn_again(avatars, lorelei, {}), avatars.pixels([lorelei])[0])
    assert drawn_again(avatars, lorelei, {"glasses": "yes", "clothes": "red"}) is None, "never to be seen"


def test_many_are_drawn_each_with_its_label(avatars: ImageSet) -> None:
    labels = np.array(["yes", "no", "", "yes", "no"] * 2)
    pictures, known = true_counterfactuals(avatars, "glasses", labels)
    assert pictures.shape == (10, 32, 32, 3)
    for position, label in enumerate(labels.tolist()):
        drawn = true_counterfactual(avatars, position, "glasses", label) if label else None
        assert known[position] == (drawn is not None)
        np.testing.assert_array_equal(pictures[position], 255 if drawn is None else drawn)
    assert known.any()
    assert not known.all()


def test_drawing_many_can_be_cancelled(avatars: ImageSet) -> None:
    reporter = Reporter()
    reporter.cancel()
    with pytest.raises(Cancelled):
        true_counterfactuals(avatars, "glasses", np.array(["yes"] * 10), reporter)


def test_other_sets_cannot_be_drawn_again(avatars: ImageSet, tiny_faces: ImageSet) -> None:
    assert not can_be_drawn_again(tiny_faces)
    varied = avatars.info.model_copy(update={"source": {**avatars.info.source, "variety": True}})
    assert not can_be_drawn_again(replace(avatars, info=varied))
    with pytest.raises(DataError):
        true_counterfactual(tiny_faces, 0, "glasses", "yes")
