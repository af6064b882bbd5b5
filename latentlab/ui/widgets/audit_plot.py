"""Where everything of a study's chart stands: title, legend, axis, rows or cells, numbers, note.

The window's charts and the exported picture are laid out by the same code. Bars and gaps are rows, a block of
rows a label; cells are a table; lines stand above an axis of numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF

from latentlab.audit.charts import Chart, Mark, unit_name
from latentlab.session.audit_beside import Shown
from latentlab.session.audit_words import SMALL, counted_words, interval_words, p_words, value_words
from latentlab.ui.widgets.bars_painter import label_of, small_font

PAD, TITLE, LEGEND, HEAD, AXIS, TICK_LINE, LINE = 16, 26, 20, 18, 38, 22, 16
ROW, TALL_ROW, BLOCK_GAP, BAR = 22, 30, 8, 10
"""Rows of bars are taller where a corrected value stands below the bar."""
LABEL_MOST, PLOT_LEAST, GAP = 150, 110, 12
CELL, LOW_CELL, CELL_GAP, COLUMN_LINE = 46, 28, 3, 15
CELL_LEAST, CELL_MOST, TALL_ROWS, FOLDED_MOST = 110, 150, 8, 10
"""The least width that long labels leave to a cell, and the widest cell; how many rows of high cells and how
many columns of a folded table there are at most."""
LINES = 190
"""Height of the area in which lines are drawn."""
TICKS = 5
SWATCH = 14


@dataclass(frozen=True)
class Column:
    """A column of numbers at the right of rows: its heading, its texts by mark, and where it stands."""

    name: str
    title: str
    texts: tuple[str, ...]
    left: float = 0.0
    width: float = 0.0


@dataclass(frozen=True)
class Key:
    """An entry of the legend: what it shows (such as ``bar``, ``dot`` or ``diamond``), and its words."""

    kind: str
    text: str
    series: int
    place: QPointF


@dataclass(frozen=True)
class Plot:
    """The layout of a chart.

    Parameters
    ----------
    area
        Where values are drawn; of cells, the whole table.
    first, last
        The ends of the axis of values.
    marks
        The area of each mark, in the chart's order: it is what a click hits.
    blocks
        Of rows: each label's area, in order.
    columns
        Of rows: the numbers at the right.
    keys
        The legend.
    note
        Where the note stands.
    """

    width: float
    height: float
    area: QRectF
    first: float
    last: float
    marks: tuple[QRectF, ...]
    blocks: tuple[tuple[str, QRectF], ...] = ()
    columns: tuple[Column, ...] = ()
    keys: tuple[Key, ...] = ()
    note: QRectF = field(default_factory=QRectF)

    def x_of(self, value: float) -> float:
        """Return where a value stands from left to right."""
        share = (value - self.first) / (self.last - self.first)
        return float(self.area.left() + min(1.0, max(0.0, share)) * self.area.width())

    def y_of(self, value: float) -> float:
        """Return where a value stands above the axis of lines."""
        share = (value - self.first) / (self.last - self.first)
        return float(self.area.bottom() - min(1.0, max(0.0, share)) * self.area.height())

    def mark_at(self, point: QPointF) -> int | None:
        """Return the mark at a point; of several the nearest."""
        hit = [k for k, area in enumerate(self.marks) if area.contains(point)]
        if not hit:
            return None
        return min(hit, key=lambda k: (self.marks[k].center() - point).manhattanLength())

    def neighbour(self, mark: int, key: Qt.Key) -> int:
        """Return the mark that an arrow key leads to from another; the same where there is none."""
        ways = {
            Qt.Key.Key_Left: QPointF(-1, 0),
            Qt.Key.Key_Right: QPointF(1, 0),
            Qt.Key.Key_Up: QPointF(0, -1),
            Qt.Key.Key_Down: QPointF(0, 1),
        }
        way, here = ways[key], self.marks[mark].center()
        best, nearest = mark, math.inf
        for k, area in enumerate(self.marks):
            off = area.center() - here
            along = QPointF.dotProduct(off, way)
            across = abs(off.x() * way.y()) + abs(off.y() * way.x())
            if along > 1.0 and along + 3.0 * across < nearest:
                best, nearest = k, along + 3.0 * across
        return best


def lay_out(shown: Shown, width: float, font: QFont) -> Plot:
    """Place a chart in a width, in pixels."""
    if shown.chart.kind == "cells":
        return _cells(shown, width, font)
    if shown.chart.kind == "lines":
        return _lines(shown, width, font)
    return _rows(shown, width, font)


def axis_of(chart: Chart) -> tuple[float, float]:
    """Return the ends of a chart's axis of values: round numbers that hold every mark and interval."""
    values = [value for mark in chart.marks for value in _values(mark)]
    values += [chart.references[label] for label in chart.labels if label in chart.references]
    if chart.kind == "gaps" or chart.unit == "points":
        most = nice(max((abs(value) for value in values), default=0.05) or 0.05)
        lowest = min(values, default=0.0)
        return (-most, most) if lowest < 0.0 or chart.kind == "gaps" else (0.0, most)
    most = nice(max([*values, 0.0]) or 1.0)
    return (min(0.0, min(values, default=0.0)), min(1.0, most) if chart.unit == "share" else most)


def nice(value: float) -> float:
    """Return the next round number that is not smaller."""
    step = 10.0 ** math.floor(math.log10(value))
    return next(
        step * k for k in (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0) if step * k >= value - 1e-9
    )


def ticks(first: float, last: float, most: int = TICKS) -> list[float]:
    """Return round numbers between two, at most so many."""
    rough = (last - first) / max(1, most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * k for k in (1.0, 2.0, 2.5, 5.0, 10.0) if power * k >= rough - 1e-12)
    return [step * k for k in range(math.ceil(first / step - 1e-9), math.floor(last / step + 1e-9) + 1)]


def tick_words(value: float, unit: str) -> str:
    """Return what stands at a tick."""
    if unit in ("share", "points"):
        text = f"{100 * value:.4g}"
        return f"{text}%" if unit == "share" else text.replace("-", "−")
    return f"{value:.4g}".replace("-", "−")


def has_corrected(chart: Chart) -> bool:
    """Whether any mark has a corrected value."""
    return any(mark.corrected is not None for mark in chart.marks)


def _values(mark: Mark) -> list[float]:
    found = (mark.value, mark.low, mark.high, mark.corrected, mark.corrected_low, mark.corrected_high)
    return [value for value in found if value is not None]


def _legend(
    shown: Shown, left: float, top: float, width: float, font: QFont
) -> tuple[tuple[Key, ...], float]:
    """Return the legend's entries in lines, and how high they are."""
    chart, metrics = shown.chart, QFontMetricsF(small_font(font))
    wanted: list[tuple[str, str, int]] = []
    series = chart.series
    if len(series) > 1 and chart.kind != "cells":
        wanted += [("series", name, k) for k, name in enumerate(series)]
    if has_corrected(chart) and chart.kind in ("bars", "lines"):
        wanted.append(("bar" if chart.kind == "bars" else "square", "as counted", 0))
        wanted.append(("dot", "corrected for the predictor's errors", 0))
    if any(label in chart.references for label in chart.labels):
        wanted.append(("diamond", chart.reference_name or "reference", 0))
    if any(mark.small for mark in chart.marks):
        wanted.append(("pale", f"fewer than {SMALL} {chart.of}", 0))
    keys, x, y = [], left, top
    for kind, text, place in wanted:
        room = SWATCH + 6 + metrics.horizontalAdvance(text)
        if x > left and x + room > left + width:
            x, y = left, y + LEGEND
        keys.append(Key(kind, text, place, QPointF(x, y)))
        x += room + 16
    return tuple(keys), (y - top + LEGEND if keys else 0.0)


def _note(chart: Chart, left: float, top: float, width: float, font: QFont) -> QRectF:
    if not chart.note:
        return QRectF(left, top, width, 0)
    metrics = QFontMetricsF(small_font(font))
    needed = metrics.boundingRect(QRectF(0, 0, width, 10_000), int(Qt.TextFlag.TextWordWrap), chart.note)
    return QRectF(left, top, width, math.ceil(needed.height()) + 2)


def _rows(shown: Shown, width: float, font: QFont) -> Plot:
    chart, metrics = shown.chart, QFontMetricsF(small_font(font))
    inner = width - 2 * PAD
    keys, legend = _legend(shown, PAD, PAD + TITLE, inner, font)
    widest = max((metrics.horizontalAdvance(label_of(label)) for label in chart.labels), default=0.0)
    label_room = min(LABEL_MOST, inner * 0.34, widest) + GAP
    columns = _columns(shown)
    sized = [(one, max(map(metrics.horizontalAdvance, (one.title, *one.texts))) + 4) for one in columns]
    while len(sized) > 1 and inner - label_room - sum(room + GAP for _, room in sized) < PLOT_LEAST:
        least = next((k for k, (one, _) in enumerate(sized) if one.name == "n"), len(sized) - 1)
        del sized[least]
    numbers = sum(room + GAP for _, room in sized)
    top = PAD + TITLE + legend + HEAD
    row = TALL_ROW if chart.kind == "bars" and has_corrected(chart) else ROW
    marks: list[QRectF] = [QRectF()] * len(chart.marks)
    blocks = []
    y = top + 2.0
    for label in chart.labels:
        places = [k for k, mark in enumerate(chart.marks) if mark.label == label]
        blocks.append((label, QRectF(PAD, y, inner, row * len(places))))
        for k in places:
            marks[k] = QRectF(PAD, y, inner, row)
            y += row
        y += BLOCK_GAP if len(chart.series) > 1 else 0
    area = QRectF(PAD + label_room, top, max(20.0, inner - label_room - numbers), y - top)
    x, placed = area.right() + GAP, []
    for one, room in sized:
        placed.append(Column(one.name, one.title, one.texts, x, room))
        x += room + GAP
    below = y + (AXIS if axis_title(chart) else TICK_LINE)
    note = _note(chart, PAD, below, inner, font)
    first, last = axis_of(chart)
    height = note.bottom() + PAD if chart.note else below + PAD / 2
    return Plot(width, height, area, first, last, tuple(marks), tuple(blocks), tuple(placed), keys, note)


def _columns(shown: Shown) -> list[Column]:
    chart = shown.chart
    unit, marks = chart.unit, chart.marks

    def bracketed(text: str, mark: Mark) -> str:
        return f"({text})" if mark.small and mark.value is not None else text

    value = tuple(bracketed(value_words(mark.value, unit), mark) for mark in marks)
    found = []
    if has_corrected(chart):
        corrected = tuple(
            "" if mark.corrected is None else bracketed(value_words(mark.corrected, unit), mark)
            for mark in marks
        )
        found += [Column("value", "Counted", value), Column("corrected", "Corrected", corrected)]
    else:
        found.append(Column("value", "Points" if unit == "points" else "", value))
    if shown.differences:
        found.append(Column("difference", "B − A", _difference_texts(shown)))
    if any(map(p_words, marks)):
        found.append(Column("p", "", tuple(map(p_words, marks))))
    counted = tuple(map(counted_words, marks))
    if any(counted):
        found.append(Column("n", "Images", counted))
    else:
        found.append(Column("n", "n", tuple(f"{mark.n:,}" for mark in marks)))
    return found


def _difference_texts(shown: Shown) -> tuple[str, ...]:
    unit = "points" if shown.chart.unit == "share" else shown.chart.unit
    texts = [""] * len(shown.chart.marks)
    for place, (d, low, high) in shown.differences.items():
        between = interval_words(low, high, unit, signed=True)
        said = value_words(d, unit, signed=True)
        texts[place] = f"{said} ({between})" if between else said
    return tuple(texts)


def _cells(shown: Shown, width: float, font: QFont) -> Plot:
    chart, metrics = shown.chart, QFontMetricsF(small_font(font))
    inner = width - 2 * PAD
    keys, legend = _legend(shown, PAD, PAD + TITLE, inner, font)
    places = folded(chart)
    rows = {one: k for k, one in enumerate(dict.fromkeys(row for row, _ in places))}
    columns = {one: k for k, one in enumerate(dict.fromkeys(column for _, column in places))}
    widest = max((metrics.horizontalAdvance(label_of(label)) for label in rows), default=0.0)
    label_room = min(widest, max(inner * 0.3, inner - len(columns) * CELL_LEAST)) + GAP
    lines = max((one.count(", ") + 1 for one in columns), default=1)
    top = PAD + TITLE + legend + lines * COLUMN_LINE + 4
    high = CELL if len(rows) <= TALL_ROWS else LOW_CELL
    across = min(CELL_MOST, (inner - label_room) / max(1, len(columns)))
    area = QRectF(PAD + label_room, top, across * len(columns), len(rows) * high)
    marks = tuple(
        QRectF(
            area.left() + columns[column] * across,
            top + rows[row] * high,
            across - CELL_GAP,
            high - CELL_GAP,
        )
        for row, column in places
    )
    blocks = tuple(
        (one, QRectF(PAD, top + k * high, label_room - GAP, high - CELL_GAP)) for one, k in rows.items()
    )
    note = _note(chart, PAD, area.bottom() + 8, inner, font)
    values = [value for mark in chart.marks if (value := mark.value) is not None and not mark.small]
    first, last = min(values, default=0.0), max(values, default=1.0)
    if chart.unit == "points":
        last = max(abs(first), abs(last)) or 0.01
        first = -last
    last = last if last > first else first + 1.0
    heads = tuple(
        Column(
            one, one.replace("_", " ").replace(", ", "\n"), (), area.left() + k * across, across - CELL_GAP
        )
        for one, k in columns.items()
    )
    height = note.bottom() + PAD if chart.note else area.bottom() + PAD
    return Plot(width, height, area, first, last, marks, blocks, heads, keys, note)


def folded(chart: Chart) -> list[tuple[str, str]]:
    """Return the row and the column of each mark of a table.

    Those of one series whose labels are intersections of as many classes, each there, stand in as square a
    table as there is: the first half of the classes are rows.
    """
    plain = [(mark.label, mark.series) for mark in chart.marks]
    parts = [mark.label.split(", ") for mark in chart.marks]
    counts = {len(one) for one in parts}
    if len(chart.series) != 1 or len(counts) != 1 or counts == {1}:
        return plain
    half = counts.pop() // 2
    split = [(", ".join(one[:half]), ", ".join(one[half:])) for one in parts]
    rows, columns = {row for row, _ in split}, {column for _, column in split}
    if len(rows) < len(columns) and len(parts[0]) % 2:  # rows have more room than columns
        half += 1
        split = [(", ".join(one[:half]), ", ".join(one[half:])) for one in parts]
        rows, columns = {row for row, _ in split}, {column for _, column in split}
    whole = len(set(split)) == len(split) == len(rows) * len(columns)
    return split if whole and 1 < len(columns) <= FOLDED_MOST else plain


def _lines(shown: Shown, width: float, font: QFont) -> Plot:
    chart, metrics = shown.chart, QFontMetricsF(small_font(font))
    inner = width - 2 * PAD
    keys, legend = _legend(shown, PAD, PAD + TITLE, inner, font)
    first, last = axis_of(chart)
    numbers = max(metrics.horizontalAdvance(tick_words(one, chart.unit)) for one in ticks(first, last)) + 10
    top = PAD + TITLE + legend + 8
    area = QRectF(PAD + numbers, top, inner - numbers - 8, LINES)
    plot = Plot(width, 0.0, area, first, last, ())
    places = line_places(chart)
    series = chart.series
    marks = []
    for mark in chart.marks:
        x = x_of_label(area, places[mark.label], series.index(mark.series), len(series))
        value = mark.value if mark.corrected is None else mark.corrected
        y = plot.y_of(first if value is None else value)
        marks.append(QRectF(x - 12, y - 12, 24, 24))
    ticks_at = tuple(
        (one, QRectF(x_of_label(area, places[one], 0, 1), area.bottom(), 0, 0)) for one in chart.labels
    )
    below = area.bottom() + (AXIS + 2 if chart.axis else TICK_LINE)
    note = _note(chart, PAD, below, inner, font)
    height = note.bottom() + PAD if chart.note else below + PAD / 2
    return Plot(width, height, area, first, last, tuple(marks), ticks_at, (), keys, note)


def line_places(chart: Chart) -> dict[str, float]:
    """Return where labels stand along the axis, 0 to 1: by their numbers, or evenly where one is none."""
    labels = chart.labels
    try:
        numbers = [float(label.rstrip("%")) for label in labels]
        numbers = [math.log(number) for number in numbers] if chart.log else numbers
    except ValueError:
        numbers = [float(k) for k in range(len(labels))]
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    span = high - low or 1.0
    return {label: (number - low) / span for label, number in zip(labels, numbers, strict=True)}


def x_of_label(area: QRectF, place: float, series: int, of: int) -> float:
    """Return where a mark of lines stands: series a little beside one another, so that none hides another."""
    margin = 26.0
    beside = 5.0 * (series - (of - 1) / 2.0)
    return float(area.left() + margin + place * (area.width() - 2 * margin) + beside)


def axis_title(chart: Chart) -> str:
    """Return what stands below the axis of values."""
    return unit_name(chart.unit)
