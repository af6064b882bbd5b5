"""A strip of pictures along a path that one scrubs: a playhead over them, marks where the pins are."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from latentlab.ui.theme import Theme
from latentlab.ui.widgets.bars_painter import small_font
from latentlab.ui.widgets.picture_cells import PictureCells
from latentlab.ui.widgets.tips import answered_tip

GAP = 2
HEAD, FOOT = 12, 20
"""Room above the pictures for the playhead's knob, and below for the pins' marks and names."""

_KNOB, _KNOB_AT = 5, 8.0
_NEAR = 10
_SAME = 1e-6
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)
_MOVES = (
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
)


class FilmStrip(QWidget):
    """As many evenly spaced pictures of a batch as fit; the middle of the first is 0, of the last 1.

    A press or a drag takes the playhead there, a press on a pin's mark exactly to the pin; arrow keys go
    one picture of the batch on, page keys to the next pin, Home and End to the ends. ``scrub_begun`` and
    ``scrub_ended`` stand around all of one drag and of one key that is held.
    """

    scrub_begun = Signal()
    scrubbed = Signal(float)
    scrub_ended = Signal()
    painted = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._cells: PictureCells | None = None
        self._ground: QPixmap | None = None
        self._empty = ""
        self._stations: list[float] = []
        self._names: tuple[str, ...] = ()
        self._generation = 0
        self.painted_generation = 0
        self._position = 0.0
        self._scrubbing = False
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Position on the path")
        theme.changed.connect(self._forget_ground)

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(400, 80)

    def minimumSizeHint(self) -> QSize:
        """Return the least size: two pictures and the playhead."""
        return QSize(96, HEAD + 24 + FOOT)

    @property
    def position(self) -> float:
        """Where the playhead is, 0 to 1."""
        return self._position

    @property
    def scrubbing(self) -> bool:
        """Whether a person holds the playhead."""
        return self._scrubbing

    def show_frame(self, pixels: NDArray[np.uint8], generation: int = 0) -> None:
        """Show uint8 ``[B, S, S, 4]``, BGRX, from 0 to 1, at the next paint; `painted` tells which."""
        self._cells = PictureCells(pixels)
        self._generation = generation
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._describe()
        self._forget_ground()

    def show_nothing(self, reason: str) -> None:
        """Show no pictures, and say why."""
        self._end()
        self._cells, self._empty, self._generation = None, reason, 0
        self.unsetCursor()
        self.setAccessibleDescription(reason)
        self._forget_ground()

    def set_stations(self, positions: Sequence[float], names: Sequence[str]) -> None:
        """Mark where pins are, from 0 to 1 in rising order, with their names."""
        self._stations, self._names = [float(one) for one in positions], tuple(names)
        self._describe()
        self._forget_ground()

    def show_position(self, position: float) -> None:
        """Put the playhead there; tells nobody."""
        position = min(1.0, max(0.0, position))
        if position != self._position:
            self.update(self._playhead_area())
            self._position = position
            self.update(self._playhead_area())

    # Where things stand

    def shown(self) -> list[tuple[int, QRect]]:
        """Return which pictures of the batch are shown, and where."""
        if self._cells is None or not len(self._cells):
            return []
        width, high = self.width() - 2 * GAP, max(1, self.height() - HEAD - FOOT - 2 * GAP)
        fit = max(1, round((width + GAP) / (high + GAP)))
        side = min(high, max(1, (width + GAP) // fit - GAP))
        number = min(fit, len(self._cells))
        top = HEAD + GAP + (high - side) // 2
        places = []
        for k in range(number):
            share = k / (number - 1) if number > 1 else 0.5
            index = round(share * (len(self._cells) - 1)) if number > 1 else 0
            places.append((index, QRect(GAP + round(share * (width - side)), top, side, side)))
        return places

    def x_of(self, position: float) -> float:
        """Return where a position is."""
        first, last = self._ends()
        return first + position * (last - first)

    def position_at(self, x: float) -> float:
        """Return which position, 0 to 1, is there."""
        first, last = self._ends()
        return min(1.0, max(0.0, (x - first) / max(1.0, last - first)))

    def station_at(self, x: float) -> int | None:
        """Return the pin whose mark is there."""
        near = [(abs(self.x_of(one) - x), k) for k, one in enumerate(self._stations)]
        best = min(near, default=None)
        return best[1] if best is not None and best[0] <= _NEAR else None

    def _ends(self) -> tuple[float, float]:
        places = self.shown()
        if len(places) < 2:
            return _KNOB + 1.0, self.width() - _KNOB - 1.0
        half = GAP + places[0][1].width() / 2
        return half, self.width() - half

    def _foot(self) -> int:
        places = self.shown()
        return places[0][1].bottom() + 1 + GAP if places else self.height() - FOOT

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the pictures from a picture of them, and the playhead."""
        if self._ground is None or self._ground.devicePixelRatioF() != self.devicePixelRatioF():
            self._ground = self._paint_ground()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._ground)
        if self._cells is not None:
            self._paint_playhead(painter)
        painter.end()
        if self._cells is not None:
            self.painted_generation = self._generation
            self.painted.emit(self._generation)

    def _paint_ground(self) -> QPixmap:
        scale = self.devicePixelRatioF()
        ground = QPixmap(self.size() * scale)
        ground.setDevicePixelRatio(scale)
        ground.fill(self._theme.colour("surface"))
        painter = QPainter(ground)
        if self._cells is None:
            self._paint_reason(painter)
        else:
            places = self.shown()
            if places:
                band = places[0][1].united(places[-1][1])
                painter.fillRect(band.adjusted(-GAP, -GAP, GAP, GAP), self._theme.colour("line"))
            for index, place in places:
                self._cells.paint(painter, index, place)
            self._paint_stations(painter)
        painter.end()
        return ground

    def _paint_reason(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("sunken"))
        painter.drawRoundedRect(QRectF(self.rect()), 6, 6)
        painter.setFont(self.font())
        painter.setPen(self._theme.colour("muted"))
        flags = _CENTRE | int(Qt.TextFlag.TextWordWrap)
        painter.drawText(self.rect().adjusted(12, 4, -12, -4), flags, self._empty)

    def _paint_stations(self, painter: QPainter) -> None:
        font, top = small_font(self.font()), self._foot()
        metrics = QFontMetrics(font)
        painter.setFont(font)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for x in map(self.x_of, self._stations):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("start"))
            painter.drawPolygon(_triangle(QPointF(x, top + 1), 4, 5))
        painter.setPen(self._theme.colour("muted"))
        for name, place in self._name_places(metrics, top + 6):
            elided = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, place.width())
            painter.drawText(place, _CENTRE, elided)

    def _name_places(self, metrics: QFontMetrics, top: int) -> list[tuple[str, QRect]]:
        """Give each name the room up to halfway to its neighbours; too little room takes it away."""
        xs = [self.x_of(one) for one in self._stations]
        places = []
        for k, (x, name) in enumerate(zip(xs, self._names, strict=False)):
            left = 0.0 if k == 0 else (xs[k - 1] + x) / 2 + 3
            right = float(self.width()) if k == len(xs) - 1 else (x + xs[k + 1]) / 2 - 3
            width = min(metrics.horizontalAdvance(name) + 2.0, right - left)
            if width >= min(metrics.horizontalAdvance(name), 24):
                start = min(max(left, x - width / 2), right - width)
                places.append((name, QRect(round(start), top, round(width), FOOT - 6)))
        return places

    def _paint_playhead(self, painter: QPainter) -> None:
        x, foot = self.x_of(self._position), self._foot()
        accent = self._theme.colour("accent" if self.isEnabled() else "faint")
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("surface"))
        painter.drawRect(QRectF(x - 2, _KNOB_AT, 4, foot - _KNOB_AT))
        if self.hasFocus():
            ring = QColor(accent)
            ring.setAlpha(70)
            painter.setBrush(ring)
            painter.drawEllipse(QPointF(x, _KNOB_AT), _KNOB + 3, _KNOB + 3)
        painter.setBrush(accent)
        painter.drawRect(QRectF(x - 1, _KNOB_AT, 2, foot - _KNOB_AT))
        painter.drawEllipse(QPointF(x, _KNOB_AT), _KNOB, _KNOB)

    def _playhead_area(self) -> QRect:
        reach = _KNOB + 4
        return QRect(int(self.x_of(self._position)) - reach, 0, 2 * reach + 1, self.height())

    # Mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the playhead there, or exactly to the pin whose mark or name is pressed."""
        if event.button() != Qt.MouseButton.LeftButton or self._cells is None:
            event.ignore()
            return
        x, y = event.position().x(), event.position().y()
        station = self.station_at(x) if y >= self._foot() else None
        self._begin()
        self._scrub(self.position_at(x) if station is None else self._stations[station])

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer."""
        if self._scrubbing and event.buttons() & Qt.MouseButton.LeftButton:
            self._scrub(self.position_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move by arrow and page keys, Home and End; a key that is held is one scrub."""
        key = Qt.Key(event.key())
        if self._cells is None or key not in _MOVES:
            event.ignore()
            return
        self._begin()
        self._scrub(self._target(key))

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """End what the key began."""
        if event.key() in _MOVES and not event.isAutoRepeat():
            self._end()
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Paint the ring of the focus."""
        self.update(self._playhead_area())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """End what a held key began, whose release goes elsewhere."""
        self._end()
        self.update(self._playhead_area())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose anew which pictures fit."""
        self._forget_ground()

    def event(self, event: QEvent) -> bool:
        """Name the pin under the pointer in full."""
        return answered_tip(self, event, self._tip_at) or super().event(event)

    def _tip_at(self, point: QPoint) -> str:
        station = self.station_at(point.x()) if self._cells is not None else None
        return self._names[station] if station is not None and station < len(self._names) else ""

    # Within

    def _target(self, key: Qt.Key) -> float:
        """Return where a key takes the playhead."""
        here = self._position
        step = 1 / max(1, len(self._cells or ()) - 1)
        before = bisect_left(self._stations, here - _SAME) - 1
        after = bisect_right(self._stations, here + _SAME)
        targets = {
            Qt.Key.Key_Left: here - step,
            Qt.Key.Key_Right: here + step,
            Qt.Key.Key_PageUp: self._stations[after] if after < len(self._stations) else 1.0,
            Qt.Key.Key_PageDown: self._stations[before] if before >= 0 else 0.0,
            Qt.Key.Key_Home: 0.0,
            Qt.Key.Key_End: 1.0,
        }
        return min(1.0, max(0.0, targets[key]))

    def _begin(self) -> None:
        if not self._scrubbing:
            self._scrubbing = True
            self.scrub_begun.emit()

    def _scrub(self, position: float) -> None:
        self.show_position(position)
        self._describe()
        self.scrubbed.emit(self._position)

    def _end(self) -> None:
        if self._scrubbing:
            self._scrubbing = False
            self.scrub_ended.emit()

    def _describe(self) -> None:
        if self._cells is None:
            return
        named = [
            name
            for one, name in zip(self._stations, self._names, strict=False)
            if abs(one - self._position) < _SAME
        ]
        self.setAccessibleDescription(", ".join([f"{100 * self._position:.0f}%", *named[:1]]))

    def _forget_ground(self) -> None:
        self._ground = None
        self.update()


def _triangle(tip: QPointF, half: float, height: float) -> QPolygonF:
    """Return a triangle that points up to its tip."""
    below = tip.y() + height
    return QPolygonF([tip, QPointF(tip.x() + half, below), QPointF(tip.x() - half, below)])
