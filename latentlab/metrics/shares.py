"""Shares of classes, their distance from reference shares, and directional bias amplification.

A reference may be uniform, the training set's, or given. Distances of shares from a reference are never
negative: chance alone puts them above 0, and a percentile bootstrap of them lies too high and leaves 0 out
where nothing is wrong. `against` says how its intervals avoid that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.metrics.intervals import (
    RESAMPLES,
    Estimate,
    Floats,
    bootstrap_totals,
    percentile_limits,
)

LEVEL = 0.95
"""Confidence of every interval here."""

_ROUNDING = 1e-12


def fairness_discrepancy(shares: Floats, reference: Floats) -> Floats:
    """Return |p - r|_2 of shares and a reference, in [0, sqrt(2)].

    Parameters
    ----------
    shares, reference
        Float ``[..., K]`` and ``[K]``, each summing to 1; as in all measures below. With mean probabilities
        as shares it is |E_ref p(u|x) - E_model p(u|x)|_2.

    Returns
    -------
    numpy.ndarray
        Float64 ``[...]``.

    References
    ----------
    Choi, K., Grover, A., Singh, T., Shu, R. & Ermon, S. (2020). Fair generative modeling via weak
    supervision. ICML.
    """
    return _floats(np.sqrt(np.square(shares - reference).sum(axis=-1)))


def kl_divergence(shares: Floats, reference: Floats) -> Floats:
    """Return KL(p || r) = sum p ln(p / r) in nats, in [0, inf]; infinite where a class has r = 0 < p.

    References
    ----------
    Kullback, S. & Leibler, R. A. (1951). On information and sufficiency.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(shares > 0, shares * np.log(shares / reference), 0.0)
    return _floats(np.maximum(terms.sum(axis=-1), 0.0))


def total_variation(shares: Floats, reference: Floats) -> Floats:
    """Return sum |p - r| / 2, in [0, 1]: the share of images that would have to be of another class."""
    return _floats(0.5 * np.abs(shares - reference).sum(axis=-1))


def largest_deviation(shares: Floats, reference: Floats) -> Floats:
    """Return max |p - r|, in [0, 1]."""
    return _floats(np.abs(shares - reference).max(axis=-1))


def chi_square(shares: Floats, reference: Floats) -> Floats:
    """Return sum (p - r)^2 / r, in [0, inf]: k sum (p - 1/k)^2 for the uniform reference of k classes.

    n times it is Pearson's statistic (1900) of n images. A class with r = p = 0 adds nothing.
    """
    squares = np.square(shares - reference)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(squares > 0, squares / reference, 0.0)
    return _floats(terms.sum(axis=-1))


def entropy(shares: Floats) -> Floats:
    """Return - sum p ln p in nats, in [0, ln K] (Shannon 1948): ln K - KL to the uniform reference."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(shares > 0, -shares * np.log(shares), 0.0)
    return _floats(terms.sum(axis=-1))


Measure = Callable[[Floats, Floats], Floats]
MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "fairness_discrepancy": fairness_discrepancy,
        "kl_divergence": kl_divergence,
        "total_variation": total_variation,
        "largest_deviation": largest_deviation,
        "chi_square": chi_square,
    }
)
"""The distances of shares from a reference: each is 0 where they are the same, and never negative."""


def uniform(classes: int) -> Floats:
    """Return the reference in which every class has the same share, ``[K]``."""
    return np.full(classes, 1.0 / classes)


def against(
    rows: ArrayLike,
    reference: ArrayLike,
    generator: np.random.Generator,
    clusters: NDArray[np.int64] | None = None,
    resamples: int = RESAMPLES,
) -> dict[str, Estimate]:
    """Return the distances `MEASURES` of the mean of rows from a reference, and the shares' entropy.

    Either limit of a distance is the wider one of two bootstraps: the basic one, 2 * value - quantile, which
    takes off what chance adds, and the percentile one, which follows the skewness near 0 and 1. It reaches
    down to 0 where shares equal to the reference would be found as far from it in over 5% of cases (the
    bootstrapped deviations, centred on the reference). So that nothing collapses where all rows are alike,
    one image is added to the rows that are resampled, of a class drawn evenly from those that are possible.
    The entropy's interval is ln K less that of the divergence from the uniform reference. In simulations of
    30 to 1,000 images the intervals held the truth in 93% to 100% of cases.

    Parameters
    ----------
    rows
        Probabilities, or one-hot rows of labels or of argmax, float ``[n, K]``, n > 0, each summing to 1.
    reference
        Shares ``[K]``, summing to 1, taken for known.
    generator
        Of the bootstrap.
    clusters
        Integers ``[n]``: rows of one value are drawn together.

    Returns
    -------
    dict
        By measure. ``kl_divergence`` and ``chi_square`` are missing where a class has a share but none in the
        reference, from which it is infinitely far by both.

    Raises
    ------
    ValueError
        If there are no rows, they are no shares, or the reference is not of as many classes.
    """
    table = _distributions(rows)
    n = len(table)
    totals = bootstrap_totals(np.column_stack([table, np.ones(n)]), generator, clusters, resamples)
    return _against(table.mean(axis=0), n, totals[:, :-1] / totals[:, -1:], reference, generator)


def against_counts(
    counts: ArrayLike,
    reference: ArrayLike,
    generator: np.random.Generator,
    resamples: int = RESAMPLES,
) -> dict[str, Estimate]:
    """Return what `against` does for one-hot rows of which only the counts are known, in constant time.

    Drawing n such rows with replacement is one multinomial draw of their counts.

    Parameters
    ----------
    counts
        Images of each class, ``[K]``, at least one in all.
    reference, generator
        As for `against`.

    Raises
    ------
    ValueError
        If there is no image, a count is negative, or the reference is not of as many classes.
    """
    found = np.asarray(counts, dtype=np.int64)
    if found.ndim != 1 or (found < 0).any() or not found.sum():
        raise ValueError(f"counts [K] are not negative and not all 0, found {found}")
    n = int(found.sum())
    shares: Floats = found / n
    drawn: Floats = generator.multinomial(n, shares, resamples) / n
    return _against(shares, n, drawn, reference, generator)


def _against(
    shares: Floats, n: int, means: Floats, reference: ArrayLike, generator: np.random.Generator
) -> dict[str, Estimate]:
    """Return all distances of shares ``[K]`` of n images, given bootstrapped ones ``[R, K]``."""
    target = _distributions(np.asarray(reference, dtype=np.float64)[None])[0]
    resamples, width = len(means), means.shape[1]
    if len(target) != width:
        raise ValueError(f"shares of {width} classes need as many in the reference, found {len(target)}")

    def distance(measure: Measure, other: Floats) -> tuple[float, float, float]:
        unknown = uniform(width)
        if not np.isfinite(measure(unknown, other)):
            unknown = (other > 0) / np.count_nonzero(other)
        centre = (n * shares + unknown) / (n + 1)
        added = generator.binomial(n, 1.0 / (n + 1), resamples)
        drawn = ((n - added)[:, None] * means + generator.multinomial(added, unknown)) / n
        return _distance(measure, shares, other, centre, drawn)

    found = {
        name: Estimate(*distance(measure, target), n)
        for name, measure in MEASURES.items()
        if np.isfinite(measure(shares, target))
    }
    _, low, high = distance(kl_divergence, uniform(width))
    most = float(np.log(width))
    found["entropy"] = Estimate(float(entropy(shares)), max(0.0, most - high), most - low, n)
    return found


def _distance(
    measure: Measure, shares: Floats, target: Floats, centre: Floats, drawn: Floats
) -> tuple[float, float, float]:
    """Return a distance and the limits that `against` describes, from shares drawn around a centre."""
    value, middle = float(measure(shares, target)), float(measure(centre, target))
    by_chance = np.maximum(target + drawn - centre, 0.0)
    by_chance = measure(by_chance / by_chance.sum(axis=1, keepdims=True), target)
    low, high = percentile_limits(measure(drawn, target), LEVEL)
    low, high = min(low, value + middle - high, value), max(high, value + middle - low, value)
    different = value > np.quantile(by_chance, LEVEL) + _ROUNDING
    return value, max(0.0, low) if different else 0.0, high


def bias_amplification(
    attribute: ArrayLike,
    task: ArrayLike,
    predicted_task: ArrayLike,
    generator: np.random.Generator,
    training: tuple[ArrayLike, ArrayLike] | None = None,
    clusters: NDArray[np.int64] | None = None,
    times: NDArray[np.int64] | None = None,
) -> Estimate | None:
    """Return directional bias amplification from an attribute to a task, BiasAmp(A -> T).

    mean over a and t of sign(P(a, t) - P(a) P(t)) * [P(t^ | a) - P(t | a)]

    Positive where predictions (or generated images) tie the task to the attribute more than the labels do.
    The other direction, T -> A, is ``bias_amplification(task, attribute, predicted_attribute, ...)``.

    Parameters
    ----------
    attribute
        True labels A, zeros and ones, ``[n, |A|]`` (one-hot or several at once) or ``[n]``.
    task, predicted_task
        Labels T and their predictions, ``[n, |T|]`` or ``[n]``.
    generator
        Of the bootstrap.
    training
        Attribute and task labels of the training set, from which the signs are taken; else from the labels
        here, as in the authors' code.
    clusters
        Integers ``[n]``: rows of one value are drawn together.
    times
        How many images each row stands for, ``[n]``; one without it. The bootstrap then draws how many are of
        each row (one multinomial draw), so that its time and memory do not depend on how many images there
        are. Not together with ``clusters``.

    Returns
    -------
    Estimate or None
        In [-1, 1], with a percentile bootstrap interval in which the signs stay as measured. Attributes that
        no image has are left out; None where none has any.

    Raises
    ------
    ValueError
        If the labels are not of the same images, or none are there.

    References
    ----------
    Wang, A. & Russakovsky, O. (2021). Directional bias amplification. ICML.
    """
    a, t, said = _labels(attribute), _labels(task), _labels(predicted_task)
    n = len(a)
    if not n or len(t) != n or said.shape != t.shape:
        raise ValueError(f"labels must be of the same images, found {a.shape}, {t.shape} and {said.shape}")
    if times is not None and (clusters is not None or times.shape != (n,) or (times < 0).any()):
        raise ValueError(f"times [{n}] are not negative, and of single images, not of clusters")
    weights = np.ones(n) if times is None else times.astype(np.float64)
    of_a, of_t = (a, t) if training is None else (_labels(training[0]), _labels(training[1]))
    if of_a.shape[1] != a.shape[1] or of_t.shape[1] != t.shape[1] or not len(of_a) or len(of_a) != len(of_t):
        raise ValueError("the training set needs labels of the same attributes and tasks")
    counted = weights if training is None else np.ones(len(of_a))
    if not counted.sum():
        return None
    p_a, p_t = (np.average(labels, axis=0, weights=counted) for labels in (of_a, of_t))
    together = (of_a * counted[:, None]).T @ of_t / counted.sum() - np.outer(p_a, p_t)
    signs = np.where(np.abs(together) > _ROUNDING, np.sign(together), 0.0)
    change = (a[:, :, None] * (said - t)[:, None, :] * signs).sum(axis=2) / t.shape[1]
    columns = np.concatenate([change, a], axis=1)

    def amplification(totals: Floats) -> Floats:
        changes, counts = np.split(totals, 2, axis=-1)
        seen = counts > 0
        each = np.divide(changes, counts, out=np.zeros_like(changes), where=seen)
        found: Floats = each.sum(axis=-1) / np.maximum(seen.sum(axis=-1), 1)
        return found

    if not (weights @ a).any():
        return None
    if times is None:
        drawn = bootstrap_totals(columns, generator, clusters)
    else:
        n = int(times.sum())
        drawn = generator.multinomial(n, times / n, RESAMPLES) @ columns
    value = float(amplification(weights @ columns))
    return Estimate(value, *percentile_limits(amplification(drawn), LEVEL), n)


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _labels(values: ArrayLike) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    found = found[:, None] if found.ndim == 1 else found
    if found.ndim != 2 or not np.isin(found, (0.0, 1.0)).all():
        raise ValueError("labels are zeros and ones, [n] or [n, classes]")
    return found


def _distributions(values: ArrayLike) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 2 or not found.size:
        raise ValueError(f"shares need rows [n, K], found {found.shape}")
    if (found < -1e-9).any() or not np.allclose(found.sum(axis=1), 1.0, atol=1e-4):
        raise ValueError("shares are not negative and sum to 1")
    return found
