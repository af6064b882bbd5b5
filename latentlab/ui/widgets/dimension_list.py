"""The scrolling list of latent dimensions; rows are made when they come into view: thousands cost little."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from latentlab.ui.theme import Theme
from latentlab.ui.widgets.dimension_row import HEIGHT, DimensionInfo, DimensionRow

_AHEAD = 4
"""Rows made beyond the edges of what is seen, so that the Tab key finds them."""


class DimensionList(QScrollArea):
    """Rows in the order of ``infos``; the signals are those of `DimensionRow`."""

    moved = Signal(int, float)
    pressed = Signal(int)
    released = Signal(int)
    reset_asked = Signal(int)
    lock_asked = Signal(int, bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._infos: list[DimensionInfo] = []
        self._place: dict[int, int] = {}
        self._rows: dict[int, DimensionRow] = {}
        self._latent = self._start = np.zeros(0, dtype=np.float32)
        self._locked: frozenset[int] = frozenset()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Latent dimensions")
        self._content = QWidget()
        self._content.setObjectName("plain")
        self.setWidget(self._content)
        self.verticalScrollBar().valueChanged.connect(self._make_visible_rows)

    def set_dimensions(self, infos: Sequence[DimensionInfo], size: int) -> None:
        """Show these dimensions of a latent of ``size`` from now on, in this order, from the top."""
        for row in self._rows.values():
            row.hide()
            row.deleteLater()
        self._rows = {}
        self._infos = list(infos)
        self._place = {info.index: place for place, info in enumerate(infos)}
        if len(self._latent) != size:
            self._latent = self._start = np.zeros(size, dtype=np.float32)
        self.verticalScrollBar().setValue(0)
        self._lay_out()

    def show_latent(self, latent: NDArray[np.float32], start: NDArray[np.float32]) -> None:
        """Show the values of a latent and its start, each flattened; only what changed is touched."""
        latent, start = latent.reshape(-1), start.reshape(-1)
        changed = np.flatnonzero((latent != self._latent) | (start != self._start))
        self._latent, self._start = latent, start
        for dimension in changed.tolist():
            row = self._rows.get(self._place.get(dimension, -1))
            if row is not None:
                row.show_value(float(latent[dimension]), float(start[dimension]))

    def show_locked(self, locked: frozenset[int]) -> None:
        """Show which dimensions are locked."""
        if locked != self._locked:
            self._locked = locked
            for row in self._rows.values():
                row.show_locked(row.info.index in locked)

    @property
    def infos(self) -> list[DimensionInfo]:
        """What is listed, from top to bottom."""
        return self._infos

    def row(self, dimension: int) -> DimensionRow:
        """Return a dimension's row, scrolled into view."""
        place = self._place[dimension]
        self._make(place)
        row = self._rows[place]
        self.ensureWidgetVisible(row, 0, HEIGHT)
        return row

    @property
    def made(self) -> int:
        """How many rows have been made."""
        return len(self._rows)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Widen the rows and make those that have come into view."""
        super().resizeEvent(event)
        self._lay_out()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the slider above or below by the up and down keys."""
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        held = [place for place, row in self._rows.items() if row.slider.hasFocus()]
        if step is None or not held or not 0 <= held[0] + step < len(self._infos):
            super().keyPressEvent(event)
            return
        self.row(self._infos[held[0] + step].index).slider.setFocus(Qt.FocusReason.TabFocusReason)

    def _lay_out(self) -> None:
        width = self.viewport().width()
        self._content.resize(width, HEIGHT * len(self._infos))
        for place, row in self._rows.items():
            row.setGeometry(0, place * HEIGHT, width - 4, HEIGHT)
        self._make_visible_rows()

    def _make_visible_rows(self) -> None:
        top = self.verticalScrollBar().value()
        first = max(0, top // HEIGHT - _AHEAD)
        last = min(len(self._infos), (top + self.viewport().height()) // HEIGHT + 1 + _AHEAD)
        for place in range(first, last):
            self._make(place)

    def _make(self, place: int) -> None:
        if place in self._rows:
            return
        info = self._infos[place]
        row = DimensionRow(info, self._theme, self._content)
        row.moved.connect(self.moved)
        row.pressed.connect(self.pressed)
        row.released.connect(self.released)
        row.reset_asked.connect(self.reset_asked)
        row.lock_asked.connect(self.lock_asked)
        row.show_locked(info.index in self._locked)
        row.show_value(float(self._latent[info.index]), float(self._start[info.index]))
        row.setGeometry(0, place * HEIGHT, self.viewport().width() - 4, HEIGHT)
        row.show()
        self._rows[place] = row
        self._chain(place)

    def _chain(self, place: int) -> None:
        """Put a new row's controls into the Tab order between its neighbours'."""
        row = self._rows[place]
        above = max((other for other in self._rows if other < place), default=None)
        below = min((other for other in self._rows if other > place), default=None)
        if above is not None:
            QWidget.setTabOrder(self._rows[above].reset, row.lock)
        QWidget.setTabOrder(row.lock, row.slider)
        QWidget.setTabOrder(row.slider, row.spin)
        QWidget.setTabOrder(row.spin, row.reset)
        if below is not None:
            QWidget.setTabOrder(row.reset, self._rows[below].lock)
