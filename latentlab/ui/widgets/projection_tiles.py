"""The projections of a picture as tiles: one a dataset, with its name and what changed below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QEnterEvent,
    QFontMetrics,
    QKeyEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QWidget

from latentlab.ui.theme import Theme
from latentlab.ui.widgets.bars_painter import small_font, strong_font
from latentlab.ui.widgets.picture_cells import PictureCells
from latentlab.ui.widgets.picture_tiles import FRAME, PictureTile, TileArea, TileSizes

HINT = "Click to go on with it in Explore"
MOST_CHANGES = 4
"""So many changes are named below a picture; the tool tip names all."""
NAME, LINE = 24, 17
"""Height of the dataset's name, and of a line below it."""
TEXT = NAME + LINE * (MOST_CHANGES + 1)
GAP = 12
SIZES = TileSizes(below=TEXT, gap=GAP, least=72, least_width=120)
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


class ProjectionTile(PictureTile):
    """One picture, its dataset's name, and what changed; a click or Enter takes it.

    ``reached`` is told when the pointer or the focus comes to it.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, SIZES, parent)
        self.words = TileWords("")

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

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint frame, picture and words."""
        painter = QPainter(self)
        self._paint_picture(painter)
        self._paint_words(painter, self.picture_area())
        painter.end()

    def _paint_words(self, painter: QPainter, area: QRect) -> None:
        words, colour = self.words, self._theme.colour
        room = self.width() - area.left()
        strong = strong_font(self.font())
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


class ProjectionTiles(TileArea):
    """The tiles of all datasets, as large as there is room; scrolled where there is too little.

    ``chosen`` tells which one was clicked; ``current`` is the one that was pointed at last.
    """

    chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Projections", SIZES, QWidget(), parent)
        self._theme = theme
        self._pixels: NDArray[np.uint8] | None = None
        self.tiles: list[ProjectionTile] = []

    @property
    def pixels(self) -> NDArray[np.uint8] | None:
        """What is shown, uint8 ``[K, S, S, 4]``, BGRX; None without pictures."""
        return self._pixels

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

    def _width_for(self, side: int) -> int:
        return side + 2 * FRAME + side // 3
