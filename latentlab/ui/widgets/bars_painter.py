"""Paints predicted attributes: a block an attribute, a row a class, a bar a picture.

The chart of the Explore screen and the exported figure are painted by the same code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter

from latentlab.operations.attribute_table import held_out_error
from latentlab.spec import Attribute, PredictorSpec
from latentlab.ui.theme import Colours, numerals

TITLE, BAR, BAR_GAP, ROW_GAP, BLOCK_GAP, COLUMN_GAP = 30, 6, 2, 8, 12, 28
COLUMN_LEAST, COLUMN_MOST = 168, 360
_VALUE = 40
_LEFT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
_RIGHT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)


@dataclass(frozen=True, eq=False)
class Series:
    """One picture's bars: its title, the name of its colour in the theme, its probabilities."""

    title: str
    colour: str
    probabilities: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Block:
    """Where an attribute stands: its title's rectangle and its rows' rectangles, class by class."""

    attribute: Attribute
    title: QRect
    rows: tuple[QRect, ...]


def label_of(name: str) -> str:
    """Return a name as a person reads it: ``facial_hair`` becomes ``Facial hair``."""
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def percent(share: float) -> str:
    """Return a small share as a percentage that does not round to nothing."""
    return f"{100 * share:.1f}%" if share >= 0.001 or share == 0 else f"{100 * share:.2f}%"


def lay_out(spec: PredictorSpec, width: int, series: int, top: int = 0) -> tuple[list[Block], int]:
    """Place the attributes in as many columns as fit, each below the shortest column so far.

    Parameters
    ----------
    width
        Room in pixels.
    series
        Bars in a row.
    top
        Where the blocks begin.

    Returns
    -------
    tuple
        The blocks, and the height that they take from ``top``.
    """
    attributes = [attribute for attribute in spec.attributes if attribute.classes]
    fit = max(1, (width + COLUMN_GAP) // (COLUMN_LEAST + COLUMN_GAP))
    columns = max(1, min(len(attributes), fit))
    column_width = min(COLUMN_MOST, (width - (columns - 1) * COLUMN_GAP) // columns)
    row_height = max(1, series) * (BAR + BAR_GAP) + ROW_GAP
    heights = [0] * columns
    blocks = []
    for attribute in attributes:
        column = heights.index(min(heights))
        left, y = column * (column_width + COLUMN_GAP), top + heights[column]
        rows = tuple(
            QRect(left, y + TITLE + k * row_height, column_width, row_height)
            for k in range(len(attribute.classes))
        )
        blocks.append(Block(attribute, QRect(left, y, column_width, TITLE), rows))
        heights[column] += TITLE + len(rows) * row_height + BLOCK_GAP
    return blocks, max(heights, default=0)


def paint_bars(
    painter: QPainter,
    blocks: list[Block],
    spec: PredictorSpec,
    series: list[Series],
    colours: Colours,
    font: QFont,
) -> None:
    """Paint the blocks; the number at the end of a row is the last series' probability."""
    strong = QFont(font)
    strong.setWeight(QFont.Weight.DemiBold)
    small = numerals(font)
    small.setPixelSize(max(9, font.pixelSize() - 1))
    metrics = QFontMetrics(small)
    names = [label_of(label) for block in blocks for label in block.attribute.classes]
    label_width = min(84, max((metrics.horizontalAdvance(name) for name in names), default=0) + 10)
    shades = [QColor(getattr(colours, one.colour)) for one in series]
    text, muted, track = QColor(colours.text), QColor(colours.muted), QColor(colours.sunken)
    for block in blocks:
        title = label_of(block.attribute.name)
        painter.setFont(strong)
        painter.setPen(text)
        line = block.title.adjusted(0, 0, 0, -8)
        painter.drawText(line, _LEFT, title)
        error = held_out_error(spec, block.attribute)
        painter.setFont(small)
        if error is not None:
            painter.setPen(muted)
            painter.drawText(line, _RIGHT, f"errs {percent(error)}")
        for k, (label, row) in enumerate(zip(block.attribute.classes, block.rows, strict=True)):
            values = [float(one.probabilities[block.attribute.name][k]) for one in series]
            where = QRect(row.left(), row.top(), label_width, row.height() - ROW_GAP)
            painter.setPen(muted)
            name = metrics.elidedText(label_of(label), Qt.TextElideMode.ElideRight, label_width - 4)
            painter.drawText(where, _LEFT, name)
            painter.setPen(text)
            where = QRect(row.right() - _VALUE + 1, row.top(), _VALUE, row.height() - ROW_GAP)
            painter.drawText(where, _RIGHT, f"{100 * values[-1]:.0f}%")
            bars = QRectF(row.left() + label_width, row.top(), row.width() - label_width - _VALUE, BAR)
            _paint_row(painter, bars, values, shades, track)


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


def _paint_row(
    painter: QPainter, first: QRectF, values: list[float], shades: list[QColor], track: QColor
) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for k, (value, shade) in enumerate(zip(values, shades, strict=True)):
        bar = first.translated(0, k * (BAR + BAR_GAP))
        painter.setBrush(track)
        painter.drawRoundedRect(bar, BAR / 2, BAR / 2)
        length = min(1.0, max(0.0, value)) * bar.width()
        if length > 0.5:
            painter.setBrush(shade)
            radius = min(BAR / 2, length / 2)
            painter.drawRoundedRect(QRectF(bar.left(), bar.top(), length, BAR), radius, radius)
