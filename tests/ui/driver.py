"""A window and what a test does with it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pytestqt.exceptions import TimeoutError as WaitedInVain

from latentlab.ui.main_window import MainWindow

PATIENCE = 120_000
"""Milliseconds that a test waits at most: importing torch takes long on a busy machine."""


class Driver:
    """A window and what a test does with it."""

    def __init__(self, qtbot, window: MainWindow) -> None:
        self.qtbot, self.window = qtbot, window
        self.workspace, self.screen = window.workspace, window.explore
        self.list = window.explore.panel.list

    def wait(self, reached: Callable[[], object]) -> None:
        try:
            self.qtbot.waitUntil(lambda: bool(reached()), timeout=PATIENCE)
        except WaitedInVain:
            said, busy = self.window.banner.message, self.workspace.busy
            raise AssertionError(f"waited in vain; the window says {said}, busy: {busy!r}") from None

    def rest(self) -> None:
        """Wait until the settled frame of the state and all that belongs to it is painted."""
        self.wait(lambda: self.workspace.in_step and self.screen.at_rest)

    @property
    def latent(self) -> np.ndarray:
        return self.workspace.explore.state.latent.reshape(-1)

    @property
    def undo_name(self) -> str | None:
        return self.workspace.session.history.undo_name

    @property
    def picture(self) -> np.ndarray:
        """The edited picture as it is shown, uint8 [S, S, 3], RGB."""
        return self.screen.stage.edited.pixels[..., 2::-1]
