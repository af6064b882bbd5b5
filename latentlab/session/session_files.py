"""Reads and writes sessions on a thread of its own: pictures in them take time to encode and decode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from psygnal import Signal

from latentlab.errors import SettingsError
from latentlab.session.background import Background, Done
from latentlab.session.document import Document
from latentlab.session.restore import find_checkpoint, find_predictor
from latentlab.session.saved import Saved, load_session, session_json
from latentlab.session.saved_picture import PictureTexts
from latentlab.session.session import Message, Session
from latentlab.whole_file import write_whole


@dataclass(frozen=True, eq=False)
class Found:
    """A session that has been read, and where its model lies.

    Parameters
    ----------
    checkpoint
        The model's path; None where it is not found.
    predictor
        As `LiveRenderer.open` takes it.
    note
        What a person should know of the predictor; else empty.
    """

    saved: Saved
    checkpoint: str | None
    predictor: str | None
    note: str


class SessionFiles:
    """Reads and writes one session after the other, and answers on the session's thread.

    Parameters
    ----------
    session
        Whose document is written, and who passes messages on.
    post
        Runs a callable soon on the session's thread.
    found
        Receives each session that was read and whose model is there.
    failed
        Receives why a session cannot be opened, before a message or ``missing`` says so.

    Attributes
    ----------
    saved
        A document (`Document`) has been written to a file (`Path`).
    missing
        The model of a session (`Saved`) is neither at its path (a text, empty if it is not known) nor
        anywhere else.
    busy_changed
        Something has begun or ended.
    kept
        What is kept in the place of the document for the case of a crash; None for the document itself.
    """

    saved = Signal(Path, Document)
    missing = Signal(Saved, str)
    busy_changed = Signal()

    def __init__(
        self,
        session: Session,
        post: Callable[[Callable[[], None]], None],
        found: Callable[[Found], None],
        failed: Callable[[str], None],
    ) -> None:
        self._session = session
        self._found, self._failed = found, failed
        self._thread = Background(post, "session")
        self._pictures = PictureTexts()
        self._reading = self._writing = self._newest = 0
        self._closed = False
        self.kept: Document | None = None

    @property
    def busy(self) -> str:
        """What is being done, in words; empty when nothing is."""
        if self._reading:
            return "Reading the session"
        return "Saving the session" if self._writing else ""

    def text(self, window: Mapping[str, Any]) -> str:
        """Return the session's text, empty while no model is open; may be called from any thread."""
        document = self.kept or self._session.document
        return "" if document.checkpoint is None else session_json(document, window, self._pictures)

    def read(self, path: Path) -> None:
        """Read a session and find its model."""
        self._reading += 1
        self._newest += 1
        self._submit(partial(_read, path), partial(self._have_read, self._newest))

    def forget_reading(self) -> None:
        """Let nothing come of what is being read: something else is wanted now."""
        self._newest += 1

    def write(self, path: Path, window: Mapping[str, Any]) -> None:
        """Write the session as it is now; a file that is there stays until the new one is whole."""
        document = self._session.document
        if document.checkpoint is None:
            self._session.message.emit(
                Message("error", f"{path} was not written: no model is open, so there is nothing to save.")
            )
            return
        self._writing += 1
        text = partial(session_json, document, dict(window), self._pictures)
        self._submit(lambda: write_whole(path, text()), partial(self._have_written, path, document))

    def close(self) -> None:
        """Write what is still to be written and stop the thread; nothing is answered any more."""
        self._closed = True
        self._thread.close()

    def _submit(self, work: Callable[[], Done], answer: Callable[[Done | Message], None]) -> None:
        self._thread.do(work, answer, "The session could not be read or written")
        self.busy_changed.emit()

    def _have_read(self, number: int, done: Found | Message) -> None:
        self._reading -= 1
        if self._closed:
            return
        self.busy_changed.emit()
        if number != self._newest:
            return
        if isinstance(done, Message):
            self._failed(done.text)
            self._session.message.emit(done)
        elif done.checkpoint is not None:
            self._found(done)
        else:
            path = "" if done.saved.checkpoint is None else done.saved.checkpoint.path
            self._failed(f"The model of {done.saved.name} is not at {path or 'any path that is known'}.")
            self.missing.emit(done.saved, path)

    def _have_written(self, path: Path, document: Document, done: Message | None) -> None:
        self._writing -= 1
        if self._closed:
            return
        self.busy_changed.emit()
        self._session.message.emit(done or Message("note", f"Saved as {path}."))
        if done is None:
            self.saved.emit(path, document)


def _read(path: Path) -> Found:
    saved = load_session(path)
    if saved.checkpoint is None and saved.explore is None and not saved.left_out:
        raise SettingsError(f"{path} holds nothing: no model was open when it was saved.")
    checkpoint = find_checkpoint(saved, path.parent)
    predictor, note = find_predictor(saved, path.parent)
    return Found(saved, checkpoint, predictor, note)
