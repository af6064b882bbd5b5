"""The Frechet distance between two sets of features, as if each were a normal distribution.

d^2 = |mu_1 - mu_2|^2 + tr(S_1) + tr(S_2) - 2 tr((S_1 S_2)^(1/2))    (Dowson & Landau 1982)

It is the square that is reported, as the field does since Heusel et al. (2017), who took an Inception
network's features; here they are the judging classifier's last hidden layer. Distances of finite samples
are too large, the more so the fewer images: compare only figures of equal numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEAST_IMAGES = 2000
"""Images that each side should have; fewer are noted in the report."""


def frechet_distance(first: ArrayLike, second: ArrayLike) -> float:
    """Return d^2 between the normal distributions fitted to two sets of features.

    The trace of the root of S_1 S_2 is the sum of the singular values of S_1^(1/2) S_2^(1/2). So no root
    of a product that is not symmetric is taken, and nothing has to be inverted: the result is real, not
    negative, and good for covariances of any rank (fewer images than features, features that never
    fire).

    Parameters
    ----------
    first, second
        Features, float ``[n, F]`` and ``[m, F]``, at least two rows each.

    Raises
    ------
    ValueError
        If the shapes do not fit or a feature is not finite.
    """
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or min(len(x), len(y)) < 2:
        raise ValueError(f"features must be [n, F] and [m, F] with n, m >= 2, not {x.shape} and {y.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("features must be finite")
    s1, s2 = np.atleast_2d(np.cov(x, rowvar=False)), np.atleast_2d(np.cov(y, rowvar=False))
    cross = np.linalg.svd(_root(s1) @ _root(s2), compute_uv=False).sum()
    shift = np.square(x.mean(axis=0) - y.mean(axis=0)).sum()
    return max(0.0, float(shift + np.trace(s1) + np.trace(s2) - 2.0 * cross))


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the symmetric root of a covariance; eigenvalues that rounding made negative count as 0."""
    values, vectors = np.linalg.eigh(covariance)
    root: NDArray[np.float64] = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    return root
