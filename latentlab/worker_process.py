"""How a process that works for another one begins: it leaves Ctrl-C to that one, and ends with it."""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing import parent_process


def begin_worker() -> None:
    """Leave Ctrl-C to the process that started this one, and end with that even if it is killed.

    For the ``initializer`` of a pool of processes; a second one in the same files would do harm.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
