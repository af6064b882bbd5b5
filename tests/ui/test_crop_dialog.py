from __future__ import annotations

import time

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QDialog, QPushButton

from latentlab.data.pictures import square_picture
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.crop_dialog import CropDialog
from latentlab.ui.widgets.crop_square import Square


def picture(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def ask(qtbot, qapp):
    def make(pixels: np.ndarray, crop=None, size: int = 64) -> CropDialog:
        dialog = CropDialog(pixels, crop, size, Theme(qapp))
        qtbot.addWidget(dialog, before_close_func=lambda one: one.done(0))
        with qtbot.waitActive(dialog):
            dialog.show()
            dialog.activateWindow()
        return dialog

    return make


def on_screen(dialog: CropDialog, x: float, y: float) -> QPoint:
    """Return where a pixel of the picture is shown."""
    area, square = dialog.view.picture_area(), Square.of(dialog.crop, *size_of(dialog))
    return QPointF(
        area.left() + x * area.width() / square.width, area.top() + y * area.height() / square.height
    ).toPoint()


def size_of(dialog: CropDialog) -> tuple[int, int]:
    left, top, side = (spin.maximum() for spin in (dialog.left, dialog.top, dialog.side))
    assert side > 0
    return left + dialog.crop[2], top + dialog.crop[2]


def drag(qtbot, dialog: CropDialog, start: QPoint, end: QPoint) -> None:
    qtbot.mousePress(dialog.view, Qt.MouseButton.LeftButton, pos=start)
    for share in (0.3, 0.7, 1.0):
        qtbot.mouseMove(dialog.view, start + (end - start) * share)
    qtbot.mouseRelease(dialog.view, Qt.MouseButton.LeftButton, pos=end)


def turn(dialog: CropDialog, at: QPoint, notches: int) -> None:
    here = QPointF(at)
    event = QWheelEvent(
        here,
        QPointF(dialog.view.mapToGlobal(at)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(dialog.view, event)


def inside(dialog: CropDialog, width: int, height: int) -> bool:
    left, top, side = dialog.crop
    return left >= 0 and top >= 0 and side >= 8 and left + side <= width and top + side <= height


def test_it_begins_with_the_largest_square_or_with_the_crop(ask) -> None:
    assert ask(picture(300, 200)).crop == (50, 0, 200)
    assert ask(picture(300, 200), (10, 20, 90)).crop == (10, 20, 90)


@pytest.mark.parametrize("crop", [(-5, -5, 100), (290, 190, 100), (0, 0, 5000), (3, 3, 1)])
def test_a_crop_that_does_not_fit_is_brought_into_the_picture(ask, crop) -> None:
    assert inside(ask(picture(300, 200), crop), 300, 200)


def test_a_drag_moves_the_square_and_stops_at_the_edge(qtbot, ask) -> None:
    dialog = ask(picture(600, 400), (100, 100, 120))
    start = on_screen(dialog, 160, 160)
    drag(qtbot, dialog, start, on_screen(dialog, 260, 210))
    left, top, side = dialog.crop
    assert side == 120
    assert abs(left - 200) <= 2
    assert abs(top - 150) <= 2
    drag(qtbot, dialog, on_screen(dialog, 260, 210), dialog.view.rect().bottomRight() * 3)
    assert dialog.crop == (480, 280, 120)


def test_a_corner_is_drawn_and_the_opposite_one_stays(qtbot, ask) -> None:
    dialog = ask(picture(600, 400), (200, 100, 100))
    drag(qtbot, dialog, on_screen(dialog, 200, 100), on_screen(dialog, 150, 40))
    left, top, side = dialog.crop
    assert (left + side, top + side) == (300, 200)
    assert abs(side - 160) <= 3
    drag(qtbot, dialog, on_screen(dialog, 300, 200), QPoint(5000, 5000))
    assert dialog.crop[:2] == (left, top)
    assert inside(dialog, 600, 400)
    drag(qtbot, dialog, on_screen(dialog, left, top), QPoint(5000, 5000))
    assert dialog.crop[2] == 8


def test_a_press_outside_brings_the_square_there(qtbot, ask) -> None:
    dialog = ask(picture(600, 400), (0, 0, 100))
    qtbot.mouseClick(dialog.view, Qt.MouseButton.LeftButton, pos=on_screen(dialog, 400, 300))
    left, top, _ = dialog.crop
    assert abs(left - 350) <= 1
    assert abs(top - 250) <= 1


def test_the_wheel_resizes_around_the_pointer(ask) -> None:
    dialog = ask(picture(6000, 4000), (2000, 1000, 1200))
    at = on_screen(dialog, 2300, 1900)
    turn(dialog, at, 1)
    left, top, side = dialog.crop
    assert side == 1296
    assert abs((2300 - left) / side - 0.25) < 0.02
    assert abs((1900 - top) / side - 0.75) < 0.02
    for _ in range(80):
        turn(dialog, at, -1)
    assert dialog.crop[2] == 8
    for _ in range(120):
        turn(dialog, at, 1)
    assert dialog.crop[2] == 4000


def test_keys_move_and_resize_the_square(qtbot, ask) -> None:
    dialog = ask(picture(600, 400), (200, 100, 200))
    assert dialog.focusWidget() is dialog.view
    shift = Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(dialog.view, Qt.Key.Key_Right)
    assert dialog.crop == (202, 100, 200)
    qtbot.keyClick(dialog.view, Qt.Key.Key_Up, shift)
    assert dialog.crop == (202, 99, 200)
    qtbot.keyClick(dialog.view, Qt.Key.Key_Plus)
    assert dialog.crop == (200, 97, 204)
    qtbot.keyClick(dialog.view, Qt.Key.Key_PageDown)
    assert dialog.crop[2] == 185
    for _ in range(200):
        qtbot.keyClick(dialog.view, Qt.Key.Key_Minus)
    assert dialog.crop[2] == 8
    qtbot.keyClick(dialog.view, Qt.Key.Key_Home)
    assert dialog.crop == (100, 0, 400)


def test_numbers_follow_and_can_be_typed(qtbot, ask) -> None:
    dialog = ask(picture(600, 400), (200, 100, 200))
    assert [spin.value() for spin in (dialog.left, dialog.top, dialog.side)] == [200, 100, 200]
    dialog.side.setFocus()
    dialog.side.selectAll()
    qtbot.keyClicks(dialog.side, "350")
    qtbot.keyClick(dialog.side, Qt.Key.Key_Tab)
    assert dialog.crop == (200, 50, 350)
    assert dialog.left.maximum() == 250
    assert all(spin.accessibleName() for spin in (dialog.left, dialog.top, dialog.side))


@pytest.mark.parametrize(("width", "height"), [(64, 64), (65, 300), (9, 700), (20000, 1000), (3000, 2500)])
def test_the_preview_is_what_the_model_sees(qtbot, ask, width: int, height: int) -> None:
    pixels = picture(width, height)
    dialog = ask(pixels)
    for key in (None, Qt.Key.Key_PageDown, Qt.Key.Key_Left):
        if key is not None:
            qtbot.keyClick(dialog.view, key)
        qtbot.waitUntil(lambda: dialog.exact)
        left, top, side = dialog.crop
        expected = square_picture(pixels[top : top + side, left : left + side], 64)
        assert np.array_equal(dialog.seen.pixels[..., 2::-1], expected)
    dialog.grab()


def test_the_largest_square_looks_as_it_does_without_a_crop(qtbot, ask) -> None:
    pixels = picture(301, 200)
    dialog = ask(pixels)
    qtbot.waitUntil(lambda: dialog.exact)
    assert np.array_equal(dialog.seen.pixels[..., 2::-1], square_picture(pixels, 64))


def test_a_picture_of_80_megapixels_stays_fluid(qtbot, ask) -> None:
    dialog = ask(np.zeros((8900, 8980, 3), dtype=np.uint8))
    qtbot.waitUntil(lambda: dialog.exact)
    times = []
    for _ in range(10):
        start = time.perf_counter()
        qtbot.keyClick(dialog.view, Qt.Key.Key_Minus)
        dialog.view.repaint()
        times.append(time.perf_counter() - start)
    assert np.median(times) < 0.1
    assert not dialog.exact
    qtbot.waitUntil(lambda: dialog.exact)


def test_guides_can_be_taken_away(qtbot, ask) -> None:
    dialog = ask(np.zeros((200, 200, 3), dtype=np.uint8))
    before = dialog.view.grab().toImage()
    dialog.guides.setFocus()
    qtbot.keyClick(dialog.guides, Qt.Key.Key_Space)
    dialog.view.setFocus(Qt.FocusReason.OtherFocusReason)
    assert dialog.view.grab().toImage() != before


def test_buttons_answer(qtbot, ask) -> None:
    dialog = ask(picture(600, 400), (200, 100, 200))
    buttons = {button.text(): button for button in dialog.findChildren(QPushButton)}
    qtbot.mouseClick(buttons["Largest square"], Qt.MouseButton.LeftButton)
    assert dialog.crop == (100, 0, 400)
    qtbot.keyClick(dialog.view, Qt.Key.Key_Return)
    assert dialog.result() == QDialog.DialogCode.Accepted
    other = ask(picture(600, 400))
    qtbot.keyClick(other.view, Qt.Key.Key_Escape)
    assert other.result() == QDialog.DialogCode.Rejected


def test_it_may_close_while_a_large_square_is_being_cut(qtbot, ask) -> None:
    dialog = ask(picture(5000, 5000))
    qtbot.wait(130)
    dialog.reject()
    QApplication.sendPostedEvents(None, QEvent.Type.MetaCall)
    assert not dialog.isVisible()
