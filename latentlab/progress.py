"""Typed progress events and cancellation, shared by everything that takes long.

Work that may take long receives a `Reporter`; it calls `Reporter.report` as it goes and
`Reporter.raise_if_cancelled` at every point where stopping leaves nothing half done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from latentlab.errors import Cancelled


@dataclass(frozen=True)
class Progress:
    """How far a piece of work has come.

    Parameters
    ----------
    stage
        What is being done, in words that a user reads.
    done, total
        Finished and planned units; ``total`` is 0 where it is not known.
    values
        Figures worth showing while the work goes on, by name.
    """

    stage: str
    done: int = 0
    total: int = 0
    values: Mapping[str, float] = field(default_factory=dict)


class Reporter:
    """Carries progress out of a piece of work and the wish to cancel into it. Safe between threads."""

    def __init__(self, listener: Callable[[Progress], None] | None = None) -> None:
        self._listener = listener
        self._cancelled = threading.Event()

    def report(self, progress: Progress) -> None:
        """Pass one event to the listener, if there is one."""
        if self._listener is not None:
            self._listener(progress)

    def cancel(self) -> None:
        """Ask the work to stop at its next safe point."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Whether somebody has asked the work to stop."""
        return self._cancelled.is_set()

    def raise_if_cancelled(self) -> None:
        """Raise `Cancelled` if somebody has asked the work to stop."""
        if self.cancelled:
            raise Cancelled("Stopped on request.")


class PartOf(Reporter):
    """Tells how far one of several equal parts of a piece of work has come, as a share of the whole."""

    def __init__(self, whole: Reporter, place: int, parts: int) -> None:
        super().__init__()
        self._whole, self._place, self._parts = whole, place, parts

    @property
    def cancelled(self) -> bool:
        """Whether the whole is to stop."""
        return self._whole.cancelled

    def report(self, progress: Progress) -> None:
        """Pass the event on, counted in parts of the whole."""
        done = progress.done + self._place * progress.total
        self._whole.report(Progress(progress.stage, done, progress.total * self._parts, progress.values))
