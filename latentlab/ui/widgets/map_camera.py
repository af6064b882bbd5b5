"""Which part of the map is seen: the place in the middle, and how many pixels one unit takes.

Both axes have the same scale, so that distances may be compared in every direction; y grows upwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

MARGINS = (36.0, 20.0, 20.0, 36.0)
"""What stays free around the points when all are shown: left, top, right, bottom, in pixels."""
CLOSEST, FARTHEST = 4000.0, 0.25
"""How far one may zoom, as factors of the scale at which all is seen."""


@dataclass(frozen=True)
class Extent:
    """A rectangle of the map, in its own units."""

    left: float
    bottom: float
    right: float
    top: float

    @classmethod
    def of(cls, places: NDArray[np.float32]) -> Extent:
        """Return the smallest extent around places ``[n, 2]``; around none, and one, it is a unit square."""
        if not len(places):
            return cls(-0.5, -0.5, 0.5, 0.5)
        (left, bottom), (right, top) = places.min(axis=0).tolist(), places.max(axis=0).tolist()
        if left == right and bottom == top:
            return cls(left - 0.5, bottom - 0.5, right + 0.5, top + 0.5)
        return cls(left, bottom, right, top)

    @property
    def span(self) -> float:
        """The longer side."""
        return max(self.right - self.left, self.top - self.bottom)

    def much_unlike(self, other: Extent) -> bool:
        """Return whether one is more than a quarter larger than the other, or has moved by as much."""
        smaller, larger = sorted((self.span, other.span))
        across = abs(self.left + self.right - other.left - other.right) / 2
        along = abs(self.bottom + self.top - other.bottom - other.top) / 2
        return larger > 1.25 * smaller or max(across, along) > larger / 4


@dataclass(frozen=True)
class Camera:
    """How map coordinates become pixels.

    Parameters
    ----------
    x, y
        The place in the middle, in map coordinates.
    scale
        Pixels that one unit takes.
    width, height
        The room, in device-independent pixels.
    """

    x: float = 0.0
    y: float = 0.0
    scale: float = 100.0
    width: float = 100.0
    height: float = 100.0

    def showing(self, extent: Extent, left: float = MARGINS[0]) -> Camera:
        """Return the camera that shows an extent in full, with `MARGINS` around it, or more to the left."""
        _, top, right, bottom = MARGINS
        room_x, room_y = max(16.0, self.width - left - right), max(16.0, self.height - top - bottom)
        scale = min(
            room_x / max(extent.right - extent.left, extent.span * 1e-6),
            room_y / max(extent.top - extent.bottom, extent.span * 1e-6),
        )
        x = (extent.left + extent.right) / 2 - (left - right) / 2 / scale
        y = (extent.bottom + extent.top) / 2 - (bottom - top) / 2 / scale
        return replace(self, x=x, y=y, scale=scale)

    def resized(self, width: float, height: float) -> Camera:
        """Return the camera for another room: the middle and the scale stay."""
        return replace(self, width=width, height=height)

    def moved(self, dx: float, dy: float) -> Camera:
        """Return the camera with which all lies further right by ``dx`` and down by ``dy`` pixels."""
        return replace(self, x=self.x - dx / self.scale, y=self.y + dy / self.scale)

    def zoomed(self, factor: float, x: float, y: float) -> Camera:
        """Return the camera that magnifies by ``factor`` and keeps what lies at a pixel there."""
        here_x, here_y = self.to_map(x, y)
        scale = self.scale * factor
        return replace(
            self,
            x=here_x - (x - self.width / 2) / scale,
            y=here_y + (y - self.height / 2) / scale,
            scale=scale,
        )

    def to_map(self, x: float, y: float) -> tuple[float, float]:
        """Return the map coordinates of a pixel."""
        return (
            self.x + (x - self.width / 2) / self.scale,
            self.y - (y - self.height / 2) / self.scale,
        )

    def to_pixels(self, x: float, y: float) -> tuple[float, float]:
        """Return the pixel of a place."""
        return (
            (x - self.x) * self.scale + self.width / 2,
            (self.y - y) * self.scale + self.height / 2,
        )

    def pixels_of(self, places: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the pixels of places, ``[n, 2]``."""
        pixels = places.astype(np.float64)
        pixels -= (self.x, self.y)
        pixels *= (self.scale, -self.scale)
        pixels += (self.width / 2, self.height / 2)
        return pixels


def finite_places(places: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return places as float32 ``[n, 2]``; a ValueError says what is wrong with them."""
    places = np.asarray(places, dtype=np.float32)
    if places.ndim != 2 or places.shape[1] != 2:
        raise ValueError(f"Places are [n, 2], but these are {list(places.shape)}.")
    wrong = int((~np.isfinite(places)).any(axis=1).sum())
    if wrong:
        raise ValueError(f"{wrong:,} of {len(places):,} places are not finite; leave those points out.")
    return places
