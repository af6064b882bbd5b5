"""Bars of groups in percent: an arm beside the other, a dot for each seed, the numbers above."""

from __future__ import annotations

from math import floor

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from latentlab.session.train_figures import BarsShown, words_of_group
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.chart_parts import TITLE_HEIGHT, paint_nothing, paint_title
from latentlab.ui.widgets.tips import answered_tip
from latentlab.ui.widgets.train_colours import colour_of, paint_key

TITLE, NUMBERS, FOOT, RIGHT, ABOVE = 42, 40, 36, 8, 14
LOW = 50.0
"""Percent below which the scale begins at 0 in any case."""
GAP = 0.26
"""Share of a group's width that stays free."""
_AT_RIGHT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)


class GroupBars(QWidget):
    """Shows bars.

    Parameters
    ----------
    nothing
        What is said where there are none.
    from_zero
        Whether the scale begins at 0; otherwise below the lowest bar, so that differences are seen.
    """

    def __init__(
        self, theme: Theme, name: str, nothing: str, from_zero: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme, self._nothing, self._from_zero = theme, nothing, from_zero
        self.shown: BarsShown | None = None
        self._limits = (0.0, 100.0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(name)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(420, 240)

    def minimumSizeHint(self) -> QSize:
        """Return the least size."""
        return QSize(200, 130)

    def show_bars(self, shown: BarsShown | None) -> None:
        """Show bars; None for none."""
        self.shown = shown
        if shown is not None:
            values = [
                value
                for arm in shown.arms
                for value in (*arm.heights.values(), *(dot for dots in arm.dots.values() for dot in dots))
            ]
            self._limits = _scale(values, self._from_zero)
        self.setAccessibleDescription(self._said())
        self.update()

    def _said(self) -> str:
        if self.shown is None:
            return self._nothing
        said = [
            f"{words_of_group(group)}: "
            + ", ".join(
                f"{arm.name} {arm.heights[group]:.1f}%" for arm in self.shown.arms if group in arm.heights
            )
            for group in self.shown.groups
        ]
        return f"{self.shown.title}. {'; '.join(said)}"

    # Painting

    def _area(self) -> QRectF:
        width, height = self.width() - NUMBERS - RIGHT, self.height() - TITLE - FOOT - ABOVE
        return QRectF(NUMBERS, TITLE + ABOVE, max(1, width), max(1, height))

    def _y_of(self, value: float) -> float:
        area, (low, high) = self._area(), self._limits
        return area.bottom() - min(1.0, max(0.0, (value - low) / (high - low))) * area.height()

    def _bar(self, group: int, arm: int) -> tuple[float, float]:
        """Return left edge and width of a bar."""
        assert self.shown is not None
        area, arms = self._area(), len(self.shown.arms)
        each = area.width() / max(1, len(self.shown.groups))
        width = min(44.0, each * (1 - GAP) / arms)
        left = area.left() + each * (group + 0.5) - width * arms / 2
        return left + width * arm, width

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint title, key, scale, bars and dots."""
        painter = QPainter(self)
        if self.shown is None:
            where = QRectF(self.rect()).adjusted(8, 8, -8, -8)
            paint_nothing(painter, self._theme, self.font(), where, self._nothing)
            painter.end()
            return
        paint_title(painter, self._theme, self.font(), self.shown.title)
        arms = {arm.name: place for place, arm in enumerate(self.shown.arms)}
        paint_key(painter, QRectF(0, TITLE_HEIGHT, self.width(), 18), arms, self._theme)
        self._paint_scale(painter)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place, group in enumerate(self.shown.groups):
            self._paint_group(painter, place, group)
        painter.end()

    def _paint_scale(self, painter: QPainter) -> None:
        colour, area, (low, high) = self._theme.colour, self._area(), self._limits
        every = next(one for one in (1, 2, 5, 10, 20, 25, 50) if (high - low) / one <= 6)
        for value in range(int(low), int(high) + 1):
            if value % every:
                continue
            y = round(self._y_of(value))
            painter.setPen(QPen(colour("line"), 1))
            painter.drawLine(round(area.left()), y, round(area.right()), y)
            painter.setPen(colour("muted"))
            painter.drawText(QRectF(0, y - 9, NUMBERS - 6, 18), _AT_RIGHT, f"{value}%")

    def _paint_group(self, painter: QPainter, place: int, group: str) -> None:
        assert self.shown is not None
        colour, area = self._theme.colour, self._area()
        each = area.width() / max(1, len(self.shown.groups))
        metrics = QFontMetricsF(painter.font())
        painter.setPen(colour("muted"))
        where = QRectF(area.left() + each * place, area.bottom() + 4, each, FOOT - 4)
        flags = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop) | int(Qt.TextFlag.TextWordWrap)
        painter.drawText(where, flags, words_of_group(group))
        for k, arm in enumerate(self.shown.arms):
            if group not in arm.heights:
                continue
            left, width = self._bar(place, k)
            y = self._y_of(arm.heights[group])
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour_of(self._theme, k))
            painter.drawRoundedRect(QRectF(left + 1, y, width - 2, area.bottom() - y), 2, 2)
            dots = arm.dots.get(group, ())
            if len(dots) > 1:
                painter.setPen(QPen(colour("surface"), 1))
                painter.setBrush(colour("text"))
                for dot in dots:
                    painter.drawEllipse(QPointF(left + width / 2, self._y_of(dot)), 2.6, 2.6)
            text = f"{arm.heights[group]:.1f}"
            if metrics.horizontalAdvance("88.8") <= width + 1:
                top = min([y, *(self._y_of(dot) for dot in dots)])
                painter.setPen(colour("text"))
                painter.drawText(QRectF(left - 6, top - 17, width + 12, 15), _CENTRE, text)

    # What is said

    def event(self, event: QEvent) -> bool:
        """Say what the bar under the pointer is."""
        return answered_tip(self, event, self.tip_at) or super().event(event)

    def tip_at(self, point: QPoint) -> str:
        """Return what the tool tip says at a point."""
        if self.shown is None:
            return ""
        for place, group in enumerate(self.shown.groups):
            for k, arm in enumerate(self.shown.arms):
                left, width = self._bar(place, k)
                if group in arm.heights and left <= point.x() < left + width:
                    dots = arm.dots.get(group, ())
                    seeds = "; seeds " + ", ".join(f"{dot:.1f}" for dot in dots) if len(dots) > 1 else ""
                    return f"{words_of_group(group)}, {arm.name}: {arm.heights[group]:.1f}%{seeds}"
        return ""


def _scale(values: list[float], from_zero: bool) -> tuple[float, float]:
    """Return the ends of the scale, whole tens."""
    if not values:
        return (0.0, 100.0)
    high = min(100.0, 10.0 * (floor(max(values) / 10.0) + 1))
    from_zero = from_zero or min(values) < LOW
    low = 0.0 if from_zero else 10.0 * floor((min(values) - 4.0) / 10.0)
    return (low, high) if high > low else (max(0.0, high - 10.0), high)
