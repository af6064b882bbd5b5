"""Views of many pictures: each asks on a channel of its own and is told of the newest answer only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from latentlab.live.frames import Failed, Frame
from latentlab.session.rendering import GIVEN_UP, Lost, Rendering

Taker = Callable[[Frame], None]


class Batch:
    """One channel of batches.

    ``arrived`` brings the frames that answer the newest request; an older answer, which shows what has
    changed since, is passed on too while none newer is there, unless `drop` came between. ``failed`` tells
    that the newest request could not be rendered.

    Parameters
    ----------
    channel
        Its name; no other view has it.
    judged
        Whether the view shows attributes; without them its pictures come sooner.
    """

    arrived = Signal(Frame)
    failed = Signal(Failed)

    def __init__(self, rendering: Rendering, channel: str, judged: bool = True) -> None:
        self._rendering = rendering
        self._channel, self._judged = channel, judged
        self._asked = self._valid_from = self._shown = 0
        rendering.batch.connect(self._take)
        rendering.batch_failed.connect(self._fail)
        rendering.attached.connect(self._restart)

    def ask(
        self, latents: NDArray[np.float32], condition: NDArray[np.float32] | None, settled: bool = False
    ) -> int | None:
        """Ask for float32 ``[B, *latent_shape]`` in place of what still waits; return the generation."""
        generation = self._rendering.ask_batch(self._channel, latents, condition, settled, self._judged)
        if generation is not None:
            self._asked = generation
        return generation

    @property
    def waiting(self) -> bool:
        """Whether the newest request has not been answered yet."""
        return self._asked > self._shown

    def drop(self) -> None:
        """Let no answer to what has been asked so far through."""
        self._valid_from = self._asked + 1
        self._shown = self._asked

    def _restart(self, attached: bool) -> None:
        """Begin anew: another renderer counts its generations from 1, and old requests were made void.

        Only when the former one is left: when the next is there, others may have asked it already.
        """
        if not attached:
            self._asked = self._valid_from = self._shown = 0

    def _take(self, frame: Frame) -> None:
        if frame.channel == self._channel and frame.generation >= max(self._valid_from, self._shown):
            self._shown = frame.generation
            self.arrived.emit(frame)

    def _fail(self, failed: Failed) -> None:
        if failed.channel == self._channel and failed.token == self._asked:
            self._shown = self._asked
            self.failed.emit(failed)


class Export:
    """Renders batches settled, one after the other, and gives each to who asked for it."""

    def __init__(self, rendering: Rendering) -> None:
        self._rendering = rendering
        self._batch = Batch(rendering, "export")
        self._batch.arrived.connect(self._take)
        self._batch.failed.connect(self._fail)
        self._waiting: list[tuple[NDArray[np.float32], NDArray[np.float32] | None, Taker, Lost]] = []
        rendering.attached.connect(self._restart)

    def render(
        self, latents: NDArray[np.float32], condition: NDArray[np.float32] | None, taker: Taker, lost: Lost
    ) -> None:
        """Render float32 ``[B, *latent_shape]`` so that it comes out the same to the bit.

        ``lost`` is called instead of the taker where nothing comes of it: it fails, or the model is closed
        or changed.
        """
        if not len(latents) or not self._rendering.is_attached:
            lost(GIVEN_UP if len(latents) else "There are no pictures to render.", "")
            return
        self._waiting.append((latents, condition, taker, lost))
        if len(self._waiting) == 1:
            self._ask()

    @property
    def busy(self) -> bool:
        """Whether anything is still being rendered."""
        return bool(self._waiting)

    def _ask(self) -> None:
        if self._waiting:
            latents, condition, _, _ = self._waiting[0]
            self._batch.ask(latents, condition, settled=True)

    def _take(self, frame: Frame) -> None:
        if self._waiting:
            _, _, taker, _ = self._waiting.pop(0)
            self._ask()
            taker(frame)

    def _fail(self, failed: Failed) -> None:
        if self._waiting:
            _, _, _, lost = self._waiting.pop(0)
            self._ask()
            lost(failed.message, failed.details)

    def _restart(self, _attached: bool) -> None:
        waiting, self._waiting = self._waiting, []
        for _, _, _, lost in waiting:
            lost(GIVEN_UP, "")
