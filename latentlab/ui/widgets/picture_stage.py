"""The pictures: a large one with small ones beside it, or all at the same size; all enlarged together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Signal
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QWidget

from latentlab.operations.difference import difference_picture
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.latent_canvas import LatentCanvas
from latentlab.ui.widgets.picture_view import CAPTION, WHOLE, PictureView, bgrx

GAP = 16
STEP = 1.25
"""By how much one turn of the wheel enlarges."""
MOST = 16.0


class PictureStage(QWidget):
    """Input, start and edited picture, on request their difference, as large as the room allows.

    ``zoom_changed`` tells how many times the pictures are enlarged.
    """

    zoom_changed = Signal(float)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.input = PictureView("Input", "input", theme, self)
        self.start = PictureView("Reconstruction", "start", theme, self)
        self.difference = PictureView("Difference", "faint", theme, self)
        self.edited = LatentCanvas("Edited", "edited", theme, self)
        self.difference.setToolTip("Red: lighter than before, blue: darker; the stronger, the more")
        self._side_by_side = False
        self._reference: NDArray[np.uint8] | None = None
        self._part = QRectF(WHOLE)
        for view in self._all():
            view.zoom_asked.connect(self._zoom_at)
            view.pan_asked.connect(self._pan)
            view.whole_asked.connect(self.show_whole)
        self.difference.hide()
        theme.changed.connect(self._draw_difference)

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which the pictures can be made out."""
        return QSize(360, 200)

    def set_side_by_side(self, equal: bool) -> None:
        """Show all at the same size, or the edited one large."""
        self._side_by_side = equal
        self._lay_out()

    def set_smooth(self, smooth: bool) -> None:
        """Smooth between the pixels, or show them as squares."""
        for view in self._all():
            view.smooth = smooth
            view.update()

    def set_difference(self, shown: bool) -> None:
        """Show the difference between the edited picture and what it is compared with, or not."""
        self.difference.setVisible(shown)
        self._draw_difference()
        self._lay_out()

    @property
    def shows_difference(self) -> bool:
        """Whether the difference is shown."""
        return not self.difference.isHidden()

    def compare_with(self, pixels: NDArray[np.uint8] | None, name: str) -> None:
        """Take the difference from that picture, uint8 ``[S, S, 4]`` (BGRX); None where there is none yet."""
        self._reference = pixels
        self.difference.set_caption("Difference", f"from {name}")
        self._draw_difference()

    def show_edited(self, pixels: NDArray[np.uint8], generation: int) -> None:
        """Show the edited picture, uint8 ``[S, S, 4]`` (BGRX), and its difference."""
        self.edited.show_frame(pixels, generation)
        self._draw_difference()

    # Enlarging

    @property
    def zoom(self) -> float:
        """How many times the pictures are enlarged."""
        return 1.0 / self._part.width()

    def zoom_by(self, turns: float) -> None:
        """Enlarge (positive) or reduce by turns of the wheel, around the middle of what is seen."""
        self._zoom_at(turns, self._part.center())

    def show_whole(self) -> None:
        """Show the whole pictures again."""
        self._show_part(QRectF(WHOLE))

    def _zoom_at(self, turns: float, point: QPointF) -> None:
        zoom = min(MOST, max(1.0, self.zoom * STEP**turns))
        shrink = 1.0 / (zoom * self._part.width())
        left = point.x() - shrink * (point.x() - self._part.x())
        top = point.y() - shrink * (point.y() - self._part.y())
        self._show_part(QRectF(left, top, 1.0 / zoom, 1.0 / zoom))

    def _pan(self, step: QPointF) -> None:
        self._show_part(self._part.translated(-step.x(), -step.y()))

    def _show_part(self, part: QRectF) -> None:
        side = min(1.0, part.width())
        left = min(1.0 - side, max(0.0, part.x()))
        top = min(1.0 - side, max(0.0, part.y()))
        part = QRectF(WHOLE) if side >= 1.0 else QRectF(left, top, side, side)
        changed, self._part = part.width() != self._part.width(), part
        for view in self._all():
            view.show_part(part)
        if changed:
            self.zoom_changed.emit(self.zoom)

    # Layout

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the pictures out anew."""
        self._lay_out()

    def _all(self) -> tuple[PictureView, ...]:
        return self.input, self.start, self.difference, self.edited

    def _draw_difference(self) -> None:
        if self.difference.isHidden():
            return
        after, before = self.edited.pixels, self._reference
        if after is None or before is None or after.shape != before.shape:
            self.difference.show_nothing("Nothing to compare with yet.")
            return
        colours = (QColor(getattr(self._theme.colours, name)) for name in ("sunken", "darker", "lighter"))
        ground, darker, lighter = ((one.red(), one.green(), one.blue()) for one in colours)
        shown = difference_picture(before[..., 2::-1], after[..., 2::-1], ground, darker, lighter)
        self.difference.show_frame(bgrx(shown))

    def _lay_out(self) -> None:
        width, height = self.width(), self.height()
        views = [view for view in self._all() if view is not self.difference or not view.isHidden()]
        count = len(views)
        if self._side_by_side:
            side = max(16, min((width - (count - 1) * GAP) // count, height - CAPTION))
            left = (width - count * side - (count - 1) * GAP) // 2
            top = (height - side - CAPTION) // 2
            for k, view in enumerate(views):
                view.setGeometry(QRect(left + k * (side + GAP), top, side, side + CAPTION))
            return
        # Small squares with captions, in one column or two, stand as high as the large one beside them.
        small, columns = max(self._small_side(count - 1, columns) for columns in (1, 2))
        rows = -(-(count - 1) // columns)
        large = rows * small + (rows - 1) * (CAPTION + GAP)
        used = columns * (small + GAP) + large
        left, top = (width - used) // 2, (height - large - CAPTION) // 2
        for k, view in enumerate(views[:-1]):
            x, y = left + (k // rows) * (small + GAP), top + (k % rows) * (small + CAPTION + GAP)
            view.setGeometry(QRect(x, y, small, small + CAPTION))
        views[-1].setGeometry(QRect(left + columns * (small + GAP), top, large, large + CAPTION))

    def _small_side(self, count: int, columns: int) -> tuple[int, int]:
        """Return the side of the small pictures in so many columns, and the columns; two are for three."""
        rows = -(-count // columns)
        extra = (rows - 1) * (CAPTION + GAP)
        room = self.width() - columns * GAP - extra
        side = min((self.height() - CAPTION - extra) // rows, room // (rows + columns))
        return (max(16, side) if count > columns else 0), columns
