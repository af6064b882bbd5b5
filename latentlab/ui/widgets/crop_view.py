"""The whole picture with the square on it: to drag, to draw larger or smaller, to move by keys."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from latentlab.ui.theme import Theme
from latentlab.ui.widgets.crop_square import Square
from latentlab.ui.widgets.picture_view import bgrx, image_of

MARGIN, GRIP = 16, 10
"""Room around the picture, and how near a corner one must press to take it, in pixels."""
FACE = QRectF(0.2, 0.08, 0.6, 0.8)
"""Where a face usually stands in the square, as shares of its side."""

_MOST_REDUCED = 2400
_DIM = 150
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_SIZES = {
    Qt.Key.Key_Plus: 1.02,
    Qt.Key.Key_Equal: 1.02,
    Qt.Key.Key_Minus: 1 / 1.02,
    Qt.Key.Key_PageUp: 1.1,
    Qt.Key.Key_PageDown: 1 / 1.1,
}


def reduced(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture of at most a screen's size: areas of a huge one averaged, a small one as it is."""
    factor = -(-max(picture.shape[:2]) // _MOST_REDUCED)
    if factor == 1:
        return np.ascontiguousarray(picture)
    factors = tuple(min(factor, side) for side in picture.shape[1::-1])
    return np.array(Image.fromarray(np.ascontiguousarray(picture)).reduce(factors))


class CropView(QWidget):
    """Shows a picture, dark outside the square; `asked` tells the square that a person wants.

    Parameters
    ----------
    overview
        The picture, uint8 ``[h, w, 3]``, reduced if it is huge.
    square
        The square in the picture's own pixels.
    """

    asked = Signal(object)

    def __init__(
        self, overview: NDArray[np.uint8], square: Square, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._overview, self._square, self._theme = bgrx(overview), square, theme
        self._scaled: QImage | None = None
        self._guides = True
        self._ring = False
        self._corner: tuple[bool, bool] | None = None
        self._taken: tuple[QPointF, Square] | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Square in the picture")
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(560, 480)

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which one can aim."""
        return QSize(320, 240)

    def show_square(self, square: Square) -> None:
        """Show another square."""
        self._square = square
        self.setAccessibleDescription(f"Left {square.left}, top {square.top}, side {square.side} pixels")
        self.update()

    def set_guides(self, shown: bool) -> None:
        """Show thirds and the place of a face inside the square, or not."""
        self._guides = shown
        self.update()

    def picture_area(self) -> QRectF:
        """Return where the whole picture is painted: as large as fits, enlarged 8 times at most."""
        width, height = self._square.width, self._square.height
        room_x, room_y = self.width() - 2 * MARGIN, self.height() - 2 * MARGIN
        scale = max(1e-9, min(room_x / width, room_y / height, 8.0))
        across, down = max(1, round(width * scale)), max(1, round(height * scale))
        return QRectF((self.width() - across) // 2, (self.height() - down) // 2, across, down)

    def square_area(self) -> QRectF:
        """Return where the square is painted."""
        area, square = self.picture_area(), self._square
        across, down = area.width() / square.width, area.height() / square.height
        return QRectF(
            area.left() + square.left * across,
            area.top() + square.top * down,
            square.side * across,
            square.side * down,
        )

    # The pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take a corner or the square; a press elsewhere on the picture brings the square there."""
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        at = event.position()
        self._corner = self._corner_at(at)
        if self._corner is None and not self._holds(at):
            if not self.picture_area().contains(at):
                return
            self.asked.emit(self._square.centred_on(*self._in_picture(at)))
        self._taken = (at, self._square)
        self._follow(at)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move what was taken."""
        at = event.position()
        if self._taken is None:
            self._follow(at)
            return
        began, square = self._taken
        (x0, y0), (x1, y1) = self._in_picture(began), self._in_picture(at)
        if self._corner is None:
            self.asked.emit(square.moved(x1 - x0, y1 - y0))
            return
        right, lower = self._corner
        corner_x, corner_y = square.left + right * square.side, square.top + lower * square.side
        self.asked.emit(square.with_corner(right, lower, corner_x + x1 - x0, corner_y + y1 - y0))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._taken = self._corner = None
            self._follow(event.position())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Make the square larger or smaller around the pointer, or its middle where that is elsewhere."""
        turned = event.angleDelta().y()
        if turned and self._taken is None:
            square = self._square
            x, y = self._in_picture(event.position())
            x, y = (x - square.left) / square.side, (y - square.top) / square.side
            inside = 0 <= x <= 1 and 0 <= y <= 1
            self._resize(1.08 ** (turned / 120), *((x, y) if inside else (0.5, 0.5)))
        event.accept()

    # The keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move by arrows (a hundredth of the side, a pixel with Shift), + and - and pages for the size."""
        key, square = Qt.Key(event.key()), self._square
        if key in _ARROWS:
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            step = 1 if shift else max(1, round(square.side / 100))
            dx, dy = _ARROWS[key]
            self.asked.emit(square.moved(dx * step, dy * step))
        elif key in _SIZES:
            self._resize(_SIZES[key], 0.5, 0.5)
        elif key == Qt.Key.Key_Home:
            self.asked.emit(Square.largest(square.width, square.height))
        else:
            event.ignore()

    def _resize(self, factor: float, x: float, y: float) -> None:
        """Ask for another size, by at least a pixel."""
        square = self._square
        side = round(square.side * factor)
        if side == square.side:
            side += 1 if factor > 1 else -1
        self.asked.emit(square.resized(side, x, y))

    # Painting

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Scale the picture anew at the next paint."""
        self._scaled = None

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that the keys move the square."""
        self._ring = event.reason() != Qt.FocusReason.MouseFocusReason
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show that they do not."""
        self._ring = False
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture from its copy at this size, then the dark, the guides and the square."""
        area, square = self.picture_area(), self.square_area()
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("sunken"))
        painter.drawImage(area.topLeft(), self._picture(area))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        outside = QPainterPath()
        outside.setFillRule(Qt.FillRule.OddEvenFill)
        outside.addRect(area)
        outside.addRect(square)
        painter.fillPath(outside, QColor(0, 0, 0, _DIM))
        if self._guides and square.width() >= 48:
            self._paint_guides(painter, square)
        _paint_square(painter, square, self._theme.colour("accent"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        width = 2 if self._ring else 1
        painter.setPen(QPen(self._theme.colour("accent" if self._ring else "line"), width))
        half = width // 2
        painter.drawRect(self.rect().adjusted(half, half, -width + half, -width + half))
        painter.end()

    def _picture(self, area: QRectF) -> QImage:
        scale = self.devicePixelRatioF()
        size = QSize(round(area.width() * scale), round(area.height() * scale))
        if self._scaled is None or self._scaled.size() != size:
            enlarged = size.width() > 3 * self._overview.shape[1]
            mode = (
                Qt.TransformationMode.FastTransformation  # shows the pixels, where they are few
                if enlarged
                else Qt.TransformationMode.SmoothTransformation
            )
            self._scaled = image_of(self._overview).scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, mode)
            self._scaled.setDevicePixelRatio(scale)
        return self._scaled

    def _paint_guides(self, painter: QPainter, square: QRectF) -> None:
        path = QPainterPath()
        for third in (1 / 3, 2 / 3):
            x, y = square.left() + third * square.width(), square.top() + third * square.height()
            path.moveTo(x, square.top())
            path.lineTo(x, square.bottom())
            path.moveTo(square.left(), y)
            path.lineTo(square.right(), y)
        face = QPainterPath()
        face.addEllipse(
            square.left() + FACE.left() * square.width(),
            square.top() + FACE.top() * square.height(),
            FACE.width() * square.width(),
            FACE.height() * square.height(),
        )
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for line, strength in ((path, 90), (face, 170)):
            painter.setPen(QPen(QColor(0, 0, 0, strength // 2), 2.5))
            painter.drawPath(line)
            painter.setPen(QPen(QColor(255, 255, 255, strength), 1))
            painter.drawPath(line)

    # Where things are

    def _in_picture(self, at: QPointF) -> tuple[float, float]:
        area = self.picture_area()
        return (
            (at.x() - area.left()) * self._square.width / area.width(),
            (at.y() - area.top()) * self._square.height / area.height(),
        )

    def _corner_at(self, at: QPointF) -> tuple[bool, bool] | None:
        """Return which corner is near (right, lower); a tiny square is taken whole from its inside."""
        square = self.square_area()
        if square.width() < 3 * GRIP and square.contains(at):
            return None
        for right in (False, True):
            for lower in (False, True):
                x, y = square.right() if right else square.left(), square.bottom() if lower else square.top()
                if abs(at.x() - x) <= GRIP and abs(at.y() - y) <= GRIP:
                    return right, lower
        return None

    def _holds(self, at: QPointF) -> bool:
        return self.square_area().adjusted(-2, -2, 2, 2).contains(at)

    def _follow(self, at: QPointF) -> None:
        """Let the pointer look like what a drag would do."""
        corner = self._corner if self._taken is not None else self._corner_at(at)
        if corner is not None:
            same = corner[0] == corner[1]
            self.setCursor(Qt.CursorShape.SizeFDiagCursor if same else Qt.CursorShape.SizeBDiagCursor)
        elif self._taken is not None or self._holds(at):
            self.setCursor(Qt.CursorShape.SizeAllCursor)
        else:
            self.setCursor(Qt.CursorShape.ArrowCursor)


def _paint_square(painter: QPainter, square: QRectF, accent: QColor) -> None:
    """Paint the square's edge and its four corners, white in black so that they show on any picture."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(0, 0, 0, 120), 3))
    painter.drawRect(square)
    painter.setPen(QPen(QColor(255, 255, 255), 1.5))
    painter.drawRect(square)
    side = 5.0 if square.width() >= 3 * GRIP else 3.0
    painter.setPen(QPen(QColor(255, 255, 255), 1.5))
    painter.setBrush(accent)
    for corner in (square.topLeft(), square.topRight(), square.bottomLeft(), square.bottomRight()):
        painter.drawRoundedRect(QRectF(corner.x() - side, corner.y() - side, 2 * side, 2 * side), 2, 2)
