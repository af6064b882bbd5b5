"""All that a person can do on the Explore screen with what is open, in one place for its views."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from latentlab.session.along import AlongIntents
from latentlab.session.audit_intents import AuditIntents
from latentlab.session.condition import ConditionIntents
from latentlab.session.latent_brush import LatentBrushIntents
from latentlab.session.painting import PaintIntents
from latentlab.session.sample_intents import SampleIntents
from latentlab.session.search_intents import SearchIntents
from latentlab.session.session import Message
from latentlab.session.shelf import ShelfIntents
from latentlab.session.train_intents import TrainIntents
from latentlab.session.workspace import Workspace


class Intents:
    """The intents of the Explore screen on one workspace.

    Attributes
    ----------
    lesson_brought
        A lesson's file (`Path`) was dropped or opened.
    """

    lesson_brought = Signal(Path)

    def __init__(self, workspace: Workspace) -> None:
        self._session = workspace.session
        self.explore = workspace.explore
        self.shelf = ShelfIntents(workspace.session)
        self.samples = SampleIntents(workspace.session)
        self.along = AlongIntents(workspace.session)
        self.condition = ConditionIntents(workspace.session, workspace.teller)
        self.painting = PaintIntents(workspace)
        self.latent_brush = LatentBrushIntents(workspace)
        self.audit = AuditIntents(workspace.session)
        self.search = SearchIntents(workspace.session)
        self.train = TrainIntents(workspace.session)

    def go_along(self, latent: NDArray[np.float32], name: str) -> None:
        """Go to a latent of a view, as `go_to`; a message says so where that would change what is locked."""
        state, locked = self.explore.state, self._session.document.shelf.locked
        if state is None:
            return
        there, here = np.asarray(latent).reshape(-1), state.latent.reshape(-1)
        held = [k for k in sorted(locked) if k < here.size and there[k] != here[k]]
        if held:
            text = f"Dimension {held[0]} is locked and stays as it is. Unlock it to go there."
            self._session.message.emit(Message("error", text))
        else:
            self.go_to(latent, name)

    def go_to(self, latent: NDArray[np.float32], name: str, key: str | None = None) -> None:
        """Edit another latent, float32 ``[*latent_shape]``, as a step of that name; the start stays."""
        state = self.explore.state
        if state is None or np.array_equal(latent, state.latent):
            return
        kept = np.array(latent, dtype=np.float32).reshape(state.latent.shape)
        kept.setflags(write=False)
        document = self._session.document
        self._session.change(name, replace(document, explore=replace(state, latent=kept)), key)
