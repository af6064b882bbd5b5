"""Paints a study's chart: bars and dots with intervals, gaps about 0, a table of intersections, lines.

A value as it was counted is a bar (of lines: a square), one that is corrected for the predictor's errors a
dot, a reference a diamond: they are told apart without colour. The window and its exported picture are
painted by the same code.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from latentlab.audit.charts import Chart, Mark
from latentlab.session.audit_beside import Shown
from latentlab.session.audit_words import counted_words, value_words
from latentlab.ui.theme import DARK, Colours
from latentlab.ui.widgets.audit_plot import (
    BAR,
    COLUMN_LINE,
    GAP,
    HEAD,
    LINE,
    LOW_CELL,
    PAD,
    SWATCH,
    TALL_ROW,
    TITLE,
    Key,
    Plot,
    axis_title,
    has_corrected,
    line_places,
    tick_words,
    ticks,
    x_of_label,
)
from latentlab.ui.widgets.bars_painter import label_of, small_font, strong_font
from latentlab.ui.widgets.class_colours import class_colour

PALE = 0.45
"""How opaque the marks of few images are."""
STRONGEST = 0.72
DOT, DIAMOND, EDGE = 4.0, 5.0, 2.5
_ELIDE = Qt.TextElideMode.ElideMiddle
_LEFT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
_RIGHT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)
_WRAPPED = int(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft) | int(Qt.TextFlag.TextWordWrap)


def paint_chart(
    painter: QPainter,
    plot: Plot,
    shown: Shown,
    colours: Colours,
    font: QFont,
    chosen: int | None = None,
    pointed: int | None = None,
) -> None:
    """Paint a chart.

    Parameters
    ----------
    chosen, pointed
        The marks whose images are shown, and under the pointer.
    """
    one = _Painting(painter, plot, shown, colours, font)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    one.head()
    if shown.chart.kind == "cells":
        one.cells(chosen, pointed)
    elif shown.chart.kind == "lines":
        one.line_ground()
        one.lines(chosen, pointed)
    else:
        one.row_ground(chosen, pointed)
        one.rows()
    if shown.chart.note:
        painter.setFont(one.small)
        painter.setPen(QColor(colours.muted))
        painter.drawText(plot.note, _WRAPPED, shown.chart.note)


class _Painting:
    """One painting of one chart."""

    def __init__(self, painter: QPainter, plot: Plot, shown: Shown, colours: Colours, font: QFont) -> None:
        self.painter, self.plot, self.shown, self.colours = painter, plot, shown, colours
        self.chart: Chart = shown.chart
        self.small = small_font(font)
        self.strong, self.small_strong = strong_font(font), strong_font(self.small)
        self.dark = colours is DARK
        self.places = {name: k for k, name in enumerate(self.chart.series)}

    # What every chart has

    def head(self) -> None:
        """Paint the title and the legend."""
        painter, width = self.painter, self.plot.width - 2 * PAD
        painter.setFont(self.strong)
        painter.setPen(QColor(self.colours.text))
        title = QFontMetricsF(self.strong).elidedText(self.chart.title, _ELIDE, width)
        painter.drawText(QRectF(PAD, PAD - 4, width, TITLE - 2), _LEFT, title)
        for key in self.plot.keys:
            self._key(key)

    def _key(self, key: Key) -> None:
        painter, muted = self.painter, QColor(self.colours.muted)
        swatch = QRectF(key.place.x(), key.place.y(), SWATCH, LINE)
        middle = swatch.center()
        painter.setPen(Qt.PenStyle.NoPen)
        if key.kind == "series":
            painter.setBrush(self._colour(key.series))
            painter.drawRoundedRect(QRectF(swatch.left(), middle.y() - 4, SWATCH, 8), 2, 2)
        elif key.kind in ("bar", "square"):
            painter.setBrush(muted)
            painter.setOpacity(0.55)
            high = 8 if key.kind == "bar" else 7
            wide = SWATCH if key.kind == "bar" else 7
            painter.drawRect(QRectF(middle.x() - wide / 2, middle.y() - high / 2, wide, high))
            painter.setOpacity(1.0)
        elif key.kind == "dot":
            painter.setPen(QPen(muted, 1.5))
            painter.drawLine(QPointF(swatch.left(), middle.y()), QPointF(swatch.right(), middle.y()))
            self._dot(middle, muted)
        elif key.kind == "diamond":
            self._diamond(middle)
        else:
            self._hatch(QRectF(swatch.left(), middle.y() - 5, SWATCH, 10))
        painter.setFont(self.small)
        painter.setPen(muted)
        text = QRectF(swatch.right() + 6, key.place.y(), self.plot.width, LINE)
        painter.drawText(text, _LEFT, key.text)

    # Bars and gaps

    def row_ground(self, chosen: int | None, pointed: int | None) -> None:
        """Paint what lies below the rows: the marked ones, the grid, headings and labels."""
        painter, plot, colours, area = self.painter, self.plot, self.colours, self.plot.area
        painter.setPen(Qt.PenStyle.NoPen)
        for place, name in ((pointed, "sunken"), (chosen, "accent_soft")):
            if place is not None and place < len(plot.marks):
                painter.setBrush(QColor(getattr(colours, name)))
                painter.drawRoundedRect(plot.marks[place].adjusted(-6, 0, 6, 0), 4, 4)
        painter.setFont(self.small)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for value in ticks(plot.first, plot.last):
            x = round(plot.x_of(value))
            painter.setPen(QPen(QColor(colours.faint if not value else colours.line), 1))
            painter.drawLine(x, round(area.top()), x, round(area.bottom()))
            painter.setPen(QColor(colours.muted))
            text = tick_words(value, self.chart.unit)
            painter.drawText(QRectF(x - 40, area.bottom() + 3, 80, LINE), _CENTRE, text)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        said = axis_title(self.chart)
        if said:
            painter.drawText(QRectF(area.left(), area.bottom() + 18, area.width(), LINE), _CENTRE, said)
        metrics = QFontMetricsF(self.small)
        for column in plot.columns:
            painter.setPen(QColor(colours.muted))
            head = QRectF(column.left, area.top() - HEAD, column.width, HEAD - 2)
            painter.drawText(head, _LEFT if column.name in ("p", "difference") else _RIGHT, column.title)
        for label, block in plot.blocks:
            painter.setPen(QColor(colours.text))
            room = QRectF(block.left(), block.top(), area.left() - block.left() - GAP, block.height())
            shown = metrics.elidedText(label_of(label), _ELIDE, room.width())
            painter.drawText(room, _LEFT, shown)

    def rows(self) -> None:
        """Paint the marks, the references and the numbers."""
        tall = self.chart.kind == "bars" and has_corrected(self.chart)
        for place, (mark, area) in enumerate(zip(self.chart.marks, self.plot.marks, strict=True)):
            colour = self._colour(self.places[mark.series])
            middle = area.center().y()
            if mark.small:
                self.painter.setOpacity(PALE)
            if self.chart.kind == "gaps":
                self._gap(mark, colour, middle)
            else:
                self._bar(mark, colour, area.top() + 4 + BAR / 2 if tall else middle)
                if tall and mark.corrected is not None:
                    self._corrected(mark, colour, area.top() + TALL_ROW - 8)
            self.painter.setOpacity(1.0)
            self._numbers(place, mark, area)
        for label, block in self.plot.blocks:
            value = self.chart.references.get(label)
            if value is not None:
                x = self.plot.x_of(value)
                self.painter.setPen(QPen(QColor(self.colours.text), 1.2))
                top, bottom = block.top() + 2, block.bottom() - 2
                self.painter.drawLine(QPointF(x, top), QPointF(x, bottom))
                self._diamond(QPointF(x, block.center().y()))

    def _bar(self, mark: Mark, colour: QColor, y: float) -> None:
        if mark.value is None:
            return
        painter, plot = self.painter, self.plot
        start = plot.x_of(max(plot.first, min(0.0, plot.last)))
        bar = QRectF(QPointF(start, y - BAR / 2), QPointF(plot.x_of(mark.value), y + BAR / 2)).normalized()
        ground = QColor(colour)
        ground.setAlphaF(0.5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRect(bar)
        painter.setBrush(colour)  # so that one sees whose a bar is that has no length
        painter.drawRect(QRectF(start, bar.top(), EDGE, BAR))
        if mark.small:
            self._hatch(bar)
        self._interval(mark.low, mark.high, y, QColor(self.colours.text), 1.2)

    def _corrected(self, mark: Mark, colour: QColor, y: float) -> None:
        assert mark.corrected is not None
        self._interval(mark.corrected_low, mark.corrected_high, y, colour, 2.0)
        self._dot(QPointF(self.plot.x_of(mark.corrected), y), colour)

    def _gap(self, mark: Mark, colour: QColor, y: float) -> None:
        if mark.value is None:
            return
        self._interval(mark.low, mark.high, y, colour, 2.0)
        ends = (mark.low, mark.high)
        clear = all(end is not None for end in ends) and (ends[0] or 0.0) * (ends[1] or 0.0) > 0.0
        self._dot(QPointF(self.plot.x_of(mark.value), y), colour, filled=clear)

    def _interval(
        self, low: float | None, high: float | None, y: float, colour: QColor, thick: float
    ) -> None:
        if low is None or high is None:
            return
        painter, x1, x2 = self.painter, self.plot.x_of(low), self.plot.x_of(high)
        painter.setPen(QPen(colour, thick))
        painter.drawLine(QPointF(x1, y), QPointF(x2, y))
        for x in (x1, x2):
            painter.drawLine(QPointF(x, y - 3), QPointF(x, y + 3))

    def _numbers(self, place: int, mark: Mark, area: QRectF) -> None:
        painter = self.painter
        for column in self.plot.columns:
            quiet = column.name in ("n", "p") or mark.small
            main = column.name == ("corrected" if mark.corrected is not None else "value")
            painter.setFont(self.small_strong if main and not mark.small else self.small)
            painter.setPen(QColor(self.colours.muted if quiet or not main else self.colours.text))
            if column.name == "difference":
                painter.setPen(QColor(self.colours.text if self._clear(place) else self.colours.muted))
                painter.setFont(self.small_strong if self._clear(place) else self.small)
            where = QRectF(column.left, area.top(), column.width, area.height())
            align = _LEFT if column.name in ("p", "difference") else _RIGHT
            painter.drawText(where, align, column.texts[place])

    def _clear(self, place: int) -> bool:
        """Whether the interval of a difference leaves out 0."""
        _, low, high = self.shown.differences.get(place, (0.0, None, None))
        return low is not None and high is not None and low * high > 0.0

    # Tables

    def cells(self, chosen: int | None, pointed: int | None) -> None:
        """Paint a table of intersections: the more, the stronger; those of few images have no colour."""
        painter, plot, colours = self.painter, self.plot, self.colours
        metrics = QFontMetricsF(self.small)
        painter.setFont(self.small)
        painter.setPen(QColor(colours.muted))
        for column in plot.columns:
            for line, text in enumerate(reversed(column.title.split("\n"))):
                top = plot.area.top() - 4 - (line + 1) * COLUMN_LINE
                said = metrics.elidedText(text, _ELIDE, column.width)
                painter.drawText(QRectF(column.left, top, column.width, COLUMN_LINE), _CENTRE, said)
        for label, block in plot.blocks:
            shown = metrics.elidedText(label_of(label), _ELIDE, block.width())
            painter.drawText(block, _LEFT, shown)
        for place, (mark, area) in enumerate(zip(self.chart.marks, plot.marks, strict=True)):
            self._cell(mark, area)
            if place in (chosen, pointed):
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(QColor(colours.accent if place == chosen else colours.muted), 2))
                painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 4, 4)

    def _cell(self, mark: Mark, area: QRectF) -> None:
        painter, colours = self.painter, self.colours
        ground = QColor(colours.sunken)
        if mark.value is not None and not mark.small:
            name = "accent"
            if self.chart.unit == "points":
                name = "lighter" if mark.value > 0 else "darker"
            share = 0.06 + (STRONGEST - 0.06) * self._strength(mark.value)
            ground = _blended(QColor(getattr(colours, name)), ground, share)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(area, 4, 4)
        if mark.small:
            self._hatch(area)
        ink = max((QColor(colours.text), QColor(colours.window)), key=lambda one: _contrast(one, ground))
        value = value_words(mark.value, self.chart.unit, signed=self.chart.unit == "points")
        upper = QRectF(area.left(), area.top() + 4, area.width(), area.height() / 2 - 3)
        lower = QRectF(area.left(), area.center().y() - 1, area.width(), area.height() / 2 - 2)
        if area.height() < LOW_CELL:  # both stand side by side
            middle = area.center().x()
            upper = QRectF(area.left(), area.top(), middle - area.left() - 2, area.height())
            lower = QRectF(middle, area.top(), area.right() - middle - 2, area.height())
        painter.setFont(self.small if mark.small else self.small_strong)
        painter.setPen(QColor(colours.muted) if mark.small else ink)
        painter.drawText(upper, _CENTRE, f"({value})" if mark.small else value)
        painter.setFont(self.small)
        metrics = QFontMetricsF(self.small)
        told = (counted_words(mark), f"n = {mark.n:,}", f"{mark.n:,}")
        n = next((one for one in told if one and metrics.horizontalAdvance(one) <= lower.width()), "")
        painter.drawText(lower, _CENTRE, n)

    def _strength(self, value: float) -> float:
        plot = self.plot
        if self.chart.unit == "points":
            return min(1.0, abs(value) / plot.last)
        return min(1.0, max(0.0, (value - plot.first) / (plot.last - plot.first)))

    # Lines

    def line_ground(self) -> None:
        """Paint the grid, both axes' numbers, and the axis' name."""
        painter, plot, colours, area = self.painter, self.plot, self.colours, self.plot.area
        painter.setFont(self.small)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for value in ticks(plot.first, plot.last):
            y = round(plot.y_of(value))
            painter.setPen(QPen(QColor(colours.faint if not value else colours.line), 1))
            painter.drawLine(round(area.left()), y, round(area.right()), y)
            painter.setPen(QColor(colours.muted))
            room = QRectF(0, y - 9, area.left() - 8, 18)
            painter.drawText(room, _RIGHT, tick_words(value, self.chart.unit))
        for label, place in plot.blocks:
            x = round(place.left())
            painter.setPen(QPen(QColor(colours.faint), 1))
            painter.drawLine(x, round(area.bottom()), x, round(area.bottom()) + 4)
            painter.setPen(QColor(colours.muted))
            painter.drawText(QRectF(x - 40, area.bottom() + 4, 80, LINE), _CENTRE, label)
        if self.chart.axis:
            below = QRectF(area.left(), area.bottom() + 20, area.width(), LINE)
            painter.drawText(below, _CENTRE, label_of(self.chart.axis))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def lines(self, chosen: int | None, pointed: int | None) -> None:
        """Paint the references, then each series with its intervals."""
        painter, plot, chart = self.painter, self.plot, self.chart
        places = line_places(chart)
        known = [one for one in chart.labels if one in chart.references]
        points = [
            QPointF(x_of_label(plot.area, places[one], 0, 1), plot.y_of(chart.references[one]))
            for one in known
        ]
        if len(points) > 1:
            painter.setPen(QPen(QColor(self.colours.muted), 1.2, Qt.PenStyle.DashLine))
            painter.drawPolyline(QPolygonF(points))
        for place in (pointed, chosen):
            if place is not None and place < len(plot.marks):
                name = "accent_soft" if place == chosen else "sunken"
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(getattr(self.colours, name)))
                painter.drawEllipse(plot.marks[place])
        for name, number in self.places.items():
            self._series(name, number, places)
        for point in points:
            self._diamond(point)

    def _series(self, name: str, number: int, places: dict[str, float]) -> None:
        painter, plot, chart = self.painter, self.plot, self.chart
        colour = self._colour(number)
        marks = [mark for mark in chart.marks if mark.series == name]

        def at(mark: Mark, value: float) -> QPointF:
            x = x_of_label(plot.area, places[mark.label], number, len(self.places))
            return QPointF(x, plot.y_of(value))

        counted = [(mark, at(mark, mark.value)) for mark in marks if mark.value is not None]
        corrected = [(mark, at(mark, mark.corrected)) for mark in marks if mark.corrected is not None]
        painter.setBrush(Qt.BrushStyle.NoBrush)
        style = Qt.PenStyle.DotLine if corrected else Qt.PenStyle.SolidLine
        painter.setPen(QPen(colour, 1.2 if corrected else 2.0, style))
        painter.drawPolyline(QPolygonF([point for _, point in counted]))
        painter.setPen(QPen(colour, 2.0))
        painter.drawPolyline(QPolygonF([point for _, point in corrected]))
        for mark, point in counted:
            painter.setOpacity(PALE if mark.small else 1.0)
            if mark.corrected is None:
                self._upright(mark.low, mark.high, point.x(), colour)
            painter.setPen(QPen(QColor(self.colours.surface), 1))
            painter.setBrush(colour)
            painter.drawRect(QRectF(point.x() - 3.5, point.y() - 3.5, 7, 7))
        for mark, point in corrected:
            painter.setOpacity(PALE if mark.small else 1.0)
            self._upright(mark.corrected_low, mark.corrected_high, point.x(), colour)
            self._dot(point, colour)
        painter.setOpacity(1.0)

    def _upright(self, low: float | None, high: float | None, x: float, colour: QColor) -> None:
        if low is None or high is None:
            return
        painter, y1, y2 = self.painter, self.plot.y_of(low), self.plot.y_of(high)
        painter.setPen(QPen(colour, 1.5))
        painter.drawLine(QPointF(x, y1), QPointF(x, y2))
        for y in (y1, y2):
            painter.drawLine(QPointF(x - 3, y), QPointF(x + 3, y))

    # Marks

    def _colour(self, series: int) -> QColor:
        return QColor(class_colour(series, self.dark))

    def _dot(self, at: QPointF, colour: QColor, filled: bool = True) -> None:
        ground = QColor(self.colours.surface)
        self.painter.setPen(QPen(ground if filled else colour, 1.5))
        self.painter.setBrush(colour if filled else ground)
        radius = DOT + 0.75 if filled else DOT
        self.painter.drawEllipse(at, radius, radius)

    def _diamond(self, at: QPointF) -> None:
        painter = self.painter
        painter.setPen(QPen(QColor(self.colours.surface), 1.2))
        painter.setBrush(QColor(self.colours.text))
        ends = [QPointF(0, -DIAMOND), QPointF(DIAMOND, 0), QPointF(0, DIAMOND), QPointF(-DIAMOND, 0)]
        painter.drawPolygon(QPolygonF([at + end for end in ends]))

    def _hatch(self, area: QRectF) -> None:
        painter = self.painter
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QBrush(QColor(self.colours.faint), Qt.BrushStyle.BDiagPattern))
        painter.setOpacity(painter.opacity() * 0.5)
        painter.drawRoundedRect(area, 3, 3)
        painter.setOpacity(1.0)


def _blended(upper: QColor, lower: QColor, share: float) -> QColor:
    """Return a colour that lies over another with a share of 0 to 1."""
    pairs = zip(_parts(upper), _parts(lower), strict=True)
    red, green, blue = (share * one + (1.0 - share) * two for one, two in pairs)
    return QColor.fromRgbF(red, green, blue)


def _contrast(one: QColor, two: QColor) -> float:
    """Return the contrast of two colours, 1 to 21, as WCAG 2 defines it."""
    lighter, darker = sorted((_luminance(one), _luminance(two)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: QColor) -> float:
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in _parts(colour)]
    return float(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])


def _parts(colour: QColor) -> tuple[float, float, float]:
    return colour.redF(), colour.greenF(), colour.blueF()
