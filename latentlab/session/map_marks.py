"""Where the edited latent and the pins lie on the map, and what latent a place on it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from latentlab.session.document import Document, MapView
from latentlab.session.follower import Follower
from latentlab.session.map_data import MapData
from latentlab.session.workspace import Workspace

if TYPE_CHECKING:
    from latentlab.operations.latent_map import LatentMap
    from latentlab.operations.map_info import Layout


class MapMarks(Follower):
    """Keeps the marks of the map in step with the session.

    Attributes
    ----------
    moved
        `here` or `pins` have changed.
    """

    moved = Signal()

    def __init__(self, workspace: Workspace, data: MapData) -> None:
        super().__init__(workspace)
        self._data = data
        self.here: tuple[float, float] | None = None
        self.pins: list[tuple[float, float, str]] = []

    @property
    def layout(self) -> Layout:
        """The layout that is shown: the one that is asked for, as soon as it is there."""
        found = self._data.found
        return "pca" if found is None else shown_layout(found, self.shelf.map)

    def watched(self, document: Document) -> tuple[object, ...]:
        """Return the latent, the pins and the layout."""
        explore, shelf = document.explore, document.shelf
        return None if explore is None else explore.latent, shelf.pins, shelf.map

    def refresh_if_ready(self) -> None:
        """Place the marks anew, if it is looked at and a model is open."""
        if self.active and self.ready:
            self.refresh()

    def refresh(self) -> None:
        """Place the marks anew."""
        found, state = self._data.found, self.state
        if found is None or state is None:
            self.here, self.pins = None, []
        else:
            self.here = _point(found.place_of(self.layout, state.latent))
            places = [_point(found.place_of(self.layout, one.latent)) for one in self.shelf.pins]
            self.pins = [(*place, one.name) for place, one in zip(places, self.shelf.pins, strict=True)]
        self.moved.emit()

    def latent_at(self, x: float, y: float) -> NDArray[np.float32] | None:
        """Return the latent that a place stands for, as near to the edited one as the layout allows."""
        found, state = self._data.found, self.state
        if found is None or state is None:
            return None
        point = np.array([x, y], dtype=np.float32)
        return found.walk(self.layout, state.latent, point).reshape(state.latent.shape)


def shown_layout(found: LatentMap, view: MapView) -> Layout:
    """Return the layout of a map that a view shows: the one it asks for, as soon as the map has it."""
    return view.layout if view.layout in found.places else "pca"


def _point(place: NDArray[np.float32]) -> tuple[float, float]:
    return float(place[0]), float(place[1])
