"""How near the restarts came, step by step: a line each on a logarithmic scale, and a line at eps."""

from __future__ import annotations

from math import ceil, floor, log10

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from latentlab.operations.search_plan import UNDER
from latentlab.session.search_film import Trace
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.bars_painter import small_font
from latentlab.ui.widgets.chart_parts import paint_nothing, paint_steps, paint_title, places_of
from latentlab.ui.widgets.tips import answered_tip

TITLE, NUMBERS, FOOT, RIGHT = 26, 44, 20, 10
TITLE_TEXT = "Distance by step"
NOTHING = "The mean squared error of every restart's reduced picture, step by step, appears here."
_AT_RIGHT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)


class DistanceChart(QWidget):
    """Shows a trace; ``here`` is the step that is looked at, ``current`` the restart."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._trace: Trace | None = None
        self._eps: float | None = None
        self._until = 1
        self._here: int | None = None
        self._current: int | None = None
        self._statuses: NDArray[np.int8] = np.zeros(0, dtype=np.int8)
        self._limits = (-4, 0)
        self._top = TITLE
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Chart of distances by step")
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(360, 180)

    def minimumSizeHint(self) -> QSize:
        """Return the least size."""
        return QSize(180, 96)

    @property
    def here(self) -> int | None:
        """The step that is looked at."""
        return self._here

    @property
    def eps(self) -> float | None:
        """Where the line is; None without one."""
        return self._eps

    def show_trace(
        self, trace: Trace | None, eps: float | None, until: int, statuses: NDArray[np.int8]
    ) -> None:
        """Show distances until now, of so many steps that there will be; ``eps`` is None for none."""
        self._trace = trace if trace is not None and trace.distances.size else None
        self._eps, self._until, self._statuses = eps, max(1, until), statuses
        if self._trace is not None:
            self._limits = _limits(self._trace.distances, eps)
        self._describe()
        self.update()

    def show_nothing(self) -> None:
        """Show no distances."""
        self.show_trace(None, None, 1, np.zeros(0, dtype=np.int8))
        self.show_here(None)

    def set_low(self, low: bool) -> None:
        """Have no title, where there is little height and a tab says it."""
        self._top = 8 if low else TITLE
        self.update()

    def show_here(self, step: int | None) -> None:
        """Mark a step."""
        if step != self._here:
            self._here = step
            self.update()

    def set_current(self, place: int | None) -> None:
        """Let one restart stand out."""
        if place != self._current:
            self._current = place
            self.update()

    # Painting

    def _area(self) -> QRectF:
        width, height = self.width() - NUMBERS - RIGHT, self.height() - self._top - FOOT
        return QRectF(NUMBERS, self._top, max(1, width), max(1, height))

    def _y_of(self, value: float) -> float:
        area, (low, high) = self._area(), self._limits
        share = (log10(max(value, 1e-12)) - low) / (high - low)
        return area.bottom() - min(1.0, max(0.0, share)) * area.height()

    def _x_of(self, step: float) -> float:
        area = self._area()
        return area.left() + step / self._until * area.width()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint title, grid, eps and lines."""
        painter = QPainter(self)
        colour, area = self._theme.colour, self._area()
        if self._top == TITLE:
            paint_title(painter, self._theme, self.font(), TITLE_TEXT)
        painter.setFont(small_font(self.font()))
        if self._trace is None:
            where = QRectF(self.rect()).adjusted(8, self._top, -8, -8)
            paint_nothing(painter, self._theme, self.font(), where, NOTHING)
            painter.end()
            return
        self._paint_grid(painter, area)
        painter.save()
        painter.setClipRect(area.adjusted(-1, -2, 2, 2))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_lines(painter, self._trace)
        painter.restore()
        self._paint_eps(painter, area)
        if self._here is not None:
            x = self._x_of(self._here)
            painter.fillRect(QRectF(x - 0.5, area.top(), 1, area.height()), colour("accent"))
        painter.end()

    def _paint_grid(self, painter: QPainter, area: QRectF) -> None:
        colour, (low, high) = self._theme.colour, self._limits
        over = max(1, ceil((high - low) * 18 / max(1.0, area.height())))
        for decade in range(low, high + 1):
            y = round(self._y_of(10.0**decade))
            painter.setPen(QPen(colour("line"), 1))
            painter.drawLine(round(area.left()), y, round(area.right()), y)
            if (high - decade) % over == 0:
                painter.setPen(colour("muted"))
                painter.drawText(QRectF(0, y - 9, NUMBERS - 6, 18), _AT_RIGHT, f"1e{decade}")
        paint_steps(painter, self._theme, area, self._until)

    def _paint_lines(self, painter: QPainter, trace: Trace) -> None:
        chosen = places_of(len(trace.steps), self._area().width())
        order = [k for k in range(trace.distances.shape[1]) if k != self._current]
        if self._current is not None and self._current < trace.distances.shape[1]:
            order.append(self._current)
        xs = [self._x_of(float(step)) for step in trace.steps[chosen]]
        for k in order:
            points = [
                QPointF(x, self._y_of(float(d)))
                for x, d in zip(xs, trace.distances[chosen, k], strict=True)
                if np.isfinite(d)
            ]
            if points:
                painter.setPen(self._pen(k))
                painter.drawPolyline(QPolygonF(points))

    def _pen(self, place: int) -> QPen:
        colour = self._theme.colour
        if place == self._current:
            return QPen(colour("accent"), 2)
        reached = place < len(self._statuses) and self._statuses[place] == UNDER
        shade = QColor(colour("start" if reached else "input"))
        shade.setAlpha(200 if reached else 150)
        return QPen(shade, 1.2)

    def _paint_eps(self, painter: QPainter, area: QRectF) -> None:
        if self._eps is None:
            return
        y = self._y_of(self._eps)
        pen = QPen(self._theme.colour("error"), 1.4, Qt.PenStyle.CustomDashLine)
        pen.setDashPattern([4.0, 3.0])
        painter.setPen(pen)
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        text = f"eps {self._eps:.3g}"
        metrics = QFontMetricsF(painter.font())
        width = metrics.horizontalAdvance(text) + 8
        above = y - 17 if y - 17 > area.top() else y + 1
        where = QRectF(area.right() - width, above, width, 16)
        ground = QColor(self._theme.colour("surface"))
        ground.setAlpha(210)
        painter.fillRect(where, ground)
        painter.drawText(where, _CENTRE, text)

    # What is said

    def event(self, event: QEvent) -> bool:
        """Say how near the restarts were at the step under the pointer."""
        return answered_tip(self, event, self.tip_at) or super().event(event)

    def tip_at(self, point: QPoint) -> str:
        """Return what the tool tip says at a point."""
        area = self._area()
        if self._trace is None or not area.contains(QPointF(point)):
            return ""
        step = (point.x() - area.left()) / area.width() * self._until
        place = int(np.abs(self._trace.steps - step).argmin())
        return _said(int(self._trace.steps[place]), self._trace.distances[place], self._eps)

    def _describe(self) -> None:
        if self._trace is None:
            self.setAccessibleDescription(NOTHING)
        else:
            self.setAccessibleDescription(
                _said(int(self._trace.steps[-1]), self._trace.distances[-1], self._eps)
            )


def _said(step: int, distances: NDArray[np.float32], eps: float | None) -> str:
    said = f"Step {step:,}: the nearest {distances.min():.2e}, half of them within {np.median(distances):.2e}"
    return said if eps is None else f"{said}; eps {eps:.2e}"


def _limits(distances: NDArray[np.float32], eps: float | None) -> tuple[int, int]:
    """Return the decades between which everything lies."""
    finite = distances[np.isfinite(distances) & (distances > 0)]
    values = [float(finite.min()), float(finite.max())] if finite.size else [1e-3, 1e-1]
    values += [] if eps is None else [eps]
    low, high = floor(log10(max(min(values), 1e-12))), ceil(log10(max(values)))
    return (low, high) if high > low else (low - 1, high)
