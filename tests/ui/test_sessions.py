"""Sessions in the window: what is saved comes back to the bit, also after a crash."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog

from latentlab.session.autosave import last_session, recoverable, state_directory
from latentlab.ui.sessions import HINTS
from tests.ui.conftest import Driver


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("LATENTLAB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return state_directory()


@pytest.fixture
def keeping(qtbot, make_window, tiny_model_folder, tiny_predictor_folder, face) -> Driver:
    """A window that remembers, with the tiny model and a face."""
    driver = Driver(qtbot, make_window(keep=True))
    driver.window.settings.set_flag("hints_seen", True)
    driver.workspace.open_checkpoint(str(tiny_model_folder), str(tiny_predictor_folder))
    driver.workspace.bring_file(face)
    driver.rest()
    return driver


def change(driver: Driver) -> np.ndarray:
    """Do this and that, and return the settled picture."""
    driver.workspace.explore.move(2, 1.375)
    driver.window.actions_table["pin"].trigger()
    driver.workspace.explore.move(5, -0.625)
    driver.screen.show_view("grid")
    driver.rest()
    return driver.workspace.rendering.settled_frame.pixels.copy()


def test_a_saved_session_reopens_to_the_same_picture_view_and_pins(driver, tmp_path) -> None:
    picture = change(driver)
    latent = driver.latent.copy()
    path = tmp_path / "mine.json"
    driver.window.sessions.save(path)
    driver.wait(lambda: path.exists() and not driver.workspace.busy)
    driver.window.actions_table["randomise"].trigger()
    driver.screen.intents.shelf.remove_pin("Pin 1")
    driver.screen.show_view("picture")
    driver.window.open_path(path)
    driver.wait(lambda: driver.undo_name == "Open session mine")
    driver.rest()
    np.testing.assert_array_equal(driver.latent, latent)
    np.testing.assert_array_equal(driver.workspace.rendering.settled_frame.pixels, picture)
    assert [pin.name for pin in driver.screen.intents.shelf.shelf.pins] == ["Pin 1"]
    assert driver.screen.view == "grid"
    driver.window.actions_table["undo"].trigger()
    driver.rest()
    assert driver.screen.intents.shelf.shelf.pins == ()


def test_what_a_crash_left_is_offered_and_restored(
    keeping, state, qtbot, make_window, tiny_model_folder
) -> None:
    picture = change(keeping)
    keeping.wait(lambda: keeping.window.sessions.autosave.path is not None)
    path = keeping.window.sessions.autosave.path
    keeping.wait(lambda: path.exists() and '"grid"' in path.read_text())
    assert recoverable(state) == [], "its window lives"
    left = state / "autosave-1.json"
    shutil.copy(path, left)  # as if its process had been killed
    other = Driver(qtbot, make_window(keep=True))
    other.window.sessions.begin(recover=True)
    assert other.window.banner.asking
    assert "without being closed" in other.window.banner.message.text
    other.window.banner._do.click()
    other.rest()
    np.testing.assert_array_equal(other.workspace.rendering.settled_frame.pixels, picture)
    assert other.screen.view == "grid"
    other.wait(lambda: not left.exists())


def test_declining_discards_what_a_crash_left(keeping, state) -> None:
    state.mkdir(parents=True, exist_ok=True)
    left = state / "autosave-1.json"
    left.write_text("{}")
    keeping.window.sessions.begin(recover=True)
    keeping.window.banner._close.click()
    assert not left.exists()
    assert not keeping.window.banner.isVisible()


def test_a_recovery_that_fails_keeps_the_file(keeping, state) -> None:
    state.mkdir(parents=True, exist_ok=True)
    left = state / "autosave-1.json"
    left.write_text("{}")
    keeping.window.sessions.begin(recover=True)
    keeping.window.banner._do.click()
    keeping.wait(lambda: keeping.window.banner.message is not None)
    assert keeping.window.banner.message.kind == "error"
    assert left.exists()


def test_a_window_that_is_closed_leaves_its_session_to_be_reopened(keeping, state) -> None:
    change(keeping)
    latent = keeping.latent.copy()
    keeping.window.close()
    assert recoverable(state) == []
    path = last_session(state)
    assert path is not None
    saved = json.loads(path.read_text())
    np.testing.assert_array_equal(np.float32(saved["explore"]["latent"]), latent)


def test_only_opening_the_window_leaves_the_last_session_alone(keeping, state) -> None:
    keeping.window.close()
    assert last_session(state) is None


def test_a_session_whose_model_has_moved_asks_for_it(
    driver, tmp_path, tiny_model_folder, monkeypatch
) -> None:
    path = tmp_path / "moved.json"
    driver.window.sessions.save(path)
    driver.wait(lambda: path.exists() and not driver.workspace.busy)
    content = json.loads(path.read_text())
    content["checkpoint"]["path"] = str(tmp_path / "gone")
    path.write_text(json.dumps(content))
    driver.window.open_path(path)
    driver.wait(lambda: driver.window.banner.asking)
    assert str(tmp_path / "gone") in driver.window.banner.message.text
    chosen = str(tiny_model_folder / "config.json")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_arguments: (chosen, ""))
    driver.window.banner._do.click()
    driver.wait(lambda: driver.undo_name == "Open session moved")


def test_the_first_hints_are_shown_one_by_one_and_then_never_again(qtbot, make_window) -> None:
    window = make_window(keep=True)
    window.sessions.begin(recover=True)
    for hint in HINTS:
        assert window.banner.message.text == hint
        window.banner._do.click()
    assert not window.banner.isVisible()
    window.sessions.begin(recover=True)
    assert not window.banner.isVisible()
