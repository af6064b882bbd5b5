"""Points in a plane: which lie inside a polygon, which are nearest, how dense they are. Plain NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import SettingsError

_MARGIN = 0.05


@dataclass(frozen=True, eq=False)
class Density:
    """How densely points lie, smoothed.

    Parameters
    ----------
    values
        Points a cell, float32 ``[bins, bins]``: the first index is y from low to high, the second x.
    low, high
        The lower left and the upper right corner, ``(x, y)``.
    """

    values: NDArray[np.float32]
    low: tuple[float, float]
    high: tuple[float, float]


def inside_polygon(points: NDArray[Any], polygon: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points ``[n, 2]`` lie inside a polygon ``[m, 2]``, by the even-odd rule: bool ``[n]``.

    A ray from each point to the right is counted through the edges; fewer than three corners hold nothing.
    """
    inside = np.zeros(len(points), dtype=np.bool_)
    if len(polygon) < 3:
        return inside
    near = ((points >= polygon.min(axis=0)) & (points <= polygon.max(axis=0))).all(axis=1)
    x, y = np.asarray(points[near], dtype=np.float64).T
    odd = np.zeros(len(x), dtype=np.bool_)
    for (x1, y1), (x2, y2) in zip(polygon.tolist(), np.roll(polygon, -1, axis=0).tolist(), strict=True):
        if y1 != y2:
            crosses = (y1 <= y) != (y2 <= y)
            odd ^= crosses & (x < x1 + (y - y1) * ((x2 - x1) / (y2 - y1)))
    inside[near] = odd
    return inside


def nearest_weights(
    points: NDArray[Any], target: NDArray[np.float64], count: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the nearest of points ``[n, d]`` to a target ``[d]``, and their inverse distances as weights.

    Returns
    -------
    tuple
        Indices ``[k]`` and weights ``[k]`` with sum 1, k = min(count, n). A point at the target itself has
        all the weight.
    """
    distances = np.linalg.norm(points - target, axis=1)
    count = min(count, len(points))
    where = np.argpartition(distances, count - 1)[:count]
    near = distances[where]
    at_it = not near.min() > 0.0
    weights = (near == near.min()).astype(np.float64) if at_it else near.min() / near
    return where, weights / weights.sum()


def smooth_density(around: NDArray[Any], points: NDArray[Any], bins: int, sigma: float) -> Density:
    """Count points ``[m, 2]`` in the cells of the square around others ``[n, 2]``, smoothed by a Gaussian.

    Raises
    ------
    SettingsError
        If there are not between 2 and 2,048 cells along a side, or sigma is negative.
    """
    if not (2 <= bins <= 2048 and sigma >= 0.0):
        raise SettingsError(
            f"A density has 2 to 2,048 cells along a side and a sigma of 0 or more; {bins} and {sigma:g} "
            "were given."
        )
    low, high = around.min(axis=0).astype(np.float64), around.max(axis=0).astype(np.float64)
    half = max(float((high - low).max()) / 2, 1e-6) * (1 + 2 * _MARGIN)
    left, bottom = ((low + high) / 2 - half).tolist()
    right, top = left + 2 * half, bottom + 2 * half
    counts, _, _ = np.histogram2d(points[:, 1], points[:, 0], bins, ((bottom, top), (left, right)))
    from scipy.ndimage import gaussian_filter  # the window's first paint does without scipy

    values = gaussian_filter(counts, sigma, mode="constant").astype(np.float32)
    return Density(values, (left, bottom), (right, top))
