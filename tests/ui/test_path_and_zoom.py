"""The picture view used by hand: the path that plays, the difference, and enlarging."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hands import CONTROL, LEFT, choose, drag_slider, redo, two_pins, undo, wheel
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtWidgets import QApplication

from latentlab.operations.difference import difference_picture
from latentlab.operations.explore import Explorer


@pytest.fixture
def explorer(tiny_model_folder: Path, tiny_predictor_folder: Path) -> Explorer:
    return Explorer.open(tiny_model_folder, tiny_predictor_folder)


@pytest.fixture
def bar(driver):
    """The bar of a path through two pins, with its pictures."""
    found = driver.screen.picture.bar
    assert not found.isVisible()
    two_pins(driver)
    driver.wait(found.strip.isEnabled)
    return found


def test_the_path_bar_is_there_with_two_ticked_pins(driver, bar) -> None:
    shelf, play = driver.screen.intents.shelf, driver.window.actions_table["play_path"]
    assert bar.isVisible()
    assert play.isEnabled()
    assert bar.strip._names == ("Pin 1", "Pin 2")
    shelf.tick_pin("Pin 1", False)
    assert not bar.isVisible()
    assert not play.isEnabled()
    undo(driver)
    assert bar.isVisible()
    shelf.remove_pin("Pin 2")
    assert not bar.isVisible()


def test_scrubbing_travels_and_is_one_step(driver, bar) -> None:
    start, steps, strip = driver.latent.copy(), len(driver.workspace.session.history), bar.strip
    y = 30
    driver.qtbot.mousePress(strip, LEFT, pos=QPoint(round(strip.x_of(0.1)), y))
    for share in np.linspace(0.1, 0.45, 12):
        driver.qtbot.mouseMove(strip, QPoint(round(strip.x_of(share)), y))
        QApplication.processEvents()
    driver.qtbot.mouseRelease(strip, LEFT, pos=QPoint(round(strip.x_of(0.45)), y))
    latents = driver.screen.picture.follower.latents
    assert (latents.reshape(len(latents), -1) == driver.latent).all(1).any()
    assert len(driver.workspace.session.history) == steps + 1
    assert driver.undo_name == "Travel along the path"
    driver.rest()
    undo(driver)
    np.testing.assert_array_equal(driver.latent, start)
    redo(driver)
    assert not np.array_equal(driver.latent, start)


def test_the_path_can_be_set_and_that_is_undone(driver, bar) -> None:
    choose(bar.kind, "Linear")
    bar.closed.click()
    path = driver.workspace.session.document.shelf.path
    assert (path.kind, path.closed) == ("linear", False)
    assert driver.undo_name == "Set the path"
    undo(driver)
    driver.wait(lambda: bar.closed.isChecked() and bar.kind.currentText() == "Spherical")


def play(driver) -> None:
    """Play until the latent has moved some steps."""
    seen: set[bytes] = set()

    def look(_change) -> None:
        seen.add(driver.latent.tobytes())

    driver.workspace.session.changed.connect(look)
    driver.window.actions_table["play_path"].trigger()
    driver.wait(lambda: len(seen) > 4)
    driver.workspace.session.changed.disconnect(look)
    assert driver.screen.picture.playing
    assert driver.screen.picture.bar.playing


def test_playing_moves_the_latent_and_a_slider_stops_it(driver, bar) -> None:
    start, steps = driver.latent.copy(), len(driver.workspace.session.history)
    play(driver)
    drag_slider(driver, driver.list.row(5).slider)
    assert not bar.playing
    assert not driver.screen.picture.playing
    moved = driver.latent.copy()
    driver.qtbot.wait(150)
    np.testing.assert_array_equal(driver.latent, moved)
    assert driver.undo_name == "Move dimension 5"
    assert len(driver.workspace.session.history) == steps + 2, "the drag is one step, what was played another"
    undo(driver)
    assert driver.undo_name == "Play the path"
    undo(driver)
    np.testing.assert_array_equal(driver.latent, start)
    driver.rest()


@pytest.mark.parametrize(
    ("action", "name"), [("mutate", "Mutate"), ("randomise", "Randomise (seed 0)"), ("pin", "Pin Pin 3")]
)
def test_what_is_done_while_the_path_plays_is_a_step_of_its_own(driver, bar, action: str, name: str) -> None:
    start, steps = driver.latent.copy(), len(driver.workspace.session.history)
    play(driver)
    driver.window.actions_table[action].trigger()
    driver.screen.picture.play(False)
    names = []
    while len(driver.workspace.session.history) > steps:
        names.append(driver.undo_name)
        undo(driver)
    assert names in ([name, "Play the path"], ["Play the path", name, "Play the path"])
    np.testing.assert_array_equal(driver.latent, start)
    driver.rest()


def test_playing_again_stops_and_all_of_it_is_one_step(driver, bar) -> None:
    steps = len(driver.workspace.session.history)
    play(driver)
    driver.qtbot.mouseClick(bar.play, LEFT)
    assert not bar.playing
    assert len(driver.workspace.session.history) == steps + 1
    assert driver.undo_name == "Play the path"
    driver.rest()


def test_another_view_stops_the_path_and_playing_comes_back_to_it(driver, bar) -> None:
    play(driver)
    driver.screen.show_view("grid")
    assert not driver.screen.picture.playing
    driver.rest()
    play(driver)
    assert driver.screen.view == "picture"
    driver.screen.picture.play(False)
    driver.rest()


# The difference


def expected_difference(driver, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    colours = (driver.window.theme.colour(name) for name in ("sunken", "darker", "lighter"))
    return difference_picture(before, after, *((one.red(), one.green(), one.blue()) for one in colours))


def test_the_difference_is_from_the_start_or_the_pin_that_is_compared_with(driver, explorer) -> None:
    stage, action = driver.screen.stage, driver.window.actions_table["difference"]
    assert not stage.difference.isVisible()
    action.trigger()
    assert stage.difference.isVisible()
    driver.workspace.explore.move(2, 1.5)
    driver.rest()
    start, shown = stage.start.pixels[..., 2::-1], stage.difference.pixels[..., 2::-1]
    np.testing.assert_array_equal(shown, expected_difference(driver, start, driver.picture))
    assert stage.difference._detail == "from the reconstruction"

    pinned = driver.workspace.explore.state.latent
    driver.window.actions_table["pin"].trigger()
    driver.workspace.explore.move(4, -2.0)
    driver.qtbot.mouseClick(driver.screen.panel.pins._compare, LEFT)
    assert driver.undo_name == "Compare with Pin 1"
    driver.wait(lambda: stage._reference is not None)
    driver.rest()
    assert stage.difference._detail == "from Pin 1"
    shown = stage.difference.pixels[..., 2::-1].astype(int)
    expected = expected_difference(driver, explorer.picture(pinned), driver.picture)
    assert np.abs(shown - expected).max() <= 6, "the pin's picture is a live one"
    driver.qtbot.mouseClick(driver.screen.panel.pins._compare, LEFT)
    assert stage.difference._detail == "from the reconstruction"
    action.trigger()
    assert not stage.difference.isVisible()
    driver.rest()


def test_pins_that_change_places_are_not_taken_for_one_another(driver) -> None:
    two_pins(driver)
    screen, shelf = driver.screen, driver.screen.intents.shelf
    driver.wait(
        lambda: screen.comparison.pin_frame is not None and len(screen.comparison.pin_frame.pixels) == 2
    )
    shelf.compare_with("Pin 1")
    picture = screen.stage._reference.copy()
    shelf.move_pin("Pin 1", 1)
    assert screen.stage._reference is not None
    np.testing.assert_array_equal(screen.stage._reference, picture)
    driver.rest()


# Enlarging


def test_the_wheel_enlarges_around_the_pointer_and_a_double_click_shows_all(driver) -> None:
    stage = driver.screen.stage
    point = QPointF(stage.edited.picture_area().topLeft()) + QPointF(30, 50)
    under = stage.edited._share_at(point)
    wheel(stage.edited, 2, point)
    assert stage.zoom == pytest.approx(1.25**2)
    assert stage.edited._share_at(point).x() == pytest.approx(under.x())
    assert stage.edited._share_at(point).y() == pytest.approx(under.y())
    assert stage.input._part == stage.edited._part, "all pictures show the same part"
    driver.rest()
    driver.qtbot.mouseDClick(stage.start, LEFT, pos=stage.start.picture_area().center())
    assert stage.zoom == 1.0
    wheel(stage.edited, -3, point)
    assert stage.zoom == 1.0
    wheel(stage.edited, 100, point)
    assert stage.zoom == pytest.approx(16.0)


def test_an_enlarged_picture_is_dragged_but_not_over_its_edge(driver) -> None:
    stage = driver.screen.stage
    centre = stage.edited.picture_area().center()
    wheel(stage.edited, 3, QPointF(centre))
    before = QRectF(stage.edited._part)
    driver.qtbot.mousePress(stage.edited, LEFT, pos=centre)
    driver.qtbot.mouseMove(stage.edited, centre + QPoint(20, 10))
    assert stage.edited._part.x() < before.x()
    assert stage.edited._part.y() < before.y()
    driver.qtbot.mouseMove(stage.edited, centre + QPoint(4000, 4000))
    driver.qtbot.mouseRelease(stage.edited, LEFT, pos=centre)
    assert (stage.edited._part.x(), stage.edited._part.y()) == (0.0, 0.0)
    driver.rest()


def test_keys_enlarge_and_show_all(driver) -> None:
    window, stage = driver.window, driver.screen.stage
    window.activateWindow()
    driver.qtbot.keyClick(window, Qt.Key.Key_Plus, CONTROL)
    driver.qtbot.keyClick(window, Qt.Key.Key_Plus, CONTROL)
    assert stage.zoom == pytest.approx(1.25**2)
    driver.qtbot.keyClick(window, Qt.Key.Key_Minus, CONTROL)
    assert stage.zoom == pytest.approx(1.25)
    driver.qtbot.keyClick(window, Qt.Key.Key_9, CONTROL)
    assert stage.zoom == 1.0
    assert len(driver.workspace.session.history) == 0, "looking is no step"
