"""The difference between two rates of the same images: what two treatments do to each of them."""

from __future__ import annotations

import math

from scipy.special import bdtr

from latentlab.metrics.intervals import Estimate, wilson


def paired_difference(both: int, first: int, second: int, n: int) -> Estimate:
    """Return first / n - second / n of the same n images with Newcombe's interval for paired rates.

    With Wilson's limits l and u of each rate and the correlation rho of the two answers (`correlation`)

        L = d - sqrt((p1 - l1)^2 - 2 rho (p1 - l1)(u2 - p2) + (u2 - p2)^2)
        U = d + sqrt((u1 - p1)^2 - 2 rho (u1 - p1)(p2 - l2) + (p2 - l2)^2),   d = p1 - p2

    so that it does not collapse where all images fare alike.

    Parameters
    ----------
    both, first, second, n
        Images that succeed in both, in the first, in the second, and all; n > 0.

    Returns
    -------
    Estimate
        In [-1, 1]; ``n`` is that of the images.

    Raises
    ------
    ValueError
        If the counts are none of two rates of the same images.

    References
    ----------
    Newcombe, R. G. (1998). Improved confidence intervals for the difference between binomial proportions
    based on paired data. Statistics in Medicine 17, 2635-2650: method 10.
    """
    rho = correlation(both, first, second, n)
    limits = [wilson(k, n) for k in (first, second)]
    one, other = (
        Estimate(k / n, float(low), float(high), n)
        for k, (low, high) in zip((first, second), limits, strict=True)
    )
    found = difference_of(one, other, rho)
    assert found is not None
    return found


def difference_of(first: Estimate, second: Estimate, rho: float) -> Estimate | None:
    """Return the difference of two estimates in [0, 1] that go together with a correlation, by MOVER.

    Their own limits take the place of Wilson's in `paired_difference`; None where one of them has none.
    """
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return None
    d = first.value - second.value
    below = _apart(first.value - first.low, second.high - second.value, rho)
    above = _apart(first.high - first.value, second.value - second.low, rho)
    return Estimate(d, max(-1.0, d - below), min(1.0, d + above), min(first.n, second.n))


def correlation(both: int, first: int, second: int, n: int) -> float:
    """Return the correlation of two answers about the same images, with Newcombe's correction; 0 for none.

    Raises
    ------
    ValueError
        As `paired_difference`.
    """
    only_first, only_second, neither = first - both, second - both, n - first - second + both
    if n < 1 or min(both, only_first, only_second, neither) < 0:
        raise ValueError(f"{both}, {first} and {second} of {n} are no answers about the same images")
    product = first * (n - first) * second * (n - second)
    if not product:
        return 0.0
    together = float(both * neither - only_first * only_second)
    if together > 0:  # towards 0, for of few images a correlation is found too large
        together = max(0.0, together - n / 2.0)
    return together / math.sqrt(product)


def mcnemar_p(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p of "the images that fare differently do so either way alike".

    References
    ----------
    McNemar, Q. (1947). Note on the sampling error of the difference between correlated proportions.
    Psychometrika 12, 153-157; the exact test is the sign test of the images that fare differently.
    """
    n = only_first + only_second
    return 1.0 if not n else min(1.0, 2.0 * float(bdtr(min(only_first, only_second), n, 0.5)))


def _apart(first: float, second: float, rho: float) -> float:
    return math.sqrt(max(0.0, first * first - 2.0 * rho * first * second + second * second))
