from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from latentlab.operations import latents
from latentlab.operations.direction import along as moved_along
from latentlab.operations.direction import unit_direction
from latentlab.session.along import AlongIntents
from latentlab.session.document import CheckpointRef, Document
from latentlab.session.explore import ExploreIntents, start_from_draw
from latentlab.session.session import Session
from latentlab.session.shelf import ShelfIntents
from latentlab.spec import ModelSpec

SPEC = ModelSpec(family="vae", image_size=32, latent_shape=(4, 16))


class Table:
    """A session over a drawn latent of 64 numbers, with directions a and b (orthogonal) and c (not)."""

    def __init__(self) -> None:
        self.session = Session()
        self.session.restart(Document(CheckpointRef("a", "a", "0" * 64, ""), start_from_draw(SPEC, 5)))
        self.shelf = ShelfIntents(self.session)
        self.along = AlongIntents(self.session)
        self.explore = ExploreIntents(self.session)
        drawn = np.random.default_rng(0).standard_normal((64, 2))
        first, second = np.linalg.qr(drawn)[0].T
        self.shelf.add_directions(
            [
                unit_direction("a", first, 0.7),
                unit_direction("b", second, 1.9),
                unit_direction("c", first + second, 1.0),
            ]
        )

    @property
    def latent(self) -> np.ndarray:
        assert self.explore.state is not None
        return self.explore.state.latent

    @property
    def start(self) -> np.ndarray:
        assert self.explore.state is not None
        return self.explore.state.start


@pytest.fixture
def table() -> Table:
    return Table()


def test_moving_goes_by_sigma_from_the_start(table: Table) -> None:
    table.along.move("a", 2.0)
    direction = table.shelf.shelf.direction("a")
    assert direction is not None
    expected = moved_along(SPEC, table.start, direction, np.float32([2.0]))[0]
    np.testing.assert_allclose(table.latent, expected, atol=1e-6)
    assert table.latent.shape == (4, 16)
    assert table.along.offset("a") == pytest.approx(2.0, abs=1e-5)
    assert table.session.history.undo_name == "Move a"


def test_there_and_back_is_exactly_the_start(table: Table) -> None:
    for name in "abc":
        table.along.move(name, 2.7)
        table.along.move(name, 0.0)
        np.testing.assert_array_equal(table.latent, table.start)


def test_a_long_drag_there_and_back_is_exactly_the_start(table: Table) -> None:
    table.along.begin_move("a")
    for k in [*range(1, 3001), *range(2999, -1, -1)]:
        table.along.move("a", 4.0 * np.sin(k / 1000) + k / 1000)
    table.along.end_move()
    np.testing.assert_array_equal(table.latent, table.start)


def test_there_and_back_keeps_what_was_changed_otherwise(table: Table) -> None:
    table.explore.move(3, 2.5)
    before = table.latent
    here = table.along.offset("a")
    for k in range(1000):
        table.along.move("a", here + 3.0 * np.sin(k))
    table.along.move("a", here)
    np.testing.assert_array_equal(table.latent, before)


def test_a_drag_is_one_step_with_the_directions_name(table: Table) -> None:
    before, steps = table.session.document, len(table.session.history)
    table.along.begin_move("b")
    for k in range(50):
        table.along.move("b", k / 25)
    table.along.end_move()
    assert table.session.history.undo_name == "Move b"
    assert len(table.session.history) == steps + 1
    after = table.session.document
    table.session.undo()
    assert table.session.document is before
    table.session.redo()
    assert table.session.document is after


def test_orthogonal_directions_do_not_move_each_others_offsets(table: Table) -> None:
    table.along.move("a", 1.5)
    table.along.move("b", -2.0)
    assert table.along.offset("a") == pytest.approx(1.5, abs=1e-5)
    assert table.along.offset("b") == pytest.approx(-2.0, abs=1e-5)
    table.along.move("c", 1.0)
    assert table.along.offset("a") != pytest.approx(1.5, abs=0.1), "c is not orthogonal to a"
    assert table.along.offset("c") == pytest.approx(1.0, abs=1e-5)


def test_resetting_goes_back_along_one_direction_only(table: Table) -> None:
    table.along.move("a", 1.5)
    table.along.move("b", -2.0)
    table.along.reset("a")
    assert table.session.history.undo_name == "Reset a"
    assert table.along.offset("a") == pytest.approx(0.0, abs=1e-5)
    assert table.along.offset("b") == pytest.approx(-2.0, abs=1e-5)
    steps = len(table.session.history)
    table.along.reset("a")
    assert len(table.session.history) == steps


def test_locked_dimensions_stay_and_the_offset_is_still_reached(table: Table) -> None:
    locked = [0, 7, 40]
    table.shelf.lock(locked, True)
    table.along.move("a", 2.0)
    np.testing.assert_array_equal(table.latent.reshape(-1)[locked], table.start.reshape(-1)[locked])
    assert table.along.offset("a") == pytest.approx(2.0, abs=1e-5)
    assert not np.isin(np.flatnonzero(table.latent != table.start), locked).any()
    table.along.move("a", 0.0)
    np.testing.assert_array_equal(table.latent, table.start)


def test_locking_while_one_is_out_keeps_the_locked_value(table: Table) -> None:
    table.along.move("a", 2.0)
    table.shelf.lock([7], True)
    kept = table.latent.reshape(-1)[7]
    table.along.move("a", 0.0)
    assert table.latent.reshape(-1)[7] == kept
    assert table.along.offset("a") == pytest.approx(0.0, abs=1e-5)


def test_a_direction_that_is_wholly_locked_does_not_move(table: Table) -> None:
    table.shelf.lock(range(64), True)
    before = table.session.document
    table.along.move("a", 2.0)
    table.along.reset("a")
    assert table.session.document is before


def test_a_direction_there_is_not_or_of_another_model_does_not_move(table: Table) -> None:
    table.shelf.add_directions([unit_direction("short", [1.0, 0.0], 1.0)])
    before = table.session.document
    for name in ("nothing", "short"):
        table.along.move(name, 1.0)
        table.along.reset(name)
        assert table.along.offset(name) == 0.0
    assert table.session.document is before


def test_moving_along_renders_what_the_explorer_renders(
    open_desk, tiny_model_folder: Path, tiny_predictor_folder: Path
) -> None:
    from latentlab.operations.explore import Explorer

    workspace = open_desk.workspace
    ShelfIntents(workspace.session).add_directions([unit_direction("a", np.arange(8.0) - 3, 1.0)])
    workspace.explore.randomise(workspace.opened.spec, 3)
    AlongIntents(workspace.session).move("a", 2.0)
    open_desk.wait_settled()
    explorer = Explorer.open(tiny_model_folder, tiny_predictor_folder)
    expected = explorer.picture(workspace.explore.state.latent)
    np.testing.assert_array_equal(workspace.rendering.settled_frame.pixels[0, ..., 2::-1], expected)
    assert not np.array_equal(expected, explorer.picture(latents.draw(explorer.spec, 3)))
