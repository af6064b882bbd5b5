"""The difference of two pictures, as a picture: where one became lighter or darker, and how much."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FULL = 96.0
"""A difference of so many of 255 is shown in full colour; larger ones look the same."""

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)
DARKER: Colour = (33, 102, 172)
LIGHTER: Colour = (178, 24, 43)


def difference_picture(
    before: NDArray[np.uint8],
    after: NDArray[np.uint8],
    ground: Colour = WHITE,
    darker: Colour = DARKER,
    lighter: Colour = LIGHTER,
) -> NDArray[np.uint8]:
    """Return the signed difference of two RGB pictures, uint8 ``[S, S, 3]``.

    How strongly a pixel is coloured is its mean absolute difference over the channels, in full at `FULL`;
    which colour says whether it became lighter or darker (luminance by Rec. 709). What did not change has
    the ground's colour.
    """
    change = after.astype(np.float32) - before.astype(np.float32)
    strength = np.minimum(np.abs(change).mean(-1) / FULL, 1.0)[..., None]
    rises = (change @ np.array([0.2126, 0.7152, 0.0722], dtype=np.float32) >= 0)[..., None]
    still = np.asarray(ground, dtype=np.float32)
    towards = np.where(rises, np.asarray(lighter, dtype=np.float32), np.asarray(darker, dtype=np.float32))
    shown: NDArray[np.uint8] = np.rint(still + strength * (towards - still)).astype(np.uint8)
    return shown
