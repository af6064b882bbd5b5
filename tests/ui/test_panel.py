"""The panel beside the views: finding, ordering and locking dimensions; directions; pins and groups."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QInputDialog, QWidget

from latentlab.operations.direction import unit_direction
from latentlab.ui.widgets.difference_dialog import DifferenceDialog
from latentlab.ui.widgets.dimension_page import CHANGE


def answer(kind: type, do) -> None:
    """Do something to the dialog of a kind as soon as it is there."""

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, kind):
            do(dialog)
        else:
            QTimer.singleShot(20, look)

    QTimer.singleShot(20, look)


@pytest.fixture
def directions(driver):
    shelf = driver.screen.intents.shelf
    first, second = np.eye(8)[0] + np.eye(8)[1], np.eye(8)[3]
    shelf.add_directions([unit_direction("left", first, 2.0), unit_direction("up", second, 0.5)])
    driver.screen.panel.show_page(1)
    return driver.screen.explore_panel.directions


def test_dimensions_are_found_by_number_range_and_word(driver) -> None:
    page = driver.screen.panel.dimensions
    driver.qtbot.keyClicks(page.search, "3 6-")
    assert sorted(info.index for info in page.list.infos) == [3, 6]
    page.search.setText("5-7")
    assert sorted(info.index for info in page.list.infos) == [5, 6, 7]
    driver.workspace.explore.move(2, 1.0)
    driver.rest()
    page.search.setText("changed")
    driver.workspace.explore.move(4, 1.0)
    driver.rest()
    assert sorted(info.index for info in page.list.infos) == [2, 4]
    page.search.setText("nose")
    assert page.list.infos == []
    assert page._nothing.isVisible()
    page.search.clear()
    assert len(page.list.infos) == 8


def test_dimensions_are_ordered_by_what_one_sees(driver, idle_model_folder) -> None:
    driver.workspace.open_checkpoint(str(idle_model_folder))
    driver.rest()
    page = driver.screen.panel.dimensions
    page.order.setCurrentText(CHANGE)
    driver.wait(lambda: page.list.infos[-1].index == 5)
    assert page.list.infos[-1].weight == pytest.approx(0.0, abs=0.05)
    assert page.list.infos[0].weight == 1.0


def test_a_locked_dimension_stays_and_the_lock_is_undone(driver) -> None:
    row = driver.list.row(4)
    value = driver.latent[4]
    driver.qtbot.mouseClick(row.lock, Qt.MouseButton.LeftButton)
    assert driver.undo_name == "Lock dimension 4"
    assert not row.slider.isEnabled()
    driver.window.actions_table["randomise"].trigger()
    driver.window.actions_table["mutate"].trigger()
    assert driver.latent[4] == value
    for _ in range(3):
        driver.window.actions_table["undo"].trigger()
    driver.rest()
    assert row.slider.isEnabled()


def test_a_direction_moves_the_latent_and_goes_back_to_the_bit(driver, directions) -> None:
    start = driver.latent.copy()
    row = directions.row("left")
    row.spin.setValue(1.5)
    driver.rest()
    moved = driver.latent - start
    np.testing.assert_allclose(moved[:2], 1.5 * 2.0 / np.sqrt(2), rtol=1e-5)
    assert not moved[2:].any()
    assert driver.undo_name == "Move left"
    assert row.spin.value() == 1.5
    assert row.reset.isEnabled()
    driver.qtbot.mouseDClick(row.slider, Qt.MouseButton.LeftButton)
    np.testing.assert_array_equal(driver.latent, start)
    driver.rest()
    assert not row.reset.isEnabled()


def test_directions_are_renamed_ranged_removed_and_brought_back(driver, directions) -> None:
    answer(QInputDialog, lambda dialog: (dialog.setTextValue("west"), dialog.accept()))
    directions.asked.emit("left", "rename")
    assert directions.names == ["west", "up"]
    answer(QInputDialog, lambda dialog: (dialog.setTextValue("up"), dialog.accept()))
    directions.asked.emit("west", "rename")
    assert "There is a up already" in driver.window.banner.message.text
    answer(QInputDialog, lambda dialog: (dialog.setDoubleValue(5.0), dialog.accept()))
    directions.asked.emit("west", "reach")
    driver.rest()
    assert directions.row("west").direction.reach == 5.0
    directions.asked.emit("west", "remove")
    assert directions.names == ["up"]
    assert driver.undo_name == "Remove west"
    driver.window.actions_table["undo"].trigger()
    assert directions.names == ["west", "up"]


def test_directions_are_saved_and_loaded_again(driver, directions, tmp_path) -> None:
    path = tmp_path / "ways.json"
    driver.window.exports.directions(path)
    driver.wait(lambda: path.exists() and not driver.window.exports.busy)
    before = driver.screen.intents.shelf.shelf.directions
    for name in ("left", "up"):
        directions.asked.emit(name, "remove")
    driver.window.open_path(path)
    assert driver.screen.intents.shelf.shelf.directions == before
    assert driver.undo_name == "Load directions of ways.json"


def test_pins_are_ticked_renamed_gone_to_and_removed(driver) -> None:
    actions, screen = driver.window.actions_table, driver.screen
    page, shelf = screen.explore_panel.pins, screen.intents.shelf
    start = driver.latent.copy()
    actions["pin"].trigger()
    driver.workspace.explore.move(2, 2.0)
    actions["pin"].trigger()
    assert page.pins.count() == 2
    item = page.pins.item(0)
    item.setCheckState(Qt.CheckState.Unchecked)
    assert not shelf.shelf.pin("Pin 1").ticked
    page.pins.item(0).setText("calm")
    assert shelf.shelf.pin("calm") is not None
    page.pins.item(1).setText("calm")
    assert "There is a calm already" in driver.window.banner.message.text
    assert page.pins.item(1).text() == "Pin 2"
    page.pins.setCurrentRow(0)
    driver.qtbot.keyClick(page.pins, Qt.Key.Key_Return)
    np.testing.assert_array_equal(driver.latent, start)
    driver.qtbot.keyClick(page.pins, Qt.Key.Key_Delete)
    assert [pin.name for pin in shelf.shelf.pins] == ["Pin 2"]
    actions["undo"].trigger()
    assert len(shelf.shelf.pins) == 2


def test_a_direction_goes_from_one_pin_to_a_group(driver) -> None:
    actions, shelf = driver.window.actions_table, driver.screen.intents.shelf
    start = driver.latent.copy()
    actions["pin"].trigger()
    driver.workspace.explore.move(2, float(start[2]) + 2.0)
    actions["pin"].trigger()
    actions["group_pins"].trigger()
    assert shelf.shelf.group("Group 1").count == 2
    np.testing.assert_allclose(shelf.shelf.group("Group 1").mean.reshape(-1)[2], start[2] + 1.0, rtol=1e-5)

    def choose(dialog: DifferenceDialog) -> None:
        dialog.first.setCurrentText("Pin 1")
        dialog.second.setCurrentText("Group 1")
        dialog.accept()

    answer(DifferenceDialog, choose)
    actions["add_difference"].trigger()
    (made,) = shelf.shelf.directions
    assert made.name == "Pin 1 to Group 1"
    np.testing.assert_allclose(made.array(), np.eye(8)[2], atol=1e-6)


@pytest.mark.parametrize("page", [0, 1, 2])
def test_every_control_of_the_panel_is_reached_by_tab(driver, directions, page: int) -> None:
    driver.window.actions_table["pin"].trigger()
    panel = driver.screen.panel
    panel.show_page(page)
    driver.rest()
    wanted = {
        child
        for child in panel.findChildren(QWidget)
        if child.isVisibleTo(driver.window)
        and child.isEnabled()
        and child.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not child.visibleRegion().isEmpty()
    }
    assert all(
        child.accessibleName() or getattr(child, "text", str)()
        for child in wanted
        if child.focusProxy() is None
    )
    driver.window.activateWindow()
    panel.tabs.setFocus(Qt.FocusReason.TabFocusReason)
    reached = set()
    for _ in range(400):
        focus = QApplication.focusWidget()
        if focus in reached and focus is panel.tabs:
            break
        reached.add(focus)
        driver.qtbot.keyClick(focus, Qt.Key.Key_Tab)
    missed = [child.accessibleName() for child in wanted - reached if child.focusProxy() is None]
    assert missed == []
