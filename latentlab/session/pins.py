"""Small pictures of the pins and groups, rendered anew when these change."""

from __future__ import annotations

import numpy as np
from psygnal import Signal

from latentlab.live.frames import Frame
from latentlab.session.batches import Batch
from latentlab.session.document import Document
from latentlab.session.follower import Follower
from latentlab.session.workspace import Workspace


class PinPictures(Follower):
    """Has the pins' latents and the groups' means rendered.

    Attributes
    ----------
    arrived
        One picture a pin, then one a group, in their order (`Frame`).
    """

    arrived = Signal(Frame)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._batch = Batch(workspace.rendering, "pins")
        self._batch.arrived.connect(self._take)
        self._shown: tuple[object, ...] = ()

    def watched(self, document: Document) -> tuple[object, ...]:
        """Return pins and groups."""
        return document.shelf.pins, document.shelf.groups

    def refresh(self) -> None:
        """Render the pins and groups there are."""
        pins, groups = self.shelf.pins, self.shelf.groups
        latents = [pin.latent for pin in pins] + [group.mean for group in groups]
        state = self.state
        assert state is not None
        self._shown = pins, groups
        self._batch.drop()  # a frame of other pins would stand beside the wrong names
        if latents:
            self._batch.ask(np.stack(latents), state.condition)

    def _take(self, frame: Frame) -> None:
        # The pins may have changed while nobody looked.
        if self._shown[0] is self.shelf.pins and self._shown[1] is self.shelf.groups:
            self.arrived.emit(frame)
