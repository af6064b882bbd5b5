"""Keeps the processes of runs from outliving the test that started them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def _children() -> set[int]:
    """The processes that this one has started and not waited for; none where the system does not say."""
    found: set[int] = set()
    for path in Path("/proc/self/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
            found |= {int(word) for word in path.read_text().split()}
    return found


def _is_over(process: int) -> bool:
    try:
        return os.waitpid(process, os.WNOHANG)[0] == process
    except ChildProcessError:
        return True


@contextmanager
def no_process_left(seconds: float = 30.0) -> Iterator[None]:
    """Wait for the runs that were started meanwhile; end and report those that go on."""
    before = _children()
    yield
    end = time.monotonic() + seconds
    going = _children() - before
    while going and time.monotonic() < end:
        going = {process for process in going if not _is_over(process)}
        time.sleep(0.02)
    for process in going:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    assert not going, f"processes left running: {going}"
