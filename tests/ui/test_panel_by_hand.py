"""The panel used by hand: every change has its name in the menu, and is undone and repeated."""

from __future__ import annotations

import numpy as np
import pytest
from hands import (
    LEFT,
    answer,
    choose,
    drag_slider,
    error_of,
    goes_back_and_forth,
    pick,
    two_pins,
    undo,
)
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QInputDialog, QLineEdit, QWidget

from latentlab.operations.direction import unit_direction
from latentlab.ui.widgets.difference_dialog import DifferenceDialog
from latentlab.ui.widgets.latent_panel import DIRECTIONS, PINS


def listed(driver) -> list[int]:
    return sorted(info.index for info in driver.list.infos)


# Dimensions


def test_what_was_changed_before_it_is_searched_for_is_found(driver) -> None:
    search = driver.screen.panel.dimensions.search
    driver.workspace.explore.move(6, 1.0)
    driver.rest()
    driver.qtbot.keyClicks(search, "changed, 2")
    assert listed(driver) == [2, 6]
    driver.workspace.explore.move(3, 1.0)
    driver.rest()
    assert listed(driver) == [2, 3, 6]
    undo(driver)
    driver.rest()
    assert listed(driver) == [2, 6]


def test_a_row_that_one_holds_does_not_run_away(driver) -> None:
    search = driver.screen.panel.dimensions.search
    driver.workspace.explore.move(6, 1.0)
    driver.rest()
    driver.qtbot.keyClicks(search, "changed")
    driver.window.activateWindow()
    slider = driver.list.row(6).slider
    slider.setFocus()
    driver.qtbot.keyClick(slider, Qt.Key.Key_Backspace)
    driver.rest()
    assert listed(driver) == [6], "the row stays as long as it has the focus"


def test_locks_are_found_undone_and_repeated(driver) -> None:
    search = driver.screen.panel.dimensions.search
    row = driver.list.row(4)
    driver.qtbot.mouseClick(row.lock, LEFT)
    assert not any(one.isEnabled() for one in (row.slider, row.spin, row.reset))
    goes_back_and_forth(driver, "Lock dimension 4")
    driver.qtbot.keyClicks(search, "locked")
    assert listed(driver) == [4]
    driver.qtbot.mouseClick(driver.list.row(4).lock, LEFT)
    assert listed(driver) == []
    goes_back_and_forth(driver, "Unlock dimension 4")
    search.clear()
    assert driver.list.row(4).slider.isEnabled()
    driver.rest()


def test_each_order_says_what_it_is_and_lists_every_dimension(driver) -> None:
    order = driver.screen.panel.dimensions.order
    tips = set()
    for k in range(order.count()):
        choose(order, order.itemText(k))
        driver.rest()
        assert listed(driver) == list(range(8))
        tips.add(order.toolTip())
    assert len(tips) == order.count() >= 2
    choose(order, "By number")
    assert [info.index for info in driver.list.infos] == list(range(8))


# Directions


@pytest.fixture
def directions(driver):
    shelf = driver.screen.intents.shelf
    ways = (np.eye(8)[0] + np.eye(8)[1], np.eye(8)[3], np.eye(8)[3] + np.eye(8)[6])
    shelf.add_directions([unit_direction(n, way, 1.0) for n, way in zip("abc", ways, strict=True)])
    driver.screen.panel.show_page(DIRECTIONS)
    driver.rest()
    return driver.screen.explore_panel.directions


def asked(row, text: str) -> None:
    """Choose from a row's menu."""
    next(action for action in row.more.menu().actions() if action.text().startswith(text)).trigger()


def test_a_direction_is_dragged_and_reset_as_one_step_each(driver, directions) -> None:
    start, steps, row = driver.latent.copy(), len(driver.workspace.session.history), directions.row("a")
    assert not row.reset.isEnabled()
    drag_slider(driver, row.slider)
    moved = driver.latent - start
    assert moved[0] == pytest.approx(moved[1])
    assert moved[0] > 0
    assert not moved[2:].any()
    assert len(driver.workspace.session.history) == steps + 1
    goes_back_and_forth(driver, "Move a")
    driver.wait(row.reset.isEnabled)
    driver.qtbot.mouseClick(row.reset, LEFT)
    np.testing.assert_array_equal(driver.latent, start)
    goes_back_and_forth(driver, "Reset a")
    drag_slider(driver, row.slider, -30)
    driver.qtbot.mouseDClick(row.slider, LEFT)
    np.testing.assert_array_equal(driver.latent, start)
    assert driver.undo_name == "Reset a"
    assert not row.slider.isSliderDown()
    driver.rest()


def test_arrow_keys_move_a_direction_and_backspace_resets_it(driver, directions) -> None:
    start, row = driver.latent.copy(), directions.row("b")
    row.slider.setFocus()
    for _ in range(3):
        driver.qtbot.keyClick(row.slider, Qt.Key.Key_Right)
    assert driver.latent[3] > start[3]
    driver.qtbot.keyClick(row.slider, Qt.Key.Key_Backspace)
    np.testing.assert_array_equal(driver.latent, start)
    driver.rest()


def test_each_row_says_where_the_latent_stands_on_it(driver, directions) -> None:
    directions.row("b").spin.setValue(2.0)
    driver.rest()
    assert directions.row("c").spin.value() == pytest.approx(2.0 / np.sqrt(2), abs=0.01)
    assert directions.row("a").spin.value() == 0.0
    assert not directions.row("a").reset.isEnabled()
    driver.window.actions_table["orthogonalise"].trigger()
    assert "Choose a set in the map first" in error_of(driver), "no data of this model are known"


def test_the_menu_of_a_direction_renames_it_sets_its_range_and_removes_it(driver, directions) -> None:
    answer(QInputDialog, lambda dialog: (dialog.setTextValue("  smile "), dialog.accept()))
    asked(directions.row("b"), "Rename")
    assert directions.names == ["a", "smile", "c"]
    goes_back_and_forth(driver, "Rename b")
    answer(QInputDialog, lambda dialog: (dialog.setTextValue("other"), dialog.reject()))
    asked(directions.row("smile"), "Rename")
    assert directions.names == ["a", "smile", "c"]
    answer(QInputDialog, lambda dialog: (dialog.setTextValue("c"), dialog.accept()))
    asked(directions.row("smile"), "Rename")
    assert "c already" in error_of(driver)
    answer(QInputDialog, lambda dialog: (dialog.setDoubleValue(6.0), dialog.accept()))
    asked(directions.row("smile"), "Range")
    driver.rest()
    assert directions.row("smile").slider.maximum() == 600
    goes_back_and_forth(driver, "Set the range of smile")
    asked(directions.row("smile"), "Remove")
    assert directions.names == ["a", "c"]
    goes_back_and_forth(driver, "Remove smile")
    undo(driver)
    assert directions.names == ["a", "smile", "c"]
    asked(directions.row("smile"), "Show as a strip")
    assert driver.screen.view == "grid"
    goes_back_and_forth(driver, "Set the grid")
    driver.rest()


# Pins and groups


@pytest.fixture
def pins(driver):
    """The page of pins with two pins and their pictures."""
    two_pins(driver)
    driver.screen.panel.show_page(PINS)
    driver.wait(lambda: len(driver.screen.explore_panel.pins._pictures) == 2)
    return driver.screen.explore_panel.pins


def names(holder) -> list[str]:
    return [holder.item(k).text() for k in range(holder.count())]


def editors(holder) -> list[QLineEdit]:
    return [editor for editor in holder.findChildren(QLineEdit) if editor.isVisible()]


def rename(driver, holder, row: int, text: str) -> None:
    """Rename an entry in its place: F2, the name, Enter."""
    holder.setFocus()
    holder.setCurrentRow(row)
    driver.qtbot.keyClick(holder, Qt.Key.Key_F2)
    (editor,) = editors(holder)
    driver.qtbot.keyClicks(editor, text)
    driver.qtbot.keyClick(editor, Qt.Key.Key_Return)
    QApplication.processEvents()


def test_the_button_pins_and_shows_the_page_with_a_picture(driver) -> None:
    driver.window.actions_table["pin"].trigger()
    page = driver.screen.explore_panel.pins
    assert driver.screen.panel.tabs.currentIndex() == PINS
    assert names(page.pins) == ["Pin 1"]
    goes_back_and_forth(driver, "Pin Pin 1")
    driver.wait(lambda: len(page._pictures) == 1)
    image = page.pins.item(0).icon().pixmap(page.pins.iconSize()).toImage()
    assert image.pixelColor(5, 5) != image.pixelColor(30, 40)


def test_a_pin_is_renamed_in_its_place(driver, pins) -> None:
    rename(driver, pins.pins, 0, "calm")
    assert names(pins.pins) == ["calm", "Pin 2"]
    goes_back_and_forth(driver, "Rename Pin 1")
    rename(driver, pins.pins, 1, "calm")
    assert "calm already" in error_of(driver)
    assert names(pins.pins) == ["calm", "Pin 2"]
    rename(driver, pins.pins, 1, "  ")
    assert "at least one letter" in error_of(driver)
    assert names(pins.pins) == ["calm", "Pin 2"]
    rename(driver, pins.pins, 1, " calm  ")
    assert names(pins.pins) == ["calm", "Pin 2"], "spaces around a name do not make it another"
    assert not editors(pins.pins)


def test_a_pin_is_ticked_by_space_and_by_the_mouse(driver, pins) -> None:
    shelf = driver.screen.intents.shelf
    pins.pins.setFocus()
    pins.pins.setCurrentRow(1)
    driver.qtbot.keyClick(pins.pins, Qt.Key.Key_Space)
    assert [pin.ticked for pin in shelf.shelf.pins] == [True, False]
    goes_back_and_forth(driver, "Leave out Pin 2")
    assert pins.pins.currentRow() == 1, "the choice stays"
    place = pins.pins.visualItemRect(pins.pins.item(1))
    driver.qtbot.mouseClick(pins.pins.viewport(), LEFT, pos=QPoint(place.left() + 10, place.center().y()))
    assert [pin.ticked for pin in shelf.shelf.pins] == [True, True]
    goes_back_and_forth(driver, "Use Pin 2")


def test_a_double_click_goes_to_a_pin(driver, pins) -> None:
    start = driver.latent.copy()
    place = pins.pins.visualItemRect(pins.pins.item(0))
    where = QPoint(place.left() + 60, place.center().y())
    driver.qtbot.mouseClick(pins.pins.viewport(), LEFT, pos=where)
    driver.qtbot.mouseDClick(pins.pins.viewport(), LEFT, pos=where)
    np.testing.assert_array_equal(driver.latent, driver.screen.intents.shelf.shelf.pins[0].latent)
    goes_back_and_forth(driver, "Go to Pin 1")
    undo(driver)
    np.testing.assert_array_equal(driver.latent, start)
    driver.rest()


@pytest.mark.parametrize(
    ("text", "step", "after"),
    [
        ("Go there", "Go to Pin 1", ["Pin 1", "Pin 2"]),
        ("Compare with it", "Compare with Pin 1", ["Pin 1", "Pin 2"]),
        ("Later on the path", "Move Pin 1", ["Pin 2", "Pin 1"]),
        ("Remove", "Remove Pin 1", ["Pin 2"]),
    ],
)
def test_the_menu_of_a_pin_does_what_it_says(driver, pins, text: str, step: str, after: list[str]) -> None:
    pick(text)
    pins.pins.customContextMenuRequested.emit(pins.pins.visualItemRect(pins.pins.item(0)).center())
    assert names(pins.pins) == after
    goes_back_and_forth(driver, step)
    driver.rest()


def test_the_bars_tell_how_many_points_they_changed_since_a_pin(driver, pins) -> None:
    bars = driver.screen.attributes.bars
    before = bars._layout.blocks[0].rows[0].bar.width()
    pins.pins.setCurrentRow(1)
    driver.qtbot.mouseClick(pins._compare, LEFT)
    goes_back_and_forth(driver, "Compare with Pin 2")
    driver.wait(lambda: [one.title for one in bars.series] == ["Input", "Pin 2", "Edited"])
    assert bars._changes
    assert bars._layout.blocks[0].rows[0].bar.width() < before, "there is room for the changes"
    driver.rest()
    tip = bars.tip_at(bars._layout.blocks[0].rows[0].area().center())
    assert "Pin 2 " in tip
    assert pins._compare.isChecked()
    rename(driver, pins.pins, 1, "calm")
    assert "calm" in [one.title for one in bars.series]
    pins.pins.setFocus()
    driver.qtbot.keyClick(pins.pins, Qt.Key.Key_Delete)
    assert names(pins.pins) == ["Pin 1"]
    assert not bars._changes
    assert [one.title for one in bars.series] == ["Input", "Reconstruction", "Edited"]
    goes_back_and_forth(driver, "Remove calm")
    driver.rest()


def test_a_group_is_made_gone_to_renamed_and_removed(driver, pins) -> None:
    driver.window.actions_table["group_pins"].trigger()
    goes_back_and_forth(driver, "Make Group 1")
    assert pins.groups.isVisible()
    assert names(pins.groups) == ["Group 1"]
    rename(driver, pins.groups, 0, "both")
    goes_back_and_forth(driver, "Rename Group 1")
    driver.workspace.explore.move(5, 2.0)
    pins.groups.setFocus()
    driver.qtbot.keyClick(pins.groups, Qt.Key.Key_Return)
    np.testing.assert_array_equal(driver.latent, driver.screen.intents.shelf.shelf.group("both").mean)
    goes_back_and_forth(driver, "Go to both")
    driver.qtbot.keyClick(pins.groups, Qt.Key.Key_Delete)
    assert not pins.groups.isVisible()
    goes_back_and_forth(driver, "Remove both")
    driver.rest()


def test_a_direction_between_two_pins_is_added_under_its_name(driver, pins) -> None:
    def fill(dialog: DifferenceDialog) -> None:
        ok = dialog._buttons.button(dialog._buttons.StandardButton.Ok)
        dialog.second.setCurrentText("Pin 1")
        assert not ok.isEnabled(), "from Pin 1 to Pin 1 leads nowhere"
        dialog.first.setCurrentText("Pin 2")
        dialog._name.setText("towards one")
        assert ok.isEnabled()
        ok.click()

    answer(DifferenceDialog, fill)
    driver.window.actions_table["add_difference"].trigger()
    goes_back_and_forth(driver, "Add towards one")
    assert driver.screen.panel.tabs.currentIndex() == DIRECTIONS
    first, second = driver.screen.intents.shelf.shelf.pins
    step = (first.latent - second.latent).reshape(-1)
    vector = driver.screen.intents.shelf.shelf.directions[0].array()
    np.testing.assert_allclose(vector, step / np.linalg.norm(step), atol=1e-6)


# The keyboard


def chain(driver, first: QWidget) -> list[QWidget]:
    """Walk through the window by the Tab key."""
    driver.window.activateWindow()
    driver.wait(driver.window.isActiveWindow)
    first.setFocus(Qt.FocusReason.TabFocusReason)
    visited: list[QWidget] = []
    while QApplication.focusWidget() not in visited:
        visited.append(QApplication.focusWidget())
        driver.qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    return visited


def test_directions_keep_their_order_for_the_tab_key(driver, directions) -> None:
    driver.screen.intents.shelf.remove_direction("a")
    undo(driver)
    driver.screen.intents.shelf.rename_direction("b", "middle")
    driver.wait(lambda: all(directions.row(name).isVisible() for name in directions.names))
    visited = chain(driver, driver.screen.panel.tabs)
    rows = [directions.row(name) for name in ("a", "middle", "c")]
    expected = [control for row in rows for control in (row.more, row.slider, row.spin)]
    assert [one for one in visited if one in expected] == expected, "row by row, as they stand"


@pytest.mark.parametrize("view", ["grid", "plane", "probe", "map"])
def test_the_controls_of_a_view_are_reached_by_tab(driver, view: str) -> None:
    driver.screen.show_view("grid" if view == "plane" else view)
    page = driver.screen._pages[driver.screen.view]
    if view == "plane":
        choose(page._kind, "Plane")
    driver.rest()
    wanted = {
        child
        for holder in (page.controls, page)
        for child in holder.findChildren(QWidget)
        if child.isVisible()
        and child.isEnabled()
        and child.focusPolicy() & Qt.FocusPolicy.TabFocus
        and child.focusProxy() is None
    }
    assert len(wanted) >= 3
    missed = wanted - set(chain(driver, driver.screen.tabs))
    # The combo box's own line has the focus in its place.
    assert [one for one in missed if not isinstance(one.parent(), QWidget) or one.parent() in missed] == []
