"""Jobs on threads of the test's own process, where how they are followed matters: torch is there already.

That they are processes that outlive who started them is tested in tests/jobs.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from latentlab.jobs import job
from latentlab.jobs.__main__ import Teller, taken, work
from latentlab.jobs.run_folder import LOCK, RunFolder


@contextmanager
def jobs_in_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start jobs as threads; those that still run at the end are asked to stop, and waited for."""
    begun: list[tuple[RunFolder, threading.Thread]] = []

    class Started:
        def __init__(self, command: list[str], **_how: Any) -> None:
            folder = RunFolder(Path(command[-1]))
            lock = taken(folder.path / LOCK)
            assert lock is not None

            def run() -> None:
                try:
                    work(folder, Teller(folder))
                finally:
                    lock.release()

            thread = threading.Thread(target=run, name="test-job")
            begun.append((folder, thread))
            thread.start()

    with monkeypatch.context() as patched:
        # the module's own name only: libraries start processes too, such as where they are imported late
        patched.setattr(job, "subprocess", SimpleNamespace(Popen=Started, DEVNULL=subprocess.DEVNULL))
        yield
        for folder, _ in begun:
            with suppress(FileNotFoundError):  # it was deleted with what it did
                folder.ask_to_stop()
        for _, thread in begun:
            thread.join()
