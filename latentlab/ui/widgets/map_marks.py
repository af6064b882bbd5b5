"""What stands out from the points of the map: pins, the edited latent, trail, lasso."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from latentlab.ui.theme import Colours
from latentlab.ui.widgets.bars_painter import small_font
from latentlab.ui.widgets.map_camera import Camera

Place = tuple[float, float]

_RING, _PIN = 9.0, 5.0
_LEFT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)


def paint_pins(
    painter: QPainter,
    camera: Camera,
    pins: Sequence[tuple[float, float, str]],
    colours: Colours,
    font: QFont,
) -> None:
    """Paint each pin as a square on its corner, with its name where no other name stands."""
    small = small_font(font)
    small.setWeight(QFont.Weight.Medium)
    metrics = QFontMetricsF(small)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(small)
    taken: list[QRectF] = []
    for x, y, name in pins:
        here = QPointF(*camera.to_pixels(x, y))
        if not QRectF(-16, -16, camera.width + 32, camera.height + 32).contains(here):
            continue
        mark = QPolygonF(
            [here + QPointF(dx * _PIN, dy * _PIN) for dx, dy in ((0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0))]
        )
        painter.setPen(QPen(QColor(colours.surface), 2))
        painter.setBrush(QColor(colours.text))
        painter.drawPolygon(mark)
        text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, 120)
        width = metrics.horizontalAdvance(text)
        left = here.x() + 10
        if left + width + 8 > camera.width:
            left = here.x() - 10 - width - 8
        plate = QRectF(left, here.y() - 9, width + 8, 18)
        if not text or any(plate.intersects(other) for other in taken):
            continue
        taken.append(plate)
        ground = QColor(colours.surface)
        ground.setAlphaF(0.8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(plate, 4, 4)
        painter.setPen(QColor(colours.text))
        painter.drawText(plate.adjusted(4, 0, 0, 0), _LEFT, text)


def paint_marker(painter: QPainter, camera: Camera, x: float, y: float, colours: Colours) -> None:
    """Paint a ring where the edited latent is; at the edge an arrow towards it when it lies out of view."""
    here = QPointF(*camera.to_pixels(x, y))
    colour, ground = QColor(colours.edited), QColor(colours.surface)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    inside = QRectF(0, 0, camera.width, camera.height)
    if not inside.contains(here):
        _paint_arrow(painter, inside.adjusted(16, 16, -16, -16), here, colour, ground)
        return
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for width, shade in ((7.0, ground), (3.0, colour)):
        painter.setPen(QPen(shade, width))
        painter.drawEllipse(here, _RING, _RING)
    painter.setPen(QPen(ground, 1.5))
    painter.setBrush(colour)
    painter.drawEllipse(here, 3, 3)


def paint_halo(painter: QPainter, here: QPointF, radius: float, colours: Colours) -> None:
    """Paint a thin ring around the point under the pointer."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for width, shade in ((4.0, colours.surface), (2.0, colours.text)):
        painter.setPen(QPen(QColor(shade), width))
        painter.drawEllipse(here, radius + 2, radius + 2)


def paint_trail(painter: QPainter, camera: Camera, trail: Sequence[Place], colours: Colours) -> None:
    """Paint the way that was walked."""
    if len(trail) < 2:
        return
    way = [QPointF(*camera.to_pixels(x, y)) for x, y in trail]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for width, shade, alpha in ((5.0, colours.surface, 0.8), (2.0, colours.edited, 0.9)):
        colour = QColor(shade)
        colour.setAlphaF(alpha)
        painter.setPen(
            QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        )
        painter.drawPolyline(way)
    painter.setPen(QPen(QColor(colours.surface), 1.5))
    painter.setBrush(QColor(colours.edited))
    painter.drawEllipse(way[0], 3.5, 3.5)


def paint_lasso(
    painter: QPainter, camera: Camera, corners: Sequence[Place], tip: Place | None, colours: Colours
) -> None:
    """Paint the lasso as far as it has been drawn, and the cross that keys move."""
    accent = QColor(colours.accent)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    points = [QPointF(*camera.to_pixels(x, y)) for x, y in corners]
    if tip is not None:
        here = QPointF(*camera.to_pixels(*tip))
        points = [*points, here] if points else []
    if len(points) > 1:
        path = QPainterPath()
        path.addPolygon(QPolygonF(points))
        inside = QColor(accent)
        inside.setAlphaF(0.12)
        painter.fillPath(path, inside)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(accent, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawPath(path)
        painter.setPen(QPen(accent, 1.5, Qt.PenStyle.DashLine))
        painter.drawLine(points[-1], points[0])
    if tip is not None:
        for width, shade in ((4.0, QColor(colours.surface)), (1.5, accent)):
            painter.setPen(QPen(shade, width))
            painter.drawLine(here - QPointF(8, 0), here + QPointF(8, 0))
            painter.drawLine(here - QPointF(0, 8), here + QPointF(0, 8))
        painter.setPen(QPen(QColor(colours.surface), 1))
        painter.setBrush(accent)
        for point in points[:-1]:
            painter.drawEllipse(point, 3, 3)


def _paint_arrow(painter: QPainter, room: QRectF, towards: QPointF, colour: QColor, ground: QColor) -> None:
    middle = room.center()
    way = towards - middle
    half = QSizeF(room.width() / 2, room.height() / 2)
    share = min(
        half.width() / abs(way.x()) if way.x() else math.inf,
        half.height() / abs(way.y()) if way.y() else math.inf,
    )
    painter.save()
    painter.translate(middle + way * share)
    painter.rotate(math.degrees(math.atan2(way.y(), way.x())))
    painter.setPen(QPen(ground, 2))
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([QPointF(10, 0), QPointF(-5, -7), QPointF(-5, 7)]))
    painter.restore()
