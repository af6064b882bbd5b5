"""The three pictures: a large one with two small ones beside it, or all three at the same size."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from latentlab.ui.theme import Theme
from latentlab.ui.widgets.picture_view import CAPTION, PictureView

GAP = 16


class PictureStage(QWidget):
    """Input, start and edited picture, laid out as large as the room allows."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.input = PictureView("Input", "input", theme, self)
        self.start = PictureView("Reconstruction", "start", theme, self)
        self.edited = PictureView("Edited", "edited", theme, self)
        self._side_by_side = False

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which the pictures can be made out."""
        return QSize(360, 240)

    def set_side_by_side(self, equal: bool) -> None:
        """Show all three at the same size, or the edited one large."""
        self._side_by_side = equal
        self._lay_out()

    def set_smooth(self, smooth: bool) -> None:
        """Smooth between the pixels, or show them as squares."""
        for view in (self.input, self.start, self.edited):
            view.smooth = smooth
            view.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the pictures out anew."""
        self._lay_out()

    def _lay_out(self) -> None:
        width, height = self.width(), self.height()
        if self._side_by_side:
            side = max(16, min((width - 2 * GAP) // 3, height - CAPTION))
            left, top = (width - 3 * side - 2 * GAP) // 2, (height - side - CAPTION) // 2
            for k, view in enumerate((self.input, self.start, self.edited)):
                view.setGeometry(QRect(left + k * (side + GAP), top, side, side + CAPTION))
            return
        # Two small squares with captions stand as high as the large one: 2 (c + t) + gap = c + s.
        large = min(height - CAPTION, (2 * width - GAP + CAPTION) // 3)
        small = max(16, (large - CAPTION - GAP) // 2)
        large = 2 * small + CAPTION + GAP
        left, top = (width - small - GAP - large) // 2, (height - large - CAPTION) // 2
        self.input.setGeometry(QRect(left, top, small, small + CAPTION))
        self.start.setGeometry(QRect(left, top + small + CAPTION + GAP, small, small + CAPTION))
        self.edited.setGeometry(QRect(left + small + GAP, top, large, large + CAPTION))
