"""One picture with its caption, painted straight from the bytes of a frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from latentlab.ui.theme import Theme

CAPTION = 26
"""Height of the line above the picture, in pixels."""


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


class PictureView(QWidget):
    """A square picture under a caption; without a picture it says why there is none.

    Parameters
    ----------
    title
        What the picture is.
    colour
        The name of its colour in the theme, which its bars have too.
    """

    painted = Signal(int)

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

    def picture_area(self) -> QRect:
        """Return the square in which the picture is painted."""
        side = min(self.width(), self.height() - CAPTION)
        return QRect((self.width() - side) // 2, CAPTION, side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint what the region needs: during a drag that is the picture alone."""
        painter = QPainter(self)
        area = self.picture_area()
        if not area.contains(event.rect()):
            painter.fillRect(event.rect(), self._theme.colour("window"))
            self._paint_caption(painter, area)
        if self._image is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.smooth)
            painter.drawImage(area, self._image)
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
