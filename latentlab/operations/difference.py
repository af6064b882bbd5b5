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
    threshold: float = 0.0,
) -> NDArray[np.uint8]:
    """Return the signed difference of two RGB pictures, uint8 ``[S, S, 3]``.

    How strongly a pixel is coloured is its mean absolute difference over the channels, in full at `FULL`;
    which colour says whether it became lighter or darker (luminance by Rec. 709). What did not change, or
    by less than ``threshold`` of 255, has the ground's colour.
    """
    change = after.astype(np.float32) - before.astype(np.float32)
    amount = np.abs(change).mean(-1)
    strength = np.where(amount >= threshold, np.minimum(amount / FULL, 1.0), 0.0)[..., None]
    rises = (change @ np.array([0.2126, 0.7152, 0.0722], dtype=np.float32) >= 0)[..., None]
    still = np.asarray(ground, dtype=np.float32)
    towards = np.where(rises, np.asarray(lighter, dtype=np.float32), np.asarray(darker, dtype=np.float32))
    shown: NDArray[np.uint8] = np.rint(still + strength * (towards - still)).astype(np.uint8)
    return shown


def differing(
    before: NDArray[np.uint8], after: NDArray[np.uint8], threshold: float = 0.0
) -> NDArray[np.bool_]:
    """Return which pixels of two RGB pictures differ by ``threshold`` of 255 or more, and at all: ``[S, S]``.

    What counts is the mean absolute difference over the channels.
    """
    amount = np.abs(after.astype(np.float32) - before.astype(np.float32)).mean(-1)
    return np.asarray((amount > 0.0) & (amount >= threshold))
