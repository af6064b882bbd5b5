"""The picture inside a saved session: its file as base64 text, from which the same pixels come back."""

from __future__ import annotations

import base64
import io
import threading
from collections import deque

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import ImageError

MOST_FOR_PNG = 4_000_000
"""Pictures of more pixels are kept as lossless WebP, which is smaller and soon made."""

_WEBP_SIDE = 16_383


class PictureTexts:
    """Turns pictures into text, and remembers the last few, so that saving again costs nothing.

    A picture is known by its array, which must not be written to. Safe between threads.

    Parameters
    ----------
    kept
        How many pictures (and their texts) are held.
    """

    def __init__(self, kept: int = 2) -> None:
        self._known: deque[tuple[NDArray[np.uint8], str]] = deque(maxlen=kept)
        self._lock = threading.Lock()

    def text(self, picture: NDArray[np.uint8]) -> str:
        """Return a picture uint8 ``[H, W, 3]`` as the base64 text of a PNG or lossless WebP file."""
        with self._lock:
            for known, text in self._known:
                if known is picture:
                    return text
            text = picture_text(picture)
            self._known.append((picture, text))
            return text


def picture_text(picture: NDArray[np.uint8]) -> str:
    """Return a picture uint8 ``[H, W, 3]`` as the base64 text of a PNG or lossless WebP file."""
    from PIL import Image

    image, content = Image.fromarray(picture), io.BytesIO()
    if picture.shape[0] * picture.shape[1] <= MOST_FOR_PNG or max(picture.shape) > _WEBP_SIDE:
        image.save(content, "PNG", compress_level=3)
    else:
        image.save(content, "WEBP", lossless=True, quality=20, method=1)
    return base64.b64encode(content.getvalue()).decode("ascii")


def picture_of(text: str) -> NDArray[np.uint8]:
    """Return the picture of a text, uint8 ``[H, W, 3]``, not writable.

    Raises
    ------
    ImageError
        If the text is damaged or holds no picture.
    """
    from latentlab.data.pictures import read_picture_bytes

    try:
        content = base64.b64decode(text, validate=True)
    except ValueError:
        raise ImageError("it is not base64 text.") from None
    pixels = read_picture_bytes(content, "it").pixels
    pixels.setflags(write=False)
    return pixels
