"""How fast something goes, and how long it will still take, from how far it had come a while ago."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

SECONDS = 12.0
"""How far back one looks: what was done already goes by in a moment, and says nothing of what is to come."""
LEAST = 2.0


class Pace:
    """Remembers how much was done when."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: deque[tuple[float, int]] = deque()

    def tell(self, done: int) -> None:
        """Say how much is done now; less than before means that something else has begun."""
        now = self._clock()
        if self._told and done < self._told[-1][1]:
            self._told.clear()
        self._told.append((now, done))
        while len(self._told) > 2 and now - self._told[1][0] > SECONDS:
            self._told.popleft()

    def forget(self) -> None:
        """Forget everything."""
        self._told.clear()

    @property
    def rate(self) -> float | None:
        """How much is done in a second; None while that cannot be said."""
        if len(self._told) < 2:
            return None
        (began, before), (now, done) = self._told[0], self._told[-1]
        return (done - before) / (now - began) if now - began >= LEAST and done > before else None


def time_words(seconds: float) -> str:
    """Return a time that is still to come as a person says it."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    if seconds < 3600:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
