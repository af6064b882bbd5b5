"""Brings calls from other threads to the window's thread."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal, Slot


class GuiThread(QObject):
    """Runs callables on the thread that made it, in the order in which they were posted.

    What is posted must not come in floods: the frames of a worker wait in one slot each
    (`latentlab.session.rendering.FrameSlots`), so a slow window gets one call, not a queue of them.
    """

    _posted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._posted.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def post(self, call: Callable[[], None]) -> None:
        """Run ``call`` soon on the window's thread; may be called from any thread."""
        self._posted.emit(call)

    @Slot(object)
    def _run(self, call: Callable[[], None]) -> None:
        call()
