"""Closed-form maps between bodies of vectors: the baselines of a projection, and where a flow begins.

Gaussian optimal transport: between N(m_a, S_a) and N(m_b, S_b) the map of least squared distance is
x -> m_b + A (x - m_a), A = S_a^-1/2 (S_a^1/2 S_b S_a^1/2)^1/2 S_a^-1/2 (Dowson & Landau 1982; Peyre & Cuturi
2019, eq. 2.40). All in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
_LEAST = 1e-8


@dataclass(frozen=True)
class Affine:
    """The map x -> matrix (x - source) + target of vectors ``[n, D]``."""

    matrix: Array
    source: Array
    target: Array

    def __call__(self, x: ArrayLike) -> Array:
        """Return the vectors ``[n, D]`` to which vectors ``[n, D]`` go."""
        return (np.asarray(x, dtype=np.float64) - self.source) @ self.matrix.T + self.target


@dataclass(frozen=True)
class Gaussian:
    """Mean ``[D]`` and covariance ``[D, D]`` of a body of vectors."""

    mean: Array
    covariance: Array

    @classmethod
    def of(cls, x: ArrayLike) -> Gaussian:
        """Measure vectors ``[n, D]``, n > 1; directions without spread get a tiny one."""
        found = np.asarray(x, dtype=np.float64)
        covariance = np.cov(found, rowvar=False, ddof=1).reshape(found.shape[1], -1)
        nudge = _LEAST * max(1.0, float(np.trace(covariance)) / len(covariance))
        return cls(found.mean(axis=0), covariance + nudge * np.eye(len(covariance)))


def root(matrix: Array, power: float = 0.5) -> Array:
    """Return a power of a symmetric positive matrix ``[D, D]`` by its eigenvectors."""
    values, vectors = np.linalg.eigh(matrix)
    powers = np.maximum(values, _LEAST * max(float(values[-1]), _LEAST)) ** power
    found: Array = (vectors * powers) @ vectors.T
    return found


def mean_shift(a: Gaussian, b: Gaussian) -> Affine:
    """Return the map that only moves the mean."""
    return Affine(np.eye(len(a.mean)), a.mean, b.mean)


def gaussian_transport(a: Gaussian, b: Gaussian) -> Affine:
    """Return the optimal transport from one Gaussian to another."""
    half, back = root(a.covariance), root(a.covariance, -0.5)
    return Affine(back @ root(half @ b.covariance @ half) @ back, a.mean, b.mean)


def barycentre(bodies: Sequence[Gaussian], rounds: int = 50) -> Array:
    """Return the covariance of the Gaussian that is nearest to all in squared transport distance.

    The fixed point of Alvarez-Esteban et al. 2016.
    """
    found = np.mean([body.covariance for body in bodies], axis=0)
    for _ in range(rounds):
        half, back = root(found), root(found, -0.5)
        middle = np.mean([root(half @ body.covariance @ half) for body in bodies], axis=0)
        found = back @ middle @ middle @ back
    return np.asarray(found, dtype=np.float64)


def from_standard(bodies: Sequence[Gaussian]) -> list[Array]:
    """Return a matrix ``[D, D]`` for each Gaussian that makes N(0, I) its covariance.

    Each is the optimal transport from the barycentre after one square root that all share; so going from
    one body into the standard space and out into another is near the optimal transport between the two.
    """
    middle = barycentre(bodies)
    centre = Gaussian(np.zeros(len(middle)), middle)
    shared = root(middle)
    return [gaussian_transport(centre, body).matrix @ shared for body in bodies]


def rotation(x: ArrayLike, y: ArrayLike, pull: float = 0.0) -> Array:
    """Return the rotation R ``[D, D]`` that brings rows ``[n, D]`` nearest to y: x R^T (Schoenemann 1966).

    ``pull`` draws directions of which the rows say little towards where they are.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    return nearest_rotation(y.T @ x + pull * np.eye(x.shape[1]))


def nearest_rotation(matrix: Array) -> Array:
    """Return the orthogonal matrix that is nearest to a matrix ``[D, D]``."""
    u, _, v = np.linalg.svd(matrix)
    return np.asarray(u @ v, dtype=np.float64)


def ridge(x: ArrayLike, y: ArrayLike, penalty: float) -> Affine:
    """Return the least-squares map from vectors ``[n, D]`` to partners, shrunk by ``penalty`` times n."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    source, target = x.mean(axis=0), y.mean(axis=0)
    centred = x - source
    gram = centred.T @ centred + penalty * len(x) * np.eye(x.shape[1])
    return Affine(np.linalg.solve(gram, centred.T @ (y - target)).T, source, target)


def best_ridge(x: ArrayLike, y: ArrayLike, folds: int = 5) -> Affine:
    """Return the ridge map whose penalty does best in cross-validation over the pairs, in order."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    fold = np.arange(len(x)) % min(folds, len(x))
    penalties = np.geomspace(1e-4, 10.0, 11) * max(float(x.var(axis=0).mean()), _LEAST)

    def error(penalty: float) -> float:
        return sum(
            float(np.square(ridge(x[fold != k], y[fold != k], penalty)(x[fold == k]) - y[fold == k]).sum())
            for k in range(int(fold.max()) + 1)
        )

    return ridge(x, y, min(penalties.tolist(), key=error))
