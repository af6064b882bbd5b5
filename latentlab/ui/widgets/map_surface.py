"""What the map shows, without the hands: points, marks, cards; and the same drawing as a picture.

It holds nothing but what it was told to show and which part of the map is in view.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from latentlab.ui.theme import Theme
from latentlab.ui.widgets.map_camera import CLOSEST, FARTHEST, Camera, Extent, finite_places
from latentlab.ui.widgets.map_cards import Thumbnail, paint_nothing, paint_progress, paint_thumbnail
from latentlab.ui.widgets.map_colours import colouring_of
from latentlab.ui.widgets.map_density import Density
from latentlab.ui.widgets.map_drawing import MapDrawing
from latentlab.ui.widgets.map_marks import paint_halo

_KEYBOARD = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)


class MapSurface(QWidget):
    """Paints the map; `MapCanvas` adds pointer and keys."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._drawing = MapDrawing()
        self._names: Sequence[str] = ()
        self._all_seen = True
        self._nothing = ""
        self._progress: tuple[str, float | None] | None = None
        self._hover = -1
        self._anchor = QPointF()
        self._thumbnail: Thumbnail | None = None
        self._ring = False
        self.thumbnail_area: QRectF | None = None
        self.camera = Camera()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Map")
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(720, 520)

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which one can find one's way."""
        return QSize(280, 220)

    # What is shown

    def set_points(
        self,
        places: NDArray[np.float32],
        told: NDArray[np.int64] | NDArray[np.float32] | None = None,
        classes: Sequence[str] = (),
        names: Sequence[str] = (),
        title: str = "",
    ) -> None:
        """Show points, all of them in view; nothing is chosen.

        Parameters
        ----------
        places
            Float32 ``[n, 2]``, finite.
        told
            What the colours tell: class codes, int64 ``[n]``, values, float32 ``[n]``, or nothing. Codes
            outside ``classes`` and NaN are unknown, and grey.
        classes
            The classes' labels; from the ninth on they share a colour.
        names
            What each point is called, for those who do not see it; empty for their numbers.
        title
            What is told, above the legend.

        Raises
        ------
        ValueError
            If a place is not finite, or the lengths do not fit.
        """
        places = finite_places(places)
        self._leave_points()
        if told is not None and len(told) != len(places):
            raise ValueError(f"There are {len(places):,} places, but {len(told):,} codes or values.")
        if len(names) not in (0, len(places)):
            raise ValueError(f"There are {len(places):,} places, but {len(names):,} names.")
        self._names, self._nothing = names, ""
        self._drawing.set_points(places, colouring_of(len(places), told, classes, title))
        self._describe()
        self._forget_places()
        self.show_all()

    def set_colours(
        self,
        told: NDArray[np.int64] | NDArray[np.float32] | None,
        classes: Sequence[str] = (),
        title: str = "",
    ) -> None:
        """Colour the points that are shown anew, as in `set_points`; the view and the choice stay."""
        if told is not None and len(told) != len(self._places):
            raise ValueError(f"There are {len(self._places):,} points, but {len(told):,} codes or values.")
        self._drawing.set_colouring(colouring_of(len(self._places), told, classes, title))
        self._describe()
        self.update()

    def set_places(self, places: NDArray[np.float32]) -> None:
        """Move the points, float32 ``[n, 2]``, as an embedding that grows does.

        The view stays as it is, unless the points' extent has changed much: then it goes with them.

        Raises
        ------
        ValueError
            If a place is not finite, or there are more or fewer than points.
        """
        places = finite_places(places)
        if len(places) != len(self._places):
            raise ValueError(f"There are {len(self._places):,} points, but {len(places):,} places.")
        self._drawing.set_places(places)
        extent = Extent.of(places)
        if self._all_seen and (extent.much_unlike(self._drawing.extent) or not self._sees(extent)):
            self._drawing.extent = extent
            self.camera = self._drawing.fitted(self.camera, self.font())
        elif extent.much_unlike(self._drawing.extent):
            grown, before = extent.span / self._drawing.extent.span, self._drawing.extent
            x = (extent.left + extent.right) / 2 + grown * (self.camera.x - (before.left + before.right) / 2)
            y = (extent.bottom + extent.top) / 2 + grown * (self.camera.y - (before.bottom + before.top) / 2)
            self.camera = replace(self.camera, x=x, y=y, scale=self.camera.scale / grown)
            self._drawing.extent = extent
        self._forget_places()

    def set_density(
        self,
        density: NDArray[np.float32] | None,
        extent: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0),
    ) -> None:
        """Show how dense the map is, or no longer.

        Parameters
        ----------
        density
            Float32 ``[h, w]``, at least 0; row 0 lies lowest.
        extent
            Where it lies: left, bottom, right, top.
        """
        self._drawing.density = None if density is None else Density(density, Extent(*extent))
        self.update()

    def set_marker(self, x: float | None, y: float | None = None) -> None:
        """Show where the edited latent is; None where that is not known."""
        place = None if x is None or y is None or not isfinite(x + y) else (float(x), float(y))
        if place != self._drawing.marker:
            self._drawing.marker = place
            self.update()

    def set_pins(self, pins: Sequence[tuple[float, float, str]]) -> None:
        """Show pins, each by its place and its name."""
        self._drawing.pins = tuple(pins)
        self.update()

    def set_selection(self, chosen: NDArray[np.bool_] | None) -> None:
        """Keep the chosen points coloured, bool ``[n]``, and fade the others; None fades none."""
        if chosen is not None and len(chosen) != len(self._places):
            raise ValueError(f"There are {len(self._places):,} points, but {len(chosen):,} are told of.")
        self._drawing.points.set_chosen(chosen)
        self.update()

    def set_axes(self, x: str = "", y: str = "") -> None:
        """Say what the axes are; nothing where they mean nothing."""
        self._drawing.axes = (x, y)
        self.update()

    def show_nothing(self, text: str) -> None:
        """Show no points, and say in the middle why."""
        self.set_points(np.zeros((0, 2), dtype=np.float32))
        self._drawing.density = self._progress = None
        self._nothing = text
        self._describe()
        self.update()

    def show_progress(self, text: str, done: int, total: int) -> None:
        """Show how far the work has come that makes the map, over the points or where they will be."""
        self._progress = (text, done / total if total > 0 else 0.0)
        self.update()

    def show_remark(self, text: str) -> None:
        """Say in the place of the progress how the work has ended."""
        self._progress = (text, None)
        self.update()

    def end_progress(self) -> None:
        """Show no progress any more."""
        self._progress = None
        self.update()

    def show_thumbnail(self, index: int, image: QImage, text: str) -> None:
        """Show a point's picture beside it; nothing happens if another point is looked at by now."""
        if index == self._hover >= 0:
            self._thumbnail = Thumbnail(index, image, text)
            self._describe(text)
            self.update()

    # Which part is seen

    def show_all(self) -> None:
        """Bring all points into view."""
        self._drawing.extent = Extent.of(self._places)
        self.camera = self._drawing.fitted(self.camera, self.font())
        self._all_seen = True
        self.update()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Magnify by a factor, and keep what lies at a pixel there, or in the middle without one."""
        at = QPointF(self.width() / 2, self.height() / 2) if at is None else at
        widest = self.camera.showing(self._drawing.extent).scale
        scale = min(max(self.camera.scale * factor, widest * FARTHEST), widest * CLOSEST)
        self.camera = self.camera.zoomed(scale / self.camera.scale, at.x(), at.y())
        self._all_seen = False
        self.update()

    def pan_by(self, dx: float, dy: float) -> None:
        """Move what is seen to the right and down, in pixels."""
        self.camera = self.camera.moved(dx, dy)
        self._all_seen = False
        self.update()

    def picture(self, width: int, height: int, scale: int = 2, caption: str = "") -> QImage:
        """Return the map as it is seen, on white and with its legend, for a file.

        Parameters
        ----------
        width, height
            Of the map, in pixels before scaling.
        scale
            Pixels of the picture to one of these.
        caption
            What stands below.
        """
        camera = self.camera.resized(width, height)
        if self._all_seen:
            camera = self._drawing.fitted(camera, self.font())
        else:
            share = min(width / self.camera.width, height / self.camera.height)
            camera = replace(camera, scale=self.camera.scale * share)
        return self._drawing.picture(camera, scale, caption, self.font())

    # Painting

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep all in view where it was; otherwise keep the middle and the scale."""
        self.camera = self.camera.resized(self.width(), self.height())
        if self._all_seen:
            self.camera = self._drawing.fitted(self.camera, self.font())

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring when the focus comes by the keyboard."""
        self._ring = event.reason() in _KEYBOARD
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the ring away."""
        self._ring = False
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint everything; with tens of thousands of points that takes a few milliseconds."""
        colours = self._theme.colours
        room = QSizeF(self.size())
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(colours.surface))
        scale = self.devicePixelRatioF()
        self._drawing.paint(painter, self.camera, scale, colours, self._theme.dark, self.font())
        if self._progress is not None:
            text, share = self._progress
            paint_progress(painter, text, share, room, not len(self._places), colours, self.font())
        elif not len(self._places):
            paint_nothing(painter, self._nothing, room, colours, self.font())
        self.thumbnail_area = None
        if self._hover >= 0:
            radius = self._drawing.points.radius(self._drawing.zoom(self.camera))
            paint_halo(painter, self._pixel_of(self._hover), radius, colours)
            if self._thumbnail is not None:
                self.thumbnail_area = paint_thumbnail(
                    painter, self._thumbnail, self._anchor, room, colours, self.font()
                )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        width = 2 if self._ring else 1
        painter.setPen(Qt.PenStyle.NoPen)
        edge = QColor(colours.accent if self._ring else colours.line)
        for side in _edges(self.rect(), width):
            painter.fillRect(side, edge)
        painter.end()

    @property
    def _places(self) -> NDArray[np.float32]:
        return self._drawing.places

    def _pixel_of(self, index: int) -> QPointF:
        return QPointF(*self.camera.to_pixels(*self._places[index].tolist()))

    def _sees(self, extent: Extent) -> bool:
        left, top = self.camera.to_map(0, 0)
        right, bottom = self.camera.to_map(self.camera.width, self.camera.height)
        return left <= extent.left and right >= extent.right and bottom <= extent.bottom and top >= extent.top

    def _leave_points(self) -> None:
        """Tell that other points are coming; `MapCanvas` ends what it was doing with these."""

    def _forget_places(self) -> None:
        """Tell that the points have moved; `MapCanvas` forgets where they were."""
        self.update()

    def _describe(self, point: str = "") -> None:
        """Tell assistive programs what is shown, or which point is looked at."""
        count = len(self._places)
        if self._hover >= 0:
            name = self._names[self._hover] if self._names else f"point {self._hover:,}"
            parts = [name, *(line for line in point.splitlines() if line != name)]
            self.setAccessibleDescription(", ".join(parts))
        elif count:
            by = f", coloured by {self._drawing.colouring.title}" if self._drawing.colouring.title else ""
            self.setAccessibleDescription(f"{count:,} points{by}")
        else:
            self.setAccessibleDescription(self._nothing)


def _edges(area: QRect, width: int) -> tuple[QRect, ...]:
    """Return the four sides of a frame, whole device pixels wide at every scale."""
    return (
        QRect(area.left(), area.top(), area.width(), width),
        QRect(area.left(), area.bottom() + 1 - width, area.width(), width),
        QRect(area.left(), area.top(), width, area.height()),
        QRect(area.right() + 1 - width, area.top(), width, area.height()),
    )
