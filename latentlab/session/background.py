"""One piece of work after the other on a thread of its own, each answered on the session's thread."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from latentlab.errors import LatentLabError
from latentlab.session.session import Message

Done = TypeVar("Done")


class Background:
    """Does work that would hold up the window; what goes wrong is answered as a message.

    Parameters
    ----------
    post
        Runs a callable soon on the session's thread.
    name
        What the thread is called, after ``latentlab-``.
    """

    def __init__(self, post: Callable[[Callable[[], None]], None], name: str) -> None:
        self._post = post
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"latentlab-{name}")

    def do(self, work: Callable[[], Done], answer: Callable[[Done | Message], None], failure: str) -> None:
        """Do a piece of work and answer with what it returns, or with the message of its error.

        Parameters
        ----------
        failure
            What a message says before an error of ours, such as "The picture could not be read".
        """
        self._executor.submit(self._on_thread, work, answer, failure)

    def close(self, drop: bool = False) -> None:
        """Finish what has been begun (and, unless it is to be dropped, what waits) and stop the thread."""
        self._executor.shutdown(wait=True, cancel_futures=drop)

    def _on_thread(
        self, work: Callable[[], Done], answer: Callable[[Done | Message], None], failure: str
    ) -> None:
        done: Done | Message
        try:
            done = work()
        except LatentLabError as error:
            done = Message("error", str(error))
        except Exception as error:
            done = Message("error", f"{failure}: {error}", traceback.format_exc())
        self._post(partial(answer, done))
