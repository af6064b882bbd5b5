"""Paints predicted attributes: a block an attribute, a row a class, a bar a picture.

The chart of the Explore screen and the exported figure are painted by the same code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QStaticText

from latentlab.operations.attribute_table import held_out_error
from latentlab.spec import Attribute, PredictorSpec
from latentlab.ui.theme import Colours, numerals

TITLE, BAR, BAR_GAP, ROW_GAP, BLOCK_GAP, COLUMN_GAP = 30, 6, 2, 8, 12, 28
COLUMN_LEAST, COLUMN_MOST = 168, 360
_VALUE, _CHANGE = 40, 36
_LEFT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
_RIGHT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)


@dataclass(frozen=True, eq=False)
class Series:
    """One picture's bars: its title, the name of its colour in the theme, its probabilities."""

    title: str
    colour: str
    probabilities: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Row:
    """Where a class stands: its label, its number, and its first bar."""

    label: str
    name: QRect
    number: QRect
    bar: QRectF

    def area(self) -> QRect:
        """Return the whole row."""
        return self.name.united(self.number)


@dataclass(frozen=True)
class Block:
    """Where an attribute stands: its title and its rows, class by class; and how often it is mistaken."""

    attribute: Attribute
    title: QRect
    error: float | None
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class BarLayout:
    """All blocks and the height that they take."""

    blocks: tuple[Block, ...] = ()
    height: int = 0


def label_of(name: str) -> str:
    """Return a name as a person reads it: ``facial_hair`` becomes ``Facial hair``."""
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def percent(share: float) -> str:
    """Return a small share as a percentage that does not round to nothing."""
    return f"{100 * share:.1f}%" if share >= 0.001 or share == 0 else f"{100 * share:.2f}%"


def small_font(font: QFont) -> QFont:
    """Return the font of labels and numbers."""
    small = numerals(font)
    small.setPixelSize(max(9, font.pixelSize() - 1))
    return small


def strong_font(font: QFont) -> QFont:
    """Return the font of titles."""
    strong = QFont(font)
    strong.setWeight(QFont.Weight.DemiBold)
    return strong


def lay_out(
    spec: PredictorSpec, width: int, series: int, font: QFont, top: int = 0, changes: bool = False
) -> BarLayout:
    """Place the attributes in as many columns as fit, each below the shortest column so far.

    Parameters
    ----------
    width
        Room in pixels.
    series
        Bars for which a row has room.
    top
        Where the blocks begin.
    changes
        Whether there is room for changes beside the numbers.
    """
    attributes = [attribute for attribute in spec.attributes if attribute.classes]
    fit = max(1, (width + COLUMN_GAP) // (COLUMN_LEAST + COLUMN_GAP))
    columns = max(1, min(len(attributes), fit))
    column_width = min(COLUMN_MOST, (width - (columns - 1) * COLUMN_GAP) // columns)
    metrics = QFontMetrics(small_font(font))
    value = max(_VALUE, metrics.horizontalAdvance("100%") + 8) + (_CHANGE if changes else 0)
    labels = [label_of(label) for attribute in attributes for label in attribute.classes]
    name_width = min(84, max((metrics.horizontalAdvance(label) for label in labels), default=0) + 10)
    inner = max(1, series) * (BAR + BAR_GAP)
    heights = [0] * columns
    blocks = []
    for attribute in attributes:
        column = heights.index(min(heights))
        left, y = column * (column_width + COLUMN_GAP), top + heights[column]
        rows = []
        for k, label in enumerate(attribute.classes):
            line = y + TITLE + k * (inner + ROW_GAP)
            shown = metrics.elidedText(label_of(label), Qt.TextElideMode.ElideRight, name_width - 4)
            rows.append(
                Row(
                    shown,
                    QRect(left, line, name_width, inner),
                    QRect(left + column_width - value, line, value, inner),
                    QRectF(left + name_width, line, column_width - name_width - value, BAR),
                )
            )
        title = QRect(left, y, column_width, TITLE - 8)
        blocks.append(Block(attribute, title, held_out_error(spec, attribute), tuple(rows)))
        heights[column] += TITLE + len(rows) * (inner + ROW_GAP) + BLOCK_GAP
    return BarLayout(tuple(blocks), max(heights, default=0))


def paint_ground(painter: QPainter, layout: BarLayout, series: int, colours: Colours, font: QFont) -> None:
    """Paint what does not change from frame to frame: titles, errors, labels, and the tracks of the bars."""
    strong, small = strong_font(font), small_font(font)
    text, muted = QColor(colours.text), QColor(colours.muted)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for block in layout.blocks:
        painter.setFont(strong)
        painter.setPen(text)
        painter.drawText(block.title, _LEFT, label_of(block.attribute.name))
        painter.setFont(small)
        painter.setPen(muted)
        if block.error is not None:
            painter.drawText(block.title, _RIGHT, f"errs {percent(block.error)}")
        for row in block.rows:
            painter.drawText(row.name, _LEFT, row.label)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colours.sunken))
    for block in layout.blocks:
        for row in block.rows:
            for k in range(series):
                painter.drawRoundedRect(_bar(row, k, series), BAR / 2, BAR / 2)


def paint_bars(
    painter: QPainter, layout: BarLayout, series: Sequence[Series], which: Sequence[int], colours: Colours
) -> None:
    """Paint the bars of some of the series, by their places among all."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    for k in which:
        painter.setBrush(QColor(getattr(colours, series[k].colour)))
        for block in layout.blocks:
            values = series[k].probabilities[block.attribute.name].tolist()
            for row, value in zip(block.rows, values, strict=True):
                bar = _bar(row, k, len(series))
                length = min(1.0, max(0.0, value)) * bar.width()
                if length > 0.5:
                    bar.setWidth(length)
                    radius = min(BAR / 2, length / 2)
                    painter.drawRoundedRect(bar, radius, radius)


class Numbers:
    """Paints percentages at the end of each row; each text is laid out once."""

    def __init__(self, font: QFont) -> None:
        self._font = small_font(font)
        self._texts: dict[str, QStaticText] = {}

    def paint(
        self,
        painter: QPainter,
        layout: BarLayout,
        one: Series,
        colours: Colours,
        since: Series | None = None,
    ) -> None:
        """Paint one series' probabilities, and how many points they changed ``since`` another's."""
        painter.setFont(self._font)
        text, muted = QColor(colours.text), QColor(colours.muted)
        more, less = QColor(colours.lighter), QColor(colours.darker)
        for block in layout.blocks:
            values = one.probabilities[block.attribute.name].tolist()
            before = values if since is None else since.probabilities[block.attribute.name].tolist()
            for row, value, old in zip(block.rows, values, before, strict=True):
                right = row.number.right() + 1
                painter.setPen(text)
                self._draw(painter, row, right - (0 if since is None else _CHANGE), f"{100 * value:.0f}%")
                if since is not None:
                    change = round(100 * value) - round(100 * old)
                    painter.setPen(muted if not change else more if change > 0 else less)
                    self._draw(painter, row, right, f"{change:+d}" if change else "±0")

    def _draw(self, painter: QPainter, row: Row, right: int, written: str) -> None:
        text = self._text(written)
        size = text.size()
        painter.drawStaticText(
            QPointF(right - size.width(), row.number.center().y() + 0.5 - size.height() / 2), text
        )

    def _text(self, text: str) -> QStaticText:
        if text not in self._texts:
            made = QStaticText(text)
            made.setTextFormat(Qt.TextFormat.PlainText)
            made.prepare(font=self._font)
            self._texts[text] = made
        return self._texts[text]


def paint_legend(
    painter: QPainter, origin: QPointF, series: list[Series], colours: Colours, font: QFont
) -> float:
    """Paint which colour stands for which picture, from a point to the right; return the width."""
    metrics = QFontMetrics(font)
    painter.setFont(font)
    x, middle = origin.x(), origin.y() + metrics.height() / 2
    for one in series:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(getattr(colours, one.colour)))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawRoundedRect(QRectF(x, middle - 3, 14, 6), 3, 3)
        painter.setPen(QColor(colours.muted))
        width = metrics.horizontalAdvance(one.title)
        painter.drawText(QRectF(x + 20, origin.y(), width + 2, metrics.height()), _LEFT, one.title)
        x += 20 + width + 18
    return x - origin.x()


def _bar(row: Row, k: int, series: int) -> QRectF:
    """Return a row's k-th bar; all of them stand in the middle of its height."""
    room = row.name.height() - series * (BAR + BAR_GAP)
    return row.bar.translated(0, room / 2 + k * (BAR + BAR_GAP))
