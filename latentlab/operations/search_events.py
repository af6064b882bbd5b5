"""What a search and a posterior's chains tell while they go on, step by step; no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class SearchStep:
    """How all restarts stand after a step, target by target.

    Parameters
    ----------
    step, steps
        How many steps were made, and how many will be at most.
    distances, best
        Mean squared error of each restart at this step (of one that has stopped, its last), and that of the
        best so far (its smallest; of the loss *map* where the density was largest), float32 ``[N]``.
    statuses
        Positions in `latentlab.operations.search_plan.STATUSES`, int8 ``[N]``.
    pictures
        Uint8 ``[N, S, S, 3]`` of this step (of a restart that has stopped, its best); None but at the steps
        that pictures were asked for.
    observed
        What is observed of those pictures, float32 ``[N, side, side, channels]``; None where they are.
    """

    step: int
    steps: int
    distances: NDArray[np.float32]
    best: NDArray[np.float32]
    statuses: NDArray[np.int8]
    pictures: NDArray[np.uint8] | None
    observed: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class PosteriorStep:
    """How the chains stand: distances ``[N]``, acceptance since the warm-up began or ended, temperature.

    ``pictures`` and ``observed`` are as in `SearchStep`, of where the chains stand.
    """

    step: int
    steps: int
    distances: NDArray[np.float32]
    acceptance: NDArray[np.float32]
    temperature: float
    pictures: NDArray[np.uint8] | None = None
    observed: NDArray[np.float32] | None = None


OnStep = Callable[[SearchStep], None]
OnPosteriorStep = Callable[[PosteriorStep], None]
