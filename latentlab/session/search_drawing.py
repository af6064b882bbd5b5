"""Drawing a small picture pixel by pixel: lines of a square pen, and filling what is of one colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentlab.operations.painting import Colour, Place

Pixels = NDArray[np.uint8]
GREY: Colour = (128, 128, 128)


def blank(side: int, colour: Colour = GREY) -> Pixels:
    """Return a small picture of one colour, uint8 ``[side, side, 3]``."""
    return np.full((side, side, 3), colour, dtype=np.uint8)


def line(picture: Pixels, start: Place, end: Place, colour: Colour, size: int = 1) -> Pixels:
    """Draw from one place to another with a square pen.

    Parameters
    ----------
    picture
        Uint8 ``[side, side, 3]``.
    start, end
        ``(x, y)`` in pixels from the upper left corner; what lies outside is left out.
    size
        The pen's side in pixels.

    Returns
    -------
    numpy.ndarray
        The picture with the line, uint8 ``[side, side, 3]``.
    """
    drawn = picture.copy()
    height, width = drawn.shape[:2]
    (x0, y0), (x1, y1) = (tuple(int(np.floor(one)) for one in place) for place in (start, end))
    count = max(abs(x1 - x0), abs(y1 - y0)) + 1
    back = (size - 1) // 2
    for x, y in zip(np.linspace(x0, x1, count).round(), np.linspace(y0, y1, count).round(), strict=True):
        left, top = int(x) - back, int(y) - back
        right, bottom = min(width, left + size), min(height, top + size)
        drawn[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = colour
    return drawn


def fill(picture: Pixels, place: Place, colour: Colour) -> Pixels:
    """Fill what hangs together with the pixel at a place and has its colour; uint8 ``[side, side, 3]``."""
    height, width = picture.shape[:2]
    column, row = (int(np.floor(one)) for one in place)
    if not (0 <= row < height and 0 <= column < width):
        return picture
    same = (picture == picture[row, column]).all(axis=2)
    reached = np.zeros_like(same)
    reached[row, column] = True
    while True:
        grown = reached.copy()
        grown[1:] |= reached[:-1]
        grown[:-1] |= reached[1:]
        grown[:, 1:] |= reached[:, :-1]
        grown[:, :-1] |= reached[:, 1:]
        grown &= same
        if (grown == reached).all():
            break
        reached = grown
    filled = picture.copy()
    filled[reached] = colour
    return filled


def resampled(picture: Pixels, side: int) -> Pixels:
    """Return a drawing at another side, each pixel from the place that its middle had."""
    places = ((np.arange(side) + 0.5) * picture.shape[0] / side).astype(np.int64)
    return np.ascontiguousarray(picture[places][:, places])
