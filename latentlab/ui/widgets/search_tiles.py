"""All restarts of a search as tiles: each one's picture, that reduced, how near it is and how it stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QWidget

from latentlab.operations.search_plan import MISSED, UNDER
from latentlab.session.search_words import RestartWords
from latentlab.ui.theme import Theme, numerals
from latentlab.ui.widgets.bars_painter import small_font
from latentlab.ui.widgets.picture_cells import PictureCells
from latentlab.ui.widgets.picture_tiles import FRAME, PictureTile, TileArea, TileSizes
from latentlab.ui.widgets.picture_view import bgrx

HINT = "Click to look at it, double-click or Enter to go on with it in Explore"
SMALL, LINE = 46, 15
"""Side of the reduced picture, height of a line."""
LEAST_WIDTH = 148
SIZES = TileSizes(below=SMALL + 6, gap=10, least=84, least_width=LEAST_WIDTH, most=LEAST_WIDTH)
BESIDE = 84
"""By how much a tile may be wider than its picture, so that the words below have room."""
NO_WORDS = RestartWords("", "", "", None, False, "")
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = Qt.TextElideMode.ElideRight


class SearchTile(PictureTile):
    """One restart. A click chooses it, a double click or Enter asks for Explore."""

    explore_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, SIZES, parent)
        self._reduced: PictureCells | None = None
        self.words = NO_WORDS

    def show_restart(
        self, place: int, cells: PictureCells | None, reduced: PictureCells | None, words: RestartWords
    ) -> None:
        """Show one picture of a batch with its reduced one, and what stands below."""
        self._place, self._cells, self._reduced = place, cells, reduced
        if words != self.words:
            self.words = words
            said = [words.distance, words.status, words.attributes]
            self.setAccessibleDescription("; ".join(one for one in said if one))
            self.setToolTip(f"{words.tip}\n{HINT}")
        self.update()

    def reduced_area(self) -> QRect:
        """Return the square in which the reduced picture is painted."""
        return QRect(FRAME, FRAME + self.side + 6, SMALL, SMALL)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint frame, pictures and words."""
        painter = QPainter(self)
        self._paint_picture(painter)
        small, colour = self.reduced_area(), self._theme.colour
        if self._reduced is None:
            painter.fillRect(small, colour("sunken"))
        else:
            self._reduced.paint(painter, self._place, small, False)
        painter.setPen(QPen(colour("line"), 1))
        painter.drawRect(small.adjusted(0, 0, -1, -1))
        self._paint_words(painter, small)
        painter.end()

    def _paint_words(self, painter: QPainter, small: QRect) -> None:
        words, colour = self.words, self._theme.colour
        left = small.right() + 9
        room = self.width() - left
        strong = numerals(self.font())
        strong.setWeight(QFont.Weight.DemiBold if words.best else QFont.Weight.Medium)
        strong.setPixelSize(12)
        painter.setFont(strong)
        painter.setPen(colour("accent" if words.best else "text"))
        shown = QFontMetrics(strong).elidedText(words.distance, _RIGHT, room)
        painter.drawText(QRect(left, small.top(), room, LINE), _LEFT, shown)
        plain = small_font(self.font())
        plain.setPixelSize(11)
        metrics = QFontMetrics(plain)
        painter.setFont(plain)
        top = small.top() + LINE
        if words.state is not None:
            self._mark(painter, QPointF(left + 4, top + LINE / 2), words.state)
        beside = left + (12 if words.state is not None else 0)
        painter.setPen(colour("text" if words.state == UNDER else "muted"))
        status = metrics.elidedText(words.status, _RIGHT, self.width() - beside)
        painter.drawText(QRect(beside, top, self.width() - beside, LINE), _LEFT, status)
        painter.setPen(colour("muted"))
        said = metrics.elidedText(words.attributes, _RIGHT, room)
        painter.drawText(QRect(left, top + LINE, room, LINE), _LEFT, said)

    def _mark(self, painter: QPainter, middle: QPointF, state: int) -> None:
        """Mark how it stands, in colour and shape: full under eps, a ring that missed it, or a dot."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ring = QColor(self._theme.colour("start" if state == UNDER else "faint"))
        painter.setPen(QPen(ring, 1.5) if state == MISSED else Qt.PenStyle.NoPen)
        painter.setBrush(Qt.BrushStyle.NoBrush if state == MISSED else ring)
        half = 2.0 if state not in (UNDER, MISSED) else 3.5
        painter.drawEllipse(QRectF(middle.x() - half, middle.y() - half, 2 * half, 2 * half))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Enter for a double click."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
            self.explore_asked.emit()
        else:
            super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ask to go on with it in Explore."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.explore_asked.emit()
        else:
            event.ignore()


class SearchTiles(TileArea):
    """The tiles of all restarts, as large as there is room; scrolled where there is too little.

    ``chosen`` tells which one was clicked, ``explore_asked`` which one is to go on in Explore.
    """

    _plane: _Plane
    chosen = Signal(int)
    explore_asked = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Restarts", SIZES, _Plane(theme), parent)
        self._theme = theme
        self._cells: PictureCells | None = None
        self._reduced: PictureCells | None = None
        self._empty = ""
        self.tiles: list[SearchTile] = []

    @property
    def pixels(self) -> NDArray[np.uint8] | None:
        """What is shown, uint8 ``[N, S, S, 4]``, BGRX; None without pictures."""
        return None if self._cells is None else self._cells.pixels

    @property
    def reduced(self) -> NDArray[np.uint8] | None:
        """The reduced pictures that are shown, uint8 ``[N, side, side, 4]``, BGRX."""
        return None if self._reduced is None else self._reduced.pixels

    @property
    def reason(self) -> str:
        """Why nothing is shown; empty where there are pictures."""
        return "" if self.tiles else self._empty

    def show_frame(
        self, pictures: NDArray[np.uint8], reduced: NDArray[np.uint8], words: Sequence[RestartWords]
    ) -> None:
        """Show pictures uint8 ``[N, S, S, 3]`` and those reduced ``[N, side, side, 3]``, RGB, one a tile."""
        self._set_count(len(pictures))
        self._cells, self._reduced = (
            PictureCells(np.stack([bgrx(one) for one in some])) for some in (pictures, reduced)
        )
        for place, (tile, said) in enumerate(zip(self.tiles, words, strict=True)):
            tile.show_restart(place, self._cells, self._reduced, said)

    def show_nothing(self, why: str) -> None:
        """Show no pictures, and say why."""
        self._empty = why
        self._set_count(0)
        self._cells = self._reduced = None
        self._plane.say(why)
        self.setAccessibleDescription(why)
        self._lay_out()

    def _set_count(self, count: int) -> None:
        if count == len(self.tiles):
            return
        for tile in self.tiles[count:]:
            tile.setParent(None)
            tile.deleteLater()
        del self.tiles[count:]
        for place in range(len(self.tiles), count):
            tile = SearchTile(self._theme, self._plane)
            tile.setAccessibleName(f"Restart {place + 1}")
            tile.smooth = self._smooth
            tile.clicked.connect(lambda _checked=False, place=place: self.chosen.emit(place))
            tile.explore_asked.connect(lambda place=place: self.explore_asked.emit(place))
            tile.reached.connect(lambda tile=tile: self.ensureWidgetVisible(tile, 0, 8))
            tile.show()
            self.tiles.append(tile)
        if count:
            self._plane.say("")
        self.set_current(self._current if self._current is not None and self._current < count else None)
        self._lay_out()

    def _width_for(self, side: int) -> int:
        return side + 2 * FRAME + BESIDE


class _Plane(QWidget):
    """What the tiles lie on; without any it says why."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._text = theme, ""
        theme.changed.connect(self.update)

    def say(self, text: str) -> None:
        self._text = text
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._text:
            return
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("sunken"))
        painter.setPen(self._theme.colour("line"))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.setPen(self._theme.colour("muted"))
        flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
        margin = max(16, (self.width() - 460) // 2)
        painter.drawText(self.rect().adjusted(margin, 12, -margin, -12), flags, self._text)
        painter.end()
