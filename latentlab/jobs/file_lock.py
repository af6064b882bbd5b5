"""A file that is locked while its owner lives: the system lets go of it however the process ends."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(error.errno, error.strerror) from None

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLock:
    """An exclusive lock on a file, which is made where it is missing if ``make`` says so.

    Raises
    ------
    BlockingIOError
        If another owner holds it, in this process or another.
    OSError
        If the file cannot be made or locked.
    """

    def __init__(self, path: Path, make: bool = True) -> None:
        self._path = path
        self._file: int | None = os.open(path, os.O_RDWR | (os.O_CREAT if make else 0), 0o600)
        try:
            _lock(self._file)
        except OSError:
            self.release()
            raise

    def release(self, remove: bool = False) -> None:
        """Let go of the lock, and remove its file if asked to."""
        file, self._file = self._file, None
        if file is None:
            return
        if remove and sys.platform != "win32":
            self._path.unlink(missing_ok=True)  # while it is held: nobody else can have it meanwhile
        os.close(file)
        if remove and sys.platform == "win32":  # which does not remove what is open
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)


def is_locked(path: Path) -> bool:
    """Whether an owner that lives holds the lock of a file."""
    try:
        FileLock(path, make=False).release()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return False
