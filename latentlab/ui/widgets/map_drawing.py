"""The drawing of the map: what the canvas shows and what is exported are painted by the same code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPen

from latentlab.ui.theme import LIGHT, Colours
from latentlab.ui.widgets.bars_painter import small_font
from latentlab.ui.widgets.map_camera import Camera, Extent
from latentlab.ui.widgets.map_cards import legend_area, paint_axes, paint_legend
from latentlab.ui.widgets.map_colours import Colouring, plain
from latentlab.ui.widgets.map_density import Density
from latentlab.ui.widgets.map_marks import Place, paint_lasso, paint_marker, paint_pins, paint_trail
from latentlab.ui.widgets.map_points import PointPainter

_COVERED = 0.002
"""The share of the points that the legend may cover."""


@dataclass
class Trace:
    """What the hands draw, in map coordinates: a way that is walked, a lasso, the cross of the keys."""

    trail: list[Place]
    corners: list[Place]
    tip: Place | None = None


class MapDrawing:
    """Points and marks, painted for whichever camera, colours and resolution are asked for."""

    def __init__(self) -> None:
        self.places = np.zeros((0, 2), dtype=np.float32)
        self.extent = Extent.of(self.places)
        self.colouring = plain(0)
        self.points = PointPainter()
        self.density: Density | None = None
        self.marker: Place | None = None
        self.pins: tuple[tuple[float, float, str], ...] = ()
        self.axes = ("", "")
        self.trace = Trace([], [])

    def set_points(self, places: NDArray[np.float32], colouring: Colouring) -> None:
        """Take other points and their extent."""
        self.places, self.colouring, self.extent = places, colouring, Extent.of(places)
        self.points.set_points(places, colouring)

    def set_colouring(self, colouring: Colouring) -> None:
        """Colour the points anew."""
        self.colouring = colouring
        self.points.set_colouring(colouring)

    def set_places(self, places: NDArray[np.float32]) -> None:
        """Move the points; the extent stays the one that was looked at."""
        self.places = places
        self.points.set_places(places)

    def fitted(self, camera: Camera, font: QFont) -> Camera:
        """Return the camera that shows the extent: beside the legend, where that would cover points."""
        fitted = camera.showing(self.extent)
        legend = legend_area(self.colouring, self._note, QSizeF(camera.width, camera.height), font)
        pixels = fitted.pixels_of(self.places)
        covered = (pixels[:, 0] < legend.right() + 4) & (pixels[:, 1] < legend.bottom() + 4)
        if np.count_nonzero(covered) > _COVERED * len(pixels):
            return camera.showing(self.extent, left=legend.right() + 8)
        return fitted

    def zoom(self, camera: Camera) -> float:
        """Return how much larger all is than when everything is in view."""
        return camera.scale / camera.showing(self.extent).scale

    def paint(
        self, painter: QPainter, camera: Camera, scale: float, colours: Colours, dark: bool, font: QFont
    ) -> None:
        """Paint everything, on a ground that is painted already; ``scale`` is device pixels to a pixel."""
        room = QSizeF(camera.width, camera.height)
        if self.density is not None:
            self.density.paint_tint(painter, camera, colours)
        if len(self.places):
            self.points.paint(painter, camera, self.zoom(camera), scale, colours, dark)
        if self.density is not None:
            self.density.paint_lines(painter, camera, colours)
        if len(self.places):
            paint_axes(painter, self.axes, room, colours, font)
        paint_trail(painter, camera, self.trace.trail, colours)
        paint_pins(painter, camera, self.pins, colours, font)
        if self.marker is not None:
            paint_marker(painter, camera, *self.marker, colours)
        paint_lasso(painter, camera, self.trace.corners, self.trace.tip, colours)
        paint_legend(painter, self.colouring, self._note, room, colours, dark, font)

    def picture(self, camera: Camera, scale: int, caption: str, font: QFont) -> QImage:
        """Paint everything on white, in a frame, at ``scale`` pixels to one, with a caption below."""
        width, height = round(camera.width), round(camera.height)
        small = small_font(font)
        flags = int(Qt.TextFlag.TextWordWrap)
        room = QRect(16, height + 12, width - 32, 10_000)
        text = QFontMetrics(small).boundingRect(room, flags, caption) if caption else QRect()
        below = text.height() + 24 if caption else 0
        image = QImage(width * scale, (height + below) * scale, QImage.Format.Format_RGB32)
        image.fill(QColor("white"))
        painter = QPainter(image)
        painter.scale(scale, scale)
        painter.setClipRect(QRectF(0, 0, width, height))
        self.paint(painter, camera, scale, LIGHT, False, font)
        painter.setPen(QPen(QColor(LIGHT.line), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(0.5, 0.5, width - 1, height - 1))
        painter.setClipping(False)
        painter.setFont(small)
        painter.setPen(QColor(LIGHT.muted))
        painter.drawText(QRect(16, height + 12, width - 32, text.height()), flags, caption)
        painter.end()
        return image

    @property
    def _note(self) -> str:
        return "" if self.density is None else "Lines: 10, 50 and 90% inside"
