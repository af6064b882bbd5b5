"""Enters every step of a lesson with the real models, without a window, to see that it can be held."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from latentlab.errors import LatentLabError
from latentlab.progress import Progress, Reporter
from latentlab.session.intents import Intents
from latentlab.session.lesson_check import read_lesson
from latentlab.session.lessons import Lessons
from latentlab.session.workspace import Workspace

LONGEST_SECONDS = 300.0
"""How long a step may take; opening a model takes a second or two."""
_WAIT = 0.1


@dataclass(frozen=True)
class TriedStep:
    """A step that was entered.

    Parameters
    ----------
    screen, view
        What the window would show; empty where the step leaves that.
    begun
        What it would begin; empty for nothing.
    model, origin
        The model that is open then, and where its latent comes from; empty where none is.
    seconds
        How long the session took to set.
    failure
        Why it could not be set; empty otherwise.
    """

    title: str
    screen: str
    view: str
    begun: str
    model: str
    origin: str
    seconds: float
    failure: str


class _Trial:
    """A workspace of its own, with the queue of its thread, and what the window would have been told."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.workspace = Workspace(self._calls.put)
        self._lessons = Lessons(self.workspace, Intents(self.workspace))
        self._shown, self._begun = ("", ""), ""
        self._lessons.look.connect(self._look)
        self._lessons.begin.connect(self._begin)

    def enter(self, place: int) -> TriedStep:
        """Enter a step, from the first one on."""
        self._shown, self._begun = ("", ""), ""
        began = time.monotonic()
        if place:
            self._lessons.go(place)
        else:
            self._lessons.open(str(self._path))
        while self._lessons.underway:
            if time.monotonic() - began > LONGEST_SECONDS:
                raise LatentLabError(
                    f"{self._path}: step {place + 1} should be set within {LONGEST_SECONDS:g} seconds and "
                    "was not. Let it open less."
                )
            try:
                self._calls.get(timeout=_WAIT)()
            except queue.Empty:
                continue
        seconds = time.monotonic() - began
        step, document = self._lessons.step, self.workspace.session.document
        assert step is not None
        model = "" if document.checkpoint is None else document.checkpoint.name
        origin = "" if document.explore is None else document.explore.origin
        failure = self._lessons.failure
        return TriedStep(step.title, *self._shown, self._begun, model, origin, seconds, failure)

    def _look(self, screen: str, view: str) -> None:
        self._shown = screen, view

    def _begin(self, what: str) -> None:
        self._begun = what


def try_lesson(path: Path, reporter: Reporter | None = None) -> list[TriedStep]:
    """Enter a lesson's steps one after the other; what a step would begin in the background is not begun.

    Raises
    ------
    SettingsError
        If something is wrong with the lesson's file.
    LatentLabError
        If a step takes too long.
    """
    lesson, reporter = read_lesson(path), reporter or Reporter()
    count = len(lesson.steps)
    trial = _Trial(path)
    try:
        tried = []
        for place, step in enumerate(lesson.steps):
            reporter.raise_if_cancelled()
            reporter.report(Progress(f"{lesson.name}: {step.title}", place, count))
            tried.append(trial.enter(place))
        return tried
    finally:
        trial.workspace.close()
