"""The session: the document, its history, and the signals by which views follow it.

Views send intents and draw what the signals tell them; they hold no state of their own. The session
belongs to one thread (the window's).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from psygnal import Signal

from latentlab.session.document import Document
from latentlab.session.history import History, Step


@dataclass(frozen=True, eq=False)
class Change:
    """The document has changed.

    Parameters
    ----------
    before, after
        The documents; parts that did not change are the same objects.
    way
        How it came about. During a ``move`` of a control pictures of the states between are worth
        showing; after the others only the newest is.
    """

    before: Document
    after: Document
    way: Literal["move", "edit", "undo", "redo", "restart"]


@dataclass(frozen=True)
class Message:
    """Something a person should read: an error, or a note about what was done."""

    kind: Literal["error", "note"]
    text: str
    details: str = ""


class Session:
    """What is open and set, with undo.

    Parameters
    ----------
    clock
        Seconds, for telling which steps belong together.
    """

    changed = Signal(Change)
    history_changed = Signal()
    message = Signal(Message)

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._document = Document()
        self._clock = clock
        self._gesture: tuple[str, Document, str | None] | None = None
        self.history = History()

    @property
    def document(self) -> Document:
        """The document as it is now."""
        return self._document

    def change(self, name: str, document: Document, key: str | None = None) -> None:
        """Replace the document as a named, undoable step.

        Inside a gesture the gesture is the step, unless it has another key: what a person, a file or a
        player does meanwhile ends it. Changes of the same ``key`` that follow closely are one step.
        """
        before = self._document
        if document is before:
            return
        if self._gesture is not None and self._gesture[2] not in (None, key):
            self.end_gesture()
        self._document = document
        if self._gesture is None:
            self.history.push(Step(name, before, document, key, self._clock()))
            self.history_changed.emit()
        moving = self._gesture is not None or key is not None
        self.changed.emit(Change(before, document, "move" if moving else "edit"))

    def amend(self, amended: Callable[[Document], Document]) -> None:
        """Put into documents what has come to be known of them, wherever they are held; this is no step.

        Parameters
        ----------
        amended
            Returns a document as it should be, the same object where it is that already.
        """
        known: dict[int, tuple[Document, Document]] = {}  # the first of each keeps its id from being reused

        def once(document: Document) -> Document:
            if id(document) not in known:
                known[id(document)] = document, amended(document)
            return known[id(document)][1]

        before, self._document = self._document, once(self._document)
        if self._gesture is not None:
            name, first, key = self._gesture
            self._gesture = name, once(first), key
        self.history.amend(once)
        if self._document is not before:
            way: Literal["move", "edit"] = "edit" if self._gesture is None else "move"
            self.changed.emit(Change(before, self._document, way))

    def documents(self) -> Iterator[Document]:
        """Give the documents that are held: the present one and those that steps lead to."""
        yield self._document
        if self._gesture is not None:
            yield self._gesture[1]
        yield from self.history.documents()

    @contextmanager
    def gesture(self, name: str) -> Iterator[None]:
        """Make all changes within one undoable step."""
        self.begin_gesture(name)
        try:
            yield
        finally:
            self.end_gesture()

    def begin_gesture(self, name: str, key: str | None = None) -> None:
        """Begin a drag: all changes (with a key, all of that key) until `end_gesture` are one step."""
        self.end_gesture()
        self._gesture = (name, self._document, key)

    def end_gesture(self, key: str | None = None) -> None:
        """End the drag (with a key, only one of that key); one that changed nothing leaves no step."""
        if self._gesture is None or (key is not None and key != self._gesture[2]):
            return
        (name, before, _), self._gesture = self._gesture, None
        if before is not self._document:
            self.history.push(Step(name, before, self._document))
            self.history_changed.emit()

    def fold(self, before: Document, name: str) -> None:
        """Make one step of all that were done since a document, as far as they are still known."""
        self.end_gesture()
        if self.history.fold(before, name):
            self.history_changed.emit()

    def undo(self) -> None:
        """Take the last step back, if there is one."""
        self.end_gesture()
        step = self.history.undo()
        if step is not None:
            self._jump(step.before, "undo")

    def redo(self) -> None:
        """Repeat the last undone step, if there is one."""
        self.end_gesture()
        step = self.history.redo()
        if step is not None:
            self._jump(step.after, "redo")

    def go_to(self, document: Document) -> bool:
        """Undo or redo in one jump as far as a document; False where no steps lead to it."""
        self.end_gesture()
        way = self.history.way_to(document)
        if way is None:
            return False
        for _ in range(abs(way)):
            self.history.redo() if way > 0 else self.history.undo()
        self._jump(document, "redo" if way > 0 else "undo")
        return True

    def restart(self, document: Document) -> None:
        """Begin anew with a document: the history is forgotten."""
        self._gesture = None
        self.history.clear()
        self._jump(document, "restart")

    def _jump(self, document: Document, way: Literal["undo", "redo", "restart"]) -> None:
        before, self._document = self._document, document
        self.history_changed.emit()
        self.changed.emit(Change(before, document, way))
