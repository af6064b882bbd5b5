"""Owns the live renderer: starts it when needed, brings its answers to the session's thread, ends it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from latentlab.live.frames import DeviceOverride, Encoded, Failed, Opened, Reading
from latentlab.live.renderer import LiveRenderer

Answer = TypeVar("Answer", Opened, Encoded, Failed, Reading)


class RendererHost:
    """Holds at most one renderer; answers of one that has been ended are dropped.

    Parameters
    ----------
    post
        Runs a callable soon on the session's thread; called from the worker's.
    opened, tuned, encoded, failed, reading
        Receive the answers on the session's thread.
    """

    def __init__(
        self,
        post: Callable[[Callable[[], None]], None],
        opened: Callable[[Opened], None],
        tuned: Callable[[Opened], None],
        encoded: Callable[[Encoded], None],
        failed: Callable[[Failed], None],
        reading: Callable[[Reading], None],
    ) -> None:
        self._post = post
        self._opened, self._tuned = opened, tuned
        self._encoded, self._failed, self._reading = encoded, failed, reading
        self.renderer: LiveRenderer | None = None

    def get(self, override: DeviceOverride) -> LiveRenderer:
        """Return the renderer, started with that wish if there is none yet."""
        if self.renderer is None:
            renderer = LiveRenderer(override)
            renderer.opened.connect(partial(self._from_worker, renderer, self._opened))
            renderer.tuned.connect(partial(self._from_worker, renderer, self._tuned))
            renderer.encoded.connect(partial(self._from_worker, renderer, self._encoded))
            renderer.reading.connect(partial(self._from_worker, renderer, self._reading))
            renderer.failed.connect(partial(self._from_worker, renderer, self._failed))
            renderer.start()
            self.renderer = renderer
        return self.renderer

    def end(self) -> None:
        """Stop the renderer and its thread, if there is one."""
        renderer, self.renderer = self.renderer, None
        if renderer is not None:
            renderer.close()

    def _from_worker(self, renderer: LiveRenderer, receive: Callable[[Answer], None], answer: Answer) -> None:
        self._post(partial(self._on_session_thread, renderer, receive, answer))

    def _on_session_thread(
        self, renderer: LiveRenderer, receive: Callable[[Answer], None], answer: Answer
    ) -> None:
        if renderer is self.renderer:
            receive(answer)
