"""Paints how probable classes are along an axis: a curve a class, the set's mean and its middle half.

The probe of the window and its exported picture are painted by the same code.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from latentlab.ui.theme import Colours
from latentlab.ui.widgets.bars_painter import label_of, small_font, strong_font
from latentlab.ui.widgets.class_colours import class_colour
from latentlab.ui.widgets.probe_plot import (
    AXIS_TITLE,
    LABEL_MOST,
    LEADER,
    NUMBERS,
    TITLE,
    Plot,
    Probe,
    signed,
    spread_out,
    ticks,
)

_ELIDE = Qt.TextElideMode.ElideMiddle
_AT_LEFT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
_AT_RIGHT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)


def paint_ground(painter: QPainter, plot: Plot, probe: Probe, colours: Colours, font: QFont) -> None:
    """Paint the titles, the grid and its numbers."""
    small, area = small_font(font), plot.area
    strong = strong_font(font)
    metrics = QFontMetricsF(strong)
    painter.setFont(strong)
    painter.setPen(QColor(colours.text))
    title = metrics.elidedText(probe.title, _ELIDE, area.width())
    painter.drawText(QRectF(0, 0, metrics.horizontalAdvance(title) + 2, TITLE - 12), _AT_LEFT, title)
    _paint_legend(painter, plot, probe, colours, small, metrics.horizontalAdvance(title))
    painter.setFont(small)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = round(plot.y_of(share))
        painter.setPen(QPen(QColor(colours.faint if share == 0 else colours.line), 1))
        painter.drawLine(round(area.left()), y, round(area.right()), y)
        painter.setPen(QColor(colours.muted))
        painter.drawText(
            QRectF(area.left() - NUMBERS, y - 10, NUMBERS - 8, 20), _AT_RIGHT, f"{100 * share:.0f}%"
        )
    for value in ticks(plot):
        x = round(plot.x_of(value))
        painter.setPen(QPen(QColor(colours.faint), 1))
        painter.drawLine(x, round(area.bottom()), x, round(area.bottom()) + 4)
        painter.setPen(QColor(colours.muted))
        painter.drawText(QRectF(x - 40, area.bottom() + 4, 80, 16), _CENTRE, signed(value))
    if area.left() > NUMBERS:
        painter.save()
        painter.translate(AXIS_TITLE / 2, area.center().y())
        painter.rotate(-90)
        along = QRectF(-area.height() / 2 - 8, -AXIS_TITLE / 2, area.height() + 16, AXIS_TITLE)
        whole = QFontMetricsF(small).horizontalAdvance("predicted probability") <= along.width()
        painter.drawText(along, _CENTRE, "predicted probability" if whole else "probability")
        painter.restore()
    axis = f"{probe.axis} ({probe.unit})" if probe.unit else probe.axis
    shown = QFontMetricsF(small).elidedText(axis, _ELIDE, area.width())
    painter.drawText(QRectF(area.left(), area.bottom() + 20, area.width(), 18), _CENTRE, shown)


def paint_mean(painter: QPainter, plot: Plot, probe: Probe, dark: bool) -> None:
    """Paint the set's middle half and its mean, class by class."""
    if probe.mean is None:
        return
    at = probe.mean.positions
    painter.save()
    painter.setClipRect(plot.area)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for k in probe.drawn:
        band = QColor(class_colour(k, dark))
        band.setAlpha(44 if len(probe.drawn) < 3 else 26)
        upper = plot.line(at, probe.mean.high[:, k])
        lower = plot.line(at[::-1], probe.mean.low[::-1, k])
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(band)
        painter.drawPolygon(upper + lower)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for k in probe.drawn:
        painter.setPen(_dashed(QColor(class_colour(k, dark))))
        painter.drawPolyline(plot.line(at, probe.mean.mean[:, k]))
    painter.restore()


def paint_curves(
    painter: QPainter, plot: Plot, probe: Probe, colours: Colours, dark: bool, font: QFont
) -> None:
    """Paint where the present latent is, this picture's curves, and the classes' names at their ends."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    inside = probe.here is not None and plot.first <= probe.here <= plot.last
    if probe.here is not None:
        _paint_here(painter, plot, probe.here, inside, colours)
    if probe.curve is None and probe.mean is None:
        return
    if probe.curve is not None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for k in probe.drawn:
            painter.setPen(_solid(QColor(class_colour(k, dark))))
            painter.drawPolyline(plot.line(probe.positions, probe.curve[:, k]))
        if inside and probe.here is not None:
            for k in probe.drawn:
                y = float(np.interp(probe.here, probe.positions, probe.curve[:, k]))
                dot(painter, QPointF(plot.x_of(probe.here), plot.y_of(y)), class_colour(k, dark), colours)
    _paint_names(painter, plot, probe, colours, dark, small_font(font))


def dot(painter: QPainter, at: QPointF, colour: str, colours: Colours) -> None:
    """Mark a value of a curve."""
    painter.setPen(QPen(QColor(colours.surface), 2))
    painter.setBrush(QColor(colour))
    painter.drawEllipse(at, 4.5, 4.5)


def _paint_here(painter: QPainter, plot: Plot, here: float, inside: bool, colours: Colours) -> None:
    """Paint a line where the present latent is, or at an end an arrow towards it."""
    accent, area = QColor(colours.accent), plot.area
    if inside:
        middle = round(plot.x_of(here))
        painter.fillRect(QRectF(middle - 1, area.top() - 4, 2, area.height() + 4), accent)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(accent)
        top = area.top() - 8
        ends = [QPointF(middle - 5, top), QPointF(middle + 5, top), QPointF(middle, top + 7)]
        painter.drawPolygon(QPolygonF(ends))
        return
    way = -1 if here < plot.first else 1
    x, y = (area.left() if way < 0 else area.right()), area.bottom() - 12
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(accent)
    tip, back = x - way * 2, x - way * 9
    painter.drawPolygon(QPolygonF([QPointF(tip, y), QPointF(back, y - 5), QPointF(back, y + 5)]))


def _paint_names(
    painter: QPainter,
    plot: Plot,
    probe: Probe,
    colours: Colours,
    dark: bool,
    font: QFont,
) -> None:
    """Paint the classes' names beside the ends of their curves, each led to by a line."""
    metrics, area = QFontMetricsF(font), plot.area
    wanted = [plot.y_of(probe.value(-1, k)) for k in probe.drawn]
    places = spread_out(wanted, metrics.height() + 1, area.top(), area.bottom())
    left = area.right() + LEADER
    painter.setFont(font)
    for k, end, place in zip(probe.drawn, wanted, places, strict=True):
        painter.setPen(QPen(QColor(class_colour(k, dark)), 1.5))
        painter.drawPolyline(
            QPolygonF([QPointF(area.right(), end), QPointF(area.right() + 3, end), QPointF(left - 4, place)])
        )
        painter.setPen(QColor(colours.text))
        name = metrics.elidedText(label_of(probe.classes[k]), _ELIDE, LABEL_MOST)
        height = metrics.height()
        painter.drawText(QRectF(left, place - height / 2, LABEL_MOST, height), _AT_LEFT, name)


def _paint_legend(
    painter: QPainter, plot: Plot, probe: Probe, colours: Colours, font: QFont, used: float
) -> None:
    """Say at the right of the title what is solid, dashed and shaded, or how far the mean is."""
    metrics = QFontMetricsF(font)
    painter.setFont(font)
    right = plot.area.right()
    if probe.mean is None and probe.computed is not None:
        done, total = probe.computed
        text = f"computing the mean of {probe.of_what or 'the set'}… {done:,} of {total:,}"
        painter.setPen(QColor(colours.muted))
        room = right - used - 16
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(right - room, 0, room, TITLE - 12), _AT_RIGHT, shown)
        return
    parts = ["this picture"] if probe.curve is not None else []
    if probe.mean is not None:
        mean = f"mean of {probe.mean.count:,}"
        parts += [f"{mean} {probe.of_what}".strip(), "middle half"]
        if metrics.horizontalAdvance("".join(parts)) + 40 * len(parts) > right - used:
            parts[-2] = mean
    widths = [metrics.horizontalAdvance(part) + 24 for part in parts]
    while parts and sum(widths) + 16 * len(parts) > right - used:
        parts.pop()
        widths.pop()
    x, middle = right - sum(widths) - 16 * (len(parts) - 1), (TITLE - 12) / 2
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    muted = QColor(colours.muted)
    for part, width in zip(parts, widths, strict=True):
        if part == "middle half":
            shade = QColor(muted)
            shade.setAlpha(60)
            painter.fillRect(QRectF(x, middle - 4, 16, 8), shade)
        else:
            painter.setPen(_solid(muted) if part == "this picture" else _dashed(muted))
            painter.drawLine(QPointF(x, middle), QPointF(x + 16, middle))
        painter.setPen(muted)
        painter.drawText(QRectF(x + 24, 0, width, TITLE - 12), _AT_LEFT, part)
        x += width + 16


def _solid(colour: QColor) -> QPen:
    style, cap, join = Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
    return QPen(colour, 2, style, cap, join)


def _dashed(colour: QColor) -> QPen:
    pen = QPen(colour, 1.5, Qt.PenStyle.CustomDashLine, Qt.PenCapStyle.FlatCap)
    pen.setDashPattern([3.0, 2.5])
    return pen
