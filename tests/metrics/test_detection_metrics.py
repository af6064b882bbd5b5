"""Figures of detection: rates, variance over groups without the noise of counting, means over seeds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from latentlab.metrics.detection import (
    VARIANCE,
    WORST,
    Decisions,
    excess_variance,
    mean_over_seeds,
    over_seeds,
)


def decisions(found=(9, 5), groups=(10, 10), false=4, others=20) -> Decisions:
    """Two groups of ten faces of which nine and five are found, and four of twenty others taken for faces."""
    hits = np.concatenate([np.arange(n) < k for k, n in zip(found, groups, strict=True)])
    starts = np.cumsum([0, *groups])
    rows = {f"g={k}": np.arange(a, b) for k, (a, b) in enumerate(pairwise(starts))}
    return Decisions(hits, np.arange(others) < false, rows | {"g=none": np.empty(0, np.int64)})


def test_rates_are_counted_as_they_are_called() -> None:
    figures = decisions().figures()
    assert figures["recall"] == pytest.approx(14 / 20)
    assert figures["precision"] == pytest.approx(14 / 18)
    assert figures["accuracy"] == pytest.approx(30 / 40)
    assert figures["false_positive_rate"] == pytest.approx(4 / 20)
    assert figures[WORST] == pytest.approx(0.5)
    assert list(decisions().recalls()) == ["g=0", "g=1"]  # a group without faces has no recall


def test_the_variance_has_the_binomial_noise_taken_off() -> None:
    raw = np.var([90.0, 50.0], ddof=1)
    noise = (90 * 10 / 10 + 50 * 50 / 10) / 2
    assert decisions().figures()[VARIANCE] == pytest.approx(raw - noise)
    assert excess_variance(np.array([5, 5]), np.array([10, 10])) == 0.0


def test_groups_that_differ_by_chance_alone_have_no_variance_on_average() -> None:
    generator = np.random.default_rng(0)
    n = np.full(4, 500)
    raw, less = [], []
    for _ in range(2000):
        k = generator.binomial(n, 0.9)
        percent = 100 * k / n
        raw.append(percent.var(ddof=1))
        less.append(raw[-1] - float(np.mean(percent * (100 - percent) / n)))
        assert excess_variance(k, n) == pytest.approx(max(0.0, less[-1]))
    assert np.mean(raw) > 1.5
    assert abs(np.mean(less)) < 0.1


def test_one_detector_has_wilsons_interval_and_several_have_students() -> None:
    alone, groups = over_seeds([decisions()])
    assert alone["recall"].low is not None
    assert alone[VARIANCE].low is None
    assert groups["g=1"]["recall"].n == 10
    several, _ = over_seeds([decisions((9, found)) for found in (5, 6, 8)])
    values = [(9 + found) / 20 for found in (5, 6, 8)]
    low, high = ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert several["recall"].value == pytest.approx(np.mean(values))
    assert (several["recall"].low, several["recall"].high) == (pytest.approx(low), pytest.approx(high))
    assert several[WORST].value == pytest.approx(np.mean([0.5, 0.4, 0.2]))


def test_a_rate_stays_between_0_and_1_and_nothing_found_has_no_precision() -> None:
    figures, _ = over_seeds([decisions((10, 10)), decisions((10, 4))])
    assert figures["recall"].high == 1.0
    assert 0.0 <= figures[WORST].low <= figures[WORST].high <= 1.0
    assert figures[VARIANCE].low == 0.0
    none, _ = over_seeds([decisions((0, 0), false=0)])
    assert "precision" not in none
    assert mean_over_seeds([0.5], 3).low is None


def test_seeds_of_other_groups_are_not_taken_together() -> None:
    with pytest.raises(ValueError, match="same groups"):
        over_seeds([decisions(), decisions((1, 2, 3), (10, 10, 10))])
    with pytest.raises(ValueError, match="same groups"):
        over_seeds([])
