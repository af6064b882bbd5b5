"""A session's small picture, as text."""

from __future__ import annotations

import base64

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt

from latentlab.ui.incoming import png_of
from latentlab.ui.widgets.picture_view import image_of

SIDE = 96
"""The most pixels of a side."""


def preview_text(pixels: NDArray[np.uint8] | None) -> str:
    """Return a picture, uint8 BGRX ``[S, S, 4]``, as the base64 text of a small PNG; empty for none."""
    if pixels is None or not pixels.size:
        return ""
    picture = image_of(pixels)
    if max(picture.width(), picture.height()) > SIDE:
        ways = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        picture = picture.scaled(SIDE, SIDE, *ways)
    return base64.b64encode(png_of(picture)).decode()
