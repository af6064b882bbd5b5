"""The projections of a picture as tiles: one a dataset, with its name and what changed below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QEnterEvent,
    QFocusEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractButton, QFrame, QScrollArea, QWidget

from latentlab.ui.theme import Theme
from latentlab.ui.widgets.bars_painter import small_font
from latentlab.ui.widgets.picture_cells import PictureCells

HINT = "Click to go on with it in Explore"
MOST_CHANGES = 4
"""So many changes are named below a picture; the tool tip names all."""
NAME, LINE = 24, 17
"""Height of the dataset's name, and of a line below it."""
TEXT = NAME + LINE * (MOST_CHANGES + 1)
FRAME, GAP = 3, 12
LEAST, LEAST_WIDTH = 72, 120
"""The least side of a picture, and width of a tile."""
BAR = 10
"""Width of a scroll bar, as the style sheet has it."""
_INDENT = 12
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


@dataclass(frozen=True)
class TileWords:
    """What stands below a picture.

    Parameters
    ----------
    name, role
        The dataset, and what the picture is besides, such as ``reconstruction``.
    lines
        What changed, a line each, and what else is to be said of it.
    marked
        How many of the lines are changes.
    tip
        All of it, in full.
    """

    name: str
    role: str = ""
    lines: tuple[str, ...] = ()
    marked: int = 0
    tip: str = ""


@dataclass(frozen=True)
class TileLayout:
    """How many columns of tiles there are, how large their pictures are, and how wide a tile is."""

    columns: int
    side: int
    width: int

    @property
    def height(self) -> int:
        """The height of a tile."""
        return self.side + 2 * FRAME + TEXT


def lay_tiles(count: int, room: QSize) -> TileLayout:
    """Return the layout with the largest pictures; where they would be too small, one that is scrolled."""
    best = TileLayout(1, -room.height(), room.width())
    for columns in range(1, count + 1):
        width = (room.width() - (columns - 1) * GAP) // columns
        if width < LEAST_WIDTH and columns > 1:
            break
        rows = ceil(count / columns)
        height = (room.height() - (rows - 1) * GAP) // rows - TEXT - 2 * FRAME
        side = min(width - 2 * FRAME, height)
        if side > best.side:
            best = TileLayout(columns, side, width)
    if best.side >= LEAST:
        return best
    columns = max(1, min(count, (room.width() - BAR + GAP) // (LEAST_WIDTH + GAP)))
    width = (room.width() - BAR - (columns - 1) * GAP) // columns
    return TileLayout(columns, max(LEAST, width - 2 * FRAME), width)


class ProjectionTile(QAbstractButton):
    """One picture, its dataset's name, and what changed; a click or Enter takes it.

    ``reached`` is told when the pointer or the focus comes to it.
    """

    reached = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._cells: PictureCells | None = None
        self._place = 0
        self.words = TileWords("")
        self.side, self.smooth, self.current = LEAST, True, False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        theme.changed.connect(self.update)

    def show_picture(self, cells: PictureCells | None, place: int) -> None:
        """Show one picture of a batch, or none yet."""
        self._cells, self._place = cells, place
        self.update()

    def show_words(self, words: TileWords) -> None:
        """Show what stands below the picture."""
        if words != self.words:
            self.words = words
            self.setAccessibleName(" ".join(part for part in (words.name, words.role) if part))
            self.setAccessibleDescription("; ".join(words.lines))
            self.setToolTip(words.tip)
            self.update()

    def sizeHint(self) -> QSize:
        """Return the size that picture and words take."""
        return QSize(self.side + 2 * FRAME, self.side + 2 * FRAME + TEXT)

    def picture_area(self) -> QRect:
        """Return the square in which the picture is painted."""
        return QRect(FRAME, FRAME, self.side, self.side)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint frame, picture and words."""
        painter = QPainter(self)
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
        self._paint_words(painter, area)
        painter.end()

    def _paint_words(self, painter: QPainter, area: QRect) -> None:
        words, colour = self.words, self._theme.colour
        room = self.width() - area.left()
        strong = QFont(self.font())
        strong.setWeight(QFont.Weight.DemiBold)
        metrics = QFontMetrics(strong)
        painter.setFont(strong)
        painter.setPen(colour("text"))
        top = area.bottom() + 1 + FRAME
        name = metrics.elidedText(words.name, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRect(area.left(), top, room, NAME), _LEFT, name)
        small = small_font(self.font())
        metrics = QFontMetrics(small)
        painter.setFont(small)
        if words.role:
            left = area.left() + QFontMetrics(strong).horizontalAdvance(name) + 8
            painter.setPen(colour("start"))
            role = metrics.elidedText(words.role, Qt.TextElideMode.ElideRight, self.width() - left)
            painter.drawText(QRect(left, top, self.width() - left, NAME), _LEFT, role)
        for k, line in enumerate(words.lines):
            place = QRect(area.left(), top + NAME + k * LINE, room, LINE)
            if k < words.marked:
                self._mark(painter, place)
                place.setLeft(place.left() + _INDENT)
            painter.setPen(colour("text" if k < words.marked else "muted"))
            text = metrics.elidedText(line, Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, _LEFT, text)

    def _mark(self, painter: QPainter, line: QRect) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("edited"))
        painter.drawEllipse(QRectF(line.left() + 0.5, line.center().y() - 2.5, 6, 6))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Enter for a click, as Space is."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Tell that the pointer has come."""
        self.reached.emit()
        super().enterEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell that the focus has come."""
        self.reached.emit()
        super().focusInEvent(event)


class ProjectionTiles(QScrollArea):
    """The tiles of all datasets, as large as there is room; scrolled where there is too little.

    ``chosen`` tells which one was clicked; ``current`` is the one that was pointed at last.
    """

    chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._smooth = True
        self._current: int | None = None
        self._pixels: NDArray[np.uint8] | None = None
        self.tiles: list[ProjectionTile] = []
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Projections")
        self._plane = QWidget()
        self.setWidget(self._plane)

    @property
    def pixels(self) -> NDArray[np.uint8] | None:
        """What is shown, uint8 ``[K, S, S, 4]``, BGRX; None without pictures."""
        return self._pixels

    @property
    def current(self) -> int | None:
        """Which tile was pointed at last, by pointer or keys; None before."""
        return self._current

    def set_names(self, names: Sequence[str]) -> None:
        """Have a tile for each of these datasets; their pictures are still to come."""
        for tile in self.tiles:
            tile.setParent(None)
            tile.deleteLater()
        self.tiles, self._pixels = [], None
        for place, name in enumerate(names):
            tile = ProjectionTile(self._theme, self._plane)
            tile.smooth = self._smooth
            tile.show_words(TileWords(name))
            tile.clicked.connect(lambda _checked=False, place=place: self.chosen.emit(place))
            tile.reached.connect(lambda place=place: self.set_current(place))
            tile.show()
            self.tiles.append(tile)
        self._current = None
        self._lay_out()

    def set_current(self, place: int | None) -> None:
        """Frame a tile, or none."""
        self._current = place
        for k, tile in enumerate(self.tiles):
            if tile.current != (k == place):
                tile.current = k == place
                tile.update()

    def show_frame(self, pixels: NDArray[np.uint8], words: Sequence[TileWords]) -> None:
        """Show uint8 ``[K, S, S, 4]``, BGRX, one a tile, and what stands below each."""
        cells = PictureCells(pixels)
        self._pixels = pixels
        for place, (tile, said) in enumerate(zip(self.tiles, words, strict=True)):
            tile.show_picture(cells, place)
            tile.show_words(said)

    def show_nothing(self) -> None:
        """Show the tiles without pictures."""
        self._pixels = None
        for tile in self.tiles:
            tile.show_picture(None, 0)
            tile.show_words(TileWords(tile.words.name))

    def set_smooth(self, smooth: bool) -> None:
        """Smooth between the pixels, or show them as squares."""
        self._smooth = smooth
        for tile in self.tiles:
            tile.smooth = smooth
            tile.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the tiles anew."""
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        count = len(self.tiles)
        if not count:
            return
        room = self.maximumViewportSize()  # whether or not there is a scroll bar now
        found = lay_tiles(count, room)
        rows = ceil(count / found.columns)
        self._plane.resize(room.width(), rows * (found.height + GAP) - GAP)
        width = min(found.width, max(LEAST_WIDTH, found.side + 2 * FRAME + found.side // 3))
        for place, tile in enumerate(self.tiles):
            row, column = divmod(place, found.columns)
            tile.side = found.side
            tile.setGeometry(column * (width + GAP), row * (found.height + GAP), width, found.height)
            tile.update()
