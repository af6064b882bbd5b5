"""Drawing many pictures, in order and in several processes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from multiprocessing import get_context
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from latentlab.progress import Progress, Reporter
from latentlab.worker_process import begin_worker

Drawing = TypeVar("Drawing")
Batch = NDArray[np.uint8]
_CHUNK = 64
_FEW = 256


def draw_many(
    drawings: Sequence[Drawing],
    draw: Callable[[Sequence[Drawing]], Batch],
    stage: str,
    reporter: Reporter | None = None,
    workers: int | None = None,
) -> Iterator[Batch]:
    """Draw in order, in processes if there are many.

    Parameters
    ----------
    drawings
        What is to be drawn; it can be pickled.
    draw
        Draws some of them, uint8 ``[B, S, S, 3]``; a function of a module, so that it can be pickled.
    stage
        What the progress is called.
    workers
        Processes that draw; one a core if None.

    Yields
    ------
    numpy.ndarray
        Uint8 ``[B, S, S, 3]``, together as many as there are drawings.

    Raises
    ------
    Cancelled
        If the reporter asked for it.
    """
    reporter, workers = reporter or Reporter(), workers or _cores()
    total, done = len(drawings), 0
    tasks = [drawings[start : start + _CHUNK] for start in range(0, total, _CHUNK)]
    batches = _in_processes(tasks, draw, workers) if workers > 1 and total > _FEW else _here(tasks, draw)
    with closing(batches):
        for batch in batches:
            reporter.raise_if_cancelled()
            done += len(batch)
            reporter.report(Progress(stage, done, total))
            yield batch


def _here(
    tasks: Sequence[Sequence[Drawing]], draw: Callable[[Sequence[Drawing]], Batch]
) -> Generator[Batch, None, None]:
    for task in tasks:
        yield draw(task)


def _in_processes(
    tasks: Sequence[Sequence[Drawing]], draw: Callable[[Sequence[Drawing]], Batch], workers: int
) -> Generator[Batch, None, None]:
    """Draw in processes, a few tasks ahead; what they fail to draw is drawn here."""
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=begin_worker)
    waiting: deque[Future[Batch]] = deque()
    drawn = 0
    try:
        for task in tasks:
            waiting.append(pool.submit(draw, task))
            if len(waiting) > 2 * workers:
                yield waiting[0].result()
                waiting.popleft()
                drawn += 1
        while waiting:
            yield waiting[0].result()
            waiting.popleft()
            drawn += 1
    except BrokenProcessPool:  # killed, or started from a script without its guard
        yield from _here(tasks[drawn:], draw)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
