"""Traversals: what one dimension does with all others held still (`grid_plan` lays several out).

Latents as plain arrays, without torch: the window renders them live, the command line and a script settled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.errors import SettingsError
from latentlab.operations.latents import ranges
from latentlab.spec import ModelSpec

STEPS = 9
MOST_STEPS = 1000


@dataclass(frozen=True, eq=False)
class Axis:
    """One dimension (counted from 0, flattened) and the values that it takes, float32 ``[n]``."""

    dimension: int
    values: NDArray[np.float32]

    @classmethod
    def over(
        cls,
        spec: ModelSpec,
        dimension: int,
        low: float | None = None,
        high: float | None = None,
        steps: int = STEPS,
    ) -> Axis:
        """Return evenly spaced values from low to high, by default over the dimension's range.

        Raises
        ------
        SettingsError
            If the dimension does not exist, or there are not at least two steps between finite ends.
        """
        if not 0 <= dimension < spec.latent_size:
            raise SettingsError(
                f"There is no dimension {dimension}; the model has 0 to {spec.latent_size - 1}."
            )
        if not 2 <= steps <= MOST_STEPS:
            raise SettingsError(f"A traversal has 2 to {MOST_STEPS} steps; {steps} were asked for.")
        reach = ranges(spec)
        ends = (
            float(reach.low[dimension]) if low is None else low,
            float(reach.high[dimension]) if high is None else high,
        )
        if not np.isfinite(ends).all():
            raise SettingsError(f"A traversal goes between finite numbers, not from {ends[0]} to {ends[1]}.")
        return cls(dimension, np.linspace(*ends, steps, dtype=np.float32))


def line(latent: ArrayLike, axis: Axis) -> NDArray[np.float32]:
    """Return a latent with one dimension at each of its values: float32 ``[n, *latent_shape]``."""
    base = np.asarray(latent, dtype=np.float32)
    rows = np.repeat(base[None], len(axis.values), axis=0)
    rows.reshape(len(rows), -1)[:, axis.dimension] = axis.values
    return rows
