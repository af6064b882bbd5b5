"""The images behind a mark, in a line: what each is, what became of it, and what was predicted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QScrollArea, QWidget

from latentlab.session.audit_images import BehindImage
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.bars_painter import label_of, small_font
from latentlab.ui.widgets.picture_cells import PictureCells
from latentlab.ui.widgets.picture_view import bgrx

LINE, FRAME, BETWEEN, GAP, BAR = 16, 3, 4, 10, 10
LEAST, MOST = 56, 112
"""The least and the largest side of a picture."""
LINES = 2
"""Lines of words below a picture."""


class BehindTile(QAbstractButton):
    """One image with its pictures side by side; a click chooses it, a double click or Enter opens it."""

    opened = Signal()

    def __init__(self, behind: BehindImage, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self.behind = theme, behind
        self.side, self.smooth = LEAST, True
        self._cells = [PictureCells(bgrx(picture)[np.newaxis]) for _, picture in behind.pictures]
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(behind.name)
        self.setAccessibleDescription(". ".join(behind.words))
        self.setToolTip(
            "\n".join([behind.name, *behind.words, *behind.known, "Double-click to open it in Explore"])
        )
        theme.changed.connect(self.update)

    @property
    def lines(self) -> tuple[str, ...]:
        """What stands below the pictures."""
        return self.behind.words[:LINES]

    def sizeHint(self) -> QSize:
        """Return the size that pictures and words take."""
        count = max(1, len(self._cells))
        width = count * self.side + (count - 1) * BETWEEN + 2 * FRAME
        return QSize(width, self.side + 2 * FRAME + (1 + LINES) * LINE + 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the pictures, their titles, and what is known."""
        painter = QPainter(self)
        colour, font = self._theme.colour, small_font(self.font())
        metrics = QFontMetrics(font)
        painter.setFont(font)
        for place, (cells, (title, _)) in enumerate(zip(self._cells, self.behind.pictures, strict=True)):
            area = QRect(FRAME + place * (self.side + BETWEEN), FRAME, self.side, self.side)
            cells.paint(painter, 0, area, self.smooth)
            painter.setPen(colour("muted"))
            where = QRect(area.left(), area.bottom() + 1 + FRAME, self.side, LINE)
            shown = metrics.elidedText(label_of(title), Qt.TextElideMode.ElideRight, self.side)
            painter.drawText(where, int(Qt.AlignmentFlag.AlignCenter), shown)
        painter.setPen(colour("text"))
        top = self.side + 2 * FRAME + LINE
        for line, text in enumerate(self.lines):
            where = QRect(0, top + line * LINE, self.width(), LINE)
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, self.width())
            painter.drawText(where, int(Qt.AlignmentFlag.AlignCenter), shown)
        if self.isChecked() or self.hasFocus():
            painter.setPen(QPen(colour("text" if self.hasFocus() else "accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRect(1, 1, self.width() - 2, self.side + 2 * FRAME - 2))
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open the image by Enter; Space chooses it."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
            self.opened.emit()
        else:
            super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open the image."""
        self.opened.emit()


class AuditStrip(QScrollArea):
    """The images in a line, as large as there is room; scrolled to the side where there are more."""

    chosen = Signal(int)
    opened = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._smooth = theme, True
        self.tiles: list[BehindTile] = []
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Images behind the mark")
        below = 2 * FRAME + (1 + LINES) * LINE + 2 + BAR
        self.setMinimumHeight(LEAST + below)
        self.setMaximumHeight(MOST + below)
        self._plane = QWidget()
        self._plane.setObjectName("plain")
        self.setWidget(self._plane)

    @property
    def current(self) -> int | None:
        """Which image is chosen; None where there is none."""
        return next((k for k, tile in enumerate(self.tiles) if tile.isChecked()), None)

    def show_images(self, images: Sequence[BehindImage]) -> None:
        """Show these; the first one is chosen."""
        for tile in self.tiles:
            tile.setParent(None)
            tile.deleteLater()
        self.tiles = []
        for place, behind in enumerate(images):
            tile = BehindTile(behind, self._theme, self._plane)
            tile.smooth = self._smooth
            tile.setChecked(not place)
            tile.clicked.connect(lambda _checked=False, place=place: self.chosen.emit(place))
            tile.opened.connect(lambda place=place: self.opened.emit(place))
            tile.show()
            self.tiles.append(tile)
        self._lay_out()
        self.horizontalScrollBar().setValue(0)

    def set_smooth(self, smooth: bool) -> None:
        """Smooth between the pixels, or show them as squares."""
        self._smooth = smooth
        for tile in self.tiles:
            tile.smooth = smooth
            tile.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the images anew."""
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        room = self.height() - BAR - 2 * FRAME - (1 + LINES) * LINE - 2
        side, left = max(LEAST, min(MOST, room)), 0
        for tile in self.tiles:
            tile.side = side
            size = tile.sizeHint()
            tile.setGeometry(left, 0, size.width(), size.height())
            tile.update()
            left += size.width() + GAP
        self._plane.resize(max(1, left - GAP), side + 2 * FRAME + (1 + LINES) * LINE + 2)
