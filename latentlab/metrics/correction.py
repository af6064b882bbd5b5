"""Shares of classes corrected for the errors of the classifier that counted them.

A classifier that takes 5% of one class for another shifts every share it reports. With
C_ij = P(says i | is j), known from held-out images, the reported shares are q = C p, so p = C^-1 q: for two
classes the estimate of Rogan & Gladen (1978), which CLEAM (Teo et al. 2023) brought to generative models,

    p = (q - (1 - alpha1)) / J,   alpha_j = P(says j | is j),   J = alpha0 + alpha1 - 1

CLEAM's interval takes the alphas for known. Of 3,000 samples with a share of .1, judged with alphas of .95
and .9, its nominal 95% hold the truth in 90%, 66% and 37% of cases with 3,000, 500 and 100 validation images
a class. Here the interval adds what is not known of the alphas, by the delta method: 95%, 94% and 96%. Each
alpha is estimated as (k + 1/2) / (n + 1), for with k / n a classifier that never erred on a few images would
count as one that never errs.

Whether the errors on validation images are those on generated ones, the correction cannot know.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from latentlab.metrics.intervals import Floats, wilson
from latentlab.spec import Confusion

UNKNOWN_ERRORS = "not corrected: no held-out confusion matrix of this attribute is known"
LEAST_J = 0.2
"""No correction where less than this is left of a difference between shares: it would be mostly noise."""

_Z = float(ndtri(0.975))


@dataclass(frozen=True)
class Corrected:
    """A share corrected for the classifier's errors, or why there is none.

    Attributes
    ----------
    share, low, high
        The corrected share with its 95% interval, in [0, 1]; None where it was refused.
    n
        Images that were counted.
    clipped
        Whether the equations gave shares outside [0, 1], of which the nearest possible ones were taken.
    reason
        Why nothing was corrected, beginning ``not corrected:``; empty where it was.
    """

    share: float | None
    low: float | None
    high: float | None
    n: int
    clipped: bool = False
    reason: str = ""

    def columns(self) -> dict[str, float | str | None]:
        """Return it as columns of a table."""
        return {
            "corrected": self.share,
            "corrected_low": self.low,
            "corrected_high": self.high,
            "clipped": "yes" if self.clipped else "no",
            "not_corrected": self.reason,
        }


def corrected_shares(counts: ArrayLike, confusion: Confusion | ArrayLike | None) -> tuple[Corrected, ...]:
    """Return the corrected share of every class, for two classes or more.

    p = C^-1 q, with C_ij = (count_ji + 1/K) / (n_j + 1) of n_j validation images of class j: for K = 2 that
    is Rogan and Gladen's estimate with alpha = (k + 1/2) / (n + 1). The interval is the delta method's: with
    A = C^-1 and the multinomial covariance S(c) = diag(c) - c c' of each column,

        Var p = A [S(q) / N + sum_j p_j^2 S(C_j) / n_j] A'

    which for K = 2 is [q(1 - q) / N + p^2 alpha0(1 - alpha0) / n0 + (1 - p)^2 alpha1(1 - alpha1) / n1] / J^2.
    Its first term, the variation of what was counted, is not taken from q(1 - q) / N but from Wilson's
    limits (by MOVER, see `latentlab.metrics.intervals`). With many images that is the same; but where a class
    is seen in none of 20, it stays Wilson's [0, .161] instead of nothing.

    Impossible estimates become the nearest possible ones: the point is projected onto the simplex (Duchi et
    al. 2008), which for two classes is clipping, and ``clipped`` says so. The interval then reaches from
    both, so that it holds the share and does not shrink to a point.

    Parameters
    ----------
    counts
        Images that the classifier put in each class, ``[K]``, K >= 2.
    confusion
        Its held-out confusion matrix, counts ``[truth, predicted]`` of ``[K, K]``; None if it is unknown.

    Returns
    -------
    tuple of Corrected
        One per class; the shares sum to 1. All are refused, with one reason, where the matrix is unknown,
        where there are no images, where a class has no validation images, or where `distinctness` (for two
        classes: J) is below `LEAST_J`.

    Raises
    ------
    ValueError
        If the shapes do not fit or a count is negative.

    References
    ----------
    Rogan, W. J. & Gladen, B. (1978). Estimating prevalence from the results of a screening test. American
    Journal of Epidemiology 107, 71-76.

    Teo, C. T. H., Abdollahzadeh, M. & Cheung, N.-M. (2023). On measuring fairness in generative models.
    NeurIPS.

    Lang, Z. & Reiczigel, J. (2014). Confidence limits for prevalence of disease adjusted for estimated
    sensitivity and specificity. Preventive Veterinary Medicine 113, 13-22 (the idea of the smoothed alphas).

    Duchi, J. et al. (2008). Efficient projections onto the l1-ball for learning in high dimensions. ICML.
    """
    if confusion is None:
        seen = np.asarray(counts)
        return (Corrected(None, None, None, int(seen.sum()), reason=UNKNOWN_ERRORS),) * len(seen)
    seen, matrix = _checked(counts, confusion)
    rates = conditional_rates(matrix)
    refused = _refusal(seen, matrix, rates)
    if refused:
        return tuple(Corrected(None, None, None, int(seen.sum()), reason=refused) for _ in seen)
    total = seen.sum()
    inverse = np.asarray(np.linalg.inv(rates), dtype=np.float64)
    raw: Floats = inverse @ (seen / total)
    shares = on_the_simplex(raw)
    of_classifier = np.zeros_like(raw)
    for j, n in enumerate(matrix.sum(axis=1)):
        of_classifier += shares[j] ** 2 * _quadratic(inverse, _covariance(rates[:, j])) / n
    below, above = _counting_error(seen, inverse)
    low = np.minimum(raw, shares) - np.hypot(below, _Z * np.sqrt(of_classifier))
    high = np.maximum(raw, shares) + np.hypot(above, _Z * np.sqrt(of_classifier))
    low, high = np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)
    clipped = bool((raw < 0.0).any())
    return tuple(
        Corrected(float(p), float(a), float(b), int(total), clipped)
        for p, a, b in zip(shares, low, high, strict=True)
    )


def cleam(counts: ArrayLike, confusion: Confusion | ArrayLike) -> Corrected:
    """Return the corrected share of the first of two classes as CLEAM gives it, for comparison.

    p = (q - (1 - alpha1)) / J -+ 1.96 sqrt(q(1 - q) / N) / J with alpha = k / n, taken for known: too narrow
    unless the validation images are many times more than the samples.

    Parameters
    ----------
    counts
        Images that the classifier put in each class, ``[2]``.
    confusion
        Its held-out confusion matrix, counts ``[truth, predicted]`` of ``[2, 2]``.

    Returns
    -------
    Corrected
        Refused as by `corrected_shares`.

    Raises
    ------
    ValueError
        If the shapes do not fit or a count is negative.

    References
    ----------
    Teo et al. (2023), as in `corrected_shares`.
    """
    seen, matrix = _checked(counts, confusion)
    if len(seen) != 2:
        raise ValueError(f"CLEAM's interval is one of two classes, found {len(seen)}")
    total, per_class = int(seen.sum()), matrix.sum(axis=1)
    rates = (matrix / np.maximum(per_class, 1)[:, None]).T
    refused = _refusal(seen, matrix, rates)
    if refused:
        return Corrected(None, None, None, total, reason=refused)
    q, j = seen[0] / total, rates[0, 0] + rates[1, 1] - 1.0
    p, half = (q - rates[0, 1]) / j, _Z * math.sqrt(q * (1.0 - q) / total) / j
    share, low, high = (float(np.clip(value, 0.0, 1.0)) for value in (p, p - half, p + half))
    return Corrected(share, low, high, total, not 0.0 <= p <= 1.0)


def conditional_rates(matrix: NDArray[np.int64]) -> Floats:
    """Return C_ij = P(says i | is j) of counts ``[truth, predicted]``, each as (count + 1/K) / (n + 1)."""
    smoothed = (matrix + 1.0 / len(matrix)) / (matrix.sum(axis=1, keepdims=True) + 1.0)
    return np.asarray(smoothed.T, dtype=np.float64)


def distinctness(rates: Floats) -> float:
    """Return how much the classifier leaves of a difference between shares, in the worst direction.

    The smallest v' C v over changes v of length 1 of the shares (so sum v = 0): 1 for a classifier that never
    errs, 0 for one that guesses or cannot tell two classes apart, negative where it swaps them. For two
    classes it is J = alpha0 + alpha1 - 1, Youden's index. No smaller than this is the factor by which any
    change is shrunk, so 1 / distinctness bounds what the correction does to errors.

    Parameters
    ----------
    rates
        C_ij = P(says i | is j), ``[K, K]``; the columns sum to 1.
    """
    size = len(rates)
    changes = np.linalg.svd(np.ones((1, size)))[2][1:]  # an orthonormal basis of what sums to 0
    left = changes @ (rates + rates.T) @ changes.T / 2.0
    return float(np.linalg.eigvalsh(left)[0])


def on_the_simplex(values: Floats) -> Floats:
    """Return the shares (not negative, summing to 1) nearest to values ``[K]`` (Duchi et al. 2008)."""
    falling = np.sort(values)[::-1]
    excess = (np.cumsum(falling) - 1.0) / np.arange(1, len(values) + 1)
    taken = np.maximum(values - excess[np.flatnonzero(falling > excess)[-1]], 0.0)
    return np.asarray(taken / taken.sum(), dtype=np.float64)


def _checked(counts: ArrayLike, confusion: Confusion | ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
    seen: Floats = np.asarray(counts, dtype=np.float64)
    matrix = confusion.array() if isinstance(confusion, Confusion) else np.asarray(confusion, dtype=np.int64)
    if seen.ndim != 1 or len(seen) < 2 or matrix.shape != (len(seen), len(seen)):
        raise ValueError(f"counts [K] need a confusion matrix [K, K], found {seen.shape} and {matrix.shape}")
    if (seen < 0).any() or (matrix < 0).any():
        raise ValueError("a count is negative")
    return seen, matrix


def _refusal(seen: Floats, matrix: NDArray[np.int64], rates: Floats) -> str:
    """Say why shares cannot be corrected; empty where they can."""
    if not seen.sum():
        return "not corrected: no images"
    if not matrix.sum(axis=1).all():
        return "not corrected: the classifier was validated on no images of a class"
    left = distinctness(rates)
    if left < LEAST_J:
        name = "J" if len(seen) == 2 else "the least J of its classes"
        return f"not corrected: the classifier errs too often ({name} = {left:.2f}, below {LEAST_J:g})"
    return ""


def _counting_error(seen: Floats, inverse: Floats) -> tuple[Floats, Floats]:
    """Return how far below and above its value each corrected share may be because of what was sampled.

    MOVER of the weighted sums A q from Wilson's limits of each q, correlated as multinomial shares are
    (-1 for two classes, so that the distances are Wilson's own over J).
    """
    total = seen.sum()
    q = seen / total
    low, high = wilson(seen, total)
    smoothed = (seen + 1.0 / len(seen)) / (total + 1.0)
    odds = np.sqrt(smoothed / (1.0 - smoothed))
    correlation = -np.outer(odds, odds)
    np.fill_diagonal(correlation, 1.0)
    down = np.where(inverse > 0, q - low, high - q) * inverse
    up = np.where(inverse > 0, high - q, q - low) * inverse
    below, above = _quadratic(down, correlation), _quadratic(up, correlation)
    return np.sqrt(np.maximum(below, 0.0)), np.sqrt(np.maximum(above, 0.0))


def _covariance(shares: Floats) -> Floats:
    found: Floats = np.diag(shares) - np.outer(shares, shares)
    return found


def _quadratic(rows: Floats, matrix: Floats) -> Floats:
    """Return a' M a of every row a."""
    return np.asarray(np.einsum("ik,kl,il->i", rows, matrix, rows), dtype=np.float64)
