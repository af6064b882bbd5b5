"""A figure of trainings over their steps: a line each, on a logarithmic scale where it is a loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from latentlab.session.train_folder import Curve
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.bars_painter import small_font
from latentlab.ui.widgets.chart_parts import paint_nothing, paint_steps, places_of
from latentlab.ui.widgets.tips import answered_tip
from latentlab.ui.widgets.train_colours import colour_of, paint_key

TITLE, NUMBERS, FOOT, RIGHT = 26, 50, 20, 10
NOTHING = "The losses appear here as soon as the first steps are done."
_AT_RIGHT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)


@dataclass(frozen=True, eq=False)
class Line:
    """One line: what it is called, its arm and that arm's place among the colours, and its curve."""

    name: str
    arm: str
    place: int
    curve: Curve


class LossChart(QWidget):
    """Shows lines."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.lines: tuple[Line, ...] = ()
        self.title, self.log = "", True
        self._limits = (0.0, 1.0)
        self._until = 1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Chart of a figure over the steps")
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(420, 220)

    def minimumSizeHint(self) -> QSize:
        """Return the least size."""
        return QSize(200, 120)

    def show_lines(self, title: str, lines: Sequence[Line], log: bool) -> None:
        """Show lines; ``log`` says whether on a logarithmic scale, which needs values above 0."""
        self.title = title
        self.lines = tuple(one for one in lines if len(one.curve.steps))
        values = np.concatenate([one.curve.values for one in self.lines] or [np.array([1.0])])
        values = values[np.isfinite(values)]
        self.log = log and bool((values > 0).all()) and bool(len(values))
        self._limits = _limits(values, self.log)
        self._until = max([1, *(int(one.curve.steps[-1]) for one in self.lines)])
        said = [f"{one.name}: {one.curve.last:.4g} at step {one.curve.steps[-1]:,}" for one in self.lines]
        self.setAccessibleDescription(f"{title}. {'; '.join(said)}" if said else NOTHING)
        self.update()

    # Painting

    def _area(self) -> QRectF:
        width, height = self.width() - NUMBERS - RIGHT, self.height() - TITLE - FOOT
        return QRectF(NUMBERS, TITLE, max(1, width), max(1, height))

    def _y_of(self, value: float) -> float:
        area, (low, high) = self._area(), self._limits
        at = log10(max(value, 1e-300)) if self.log else value
        return area.bottom() - min(1.0, max(0.0, (at - low) / (high - low))) * area.height()

    def _x_of(self, step: float) -> float:
        area = self._area()
        return area.left() + step / self._until * area.width()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint key, grid and lines."""
        painter = QPainter(self)
        area = self._area()
        if not self.lines:
            where = QRectF(self.rect()).adjusted(8, 8, -8, -8)
            paint_nothing(painter, self._theme, self.font(), where, NOTHING)
            painter.end()
            return
        painter.setFont(small_font(self.font()))
        arms = {one.arm: one.place for one in self.lines}
        paint_key(painter, QRectF(0, 0, self.width(), 18), arms, self._theme)
        self._paint_grid(painter, area)
        painter.save()
        painter.setClipRect(area.adjusted(-1, -2, 2, 2))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for one in self.lines:
            self._paint_line(painter, one)
        painter.restore()
        painter.end()

    def _paint_grid(self, painter: QPainter, area: QRectF) -> None:
        colour = self._theme.colour
        for value, text in _marks(*self._limits, self.log, max(2, int(area.height() // 30))):
            y = round(self._y_of(value))
            painter.setPen(QPen(colour("line"), 1))
            painter.drawLine(round(area.left()), y, round(area.right()), y)
            painter.setPen(colour("muted"))
            painter.drawText(QRectF(0, y - 9, NUMBERS - 6, 18), _AT_RIGHT, text)
        paint_steps(painter, self._theme, area, self._until)

    def _paint_line(self, painter: QPainter, one: Line) -> None:
        chosen = places_of(len(one.curve.steps), self._area().width())
        points = [
            QPointF(self._x_of(float(one.curve.steps[k])), self._y_of(float(one.curve.values[k])))
            for k in chosen
            if np.isfinite(one.curve.values[k])
        ]
        painter.setPen(QPen(colour_of(self._theme, one.place), 1.6))
        if len(points) == 1:
            painter.setBrush(colour_of(self._theme, one.place))
            painter.drawEllipse(points[0], 2.5, 2.5)
        else:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(QPolygonF(points))

    # What is said

    def event(self, event: QEvent) -> bool:
        """Say what the lines are at the step under the pointer."""
        return answered_tip(self, event, self.tip_at) or super().event(event)

    def tip_at(self, point: QPoint) -> str:
        """Return what the tool tip says at a point."""
        area = self._area()
        if not self.lines or not area.contains(QPointF(point)):
            return ""
        step = (point.x() - area.left()) / area.width() * self._until
        said = []
        for one in self.lines:
            k = int(np.abs(one.curve.steps - step).argmin())
            said.append(f"{one.name}, step {one.curve.steps[k]:,}: {one.curve.values[k]:.4g}")
        return "\n".join(said)


def _limits(values: np.ndarray, log: bool) -> tuple[float, float]:
    """Return between which values everything lies, rounded outwards; on a log scale their exponents."""
    if not len(values):
        return (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if log:
        bottom, top = floor(log10(low) * 2) / 2, ceil(log10(high) * 2) / 2
        return (bottom, top) if top > bottom else (bottom - 0.5, top + 0.5)
    if low >= 0.0 and high <= 1.0:
        return (0.0, 1.0)
    room = 0.05 * (high - low) or 1.0
    return (low - room, high + room)


def _marks(low: float, high: float, log: bool, most: int) -> list[tuple[float, str]]:
    """Return the values of the grid's lines, and how each is written."""
    if log:
        found = [
            (m * 10.0**k, k)
            for k in range(floor(low) - 1, ceil(high) + 1)
            for m in (1, 2, 5)
            if low - 1e-9 <= log10(m * 10.0**k) <= high + 1e-9
        ]
        if len(found) > most:
            found = [(value, k) for value, k in found if abs(log10(value) - round(log10(value))) < 1e-9]
        every = max(1, ceil(len(found) / most))
        return [(value, f"{value:g}") for value, _ in found[::every]]
    rough = (high - low) / most
    power = 10.0 ** floor(log10(rough))
    size = next(one * power for one in (1, 2, 5, 10) if one * power >= rough - 1e-12)
    first = ceil(low / size - 1e-9)
    return [(k * size, f"{k * size:g}") for k in range(first, floor(high / size + 1e-9) + 1)]
