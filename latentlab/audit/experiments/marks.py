"""Marks and words of experiments: what was counted with its interval, and what a formula says."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from latentlab.audit.charts import Mark, Unit, told, told_interval
from latentlab.metrics.intervals import SMALL, Estimate, wilson_rate

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def rate_of(said: ArrayLike) -> Estimate:
    """Return how many of the answers ``[n]`` are true, with Wilson's interval; n > 0."""
    answers = np.asarray(said, dtype=bool)
    return wilson_rate(int(answers.sum()), len(answers))


def mean_of(values: ArrayLike) -> Estimate:
    """Return the mean of measurements ``[n]``, n of 2 at least, with Student's interval."""
    x = np.asarray(values, dtype=np.float64)
    half = float(stdtrit(len(x) - 1, 0.975)) * float(x.std(ddof=1)) / math.sqrt(len(x))
    return Estimate(float(x.mean()), float(x.mean()) - half, float(x.mean()) + half, len(x))


def counted(
    label: str, series: str, found: Estimate, truth: float | None = None, unit: Unit = "share"
) -> Mark:
    """Return the mark of something that was drawn at random; ``truth`` is what the formula says of it."""
    said = "" if truth is None else f"by the formula {told(truth, unit)}"
    small = unit == "share" and found.n < SMALL
    return Mark(label, series, found.value, found.low, found.high, found.n, small=small, told=said)


def exact(label: str, series: str, value: float) -> Mark:
    """Return the mark of what a formula says."""
    return Mark(label, series, value, None, None, 0, told="by the formula")


def words(found: Estimate, unit: Unit = "share") -> str:
    """Write an estimate with its interval, such as ``18.6% (95%: 16.3% to 21.1%)``."""
    between = told_interval(found.low, found.high, unit)
    return f"{told(found.value, unit)} (95%: {between})" if between else told(found.value, unit)
