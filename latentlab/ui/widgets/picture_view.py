"""One picture with its caption, painted straight from the bytes of a frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from latentlab.ui.theme import Theme

CAPTION = 26
"""Height of the line above the picture, in pixels."""


NARROW = 86
"""How narrow the letters of a title become, in percent, where it would not fit above its picture."""


def image_of(pixels: NDArray[np.uint8]) -> QImage:
    """Wrap uint8 ``[S, S, 4]``, BGRX, C-contiguous, as a QImage that shares the bytes.

    Keep the array for as long as the image.
    """
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)


def bgrx(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn uint8 ``[S, S, 3]``, RGB, into ``[S, S, 4]``, BGRX."""
    pixels = np.full((*picture.shape[:2], 4), 255, dtype=np.uint8)
    pixels[..., :3] = picture[..., ::-1]
    return pixels


WHOLE = QRectF(0.0, 0.0, 1.0, 1.0)
"""The part of a picture that is seen when it is not enlarged, in shares of its side."""


class PictureView(QWidget):
    """A square picture under a caption; without a picture it says why there is none.

    ``zoom_asked`` tells by how much the wheel was turned and over which point, ``pan_asked`` how far the
    picture was dragged (both in shares of the picture's side), ``whole_asked`` a double click.

    Parameters
    ----------
    title
        What the picture is.
    colour
        The name of its colour in the theme, which its bars have too.
    """

    painted = Signal(int)
    zoom_asked = Signal(float, QPointF)
    pan_asked = Signal(QPointF)
    whole_asked = Signal()

    def __init__(self, title: str, colour: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self._colour, self._theme = title, colour, theme
        self._detail = ""
        self._empty = ""
        self._image: QImage | None = None
        self._pixels: NDArray[np.uint8] | None = None
        self._generation = 0
        self.painted_generation = 0
        self.smooth = True
        self._part = QRectF(WHOLE)
        self.ground = "window"
        self._held: QPointF | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(f"{title} picture")
        theme.changed.connect(self.update)

    def minimumSizeHint(self) -> QSize:
        """Return the least size: a 64 px picture and its caption."""
        return QSize(64, 64 + CAPTION)

    @property
    def pixels(self) -> NDArray[np.uint8] | None:
        """What is shown, uint8 ``[S, S, 4]``, BGRX; None without a picture."""
        return self._pixels

    def show_frame(self, pixels: NDArray[np.uint8], generation: int = 0) -> None:
        """Show uint8 ``[S, S, 4]``, BGRX, at the next paint; `painted` then tells the generation."""
        self._pixels, self._image = pixels, image_of(pixels)
        self._generation = generation
        self.update(self.picture_area())

    def show_nothing(self, reason: str) -> None:
        """Show no picture, and say why."""
        self._pixels, self._image, self._empty = None, None, reason
        self._generation = 0
        self.update()

    def set_caption(self, title: str, detail: str = "") -> None:
        """Say above the picture what it is, and in a quieter voice where it comes from."""
        if (title, detail) != (self._title, self._detail):
            self._title, self._detail = title, detail
            self.setAccessibleName(f"{title} picture")
            self.setAccessibleDescription(detail)
            self.update()

    def show_part(self, part: QRectF) -> None:
        """Show only a part of the picture, in shares of its side, as large as the whole."""
        if part != self._part:
            self._part = QRectF(part)
            self.setCursor(Qt.CursorShape.ArrowCursor if part == WHOLE else Qt.CursorShape.OpenHandCursor)
            self.update(self.picture_area())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Ask to enlarge or reduce around the pointer."""
        turns = event.angleDelta().y() / 120.0
        if turns and self._image is not None:
            self.zoom_asked.emit(turns, self._share_at(event.position()))
            event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of an enlarged picture."""
        if event.button() == Qt.MouseButton.LeftButton and self._part != WHOLE:
            self._held = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        else:
            event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Ask to move an enlarged picture with the pointer."""
        if self._held is not None:
            step, side = event.position() - self._held, max(1, self.picture_area().width())
            self._held = event.position()
            self.pan_asked.emit(QPointF(step.x() / side, step.y() / side) * self._part.width())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go of it."""
        if self._held is not None:
            self._held = None
            self.setCursor(Qt.CursorShape.OpenHandCursor)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ask for the whole picture."""
        self.whole_asked.emit()

    def _share_at(self, point: QPointF) -> QPointF:
        area = QRectF(self.picture_area())
        return QPointF(
            self._part.x() + self._part.width() * (point.x() - area.x()) / max(1.0, area.width()),
            self._part.y() + self._part.height() * (point.y() - area.y()) / max(1.0, area.height()),
        )

    def picture_area(self) -> QRect:
        """Return the square in which the picture is painted."""
        side = min(self.width(), self.height() - CAPTION)
        return QRect((self.width() - side) // 2, CAPTION, side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint what the region needs: during a drag that is the picture alone."""
        painter = QPainter(self)
        area = self.picture_area()
        if not area.contains(event.rect()):
            painter.fillRect(event.rect(), self._theme.colour(self.ground))
            self._paint_caption(painter, area)
        if self._image is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.smooth)
            if self._part == WHOLE:
                painter.drawImage(area, self._image)
            else:
                side = self._image.width()
                part = QRectF(
                    self._part.x() * side,
                    self._part.y() * side,
                    self._part.width() * side,
                    self._part.height() * side,
                )
                painter.drawImage(QRectF(area), self._image, part)
        else:
            painter.fillRect(area, self._theme.colour("sunken"))
            painter.setFont(self.font())
            painter.setPen(self._theme.colour("muted"))
            margin = area.adjusted(12, 12, -12, -12)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(QRectF(margin), int(flags), self._empty)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(self._theme.colours.line), 1))
        painter.drawRect(area.adjusted(0, 0, -1, -1))
        painter.end()
        if self._image is not None:
            self.painted_generation = self._generation
            self.painted.emit(self._generation)

    def _paint_caption(self, painter: QPainter, area: QRect) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour(self._colour))
        painter.drawEllipse(QRectF(area.left() + 1, CAPTION / 2 - 6, 8, 8))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        strong = QFont(self.font())
        strong.setWeight(QFont.Weight.DemiBold)
        painter.setFont(strong)
        painter.setPen(self._theme.colour("text"))
        left = area.left() + 15
        if QFontMetrics(strong).horizontalAdvance(self._title) > area.right() - left:
            strong.setStretch(NARROW)
            painter.setFont(strong)
        metrics = QFontMetrics(strong)
        title = metrics.elidedText(self._title, Qt.TextElideMode.ElideRight, area.right() - left)
        width = metrics.horizontalAdvance(title)
        line = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(QRect(left, 0, area.right() - left, CAPTION - 4), int(line), title)
        rest = area.right() - left - width - 10
        if self._detail and rest > 48:
            painter.setFont(self.font())
            painter.setPen(self._theme.colour("muted"))
            text = QFontMetrics(self.font()).elidedText(self._detail, Qt.TextElideMode.ElideMiddle, rest)
            painter.drawText(QRect(left + width + 10, 0, rest, CAPTION - 4), int(line), text)
