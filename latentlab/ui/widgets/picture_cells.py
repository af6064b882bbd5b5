"""Many small pictures, painted straight from the bytes of one batch: what the grid and the strip share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QImage, QPainter

from latentlab.ui.widgets.picture_view import image_of


class PictureCells:
    """A batch as images that share its bytes; keeps the array for as long as itself.

    A picture that shrinks to less than half is halved first, once: painting reads two by two of its
    pixels for each of the screen's, and would leave the others out.

    Parameters
    ----------
    pixels
        Uint8 ``[B, S, S, 4]``, BGRX.
    """

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self.pixels = np.ascontiguousarray(pixels)
        self._images = [image_of(picture) for picture in self.pixels]
        self._halved: dict[tuple[int, int], QImage] = {}

    def __len__(self) -> int:
        return len(self._images)

    def paint(self, painter: QPainter, index: int, target: QRect, smooth: bool = True) -> None:
        """Paint one picture into a square.

        ``smooth`` says whether to smooth between the pixels of a picture that is enlarged; shrunken ones
        are always smoothed, their pixels cannot be told apart anyhow.
        """
        side = max(1, round(target.width() * painter.device().devicePixelRatioF()))
        image = self._images[index]
        while image.width() > 2 * side:
            image = self._half(index, image)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth or image.width() > side)
        painter.drawImage(target, image)

    def _half(self, index: int, image: QImage) -> QImage:
        key = (index, image.width())
        if key not in self._halved:
            half = QImage(QSize(image.width() // 2, image.height() // 2), QImage.Format.Format_RGB32)
            painter = QPainter(half)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(half.rect(), image)
            painter.end()
            self._halved[key] = half
        return self._halved[key]
