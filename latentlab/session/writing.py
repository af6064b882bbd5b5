"""Writes files on a thread of its own, so that a slow disk or a long film never holds up the window."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from latentlab.errors import SettingsError
from latentlab.session.background import Background
from latentlab.session.session import Message


class FileWriter:
    """Does one piece of writing after the other and says on the session's thread how it went.

    Parameters
    ----------
    post
        Runs a callable soon on the session's thread.
    tell
        Receives the messages there.
    """

    def __init__(self, post: Callable[[Callable[[], None]], None], tell: Callable[[Message], object]) -> None:
        self._tell = tell
        self._thread = Background(post, "writing")
        self._waiting = 0

    @property
    def busy(self) -> bool:
        """Whether anything is still being written."""
        return self._waiting > 0

    def write(self, work: Callable[[], object], done: str) -> None:
        """Do a piece of work on the thread; ``done`` is what a note says when it has succeeded."""
        self._waiting += 1
        self._thread.do(partial(_written, work, done), self._have_written, "Nothing was saved")

    def close(self) -> None:
        """Finish what has been begun and stop the thread."""
        self._thread.close()

    def _have_written(self, message: Message) -> None:
        self._waiting -= 1
        self._tell(message)


def _written(work: Callable[[], object], done: str) -> Message:
    """Do a piece of writing and return what a note says of it."""
    try:
        work()
    except OSError as error:
        raise SettingsError(f"{error.filename} was not saved: {error.strerror or error}.") from None
    return Message("note", done)
