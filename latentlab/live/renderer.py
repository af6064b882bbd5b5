"""The live renderer: requests go in from any thread, answers come out as signals on the worker's thread.

Of each kind of request only the newest is kept, so a slider that moves faster than frames are rendered
skips what nobody would see. This module imports no torch: the worker does, when it has started.
"""

from __future__ import annotations

import contextlib
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import EmitLoopError, Signal, SignalInstance

from latentlab.errors import Cancelled, LatentLabError, SettingsError
from latentlab.live.frames import (
    DeviceOverride,
    Encoded,
    Failed,
    Frame,
    Opened,
    Reading,
    RenderRequest,
    Task,
)
from latentlab.live.mailbox import ENCODE, MAIN, OPEN, Letter, Mailbox
from latentlab.live.memory import give_back
from latentlab.progress import Progress, Reporter

if TYPE_CHECKING:
    from latentlab.live.engine import Engine, Pictures

REST_BEFORE_TRIAL = 0.4
"""Seconds without a request after which the trial of ways goes on."""


@dataclass(frozen=True)
class _Open:
    token: int
    checkpoint: str
    predictor: str | None
    sha256: str


@dataclass(frozen=True, eq=False)
class _Encode:
    token: int
    picture: NDArray[np.uint8]
    condition: NDArray[np.float32] | None
    own: NDArray[np.float32] | None


class LiveRenderer:
    """Renders the newest state of the controls on a thread of its own.

    All methods return at once and may be called from any thread; answers are signals, emitted on the
    worker's thread. `open` makes every earlier request void. Of each channel frames come in the order of
    their generations, and never one that was asked for before the last `open`.

    Parameters
    ----------
    override
        Wishes about device, precision and threads; None leaves all to the trial.

    Attributes
    ----------
    opened
        A model is ready (`Opened`).
    tuned
        The trial has found how the open model is rendered from now on (`Opened`, of the same token).
    reading
        How far the weights of a model that is being opened have been read (`Reading`).
    frame, encoded, failed
        Answers to `render`, `encode`, and to what could not be done.
    busy
        True while a model is being opened or a picture encoded, False afterwards.
    """

    opened = Signal(Opened)
    tuned = Signal(Opened)
    reading = Signal(Reading)
    frame = Signal(Frame)
    encoded = Signal(Encoded)
    failed = Signal(Failed)
    busy = Signal(bool)

    def __init__(self, override: DeviceOverride | None = None) -> None:
        self._override = override or DeviceOverride()
        self._mailbox = Mailbox()
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._valid_from = self._stopped = 0
        self._thread: threading.Thread | None = None
        self._engine: Engine | None = None
        self._open: Opened | None = None
        self._trial: Iterator[None] | None = None

    def start(self) -> None:
        """Start the worker; it imports torch at once. Requests may be made before."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="latentlab-renderer", daemon=True)
            self._thread.start()

    def open(self, checkpoint: str, predictor: str | None = None, sha256: str = "") -> int:
        """Ask for a model to be opened, and return the request's token.

        Parameters
        ----------
        checkpoint
            A path or a bundled name.
        predictor
            The attribute predictor's checkpoint; the empty string for none; None for the one that fits.
        sha256
            What the SHA-256 of the model's weights must be; not looked at if empty.
        """
        with self._lock:
            token = next(self._numbers)
            self._valid_from = token
            self._mailbox.clear(keep=OPEN)
            self._mailbox.put(OPEN, _Open(token, checkpoint, predictor, sha256))
        return token

    def stop_opening(self, token: int) -> None:
        """Ask for no more of a model that is being opened; `failed` tells when it has stopped.

        One that is ready by then is `opened` all the same.
        """
        self._stopped = token

    def encode(
        self,
        image: NDArray[np.uint8],
        condition: NDArray[np.float32] | None = None,
        own: NDArray[np.float32] | None = None,
    ) -> int:
        """Ask for a picture uint8 ``[H, W, 3]`` (RGB) to be encoded, and return the request's token.

        A conditional model encodes it under ``condition``, float32 ``[C]``; ``own`` is the picture's own
        (both as in `Engine.encode`).
        """
        with self._lock:
            token = next(self._numbers)
            self._mailbox.put(ENCODE, _Encode(token, np.array(image), condition, own))
        return token

    def render(
        self,
        latents: NDArray[np.float32],
        condition: NDArray[np.float32] | None = None,
        settled: bool = False,
        channel: str = MAIN,
        threads: int = 1,
        judged: bool = True,
    ) -> int:
        """Ask for a frame, in place of what still waits in its channel, and return its generation.

        Parameters
        ----------
        latents, condition
            Float32 ``[B, *latent_shape]`` and ``[B, C]`` (None for an unconditional model).
        settled
            Whether to render it so that it comes out the same to the bit, with ``threads`` threads.
        channel
            ``main`` goes first and interrupts the others between their parts.
        judged
            Whether attributes are wanted, as in `RenderRequest`.
        """
        if channel in (OPEN, ENCODE):
            raise SettingsError(f"A channel of frames cannot be called {channel!r}.")
        latents = np.array(latents, dtype=np.float32)
        condition = None if condition is None else np.array(condition, dtype=np.float32)
        with self._lock:
            generation = next(self._numbers)
            request = RenderRequest(generation, latents, condition, settled, threads, channel, judged)
            self._mailbox.put(channel, request)
        return generation

    def is_idle(self) -> bool:
        """Whether every request has been answered or replaced (a trial may still be going on)."""
        return self._mailbox.is_idle()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until every request has been answered or replaced; False when the timeout is over first."""
        return self._mailbox.wait_idle(timeout)

    def close(self) -> None:
        """Drop all requests, stop the worker and wait for it."""
        self._mailbox.close()
        if (engine := self._engine) is not None:
            engine.interrupt()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
            self._thread = None

    # On the worker's thread

    def _work(self) -> None:
        with contextlib.suppress(ImportError):  # opening says so
            import torch  # noqa: F401 - so that opening finds it loaded
        rest = REST_BEFORE_TRIAL
        while not self._mailbox.closed:
            letter = self._mailbox.take(None if self._trial is None else rest)
            if letter is not None:
                self._answer(letter)
                rest = REST_BEFORE_TRIAL
            elif self._trial is not None:
                self._try_on()
                rest = 0.0
        self._engine = self._trial = None

    def _answer(self, letter: Letter) -> None:
        request = letter.request
        try:
            if isinstance(request, _Open):
                self._guarded("open", request.token, lambda: self._do_open(request))
            elif isinstance(request, _Encode):
                self._guarded("encode", request.token, lambda: self._do_encode(request))
            elif isinstance(request, RenderRequest):
                self._guarded(
                    "render", request.generation, lambda: self._do_render(request, letter), request.channel
                )
        finally:
            self._mailbox.done()

    def _tell(self, signal: SignalInstance, record: object) -> None:
        """Emit a signal; a listener that raises is reported as a thread's fault, and the worker lives on."""
        try:
            signal.emit(record)
        except EmitLoopError as error:
            cause = error.__cause__ or error
            threading.excepthook(
                threading.ExceptHookArgs(
                    (type(cause), cause, cause.__traceback__, threading.current_thread())
                )
            )

    def _guarded(self, task: Task, token: int, work: Callable[[], None], channel: str = MAIN) -> None:
        """Do a piece of work; whatever goes wrong becomes a signal, and the worker lives on."""
        if task != "render":
            self._tell(self.busy, True)
        try:
            work()
        except LatentLabError as error:
            self._tell(self.failed, Failed(token, task, str(error), True, channel=channel))
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            self._tell(self.failed, Failed(token, task, text, False, traceback.format_exc(), channel))
        finally:
            if task != "render":
                self._tell(self.busy, False)

    def _is_given_up(self, token: int) -> bool:
        """Whether a model that is being opened was stopped, or another one is asked for since."""
        return token == self._stopped or token != self._valid_from or self._mailbox.closed

    def _do_open(self, request: _Open) -> None:
        from latentlab.live.engine import Engine

        given_up = partial(self._is_given_up, request.token)
        reporter = _Opening(request.token, partial(self._tell, self.reading), given_up)
        try:
            reporter.raise_if_cancelled()
            engine = Engine(request.checkpoint, request.predictor, self._override, request.sha256, reporter)
            reporter.raise_if_cancelled()
        except Cancelled:
            if request.token == self._stopped:
                raise
            return  # another model is wanted by now, or none
        former, self._engine = self._engine, engine
        self._trial = None if engine.fast.tuned else engine.fast.tune()
        self._open = _described(request.token, engine)
        self._tell(self.opened, self._open)
        if former is not None:  # the first one leaves nothing behind, and its first picture is waited for
            del former
            give_back()

    def _do_encode(self, request: _Encode) -> None:
        engine = self._ready(request.token)
        if engine is None:
            return
        found = engine.encode(request.picture, request.condition, own=request.own)
        reconstruction = found.reconstruction
        if request.token > self._valid_from:
            self._tell(
                self.encoded,
                Encoded(
                    request.token,
                    found.source,
                    found.mean,
                    found.std,
                    {name: rows[0] for name, rows in found.attributes.items()},
                    reconstruction.pixels[0],
                    {name: rows[0] for name, rows in reconstruction.attributes.items()},
                    found.condition,
                    found.own,
                ),
            )

    def _do_render(self, request: RenderRequest, letter: Letter) -> None:
        engine = self._ready(request.generation)
        if engine is None:
            return
        began = time.perf_counter()
        elsewhere = 0.0
        if request.settled:
            parts = engine.settled(request.latents, request.condition, request.threads)
        else:
            parts = engine.live(request.latents, request.condition, request.judged)
        found: Pictures | None = None
        for found in parts:
            if found is not None:
                break
            paused = time.perf_counter()
            while (urgent := self._mailbox.take_before(letter.slot)) is not None:
                self._answer(urgent)
            elsewhere += time.perf_counter() - paused
            # A newer request of this channel waits until this one is done: during a drag there always is one.
            if self._mailbox.closed or self._engine is not engine:
                return
        if found is not None and request.generation > self._valid_from:
            self._tell(
                self.frame,
                Frame(
                    request.generation,
                    found.pixels,
                    found.attributes,
                    request.settled,
                    render_ms=1e3 * (time.perf_counter() - began - elsewhere),
                    waited_ms=1e3 * (began - letter.at),
                    channel=request.channel,
                ),
            )

    def _ready(self, number: int) -> Engine | None:
        """Return the engine that a request is for; None for one that was made void by `open`."""
        if number < self._valid_from:
            return None
        if self._engine is None:
            raise SettingsError("No model is open. Open one first.")
        return self._engine

    def _try_on(self) -> None:
        """Do one step of the trial; the last one tells the listeners."""
        trial, engine, opened = self._trial, self._engine, self._open
        assert trial is not None
        assert engine is not None
        assert opened is not None
        try:
            next(trial)
        except StopIteration:
            self._trial = None
            self._open = _described(opened.token, engine)
            self._tell(self.tuned, self._open)
            give_back()
        except Exception as error:
            self._trial = None
            text = f"The trial of ways to render failed; frames are rendered as before. {error}"
            self._tell(self.failed, Failed(opened.token, "render", text, False, traceback.format_exc()))


def _described(token: int, engine: Engine) -> Opened:
    loaded, verdict, device = engine.loaded, engine.fast.verdict, str(engine.fast.device)
    located = loaded.checkpoint.located
    return Opened(
        token=token,
        path=str(located.path),
        name=located.config.name or located.path.name,
        sha256=located.sha256(),
        spec=loaded.spec,
        predictor=loaded.predictor_spec,
        predictor_name=loaded.predictor_name,
        choice=verdict.single.choice(device),
        grid_choice=verdict.grid.choice(device),
        trial=verdict.milliseconds,
    )


class _Opening(Reporter):
    """Tells how far the model of a request has been read, in hundredths, and whether it is still wanted."""

    def __init__(self, token: int, tell: Callable[[Reading], None], given_up: Callable[[], bool]) -> None:
        super().__init__()
        self._token, self._tell, self._given_up, self._told = token, tell, given_up, 0

    @property
    def cancelled(self) -> bool:
        """Whether it was stopped, or another model is wanted by now."""
        return self._given_up()

    def report(self, progress: Progress) -> None:
        """Pass a hundredth on."""
        hundredth = 100 * progress.done // max(1, progress.total)
        if hundredth > self._told:
            self._told = hundredth
            self._tell(Reading(self._token, hundredth / 100))
