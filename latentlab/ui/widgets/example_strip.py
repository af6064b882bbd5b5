"""A strip of examples: each a picture before and after, and what is predicted of both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QScrollArea, QWidget

from latentlab.operations.projection_examples import Example
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.bars_painter import label_of, small_font
from latentlab.ui.widgets.picture_cells import PictureCells
from latentlab.ui.widgets.picture_view import bgrx

LINE, FRAME, BETWEEN, GAP, BAR = 17, 3, 4, 12, 10
LEAST, MOST = 48, 128
"""The least and the largest side of a picture."""
TEXT = 2 * LINE + 2
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)


class ExamplePair(QAbstractButton):
    """Two pictures side by side with their classes below; a click or Enter chooses it."""

    def __init__(self, example: Example, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.example = example
        self.side, self.smooth = LEAST, True
        self._cells = PictureCells(np.stack([bgrx(picture) for picture in example.pictures]))
        words = " to ".join(map(label_of, example.labels))
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(f"{example.name}: {words}")
        first, second = example.titles
        self.setToolTip(
            f"{example.name}\n{first}: {label_of(example.labels[0]).lower()}\n"
            f"{second}: {label_of(example.labels[1]).lower()}\n"
            "Click to choose it; Export picture saves the second one"
        )
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Return the size that pictures and words take."""
        return QSize(2 * (self.side + FRAME) + BETWEEN, self.side + 2 * FRAME + TEXT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint both pictures, frame and words."""
        painter = QPainter(self)
        colour = self._theme.colour
        font = small_font(self.font())
        painter.setFont(font)
        metrics = QFontMetrics(font)
        for place in (0, 1):
            area = QRect(FRAME + place * (self.side + BETWEEN), FRAME, self.side, self.side)
            self._cells.paint(painter, place, area, self.smooth)
            for line, text in enumerate((self.example.titles[place], label_of(self.example.labels[place]))):
                painter.setPen(colour("text" if line else "muted"))
                where = QRect(area.left(), area.bottom() + 1 + FRAME + line * LINE, self.side, LINE)
                painter.drawText(
                    where, _CENTRE, metrics.elidedText(text, Qt.TextElideMode.ElideRight, self.side)
                )
        if self.isChecked() or self.hasFocus():
            painter.setPen(QPen(colour("text" if self.hasFocus() else "accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRect(1, 1, 2 * (self.side + FRAME) + BETWEEN - 2, self.side + 2 * FRAME - 2))
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Enter for a click, as Space is."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)


class ExampleStrip(QScrollArea):
    """The examples in a line, as large as there is room; scrolled to the side where there are more."""

    chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._smooth = theme, True
        self.pairs: list[ExamplePair] = []
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Examples")
        self.setMinimumHeight(LEAST + 2 * FRAME + TEXT + BAR)
        self.setMaximumHeight(MOST + 2 * FRAME + TEXT + BAR)
        self._plane = QWidget()
        self.setWidget(self._plane)

    @property
    def current(self) -> int | None:
        """Which example is chosen; None where there is none."""
        return next((k for k, pair in enumerate(self.pairs) if pair.isChecked()), None)

    def show_examples(self, examples: Sequence[Example]) -> None:
        """Show these; the first one is chosen."""
        for pair in self.pairs:
            pair.setParent(None)
            pair.deleteLater()
        self.pairs = []
        for place, example in enumerate(examples):
            pair = ExamplePair(example, self._theme, self._plane)
            pair.smooth = self._smooth
            pair.setChecked(not place)
            pair.clicked.connect(lambda _checked=False, place=place: self.chosen.emit(place))
            pair.show()
            self.pairs.append(pair)
        self._lay_out()
        self.horizontalScrollBar().setValue(0)

    def set_smooth(self, smooth: bool) -> None:
        """Smooth between the pixels, or show them as squares."""
        self._smooth = smooth
        for pair in self.pairs:
            pair.smooth = smooth
            pair.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the examples anew."""
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        room = self.height() - BAR - 2 * FRAME - TEXT
        side = max(LEAST, min(MOST, room))
        left = 0
        for pair in self.pairs:
            pair.side = side
            size = pair.sizeHint()
            pair.setGeometry(left, 0, size.width(), size.height())
            pair.update()
            left += size.width() + GAP
        self._plane.resize(max(1, left - GAP), side + 2 * FRAME + TEXT)
