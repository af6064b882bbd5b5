"""Pictures as tiles with words below, as large as there is room: what the tiles of all screens share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QScrollArea, QWidget

from latentlab.ui.theme import Theme
from latentlab.ui.widgets.picture_cells import PictureCells

FRAME = 3
"""Around a picture."""
BAR = 10
"""Width of a scroll bar, as the style sheet has it."""


@dataclass(frozen=True)
class TileSizes:
    """What tiles take in pixels.

    Parameters
    ----------
    below
        Height of what stands below a picture.
    gap
        Between tiles.
    least, least_width
        The least side of a picture, and width of a tile.
    most
        The largest side of a picture where the tiles are scrolled; None for as wide as a tile.
    """

    below: int
    gap: int
    least: int
    least_width: int
    most: int | None = None


@dataclass(frozen=True)
class TileLayout:
    """How many columns of tiles there are, how large their pictures are, and how wide a tile is."""

    columns: int
    side: int
    width: int


def lay_tiles(count: int, room: QSize, sizes: TileSizes) -> TileLayout:
    """Return the layout with the largest pictures; where they would be too small, one that is scrolled."""
    best, gap = TileLayout(1, -1, room.width()), sizes.gap
    for columns in range(1, count + 1):
        width = (room.width() - (columns - 1) * gap) // columns
        if width < sizes.least_width and columns > 1:
            break
        rows = ceil(count / columns)
        height = (room.height() - (rows - 1) * gap) // rows - sizes.below - 2 * FRAME
        side = min(width - 2 * FRAME, height)
        if side > best.side:
            best = TileLayout(columns, side, width)
    if best.side >= sizes.least:
        return best
    columns = max(1, min(count, (room.width() - BAR + gap) // (sizes.least_width + gap)))
    width = (room.width() - BAR - (columns - 1) * gap) // columns
    side = width - 2 * FRAME if sizes.most is None else min(width - 2 * FRAME, sizes.most)
    return TileLayout(columns, max(sizes.least, side), width)


class PictureTile(QAbstractButton):
    """One picture of a batch in its frame; what stands below is the screen's own.

    ``reached`` is told when the focus comes to it.
    """

    reached = Signal()

    def __init__(self, theme: Theme, sizes: TileSizes, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._sizes = theme, sizes
        self._cells: PictureCells | None = None
        self._place = 0
        self.side, self.smooth, self.current = sizes.least, True, False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Return the size that picture and words take."""
        return QSize(self.side + 2 * FRAME, self.side + 2 * FRAME + self._sizes.below)

    def picture_area(self) -> QRect:
        """Return the square in which the picture is painted."""
        return QRect(FRAME, FRAME, self.side, self.side)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell that the focus has come."""
        self.reached.emit()
        super().focusInEvent(event)

    def _paint_picture(self, painter: QPainter) -> None:
        """Paint the picture with its frame, stronger where it is looked at or has the focus."""
        area, colour = self.picture_area(), self._theme.colour
        if self._cells is None:
            painter.fillRect(area, colour("sunken"))
        else:
            self._cells.paint(painter, self._place, area, self.smooth)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour("line"), 1))
        painter.drawRect(area.adjusted(0, 0, -1, -1))
        if self.current or self.hasFocus():
            painter.setPen(QPen(colour("text" if self.hasFocus() else "accent"), 2))
            painter.drawRect(area.adjusted(-2, -2, 1, 1))


class TileArea(QScrollArea):
    """Tiles as large as there is room; scrolled where there is too little."""

    tiles: Sequence[PictureTile]

    def __init__(self, name: str, sizes: TileSizes, plane: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sizes, self._plane = sizes, plane
        self._smooth = True
        self._current: int | None = None
        self.tiles = ()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(name)
        self.setWidget(plane)

    @property
    def current(self) -> int | None:
        """Which tile is looked at; None for none."""
        return self._current

    def set_current(self, place: int | None) -> None:
        """Frame a tile, or none."""
        self._current = place
        for k, tile in enumerate(self.tiles):
            if tile.current != (k == place):
                tile.current = k == place
                tile.update()

    def set_smooth(self, smooth: bool) -> None:
        """Smooth between the pixels of the pictures, or show them as squares."""
        self._smooth = smooth
        for tile in self.tiles:
            tile.smooth = smooth
            tile.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the tiles anew."""
        super().resizeEvent(event)
        self._lay_out()

    def _width_for(self, side: int) -> int:
        """Return how wide a tile is at most, so that the words below a picture of this side have room."""
        raise NotImplementedError

    def _lay_out(self) -> None:
        room = self.maximumViewportSize()  # whether or not there is a scroll bar now
        if not self.tiles:
            self._plane.resize(room)
            return
        sizes = self._sizes
        found = lay_tiles(len(self.tiles), room, sizes)
        height = found.side + 2 * FRAME + sizes.below
        rows = ceil(len(self.tiles) / found.columns)
        self._plane.resize(room.width(), rows * (height + sizes.gap) - sizes.gap)
        width = min(found.width, max(sizes.least_width, self._width_for(found.side)))
        for place, tile in enumerate(self.tiles):
            row, column = divmod(place, found.columns)
            tile.side = found.side
            tile.setGeometry(column * (width + sizes.gap), row * (height + sizes.gap), width, height)
            tile.update()
