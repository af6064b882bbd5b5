"""Puts a lesson's pane beside the screen that it drives, over it where there is no room, or folds it away."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

SCREEN_LEAST = 790
"""The width that a screen needs beside the pane, in pixels."""
PANE_LEAST, PANE_SHARE = 380, 0.31
"""The least width of the pane, and the share of the window that it takes of a wide one."""
OVER = 396
"""The width that it takes where it lies over the screen: as much as Explore's panel below it."""
EDGE, RIGHT = 12, 16


class LessonFrame(QWidget):
    """A screen, and beside it, over it or below it a pane.

    Parameters
    ----------
    screen
        What takes all the room that is left.
    pane
        The lesson.
    bar
        What stands for the lesson below the screen while it is folded away.
    """

    def __init__(self, screen: QWidget, pane: QWidget, bar: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._screen, self._pane, self._bar = screen, pane, bar
        self._open = self._folded = False
        for widget in (screen, pane, bar):
            widget.setParent(self)
        pane.hide()
        bar.hide()
        screen.show()

    @property
    def open(self) -> bool:
        """Whether there is a lesson."""
        return self._open

    @property
    def folded(self) -> bool:
        """Whether the lesson is folded away."""
        return self._folded

    @property
    def beside(self) -> bool:
        """Whether there is room for the pane beside the screen."""
        return self.width() >= SCREEN_LEAST + PANE_LEAST

    @property
    def taken(self) -> int:
        """How much of the width the pane takes from the screen."""
        return self._pane_width() if self._open and not self._folded and self.beside else 0

    def show_lesson(self, there: bool, folded: bool = False) -> None:
        """Show that there is a lesson, in full or folded; or none."""
        self._open, self._folded = there, folded
        self._pane.setVisible(there and not folded)
        self._bar.setVisible(there and folded)
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place everything anew."""
        super().resizeEvent(event)
        self._place()

    def sizeHint(self) -> QSize:
        """Return a usual size."""
        return QSize(1180, 700)

    def minimumSizeHint(self) -> QSize:
        """Return what the screen needs at least."""
        return self._screen.minimumSizeHint()

    def _pane_width(self) -> int:
        return min(self.width() - SCREEN_LEAST, max(PANE_LEAST, round(PANE_SHARE * self.width())))

    def _place(self) -> None:
        width, height = self.width(), self.height()
        low = self._bar.sizeHint().height() if self._open and self._folded else 0
        self._screen.setGeometry(0, 0, width - self.taken, height - low)
        if low:
            self._bar.setGeometry(QRect(RIGHT, height - low - EDGE // 2, width - 2 * RIGHT, low))
            self._screen.resize(width, height - low - EDGE // 2)
        elif self._open:
            across = self.taken or min(OVER, width)
            self._pane.setGeometry(width - across, 4, across - RIGHT, height - 4 - EDGE)
            self._pane.raise_()
