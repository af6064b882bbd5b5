from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from latentlab.errors import SettingsError
from latentlab.operations import latents
from latentlab.operations.direction import Direction, unit_direction
from latentlab.session.document import (
    AxisRef,
    CheckpointRef,
    Document,
    GridView,
    MapView,
    PathView,
    ProbeView,
)
from latentlab.session.explore import ExploreIntents, start_in_the_middle
from latentlab.session.session import Session
from latentlab.session.shelf import ShelfIntents, free_name
from latentlab.spec import ModelSpec

SPEC = ModelSpec(family="vae", image_size=32, latent_shape=(2, 3))


@pytest.fixture
def session() -> Session:
    """A session whose steps are never near enough in time to join."""
    hours = iter(range(0, 10**6, 3600))
    session = Session(lambda: float(next(hours)))
    checkpoint = CheckpointRef("a", "a", "0" * 64, "")
    session.restart(Document(checkpoint, start_in_the_middle(SPEC)))
    return session


@pytest.fixture
def shelf(session: Session) -> ShelfIntents:
    return ShelfIntents(session)


def axis(name: str, dimension: int, sigma: float = 0.5) -> Direction:
    return unit_direction(name, np.eye(6)[dimension], sigma)


def pin_names(shelf: ShelfIntents) -> list[str]:
    return [pin.name for pin in shelf.shelf.pins]


def _furnish(shelf: ShelfIntents) -> None:
    """Put two of each aside, and let views use a direction."""
    shelf.pin(latents.draw(SPEC, 0))
    shelf.pin(latents.draw(SPEC, 1))
    shelf.add_directions([axis("age", 0)])
    shelf.add_directions([axis("smile", 1)])
    shelf.add_group(latents.draw(SPEC, 2), 5)
    shelf.lock([2], True)
    shelf.compare_with("Pin 2")
    shelf.set_grid(GridView(axes=(AxisRef(direction="age"), AxisRef(3))))
    shelf.set_probe(ProbeView(AxisRef(direction="age"), "glasses"))


INTENTS: dict[str, Callable[[ShelfIntents], object]] = {
    "Pin Pin 3": lambda shelf: shelf.pin(),
    "Go to Pin 2": lambda shelf: shelf.go_to_pin("Pin 2"),
    "Remove Pin 2": lambda shelf: shelf.remove_pin("Pin 2"),
    "Rename Pin 2": lambda shelf: shelf.rename_pin("Pin 2", "Ada"),
    "Leave out Pin 1": lambda shelf: shelf.tick_pin("Pin 1", False),
    "Move Pin 1": lambda shelf: shelf.move_pin("Pin 1", 1),
    "Compare with the start": lambda shelf: shelf.compare_with(""),
    "Compare with Pin 1": lambda shelf: shelf.compare_with("Pin 1"),
    "Add hat": lambda shelf: shelf.add_directions([axis("hat", 4)]),
    "Add 2 directions": lambda shelf: shelf.add_directions([axis("hat", 4), axis("hat", 5)]),
    "Make orthogonal": lambda shelf: shelf.replace_directions([axis("hat", 4)], "Make orthogonal"),
    "Add Pin 1 to Pin 2": lambda shelf: shelf.add_difference(SPEC, *shelf.shelf.pins),
    "Remove age": lambda shelf: shelf.remove_direction("age"),
    "Rename age": lambda shelf: shelf.rename_direction("age", "years"),
    "Set the range of age": lambda shelf: shelf.set_reach("age", 5.0),
    "Make Group 2": lambda shelf: shelf.group_ticked_pins(),
    "Make lasso": lambda shelf: shelf.add_group(latents.draw(SPEC, 3), 9, "lasso"),
    "Remove Group 1": lambda shelf: shelf.remove_group("Group 1"),
    "Rename Group 1": lambda shelf: shelf.rename_group("Group 1", "mine"),
    "Go to Group 1": lambda shelf: shelf.go_to_group("Group 1"),
    "Lock dimension 4": lambda shelf: shelf.lock([4], True),
    "Lock dimensions": lambda shelf: shelf.lock([4, 5], True),
    "Unlock dimension 2": lambda shelf: shelf.lock([2], False),
    "Set the grid": lambda shelf: shelf.set_grid(GridView("plane")),
    "Set the path": lambda shelf: shelf.set_path(PathView(closed=False)),
    "Set the probe": lambda shelf: shelf.set_probe(ProbeView(AxisRef(2))),
    "Set the map": lambda shelf: shelf.set_map(MapView(layout="tsne")),
}


@pytest.mark.parametrize("name", INTENTS)
def test_each_intent_is_one_step_of_its_name_that_undo_takes_back_and_redo_repeats(
    name: str, session: Session, shelf: ShelfIntents
) -> None:
    _furnish(shelf)
    before, steps = session.document, len(session.history)
    INTENTS[name](shelf)
    after = session.document
    assert session.history.undo_name == name
    assert len(session.history) == steps + 1
    assert after is not before
    session.undo()
    assert session.document is before
    assert session.history.redo_name == name
    session.redo()
    assert session.document is after


NOTHING: dict[str, Callable[[ShelfIntents], object]] = {
    "the same name for a pin": lambda shelf: shelf.rename_pin("Pin 1", "Pin 1"),
    "the same name for a direction": lambda shelf: shelf.rename_direction("age", "age"),
    "the same name for a group": lambda shelf: shelf.rename_group("Group 1", "Group 1"),
    "a pin that is ticked": lambda shelf: shelf.tick_pin("Pin 1", True),
    "the first pin earlier": lambda shelf: shelf.move_pin("Pin 1", -1),
    "what is compared": lambda shelf: shelf.compare_with("Pin 2"),
    "no directions": lambda shelf: shelf.add_directions([]),
    "the range it has": lambda shelf: shelf.set_reach("age", 3.0),
    "what is locked": lambda shelf: shelf.lock([2], True),
    "the view it has": lambda shelf: shelf.set_path(PathView()),
    "a pin there is not": lambda shelf: shelf.remove_pin("Ada"),
    "the order of a pin there is not": lambda shelf: shelf.move_pin("Ada", 1),
    "to a pin there is not": lambda shelf: shelf.go_to_pin("Ada"),
    "a direction there is not": lambda shelf: shelf.remove_direction("hat"),
    "a group there is not": lambda shelf: shelf.remove_group("mine"),
    "to a group there is not": lambda shelf: shelf.go_to_group("mine"),
}


@pytest.mark.parametrize("what", NOTHING)
def test_what_changes_nothing_leaves_no_step(what: str, session: Session, shelf: ShelfIntents) -> None:
    _furnish(shelf)
    before = session.document
    NOTHING[what](shelf)
    assert session.document is before


def test_going_where_one_is_leaves_no_step(session: Session, shelf: ShelfIntents) -> None:
    _furnish(shelf)
    for go, name in ((shelf.go_to_pin, "Pin 1"), (shelf.go_to_group, "Group 1")):
        go(name)
        there = session.document
        go(name)
        assert session.document is there


def test_names_are_unique_and_a_free_one_is_found(shelf: ShelfIntents) -> None:
    assert [shelf.pin() for _ in range(3)] == ["Pin 1", "Pin 2", "Pin 3"]
    shelf.remove_pin("Pin 2")
    assert [shelf.pin(), shelf.pin(name="Ada"), shelf.pin(name="Ada")] == ["Pin 2", "Ada", "Ada 2"]
    assert sorted(pin_names(shelf)) == sorted(set(pin_names(shelf)))
    assert shelf.add_directions([axis("age", 0), axis("age", 1), axis("age 2", 2)]) == [
        "age",
        "age 2",
        "age 2 2",
    ]
    assert [shelf.add_group(latents.draw(SPEC, k), 1) for k in range(2)] == ["Group 1", "Group 2"]
    assert free_name("x", ["x", "x 2", "x 3"]) == "x 4"


def test_a_name_that_is_taken_or_empty_is_refused_and_nothing_changes(
    session: Session, shelf: ShelfIntents
) -> None:
    _furnish(shelf)
    shelf.add_group(latents.draw(SPEC, 3), 1)
    before = session.document
    for rename, name, taken in (
        (shelf.rename_pin, "Pin 1", "Pin 2"),
        (shelf.rename_direction, "age", "smile"),
        (shelf.rename_group, "Group 1", "Group 2"),
    ):
        with pytest.raises(SettingsError, match=f"There is a {taken} already"):
            rename(name, taken)
        with pytest.raises(SettingsError, match="at least one letter"):
            rename(name, " ")
    assert session.document is before


def test_a_pin_keeps_the_edited_latent_and_one_comes_back_to_it(
    session: Session, shelf: ShelfIntents
) -> None:
    explore = ExploreIntents(session)
    explore.move(4, 1.5)
    name = shelf.pin()
    explore.move(4, 0.0)
    assert explore.state is not None
    start = explore.state.start
    shelf.go_to_pin(name)
    np.testing.assert_array_equal(explore.state.latent, [[0, 0, 0], [0, 1.5, 0]])
    assert explore.state.start is start
    with pytest.raises(ValueError, match="read-only"):
        shelf.shelf.pins[0].latent[0, 0] = 3.0


def test_pins_go_in_the_order_one_gives_them(shelf: ShelfIntents) -> None:
    for _ in range(4):
        shelf.pin()
    shelf.move_pin("Pin 1", 2)
    assert pin_names(shelf) == ["Pin 2", "Pin 3", "Pin 1", "Pin 4"]
    shelf.move_pin("Pin 4", -9)
    assert pin_names(shelf) == ["Pin 4", "Pin 2", "Pin 3", "Pin 1"]


def test_the_compared_pin_is_followed_by_its_name_and_forgotten_with_it(shelf: ShelfIntents) -> None:
    shelf.pin()
    shelf.pin()
    shelf.compare_with("Pin 1")
    shelf.rename_pin("Pin 1", "Ada")
    assert shelf.shelf.compared == "Ada"
    shelf.remove_pin("Pin 2")
    assert shelf.shelf.compared == "Ada"
    shelf.remove_pin("Ada")
    assert shelf.shelf.compared == ""


def test_renaming_a_direction_follows_into_grid_and_probe(session: Session, shelf: ShelfIntents) -> None:
    _furnish(shelf)
    shelf.rename_direction("age", "years")
    assert shelf.shelf.grid.axes == (AxisRef(direction="years"), AxisRef(3))
    assert shelf.shelf.probe == ProbeView(AxisRef(direction="years"), "glasses")
    assert [one.name for one in shelf.shelf.directions] == ["years", "smile"]
    session.undo()
    assert shelf.shelf.probe.axis.direction == "age"
    shelf.rename_direction("smile", "grin")
    assert shelf.shelf.grid.axes[0].direction == "age"


def test_views_let_go_of_a_direction_that_is_removed(session: Session, shelf: ShelfIntents) -> None:
    _furnish(shelf)
    shelf.remove_direction("age")
    assert shelf.shelf.grid.axes == (AxisRef(3),)
    assert shelf.shelf.probe == ProbeView(attribute="glasses")
    session.undo()
    assert shelf.shelf.grid.axes[0] == shelf.shelf.probe.axis == AxisRef(direction="age")


def test_a_difference_points_from_the_first_to_the_second(shelf: ShelfIntents) -> None:
    shelf.pin(np.zeros((2, 3), np.float32), "from")
    shelf.add_group(np.float32([[0, 0, 3], [0, 4, 0]]), 7, "to")
    pin, group = shelf.shelf.pin("from"), shelf.shelf.group("to")
    assert pin is not None
    assert group is not None
    assert shelf.add_difference(SPEC, pin, group) == "from to to"
    made = shelf.shelf.directions[0]
    np.testing.assert_allclose(made.array(), [0, 0, 0.6, 0, 0.8, 0], atol=1e-7)
    assert made.origin == "from from to the mean of to (7)"
    with pytest.raises(SettingsError, match="two ends are the same"):
        shelf.add_difference(SPEC, pin, pin)


def test_the_ticked_pins_make_a_group_of_their_mean(shelf: ShelfIntents) -> None:
    for value in (1.0, 3.0, 100.0):
        shelf.pin(np.full((2, 3), value, np.float32))
    shelf.tick_pin("Pin 3", False)
    name = shelf.group_ticked_pins()
    group = shelf.shelf.group(name)
    assert group is not None
    np.testing.assert_array_equal(group.mean, np.full((2, 3), 2.0))
    assert (group.count, group.data, len(group.rows)) == (2, "", 0)
    for pin in ("Pin 1", "Pin 2"):
        shelf.tick_pin(pin, False)
    with pytest.raises(SettingsError, match="No pin is ticked"):
        shelf.group_ticked_pins()


def test_a_group_knows_its_rows(shelf: ShelfIntents) -> None:
    shelf.add_group(np.ones((2, 3)), 2, "lasso", "faces:train", np.array([4, 9]))
    group = shelf.shelf.group("lasso")
    assert group is not None
    assert group.data == "faces:train"
    assert group.rows.tolist() == [4, 9]


def test_locked_dimensions_stay_when_all_others_change(session: Session, shelf: ShelfIntents) -> None:
    explore = ExploreIntents(session)
    for dimension in range(6):
        explore.move(dimension, 10.0 + dimension)
    shelf.lock([1, 4], True)
    kept, free = [1, 4], [0, 2, 3, 5]

    def now() -> np.ndarray:
        assert explore.state is not None
        return explore.state.latent.reshape(-1)

    before = now()
    explore.mutate(SPEC, 3)
    np.testing.assert_array_equal(now()[kept], [11.0, 14.0])
    assert (now()[free] != before[free]).all()
    explore.reset_all()
    np.testing.assert_array_equal(now(), [0, 11, 0, 0, 14, 0])
    explore.reset_all()
    assert session.history.undo_name == "Reset all"
    explore.randomise(SPEC, 7)
    np.testing.assert_array_equal(now()[kept], [11.0, 14.0])
    np.testing.assert_array_equal(now()[free], latents.draw(SPEC, 7).reshape(-1)[free])
    assert explore.state is not None
    assert not explore.state.edited
    assert explore.state.origin == "random, seed 7, 2 locked dimensions kept"
    shelf.lock([1, 4], False)
    explore.randomise(SPEC, 7)
    np.testing.assert_array_equal(now(), latents.draw(SPEC, 7).reshape(-1))
    assert explore.state.origin == "random, seed 7"


def test_a_locked_dimension_can_still_be_moved_by_its_own_slider(
    session: Session, shelf: ShelfIntents
) -> None:
    explore = ExploreIntents(session)
    shelf.lock([1], True)
    explore.move(1, 2.0)
    assert explore.state is not None
    assert explore.state.latent[0, 1] == 2.0


def test_without_a_model_intents_say_so() -> None:
    shelf = ShelfIntents(Session())
    for intent in (
        shelf.pin,
        lambda: shelf.add_directions([axis("age", 0)]),
        lambda: shelf.lock([0], True),
        lambda: shelf.set_grid(GridView("plane")),
    ):
        with pytest.raises(SettingsError, match="open a checkpoint"):
            intent()


def test_the_shelf_of_a_model_stays_while_another_is_open(
    open_desk, idle_model_folder: Path, tiny_model_folder: Path, tiny_predictor_folder: Path
) -> None:
    workspace = open_desk.workspace
    shelf = ShelfIntents(workspace.session)
    shelf.pin(name="mine")
    shelf.lock([2], True)
    first = shelf.shelf
    workspace.open_checkpoint(str(idle_model_folder), str(tiny_predictor_folder))
    open_desk.wait(lambda: workspace.in_step)
    assert workspace.opened.name == "idle-vae"
    assert shelf.shelf.pins == ()
    assert shelf.shelf.locked == frozenset()
    assert shelf.pin() == "Pin 1"
    second = shelf.shelf
    workspace.open_checkpoint(str(tiny_model_folder), str(tiny_predictor_folder))
    open_desk.wait(lambda: workspace.in_step)
    assert shelf.shelf is first
    workspace.session.undo()
    open_desk.wait(lambda: workspace.in_step)
    assert workspace.opened.name == "idle-vae"
    assert shelf.shelf is second
