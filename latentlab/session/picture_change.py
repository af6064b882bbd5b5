"""How much each dimension changes the edited picture, asked once and measured in parts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from latentlab.live.frames import Frame
from latentlab.operations.picture_change import change_latents, differences
from latentlab.session.batches import Batch
from latentlab.session.document import Document
from latentlab.session.follower import Follower
from latentlab.session.workspace import Workspace

AT_ONCE = 32
"""Dimensions that are measured with one request."""


class PictureChange(Follower):
    """Measures when it is asked to (`measure`), not as the latent moves: rows must not run away.

    Attributes
    ----------
    measured
        The change that each dimension makes, float64 ``[latent_size]``, of 255.
    """

    measured = Signal(object)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._batch = Batch(workspace.rendering, "change", judged=False)
        self._batch.arrived.connect(self._take)
        self._latent: NDArray[np.float32] | None = None
        self._found: list[NDArray[np.float64]] = []

    def watched(self, document: Document) -> tuple[object, ...]:
        """Return nothing: it does not follow."""
        return ()

    def measure(self) -> None:
        """Measure at the latent as it is now."""
        if self.ready:
            self.refresh()

    def refresh(self) -> None:
        """Begin to measure."""
        assert self.state is not None
        self._latent, self._found = self.state.latent, []
        self._batch.drop()  # answers to a measurement that was begun before
        self._ask()

    def _ask(self) -> None:
        state, done = self.state, sum(map(len, self._found))
        assert state is not None
        assert self._latent is not None
        dimensions = np.arange(done, min(done + AT_ONCE, self.spec.latent_size))
        self._batch.ask(change_latents(self.spec, self._latent, dimensions), state.condition)

    def _take(self, frame: Frame) -> None:
        if self._latent is None or not self.ready:
            return
        self._found.append(differences(frame.pixels[..., :3]))
        if sum(map(len, self._found)) < self.spec.latent_size:
            self._ask()
        else:
            self._latent = None
            self.measured.emit(np.concatenate(self._found))
