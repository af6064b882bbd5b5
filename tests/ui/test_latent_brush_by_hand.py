"""The brush on a spatial latent, by mouse and keys; directions come first; foreign files are dropped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from driver import Driver
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from latentlab.data.set_folder import copy_image_set
from latentlab.operations.explore import Explorer
from latentlab.operations.make_map import make_map
from latentlab.operations.map_file import map_path
from latentlab.session.find_directions import ROWS
from latentlab.session.latent_brush import START
from latentlab.ui.widgets.latent_panel import DIRECTIONS

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def gridded(qtbot, make_window, tiny_grid_folder: Path, face: Path) -> Driver:
    """The window with the tiny spatial autoencoder and a face, at rest."""
    driver = Driver(qtbot, make_window())
    driver.workspace.open_checkpoint(str(tiny_grid_folder), "")
    driver.workspace.bring_file(face)
    driver.rest()
    return driver


def drag(driver: Driver, *places: tuple[float, float]) -> None:
    canvas = driver.screen.stage.edited
    at = [canvas._point_of(one).toPoint() for one in places]
    driver.qtbot.mousePress(canvas, LEFT, pos=at[0])
    for one in at[1:]:
        driver.qtbot.mouseMove(canvas, one)
        QApplication.processEvents()
    driver.qtbot.mouseRelease(canvas, LEFT, pos=at[-1])


def test_a_stroke_by_the_mouse_changes_the_picture_under_it(gridded) -> None:
    bar, canvas = gridded.screen.picture.brush, gridded.screen.stage.edited
    assert bar.isVisible()
    before = gridded.picture.copy()
    drag(gridded, (6.0, 6.0), (12.0, 6.0))
    assert not gridded.workspace.explore.state.edited, "nobody paints yet"
    bar.toggle.click()
    assert canvas.painting
    bar.inks.setCurrentText("Channel 1")
    bar.strength.setValue(6.0)
    bar.size_box.setValue(8)
    drag(gridded, (6.0, 6.0), (12.0, 6.0))
    gridded.rest()
    assert gridded.undo_name == "Paint Channel 1 on the latent"
    stroke = gridded.workspace.explore.state.drawn.strokes[0]
    assert (stroke.amount, stroke.radius, stroke.hardness) == (6.0, 4.0, 0.5)
    changed = np.abs(gridded.picture.astype(int) - before).sum(-1)
    assert changed[:12, :16].max() > changed[20:, 20:].max()
    gridded.qtbot.keyClick(canvas, Qt.Key.Key_E)
    assert bar.erases
    assert not bar.inks.isEnabled()
    bar.size_box.setValue(32)
    drag(gridded, (16.0, 16.0), (4.0, 4.0), (14.0, 4.0))
    assert gridded.undo_name == "Erase from the latent"
    gridded.workspace.session.undo()
    gridded.workspace.session.undo()
    gridded.rest()
    np.testing.assert_array_equal(gridded.picture, before)


def test_by_keys_and_enlarged(gridded) -> None:
    bar, stage = gridded.screen.picture.brush, gridded.screen.stage
    gridded.window.actions_table["paint_latent"].trigger()
    assert stage.edited.painting
    stage.edited.setFocus()
    gridded.qtbot.keyClick(stage.edited, Qt.Key.Key_BracketRight)
    assert bar.size_box.value() > 8
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Space):
        gridded.qtbot.keyClick(stage.edited, key)
    assert gridded.undo_name.startswith("Paint Channel 0")
    stage.zoom_by(3.0)
    place = (stage.edited.side * 0.55, stage.edited.side * 0.45)
    at = stage.edited._place_of(stage.edited._point_of(place))
    assert at == pytest.approx(place, abs=1e-3)
    bar.toggle.click()
    assert not stage.edited.painting
    part = stage.edited._part.x()
    drag(gridded, (16.0, 16.0), (17.0, 16.0))
    assert stage.edited._part.x() != part, "an enlarged picture is moved again"


def test_directions_come_first_and_are_painted_with(gridded, tiny_faces, tmp_path: Path) -> None:
    panel, screen = gridded.screen.panel, gridded.screen
    assert panel.tabs.currentIndex() == DIRECTIONS
    folder = str(copy_image_set(tmp_path / "faces", tiny_faces))
    explorer = Explorer.open(gridded.workspace.opened.path, "")
    make_map(explorer, tiny_faces, folder, ROWS, out=map_path(explorer.located.sha256(), folder, ROWS, 0))
    screen.map.finder.find_components(3, folder)
    shelf = lambda: gridded.workspace.session.document.shelf  # noqa: E731
    gridded.wait(lambda: shelf().directions)
    assert [one.name for one in shelf().directions] == ["PC 1", "PC 2", "PC 3"]
    gridded.rest()
    bar = screen.picture.brush
    assert bar.inks.currentText() == "PC 1"
    assert bar.inks.itemData(bar.inks.count() - 1) == START
    screen.show_view("grid")
    gridded.wait(lambda: not screen.grid.follower.waiting)
    assert screen.grid.follower.plan.row_labels == ("PC 1", "PC 2", "PC 3")


def test_thousands_of_entries_make_few_rows(gridded) -> None:
    gridded.screen.panel.show_page(0)
    QApplication.processEvents()
    assert len(gridded.list.infos) == 192
    assert gridded.list.made < 40


def test_the_bar_goes_with_a_model_that_has_no_grid(gridded, tiny_model_folder: Path) -> None:
    bar = gridded.screen.picture.brush
    bar.toggle.click()
    gridded.workspace.open_checkpoint(str(tiny_model_folder), "")
    gridded.wait(lambda: gridded.workspace.opened.spec.latent_shape == (8,))
    gridded.rest()
    assert not bar.isVisible()
    assert not gridded.screen.stage.edited.painting
    assert "no grid to paint on" in gridded.window.actions_table["paint_latent"].toolTip()


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_foreign_checkpoint_is_dropped_onto_the_window(driver, tmp_path: Path, what: str) -> None:
    folder = tmp_path / "final_model"
    folder.mkdir()
    (folder / "model_config.json").write_text(
        '{"name": "VAEConfig", "input_dim": [1, 16, 16], "latent_dim": 5, "uses_default_encoder": true, '
        '"uses_default_decoder": true, "reconstruction_loss": "mse"}'
    )
    shapes = {
        "encoder.layers.0.0": (12, 256),
        "encoder.embedding": (5, 12),
        "encoder.log_var": (5, 12),
        "decoder.layers.0.0": (12, 5),
        "decoder.layers.1.0": (256, 12),
    }
    state = {f"{name}.weight": torch.zeros(shape) for name, shape in shapes.items()}
    state |= {f"{name}.bias": torch.zeros(shape[0]) for name, shape in shapes.items()}
    torch.save({"model_state_dict": state}, folder / "model.pt")
    dropped = folder if what == "folder" else folder / "model.pt"
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(dropped))])
    action, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(400, 300), action, data, LEFT, none)
    QApplication.sendEvent(driver.window, enter)
    assert enter.isAccepted()
    drop = QDropEvent(QPointF(400, 300), action, data, LEFT, none)
    QApplication.sendEvent(driver.window, drop)
    assert drop.isAccepted()
    driver.wait(lambda: driver.workspace.opened.spec.family == "mlp_vae")
    driver.rest()
    assert driver.workspace.opened.path == str(dropped.resolve())


def test_opening_is_stopped_by_a_button(driver, tiny_grid_folder: Path) -> None:
    stop, opened = driver.window.status.stop, driver.workspace.opened
    assert not stop.isVisible()
    driver.workspace.open_checkpoint(str(tiny_grid_folder))
    assert stop.isVisible()
    stop.click()
    assert not stop.isVisible()
    driver.wait(lambda: driver.workspace.in_step)
    assert driver.workspace.opened is opened
    assert "it was stopped" in driver.window.banner.message.text
    driver.rest()
