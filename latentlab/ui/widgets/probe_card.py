"""The small card at the probe's cursor: what the curves are worth there."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from latentlab.ui.theme import Colours
from latentlab.ui.widgets.bars_painter import label_of, small_font
from latentlab.ui.widgets.class_colours import class_colour
from latentlab.ui.widgets.probe_painter import dot
from latentlab.ui.widgets.probe_plot import LABEL_MOST, Plot, Probe

_PAD, _SWATCH, _COLUMN, _OFF = 8, 16, 52, 12
_AT_LEFT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
_AT_RIGHT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)


def values_at(probe: Probe, index: int) -> list[tuple[int, str, str, str]]:
    """Return each class that is drawn, its name, this picture's value and the set's mean, as text."""
    rows = []
    for k in probe.drawn:
        own = "" if probe.curve is None else f"{100 * float(probe.curve[index, k]):.1f}%"
        here = float(probe.positions[index])
        mean = "" if probe.mean is None else f"{100 * probe.mean.at(here, k):.1f}%"
        rows.append((k, label_of(probe.classes[k]), own, mean))
    return rows


def paint_cursor(
    painter: QPainter,
    plot: Plot,
    probe: Probe,
    index: int,
    colours: Colours,
    dark: bool,
    font: QFont,
) -> None:
    """Paint a line at one of the positions, dots on the curves, and the card beside it."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    x = plot.x_of(float(probe.positions[index]))
    line = QRectF(round(x), plot.area.top(), 1, plot.area.height())
    painter.fillRect(line, QColor(colours.muted))
    if probe.curve is None and probe.mean is None:
        return
    for k in probe.drawn:
        at = QPointF(x, plot.y_of(probe.value(index, k)))
        dot(painter, at, class_colour(k, dark), colours)
    _paint_card(painter, plot, probe, index, colours, dark, small_font(font))


def _paint_card(
    painter: QPainter,
    plot: Plot,
    probe: Probe,
    index: int,
    colours: Colours,
    dark: bool,
    font: QFont,
) -> None:
    metrics = QFontMetricsF(font)
    line, rows = metrics.height() + 2, values_at(probe, index)
    names = min(LABEL_MOST, max(metrics.horizontalAdvance(name) for _, name, _, _ in rows))
    columns = [bool(probe.curve is not None), probe.mean is not None]
    place = probe.place(float(probe.positions[index]))
    width = max(_SWATCH + names, metrics.horizontalAdvance(place)) + sum(columns) * _COLUMN + 2 * _PAD
    height = (len(rows) + 1) * line + 2 * _PAD
    x, area = plot.x_of(float(probe.positions[index])), plot.area
    left = x + _OFF if x + _OFF + width <= area.right() else x - _OFF - width
    left = min(max(left, 0.0), max(0.0, area.right() - width))
    card = QRectF(round(left), round(area.top() + 4), round(width), round(height))
    painter.setPen(QPen(QColor(colours.line), 1))
    painter.setBrush(QColor(colours.surface))
    painter.drawRoundedRect(card.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
    inner = card.adjusted(_PAD, _PAD, -_PAD, -_PAD)
    painter.setFont(font)
    painter.setPen(QColor(colours.text))
    painter.drawText(QRectF(inner.left(), inner.top(), inner.width(), line), _AT_LEFT, place)
    painter.setPen(QColor(colours.muted))
    right = inner.right()
    headings = [("mean", columns[1]), ("this", columns[0])]
    for heading, there in headings:
        if there:
            painter.drawText(QRectF(right - _COLUMN, inner.top(), _COLUMN, line), _AT_RIGHT, heading)
            right -= _COLUMN
    for number, (k, name, own, mean) in enumerate(rows, 1):
        y, right = inner.top() + number * line, inner.right()
        painter.setPen(QPen(QColor(class_colour(k, dark)), 2))
        painter.drawLine(QPointF(inner.left(), y + line / 2), QPointF(inner.left() + 10, y + line / 2))
        painter.setPen(QColor(colours.muted))
        if columns[1]:
            painter.drawText(QRectF(right - _COLUMN, y, _COLUMN, line), _AT_RIGHT, mean)
            right -= _COLUMN
        painter.setPen(QColor(colours.text))
        if columns[0]:
            painter.drawText(QRectF(right - _COLUMN, y, _COLUMN, line), _AT_RIGHT, own)
        shown = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, names + 1)
        painter.drawText(QRectF(inner.left() + _SWATCH, y, names + 2, line), _AT_LEFT, shown)
