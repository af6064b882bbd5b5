"""Which colour stands for which training, in all charts alike."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from latentlab.ui.theme import Theme

COLOURS = ("input", "accent", "start", "darker")
"""By place: a baseline and what is compared with it, then another training's two."""


def colour_of(theme: Theme, place: int) -> QColor:
    """Return the colour of an arm by its place."""
    return theme.colour(COLOURS[place % len(COLOURS)])


def paint_key(painter: QPainter, where: QRectF, arms: Mapping[str, int], theme: Theme) -> None:
    """Paint which colour stands for which arm, from the left; what has no room is cut off."""
    metrics = QFontMetricsF(painter.font())
    x, middle = where.left(), where.center().y()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for name, place in arms.items():
        room = where.right() - x - 16
        if room < 30:
            break
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour_of(theme, place))
        painter.drawRoundedRect(QRectF(x, middle - 5, 10, 10), 2, 2)
        text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)
        painter.setPen(theme.colour("muted"))
        painter.drawText(
            QRectF(x + 16, where.top(), room, where.height()),
            int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft),
            text,
        )
        x += 16 + metrics.horizontalAdvance(text) + 16
    painter.restore()
