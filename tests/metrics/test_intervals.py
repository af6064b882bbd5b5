"""Intervals agree with independent computations, and cover the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from latentlab.metrics.intervals import (
    bootstrap_mean,
    bootstrap_totals,
    mean_of_rates,
    percentile_limits,
    ratio_of_means,
    wilson,
)


@pytest.mark.parametrize(("k", "n"), [(0, 20), (1, 20), (7, 20), (20, 20), (2040, 2048), (1, 1), (0, 1)])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_wilson_is_scipys(k: int, n: int, level: float):
    expected = binomtest(k, n).proportion_ci(level, method="wilson")
    low, high = wilson(k, n, level)
    assert (float(low), float(high)) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_works_on_arrays_and_knows_nothing_without_trials():
    low, high = wilson([0, 5, 0], [20, 10, 0])
    assert low.shape == (3,)
    assert high[0] == pytest.approx(0.161, abs=5e-4)
    assert (low[2], high[2]) == (0.0, 1.0)


def test_the_mean_of_one_rate_is_that_rate_with_wilsons_interval():
    estimate = mean_of_rates([37], [40])
    expected = binomtest(37, 40).proportion_ci(method="wilson")
    assert estimate is not None
    assert (estimate.value, estimate.low, estimate.high, estimate.n) == pytest.approx(
        (37 / 40, expected.low, expected.high, 40)
    )


def test_the_mean_of_rates_weighs_classes_alike_and_leaves_empty_ones_out():
    estimate = mean_of_rates([90, 5, 0], [100, 10, 0])
    assert estimate is not None
    assert estimate.value == pytest.approx(0.7)
    assert estimate.n == 110
    (l1, u1), (l2, u2) = (wilson(k, n) for k, n in ((90, 100), (5, 10)))
    assert estimate.low == pytest.approx(0.7 - 0.5 * np.hypot(0.9 - l1, 0.5 - l2))
    assert estimate.high == pytest.approx(0.7 + 0.5 * np.hypot(u1 - 0.9, u2 - 0.5))
    assert mean_of_rates([0, 0], [0, 0]) is None


def test_a_perfect_mean_still_has_a_lower_limit_below_1():
    estimate = mean_of_rates([20, 20], [20, 20])
    assert estimate is not None
    assert estimate.high == 1.0
    assert estimate.low == pytest.approx(1.0 - 0.161 / np.sqrt(2.0), abs=5e-4)


@pytest.mark.parametrize(
    ("n", "p"),
    [
        ([1024, 1024], [0.99, 0.995]),
        ([256], [0.99]),
        ([100] * 4, [0.97, 0.9, 0.99, 0.95]),
        ([230, 26], [0.98, 0.9]),
    ],
)
def test_means_of_rates_cover_the_truth(n: list[int], p: list[float]):
    successes = np.random.default_rng(1).binomial(n, p, (800, len(n)))
    found = [mean_of_rates(k, n) for k in successes]
    assert 0.925 <= np.mean([e.low <= np.mean(p) <= e.high for e in found]) <= 0.985


def test_a_ratio_of_perfect_rates_has_wilsons_limit_and_its_inverse():
    estimate = ratio_of_means([40], [40], [40], [40])
    low = float(wilson(40, 40)[0])
    assert estimate is not None
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((1.0, low, 1.0 / low))


def test_a_ratios_limits_solve_the_equation_they_are_defined_by():
    both, first, second, n = np.array([80, 60]), np.array([85, 66]), np.array([90, 70]), np.array([100, 80])
    estimate = ratio_of_means(both, first, second, n)
    assert estimate is not None
    p1, p2 = first / n, second / n
    assert estimate.value == pytest.approx(p1.mean() / p2.mean())
    m1, m2 = mean_of_rates(first, n), mean_of_rates(second, n)
    assert m1 is not None
    assert m2 is not None
    covariance = np.sum((both / n - p1 * p2) / n) / 4
    rho = covariance / np.sqrt(np.sum(p1 * (1 - p1) / n) / 4 * np.sum(p2 * (1 - p2) / n) / 4)
    for theta, d1, d2 in (
        (estimate.low, m1.value - m1.low, m2.high - m2.value),
        (estimate.high, m1.high - m1.value, m2.value - m2.low),
    ):
        spread = d1**2 + theta**2 * d2**2 - 2 * rho * theta * d1 * d2
        assert (m1.value - theta * m2.value) ** 2 == pytest.approx(spread)
    assert estimate.low < estimate.value < estimate.high


def test_judging_the_same_images_makes_a_ratio_more_certain():
    paired = ratio_of_means([85], [85], [90], [100])
    unrelated = ratio_of_means([76], [85], [90], [100])
    assert paired.high - paired.low < 0.7 * (unrelated.high - unrelated.low)


def test_a_ratio_without_a_denominator_is_none():
    assert ratio_of_means([0], [3], [0], [10]) is None
    assert ratio_of_means([0], [0], [0], [0]) is None


def test_a_ratio_of_very_few_successes_is_hardly_known():
    estimate = ratio_of_means([0], [1], [1], [40])
    assert estimate is not None
    assert (estimate.value, estimate.low) == (1.0, 0.0)
    assert estimate.high is None or estimate.high > 5.0


@pytest.mark.parametrize(
    ("n", "p2", "keep", "gain"),
    [
        ([1024, 1024], [0.99, 0.995], 0.98, 0.1),
        ([200, 56], [0.98, 0.95], 0.95, 0.2),
        ([64] * 4, [0.5, 0.6, 0.4, 0.7], 0.8, 0.3),
    ],
)
def test_ratios_cover_the_truth(n: list[int], p2: list[float], keep: float, gain: float):
    rng = np.random.default_rng(2)
    truth = np.mean(np.multiply(p2, keep) + np.subtract(1, p2) * gain) / np.mean(p2)
    hits = 0
    for _ in range(600):
        second = rng.binomial(n, p2)
        both = rng.binomial(second, keep)
        estimate = ratio_of_means(both, both + rng.binomial(n - second, gain), second, n)
        hits += estimate.low <= truth <= (np.inf if estimate.high is None else estimate.high)
    assert hits >= 555


def test_the_bootstrap_of_a_mean_is_near_students_interval_and_repeats_by_seed():
    values = np.random.default_rng(3).gamma(2.0, size=400)
    first, again = (bootstrap_mean(values, np.random.default_rng(4)) for _ in range(2))
    half = 1.966 * values.std(ddof=1) / 20.0
    assert first == again
    assert first.value == pytest.approx(values.mean())
    assert first.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert first.high == pytest.approx(values.mean() + half, abs=0.1 * half)
    with pytest.raises(ValueError, match="at least one"):
        bootstrap_mean([], np.random.default_rng(0))


def test_images_of_one_identity_are_drawn_together():
    rng = np.random.default_rng(5)
    identity = np.repeat(np.arange(50), 8)
    values = rng.normal(size=50)[identity] + 0.1 * rng.normal(size=400)
    alone, together = (bootstrap_mean(values, np.random.default_rng(6), c) for c in (None, identity))
    assert together.high - together.low > 2.0 * (alone.high - alone.low)


def test_totals_of_many_resamples_do_not_depend_on_their_chunks(monkeypatch: pytest.MonkeyPatch):
    columns = np.random.default_rng(7).normal(size=(30, 2))
    whole = bootstrap_totals(columns, np.random.default_rng(8), resamples=50)
    monkeypatch.setattr("latentlab.metrics.intervals._CHUNK", 100)
    parts = bootstrap_totals(columns, np.random.default_rng(8), resamples=50)
    assert np.allclose(whole, parts)
    assert percentile_limits(np.arange(101.0)) == pytest.approx((2.5, 97.5))
