"""How dense the map is: a tint under the points, and lines over them that each hold a share of the mass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from latentlab.ui.theme import Colours
from latentlab.ui.widgets.map_camera import Camera, Extent

SHARES = (0.1, 0.5, 0.9)
"""The shares of the mass that lie inside the lines, from the innermost one out."""
_STRONGEST = 0.42
_PAIRS = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))


class Density:
    """A density and its drawing.

    Parameters
    ----------
    density
        Float32 ``[h, w]``, at least 0; row 0 lies lowest.
    extent
        Where it lies.
    """

    def __init__(self, density: NDArray[np.float32], extent: Extent) -> None:
        self._density, self._extent = density, extent
        self._lines = _in_map(outlines(density), density.shape, extent)
        self._tints: dict[str, QImage] = {}

    def paint_tint(self, painter: QPainter, camera: Camera, colours: Colours) -> None:
        """Paint a tint that is stronger where there is more."""
        tint = self._tints.setdefault(colours.muted, _tint(self._density, colours.muted))
        left, top = camera.to_pixels(self._extent.left, self._extent.top)
        right, bottom = camera.to_pixels(self._extent.right, self._extent.bottom)
        target = QRectF(QPointF(left, top), QPointF(right, bottom))
        seen = target & QRectF(0, 0, camera.width, camera.height)
        if seen.isEmpty():
            return
        # Only the part in view is handed over: a target of millions of pixels would be slow.
        across, down = tint.width() / target.width(), tint.height() / target.height()
        source = QRectF(
            (seen.left() - target.left()) * across,
            (seen.top() - target.top()) * down,
            seen.width() * across,
            seen.height() * down,
        )
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(seen, tint, source)

    def paint_lines(self, painter: QPainter, camera: Camera, colours: Colours) -> None:
        """Paint the lines around `SHARES` of the mass."""
        ends = camera.pixels_of(self._lines.reshape(-1, 2)).reshape(-1, 4)
        low, high = np.minimum(ends[:, :2], ends[:, 2:]), np.maximum(ends[:, :2], ends[:, 2:])
        seen = ((high > 0) & (low < (camera.width, camera.height))).all(axis=1)
        lines = [QLineF(*line) for line in ends[seen].tolist()]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for width, shade, alpha in ((2.5, colours.surface, 0.5), (1.0, colours.text, 0.7)):
            colour = QColor(shade)
            colour.setAlphaF(alpha)
            painter.setPen(QPen(colour, width))
            painter.drawLines(lines)


def outlines(density: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the lines inside which `SHARES` of the mass lie, by marching squares.

    Parameters
    ----------
    density
        Float32 ``[h, w]``, at least 0.

    Returns
    -------
    numpy.ndarray
        Float32 ``[lines, 4]``: x and y of both ends in cells, the middle of cell ``[0, 0]`` at 0.
    """
    ordered = np.sort(density.ravel().astype(np.float64))[::-1]
    mass = np.cumsum(ordered)
    if not len(mass) or mass[-1] <= 0:
        return np.zeros((0, 4), dtype=np.float32)
    grid = np.pad(density.astype(np.float64), 1)
    found = []
    for share in SHARES:
        level = ordered[min(int(np.searchsorted(mass, share * mass[-1])), len(ordered) - 1)]
        found.append(_march(grid, max(level, 1e-12 * ordered[0])))
    return np.concatenate(found).astype(np.float32) - 1


def _march(grid: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Join, in each square of four neighbours, the points at which its sides cross the level."""
    above = grid >= level
    corners = ((0, 0), (0, 1), (1, 1), (1, 0))  # row and column; side k goes from corner k to the next
    height, width = grid.shape
    rows, columns = np.mgrid[: height - 1, : width - 1]
    crossed, places = [], []
    for k, (row, column) in enumerate(corners):
        next_row, next_column = corners[(k + 1) % 4]
        here = grid[row : height - 1 + row, column : width - 1 + column]
        there = grid[next_row : height - 1 + next_row, next_column : width - 1 + next_column]
        way = there - here
        share = np.clip((level - here) / np.where(way == 0, 1, way), 0, 1)
        x = columns + column + share * (next_column - column)
        y = rows + row + share * (next_row - row)
        places.append(np.stack([x, y], axis=-1))
        crossed.append(
            above[row : height - 1 + row, column : width - 1 + column]
            != above[next_row : height - 1 + next_row, next_column : width - 1 + next_column]
        )
    saddle = crossed[0] & crossed[1] & crossed[2] & crossed[3]
    lines = []
    for one, two in _PAIRS:
        both = crossed[one] & crossed[two]
        both = both & ~saddle if (one, two) not in ((0, 1), (2, 3)) else both
        lines.append(np.concatenate([places[one][both], places[two][both]], axis=1))
    return np.concatenate(lines)


def _in_map(lines: NDArray[np.float32], shape: tuple[int, ...], extent: Extent) -> NDArray[np.float32]:
    """Turn lines in cells into lines in map coordinates."""
    height, width = shape
    step_x, step_y = (extent.right - extent.left) / width, (extent.top - extent.bottom) / height
    steps = np.array([step_x, step_y, step_x, step_y])
    corner = np.array([extent.left, extent.bottom, extent.left, extent.bottom])
    moved: NDArray[np.float32] = (corner + (lines + 0.5) * steps).astype(np.float32)
    return moved


def _tint(density: NDArray[np.float32], colour: str) -> QImage:
    most = float(density.max(initial=0.0))
    shares = np.sqrt(np.clip(density, 0, None) / most) if most > 0 else np.zeros_like(density)
    alpha = np.rint(shares[::-1] * (255 * _STRONGEST))
    shade = QColor(colour)
    pixels = np.empty((*density.shape, 4), dtype=np.uint8)
    for k, part in enumerate((shade.blue(), shade.green(), shade.red())):
        pixels[..., k] = np.rint(alpha * (part / 255))
    pixels[..., 3] = alpha
    height, width = density.shape
    shared = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
    return shared.copy()
