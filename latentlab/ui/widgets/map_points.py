"""Paints tens of thousands of points in a few milliseconds.

Each colour's point is drawn once, smooth, into a row of stamps; Qt then copies a stamp to each point in one
call, from an array that numpy fills. The other ways that were measured are in ``benchmarks/map_pan.py``.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap
from shiboken6 import wrapInstance

from latentlab.ui.theme import Colours
from latentlab.ui.widgets.map_camera import Camera
from latentlab.ui.widgets.map_colours import Colouring, palette

OPACITY, FADED = 0.9, 0.16
_X, _Y, _LEFT, _TOP, _WIDTH, _HEIGHT, _SCALE_X, _SCALE_Y, _TURN, _OPACITY = range(10)


class PointPainter:
    """Holds where the points are and how they are coloured, and paints them.

    The points are painted in a fixed random order, so that no class lies on top of another everywhere.
    """

    def __init__(self) -> None:
        self._order = np.zeros(0, dtype=np.intp)
        self._places = np.zeros((0, 2), dtype=np.float32)
        self._slots = np.zeros(0, dtype=np.intp)
        self._ramp = False
        self._chosen: NDArray[np.bool_] | None = None
        self._fragments = np.zeros((0, 10))
        self._stamps: dict[tuple[object, ...], QPixmap] = {}

    def set_points(self, places: NDArray[np.float32], colouring: Colouring) -> None:
        """Take other points, ``[n, 2]``; none of them is chosen."""
        self._order = np.random.default_rng(0).permutation(len(places))
        self._chosen = None
        self._fragments = np.zeros((len(places), 10))
        self._fragments[:, _OPACITY] = 1.0
        self.set_colouring(colouring)
        self.set_places(places)

    def set_colouring(self, colouring: Colouring) -> None:
        """Colour the points anew."""
        self._slots, self._ramp = colouring.slots[self._order], colouring.ramp

    def set_places(self, places: NDArray[np.float32]) -> None:
        """Move the points."""
        self._places = places[self._order]

    def set_chosen(self, chosen: NDArray[np.bool_] | None) -> None:
        """Fade the points that are not chosen, bool ``[n]``; None fades none."""
        self._chosen = None if chosen is None else chosen[self._order]

    def paint(
        self, painter: QPainter, camera: Camera, zoom: float, scale: float, colours: Colours, dark: bool
    ) -> None:
        """Paint the points in view.

        Parameters
        ----------
        zoom
            How much larger all is than when everything is in view; points grow a little with it.
        scale
            Device pixels to a pixel of the painter.
        """
        radius = self.radius(zoom)
        pixels = camera.pixels_of(self._places)
        x, y = pixels[:, 0], pixels[:, 1]
        seen = (x > -radius) & (x < camera.width + radius) & (y > -radius) & (y < camera.height + radius)
        if self._chosen is None:
            self._copy(painter, pixels, seen, radius, scale, colours, dark, OPACITY)
        else:
            self._copy(painter, pixels, seen & ~self._chosen, radius, scale, colours, dark, FADED)
            self._copy(painter, pixels, seen & self._chosen, radius, scale, colours, dark, OPACITY)

    def radius(self, zoom: float) -> float:
        """Return the radius of a point in pixels, in quarters: smaller where there are many."""
        many = len(self._places)
        base = 5.0 - 1.1 * math.log10(max(many, 10) / 10)
        grown = max(2.25, base) * math.sqrt(math.sqrt(max(1.0, zoom)))
        return round(4 * min(6.5, grown)) / 4

    def _copy(
        self,
        painter: QPainter,
        pixels: NDArray[np.float64],
        which: NDArray[np.bool_],
        radius: float,
        scale: float,
        colours: Colours,
        dark: bool,
        opacity: float,
    ) -> None:
        count = int(np.count_nonzero(which))
        if not count:
            return
        stamps = self._stamps_of(radius, scale, colours, dark, opacity)
        side = stamps.height()
        # Whole device pixels: stamps stay sharp, and points keep their distances while the map is dragged.
        corners = np.rint(pixels[which] * scale - side / 2)
        fragments = self._fragments[:count]
        fragments[:, _X : _Y + 1] = (corners + side / 2) / scale
        fragments[:, _LEFT] = self._slots[which] * side
        fragments[:, _WIDTH : _HEIGHT + 1] = side
        fragments[:, _SCALE_X : _SCALE_Y + 1] = 1 / scale
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        # A PixmapFragment is ten doubles in this order; Qt reads `count` of them from the array.
        first = wrapInstance(fragments.ctypes.data, QPainter.PixmapFragment)
        assert isinstance(first, QPainter.PixmapFragment)
        painter.drawPixmapFragments(first, count, stamps)

    def _stamps_of(
        self, radius: float, scale: float, colours: Colours, dark: bool, opacity: float
    ) -> QPixmap:
        key = (radius, scale, dark, self._ramp, opacity)
        if key not in self._stamps:
            if len(self._stamps) > 24:  # one for each size while zooming
                self._stamps.clear()
            self._stamps[key] = _draw_stamps(
                palette(self._ramp, colours, dark), radius, scale, QColor(colours.surface), opacity
            )
        return self._stamps[key]


def _draw_stamps(
    shades: list[QColor], radius: float, scale: float, ground: QColor, opacity: float
) -> QPixmap:
    """Draw one point of each colour side by side, each with a thin rim of the ground's colour."""
    side = math.ceil(2 * (radius + 1) * scale)
    side += side % 2
    row = QPixmap(side * len(shades), side)
    row.fill(Qt.GlobalColor.transparent)
    painter = QPainter(row)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setOpacity(opacity)
    rim = QColor(ground)
    rim.setAlphaF(0.55)
    for k, shade in enumerate(shades):
        middle = QPointF((k + 0.5) * side, side / 2)
        if radius >= 2.75 and opacity == OPACITY:
            painter.setBrush(rim)
            painter.drawEllipse(middle, (radius + 0.6) * scale, (radius + 0.6) * scale)
        painter.setBrush(shade)
        painter.drawEllipse(middle, radius * scale, radius * scale)
    painter.end()
    return row
