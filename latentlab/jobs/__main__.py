"""The process of a run: ``python -m latentlab.jobs FOLDER``."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

from latentlab.errors import Cancelled, LatentLabError
from latentlab.jobs.file_lock import FileLock
from latentlab.jobs.kinds import work_of
from latentlab.jobs.run_folder import LOCK, RunFolder
from latentlab.progress import Progress, Reporter

EVERY = 0.1
"""Seconds between two events of the same stage."""
PATIENCE = 1.0
"""Seconds for which a folder may seem to be taken: whoever asks whether it is locks it for an instant."""


class Teller:
    """Writes progress down, not more often than anybody looks, and hears the wish to stop."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._stage, self._told = "", 0.0
        self.reporter = Reporter(self._tell)

    def _tell(self, event: Progress) -> None:
        now = time.monotonic()
        last = event.total and event.done >= event.total
        if event.stage != self._stage or last or now - self._told >= EVERY:
            self._stage, self._told = event.stage, now
            self._folder.tell(
                {
                    "event": "progress",
                    "stage": event.stage,
                    "done": event.done,
                    "total": event.total,
                    "values": dict(event.values),
                }
            )

    def listen(self, over: threading.Event) -> None:
        """Look for the wish to stop until the work is over."""
        while not over.wait(EVERY):
            if self._folder.asked_to_stop:
                self.reporter.cancel()


def taken(path: Path) -> FileLock | None:
    """Return the lock of a file, None where another process keeps it."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return FileLock(path)
        except BlockingIOError:
            if time.monotonic() > end:
                return None
            time.sleep(0.02)


def main(path: str) -> int:
    """Do what a run's folder asks for, and tell how it went."""
    folder = RunFolder(Path(path))
    lock = taken(folder.path / LOCK)
    if lock is None:
        return 2  # another process is at it
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(10)
    teller = Teller(folder)
    signal.signal(signal.SIGTERM, lambda _signal, _frame: teller.reporter.cancel())
    try:
        work(folder, teller)
    finally:
        lock.release()
    return 0


def work(folder: RunFolder, teller: Teller) -> None:
    """Do what a run's folder asks for, whose lock is held, and tell how it went."""
    over = threading.Event()
    listener = threading.Thread(target=teller.listen, args=(over,), daemon=True)
    listener.start()
    try:
        asked = folder.asked()
        folder.tell({"event": "started", "pid": os.getpid()})
        work_of(asked["kind"])(asked["settings"], teller.reporter)
        end = {"event": "finished"}
    except (Cancelled, KeyboardInterrupt):
        end = {"event": "cancelled"}
    except LatentLabError as error:
        end = {"event": "failed", "message": str(error)}
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        end = {"event": "failed", "message": text, "details": traceback.format_exc()}
    finally:
        over.set()
        listener.join()
    folder.tell(end)  # last: whoever reads it may begin the next run at once


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
