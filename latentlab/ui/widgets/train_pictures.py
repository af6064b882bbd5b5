"""Small pictures under a title, as many as there is room for: pairs, samples, faces drawn often or rarely."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from latentlab.ui.theme import Theme
from latentlab.ui.widgets.chart_parts import paint_title
from latentlab.ui.widgets.picture_cells import PictureCells
from latentlab.ui.widgets.picture_view import bgrx

TITLE, GAP, BETWEEN, LEAST, MOST = 24, 3, 9, 36, 84
WANTED = 24
"""So many pictures are shown at least, as large as they then can be, where there is room."""


class PictureSheet(QWidget):
    """Shows pictures from the first on.

    Parameters
    ----------
    together
        How many belong together: they stand beside one another, with a gap to the next ones.
    """

    def __init__(
        self, theme: Theme, title: str, nothing: str, together: int = 1, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme, self.title, self._nothing, self._together = theme, title, nothing, together
        self._cells: PictureCells | None = None
        self.pixels: NDArray[np.uint8] | None = None
        self.smooth = True
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(title)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(300, 180)

    def minimumSizeHint(self) -> QSize:
        """Return the least size."""
        return QSize(120, TITLE + LEAST + GAP)

    def show_pictures(self, pixels: NDArray[np.uint8] | None, nothing: str = "") -> None:
        """Show pictures uint8 ``[n, S, S, 3]``, RGB; None for none, with the reason."""
        self._nothing = nothing or self._nothing
        if pixels is not self.pixels:
            self.pixels = pixels
            self._cells = None
            if pixels is not None and len(pixels):
                self._cells = PictureCells(np.stack([bgrx(one) for one in pixels]))
        count = 0 if self.pixels is None else len(self.pixels)
        self.setAccessibleDescription(f"{count} pictures" if count else self._nothing)
        self.setToolTip(self.title)
        self.update()

    def places(self) -> list[QRect]:
        """Return where the pictures stand that there is room for."""
        if self._cells is None:
            return []
        width, height = self.width(), self.height() - TITLE
        gap = BETWEEN if self._together > 1 else GAP
        wanted = min(len(self._cells), WANTED)
        side = across = room = 0
        for side in range(MOST, LEAST - 1, -2):
            bunch = self._together * (side + GAP) - GAP
            across = max(1, (width + gap) // (bunch + gap))
            room = across * max(1, (height + GAP) // (side + GAP)) * self._together
            if room >= wanted:
                break
        shown = min(len(self._cells), room)
        found = []
        for k in range(shown):
            bunch, inside = divmod(k, self._together)
            row, column = divmod(bunch, across)
            x = column * (self._together * (side + GAP) - GAP + gap) + inside * (side + GAP)
            found.append(QRect(x, TITLE + row * (side + GAP), side, side))
        return found

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint title and pictures."""
        painter = QPainter(self)
        paint_title(painter, self._theme, self.font(), self.title)
        if self._cells is None:
            painter.setPen(self._theme.colour("muted"))
            flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
            where = QRectF(self.rect()).adjusted(0, TITLE, -4, 0)
            painter.drawText(where, flags | int(Qt.TextFlag.TextWordWrap), self._nothing)
        else:
            for k, place in enumerate(self.places()):
                self._cells.paint(painter, k, place, self.smooth)
        painter.end()
