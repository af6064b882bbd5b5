"""Undo and redo: the documents one has passed through, each under the name of the step that left it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from latentlab.session.document import Document

MOST_PICTURE_BYTES = 2**29
"""Fourteen photographs of twelve million pixels."""


@dataclass(frozen=True, eq=False)
class Step:
    """One undoable step.

    Parameters
    ----------
    name
        What was done, as the menu shows it after "Undo".
    before, after
        The documents on either side.
    key
        Steps that follow one another closely under the same key (turning the wheel over one slider)
        become one; None never does.
    time
        When it was last extended, in seconds.
    """

    name: str
    before: Document
    after: Document
    key: str | None = None
    time: float = 0.0


class History:
    """The steps done and the steps undone. A new step forgets what was undone.

    Parameters
    ----------
    limit
        Steps that are kept; older ones are forgotten.
    most_bytes
        What the pictures may take that only the history holds; the steps before are forgotten, but never
        the last one. (All else in a document is small, or shared with the document after it.)
    merge_seconds
        How soon a step of the same key must follow to become part of the last one.
    """

    def __init__(
        self, limit: int = 500, merge_seconds: float = 0.8, most_bytes: int = MOST_PICTURE_BYTES
    ) -> None:
        self._done: deque[Step] = deque(maxlen=limit)
        self._most_bytes = most_bytes
        self._undone: list[Step] = []
        self._merge_seconds = merge_seconds

    @property
    def undo_name(self) -> str | None:
        """The name of the step that `undo` would take back."""
        return self._done[-1].name if self._done else None

    @property
    def redo_name(self) -> str | None:
        """The name of the step that `redo` would repeat."""
        return self._undone[-1].name if self._undone else None

    def __len__(self) -> int:
        return len(self._done)

    def push(self, step: Step) -> None:
        """Add a step, or extend the last one where the two belong together."""
        last = self._done[-1] if self._done else None
        together = (
            last is not None
            and step.key is not None
            and step.key == last.key
            and not self._undone
            and step.time - last.time <= self._merge_seconds
        )
        self._undone.clear()
        if together and last is not None:
            self._done[-1] = replace(last, after=step.after, time=step.time)
        else:
            self._done.append(step)
            self._forget_large()

    def undo(self) -> Step | None:
        """Take the last step from the done ones and return it; None where there is none."""
        if not self._done:
            return None
        # Without its key: what is done after an undo and redo is a step of its own.
        step = replace(self._done.pop(), key=None)
        self._undone.append(step)
        return step

    def redo(self) -> Step | None:
        """Take the last undone step and return it; None where there is none."""
        if not self._undone:
            return None
        step = self._undone.pop()
        self._done.append(step)
        return step

    def way_to(self, document: Document) -> int | None:
        """Return how many steps to redo, or (negative) to undo, lead to a document; None if none do."""
        for count, step in enumerate(reversed(self._undone), start=1):
            if step.after is document:
                return count
        for count, step in enumerate(reversed(self._done), start=1):
            if step.before is document:
                return -count
        return None

    def fold(self, before: Document, name: str) -> bool:
        """Make one step, of that name, of all that were done since a document; return whether any were."""
        done = list(self._done)
        if self._undone or not done or done[-1].after is before:
            return False
        # A document that one has come back to stands before several steps: the last time counts.
        start = next((k for k in reversed(range(len(done))) if done[k].before is before), None)
        if start is None:
            return False
        for _ in done[start:]:
            self._done.pop()
        self._done.append(Step(name, before, done[-1].after))
        return True

    def amend(self, amended: Callable[[Document], Document]) -> None:
        """Replace documents by what they should be; the steps stay."""

        def of(step: Step) -> Step:
            return replace(step, before=amended(step.before), after=amended(step.after))

        self._done = deque(map(of, self._done), maxlen=self._done.maxlen)
        self._undone = list(map(of, self._undone))

    def documents(self) -> Iterator[Document]:
        """Give the documents on either side of every step."""
        for step in (*self._done, *self._undone):
            yield step.before
            yield step.after

    def clear(self) -> None:
        """Forget all steps."""
        self._done.clear()
        self._undone.clear()

    def _forget_large(self) -> None:
        """Forget the oldest steps whose pictures take too much."""
        held, taken = {id(_picture(self._done[-1].after))}, 0
        for kept, step in enumerate(reversed(self._done)):
            picture = _picture(step.before)
            if picture is not None and id(picture) not in held:
                held.add(id(picture))
                taken += picture.nbytes
                if taken > self._most_bytes and kept:
                    for _ in range(len(self._done) - kept):
                        self._done.popleft()
                    return


def _picture(document: Document) -> NDArray[np.uint8] | None:
    source = None if document.explore is None else document.explore.source
    return None if source is None else source.picture
