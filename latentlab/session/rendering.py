"""Keeps the edited picture in step with the session: asks the renderer, takes frames, checks generations.

The renderer answers on its own thread; its newest frame of each channel waits in a slot of its own until
the session's thread takes it, so a slow listener skips frames and never falls behind.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from latentlab.live.frames import Failed, Frame
from latentlab.live.renderer import LiveRenderer
from latentlab.session.document import Explore
from latentlab.session.session import Change, Session

Post = Callable[[Callable[[], None]], None]
"""Runs a callable soon on the session's thread; may be called from any thread."""

SettledListener = Callable[[Explore, Frame], None]
"""Receives a state of the Explore screen with its settled frame."""

Lost = Callable[[str, str], object]
"""Receives why nothing comes of what was asked for, as a sentence, and the details of a fault, else empty."""

GIVEN_UP = "The model was closed or changed before the pictures had been rendered. Do it again."

EDITED, START = "main", "start"
"""The channels: the edited latent, and a start that has no reconstruction to show. Batches have others."""

_REMEMBERED = 256


class FrameSlots:
    """One slot a channel in which a newer frame replaces an older one. Safe between threads."""

    def __init__(self) -> None:
        self._frames: dict[str, Frame] = {}
        self._lock = threading.Lock()

    def put(self, frame: Frame) -> bool:
        """Leave a frame; return whether its slot was empty, so that the taker has to be told."""
        with self._lock:
            empty = frame.channel not in self._frames
            self._frames[frame.channel] = frame
            return empty

    def take(self, channel: str) -> Frame | None:
        """Take the frame out, None where there is none."""
        with self._lock:
            return self._frames.pop(channel, None)


class Rendering:
    """Asks for a frame whenever the latent changes, and passes on the frames that are not stale.

    A frame is stale when a newer one has been shown, or when it was asked for before the last jump (a
    reset, an undo, another picture). Between jumps, while a slider moves, every newer frame is shown.

    Parameters
    ----------
    session
        Whose document is rendered.
    post
        How the worker's frames reach the session's thread.

    Attributes
    ----------
    edited, started, batch
        Frames of the edited latent, of the start, and of all other views.
    batch_failed
        A frame of another view could not be rendered.
    attached
        Whether there is a renderer now: another one, or none.
    """

    edited = Signal(Frame)
    started = Signal(Frame)
    batch = Signal(Frame)
    batch_failed = Signal(Failed)
    attached = Signal(bool)

    def __init__(self, session: Session, post: Post) -> None:
        self._session = session
        self._post = post
        self._renderer: LiveRenderer | None = None
        self._slots = FrameSlots()
        self._barrier = self._shown = 0
        self._asked: dict[int, float] = {}
        self._settling: dict[int, Explore] = {}
        self._settled: tuple[Explore, Frame] | None = None
        self._waiting: list[tuple[SettledListener, Lost]] = []
        session.changed.connect(self._follow)

    def attach(self, renderer: LiveRenderer | None) -> None:
        """Render with this renderer from now on (its model fits the document), or not at all (None)."""
        if self._renderer is renderer:
            return
        if self._renderer is not None:
            self._renderer.frame.disconnect(self._arrived)
        self._renderer = renderer
        self._slots = FrameSlots()
        self._asked.clear()
        self._settling.clear()
        self._settled = None
        self._barrier = self._shown = 0
        if renderer is not None:
            renderer.frame.connect(self._arrived)
        self._give_up(GIVEN_UP)
        self.attached.emit(renderer is not None)

    @property
    def post(self) -> Post:
        """How other threads reach the session's."""
        return self._post

    @property
    def is_attached(self) -> bool:
        """Whether there is a renderer whose model fits the document."""
        return self._renderer is not None

    def ask_batch(
        self,
        channel: str,
        latents: NDArray[np.float32],
        condition: NDArray[np.float32] | None,
        settled: bool = False,
        judged: bool = True,
    ) -> int | None:
        """Ask for many pictures at once; `batch` brings them, after the edited one's.

        Parameters
        ----------
        channel
            A batch that waits is replaced by a newer one of the same channel.
        latents, condition
            Float32 ``[B, *latent_shape]``, and a condition for each ``[B, C]`` or one ``[C]`` for all.
        judged
            Whether attributes are wanted, as in `latentlab.live.frames.RenderRequest`.

        Returns
        -------
        int or None
            The frame's generation; None where no model is attached.
        """
        if self._renderer is None or not len(latents):
            return None
        rows = condition
        if condition is not None and condition.ndim == 1:
            rows = np.repeat(condition[None], len(latents), axis=0)
        threads = self._session.document.threads
        return self._renderer.render(latents, rows, settled, channel, threads, judged)

    def refresh(self) -> None:
        """Ask for the start (where it has no reconstruction) and the edited picture anew."""
        state = self._session.document.explore
        if self._renderer is None or state is None:
            return
        self._settled = None
        self._barrier = self._ask(state)
        if state.source is None:
            self._ask_start(state)

    def settle(self) -> None:
        """Ask for the settled frame of the state, if it is not there or on its way."""
        state = self._session.document.explore
        if self._renderer is None or state is None or self.settled_frame is not None:
            return
        if state not in self._settling.values():
            self._settling[self._ask(state, settled=True)] = state

    @property
    def settled_frame(self) -> Frame | None:
        """The settled frame of the state as it is now, None while there is none."""
        if self._settled is not None and self._settled[0] is self._session.document.explore:
            return self._settled[1]
        return None

    def when_settled(self, listener: SettledListener, lost: Lost) -> None:
        """Call the listener once with the settled frame of the state, now or when it is there.

        ``lost`` is called instead where none will come: it fails, or the model is closed or changed.
        """
        if self._settled is not None and self._settled[0] is self._session.document.explore:
            listener(*self._settled)
            return
        self._waiting.append((listener, lost))
        if self.is_attached:
            self.settle()
        else:
            self._give_up(GIVEN_UP)

    def asked_at(self, generation: int) -> float | None:
        """Return when that frame was asked for, in seconds of `time.perf_counter`; None if long ago."""
        return self._asked.get(generation)

    def fail(self, failed: Failed) -> None:
        """Tell those who wait for a frame that it could not be rendered."""
        if failed.channel not in (EDITED, START):
            self.batch_failed.emit(failed)
        elif self._waiting:
            if self._settling.pop(failed.token, None) is self._session.document.explore:
                self._give_up(failed.message, failed.details)
            else:
                self.settle()

    @property
    def barrier(self) -> int:
        """The generation of the last jump's request: what was asked for before must not be shown any more."""
        return self._barrier

    def is_stale(self, generation: int) -> bool:
        """Whether an answer to that request of the edited picture is no longer worth showing."""
        return generation < self._barrier or generation < self._shown

    def is_past(self, failed: Failed) -> bool:
        """Whether nobody need be told of a frame that failed: a newer one has been shown."""
        return failed.channel in (EDITED, START) and self.is_stale(failed.token)

    def _give_up(self, why: str, details: str = "") -> None:
        waiting, self._waiting = self._waiting, []
        for _, lost in waiting:
            lost(why, details)

    def _follow(self, change: Change) -> None:
        before, state = change.before.explore, change.after.explore
        if self._renderer is None or state is None or state is before:
            return
        if change.way == "move" and before is not None and _is_drawn_alike(before, state):
            return  # while a person paints on the input, what is drawn follows when that has been encoded
        generation = self._ask(state)
        if change.way != "move":
            self._barrier = generation
        if state.source is None and (before is None or before.start is not state.start):
            self._ask_start(state)

    def _ask(self, state: Explore, settled: bool = False) -> int:
        assert self._renderer is not None
        now = time.perf_counter()
        latents, condition = _arrays(state.latent, state.condition)
        threads = self._session.document.threads
        generation = self._renderer.render(latents, condition, settled, EDITED, threads)
        self._asked[generation] = now
        if len(self._asked) > _REMEMBERED:
            del self._asked[next(iter(self._asked))]
        return generation

    def _ask_start(self, state: Explore) -> None:
        assert self._renderer is not None
        latents, condition = _arrays(state.start, state.start_condition)
        self._renderer.render(latents, condition, True, START, self._session.document.threads)

    def _arrived(self, frame: Frame) -> None:
        """On the worker's thread: leave the frame, and tell the session's thread if it does not know."""
        slots = self._slots
        if slots.put(frame):
            self._post(partial(self._take, slots, frame.channel))

    def _take(self, slots: FrameSlots, channel: str) -> None:
        frame = slots.take(channel)
        if frame is None or slots is not self._slots or self._renderer is None:
            return
        if channel != EDITED:
            (self.started if channel == START else self.batch).emit(frame)
            return
        state = self._settling.pop(frame.generation, None)
        for generation in [g for g in self._settling if g < frame.generation]:
            del self._settling[generation]
        if self.is_stale(frame.generation):
            return
        self._shown = frame.generation
        if frame.settled and state is not None:
            self._settled = (state, frame)
        elif not frame.settled:
            self._settled = None  # an undo may have come back to its state: it is no longer what is seen
        self.edited.emit(frame)
        if frame.settled and state is not None and state is self._session.document.explore:
            waiting, self._waiting = self._waiting, []
            for listener, _ in waiting:
                listener(state, frame)
        elif self._waiting:
            self.settle()


def _is_drawn_alike(one: Explore, other: Explore) -> bool:
    """Whether two states are one picture: of the very same latent and condition."""
    return one.latent is other.latent and one.condition is other.condition


def _arrays(
    latent: NDArray[np.float32], condition: NDArray[np.float32] | None
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Return a batch of one, copied, so that the worker owns what it reads."""
    return np.array(latent[None]), None if condition is None else np.array(condition[None])
