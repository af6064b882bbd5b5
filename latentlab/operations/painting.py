"""Painting on a picture: strokes of a brush, erasing, blurring, and moving a part of it; NumPy alone.

Places are ``(x, y)`` in pixels from the picture's upper left corner, so the middle of the first pixel is
``(0.5, 0.5)``. What a brush touches is its *cover*, float32 ``[H, W]`` from 0 to 1, by which the picture is
mixed with the brush's *ink*: one colour, or another picture of the same size. So a brush erases with the
original as its ink, and blurs with the blurred picture. Within one stroke the cover does not add up where the
way crosses itself, so a stroke depends on its way alone, not on how many steps it was drawn in.

Every function returns a new picture; what is covered wholly is the ink to the bit, and what is not covered
stays to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import SettingsError

Pixels = NDArray[np.uint8]
Cover = NDArray[np.float32]
Place = tuple[float, float]
Colour = tuple[int, int, int]

_RELAXATIONS = 120
"""How often what fills a hole is averaged with its neighbours."""
_BINS, _APART = 16, 36
"""Levels a channel by which colours are counted, and how far colours of `main_colours` are apart."""


@dataclass(frozen=True)
class Brush:
    """A round brush.

    Parameters
    ----------
    radius
        In pixels, more than 0.
    hardness
        From 0, whose edge is soft as far as the middle, to 1, whose edge is as sharp as pixels allow.
    """

    radius: float
    hardness: float = 0.8

    def __post_init__(self) -> None:
        if not self.radius > 0.0 or not 0.0 <= self.hardness <= 1.0:
            raise SettingsError(
                f"A brush has a radius above 0 and a hardness from 0 to 1; found {self.radius:g} and "
                f"{self.hardness:g}."
            )


class Covering:
    """What a brush has covered on its way: it does not add up where the way crosses itself.

    Attributes
    ----------
    cover
        Float32 ``[H, W]``, which `to` changes.
    """

    def __init__(self, height: int, width: int, brush: Brush) -> None:
        self.cover: Cover = np.zeros((height, width), dtype=np.float32)
        self._brush = brush
        self._last: Place | None = None

    def to(self, place: Place) -> tuple[slice, slice] | None:
        """Go on to a place (at first: a dab); return the rows and columns that may have changed."""
        start, self._last = self._last or place, place
        reach = self._brush.radius + 0.5
        height, width = self.cover.shape
        rows = _span(start[1], place[1], reach, height)
        columns = _span(start[0], place[0], reach, width)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return None
        there = self.cover[rows, columns]
        np.maximum(there, _cover(rows, columns, start, place, self._brush), out=there)
        return rows, columns


class Stroke:
    """A stroke on its way: `to` draws on to a place and returns the picture as it is then.

    Parameters
    ----------
    picture
        Uint8 ``[H, W, 3]``, on which the stroke begins.
    ink
        A colour ``(r, g, b)``, or uint8 ``[H, W, 3]``.
    """

    def __init__(self, picture: Pixels, brush: Brush, ink: Colour | Pixels) -> None:
        self._base = picture.astype(np.float32)
        self._ink = np.broadcast_to(np.asarray(ink, dtype=np.float32), picture.shape)
        self._covering = Covering(picture.shape[0], picture.shape[1], brush)
        self.picture = picture

    def to(self, place: Place) -> Pixels:
        """Draw from where the stroke is (at first: a dab) to a place; returns uint8 ``[H, W, 3]``."""
        touched = self._covering.to(place)
        if touched is not None:
            picture = self.picture.copy()
            picture[touched] = _mixed(self._base[touched], self._ink[touched], self._covering.cover[touched])
            self.picture = picture
        return self.picture


def stroke(picture: Pixels, places: Sequence[Place], brush: Brush, ink: Colour | Pixels) -> Pixels:
    """Draw a stroke through places on a picture; one place alone is a dab.

    Parameters
    ----------
    picture
        Uint8 ``[H, W, 3]``, RGB.
    ink
        A colour ``(r, g, b)``, or what else the brush brings, uint8 ``[H, W, 3]``.

    Returns
    -------
    numpy.ndarray
        Uint8 ``[H, W, 3]``.
    """
    drawn = Stroke(picture, brush, ink)
    for place in places:
        drawn.to(place)
    return drawn.picture


def erase(picture: Pixels, places: Sequence[Place], brush: Brush, original: Pixels) -> Pixels:
    """Bring back what was under a stroke: the original's pixels, uint8 ``[H, W, 3]``."""
    return stroke(picture, places, brush, original)


def blur(picture: Pixels, places: Sequence[Place], brush: Brush) -> Pixels:
    """Blur what is under a stroke; another stroke blurs it further."""
    return stroke(picture, places, brush, blurred(picture, brush))


def blurred(picture: Pixels, brush: Brush) -> Pixels:
    """Return a picture blurred as a brush does: by a Gaussian of a quarter of its radius, at least 0.8 px."""
    sigma = max(0.8, brush.radius / 4)
    reach = int(np.ceil(3 * sigma))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    found = picture.astype(np.float32)
    for axis in (0, 1):
        found = np.moveaxis(found, axis, 0)
        padded = np.pad(found, ((reach, reach), (0, 0), (0, 0)), mode="edge")
        blurring = np.zeros_like(found)
        for k, weight in enumerate(weights):
            blurring += weight * padded[k : k + len(found)]
        found = np.moveaxis(blurring, 0, axis)
    return _bytes(found)


def colour_at(picture: Pixels, place: Place) -> Colour:
    """Return the colour of the pixel at a place, the nearest one for places outside."""
    height, width = picture.shape[:2]
    column, row = (
        min(max(int(np.floor(at)), 0), most - 1) for at, most in zip(place, (width, height), strict=True)
    )
    red, green, blue = picture[row, column].tolist()
    return red, green, blue


def main_colours(picture: Pixels, count: int) -> list[Colour]:
    """Return the colours that take most of a picture, the most frequent first, none like another.

    Where the picture has fewer, there are fewer than ``count``.
    """
    pixels = picture.reshape(-1, 3)
    bins = pixels // (256 // _BINS)
    keys = (bins[:, 0].astype(np.int64) * _BINS + bins[:, 1]) * _BINS + bins[:, 2]
    found, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(inverse, pixels[:, k], len(found)) for k in range(3)], axis=1)
    means = sums / counts[:, None]
    chosen: list[NDArray[np.float64]] = []
    for place in np.argsort(-counts, kind="stable"):
        if len(chosen) == count:
            break
        if all(np.linalg.norm(means[place] - one) >= _APART for one in chosen):
            chosen.append(means[place])
    return [(int(r), int(g), int(b)) for r, g, b in np.rint(chosen).astype(int)] if chosen else []


@dataclass(frozen=True)
class Region:
    """A part of a picture: a rectangle, or the ellipse inside it.

    Parameters
    ----------
    left, top, right, bottom
        Edges in whole pixels; left < right and top < bottom. They may lie outside the picture.
    """

    left: int
    top: int
    right: int
    bottom: int
    shape: Literal["rectangle", "ellipse"] = "rectangle"

    def __post_init__(self) -> None:
        if self.left >= self.right or self.top >= self.bottom:
            raise SettingsError("A region is at least one pixel wide and high.")

    @classmethod
    def between(cls, one: Place, other: Place, shape: Literal["rectangle", "ellipse"]) -> Region:
        """Return the region of the pixels between two places, those under them included."""
        (left, right), (top, bottom) = (sorted((a, b)) for a, b in zip(one, other, strict=True))
        edges = [int(np.floor(left)), int(np.floor(top)), int(np.ceil(right)), int(np.ceil(bottom))]
        edges[2], edges[3] = max(edges[2], edges[0] + 1), max(edges[3], edges[1] + 1)
        return cls(edges[0], edges[1], edges[2], edges[3], shape)

    def moved(self, dx: int, dy: int) -> Region:
        """Return it elsewhere."""
        return Region(self.left + dx, self.top + dy, self.right + dx, self.bottom + dy, self.shape)

    def holds(self, place: Place) -> bool:
        """Whether a place lies inside."""
        x, y = place
        if self.shape == "rectangle":
            return self.left <= x < self.right and self.top <= y < self.bottom
        across, down = (self.right - self.left) / 2, (self.bottom - self.top) / 2
        return ((x - self.left) / across - 1) ** 2 + ((y - self.top) / down - 1) ** 2 <= 1.0

    def cover(self, height: int, width: int) -> Cover:
        """Return what of each pixel of a picture lies inside, float32 ``[H, W]``."""
        y, x = np.mgrid[:height, :width].astype(np.float32) + 0.5
        inside = (x > self.left) & (x < self.right) & (y > self.top) & (y < self.bottom)
        if self.shape == "rectangle":
            return np.asarray(inside, dtype=np.float32)
        across, down = (self.right - self.left) / 2, (self.bottom - self.top) / 2
        u, v = (x - self.left) / across - 1, (y - self.top) / down - 1
        far = np.sqrt(u**2 + v**2)
        # How far the edge is, in pixels, to first order: (1 - |u|) |u| / |gradient of |u||.
        slope = np.sqrt((u / across) ** 2 + (v / down) ** 2)
        edge = np.where(slope > 1e-6, (1 - far) * far / np.maximum(slope, 1e-6), 1.0)
        return np.asarray(np.clip(edge + 0.5, 0.0, 1.0) * inside, dtype=np.float32)


class Floating:
    """A part of a picture that has been taken up: `at` puts it down elsewhere.

    What is left behind is filled from its surroundings, smoothly: were the original brought back there, the
    part would be seen in its old place too.
    """

    def __init__(self, picture: Pixels, region: Region) -> None:
        height, width = picture.shape[:2]
        self._content = picture.astype(np.float32)
        self._cover = region.cover(height, width)
        self._ground = filled(picture, self._cover).astype(np.float32)
        self._picture = picture

    def at(self, dx: int, dy: int) -> Pixels:
        """Return the picture with the part moved by whole pixels; uint8 ``[H, W, 3]``."""
        if not dx and not dy:
            return self._picture
        cover, content = _shifted(self._cover, dx, dy), _shifted(self._content, dx, dy)
        return _mixed(self._ground, content, cover)


def move(picture: Pixels, region: Region, dx: int, dy: int) -> Pixels:
    """Move a part of a picture by whole pixels; see `Floating`."""
    return Floating(picture, region).at(dx, dy)


def filled(picture: Pixels, cover: Cover) -> Pixels:
    """Fill what is covered from its surroundings, as smoothly as a soap film; uint8 ``[H, W, 3]``.

    A picture that is covered as a whole stays as it is.
    """
    hole = cover > 0.0
    if not hole.any() or hole.all():
        return picture
    found = _from_coarser(picture.astype(np.float32), (~hole).astype(np.float32))
    rows, columns = (_around(np.asarray(hole.any(axis=axis))) for axis in (1, 0))
    part, inside = found[rows, columns], hole[rows, columns, None]
    for _ in range(_RELAXATIONS):
        padded = np.pad(part, ((1, 1), (1, 1), (0, 0)), mode="edge")
        mean = (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]) / 4
        part = np.where(inside, mean, part)
    found[rows, columns] = part
    return _mixed(picture.astype(np.float32), found, cover)


def _span(start: float, end: float, reach: float, most: int) -> slice:
    """Return the pixels of one axis that a brush may touch between two places."""
    low, high = min(start, end) - reach, max(start, end) + reach
    return slice(max(0, int(np.floor(low))), min(most, max(0, int(np.ceil(high)))))


def _cover(rows: slice, columns: slice, start: Place, end: Place, brush: Brush) -> Cover:
    """Return the cover of a straight stroke within a box: how near each pixel's middle is to the way."""
    y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + 0.5 - start[1]
    x = np.arange(columns.start, columns.stop, dtype=np.float32)[None] + 0.5 - start[0]
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = dx * dx + dy * dy
    along = np.clip((x * dx + y * dy) / length, 0.0, 1.0) if length else 0.0
    distance = np.hypot(x - along * dx, y - along * dy)
    inner, outer = brush.radius * brush.hardness - 0.5, brush.radius + 0.5
    t = np.clip((outer - distance) / (outer - inner), 0.0, 1.0)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def _mixed(base: NDArray[np.float32], ink: NDArray[np.float32], cover: Cover) -> Pixels:
    share = cover[..., None]
    return _bytes(base * (1 - share) + ink * share)


def _bytes(picture: NDArray[np.float32]) -> Pixels:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _shifted(array: NDArray[np.float32], dx: int, dy: int) -> NDArray[np.float32]:
    """Return an array ``[H, W, ...]`` moved by whole pixels, with 0 where nothing was."""
    found = np.zeros_like(array)
    height, width = array.shape[:2]
    if abs(dx) < width and abs(dy) < height:
        found[max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)] = array[
            max(0, -dy) : height - max(0, dy), max(0, -dx) : width - max(0, dx)
        ]
    return found


def _around(touched: NDArray[np.bool_]) -> slice:
    """Return the range of one axis that holds what is touched, and a pixel more on either side."""
    places = np.flatnonzero(touched)
    return slice(max(0, int(places[0]) - 1), int(places[-1]) + 2)


def _from_coarser(values: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill what is not known of ``[H, W, 3]`` with averages of what is near, found on ever coarser grids.

    ``known`` is 0 or 1, float32 ``[H, W]``.
    """
    if known.all():
        return values
    height, width = known.shape
    size = ((height + 1) // 2, 2, (width + 1) // 2, 2)
    pad = ((0, height % 2), (0, width % 2))
    weights = np.pad(known, pad).reshape(size).sum(axis=(1, 3))
    sums = np.pad(values * known[..., None], (*pad, (0, 0))).reshape(*size, 3).sum(axis=(1, 3))
    coarse = _from_coarser(sums / np.maximum(weights, 1)[..., None], (weights > 0).astype(np.float32))
    enlarged = coarse.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    found: NDArray[np.float32] = np.where(known[..., None] > 0, values, enlarged).astype(np.float32)
    return found
