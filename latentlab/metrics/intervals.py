"""Estimates with 95% intervals: rates, means of rates, ratios of rates, and means of measurements.

A rate is k successes in n trials, and its interval is Wilson's (1927), which stays honest at 0 and at n,
where the bootstrap collapses. What is made of several rates (a balanced accuracy is their mean, an
agreement the ratio of two such means) inherits Wilson's limits by the method of variance estimates
recovery, MOVER (Zou & Donner 2008; Newcombe 1998, 2016): for a sum of independent estimates

    L = sum w_k p_k - sqrt(sum w_k^2 (p_k - l_k)^2),   U likewise with u_k - p_k,

so that for one rate it *is* Wilson's interval. Everything else is bootstrapped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

RESAMPLES = 2000
"""Bootstrap resamples of an interval."""

SMALL = 30
"""Groups of fewer images are marked: their figures say little."""

_CHUNK = 1 << 22
Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95% interval (None where there is none) and the number of images behind it."""

    value: float
    low: float | None
    high: float | None
    n: int

    def record(self) -> dict[str, float | int | None]:
        """Return the estimate as it stands in a report."""
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n}


def wilson(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return Wilson's score interval of rates, element by element.

    Parameters
    ----------
    successes, n
        Counts of any one shape, 0 <= successes <= n. Where n = 0 the interval is [0, 1].
    level
        Confidence level.

    Returns
    -------
    tuple of numpy.ndarray
        Lower and upper limits in [0, 1], exactly 0 where nothing and 1 where everything succeeded.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
    """
    k, n = np.asarray(successes, dtype=np.float64), np.asarray(n, dtype=np.float64)
    z2 = float(ndtri(0.5 + level / 2.0)) ** 2
    p = np.divide(k, n, out=np.full(np.broadcast(k, n).shape, 0.5), where=n > 0)
    centre = (n * p + z2 / 2.0) / (n + z2)
    half = np.sqrt(z2) / (n + z2) * np.sqrt(n * p * (1.0 - p) + z2 / 4.0)
    low, high = np.clip(centre - half, 0.0, 1.0), np.clip(centre + half, 0.0, 1.0)
    return np.where(k == 0, 0.0, low), np.where(k == n, 1.0, high)


def mean_of_rates(successes: ArrayLike, n: ArrayLike) -> Estimate | None:
    """Return the unweighted mean of independent rates, by MOVER from Wilson's limits.

    Parameters
    ----------
    successes, n
        Counts ``[K]``, one pair per class; classes without trials are left out.

    Returns
    -------
    Estimate or None
        None where no class has a trial.
    """
    k, n = np.asarray(successes), np.asarray(n)
    k, n = k[n > 0], n[n > 0]
    if not len(n):
        return None
    mean, low, high, _ = _mean_with_limits(k, n)
    return Estimate(mean, low, high, int(n.sum()))


def wilson_rate(successes: int, n: int) -> Estimate:
    """Return a rate with Wilson's interval; n > 0."""
    found = mean_of_rates([successes], [n])
    assert found is not None
    return found


def ratio_of_means(both: ArrayLike, first: ArrayLike, second: ArrayLike, n: ArrayLike) -> Estimate | None:
    """Return mean rate of ``first`` / mean rate of ``second``, where both judge the same images.

    With theta the ratio, its limits are where MOVER's interval of the difference first - theta * second
    ends at zero, the correlation rho of the two means being the images' own:

        (p1 - theta p2)^2 = (p1 - l1)^2 + theta^2 (u2 - p2)^2 - 2 rho theta (p1 - l1)(u2 - p2)

    for the lower limit, with u1 and l2 in place of l1 and u2 for the upper one. (Newcombe 2016 for
    rho = 0; the correlation enters as in Newcombe 1998b, method 10.)

    Parameters
    ----------
    both, first, second, n
        Counts ``[K]`` per class: images that succeed in both, in the first, in the second, and images.

    Returns
    -------
    Estimate or None
        None where no class has images, or the second never succeeds. The upper limit is None where no
        ratio above is excluded, and the lower one 0 where none below is, as happens with few images.
    """
    n = np.asarray(n)
    seen = n > 0
    n, k12, k1, k2 = n[seen], np.asarray(both)[seen], np.asarray(first)[seen], np.asarray(second)[seen]
    if not len(n) or not k2.sum():
        return None
    p1, l1, u1, variance1 = _mean_with_limits(k1, n)
    p2, l2, u2, variance2 = _mean_with_limits(k2, n)
    covariance = float(np.sum((k12 / n - (k1 / n) * (k2 / n)) / n)) / len(n) ** 2
    rho = covariance / math.sqrt(variance1 * variance2) if variance1 * variance2 > 0 else 0.0
    low = _root(p1, p2, p1 - l1, u2 - p2, rho, -1)
    high = _root(p1, p2, u1 - p1, p2 - l2, rho, +1)
    return Estimate(p1 / p2, max(0.0, low or 0.0), high, int(n.sum()))


def _mean_with_limits(k: Counts, n: Counts) -> tuple[float, float, float, float]:
    """Return a mean of rates, its MOVER limits, and its estimated variance."""
    p = k / n
    low, high = wilson(k, n)
    mean = float(p.mean())
    below = math.sqrt(float(np.sum((p - low) ** 2))) / len(n)
    above = math.sqrt(float(np.sum((high - p) ** 2))) / len(n)
    variance = float(np.sum(p * (1.0 - p) / n)) / len(n) ** 2
    return mean, max(0.0, mean - below), min(1.0, mean + above), variance


def _root(p1: float, p2: float, d1: float, d2: float, rho: float, sign: int) -> float | None:
    """Solve (p1 - t p2)^2 = d1^2 + t^2 d2^2 - 2 rho t d1 d2 for t on one side of p1 / p2."""
    a, b, c = p2 * p2 - d2 * d2, p1 * p2 - rho * d1 * d2, p1 * p1 - d1 * d1
    if a <= 0.0:
        return None
    return (b + sign * math.sqrt(max(0.0, b * b - a * c))) / a


def bootstrap_totals(
    columns: ArrayLike,
    generator: np.random.Generator,
    clusters: NDArray[np.int64] | None = None,
    resamples: int = RESAMPLES,
) -> Floats:
    """Return column sums over rows drawn with replacement, once per resample.

    Any statistic that is a function of sums (a mean, a ratio, a binned error) can be computed from them
    for all resamples at once.

    Parameters
    ----------
    columns
        Float ``[n, C]``.
    clusters
        Integers ``[n]``: rows of one value (several images of one identity) are drawn together. Without
        it, every row is drawn for itself.

    Returns
    -------
    numpy.ndarray
        Float64 ``[resamples, C]``.
    """
    rows = np.asarray(columns, dtype=np.float64)
    if clusters is not None:
        found, where = np.unique(clusters, return_inverse=True)
        summed = np.zeros((len(found), rows.shape[1]))
        np.add.at(summed, where, rows)
        rows = summed
    n = len(rows)
    totals = np.empty((resamples, rows.shape[1]))
    step = max(1, _CHUNK // n)
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        drawn = generator.integers(0, n, (count, n)) + n * np.arange(count)[:, None]
        times = np.bincount(drawn.ravel(), minlength=count * n).reshape(count, n)
        totals[start : start + count] = times @ rows
    return totals


def percentile_limits(statistics: Floats, level: float = 0.95) -> tuple[float, float]:
    """Return the percentile interval of bootstrapped statistics ``[resamples]``."""
    low, high = np.quantile(statistics, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return float(low), float(high)


def bootstrap_mean(
    values: ArrayLike, generator: np.random.Generator, clusters: NDArray[np.int64] | None = None
) -> Estimate:
    """Return the mean of measurements ``[n]``, one per image, with its bootstrap interval.

    Raises
    ------
    ValueError
        If there is no measurement.
    """
    x = np.asarray(values, dtype=np.float64)
    if not len(x):
        raise ValueError("a mean needs at least one measurement")
    totals = bootstrap_totals(np.stack([x, np.ones_like(x)], axis=1), generator, clusters)
    return Estimate(float(x.mean()), *percentile_limits(totals[:, 0] / totals[:, 1]), len(x))
