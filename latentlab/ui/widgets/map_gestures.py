"""The two gestures that draw on the map: walking, and throwing a lasso. By pointer and by keys alike."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal

from latentlab.ui.widgets.map_drawing import Trace
from latentlab.ui.widgets.map_marks import Place

LEAST_STEP = 2.0
"""How far apart the lasso's corners are at least, in pixels."""
LEAST_LASSO = 4.0
"""A lasso that is narrower was a click."""


class Walk(QObject):
    """A way through the map: begun, moved and ended, each once or more, always in this order."""

    begun = Signal(float, float)
    moved = Signal(float, float)
    ended = Signal()

    def __init__(self, trace: Trace, parent: QObject) -> None:
        super().__init__(parent)
        self._trace = trace
        self.active = False

    @property
    def here(self) -> Place | None:
        """Where the walk has come to; None while nobody walks."""
        return self._trace.trail[-1] if self.active else None

    def begin(self, place: Place) -> None:
        """Set out from a place; what was walked before is forgotten."""
        self._trace.trail[:] = [place]
        self.active = True
        self.begun.emit(*place)

    def to(self, place: Place) -> None:
        """Go on to a place."""
        if self.active and place != self._trace.trail[-1]:
            self._trace.trail.append(place)
            self.moved.emit(*place)

    def end(self) -> None:
        """Stop; the way stays to be seen."""
        if self.active:
            self.active = False
            self.ended.emit()

    def forget(self) -> None:
        """Stop, and take the way off the map."""
        self.end()
        self._trace.trail.clear()


class Lasso(QObject):
    """A polygon that is drawn in one stroke, or corner by corner with a cross that keys move."""

    closed = Signal(object)

    def __init__(self, trace: Trace, parent: QObject) -> None:
        super().__init__(parent)
        self._trace = trace

    @property
    def active(self) -> bool:
        """Whether a lasso is being drawn, or the cross is out."""
        return bool(self._trace.corners) or self._trace.tip is not None

    @property
    def tip(self) -> Place | None:
        """Where the cross of the keys is."""
        return self._trace.tip

    def begin(self, place: Place) -> None:
        """Begin a stroke; the cross goes."""
        self._trace.tip = None
        self._trace.corners[:] = [place]

    def to(self, place: Place, scale: float) -> None:
        """Go on to a place, at ``scale`` pixels to a unit."""
        if self._trace.corners and _apart(self._trace.corners[-1], place) * scale >= LEAST_STEP:
            self._trace.corners.append(place)

    def point(self, place: Place) -> None:
        """Put the cross at a place."""
        self._trace.tip = place

    def corner(self, scale: float) -> None:
        """Set a corner at the cross; on the first corner or twice on the last one, close the lasso."""
        corners, tip = self._trace.corners, self._trace.tip
        if tip is None:
            return
        if len(corners) > 2 and min(_apart(corners[0], tip), _apart(corners[-1], tip)) * scale < 4:
            self.close(scale)
        elif not corners or _apart(corners[-1], tip) * scale >= LEAST_STEP:
            corners.append(tip)

    def take_back(self) -> None:
        """Take the last corner back."""
        if self._trace.corners:
            self._trace.corners.pop()

    def close(self, scale: float) -> None:
        """Join the last corner to the first, and tell the polygon, float32 ``[m, 2]``, if it is one."""
        polygon = np.array(self._trace.corners, dtype=np.float32).reshape(-1, 2)
        self.cancel()
        if len(polygon) > 2 and np.ptp(polygon, axis=0).min() * scale >= LEAST_LASSO:
            self.closed.emit(polygon)

    def cancel(self) -> None:
        """Let go of it."""
        self._trace.corners.clear()
        self._trace.tip = None


def _apart(one: Place, other: Place) -> float:
    return float(np.hypot(one[0] - other[0], one[1] - other[1]))
