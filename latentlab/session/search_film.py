"""A search as it went: frames to look at and to play back, and the distances of every restart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MOST_FRAMES, MOST_BYTES = 120, 160 * 2**20
"""Frames that are kept at most, and their bytes."""
LEAST_FRAMES = 8
MOST_POINTS = 2048
"""Steps at most whose distances are kept: of more, every second."""


@dataclass(frozen=True, eq=False)
class SearchFrame:
    """How all restarts stood after a step.

    Parameters
    ----------
    step, steps
        How many were made, and would be at most.
    distances, best
        Float32 ``[N]``, at this step and the best so far.
    statuses
        Positions in `latentlab.operations.search_plan.STATUSES`, int8 ``[N]``; none of a posterior's chains.
    pictures, reduced
        Uint8 ``[N, S, S, 3]`` and what is observed of them as pictures, uint8 ``[N, side, side, 3]``.
    temperature, acceptance
        Of a posterior's chains.
    settled
        Whether the pictures are each restart's best, decoded to be repeated.
    attributes
        What the predictor saw of the pictures, float32 ``[N, classes]`` by attribute; while the search goes
        on it looks about once a second, and what it saw last stays.
    """

    step: int
    steps: int
    distances: NDArray[np.float32]
    best: NDArray[np.float32]
    statuses: NDArray[np.int8]
    pictures: NDArray[np.uint8]
    reduced: NDArray[np.uint8]
    temperature: float | None = None
    acceptance: float | None = None
    settled: bool = False
    attributes: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Trace:
    """Distances by step: steps int64 ``[T]``, distances float32 ``[T, N]``."""

    steps: NDArray[np.int64]
    distances: NDArray[np.float32]


class Recording:
    """Keeps frames and distances as they come, fewer of the early ones where they become too many."""

    def __init__(self) -> None:
        self.frames: list[SearchFrame] = []
        self._steps: list[int] = []
        self._distances: list[NDArray[np.float32]] = []
        self._stride = 1

    def note(self, step: int, distances: NDArray[np.float32]) -> None:
        """Take the distances of a step."""
        if step % self._stride == 0 or not self._steps:
            self._steps.append(step)
            self._distances.append(distances)
        if len(self._steps) > MOST_POINTS:
            self._stride *= 2
            self._steps, self._distances = self._steps[::2], self._distances[::2]

    def add(self, frame: SearchFrame) -> None:
        """Take a frame."""
        self.frames.append(frame)
        size = frame.pictures.nbytes + frame.reduced.nbytes
        most = int(min(MOST_FRAMES, max(LEAST_FRAMES, MOST_BYTES // max(1, size))))
        if len(self.frames) > most:
            self.frames = [*self.frames[:-1:2], self.frames[-1]]

    def trace(self) -> Trace:
        """Return the distances until now."""
        if not self._steps:
            return Trace(np.zeros(0, dtype=np.int64), np.zeros((0, 0), dtype=np.float32))
        return Trace(np.array(self._steps, dtype=np.int64), np.stack(self._distances))


def every(steps: int) -> int:
    """Return how often pictures are taken of so many steps."""
    return max(1, -(-steps // MOST_FRAMES))
