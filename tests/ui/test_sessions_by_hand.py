"""Sessions through the window's own actions: saved, dropped, kept against a crash, offered again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from driver import Driver
from hands import LEFT, drop, undo
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QFileDialog

from latentlab.session.autosave import last_session, recoverable, state_directory
from latentlab.ui import menus
from latentlab.ui.screens.explore import VIEWS
from latentlab.ui.sessions import HINTS


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("LATENTLAB_STATE", str(tmp_path / "state"))
    return state_directory()


@pytest.fixture
def save(driver, tmp_path, monkeypatch) -> Callable[[], Path]:
    """Save the session by its action, as a file that the dialog names."""

    def do() -> Path:
        path = tmp_path / "mine.json"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_arguments: (str(path), ""))
        driver.window.actions_table["save_session"].trigger()
        driver.wait(lambda: path.exists() and not driver.workspace.busy)
        driver.wait(lambda: driver.window.banner.message is not None)
        assert driver.window.banner.message.text == f"Saved as {path}."
        return path

    return do


def work(driver: Driver) -> np.ndarray:
    """Edit, pin and lock something, and return the settled picture."""
    driver.workspace.explore.move(2, 1.375)
    driver.window.actions_table["pin"].trigger()
    driver.workspace.explore.move(5, -0.625)
    driver.screen.intents.shelf.lock([1], True)
    driver.rest()
    return driver.workspace.rendering.settled_frame.pixels.copy()


@pytest.mark.parametrize("view", VIEWS)
def test_a_dropped_session_brings_picture_and_view_back(driver, save, view: str) -> None:
    picture = work(driver)
    driver.screen.show_view(view)
    driver.rest()
    path = save()
    shelf = driver.workspace.session.document.shelf
    driver.window.actions_table["randomise"].trigger()
    driver.screen.intents.shelf.lock([1], False)
    driver.screen.show_view("probe" if view == "picture" else "picture")
    driver.rest()
    assert not np.array_equal(driver.workspace.rendering.settled_frame.pixels, picture)
    drop(driver.window, path)
    driver.wait(lambda: driver.undo_name == "Open session mine.json")
    driver.rest()
    np.testing.assert_array_equal(driver.workspace.rendering.settled_frame.pixels, picture)
    np.testing.assert_array_equal(driver.screen._edited.pixels, picture[0])
    assert driver.screen.view == view
    again = driver.workspace.session.document.shelf
    assert [pin.name for pin in again.pins] == [pin.name for pin in shelf.pins]
    assert again.locked == shelf.locked == {1}
    undo(driver)
    driver.rest()
    assert driver.workspace.session.document.shelf.locked == frozenset()


def test_the_speed_of_the_path_comes_back_with_the_session(driver, save) -> None:
    page = driver.screen.picture
    page.bar.speed.setValue(9)
    path = save()
    assert json.loads(path.read_text())["window"]["fps"] == 9
    page.bar.speed.setValue(30)
    drop(driver.window, path)
    driver.wait(lambda: driver.undo_name == "Open session mine.json")
    driver.wait(lambda: page.fps == 9)
    assert page.bar.speed.value() == 9
    assert page._clock.interval() == 111
    path.write_text(path.read_text().replace('"fps": 9', '"fps": 900'))
    drop(driver.window, path)
    driver.wait(lambda: page.fps == 60)
    driver.rest()


def keeping(qtbot, make_window) -> Driver:
    driver = Driver(qtbot, make_window(keep=True))
    driver.window.settings.set_flag("hints_seen", True)
    return driver


def working(qtbot, make_window, model: Path, predictor: Path, face: Path) -> Driver:
    """A window that remembers, with a model and a picture."""
    driver = keeping(qtbot, make_window)
    driver.workspace.open_checkpoint(str(model), str(predictor))
    driver.workspace.bring_file(face)
    driver.rest()
    return driver


def test_after_a_crash_the_next_start_offers_the_session_and_restores_it(
    qtbot, make_window, tiny_model_folder, tiny_predictor_folder, face, state, tmp_path, monkeypatch
) -> None:
    driver = working(qtbot, make_window, tiny_model_folder, tiny_predictor_folder, face)
    assert list(state.glob("autosave-*")) == [], "what the window opens by itself is nobody's work"
    picture = work(driver)
    driver.wait(lambda: any("latent" in path.read_text() for path in state.glob("autosave-*.json")))
    driver.wait(lambda: '"Pin 1"' in next(state.glob("autosave-*.json")).read_text())
    driver.wait(lambda: _latent(next(state.glob("autosave-*.json"))) == driver.latent.tolist())
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    shutil.copy(next(state.glob("autosave-*.json")), crashed / "autosave-99999.json")
    driver.window.close()

    monkeypatch.setenv("LATENTLAB_STATE", str(crashed))
    monkeypatch.setattr(menus, "bundled_models", dict)
    next_start = keeping(qtbot, make_window)
    next_start.window.begin(None, None)
    assert next_start.window.banner.asking
    assert "without being closed" in next_start.window.banner.message.text
    next_start.window.banner._do.click()
    next_start.rest()
    np.testing.assert_array_equal(next_start.workspace.rendering.settled_frame.pixels, picture)
    next_start.wait(lambda: not (crashed / "autosave-99999.json").exists())
    next_start.window.close()
    assert recoverable(crashed) == []
    assert _latent(last_session(crashed)) == next_start.latent.tolist()


def _latent(path: Path) -> list[float]:
    return np.float32(json.loads(path.read_text())["explore"]["latent"]).tolist()


def left_by_crashes(state: Path) -> tuple[Path, Path]:
    """Make two sessions that crashes left behind, the older one first."""
    state.mkdir()
    older, newer = state / "autosave-1.json", state / "autosave-2.json"
    older.write_text("{}")
    newer.write_text("{}")
    os.utime(older, (1, 1))
    return older, newer


def test_who_discards_a_session_is_asked_about_the_older_one_before_that_is_discarded(
    qtbot, make_window, state, monkeypatch
) -> None:
    monkeypatch.setattr(menus, "bundled_models", dict)
    older, newer = left_by_crashes(state)
    driver = keeping(qtbot, make_window)
    driver.window.begin(None, None)
    banner = driver.window.banner
    assert "An older one is kept too" in banner.message.text
    assert banner._other.text() == "Discard it"
    banner._other.click()
    assert (older.exists(), newer.exists()) == (True, False)
    assert banner.asking
    banner._other.click()
    assert not older.exists()
    assert not banner.isVisible()


def test_who_closes_the_question_keeps_the_sessions_and_finds_them_in_the_menu(
    qtbot, make_window, state, monkeypatch
) -> None:
    monkeypatch.setattr(menus, "bundled_models", dict)
    left = left_by_crashes(state)
    driver = keeping(qtbot, make_window)
    driver.window.begin(None, None)
    banner = driver.window.banner
    banner._close.click()
    assert not banner.isVisible()
    assert all(path.exists() for path in left)
    driver.window.actions_table["recover_session"].trigger()
    assert banner.asking
    assert "without being closed" in banner.message.text
    for _ in left:
        banner._other.click()
    driver.window.actions_table["recover_session"].trigger()
    assert not banner.asking
    assert "there is none to recover" in banner.message.text


def test_an_error_does_not_take_the_question_away(driver, state, tmp_path) -> None:
    state.mkdir()
    (state / "autosave-1.json").write_text("{}")
    driver.window.sessions.recover()
    banner = driver.window.banner
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(b"not a picture")
    drop(driver.window, damaged)
    driver.wait(lambda: banner.message.kind == "error")
    assert not banner.asking
    assert not banner._other.isVisible()
    banner._close.click()
    assert banner.asking
    assert banner._other.isVisible()
    banner._close.click()
    assert not banner.isVisible()
    assert (state / "autosave-1.json").exists()


def test_the_question_stays_while_other_things_are_opened(
    qtbot, make_window, state, tiny_model_folder
) -> None:
    state.mkdir()
    left = state / "autosave-1.json"
    left.write_text("{}")
    driver = keeping(qtbot, make_window)
    driver.window.sessions.begin(recover=True)
    drop(driver.window, tiny_model_folder)
    driver.wait(lambda: driver.workspace.in_step)
    driver.rest()
    assert driver.window.banner.asking
    assert left.exists()


def test_a_model_that_has_moved_is_found_by_hand_and_the_picture_is_the_same(
    driver, save, tmp_path, tiny_model_folder, tiny_predictor_folder, monkeypatch
) -> None:
    here = shutil.copytree(tiny_model_folder, tmp_path / "here")
    driver.workspace.open_checkpoint(str(here), str(tiny_predictor_folder))
    driver.wait(lambda: driver.workspace.in_step and driver.workspace.opened.path == str(here))
    picture = work(driver)
    path = save()
    driver.workspace.open_checkpoint(str(tiny_model_folder), str(tiny_predictor_folder))
    driver.wait(lambda: driver.workspace.in_step and driver.workspace.opened.path != str(here))
    (tmp_path / "moved").mkdir()
    there = here.rename(tmp_path / "moved" / "there")
    shelf = tmp_path / "sessions"
    shelf.mkdir()
    path = path.rename(shelf / "mine.json")
    document = driver.workspace.session.document
    drop(driver.window, path)
    driver.wait(lambda: driver.window.banner.asking)
    assert str(here) in driver.window.banner.message.text
    assert driver.workspace.session.document is document, "what is open stays until the model is found"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_arguments: ("", ""))
    driver.window.banner._do.click()
    assert driver.workspace.session.document is document
    drop(driver.window, path)
    driver.wait(lambda: driver.window.banner.asking)
    chosen = str(there / "config.json")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_arguments: (chosen, ""))
    driver.window.banner._do.click()
    driver.wait(lambda: driver.undo_name == "Open session mine.json")
    driver.rest()
    np.testing.assert_array_equal(driver.workspace.rendering.settled_frame.pixels, picture)


def test_the_last_session_is_reopened_after_a_clean_close(
    qtbot, make_window, tiny_model_folder, tiny_predictor_folder, face
) -> None:
    driver = working(qtbot, make_window, tiny_model_folder, tiny_predictor_folder, face)
    picture = work(driver)
    driver.screen.show_view("grid")
    driver.window.close()
    again = keeping(qtbot, make_window)
    again.window.sessions.begin(recover=True)
    assert not again.window.banner.asking, "it was closed cleanly"
    again.window.actions_table["reopen_session"].trigger()
    again.wait(lambda: again.workspace.in_step)
    again.rest()
    np.testing.assert_array_equal(again.workspace.rendering.settled_frame.pixels, picture)
    assert again.screen.view == "grid"


def test_hints_can_be_closed_at_once_and_are_never_shown_again(qtbot, make_window) -> None:
    driver = keeping(qtbot, make_window)
    driver.window.settings.set_flag("hints_seen", False)
    driver.window.sessions.begin(recover=True)
    assert driver.window.banner.message.text == HINTS[0]
    driver.window.banner._do.click()
    assert driver.window.banner.message.text == HINTS[1]
    driver.window.banner._close.click()
    assert not driver.window.banner.isVisible()
    again = Driver(qtbot, make_window(keep=True))
    again.window.sessions.begin(recover=True)
    assert not again.window.banner.isVisible()


def test_the_command_opens_a_session(driver, tmp_path) -> None:
    path, picture = tmp_path / "mine.json", tmp_path / "window.png"
    driver.screen.show_view("grid")
    driver.window.sessions.save(path)
    driver.wait(lambda: path.exists() and not driver.workspace.busy)
    command = [sys.executable, "-m", "latentlab", str(path), "--screenshot", str(picture)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert picture.is_file()


def kept(state: Path) -> list[float] | None:
    """Return the latent that the autosave holds, None while there is no autosave."""
    return next((_latent(path) for path in state.glob("autosave-*.json")), None)


def test_the_first_drag_is_kept_while_it_goes_on_and_what_is_taken_back_too(
    qtbot, make_window, tiny_model_folder, tiny_predictor_folder, face, state
) -> None:
    driver = working(qtbot, make_window, tiny_model_folder, tiny_predictor_folder, face)
    start, slider = driver.latent.copy(), driver.list.row(2).slider
    x = round(slider._x_of(slider.value()))
    qtbot.mousePress(slider, LEFT, pos=QPoint(x, 4))
    qtbot.mouseMove(slider, QPoint(x + 10, 4))
    qtbot.mouseMove(slider, QPoint(x + 20, 4))
    driver.wait(lambda: kept(state) == driver.latent.tolist() != start.tolist())
    assert driver.undo_name is None, "the drag has not ended"
    qtbot.mouseRelease(slider, LEFT, pos=QPoint(x + 20, 4))
    undo(driver)
    assert driver.latent.tolist() == start.tolist()
    driver.wait(lambda: kept(state) == start.tolist())
    driver.window.close()
    assert _latent(last_session(state)) == start.tolist()


def test_looking_at_what_the_window_has_opened_by_itself_replaces_no_session(
    qtbot, make_window, tiny_model_folder, tiny_predictor_folder, face, state
) -> None:
    driver = working(qtbot, make_window, tiny_model_folder, tiny_predictor_folder, face)
    driver.screen.show_view("probe")
    driver.rest()
    driver.window.close()
    assert last_session(state) is None
