"""Finds directions in the encoded data for the window: what is asked waits until the data are there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from psygnal import Signal

from latentlab.errors import LatentLabError, SettingsError
from latentlab.operations.direction import Direction
from latentlab.operations.latent_brush import grid_of
from latentlab.session.map_data import MapData
from latentlab.session.session import Message
from latentlab.session.shelf import ShelfIntents
from latentlab.session.workspace import Workspace
from latentlab.spec import Attribute

if TYPE_CHECKING:
    from latentlab.operations.latent_map import LatentMap

Find = Callable[["LatentMap"], list[Direction]]

ROWS = 1_000
"""Images that are encoded for the components of a latent that is a grid: a large network does it."""


class DirectionFinder:
    """Finds on a thread of its own; what is found is added to the shelf as one step.

    Attributes
    ----------
    busy_changed
        What is being waited for (empty for nothing), how much of it is done, of how much.
    """

    busy_changed = Signal(str, int, int)

    def __init__(self, workspace: Workspace, data: MapData) -> None:
        self._workspace, self._data = workspace, data
        self._shelf = ShelfIntents(workspace.session)
        self._post = workspace.rendering.post
        self._wish: tuple[str, Find, bool] | None = None
        self._thread: threading.Thread | None = None
        data.changed.connect(self._go_on)
        data.found_map.connect(lambda _found: self._go_on())

    @property
    def of_what(self) -> str:
        """The set in which directions are found; empty where none is known."""
        return self._data.data

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes of the set that have classes."""
        found = self._data.found
        if found is not None:
            return tuple(one for one in found.info.attributes if one.classes)
        opened = self._workspace.opened
        # Before the data are there: what the predictor knows is what the bundled sets are labelled with.
        return () if opened is None or opened.predictor is None else opened.predictor.attributes

    @property
    def sets(self) -> tuple[str, ...]:
        """The sets in which directions can be found: the one that is known, then those of the program."""
        from latentlab.data.catalog import known_sets

        known = (self.of_what, *(f"{name}:train" for name in known_sets()))
        return tuple(dict.fromkeys(name for name in known if name))

    def find_components(self, count: int, data: str = "") -> None:
        """Add the first principal components.

        Parameters
        ----------
        data
            The set in which to find them; the one that the map shows without it.
        """
        opened = self._workspace.opened
        if data and data != self.of_what:
            view = self._shelf.shelf.map
            few = opened is not None and grid_of(opened.spec) is not None
            self._shelf.set_map(replace(view, data=data, count=min(view.count, ROWS) if few else view.count))

        def find(found: LatentMap) -> list[Direction]:
            from latentlab.operations.directions import principal_directions

            rows, size = found.latents.shape
            return principal_directions(found.latents, min(count, rows - 1, size))

        self._begin("Finding principal components", find)

    def find_attribute(self, name: str) -> None:
        """Add an attribute's direction: of two classes towards the second, of more one towards each."""

        def find(found: LatentMap) -> list[Direction]:
            from latentlab.operations.find_directions import attribute_directions

            attribute = next((one for one in found.info.attributes if one.name == name), None)
            if attribute is None:
                known = ", ".join(one.name for one in found.info.attributes) or "none"
                raise SettingsError(f"{found.info.data} has no labels for {name}; it has {known}.")
            return attribute_directions(found.latents, found.labels[name], attribute)

        self._begin(f"Finding the direction of {name}", find)

    def orthogonalise(self) -> None:
        """Make each direction on the shelf orthogonal to those before it."""

        def find(found: LatentMap) -> list[Direction]:
            from latentlab.operations.directions import orthogonalised

            # Those that are there by now: the data may have been waited for.
            return orthogonalised(self._shelf.shelf.directions, found.latents)

        self._begin("Orthogonalising", find, instead=True)

    def close(self) -> None:
        """Wait for what is being found."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _begin(self, text: str, find: Find, instead: bool = False) -> None:
        if not self.of_what:
            raise SettingsError(
                "It is not known on which images this model was trained. Choose a set in the map first."
            )
        if self._wish is not None:
            raise SettingsError(f"{self._wish[0]} is still going on.")
        self._wish = (text, find, instead)
        self._data.try_again()
        self._go_on()

    def _go_on(self) -> None:
        if self._wish is None or self._thread is not None:
            return
        text, find, instead = self._wish
        data = self._data
        if data.found is not None:
            self.busy_changed.emit(text, 0, 0)
            self._thread = threading.Thread(
                target=self._work, args=(find, data.found, instead), name="latentlab-directions", daemon=True
            )
            self._thread.start()
        elif data.phase in ("failed", "stopped", "none"):
            self._wish = None
            self.busy_changed.emit("", 0, 0)
            why = data.message or "there are no encoded data."
            self._workspace.session.message.emit(Message("error", f"{text} failed: {why}"))
        else:
            self.busy_changed.emit(f"{text}: {data.message.lower()}", data.done, data.total)

    def _work(self, find: Find, found: LatentMap, instead: bool) -> None:
        try:
            answer: list[Direction] | str = find(found)
        except LatentLabError as error:
            answer = str(error)
        except Exception as error:
            answer = f"No direction was found: {type(error).__name__}: {error}"
        self._post(partial(self._have, answer, found, instead))

    def _have(self, answer: list[Direction] | str, found: LatentMap, instead: bool) -> None:
        self.close()
        self._wish = None
        self.busy_changed.emit("", 0, 0)
        opened = self._workspace.opened
        if isinstance(answer, str):
            self._workspace.session.message.emit(Message("error", answer))
        elif opened is None or opened.sha256 != found.info.sha256:
            return  # another model is open by now
        elif instead:
            self._shelf.replace_directions(answer, "Orthogonalise directions")
        else:
            self._shelf.add_directions(answer, lead=grid_of(opened.spec) is not None)
