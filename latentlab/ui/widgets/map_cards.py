"""What lies over the points of the map on small translucent cards: legend, axes, thumbnail, progress."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QLinearGradient, QPainter, QPen

from latentlab.ui.theme import Colours
from latentlab.ui.widgets.bars_painter import small_font, strong_font
from latentlab.ui.widgets.map_colours import STEPS, Colouring, palette

EDGE = 12
"""How far cards stay from the edge."""
THUMBNAIL, CLEARANCE = 96, 20
"""Side of a thumbnail, and how far it stays from the pointer: an arrow's own length."""
_ROW, _HEAD, _RAMP, _SWATCH, _PADDING, _MOST = 20, 24, 36, 9, 12, 208
_MIDDLE_LEFT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
_MIDDLE_RIGHT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """The picture of a point and what is said of it, one line or several."""

    index: int
    image: QImage
    text: str


def paint_card(painter: QPainter, area: QRectF, colours: Colours, opacity: float = 0.88) -> None:
    """Paint the ground of a card."""
    ground = QColor(colours.surface)
    ground.setAlphaF(opacity)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(colours.line), 1))
    painter.setBrush(ground)
    painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)


def legend_area(colouring: Colouring, note: str, room: QSizeF, font: QFont) -> QRectF:
    """Return where the legend stands, at the top left; nowhere if it has nothing to say, or no room."""
    if not colouring.entries and not colouring.ramp and not note:
        return QRectF()
    title, labels = QFontMetricsF(strong_font(font)), QFontMetricsF(small_font(font))
    names = max((labels.horizontalAdvance(entry.label) for entry in colouring.entries), default=0.0)
    inner = max(
        _SWATCH + 8 + names + 16 + _numbers(colouring, labels), title.horizontalAdvance(colouring.title)
    )
    if colouring.ramp:
        ends = labels.horizontalAdvance(colouring.low) + labels.horizontalAdvance(colouring.high) + 24
        inner = max(inner, 128.0, ends)
    inner = max(inner, labels.horizontalAdvance(note))
    inner = min(inner, _MOST - 1, room.width() / 2 - 2 * _PADDING)
    head = (
        (_HEAD if colouring.title else 0) + (_RAMP if colouring.ramp else 0) + (_ROW + 4 if note else 0) + 16
    )
    rows = max(0, min(len(colouring.entries), int((room.height() - 2 * EDGE - head) // _ROW)))
    if inner < 56 or (not rows and not colouring.ramp and not note):
        return QRectF()
    return QRectF(EDGE, EDGE, inner + 1 + 2 * _PADDING, head + rows * _ROW)


def paint_legend(
    painter: QPainter,
    colouring: Colouring,
    note: str,
    room: QSizeF,
    colours: Colours,
    dark: bool,
    font: QFont,
) -> None:
    """Paint which colour stands for what, and a note; entries for which there is no room are left out."""
    area = legend_area(colouring, note, room, font)
    if area.isEmpty():
        return
    small = small_font(font)
    labels = QFontMetricsF(small)
    numbers = _numbers(colouring, labels)
    paint_card(painter, area, colours)
    shades = palette(colouring.ramp, colours, dark)
    x, y = area.left() + _PADDING, area.top() + 8
    inner = area.width() - 2 * _PADDING
    if colouring.title:
        strong = strong_font(font)
        painter.setFont(strong)
        painter.setPen(QColor(colours.text))
        shown = QFontMetricsF(strong).elidedText(colouring.title, Qt.TextElideMode.ElideRight, inner)
        painter.drawText(QRectF(x, y, inner, _ROW), _MIDDLE_LEFT, shown)
        y += _HEAD
    painter.setFont(small)
    if colouring.ramp:
        _paint_ramp(painter, QRectF(x, y + 2, inner, 8), shades)
        painter.setPen(QColor(colours.muted))
        ends = QRectF(x, y + 12, inner, _ROW)
        painter.drawText(ends, _MIDDLE_LEFT, colouring.low)
        painter.drawText(ends, _MIDDLE_RIGHT, colouring.high)
        y += _RAMP
    for entry in colouring.entries:
        if y + _ROW * (2 if note else 1) > area.bottom():
            break
        line = QRectF(x, y, inner, _ROW)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shades[entry.slot])
        painter.drawEllipse(QRectF(x, y + (_ROW - _SWATCH) / 2, _SWATCH, _SWATCH))
        painter.setPen(QColor(colours.text))
        space = inner - _SWATCH - 8 - 12 - numbers
        shown = labels.elidedText(entry.label, Qt.TextElideMode.ElideRight, space + 1)
        painter.drawText(line.adjusted(_SWATCH + 8, 0, 0, 0), _MIDDLE_LEFT, shown)
        painter.setPen(QColor(colours.muted))
        painter.drawText(line, _MIDDLE_RIGHT, f"{entry.count:,}")
        y += _ROW
    if note:
        painter.setPen(QColor(colours.muted))
        shown = labels.elidedText(note, Qt.TextElideMode.ElideRight, inner)
        painter.drawText(QRectF(x, y + 4, inner, _ROW), _MIDDLE_LEFT, shown)


def paint_axes(
    painter: QPainter, names: tuple[str, str], room: QSizeF, colours: Colours, font: QFont
) -> None:
    """Paint what the axes are: x along the lower edge, y along the left one, read from below."""
    small = small_font(font)
    metrics = QFontMetricsF(small)
    painter.setFont(small)
    for name, length, turned in ((names[0], room.width(), False), (names[1], room.height(), True)):
        if not name:
            continue
        shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, length - 96)
        width = metrics.horizontalAdvance(shown) + 16
        painter.save()
        if turned:
            painter.translate(0, room.height())
            painter.rotate(-90)
        top = 8 if turned else room.height() - 28
        plate = QRectF((length - width) / 2, top, width, 20)
        ground = QColor(colours.surface)
        ground.setAlphaF(0.8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(plate, 4, 4)
        painter.setPen(QColor(colours.muted))
        painter.drawText(plate, _CENTRE, shown)
        painter.restore()


def place_beside(anchor: QPointF, size: QSizeF, room: QSizeF) -> QRectF | None:
    """Return where a card of a size stands beside a point: inside the room, never over the point.

    To the right if it fits there, else to the left, below or above; None where there is no room at all.
    """
    least, far_x, far_y = 4.0, room.width() - size.width() - 4, room.height() - size.height() - 4
    if far_x < least or far_y < least:
        return None
    along_x = min(max(anchor.x() - size.width() / 2, least), far_x)
    along_y = min(max(anchor.y() - size.height() / 2, least), far_y)
    for x, y in (
        (anchor.x() + CLEARANCE, along_y),
        (anchor.x() - CLEARANCE - size.width(), along_y),
        (along_x, anchor.y() + CLEARANCE),
        (along_x, anchor.y() - CLEARANCE - size.height()),
    ):
        if least <= x <= far_x and least <= y <= far_y:
            return QRectF(QPointF(x, y), size)
    return None


def paint_thumbnail(
    painter: QPainter, thumbnail: Thumbnail, anchor: QPointF, room: QSizeF, colours: Colours, font: QFont
) -> QRectF | None:
    """Paint a point's picture on a card beside the pointer; return where, None where there is no room."""
    small = small_font(font)
    metrics = QFontMetricsF(small)
    lines = thumbnail.text.splitlines()
    longest = max((metrics.horizontalAdvance(line) for line in lines), default=0.0)
    picture = 0 if thumbnail.image.isNull() else THUMBNAIL
    inner = min(max(longest + 1, picture, 48), 2 * THUMBNAIL)
    gap = 6 if picture and lines else 0
    size = QSizeF(inner + 16, 16 + picture + gap + 18 * len(lines))
    area = place_beside(anchor, size, room)
    if area is None:
        return None
    paint_card(painter, area, colours, 0.97)
    y = area.top() + 8
    if picture:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        target = QRectF(area.left() + 8, y, THUMBNAIL, THUMBNAIL)
        painter.drawImage(target, thumbnail.image)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(colours.line), 1))
        painter.drawRect(target.adjusted(0.5, 0.5, -0.5, -0.5))
        y += picture + gap
    painter.setFont(small)
    for k, line in enumerate(lines):
        painter.setPen(QColor(colours.muted if k else colours.text))
        shown = metrics.elidedText(line, Qt.TextElideMode.ElideRight, inner + 1)
        painter.drawText(QRectF(area.left() + 8, y, inner + 1, 18), _MIDDLE_LEFT, shown)
        y += 18
    return area


def paint_progress(
    painter: QPainter,
    text: str,
    share: float | None,
    room: QSizeF,
    lone: bool,
    colours: Colours,
    font: QFont,
) -> None:
    """Paint how far the work has come, in ``[0, 1]``: in the middle, or over points at the top right.

    None paints the text alone, without a bar.
    """
    metrics = QFontMetricsF(font)
    width, height = min(240.0, room.width() - 48), 36 if share is None else 48
    if lone:
        line = QRectF((room.width() - width) / 2, room.height() / 2 - 24, width, 20)
        flags = _CENTRE
    else:
        line = QRectF(room.width() - EDGE - _PADDING - width, EDGE + 8, width, 20)
        paint_card(painter, QRectF(line.left() - _PADDING, EDGE, width + 2 * _PADDING, height), colours)
        flags = _MIDDLE_LEFT
    painter.setFont(font)
    painter.setPen(QColor(colours.muted if lone else colours.text))
    painter.drawText(line, flags, metrics.elidedText(text, Qt.TextElideMode.ElideRight, width))
    if share is None:
        return
    track = QRectF(line.left(), line.bottom() + (12 if lone else 4), width, 4)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colours.sunken))
    painter.drawRoundedRect(track, 2, 2)
    painter.setBrush(QColor(colours.accent))
    track.setWidth(max(4.0, width * min(1.0, max(0.0, share))))
    painter.drawRoundedRect(track, 2, 2)


def paint_nothing(painter: QPainter, text: str, room: QSizeF, colours: Colours, font: QFont) -> None:
    """Say in the middle why there are no points."""
    painter.setFont(font)
    painter.setPen(QColor(colours.muted))
    width = min(420.0, room.width() - 48)
    area = QRectF((room.width() - width) / 2, 0, width, room.height())
    painter.drawText(area, _CENTRE | int(Qt.TextFlag.TextWordWrap), text)


def _numbers(colouring: Colouring, labels: QFontMetricsF) -> float:
    """Return the width that the counts take."""
    return max((labels.horizontalAdvance(f"{entry.count:,}") for entry in colouring.entries), default=0.0)


def _paint_ramp(painter: QPainter, area: QRectF, shades: list[QColor]) -> None:
    gradient = QLinearGradient(area.topLeft(), area.topRight())
    for k in range(0, STEPS, 7):
        gradient.setColorAt(k / (STEPS - 1), shades[k])
    gradient.setColorAt(1.0, shades[STEPS - 1])
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(gradient)
    painter.drawRoundedRect(area, 4, 4)
