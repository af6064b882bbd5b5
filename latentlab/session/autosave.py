"""Autosave: the session is written shortly after each change, so that a crash loses next to nothing.

Each window that runs has a file of its own, ``autosave-PID.json``, and holds the lock beside it as long as
it lives. A clean close turns the file into ``last.json``; a file whose lock nobody holds was left by a crash.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import platformdirs

from latentlab.errors import LatentLabError
from latentlab.jobs.file_lock import FileLock, is_locked
from latentlab.whole_file import part_of, write_whole

REST = 1.0
"""Seconds without a change after which the session is written."""
LONGEST = 5.0
"""Seconds after which it is written although the changes go on."""
LAST = "last.json"
"""The file of the session that was closed last."""

_FAILED = "The session cannot be kept for the case of a crash; save it yourself from time to time."
_SHARE = 10.0
# Writing takes at most one part in so many of the time: a session with a large picture is written less often.


def state_directory() -> Path:
    """Return the folder of what the program keeps of its state (``LATENTLAB_STATE`` overrides it).

    It is made when something is first written there.
    """
    override = os.environ.get("LATENTLAB_STATE")
    return Path(override) if override else platformdirs.user_state_path("latentlab", appauthor=False)


def recoverable(folder: Path) -> list[Path]:
    """Return the sessions whose window ended without being closed, the newest first."""
    times = {}
    for path in folder.glob("autosave-*.json"):
        with contextlib.suppress(OSError):  # its window may be closing just now
            if not is_locked(_lock_of(path)):
                times[path] = path.stat().st_mtime
    return sorted(times, key=lambda path: times[path], reverse=True)


def last_session(folder: Path) -> Path | None:
    """Return the file of the session that was closed last, None where there is none."""
    path = folder / LAST
    return path if path.is_file() else None


def discard(path: Path) -> None:
    """Remove a session that `recoverable` has named; one whose window lives stays."""
    if is_locked(_lock_of(path)):
        return
    for leftover in (path, part_of(path), _lock_of(path)):
        with contextlib.suppress(OSError):
            leftover.unlink(missing_ok=True)


class Autosave:
    """Writes the newest state of a session on a thread of its own, some time after it has changed.

    Parameters
    ----------
    session_text
        Gives the session's text, empty where there is nothing to keep. It is called on the thread, so it
        may only read what is never written to, such as the document.
    folder
        Where the file lies; `state_directory`.
    failed
        Is told why the session could not be written; on the thread, once and not for each change.
    rest
        Seconds without a change after which it is written.
    """

    def __init__(
        self,
        session_text: Callable[[], str],
        folder: Path,
        failed: Callable[[str], object] | None = None,
        rest: float = REST,
    ) -> None:
        self._text = session_text
        self._folder = folder
        self._failed = failed
        self._rest = rest
        self._condition = threading.Condition()
        self._first_change: float | None = None
        self._last_change = 0.0
        self._took = 0.0
        self._closing = False
        self._told = False
        self._path: Path | None = None
        self._lock: FileLock | None = None
        self._recovered: list[Path] = []
        self._thread: threading.Thread | None = None

    @property
    def path(self) -> Path | None:
        """The file, None until it has been written for the first time."""
        return self._path

    def changed(self) -> None:
        """Let the session be written soon; returns at once."""
        with self._condition:
            if self._closing:
                return
            self._last_change = time.monotonic()
            if self._first_change is None:
                self._first_change = self._last_change
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="latentlab-autosave", daemon=True)
                self._thread.start()
            self._condition.notify()

    def recovered(self, path: Path) -> None:
        """Let the session be written, as it was opened from an autosave; that one is discarded then."""
        with self._condition:
            self._recovered.append(path)
        self.changed()

    def close(self, keep: bool = True) -> None:
        """Stop the thread; keep the session as the last one, or remove what was written of it."""
        with self._condition:
            self._closing = True
            if not keep:
                self._first_change = None
            self._condition.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        path, self._path = self._path, None
        if path is not None:
            try:
                if keep:
                    path.replace(self._folder / LAST)
                else:
                    path.unlink(missing_ok=True)
            except OSError as error:
                self._tell(f"{path} could not be {'kept' if keep else 'removed'}: {error.strerror}.")
        if self._lock is not None:
            self._lock.release(remove=True)
            self._lock = None

    # On the thread

    def _work(self) -> None:
        while self._wait():
            self._write()

    def _wait(self) -> bool:
        """Wait until the session is to be written; False when the thread is to end."""
        with self._condition:
            while True:
                if self._closing:
                    due = self._first_change is not None
                    self._first_change = None
                    return due
                if self._first_change is None:
                    self._condition.wait()
                    continue
                rest = max(self._rest, _SHARE * self._took)
                at = min(self._last_change + rest, self._first_change + max(LONGEST, rest))
                left = at - time.monotonic()
                if left <= 0.0:
                    self._first_change = None
                    return True
                self._condition.wait(left)

    def _write(self) -> None:
        began = time.monotonic()
        with self._condition:
            recovered, self._recovered = self._recovered, []
        try:
            text = self._text()
            if text:
                write_whole(self._own_path(), text)
                self._told = False
                for path in recovered:
                    discard(path)
                recovered = []
        except (LatentLabError, OSError) as error:
            self._tell(f"{_FAILED} {error}")
        except Exception as error:  # a fault of ours must not end the thread: the next state may be better
            self._tell(f"{_FAILED} {type(error).__name__}: {error}.")
        with self._condition:
            self._recovered = recovered + self._recovered
        self._took = time.monotonic() - began

    def _own_path(self) -> Path:
        """Return the file, chosen at the first time: one that no other window, alive or crashed, has used."""
        if self._path is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            for number in count(1):
                name = f"autosave-{os.getpid()}" + (f"-{number}" if number > 1 else "")
                path = self._folder / f"{name}.json"
                if path.exists():
                    continue
                try:
                    self._lock = FileLock(_lock_of(path))
                except BlockingIOError:
                    continue
                self._path = path
                break
        assert self._path is not None
        return self._path

    def _tell(self, text: str) -> None:
        if not self._told and self._failed is not None:
            self._failed(text)
        self._told = True


def _lock_of(path: Path) -> Path:
    return path.with_suffix(".lock")
