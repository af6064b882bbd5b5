"""Writes files on a thread of its own, so that a slow disk or a long film never holds up the window."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from latentlab.errors import LatentLabError
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
        self._post, self._tell = post, tell
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="latentlab-writing")
        self._waiting = 0

    @property
    def busy(self) -> bool:
        """Whether anything is still being written."""
        return self._waiting > 0

    def write(self, work: Callable[[], object], done: str) -> None:
        """Do a piece of work on the thread; ``done`` is what a note says when it has succeeded."""
        self._waiting += 1
        self._executor.submit(self._on_thread, work, done)

    def close(self) -> None:
        """Finish what has been begun and stop the thread."""
        self._executor.shutdown(wait=True)

    def _on_thread(self, work: Callable[[], object], done: str) -> None:
        try:
            work()
            message = Message("note", done)
        except LatentLabError as error:
            message = Message("error", str(error))
        except OSError as error:
            message = Message("error", f"{error.filename} was not saved: {error.strerror or error}.")
        except Exception as error:
            message = Message("error", f"Nothing was saved: {error}", traceback.format_exc())
        self._post(partial(self._on_session_thread, message))

    def _on_session_thread(self, message: Message) -> None:
        self._waiting -= 1
        self._tell(message)
