"""The map: tens of thousands of latents in the plane, to look at, to walk through, to gather with a lasso.

`MapSurface` paints; here are the hands. A pointer or the keys move the view, look at a point, choose it,
walk and throw a lasso; signals tell it, and what follows is for the owner to show.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QNativeGestureEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from latentlab.ui.theme import Theme
from latentlab.ui.widgets.map_camera import Camera
from latentlab.ui.widgets.map_gestures import Lasso, Walk
from latentlab.ui.widgets.map_marks import Place
from latentlab.ui.widgets.map_surface import MapSurface

Tool = Literal["move", "walk", "lasso"]
TOOLS: tuple[Tool, ...] = ("move", "walk", "lasso")
HINTS: dict[Tool, str] = {
    "move": "Drag or arrow keys move the map, the wheel or + and - zoom, 0 shows all. A click chooses a "
    "point; Ctrl+arrow keys go from point to point, Enter chooses.",
    "walk": "Drag to walk through the latents; arrow keys take small steps, with Shift smaller ones. Hold "
    "Space to move the map.",
    "lasso": "Draw around the points. With keys: arrows move a cross, Enter sets a corner, Enter again on it "
    "closes the lasso, Backspace takes a corner back, Escape lets go.",
}
REACH = 10.0
"""How near the pointer must come to a point, in pixels."""

_CLICK, _PAN_STEP, _STEP, _ZOOM = 4.0, 48.0, 8.0, 1.25
_ARROWS = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, -1.0),
    Qt.Key.Key_Down: (0.0, 1.0),
}
_CLOSER = (Qt.Key.Key_Plus, Qt.Key.Key_Equal)
_FARTHER = (Qt.Key.Key_Minus, Qt.Key.Key_Underscore)
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_OWN = {*_ARROWS, *_CLOSER, *_FARTHER, *_ENTER, Qt.Key.Key_0, Qt.Key.Key_Space, Qt.Key.Key_Backspace}
_SHIFTED = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier


class MapCanvas(MapSurface):
    """The map with its three tools: ``move``, ``walk`` and ``lasso``.

    ``hovered`` tells the point that is looked at, -1 for none; the owner answers with `show_thumbnail`.
    ``chosen`` tells a point that was clicked, or entered. ``walk_begun``, ``walked`` and ``walk_ended`` tell
    a walk in map coordinates, ``lassoed`` the corners of a lasso, float32 ``[m, 2]``.
    """

    hovered = Signal(int)
    chosen = Signal(int)
    walk_begun = Signal(float, float)
    walked = Signal(float, float)
    walk_ended = Signal()
    lassoed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._tool: Tool = "move"
        self._drag: Tool | None = None
        self._pressed_at = QPointF()
        self._pressed_camera = Camera()
        self._dragged = False
        self._space = False
        self._held: set[int] = set()
        self._pointer: QPointF | None = None
        self._tree: Any = None
        self._walk, self._lasso = Walk(self._drawing.trace, self), Lasso(self._drawing.trace, self)
        self._walk.begun.connect(self.walk_begun)
        self._walk.moved.connect(self.walked)
        self._walk.ended.connect(self.walk_ended)
        self._lasso.closed.connect(self.lassoed)
        # However fast the pointer moves, only its latest position is looked up.
        self._aim = QTimer(self)
        self._aim.setSingleShot(True)
        self._aim.setInterval(0)
        self._aim.timeout.connect(self._look)
        self.setMouseTracking(True)
        self._follow_tool()

    @property
    def tool(self) -> Tool:
        """What a drag does."""
        return self._tool

    def set_tool(self, tool: Tool) -> None:
        """Take another tool; what was begun with the one before ends."""
        if tool not in TOOLS:
            raise ValueError(f"The tools are {', '.join(TOOLS)}, not {tool}.")
        if tool != self._tool:
            self._let_go()
            self._walk.forget()
            self._lasso.cancel()
            self._tool = tool
            self._follow_tool()
            self.update()

    def nearest(self, at: QPointF, reach: float = REACH) -> int:
        """Return the point nearest to a pixel, within ``reach`` pixels; -1 where there is none."""
        if not len(self._places):
            return -1
        if self._tree is None:
            from scipy.spatial import cKDTree

            self._tree = cKDTree(self._places, balanced_tree=False, compact_nodes=False)
        place = self.camera.to_map(at.x(), at.y())
        far, index = self._tree.query(place, distance_upper_bound=reach / self.camera.scale)
        return int(index) if np.isfinite(far) else -1

    # The pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin what the tool does; the middle button, or Space held, moves the map whatever the tool."""
        button = event.button()
        if self._drag is not None or button not in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            event.ignore()
            return
        moving = button == Qt.MouseButton.MiddleButton or self._space
        self._drag = "move" if moving else self._tool
        self._pressed_at, self._pressed_camera, self._dragged = event.position(), self.camera, False
        place = self._place_at(event.position())
        if self._drag != "move":
            self._show_hover(-1)
        self._held.clear()
        if self._drag == "walk":
            self._walk.end()
            self._walk.begin(place)
            self._walk.moved.emit(*place)
        elif self._drag == "lasso":
            self._lasso.begin(place)
        self._follow_tool()
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with the drag, or look at what is under the pointer."""
        self._pointer = event.position()
        if self._drag is None:
            self._aim.start()
            return
        place = self._place_at(event.position())
        if self._drag == "walk":
            self._walk.to(place)
        elif self._drag == "lasso":
            self._lasso.to(place, self.camera.scale)
        else:
            way = event.position() - self._pressed_at
            if not self._dragged and way.manhattanLength() < _CLICK:
                return
            self._dragged, self._all_seen = True, False
            self._show_hover(-1)
            self.camera = self._pressed_camera.moved(way.x(), way.y())
        self._follow_tool()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag; a press and release on the spot chooses the point there."""
        if self._drag is None or event.buttons() & (Qt.MouseButton.LeftButton | Qt.MouseButton.MiddleButton):
            return
        drag, self._drag = self._drag, None
        if drag == "walk":
            self._walk.end()
        elif drag == "lasso":
            self._lasso.close(self.camera.scale)
        elif not self._dragged and self._tool == "move" and event.button() == Qt.MouseButton.LeftButton:
            index = self.nearest(event.position())
            if index >= 0:
                self.chosen.emit(index)
        self._aim.start()
        self._follow_tool()
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the pointer."""
        turned = event.angleDelta().y()
        if turned:
            self._zoom_at(1.2 ** (turned / 120), event.position())
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        """Look at nothing."""
        self._pointer = None
        self._show_hover(-1)

    def event(self, event: QEvent) -> bool:
        """Zoom by pinching, and keep the keys of the map from the window's shortcuts."""
        if isinstance(event, QNativeGestureEvent):
            if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                self._zoom_at(1 + event.value(), event.position())
            return True
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in _OWN
            and (not event.modifiers() & ~_SHIFTED or event.key() in _ARROWS)
        ):
            event.accept()
            return True
        return super().event(event)

    # The keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do by keys what the pointer does; `HINTS` says which."""
        key = Qt.Key(event.key())
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        fine = modifiers == Qt.KeyboardModifier.ShiftModifier
        if key in _ARROWS and modifiers == Qt.KeyboardModifier.ControlModifier:
            self._go_to_next(*_ARROWS[key])
        elif modifiers and not fine:
            event.ignore()
        elif key in _ARROWS:
            self._held.add(key)
            self._step(*_ARROWS[key], fine)
        elif key in _CLOSER:
            self._zoom_at(_ZOOM, None)
        elif key in _FARTHER:
            self._zoom_at(1 / _ZOOM, None)
        elif key == Qt.Key.Key_0:
            self.show_all()
            self._look_again()
        elif key == Qt.Key.Key_Space:
            if not event.isAutoRepeat() and self._drag is None:
                self._space = True
                self._follow_tool()
        elif key in _ENTER:
            self._enter()
        elif key == Qt.Key.Key_Backspace and self._lasso.active:
            self._lasso.take_back()
        elif key == Qt.Key.Key_Escape and self._escape():
            pass
        else:
            event.ignore()
            return
        self.update()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """End a walk by keys, and the moving while Space was held."""
        if event.isAutoRepeat():
            return
        if event.key() == Qt.Key.Key_Space:
            self._space = False
            self._follow_tool()
        elif event.key() in self._held:
            self._held.discard(event.key())
            if not self._held and self._drag is None:
                self._walk.end()
        else:
            event.ignore()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Let go of what keys were holding."""
        super().focusOutEvent(event)
        self._space = False
        self._held.clear()
        if self._drag is None:
            self._walk.end()
        self._follow_tool()

    def _step(self, dx: float, dy: float, fine: bool) -> None:
        """Move the map, the edited latent or the lasso's cross, whichever the tool is for."""
        if self._tool == "move" or self._space:
            self.pan_by(-dx * _PAN_STEP, -dy * _PAN_STEP)
            self._look_again()
            return
        if self._drag is not None:
            return
        length = 1.0 if fine else _STEP
        here = self._walk.here or self._drawing.marker if self._tool == "walk" else self._lasso.tip
        here = here or (self.camera.x, self.camera.y)
        x, y = self.camera.to_pixels(*here)
        there = self.camera.to_map(x + dx * length, y + dy * length)
        if self._tool == "walk":
            if not self._walk.active:
                self._walk.begin(here)
            self._walk.to(there)
        else:
            self._lasso.point(there)
        self._keep_in_view(there)

    def _go_to_next(self, dx: float, dy: float) -> None:
        """Look at the nearest point in a direction: within 45 degrees, and far enough to be told apart."""
        start = self._pixel_of(self._hover) if self._hover >= 0 else QPointF(self.width(), self.height()) / 2
        ways = self.camera.pixels_of(self._places) - (start.x(), start.y())
        along, aside = ways @ (dx, dy), np.abs(ways @ (dy, dx))
        ahead = np.flatnonzero((along >= max(4.0, _CLICK)) & (aside <= along))
        if len(ahead):
            index = int(ahead[np.argmin((ways[ahead] ** 2).sum(axis=1))])
            x, y = self._places[index].tolist()
            self._keep_in_view((x, y))
            self._show_hover(index, self._pixel_of(index))

    def _enter(self) -> None:
        if self._tool == "lasso" and self._lasso.tip is not None:
            self._lasso.corner(self.camera.scale)
        elif self._hover >= 0:
            self.chosen.emit(self._hover)

    def _escape(self) -> bool:
        """Let go of the lasso, the walk or the look; False where there was nothing to let go of."""
        if self._drag in ("lasso", "walk"):
            self._let_go()
        elif self._lasso.active:
            self._lasso.cancel()
        elif self._drawing.trace.trail:
            self._walk.forget()
        elif self._hover >= 0:
            self._show_hover(-1)
        else:
            return False
        return True

    # What both do

    def _let_go(self) -> None:
        """End a drag before its button is released."""
        if self._drag == "lasso":
            self._lasso.cancel()
        self._walk.end()
        self._drag = None
        self._held.clear()
        self._follow_tool()

    def _look(self) -> None:
        """Look at what is under the pointer."""
        if self._pointer is not None and self._drag is None:
            self._show_hover(self.nearest(self._pointer), self._pointer)
            self._follow_tool()

    def _look_again(self) -> None:
        """Look anew when not the pointer but the map has moved."""
        if self._pointer is not None:
            self._aim.start()
        elif self._hover >= 0:
            self._anchor = self._pixel_of(self._hover)

    def _show_hover(self, index: int, anchor: QPointF | None = None) -> None:
        if anchor is not None and index >= 0:
            self._anchor = anchor
            self.update()
        if index != self._hover:
            self._hover, self._thumbnail = index, None
            self._describe()
            self.hovered.emit(index)
            self.update()

    def _forget_places(self) -> None:
        self._tree = None
        if self._hover >= len(self._places):
            self._show_hover(-1)
        self._look_again()
        super()._forget_places()

    def _leave_points(self) -> None:
        self._let_go()
        self._walk.forget()
        self._lasso.cancel()
        self._show_hover(-1)

    def _zoom_at(self, factor: float, at: QPointF | None) -> None:
        self.zoom_by(factor, at)
        self._pressed_camera, self._pressed_at = self.camera, self._pointer or self._pressed_at
        self._look_again()

    def _keep_in_view(self, place: Place) -> None:
        """Move the map just so far that a place is not at its very edge."""
        x, y = self.camera.to_pixels(*place)
        edge = min(40.0, self.width() / 4, self.height() / 4)
        dx = min(max(x, edge), self.width() - edge) - x
        dy = min(max(y, edge), self.height() - edge) - y
        if dx or dy:
            self.pan_by(round(dx), round(dy))

    def _place_at(self, at: QPointF) -> Place:
        return self.camera.to_map(at.x(), at.y())

    def _follow_tool(self) -> None:
        """Let the pointer look like what a press would do."""
        shape = Qt.CursorShape.CrossCursor
        if self._drag == "move":
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._space and self._drag is None:
            shape = Qt.CursorShape.OpenHandCursor
        elif self._tool == "move":
            shape = Qt.CursorShape.PointingHandCursor if self._hover >= 0 else Qt.CursorShape.OpenHandCursor
        if self.cursor().shape() != shape:
            self.setCursor(shape)
