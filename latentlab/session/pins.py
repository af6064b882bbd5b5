"""Pictures of the pins and groups, rendered anew when these change.

They are settled ones: the edited picture is compared with a pin, which must not differ from itself.
"""

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
        """Return pins and groups, and the condition under which groups are shown."""
        state, groups = document.explore, document.shelf.groups
        return document.shelf.pins, groups, state.condition if state is not None and groups else None

    def refresh(self) -> None:
        """Render the pins and groups there are."""
        pins, groups = self.shelf.pins, self.shelf.groups
        latents = [pin.latent for pin in pins] + [group.mean for group in groups]
        state = self.state
        assert state is not None
        self._shown = pins, groups
        self._batch.drop()  # a frame of other pins would stand beside the wrong names
        if latents:
            conditions = [pin.condition_beside(state.condition) for pin in pins]
            conditions += [state.condition] * len(groups)
            told = [one for one in conditions if one is not None]
            self._batch.ask(np.stack(latents), np.stack(told) if told else None, settled=True)

    def _take(self, frame: Frame) -> None:
        # The pins may have changed while nobody looked.
        if self._shown[0] is self.shelf.pins and self._shown[1] is self.shelf.groups:
            self.arrived.emit(frame)
