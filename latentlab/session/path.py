"""The path through the ticked pins: its pictures, and travelling along it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from latentlab.live.frames import Frame
from latentlab.operations.interpolate import path
from latentlab.session.batches import Batch
from latentlab.session.document import Document, Pin
from latentlab.session.follower import Follower
from latentlab.session.session import Change
from latentlab.session.workspace import Workspace

STRIP = 24
"""Pictures of the strip at most."""
_KEY = "path"


class Path(Follower):
    """A path through two or more ticked pins; travelling on it edits the latent.

    Attributes
    ----------
    planned
        The path has changed, or there is none any more.
    arrived
        Pictures evenly spaced along it, from its beginning to its end (`Frame`).
    moved
        Where the latent stands on it has changed: a share of the way, 0 to 1; None off the path.
    """

    planned = Signal()
    arrived = Signal(Frame)
    moved = Signal(object)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._batch = Batch(workspace.rendering, "path", judged=False)
        self._batch.arrived.connect(self.arrived)
        self._latents: NDArray[np.float32] | None = None
        self._travelling = False
        self.position: float | None = None
        workspace.session.changed.connect(self._leave)

    @property
    def pins(self) -> tuple[Pin, ...]:
        """The pins that the path passes."""
        return tuple(pin for pin in self.shelf.pins if pin.ticked)

    @property
    def latents(self) -> NDArray[np.float32] | None:
        """The latents of the path, float32 ``[n, *latent_shape]``; None where there is no path."""
        return self._latents

    @property
    def conditions(self) -> NDArray[np.float32] | None:
        """The conditions of the path, float32 ``[n, C]``: from pin to pin they change evenly.

        None where there is no path or the model is unconditional; also while nobody looks at it.
        """
        state, pins, view = self.state, self.pins, self.shelf.path
        if state is None or state.condition is None or len(pins) < 2:
            return None
        told = [pin.condition_beside(state.condition) for pin in pins]
        rows = path([one for one in told if one is not None], view.steps, "linear", view.closed)
        return np.concatenate([rows, rows[:1]]) if view.closed else rows

    @property
    def stations(self) -> list[float]:
        """Where the pins lie on the path, as shares of the way."""
        if self._latents is None:
            return []
        last = len(self._latents) - 1
        return [k * self.shelf.path.steps / last for k in range(len(self.pins))]

    def watched(self, document: Document) -> tuple[object, ...]:
        """Return the pins and how the path goes."""
        return document.shelf.pins, document.shelf.path

    def refresh(self) -> None:
        """Lay the path anew and render its strip."""
        state = self.state
        assert state is not None
        self._latents = self.lay()
        if self._latents is None:
            self._batch.drop()
            self._stand(None)
            self.planned.emit()
            return
        self._stand(None)
        self.planned.emit()
        count = min(STRIP, len(self._latents))
        shown = np.linspace(0, len(self._latents) - 1, count).round().astype(int)
        conditions = self.conditions
        self._batch.ask(self._latents[shown], state.condition if conditions is None else conditions[shown])

    def lay(self) -> NDArray[np.float32] | None:
        """Return the latents of the path as the pins are now, also while nobody looks at it."""
        pins, view = self.pins, self.shelf.path
        if len(pins) < 2:
            return None
        latents = path([pin.latent for pin in pins], view.steps, view.kind, view.closed)
        # A closed path ends where it began, so that the whole way can be scrubbed.
        return np.concatenate([latents, latents[:1]]) if view.closed else latents

    def begin(self, name: str = "Travel along the path") -> None:
        """Begin to travel: until `end` all moves are one step."""
        self._workspace.session.begin_gesture(name, _KEY)

    def end(self) -> None:
        """End the travel; what else has been begun meanwhile goes on."""
        self._workspace.session.end_gesture(_KEY)

    def go_to(self, share: float) -> None:
        """Edit the latent at a share of the way, from 0 to 1.

        Where the encoder was told otherwise, it is no longer linked: the path leads through what the decoder
        is told.
        """
        state, latents = self.state, self._latents
        if state is None or latents is None or not self.ready or not self._active:
            return  # what nobody looks at does not follow: the path may be another model's
        share = min(1.0, max(0.0, share))
        place = round(share * (len(latents) - 1))
        latent, condition = np.array(latents[place]), state.condition
        conditions = self.conditions
        if conditions is not None:
            condition = np.array(conditions[place])
            condition.setflags(write=False)
        latent.setflags(write=False)
        document = self._workspace.session.document
        self._travelling = True
        try:
            same = condition is None or state.condition is None or np.array_equal(condition, state.condition)
            if not (same and np.array_equal(latent, state.latent)):
                told = state.source is None or np.array_equal(np.asarray(condition), np.asarray(state.told))
                linked = state.linked and told
                explore = replace(state, latent=latent, condition=condition, linked=linked)
                self._workspace.session.change(
                    "Travel along the path", replace(document, explore=explore), key=_KEY
                )
            self._stand(share)
        finally:
            self._travelling = False

    def _leave(self, change: Change) -> None:
        """Notice that the latent was changed otherwise, so that it no longer stands on the path."""
        if not self._travelling and change.before.explore is not change.after.explore:
            self._stand(None)

    def _stand(self, share: float | None) -> None:
        if share != self.position:
            self.position = share
            self.moved.emit(share)
