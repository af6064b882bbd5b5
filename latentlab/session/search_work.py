"""A search on its own thread: begun, held, stopped, gone on with; the newest wish wins."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from latentlab.errors import Cancelled, SettingsError
from latentlab.progress import Reporter
from latentlab.session.background import Background
from latentlab.session.kept_explorer import KeptExplorer
from latentlab.session.pace import Pace
from latentlab.session.search_film import Recording, SearchFrame, Trace, every, frame_of, settled_frame
from latentlab.session.search_mix import Mix, mixes_of
from latentlab.session.search_target import Prepared
from latentlab.session.search_wanted import SearchWanted
from latentlab.session.session import Message
from latentlab.session.workspace import Workspace

if TYPE_CHECKING:
    from latentlab.operations.explore import Explorer
    from latentlab.operations.search import LatentSearch
    from latentlab.operations.search_events import PosteriorStep, SearchStep
    from latentlab.operations.search_result import PictureSearch

Judge = Callable[[NDArray[np.uint8]], Mapping[str, NDArray[np.float32]]]
Phase = Literal["idle", "opening", "running", "judging", "done", "stopped", "failed"]
"""Nothing was asked for; the model is opened; steps are made; what was found is decoded and judged; all is
there; it was stopped, and what was found until then is there; gone wrong."""
UNDERWAY = ("opening", "running", "judging")
NO_GRADIENT = (
    "The model's decoder passes no gradient on to its latents, so nothing can be searched for with it. Open "
    "a model whose decoder was built from its weights."
)
SHOWN_SECONDS, RESTART_SECONDS = 0.03, 0.0005
"""The least time between two frames that the window is told of, and what each restart adds to it."""
JUDGED_SECONDS, JUDGED_SHARE = 1.0, 0.05
"""The least time between two looks of the predictor at a search on its way, and its share of all time."""


@dataclass(frozen=True, eq=False)
class Moment:
    """A search as it is now: its newest frame, and the distances until now."""

    frame: SearchFrame
    trace: Trace


@dataclass(frozen=True)
class Leg:
    """Steps that were made at once: how many were asked for and made, and whether a person stopped them."""

    asked: int
    made: int
    stopped: bool = False


@dataclass(frozen=True, eq=False)
class SearchFound:
    """What was found, and how.

    Parameters
    ----------
    found
        The set; None of a posterior that was stopped.
    legs
        The steps of a search; the same again find the same again.
    frames
        From the first to the last; the last shows each restart's best.
    """

    wanted: SearchWanted
    prepared: Prepared
    found: PictureSearch | None
    legs: tuple[Leg, ...]
    frames: tuple[SearchFrame, ...]
    trace: Trace
    mixes: Mapping[str, Mix] = field(default_factory=dict)

    @property
    def can_go_on(self) -> bool:
        """Whether a restart could still come nearer by more steps."""
        if self.found is None or self.found.sampling is not None:
            return False
        return self.found.settings.loss == "map" or len(self.found.under) < len(self.found.restarts)


@dataclass(frozen=True, eq=False)
class SearchAside:
    """A search that is over, put aside while there is another."""

    run: _Run | None
    moment: Moment | None
    found: SearchFound | None
    phase: Phase
    message: str


class _Run:
    """One search on its way: what its thread has of it."""

    def __init__(self, wanted: SearchWanted, prepared: Prepared) -> None:
        self.wanted, self.prepared = wanted, prepared
        self.reporter = Reporter()
        self.recording = Recording()
        self.legs: list[Leg] = []
        self.search: LatentSearch | None = None
        self.told = 0.0
        self.until = wanted.steps
        self.judge: Judge | None = None
        self.judged: Mapping[str, NDArray[np.float32]] = {}
        self.judge_next = 0.0


class SearchWork:
    """Searches for a small picture of the document, one search at a time.

    Attributes
    ----------
    moved
        There is a newer frame (`Moment`); of those that come too fast only the newest is told.
    found_set
        Another set was found (`SearchFound`), or none any more (None).
    changed
        Phase, message or holding have changed.
    """

    moved = Signal(Moment)
    found_set = Signal(object)
    changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        self._post = workspace.rendering.post
        self._background = Background(self._post, "search")
        self._explorer = KeptExplorer()
        self._run: _Run | None = None
        self._slot: Moment | None = None
        self._lock = threading.Lock()
        self._gate = threading.Event()
        self._gate.set()
        self.phase: Phase = "idle"
        self.message = ""
        self.moment: Moment | None = None
        self.found: SearchFound | None = None
        self.pace = Pace()

    # What the window asks

    @property
    def underway(self) -> bool:
        """Whether a search is on its way."""
        return self.phase in UNDERWAY

    @property
    def paused(self) -> bool:
        """Whether it is held."""
        return not self._gate.is_set()

    @property
    def wanted(self) -> SearchWanted | None:
        """What is or was searched for last."""
        return None if self._run is None else self._run.wanted

    @property
    def prepared(self) -> Prepared | None:
        """The small picture of that."""
        return None if self._run is None else self._run.prepared

    @property
    def steps(self) -> tuple[int, int]:
        """How many steps were made, and how many will be at most."""
        if self.moment is None or self._run is None:
            return 0, 0 if self._run is None else self._run.until
        return self.moment.frame.step, self._run.until

    def start(self, wanted: SearchWanted, prepared: Prepared) -> None:
        """Search anew; what is on its way is dropped."""
        self._leave()
        run = _Run(wanted, prepared)
        self._turn_to(run)
        self._begin(run, "opening", partial(self._search, run))

    def go_on(self, more: int) -> None:
        """Make more steps from where the restarts stand; nothing happens where none can come nearer."""
        run, found = self._run, self.found
        if self.underway or run is None or run.search is None or found is None or not found.can_go_on:
            return
        run.reporter = Reporter()
        run.recording.go_on()
        run.until = (0 if self.moment is None else self.moment.frame.step) + more
        self._begin(run, "running", partial(self._more, run, more))

    def hold(self, held: bool) -> None:
        """Hold the search after the step that it is at, or let it go on."""
        if held and self.phase in ("opening", "running"):
            self._gate.clear()
        else:
            self._gate.set()
        self.pace.forget()
        self.changed.emit()

    def stop(self) -> None:
        """Stop; what was found until then is kept."""
        if self._run is not None and self.underway:
            self._run.reporter.cancel()
            self._gate.set()
            self.changed.emit()

    def drop(self) -> None:
        """Forget the search and what it found."""
        self._leave()
        self._turn_to(None)
        self._set("idle")

    def aside(self) -> SearchAside:
        """Return the search, so that it can be put back after another one; only where none is on its way."""
        return SearchAside(self._run, self.moment, self.found, self.phase, self.message)

    def put_back(self, aside: SearchAside) -> None:
        """Return to a search that was put aside; the one that is there is dropped."""
        self._leave()
        self._turn_to(aside.run)
        self.moment, self.found = aside.moment, aside.found
        if aside.found is not None:
            self.found_set.emit(aside.found)
        self._set(aside.phase, aside.message)

    def close(self) -> None:
        """Stop the work and its thread."""
        self._leave()
        self._run = None
        self._background.close(drop=True)

    # Within

    def _leave(self) -> None:
        if self._run is not None:
            self._run.reporter.cancel()
        self._gate.set()

    def _turn_to(self, run: _Run | None) -> None:
        self._run, self.moment = run, None
        if self.found is not None:
            self.found = None
            self.found_set.emit(None)

    def _begin(self, run: _Run, phase: Phase, work: partial[SearchFound]) -> None:
        self.pace.forget()
        self._set(phase)
        self._background.do(work, partial(self._have, run), "The search failed")

    def _set(self, phase: Phase, message: str = "") -> None:
        self.phase, self.message = phase, message
        self.changed.emit()

    # On its thread

    def _search(self, run: _Run) -> SearchFound:
        from latentlab.operations.search import LatentSearch

        run.reporter.raise_if_cancelled()
        wanted, prepared = run.wanted, run.prepared
        explorer = self._explorer.open(wanted.target.model)
        if explorer.predictor is not None:
            run.judge = partial(_judged, explorer)
        self._post(partial(self._have_opened, run))
        if wanted.view.posterior:
            return self._sample(run)
        run.search = LatentSearch(
            explorer,
            [prepared.target],
            wanted.settings,
            eps=prepared.eps,
            condition=wanted.vector(),
            free=wanted.free,
        )
        _check_gradient(run.search)
        return self._more(run, wanted.settings.steps)

    def _more(self, run: _Run, steps: int) -> SearchFound:
        assert run.search is not None
        search = run.search
        before = search.search.made
        with suppress(Cancelled):
            search.run(steps, partial(self._hear, run), every(steps), run.reporter)
        run.legs.append(Leg(steps, search.search.made - before, run.reporter.cancelled))
        self._raise_if_left(run)
        self._post(partial(self._judge, run))
        (found,) = search.found()
        run.recording.add(settled_frame(found, search.search.made, run.until))
        return self._told(run, found)

    def _sample(self, run: _Run) -> SearchFound:
        from latentlab.operations.search import sample_picture

        wanted, prepared = run.wanted, run.prepared
        try:
            found = sample_picture(
                self._explorer.open(wanted.target.model),
                prepared.target,
                wanted.settings,
                wanted.sampling,
                eps=prepared.eps,
                condition=wanted.vector(),
                free=wanted.free,
                on_step=partial(self._hear, run),
                show_every=every(wanted.steps),
                reporter=run.reporter,
            )
        except Cancelled:
            return self._told(run, None)
        run.recording.add(settled_frame(found, wanted.steps, wanted.steps))
        return self._told(run, found)

    def _told(self, run: _Run, found: PictureSearch | None) -> SearchFound:
        return SearchFound(
            run.wanted,
            run.prepared,
            found,
            tuple(run.legs),
            run.recording.frames,
            run.recording.trace(),
            {} if found is None else mixes_of(found),
        )

    def _raise_if_left(self, run: _Run) -> None:
        if run is not self._run:
            raise Cancelled("Another search is wanted.")

    def _hear(self, run: _Run, step: SearchStep | PosteriorStep) -> None:
        run.recording.note(step.step, step.distances)
        if step.pictures is not None and step.observed is not None:
            self._show(run, frame_of(step, step.pictures, step.observed), step.step >= step.steps)
        self._wait(run)

    def _wait(self, run: _Run) -> None:
        """Stay here while the search is held, but let go of it when it is stopped."""
        while not self._gate.wait(0.1):
            if run.reporter.cancelled:
                return

    def _show(self, run: _Run, frame: SearchFrame, last: bool) -> None:
        now = time.monotonic()
        if run.judge is not None and now >= run.judge_next:
            run.judged = run.judge(frame.pictures)
            took = time.monotonic() - now
            run.judge_next = now + max(JUDGED_SECONDS, took / JUDGED_SHARE)
        frame = replace(frame, attributes=run.judged)
        run.recording.add(frame)
        now = time.monotonic()
        if now - run.told < SHOWN_SECONDS + RESTART_SECONDS * len(frame.distances) and not last:
            return
        run.told = now
        with self._lock:
            waiting, self._slot = self._slot, Moment(frame, run.recording.trace())
        if waiting is None:
            self._post(partial(self._take, run))

    # On the session's thread

    def _have_opened(self, run: _Run) -> None:
        if run is self._run and self.phase == "opening":
            self._set("running")

    def _judge(self, run: _Run) -> None:
        if run is self._run and self.underway:
            self._gate.set()
            self._set("judging")

    def _take(self, run: _Run) -> None:
        with self._lock:
            moment, self._slot = self._slot, None
        if moment is None or run is not self._run:
            return
        self.moment = moment
        self.pace.tell(moment.frame.step)
        self.moved.emit(moment)

    def _have(self, run: _Run, answer: SearchFound | Message) -> None:
        if run is not self._run:
            return
        self._gate.set()
        stopped = run.reporter.cancelled
        if isinstance(answer, Message):
            self._set("stopped" if stopped else "failed", "" if stopped else answer.text)
            return
        if answer.frames:
            self.moment = Moment(answer.frames[-1], answer.trace)
        self.found = answer
        self.phase, self.message = ("stopped" if stopped else "done"), ""
        self.found_set.emit(answer)
        self.changed.emit()


def _judged(explorer: Explorer, pictures: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Return what the predictor sees of pictures uint8 ``[N, S, S, 3]``, all at once."""
    import torch

    from latentlab.data.image_set import images_to_tensor
    from latentlab.families.resized import ResizedPredictor
    from latentlab.operations.render import intra_op_threads

    assert explorer.predictor is not None
    judge = ResizedPredictor(explorer.predictor, pictures.shape[1])
    with intra_op_threads(explorer.threads), torch.inference_mode():
        return {name: p.float().numpy() for name, p in judge.predict(images_to_tensor(pictures)).items()}


def _check_gradient(search: LatentSearch) -> None:
    """Make sure before the first step that the decoder passes a gradient on."""
    import torch

    v = torch.from_numpy(search.unknowns.start(search.settings.seed))[None].requires_grad_()
    with torch.enable_grad():
        passes = search.unknowns.draw(v).observed.requires_grad
    if not passes:
        raise SettingsError(NO_GRADIENT)
