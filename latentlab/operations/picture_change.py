"""How much a dimension changes the picture: the ranking by what one sees. No torch here.

The Kullback-Leibler divergence says how much the encoder writes into a dimension, not how much of it one
sees. Here each dimension is moved one standard deviation of the data to either side, and the two pictures
are compared: the mean absolute difference over pixels and channels, in units of 1/255.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentlab.operations.latents import SIGMAS, ranges
from latentlab.progress import Progress, Reporter
from latentlab.spec import ModelSpec

if TYPE_CHECKING:
    from latentlab.operations.explore import Explorer


def change_latents(
    spec: ModelSpec, latent: NDArray[np.float32], dimensions: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the latent moved one standard deviation down and up in each dimension ``[d]``.

    Returns
    -------
    numpy.ndarray
        Float32 ``[2 * d, *latent_shape]``: down and up of the first dimension, then of the second.
    """
    reach = ranges(spec)
    sigma = (reach.high - reach.low) / (2 * SIGMAS)
    rows = np.repeat(np.asarray(latent, dtype=np.float32)[None], 2 * len(dimensions), axis=0)
    flat = rows.reshape(len(rows), -1)
    places = np.arange(len(dimensions))
    flat[2 * places, dimensions] -= sigma[dimensions]
    flat[2 * places + 1, dimensions] += sigma[dimensions]
    return rows


def differences(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the mean absolute difference of each pair: pictures uint8 ``[2 * d, S, S, C]`` -> ``[d]``."""
    down, up = pictures[0::2].astype(np.int16), pictures[1::2].astype(np.int16)
    found: NDArray[np.float64] = np.abs(up - down).reshape(len(down), -1).mean(1)
    return found


def picture_change(
    explorer: Explorer,
    latent: NDArray[np.float32],
    reporter: Reporter | None = None,
    condition: NDArray[np.float32] | None = None,
) -> NDArray[np.float64]:
    """Return how much each dimension changes the picture of a latent, ``[latent_size]``, of 255.

    A conditional model draws under ``condition``, ``[C]``.

    Raises
    ------
    Cancelled
        If the reporter asked for it.
    """
    reporter = reporter or Reporter()
    size = explorer.spec.latent_size
    found = np.zeros(size)
    for k in range(size):
        reporter.raise_if_cancelled()
        pair = change_latents(explorer.spec, latent, np.array([k]))
        found[k] = differences(np.stack([explorer.picture(one, condition) for one in pair]))[0]
        reporter.report(Progress("Comparing", k + 1, size))
    return found


def ranking_by_change(
    explorer: Explorer,
    latent: NDArray[np.float32],
    reporter: Reporter | None = None,
    condition: NDArray[np.float32] | None = None,
) -> NDArray[np.int64]:
    """Return the dimensions in the order of `picture_change`, the largest first: int64 ``[latent_size]``."""
    return np.argsort(-picture_change(explorer, latent, reporter, condition), kind="stable")
