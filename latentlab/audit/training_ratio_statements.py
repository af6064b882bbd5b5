"""What trainings at several ratios say of statement (A), each part with an interval and a verdict.

A1: the sampled share differs from the training share at 50/50. A2: some other ratio brings the samples
nearer to parity. c_r is the mean over the seeds of the corrected share at ratio r. How far the trainings of
one ratio are spread is what c_r can be wrong by, and with a few seeds only Student's t knows how little is
known of that spread: a bootstrap over three seeds has ten different resamples, and its 95% interval holds the
truth in about three cases of four. The spread is taken to be the same at every ratio and pooled over them, as
in an analysis of variance, with sum(S_r - 1) degrees of freedom; it is never taken to be less than counting
alone makes it. What is not known of the predictor's errors, which all trainings share, comes on top.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtrit

from latentlab.audit.report import DOES_NOT, HOLDS, UNSURE, between, percent
from latentlab.metrics.correction import conditional_rates
from latentlab.metrics.intervals import Estimate
from latentlab.spec import Confusion

EVEN = 0.5
NEGLIGIBLE = 0.02
"""A difference of shares that cannot be larger than this counts as none."""
_DRAWS = 40_000
_Z = float(ndtri(0.975))


@dataclass(frozen=True)
class Trained:
    """What the samples of the trainings at one ratio show of the varied attribute's first class.

    Parameters
    ----------
    ratio
        The share in training.
    shares
        In the samples of each training, corrected for the predictor's errors where that can be done.
    n
        Samples of each training.
    """

    ratio: float
    shares: tuple[float, ...]
    n: int

    @property
    def mean(self) -> float:
        """Over the trainings."""
        return float(np.mean(self.shares))


@dataclass(frozen=True)
class Statement:
    """One part of statement (A): what it says, its figure with an interval, and the verdict."""

    name: str
    text: str
    figure: str
    value: Estimate | None
    verdict: str
    because: str

    def row(self) -> dict[str, Any]:
        """Return it as a row of the table of statements."""
        value = self.value
        return {
            "statement": self.name,
            "text": self.text,
            "figure": self.figure,
            "value": None if value is None else value.value,
            "low": None if value is None else value.low,
            "high": None if value is None else value.high,
            "n": 0 if value is None else value.n,
            "verdict": self.verdict,
            "because": self.because,
        }


class Spread:
    """How far the means over the seeds, and their differences, may be from what more trainings would give.

    Parameters
    ----------
    trained
        One a ratio.
    confusion
        The predictor's, by which the shares were corrected; None where they were not.
    """

    def __init__(self, trained: Sequence[Trained], confusion: Confusion | None) -> None:
        self._trained = {one.ratio: one for one in trained}
        self.freedom = sum(len(one.shares) - 1 for one in trained)
        apart = sum(float(np.sum((np.array(one.shares) - one.mean) ** 2)) for one in trained)
        self._alphas: tuple[float, float, float, float] | None = None
        kept = 1.0
        if confusion is not None:
            matrix = confusion.array()
            rates, (n0, n1) = conditional_rates(matrix), matrix.sum(axis=1)
            a0, a1 = float(rates[0, 0]), float(rates[1, 1])
            self._alphas = (a0, a1, a0 * (1.0 - a0) / float(n0), a1 * (1.0 - a1) / float(n1))
            kept = a0 + a1 - 1.0
        counting = float(np.mean([one.mean * (1.0 - one.mean) / one.n for one in trained])) / kept**2
        self._variance = max(apart / self.freedom, counting) if self.freedom else math.nan

    def estimate(self, weights: Mapping[float, float], critical: float | None = None) -> Estimate:
        """Return sum w_r c_r with its interval; none where each ratio was trained once.

        Parameters
        ----------
        weights
            By ratio.
        critical
            How many standard errors the interval reaches; Student's by default.
        """
        value = sum(w * self._trained[ratio].mean for ratio, w in weights.items())
        n = sum(len(self._trained[ratio].shares) * self._trained[ratio].n for ratio in weights)
        if not self.freedom:
            return Estimate(value, None, None, n)
        reach = float(stdtrit(self.freedom, 0.975)) if critical is None else critical
        trainings = sum(w**2 / len(self._trained[ratio].shares) for ratio, w in weights.items())
        half = math.hypot(reach * math.sqrt(self._variance * trainings), _Z * self._of_predictor(weights))
        return Estimate(value, value - half, value + half, n)

    def _of_predictor(self, weights: Mapping[float, float]) -> float:
        """Return the standard error that the predictor's error rates add, by the delta method.

        With J = alpha0 + alpha1 - 1: dc/dalpha0 = -c / J, dc/dalpha1 = (1 - c) / J.
        """
        if self._alphas is None:
            return 0.0
        a0, a1, variance0, variance1 = self._alphas
        kept = a0 + a1 - 1.0
        total = sum(w * self._trained[ratio].mean for ratio, w in weights.items())
        by0, by1 = total / kept, (sum(weights.values()) - total) / kept
        return math.sqrt(by0**2 * variance0 + by1**2 * variance1)


def statements_of(
    trained: Sequence[Trained], confusion: Confusion | None, label: str, unreadable: str = ""
) -> tuple[Statement, ...]:
    """Test both parts of statement (A).

    Parameters
    ----------
    label
        The class, as people read it.
    unreadable
        Why the samples say nothing; then nothing can be said. Empty where they can be read.
    """
    spread = Spread(trained, confusion)
    return _differs(trained, spread, label, unreadable), _nearer(trained, spread, label, unreadable)


def _differs(trained: Sequence[Trained], spread: Spread, label: str, unreadable: str) -> Statement:
    text = "The sampled share differs from the training share at 50/50."
    figure = f"share of {label} in the samples minus in training, at 50/50"
    if EVEN not in {one.ratio for one in trained}:
        return Statement("A1", text, figure, None, UNSURE, "No model was trained at a ratio of 0.5.")
    found = spread.estimate({EVEN: 1.0})
    value = _moved(found, -EVEN)
    if unreadable or value.low is None or value.high is None:
        return Statement("A1", text, figure, value, UNSURE, unreadable or _ONCE)
    told = f"{percent(found.value)} in the samples (95%: {between(found.low, found.high)})"
    if value.low > 0.0 or value.high < 0.0:
        return Statement("A1", text, figure, value, HOLDS, f"{told}, which leaves out 50%.")
    if max(-value.low, value.high) < NEGLIGIBLE:
        near = f"{told}: no difference as large as {100 * NEGLIGIBLE:g} points."
        return Statement("A1", text, figure, value, DOES_NOT, near)
    wide = f"{told}, which holds 50% and differences of more than {100 * NEGLIGIBLE:g} points."
    return Statement("A1", text, figure, value, UNSURE, wide)


def _nearer(trained: Sequence[Trained], spread: Spread, label: str, unreadable: str) -> Statement:
    """Test A2 by D = max over other ratios r of |c_.5 - .5| - |c_r - .5|, picked as the largest.

    |x| - |y| = max over signs s of min over signs t of s x - t y. Where the intervals of all x - y_r and
    x + y_r hold at once (`critical_value`), so does that of D between the same maxima and minima of their
    limits: whichever ratio was picked, and whatever the signs are.
    """
    text = "Some other ratio brings the samples nearer to parity than 50/50 does."
    figure = f"how much nearer to 50% the share of {label} is at the best other ratio"
    others = [one.ratio for one in trained if one.ratio != EVEN]
    if EVEN not in {one.ratio for one in trained} or not others:
        why = "It takes models that were trained at a ratio of 0.5 and at another."
        return Statement("A2", text, figure, None, UNSURE, why)
    means = {one.ratio: one.mean for one in trained}
    gains = {ratio: abs(means[EVEN] - EVEN) - abs(means[ratio] - EVEN) for ratio in others}
    best = max(gains, key=lambda ratio: gains[ratio])
    n = sum(len(one.shares) * one.n for one in trained)
    if not spread.freedom:
        return Statement("A2", text, figure, Estimate(gains[best], None, None, n), UNSURE, _ONCE)
    seeds = {one.ratio: len(one.shares) for one in trained}
    critical = critical_value(tuple(seeds[r] for r in others), seeds[EVEN], spread.freedom)
    lows, highs = [], []
    for ratio in others:
        apart = _moved(spread.estimate({EVEN: 1.0, ratio: -1.0}, critical), 0.0)
        added = _moved(spread.estimate({EVEN: 1.0, ratio: 1.0}, critical), -2.0 * EVEN)
        limits = [(one.low or 0.0, one.high or 0.0) for one in (apart, added)]
        lows.append(max(min(low for low, _ in limits), min(-high for _, high in limits)))
        highs.append(max(min(high for _, high in limits), min(-low for low, _ in limits)))
    value = Estimate(gains[best], max(lows), max(highs), n)
    told = (
        f"at {best:g} the samples are {percent(means[best])} {label}, at 0.5 {percent(means[EVEN])}; "
        f"{100.0 * value.value:.1f} points nearer (95%, knowing that the best of {len(others)} was picked: "
        f"{between(value.low, value.high)})"
    )
    told = told[0].upper() + told[1:]
    if unreadable:
        return Statement("A2", text, figure, value, UNSURE, unreadable)
    if max(lows) > 0.0:
        return Statement("A2", text, figure, value, HOLDS, f"{told}.")
    if max(highs) < NEGLIGIBLE:
        none = f"{told}: none of the ratios that were tried by as much as {100 * NEGLIGIBLE:g} points."
        return Statement("A2", text, figure, value, DOES_NOT, none)
    more = "More seeds make the interval narrower; ratios further away may bring the samples nearer."
    return Statement("A2", text, figure, value, UNSURE, f"{told}, which does not settle it. {more}")


@lru_cache(maxsize=64)
def critical_value(others: tuple[int, ...], even: int, freedom: int) -> float:
    """Return within how many standard errors all x - y_r and x + y_r are at once in 95% of cases.

    Drawn with a fixed seed: x and each y_r are normal with the variance 1 / S of their S trainings, and the
    variance is estimated with ``freedom`` degrees of freedom.
    """
    generator = np.random.default_rng(11)
    x = generator.normal(size=(_DRAWS, 1)) / math.sqrt(even)
    counts = np.array(others, dtype=np.float64)
    y = generator.normal(size=(_DRAWS, len(others))) / np.sqrt(counts)
    scale = np.sqrt(generator.chisquare(freedom, _DRAWS) / freedom)
    largest = np.maximum(np.abs(x - y), np.abs(x + y)) / np.sqrt(1.0 / even + 1.0 / counts)
    return float(np.quantile(largest.max(axis=1) / scale, 0.95))


_ONCE = "Each ratio was trained once, which does not show how far trainings are spread. Give several seeds."


def _moved(value: Estimate, by: float) -> Estimate:
    low = None if value.low is None else value.low + by
    high = None if value.high is None else value.high + by
    return Estimate(value.value + by, low, high, value.n)
