"""One-slot mailboxes: of each kind of request only the newest is kept, and the most urgent goes first."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

OPEN, ENCODE, MAIN = "open", "encode", "main"
_FIRST = (OPEN, ENCODE, MAIN)


@dataclass(frozen=True)
class Letter:
    """A request in its slot: the slot's name, the request, and when it was put in (seconds)."""

    slot: str
    request: object
    at: float


class Mailbox:
    """Slots by name, each holding at most one request. Safe between threads.

    `put` replaces what waits in the slot (latest wins). `take` gives ``open`` before ``encode`` before
    ``main`` before all other slots; those take turns, the one that was put in first going first. What has
    been taken counts as in work until `done`.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._letters: dict[str, Letter] = {}
        self._in_work = 0
        self._closed = False

    def put(self, slot: str, request: object) -> None:
        """Put a request into its slot, in place of what waits there. Ignored after `close`."""
        with self._condition:
            if self._closed:
                return
            self._letters[slot] = Letter(slot, request, time.perf_counter())
            self._condition.notify_all()

    def clear(self, keep: str) -> None:
        """Empty all slots but one."""
        with self._condition:
            self._letters = {slot: letter for slot, letter in self._letters.items() if slot == keep}
            self._condition.notify_all()

    def take(self, timeout: float | None = None) -> Letter | None:
        """Wait for a request and take it out; None after `close`, or when the timeout (seconds) is over."""
        with self._condition:
            self._condition.wait_for(lambda: self._closed or bool(self._letters), timeout)
            if self._closed or not self._letters:
                return None
            return self._pop(next(self._order()))

    def take_before(self, slot: str) -> Letter | None:
        """Take a request that is more urgent than ``slot``, without waiting; None where there is none."""
        with self._condition:
            first = next(self._order(), None)
            if self._closed or first is None or _rank(first) >= _rank(slot):
                return None
            return self._pop(first)

    def done(self) -> None:
        """Say that a taken request has been dealt with."""
        with self._condition:
            self._in_work -= 1
            self._condition.notify_all()

    def is_idle(self) -> bool:
        """Whether no request waits or is in work."""
        with self._condition:
            return not self._letters and not self._in_work

    def wait_idle(self, timeout: float | None = None) -> bool:
        """Wait until no request waits or is in work; False when the timeout (seconds) is over first."""
        with self._condition:
            return self._condition.wait_for(
                lambda: self._closed or (not self._letters and not self._in_work), timeout
            )

    def close(self) -> None:
        """Empty all slots and let every `take` return None from now on."""
        with self._condition:
            self._closed = True
            self._letters.clear()
            self._condition.notify_all()

    @property
    def closed(self) -> bool:
        """Whether `close` has been called."""
        return self._closed

    def _order(self) -> Iterator[str]:
        return iter(sorted(self._letters, key=_rank))

    def _pop(self, slot: str) -> Letter:
        self._in_work += 1
        return self._letters.pop(slot)


def _rank(slot: str) -> int:
    return _FIRST.index(slot) if slot in _FIRST else len(_FIRST)
