"""How much correlated draws of several Markov chains are worth: effective sample size, and split R-hat.

After Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), "Rank-normalization, folding, and localization",
sections 3.1 and 3.2, without rank normalisation; the sum of autocorrelations ends by Geyer's (1992) initial
monotone sequence.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def effective_samples(draws: ArrayLike) -> Floats:
    """Return the effective sample size of each quantity.

    Parameters
    ----------
    draws
        ``[chains, n, quantities]`` with n of 4 at least; each chain is split in two.

    Returns
    -------
    numpy.ndarray
        Float64 ``[quantities]``; 0 for a quantity that never changes although its chains differ, NaN for one
        that is the same everywhere.

    Raises
    ------
    ValueError
        If there are fewer than 4 draws a chain.
    """
    x = _split(draws)
    chains, n, quantities = x.shape
    centred = _centred(x)
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(centred, size, axis=1)
    covariance = np.fft.irfft(np.abs(spectrum) ** 2, size, axis=1)[:, :n].mean(0) / n  # [n, quantities]
    within = covariance[0] * n / (n - 1)
    variance = covariance[0] + _between(x)
    found = np.full(quantities, np.nan)
    for k in np.flatnonzero(variance > 0.0):
        rho = 1.0 - (within[k] - covariance[:, k] * n / (n - 1)) / variance[k]
        rho[0] = 1.0
        pairs = rho[: n // 2 * 2].reshape(-1, 2).sum(1)
        positive = np.flatnonzero(pairs <= 0.0)
        pairs = np.minimum.accumulate(pairs[: positive[0] if len(positive) else len(pairs)])
        time = max(2.0 * pairs.sum() - 1.0, 1.0 / np.log10(chains * n))
        found[k] = 0.0 if within[k] == 0.0 else chains * n / time
    return found


def split_r_hat(draws: ArrayLike) -> Floats:
    """Return split R-hat of each quantity, ``[quantities]``: 1 where chains agree, more where they do not.

    ``draws`` are as in `effective_samples`; NaN for a quantity that never changes.
    """
    x = _split(draws)
    n = x.shape[1]
    within = np.square(_centred(x)).sum(1).mean(0) / (n - 1)
    pooled = (n - 1) / n * within + _between(x)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.sqrt(pooled / within)
    return found


# Means of equal numbers are not always that number, so what never changes is taken as it is.


def _centred(x: Floats) -> Floats:
    """Return chains ``[chains, n, quantities]`` about their means; exactly 0 where a chain never changes."""
    moved = x - x[:, :1]
    found: Floats = moved - moved.mean(1, keepdims=True)
    return found


def _between(x: Floats) -> Floats:
    """Return the variance of the chains' means ``[quantities]``; exactly 0 where none ever changes."""
    means = (x - x[:1, :1]).mean(1)
    found: Floats = (means - means[:1]).var(0, ddof=1)
    return found


def _split(draws: ArrayLike) -> Floats:
    x = np.asarray(draws, dtype=np.float64)
    half = x.shape[1] // 2
    if half < 2:
        raise ValueError(f"at least 4 draws a chain are needed, found {x.shape[1]}")
    return np.concatenate([x[:, :half], x[:, -half:]])
