"""Moving the edited latent along named directions, as one moves it along its dimensions.

A direction has no value of its own: where the latent stands on it is measured from the start, in sigma.
Two directions that are not orthogonal therefore move each other's numbers, as they do each other's pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import SettingsError
from latentlab.operations.direction import Direction, free_step, offset
from latentlab.session.document import Explore
from latentlab.session.session import Session

_SAME = 2e-6


@dataclass(frozen=True, eq=False)
class _Run:
    """Moves along one direction that followed one another: all of them start from ``origin``.

    Were each added to the one before, a long drag would add up so many roundings that it did not return.
    """

    by: tuple[Direction, frozenset[int]]
    origin: NDArray[np.float32]
    last: NDArray[np.float32]


class AlongIntents:
    """The Explore screen's intents for directions, by their names."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._run: _Run | None = None

    def begin_move(self, name: str) -> None:
        """Begin to drag a direction's slider: until `end_move` the moves are one step."""
        self._session.begin_gesture(f"Move {name}", f"direction {name}")

    def end_move(self) -> None:
        """End the drag."""
        self._session.end_gesture()

    def offset(self, name: str) -> float:
        """Return how far the latent lies from the start along a direction, in sigma."""
        found = self._found(name)
        return 0.0 if found is None else offset(found[1].latent, found[1].start, found[0])

    def move(self, name: str, sigmas: float) -> None:
        """Move the latent along a direction until it lies that many sigma from the start."""
        self._move(name, sigmas, f"Move {name}", key=f"direction {name}")

    def reset(self, name: str) -> None:
        """Go back along a direction to where the start is."""
        if abs(self.offset(name)) > _SAME:
            self._move(name, 0.0, f"Reset {name}")

    def _move(self, name: str, sigmas: float, step: str, key: str | None = None) -> None:
        found = self._found(name)
        if found is None:
            return
        direction, state = found
        locked = self._session.document.shelf.locked
        try:
            way = free_step(direction, locked)
        except SettingsError:
            return
        run = self._run
        goes_on = run is not None and run.last is state.latent and run.by == (direction, locked)
        origin = run.origin if run is not None and goes_on else state.latent
        by = sigmas - offset(origin, state.start, direction)
        moved = origin.reshape(-1) + np.float32(by * direction.sigma) * way
        latent = np.asarray(moved, dtype=np.float32).reshape(state.latent.shape)
        if np.allclose(latent, state.start, rtol=0.0, atol=_SAME):  # there and back is back, not nearly back
            latent = np.array(state.start)
        if not np.array_equal(latent, state.latent):
            latent.setflags(write=False)
            self._run = _Run((direction, locked), origin, latent)
            explore = replace(state, latent=latent)
            self._session.change(step, replace(self._session.document, explore=explore), key)

    def _found(self, name: str) -> tuple[Direction, Explore] | None:
        document = self._session.document
        direction, state = document.shelf.direction(name), document.explore
        fits = direction is not None and state is not None and len(direction.vector) == state.latent.size
        return (direction, state) if fits and direction is not None and state is not None else None
