"""What charts over steps and beside them are made of: a title, why there is nothing, the axis of steps."""

from __future__ import annotations

from math import floor, log10

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPen

from latentlab.ui.theme import Theme
from latentlab.ui.widgets.bars_painter import small_font, strong_font

TITLE_HEIGHT = 20
_AT_LEFT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
_AT_RIGHT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)
_TICK, _STEP_WIDTH, _STEP_HEIGHT, _APART = 3, 68, 16, 80


def paint_title(painter: QPainter, theme: Theme, font: QFont, text: str) -> None:
    """Paint a title at the top, and go on in the small font."""
    painter.setFont(strong_font(font))
    painter.setPen(theme.colour("text"))
    painter.drawText(QRectF(0, 0, painter.device().width(), TITLE_HEIGHT), _AT_LEFT, text)
    painter.setFont(small_font(font))


def paint_nothing(painter: QPainter, theme: Theme, font: QFont, where: QRectF, why: str) -> None:
    """Say in the middle why there is nothing to paint."""
    painter.setFont(small_font(font))
    painter.setPen(theme.colour("muted"))
    painter.drawText(where, _CENTRE | int(Qt.TextFlag.TextWordWrap), why)


def step_ticks(until: int, most: int) -> list[int]:
    """Return round steps from 0 to the last, at most so many."""
    rough = until / max(1, most)
    power = 10 ** floor(log10(max(1.0, rough)))
    size = next(int(one * power) for one in (1, 2, 5, 10) if one * power >= rough)
    return list(range(0, until + 1, max(1, size)))


def paint_steps(painter: QPainter, theme: Theme, area: QRectF, until: int) -> None:
    """Paint the axis of steps below an area, from 0 at its left to the last at its right."""
    right, half = painter.device().width(), _STEP_WIDTH / 2
    for step in step_ticks(until, int(area.width() // _APART) + 1):
        x = area.left() + step / until * area.width()
        painter.setPen(QPen(theme.colour("faint"), 1))
        painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + _TICK))
        painter.setPen(theme.colour("muted"))
        where = QRectF(x - half, area.bottom() + _TICK, _STEP_WIDTH, _STEP_HEIGHT)
        if not step:  # what the other axis is numbered by ends above it
            where.moveLeft(x)
            painter.drawText(where, _AT_LEFT, "step 0")
        elif where.right() > right:
            where.moveRight(right)
            painter.drawText(where, _AT_RIGHT, f"{step:,}")
        else:
            painter.drawText(where, _CENTRE, f"{step:,}")


def places_of(count: int, width: float) -> NDArray[np.int64]:
    """Return places among so many points, first and last too, of which no more fit into a width."""
    most = max(2, int(width))
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))
