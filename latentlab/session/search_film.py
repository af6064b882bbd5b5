"""A search as it went: frames to look at and to play back, and the distances of every restart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentlab.operations.search_events import PosteriorStep, SearchStep
from latentlab.operations.search_plan import SEARCHING, UNDER

if TYPE_CHECKING:
    from latentlab.operations.search_result import PictureSearch

MOST_FRAMES, MOST_BYTES = 120, 160 * 2**20
"""Frames that are kept at most, and their bytes."""
LEAST_FRAMES = 8
SHOWN = 8
"""Steps at most from one frame to the next, so that a long search is seen to move too."""
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

    @property
    def under(self) -> int:
        """How many restarts are under eps."""
        return int((self.statuses == UNDER).sum())


def frame_of(
    step: SearchStep | PosteriorStep, pictures: NDArray[np.uint8], observed: NDArray[np.float32]
) -> SearchFrame:
    """Return how restarts or chains stand after a step with pictures, as `SearchStep` has them."""
    at, distances, reduced = (step.step, step.steps), step.distances, _small(observed)
    if isinstance(step, SearchStep):
        return SearchFrame(*at, distances, step.best, step.statuses, pictures, reduced)
    statuses, acceptance = np.full(len(distances), SEARCHING, dtype=np.int8), float(step.acceptance.mean())
    return SearchFrame(*at, distances, distances, statuses, pictures, reduced, step.temperature, acceptance)


def settled_frame(found: PictureSearch, step: int, steps: int) -> SearchFrame:
    """Return each restart's best of a found set."""
    restarts, sampling = found.restarts, found.sampling
    distances = np.array([one.distance for one in restarts], dtype=np.float32)
    return SearchFrame(
        step,
        steps,
        distances,
        distances,
        np.array([one.found.status if sampling is None else SEARCHING for one in restarts], dtype=np.int8),
        np.stack([one.pixels for one in restarts]),
        _small(np.stack([one.found.observed for one in restarts])),
        None if sampling is None else 1.0,
        None if sampling is None else sampling.acceptance,
        settled=True,
        attributes={
            name: np.stack([one.attributes[name] for one in restarts]) for name in restarts[0].attributes
        },
    )


def _small(observed: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return what was observed ``[N, side, side, channels]`` as pictures uint8 ``[N, side, side, 3]``."""
    from latentlab.operations.search_target import small_picture

    return np.stack([small_picture(one) for one in observed])


@dataclass(frozen=True, eq=False)
class Trace:
    """Distances by step: steps int64 ``[T]``, distances float32 ``[T, N]``."""

    steps: NDArray[np.int64]
    distances: NDArray[np.float32]


class Recording:
    """Keeps frames and distances as they come, fewer of the early ones where they become too many."""

    def __init__(self) -> None:
        self._frames: list[SearchFrame] = []
        self._newest: SearchFrame | None = None  # where it is none of those that are kept
        self._passed, self._every = 0, 1
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

    @property
    def frames(self) -> tuple[SearchFrame, ...]:
        """The frames that are kept, evenly over the search, and the newest."""
        return (*self._frames, *(() if self._newest is None else (self._newest,)))

    def add(self, frame: SearchFrame) -> None:
        """Take a frame."""
        size = frame.pictures.nbytes + frame.reduced.nbytes
        most = int(min(MOST_FRAMES, max(LEAST_FRAMES, MOST_BYTES // max(1, size))))
        if self._passed % self._every == 0:
            self._frames.append(frame)
            self._newest = None
        else:
            self._newest = frame
        self._passed += 1
        if len(self._frames) >= most:
            self._newest = self._newest or self._frames[-1]
            self._frames, self._every = self._frames[::2], 2 * self._every
            if self._newest is self._frames[-1]:
                self._newest = None

    def go_on(self) -> None:
        """Leave out how the restarts stood at the end: they go on."""
        self._frames = [one for one in self._frames if not one.settled]
        if self._newest is not None and self._newest.settled:
            self._newest = None

    def trace(self) -> Trace:
        """Return the distances until now."""
        if not self._steps:
            return Trace(np.zeros(0, dtype=np.int64), np.zeros((0, 0), dtype=np.float32))
        return Trace(np.array(self._steps, dtype=np.int64), np.stack(self._distances))


def every(steps: int) -> int:
    """Return how often pictures are taken of so many steps."""
    return min(SHOWN, max(1, -(-steps // MOST_FRAMES)))
