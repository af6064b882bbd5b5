"""Follows work that goes on in a process of its own, on a thread that nobody has to wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from latentlab.errors import Cancelled, LatentLabError
from latentlab.progress import Progress, Reporter

if TYPE_CHECKING:
    from latentlab.jobs.job import Job

POLL_SECONDS = 0.3
"""How long a follower waits before it looks again how a job stands."""


class Following:
    """One piece of following: told to leave, it ends soon; what it tells after that is not heard.

    Parameters
    ----------
    post
        Runs a callable soon on the session's thread.
    """

    def __init__(self, post: Callable[[Callable[[], None]], None]) -> None:
        self._post = post
        self._left, self._cancelled = threading.Event(), threading.Event()
        self._job: Job | None = None

    @property
    def cancelled(self) -> bool:
        """Whether somebody wants the work to stop."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Want the work to stop, also a job that is followed no longer."""
        self._cancelled.set()
        if self._job is not None:
            with suppress(OSError):  # its folder was deleted
                self._job.cancel()

    def leave(self) -> None:
        """End the following; a job that is running goes on."""
        self._left.set()

    def wait(self, job: Job | None = None) -> bool:
        """Wait until it is time to look again; return whether one should, since it was not told to leave.

        A job that somebody wants to stop is asked to, also where its following is left at once.
        """
        self._job = job or self._job
        left = self._left.wait(POLL_SECONDS)
        if job is not None and self.cancelled:
            job.cancel()
        return not left

    def tell(self, work: Callable[..., None], *given: object) -> None:
        """Call on the session's thread, unless it has been left by then."""
        self._post(partial(self._heard, partial(work, *given)))

    def reporter(self, listener: Callable[[Progress], None]) -> Reporter:
        """Return what tells of work on this thread, on the session's thread, and ends it when it is left."""
        return _FollowingReporter(self, lambda event: self.tell(listener, event))

    @property
    def left(self) -> bool:
        """Whether it was told to leave."""
        return self._left.is_set()

    def _heard(self, work: Callable[[], None]) -> None:
        if not self.left:
            work()


class _FollowingReporter(Reporter):
    def __init__(self, following: Following, listener: Callable[[Progress], None]) -> None:
        super().__init__(listener)
        self._following = following

    @property
    def cancelled(self) -> bool:
        return self._following.left or self._following.cancelled


class JobFollower:
    """Does the newest piece of following; the one before it is left, and ends by itself.

    Parameters
    ----------
    post
        Runs a callable soon on the session's thread.
    name
        What its threads are called, after ``latentlab-``.
    """

    def __init__(self, post: Callable[[Callable[[], None]], None], name: str) -> None:
        self._post, self._name = post, name
        self._newest: Following | None = None
        self._threads: list[threading.Thread] = []

    def begin(
        self,
        work: Callable[[Following], None],
        failed: Callable[[str], None],
        stopped: Callable[[], None],
        failure: str,
    ) -> None:
        """Do a piece of following.

        Parameters
        ----------
        failed, stopped
            Called on the session's thread with why it failed, and when it was cancelled.
        failure
            What is said before an error that is a fault of ours, such as "The map could not be made".
        """
        self.leave()
        following = self._newest = Following(self._post)

        def run() -> None:
            try:
                work(following)
            except Cancelled:
                following.tell(stopped)
            except LatentLabError as error:
                following.tell(failed, str(error))
            except Exception as error:
                following.tell(failed, f"{failure}: {type(error).__name__}: {error}")

        thread = threading.Thread(target=run, name=f"latentlab-{self._name}", daemon=True)
        self._threads = [one for one in self._threads if one.is_alive()]
        self._threads.append(thread)
        thread.start()

    @property
    def newest(self) -> Following | None:
        """What is followed; None for nothing."""
        return self._newest

    def cancel(self) -> None:
        """Want the work that is followed to stop."""
        if self._newest is not None:
            self._newest.cancel()

    def leave(self) -> None:
        """Follow nothing; nothing more is heard of what was followed. A job that is running goes on."""
        if self._newest is not None:
            self._newest.leave()
            self._newest = None

    def close(self) -> None:
        """Follow nothing, and wait until no thread is left."""
        self.leave()
        for thread in self._threads:
            thread.join()
        self._threads = []
