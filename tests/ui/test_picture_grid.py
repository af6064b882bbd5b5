from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QContextMenuEvent

from latentlab.ui.theme import Theme
from latentlab.ui.widgets.grid_layout import GAP, lay_out
from latentlab.ui.widgets.picture_grid import PictureGrid

ROWS, COLUMNS = 3, 5
LONG = "from smiling with glasses to not smiling without any glasses"


def batch(number: int = ROWS * COLUMNS, side: int = 32) -> np.ndarray:
    """Pictures of one grey each, 10 darker than the next."""
    pixels = np.full((number, side, side, 4), 255, dtype=np.uint8)
    pixels[..., :3] = (40 + 10 * np.arange(number, dtype=np.uint8))[:, None, None, None]
    return pixels


def colour_at(grid: PictureGrid, point: QPoint) -> tuple[int, int, int]:
    image = grid.grab().toImage()
    colour = image.pixelColor(point * image.devicePixelRatio())
    return colour.red(), colour.green(), colour.blue()


@pytest.fixture
def grid(qtbot, qapp) -> PictureGrid:
    grid = PictureGrid(Theme(qapp))
    qtbot.addWidget(grid)
    grid.resize(480, 360)
    grid.set_shape(ROWS, COLUMNS, ["z 1", LONG, "z 3"], ["−2", "−1", "0", "+1", "+2"])
    grid.show()
    qtbot.waitExposed(grid)
    return grid


@pytest.fixture
def told(grid) -> list[tuple[str, int]]:
    told: list[tuple[str, int]] = []
    for name in ("hovered", "chosen", "pin_asked"):
        getattr(grid, name).connect(lambda index, name=name: told.append((name, index)))
    return told


def test_each_picture_is_painted_in_its_cell(grid):
    grid.show_frame(batch())
    image = grid.grab().toImage()
    for index in range(ROWS * COLUMNS):
        colour = image.pixelColor(grid.cell_area(index).center() * image.devicePixelRatio())
        assert colour.red() == 40 + 10 * index


def test_the_same_shape_and_labels_again_paint_nothing(qtbot, grid):
    grid.show_frame(batch(), 1)
    qtbot.waitUntil(lambda: grid.painted_generation == 1)
    with qtbot.assertNotEmitted(grid.painted, wait=100):
        grid.set_shape(ROWS, COLUMNS, ["z 1", LONG, "z 3"], ["−2", "−1", "0", "+1", "+2"])
    with qtbot.waitSignal(grid.painted):
        grid.set_shape(ROWS, COLUMNS, ["z 1", "z 2", "z 3"], ["−2", "−1", "0", "+1", "+2"])


def test_the_frame_that_was_painted_is_known(qtbot, grid):
    with qtbot.waitSignal(grid.painted, check_params_cb=lambda generation: generation == 7):
        grid.show_frame(batch(), 7)
    assert grid.painted_generation == 7


def test_the_bytes_live_as_long_as_they_are_shown(grid):
    grid.show_frame(batch()[:, :, ::-1])  # not contiguous, and nobody else keeps it
    assert colour_at(grid, grid.cell_area(14).center()) == (180, 180, 180)
    assert grid.pixels is not None
    assert grid.pixels.shape == (15, 32, 32, 4)


def test_a_click_chooses_and_with_ctrl_or_shift_asks_for_a_pin(qtbot, grid, told):
    grid.show_frame(batch())
    at = grid.cell_area(8).center()
    qtbot.mouseClick(grid, Qt.MouseButton.LeftButton, pos=at)
    qtbot.mouseClick(grid, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, at)
    qtbot.mouseClick(grid, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, at)
    assert [one for one in told if one[0] != "hovered"] == [("chosen", 8), ("pin_asked", 8), ("pin_asked", 8)]


def test_a_press_that_is_carried_away_chooses_nothing(qtbot, grid, told):
    grid.show_frame(batch())
    qtbot.mousePress(grid, Qt.MouseButton.LeftButton, pos=grid.cell_area(3).center())
    qtbot.mouseRelease(grid, Qt.MouseButton.LeftButton, pos=grid.cell_area(4).center())
    qtbot.mouseClick(grid, Qt.MouseButton.RightButton, pos=grid.cell_area(4).center())
    assert [one for one in told if one[0] != "hovered"] == []


def test_the_second_of_two_quick_clicks_counts_but_pins_nothing_twice(qtbot, grid, told):
    grid.show_frame(batch())
    at = grid.cell_area(2).center()
    for modifier in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier):
        qtbot.mouseClick(grid, Qt.MouseButton.LeftButton, modifier, at)
        qtbot.mouseDClick(grid, Qt.MouseButton.LeftButton, modifier, at)
        qtbot.mouseRelease(grid, Qt.MouseButton.LeftButton, modifier, at)
    assert told.count(("chosen", 2)) == 2
    assert told.count(("pin_asked", 2)) == 1


def test_the_pointer_tells_its_cell_once_and_its_leaving(qtbot, grid, told):
    grid.show_frame(batch())
    for index in (0, 1):
        qtbot.mouseMove(grid, grid.cell_area(index).center())
        qtbot.mouseMove(grid, grid.cell_area(index).center() + QPoint(2, 2))
    qtbot.mouseMove(grid, QPoint(1, 1))
    assert told == [("hovered", 0), ("hovered", 1), ("hovered", -1)]


def test_keys_reach_every_cell_and_stop_at_the_edges(qtbot, grid, told):
    grid.show_frame(batch())
    grid.setFocus(Qt.FocusReason.TabFocusReason)
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Left):
        qtbot.keyClick(grid, key)
    assert grid.keyboard_cell == 0
    for key, cell in (
        (Qt.Key.Key_Right, 1),
        (Qt.Key.Key_Down, 6),
        (Qt.Key.Key_End, 9),
        (Qt.Key.Key_Right, 9),
        (Qt.Key.Key_PageDown, 14),
        (Qt.Key.Key_Home, 10),
        (Qt.Key.Key_PageUp, 0),
    ):
        qtbot.keyClick(grid, key)
        assert grid.keyboard_cell == cell
    qtbot.keyClick(grid, Qt.Key.Key_Down)
    qtbot.keyClick(grid, Qt.Key.Key_Return)
    qtbot.keyClick(grid, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert told[-2:] == [("chosen", 5), ("pin_asked", 5)]
    assert LONG in grid.accessibleDescription()


def test_keys_begin_at_the_present_picture(grid):
    grid.show_frame(batch())
    grid.set_current(7)
    grid.clearFocus()
    grid.setFocus(Qt.FocusReason.TabFocusReason)
    assert grid.keyboard_cell == 7
    assert "present" in grid.accessibleDescription()


def test_the_present_picture_has_a_frame(grid):
    grid.show_frame(batch())
    cell = grid.cell_area(6)
    beside = QPoint(cell.left() - 1, cell.center().y())
    before = colour_at(grid, beside)
    grid.set_current(6)
    assert colour_at(grid, beside) != before
    grid.set_current(None)
    assert colour_at(grid, beside) == before


def test_a_menu_opens_at_the_cell_of_the_keyboard(qtbot, grid):
    grid.show_frame(batch())
    grid.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(grid, Qt.Key.Key_Down)
    place = grid.inputMethodQuery(Qt.InputMethodQuery.ImCursorRectangle)
    assert grid.index_at(place.center()) == 5


def test_the_menu_is_left_to_the_owner(grid):
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(5, 5), QPoint(5, 5))
    grid.contextMenuEvent(event)
    assert not event.isAccepted()


def test_tool_tips_give_labels_in_full(grid):
    grid.show_frame(batch())
    beside = grid.cell_area(5)
    assert grid.tip_at(QPoint(beside.left() - 20, beside.center().y())) == LONG
    over = grid.cell_area(1)
    assert grid.tip_at(QPoint(over.center().x(), over.top() - 10)) == "−1"
    assert grid.tip_at(over.center()).startswith("z 1, −1\n")
    assert grid.tip_at(QPoint(0, 0)) == ""


def test_without_pictures_it_says_why_and_answers_nothing(qtbot, grid, told):
    grid.show_frame(batch(), 3)
    grid.show_nothing("Open a model first.")
    qtbot.mouseClick(grid, Qt.MouseButton.LeftButton, pos=grid.rect().center())
    qtbot.keyClick(grid, Qt.Key.Key_Return)
    assert [one for one in told if one[0] != "hovered"] == []
    assert grid.pixels is None
    assert grid.accessibleDescription() == "Open a model first."
    grid.grab()


def test_pictures_of_another_shape_do_not_stay_under_the_wrong_labels(grid):
    grid.show_frame(batch())
    grid.set_shape(ROWS, COLUMNS, ["z 4", "z 5", "z 6"])
    assert grid.pixels is not None
    grid.set_shape(COLUMNS, ROWS)
    assert grid.pixels is None
    grid.grab()
    grid.show_frame(batch(number=4))  # fewer than cells: the others stay empty
    grid.grab()


def test_pixels_are_squares_or_smooth(grid):
    pixels = np.zeros((ROWS * COLUMNS, 2, 2, 4), dtype=np.uint8)
    pixels[:, :, 1] = 255
    grid.show_frame(pixels)
    # A quarter into the picture, the first pixel's own colour, or a mixture.
    cell = grid.cell_area(0)
    near = cell.center() - QPoint(4, 0)
    grid.set_smooth(False)
    assert colour_at(grid, near) == (0, 0, 0)
    grid.set_smooth(True)
    assert 0 < colour_at(grid, near)[0] < 255


def test_strongly_shrunken_pictures_are_averaged(qtbot, grid):
    pixels = np.zeros((ROWS * COLUMNS, 512, 512, 4), dtype=np.uint8)
    pixels[:, ::4] = 255  # one line of four is white
    grid.show_frame(pixels)
    cell = grid.cell_area(7)
    image = grid.grab(cell.adjusted(4, 4, -4, -4)).toImage()
    greys = [image.pixelColor(5, y).red() for y in range(image.height())]
    assert 40 < np.mean(greys) < 88
    assert np.std(greys) < 40


@pytest.mark.parametrize("size", [QSize(640, 480), QSize(320, 900), QSize(170, 160)])
def test_cells_are_square_and_stay_inside(size):
    layout = lay_out(size, 8, 9, longest=400, top=20)
    first, last = layout.cell(0), layout.cell(71)
    assert first.width() == first.height() == last.width()
    assert layout.area.left() - layout.left >= 0
    assert last.right() + GAP < size.width()
    assert last.bottom() + GAP < size.height()
    assert layout.index_at(last.center()) == 71
    assert layout.index_at(first.topLeft() - QPoint(5, 5)) is None


def test_columns_stand_apart_where_their_labels_need_it_and_the_pictures_leave_the_room() -> None:
    close = lay_out(QSize(600, 200), ROWS, COLUMNS, 0, 20)
    apart = lay_out(QSize(600, 200), ROWS, COLUMNS, 0, 20, 90)
    assert apart.side == close.side, "pictures are as large as before"
    assert apart.across == 90 + GAP
    assert [apart.cell(k).left() - apart.cell(0).left() for k in range(3)] == [0, 92, 184]
    assert apart.area.width() == 5 * 92 + GAP
    for index in range(ROWS * COLUMNS):
        cell = apart.cell(index)
        assert apart.area.contains(cell)
        assert apart.index_at(cell.center()) == index
        label = apart.column_label(index % COLUMNS)
        assert abs(label.center().x() - cell.center().x()) <= 1
        assert label.width() == 90
    narrow = lay_out(QSize(300, 200), ROWS, COLUMNS, 0, 20, 90)
    assert narrow.area.width() <= 300
    assert lay_out(QSize(300, 200), ROWS, COLUMNS, 0, 20, 10).apart == 0
