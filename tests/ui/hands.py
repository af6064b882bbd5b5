"""What a person's hands do to the window, for the tests: drag, choose, type, turn the wheel, drop, answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QSlider, QWidget

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier
NONE = Qt.KeyboardModifier.NoModifier


def drag_slider(driver, slider: QSlider, pixels: int = 40) -> None:
    """Take a slider's handle by the mouse and drag it to the right (or left)."""
    y, x = slider.height() // 2, round(slider._x_of(slider.value()))
    driver.qtbot.mousePress(slider, LEFT, pos=QPoint(x, y))
    for k in range(1, 21):
        driver.qtbot.mouseMove(slider, QPoint(x + k * pixels // 20, y))
        QApplication.processEvents()
    driver.qtbot.mouseRelease(slider, LEFT, pos=QPoint(x + pixels, y))


def choose(box: QComboBox, text: str) -> None:
    """Choose an entry, as if it had been picked from the list."""
    row = box.findText(text)
    assert row >= 0, f"{text} is not among {[box.itemText(k) for k in range(box.count())]}"
    box.setCurrentIndex(row)
    box.activated.emit(row)


def write(driver, line: QWidget, text: str) -> None:
    """Replace what a line or a box says, and press Enter."""
    line.setFocus()
    line.selectAll()
    driver.qtbot.keyClicks(line, text)
    driver.qtbot.keyClick(line, Qt.Key.Key_Return)


def wheel(widget: QWidget, turns: int, at: QPointF) -> None:
    event = QWheelEvent(
        at,
        widget.mapToGlobal(at),
        QPoint(),
        QPoint(0, 120 * turns),
        Qt.MouseButton.NoButton,
        NONE,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def drop(window: QWidget, path: Path) -> None:
    """Drop a file on the window."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    copy, where = Qt.DropAction.CopyAction, QPoint(50, 50)
    enter = QDragEnterEvent(where, copy, data, LEFT, NONE)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(where), copy, data, LEFT, NONE))


def answer(kind: type[QDialog], do: Callable[[QDialog], object]) -> None:
    """Do something to the dialog of that kind as soon as it is there; it is closed in any case."""

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, kind):
            QTimer.singleShot(10, look)
            return
        try:
            do(dialog)
        finally:
            dialog.close()

    QTimer.singleShot(0, look)


def pick(text: str) -> None:
    """Pick an entry of the menu that is about to open."""

    def look() -> None:
        menu = QApplication.activePopupWidget()
        if menu is None:
            QTimer.singleShot(10, look)
            return
        menu.setActiveAction(next(action for action in menu.actions() if action.text() == text))
        QTest.keyClick(menu, Qt.Key.Key_Return)
        menu.close()

    QTimer.singleShot(0, look)


def error_of(driver) -> str:
    """Return the error that the banner shows; empty where it shows none."""
    message = driver.window.banner.message
    return message.text if message is not None and message.kind == "error" else ""


def undo(driver) -> None:
    driver.window.actions_table["undo"].trigger()


def redo(driver) -> None:
    driver.window.actions_table["redo"].trigger()


def goes_back_and_forth(driver, name: str) -> None:
    """Check that the last step is called so in the menu, and that it is undone and repeated."""
    session, actions = driver.workspace.session, driver.window.actions_table
    after = session.document
    assert actions["undo"].text() == f"Undo {name}"
    actions["undo"].trigger()
    assert session.document is not after
    assert actions["redo"].text() == f"Redo {name}"
    actions["redo"].trigger()
    assert session.document is after


def two_pins(driver) -> None:
    """Pin two latents on either side of the edited one."""
    start = driver.workspace.explore.state.latent
    for sign in (1.5, -1.5):
        latent = start.copy()
        latent.reshape(-1)[:3] += sign
        driver.screen.intents.shelf.pin(latent)
    driver.rest()
