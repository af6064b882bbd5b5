"""What is being rendered for a file or the clipboard is finished, or a person is told that it was not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hands import answer, error_of, two_pins
from PIL import Image
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from latentlab.session.document import PathView

STEPS = 100


@pytest.fixture
def loop(driver, tmp_path, monkeypatch) -> Path:
    """A loop of many pictures that is being rendered."""
    two_pins(driver)
    driver.screen.intents.shelf.set_path(PathView("spherical", STEPS, True))
    path = tmp_path / "loop.webp"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_arguments: (str(path), ""))
    driver.window.actions_table["export_loop"].trigger()
    assert driver.window.exports.rendering
    return path


def export_picture(driver, monkeypatch, path: Path) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_arguments: (str(path), ""))
    driver.workspace.explore.move(2, 1.5)
    driver.window.actions_table["export_picture"].trigger()


def copy_picture(driver, _monkeypatch, _path: Path) -> None:
    driver.workspace.explore.move(2, 1.5)
    driver.window.actions_table["copy_picture"].trigger()


def test_a_loop_that_another_model_overtakes_is_said_not_to_be_saved(
    driver, loop: Path, idle_model_folder: Path
) -> None:
    driver.workspace.open_checkpoint(str(idle_model_folder))
    driver.rest()
    assert error_of(driver).startswith(f"{loop} was not saved: The model was closed or changed")
    assert not driver.window.exports.busy
    assert not loop.exists()


@pytest.mark.parametrize(
    ("export", "what"), [(export_picture, "{} was not"), (copy_picture, "picture was not")]
)
def test_a_picture_that_another_model_overtakes_is_said_not_to_be_there(
    driver, tmp_path, monkeypatch, idle_model_folder: Path, export, what: str
) -> None:
    QApplication.clipboard().clear()
    path = tmp_path / "edited.png"
    export(driver, monkeypatch, path)
    driver.workspace.open_checkpoint(str(idle_model_folder))
    driver.rest()
    assert what.format(path) in error_of(driver)
    assert not path.exists()
    assert QApplication.clipboard().image().isNull()
    assert not driver.window.exports.busy


def test_closing_waits_for_what_is_to_be_saved(driver, loop: Path) -> None:
    assert not driver.window.close()
    assert driver.window.isVisible()
    driver.wait(lambda: not driver.window.isVisible())
    with Image.open(loop) as pictures:
        assert pictures.n_frames == 2 * STEPS


def test_who_does_not_want_to_wait_closes_without_it(driver, loop: Path) -> None:
    answer(QMessageBox, lambda box: box.button(QMessageBox.StandardButton.Discard).click())
    driver.window.close()
    driver.wait(lambda: not driver.window.isVisible())
    assert not loop.exists()


def test_who_wants_to_stay_after_all_keeps_the_window(driver, loop: Path) -> None:
    answer(QMessageBox, lambda box: box.button(QMessageBox.StandardButton.Cancel).click())
    driver.window.close()
    driver.wait(lambda: loop.exists() and not driver.window.exports.busy)
    assert driver.window.isVisible()
    driver.rest()


def test_a_window_that_waits_stays_where_the_export_comes_to_nothing(
    driver, loop: Path, idle_model_folder: Path
) -> None:
    driver.window.close()
    driver.workspace.open_checkpoint(str(idle_model_folder))
    driver.rest()
    assert driver.window.isVisible()
    assert str(loop) in error_of(driver)
