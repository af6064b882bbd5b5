"""What the model will see of a square: at once from the reduced picture, and exactly when it rests."""

from __future__ import annotations

from contextlib import suppress
from threading import Thread

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from latentlab.data.pictures import square_picture
from latentlab.ui.widgets.crop_square import Square

AT_ONCE = 1200
"""The largest side that is cut out exactly while the square moves: it takes some milliseconds."""
REST_MS = 120


def cut(picture: NDArray[np.uint8], crop: tuple[int, int, int], size: int) -> NDArray[np.uint8]:
    """Return the square of a picture at the model's size, uint8 ``[size, size, 3]``."""
    left, top, side = crop
    return square_picture(picture[top : top + side, left : left + side], size)


class CropPreview(QObject):
    """Makes the pictures; `ready` tells each, uint8 ``[size, size, 3]``, and whether it is exact.

    Parameters
    ----------
    picture
        Uint8 ``[H, W, 3]``.
    overview
        The same, reduced if it is huge.
    size
        The model's size.
    """

    ready = Signal(object, bool)
    _done = Signal(object, object)

    def __init__(
        self, picture: NDArray[np.uint8], overview: NDArray[np.uint8], size: int, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._picture, self._overview, self._size = picture, overview, size
        self._wanted: Square | None = None
        self._thread: Thread | None = None
        self._done.connect(self._take, Qt.ConnectionType.QueuedConnection)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._cut)

    def show(self, square: Square) -> None:
        """Make the picture of a square."""
        self._wanted = square
        if square.side <= AT_ONCE or self._overview.shape == self._picture.shape:
            self._rest.stop()
            self.ready.emit(cut(self._picture, square.crop, self._size), True)
            return
        height, width = self._overview.shape[:2]
        across, down = width / square.width, height / square.height
        side = max(1, round(square.side * min(across, down)))
        left = min(round(square.left * across), width - side)
        top = min(round(square.top * down), height - side)
        self.ready.emit(cut(self._overview, (left, top, side), self._size), False)
        self._rest.start()

    def end(self) -> None:
        """Make no more pictures, and wait for the one that is being made: half a second at most."""
        self._rest.stop()
        self._wanted = None
        if self._thread is not None:
            self._thread.join()

    def _cut(self) -> None:
        if self._wanted is not None and self._thread is None:
            arguments = (self._picture, self._wanted, self._size)
            self._thread = Thread(target=self._work, args=arguments, name="latentlab-crop", daemon=True)
            self._thread.start()

    def _work(self, picture: NDArray[np.uint8], square: Square, size: int) -> None:
        """Cut a large square out in a thread; the window goes on meanwhile."""
        pixels = cut(picture, square.crop, size)
        with suppress(RuntimeError):  # the window may be gone
            self._done.emit(square, pixels)

    def _take(self, square: object, pixels: object) -> None:
        self._thread = None
        if square == self._wanted:
            self.ready.emit(pixels, True)
        elif not self._rest.isActive():
            self._cut()
