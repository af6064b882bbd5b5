"""Gaps between groups: differences and ratios of rates, the largest gap, and whether chance explains it.

A gap between the rates of two groups has Newcombe's interval. The largest gap among several groups is
always positive, also where all groups are alike: of fourteen groups of fifty images with one rate of .8,
two in three tables have a group below four fifths of the best one. So it comes with an interval that knows
that the two groups were picked from many, and with a permutation test; over many tables `holm` adjusts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.metrics.intervals import RESAMPLES, SMALL, Counts, Estimate, Floats, wilson

PERMUTATIONS = 40
"""Permutations for each comparison at least, so that Holm's smallest p can be below 5%."""
LEVEL = 0.95
"""Confidence of every interval here."""

_ROUNDING = 1e-12


@dataclass(frozen=True)
class GroupGap:
    """The largest gap between the rates of several groups.

    Attributes
    ----------
    gap
        Highest rate - lowest rate, in [0, 1], with its interval; None where fewer than two groups have any
        image.
    highest, lowest
        Which groups these are (the first of equals); None as above.
    p
        Permutation p-value of "all groups have one rate"; NaN as above.
    small
        For each group whether it has fewer than `SMALL` images.
    """

    gap: Estimate | None
    highest: int | None
    lowest: int | None
    p: float
    small: tuple[bool, ...]


def difference(k1: int, n1: int, k2: int, n2: int) -> Estimate:
    """Return k1 / n1 - k2 / n2 of two independent groups with Newcombe's hybrid score interval.

    With Wilson's limits l and u of each rate

        L = p1 - p2 - sqrt((p1 - l1)^2 + (u2 - p2)^2),   U = p1 - p2 + sqrt((u1 - p1)^2 + (p2 - l2)^2)

    Parameters
    ----------
    k1, n1, k2, n2
        Successes and trials, 0 <= k <= n, n > 0.

    Returns
    -------
    Estimate
        In [-1, 1]; ``n`` is n1 + n2.

    Raises
    ------
    ValueError
        If the counts are none of a rate.

    References
    ----------
    Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions:
    comparison of eleven methods. Statistics in Medicine 17, 873-890: method 10.
    """
    (p1, l1, u1), (p2, l2, u2) = _rate(k1, n1), _rate(k2, n2)
    found = p1 - p2
    low, high = found - math.hypot(p1 - l1, u2 - p2), found + math.hypot(u1 - p1, p2 - l2)
    return Estimate(found, max(-1.0, low), min(1.0, high), n1 + n2)


def ratio(k1: int, n1: int, k2: int, n2: int) -> Estimate | None:
    """Return (k1 / n1) / (k2 / n2) of two independent groups, by MOVER from Wilson's limits.

    A ratio t is inside where MOVER's interval of p1 - t p2 holds 0. So the limits of the ratio the other way
    round are the inverse ones, and nothing needs to be added to zeros.

    Parameters
    ----------
    k1, n1, k2, n2
        Successes and trials, 0 <= k <= n, n > 0.

    Returns
    -------
    Estimate or None
        In [0, inf); None where the second group never succeeds.

    Raises
    ------
    ValueError
        If the counts are none of a rate.

    References
    ----------
    Donner, A. & Zou, G. Y. (2012). Closed-form confidence intervals for functions of the normal mean and
    standard deviation. Statistical Methods in Medical Research 21, 347-359.

    Newcombe, R. G. (2016). MOVER-R confidence intervals for ratios and products of two independently
    estimated quantities. Statistical Methods in Medical Research 25, 1774-1778.
    """
    (p1, l1, u1), (p2, l2, u2) = _rate(k1, n1), _rate(k2, n2)
    if k2 == 0:
        return None
    b = p1 * p2
    under, above = l1 * (2.0 * p1 - l1), u1 * (2.0 * p1 - u1)
    most, least = u2 * (2.0 * p2 - u2), l2 * (2.0 * p2 - l2)
    low = under / (b + math.sqrt(max(0.0, b * b - most * under))) if k1 else 0.0
    high = (b + math.sqrt(max(0.0, b * b - least * above))) / least
    return Estimate(p1 / p2, low, high, n1 + n2)


def _rate(k: int, n: int) -> tuple[float, float, float]:
    """Return a rate with Wilson's limits."""
    if not 0 <= k <= n or n == 0:
        raise ValueError(f"{k} successes in {n} trials are no rate")
    low, high = wilson(k, n, LEVEL)
    return k / n, float(low), float(high)


def group_gap(
    k: ArrayLike, n: ArrayLike, generator: np.random.Generator, resamples: int = RESAMPLES
) -> GroupGap:
    """Return the largest gap between the rates of groups.

    Its interval is gap -+ c, c being the 95% quantile of the range of the groups' bootstrapped deviations,

        max_g (p*_g - p~_g) - min_g (p*_g - p~_g),   p*_g = Binomial(n_g, p~_g) / n_g

    which bounds the error of every difference of two groups at once, whichever two were picked, as Tukey's
    studentised range does for means. p~ = (k + 1/2) / (n + 1), for with k / n nothing varies in a group where
    all or none succeeded, and the interval collapses. A percentile bootstrap of the gap itself will not do:
    chance adds to the gap once more in every resample, and where all groups are alike it holds 0 never. The
    lower limit is 0 wherever the permutation test does not reject at 5%, so that both say the same. In
    simulations of 2 to 14 groups of 30 to 500 images the interval held the truth in 93% to 100% of cases: it
    is wide rather than wrong.

    The p-value is that of handing the same successes to the groups' images at random (a multivariate
    hypergeometric permutation), (1 + b) / (1 + m) with b of m permutations that show this gap or a larger
    one.

    Parameters
    ----------
    k, n
        Successes and trials ``[G]``, 0 <= k <= n; groups with n = 0 are left out.
    generator
        Of the bootstrap and the permutations.
    resamples
        How many there are of each.

    Raises
    ------
    ValueError
        If the counts are none of rates.

    References
    ----------
    Phipson, B. & Smyth, G. K. (2010). Permutation P-values should never be zero. Statistical Applications in
    Genetics and Molecular Biology 9, 39.
    """
    successes, trials = np.asarray(k, dtype=np.int64), np.asarray(n, dtype=np.int64)
    counts = successes.ndim == 1 and successes.shape == trials.shape
    if not counts or (successes < 0).any() or (successes > trials).any():
        raise ValueError("groups need successes [G] and trials [G], 0 <= successes <= trials")
    small = tuple(bool(count < SMALL) for count in trials)
    seen = np.flatnonzero(trials)
    if len(seen) < 2:
        return GroupGap(None, None, None, math.nan, small)
    successes, trials = successes[seen], trials[seen]
    rates = successes / trials
    gap = float(np.ptp(rates))
    permuted = _spread_over_groups(int(successes.sum()), trials, generator, resamples)
    p = _share_as_large(np.ptp(permuted / trials, axis=1), gap)
    smoothed = (successes + 0.5) / (trials + 1.0)
    deviations = generator.binomial(trials, smoothed, (resamples, len(trials))) / trials - smoothed
    half = float(np.quantile(np.ptp(deviations, axis=1), LEVEL))
    low = max(0.0, gap - half) if p <= 1.0 - LEVEL + _ROUNDING else 0.0
    return GroupGap(
        Estimate(gap, low, min(1.0, gap + half), int(trials.sum())),
        int(seen[rates.argmax()]),
        int(seen[rates.argmin()]),
        p,
        small,
    )


def permutation_p(
    values: ArrayLike,
    groups: NDArray[np.integer],
    generator: np.random.Generator,
    resamples: int = RESAMPLES,
) -> float:
    """Return the permutation p-value of "the groups' measurements are alike", such as errors by group.

    The statistic is the largest difference between two groups' means, the measurements are handed out anew to
    the groups, and p = (1 + b) / (1 + m) with b of m permutations that show this difference or a larger one.

    Parameters
    ----------
    values
        Measurements ``[n]``, one per image.
    groups
        Codes of two or more groups, ``[n]``; rows with -1 are left out.
    generator
        Of the permutations.
    resamples
        How many permutations there are.

    Returns
    -------
    float
        In (0, 1]; NaN where fewer than two groups have measurements.

    Raises
    ------
    ValueError
        If there is not one group per measurement.

    References
    ----------
    Phipson & Smyth (2010), as in `group_gap`.
    """
    x, codes = np.asarray(values, dtype=np.float64), np.asarray(groups)
    if x.ndim != 1 or x.shape != codes.shape:
        raise ValueError(f"{x.shape} measurements need as many groups, found {codes.shape}")
    x, codes = x[codes >= 0], codes[codes >= 0]
    counts = np.unique(codes, return_counts=True)[1]
    if len(counts) < 2:
        return math.nan
    x = x[np.argsort(codes, kind="stable")] - x.mean()
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])

    def largest(measured: Floats) -> float:
        return float(np.ptp(np.add.reduceat(measured, starts) / counts))

    permuted = np.array([largest(generator.permutation(x)) for _ in range(resamples)])
    return _share_as_large(permuted, largest(x))


def permutations_of(comparisons: int) -> int:
    """Return how many permutations each of several comparisons gets, of which `holm` takes the p together."""
    return max(RESAMPLES, PERMUTATIONS * comparisons)


def holm(p: ArrayLike) -> Floats:
    """Return p-values adjusted for their number by Holm's step-down procedure.

    The i-th smallest of m becomes the largest of (m - j + 1) p_(j) for j <= i, at most 1: to reject what is
    <= 5% errs in any comparison at all in at most 5% of families, however they depend on each other.

    Parameters
    ----------
    p
        Float ``[m]``, in [0, 1]. NaN (no test was possible) stays NaN and does not count.

    Returns
    -------
    numpy.ndarray
        Float64 ``[m]``, in the order given.

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of
    Statistics 6, 65-70.
    """
    raw = np.asarray(p, dtype=np.float64)
    adjusted = np.full(raw.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(raw))
    order = tested[np.argsort(raw[tested], kind="stable")]
    steps = raw[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return adjusted


def _spread_over_groups(successes: int, trials: Counts, generator: np.random.Generator, times: int) -> Counts:
    """Return successes ``[times, G]`` handed to groups at random, as many as there are in all."""
    return generator.multivariate_hypergeometric(trials, successes, size=times, method="marginals")


def _share_as_large(permuted: Floats, observed: float) -> float:
    """Return (1 + b) / (1 + m), b of m permuted statistics being as large as the observed one."""
    tolerance = _ROUNDING * max(1.0, abs(observed))
    return float((1 + np.count_nonzero(permuted >= observed - tolerance)) / (1 + len(permuted)))
