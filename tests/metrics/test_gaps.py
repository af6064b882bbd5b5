"""Gaps between groups: published intervals, exact tests, and how often they are right."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import fisher_exact, permutation_test
from scipy.stats.contingency import relative_risk

from latentlab.metrics.gaps import difference, group_gap, holm, permutation_p, ratio
from latentlab.metrics.intervals import SMALL, wilson


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_differences_are_those_of_newcombes_table(counts: tuple[int, ...], low: float, high: float):
    k1, n1, k2, n2 = counts
    found = difference(*counts)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert (found.value, found.n) == (pytest.approx(k1 / n1 - k2 / n2), n1 + n2)


@pytest.mark.parametrize(
    ("n1", "p1", "n2", "p2"),
    [(50, 0.8, 80, 0.6), (30, 0.05, 40, 0.1), (100, 0.98, 20, 0.9), (25, 0.5, 25, 0.5)],
)
def test_differences_and_ratios_cover_the_truth(n1: int, p1: float, n2: int, p2: float):
    rng = np.random.default_rng(1)
    pairs = list(zip(rng.binomial(n1, p1, 1500), rng.binomial(n2, p2, 1500), strict=True))
    found = [difference(int(a), n1, int(b), n2) for a, b in pairs]
    assert 0.935 <= np.mean([e.low <= p1 - p2 <= e.high for e in found]) <= 0.985
    found = [ratio(int(a), n1, int(b), n2) for a, b in pairs if b]
    assert 0.93 <= np.mean([e.low <= p1 / p2 <= e.high for e in found]) <= 0.99


@pytest.mark.parametrize("counts", [(7, 34, 1, 34), (1, 34, 7, 34), (20, 20, 12, 20), (300, 400, 150, 300)])
def test_a_ratios_limits_are_where_the_difference_of_one_and_a_multiple_may_be_zero(counts):
    k1, n1, k2, n2 = counts
    (l1, u1), (l2, u2) = wilson(k1, n1), wilson(k2, n2)
    p1, p2, found = k1 / n1, k2 / n2, ratio(*counts)

    def lower(t: float) -> float:
        return p1 - t * p2 - math.hypot(p1 - l1, t * (u2 - p2))

    def upper(t: float) -> float:
        return p1 - t * p2 + math.hypot(u1 - p1, t * (p2 - l2))

    assert found.value == pytest.approx(p1 / p2)
    assert found.low == pytest.approx(brentq(lower, 1e-9, found.value), rel=1e-6)
    assert found.high == pytest.approx(brentq(upper, found.value, 1e6), rel=1e-6)


def test_a_ratio_of_many_is_katzs_and_its_inverse_has_the_inverse_limits():
    found = ratio(6000, 10000, 8000, 10000)
    katz = relative_risk(6000, 10000, 8000, 10000).confidence_interval()
    assert (found.low, found.high) == pytest.approx((katz.low, katz.high), abs=2e-4)
    other = ratio(7, 34, 1, 40)
    inverse = ratio(1, 40, 7, 34)
    assert (inverse.low, inverse.high) == pytest.approx((1 / other.high, 1 / other.low))


def test_zeros_have_ratios_where_one_can_be_said():
    none = ratio(0, 40, 10, 40)
    assert (none.value, none.low) == (0.0, 0.0)
    assert 0.05 < none.high < 0.6
    assert ratio(10, 40, 0, 40) is None


@pytest.mark.parametrize("counts", [(3, 2, 1, 2), (-1, 2, 1, 2), (0, 0, 1, 2), (1, 2, 0, 0)])
def test_what_is_no_rate_is_refused(counts: tuple[int, ...]):
    for measure in (difference, ratio):
        with pytest.raises(ValueError, match="no rate"):
            measure(*counts)


def test_the_gap_names_its_groups_and_marks_small_ones():
    found = group_gap([40, 0, 90, 5], [50, 0, 100, 20], np.random.default_rng(0))
    assert (found.highest, found.lowest) == (2, 3)
    assert found.gap.value == pytest.approx(0.65)
    assert found.gap.n == 170
    assert 0.3 < found.gap.low < 0.65 < found.gap.high < 1.0
    assert found.p == pytest.approx(1 / 2001)
    assert found.small == (False, True, False, True)
    assert group_gap([40, 0, 90, 5], [50, 0, 100, 20], np.random.default_rng(0)) == found
    assert SMALL == 30


def test_the_gap_of_groups_that_all_fail_or_succeed_does_not_collapse():
    alike = group_gap([20, 20], [20, 20], np.random.default_rng(1))
    assert (alike.gap.value, alike.gap.low, alike.p) == (0.0, 0.0, 1.0)
    assert 0.08 < alike.gap.high < 0.3
    apart = group_gap([0, 20], [20, 20], np.random.default_rng(1))
    assert (apart.gap.value, apart.gap.high) == (1.0, 1.0)
    assert 0.7 < apart.gap.low < 0.95


@pytest.mark.parametrize(("k", "n"), [([], []), ([3], [9]), ([3, 0], [9, 0])])
def test_one_group_has_no_gap(k: list[int], n: list[int]):
    found = group_gap(k, n, np.random.default_rng(0))
    assert (found.gap, found.highest, found.lowest) == (None, None, None)
    assert math.isnan(found.p)
    assert len(found.small) == len(n)


@pytest.mark.parametrize(("k", "n"), [([3, 5], [9, 4]), ([-1, 2], [9, 4]), ([1, 2], [9]), (1, 2)])
def test_counts_that_are_no_rates_are_refused(k: object, n: object):
    with pytest.raises(ValueError, match="0 <= successes <= trials"):
        group_gap(k, n, np.random.default_rng(0))


@pytest.mark.parametrize(("a", "b"), [(30, 38), (12, 14), (45, 30)])
def test_two_groups_of_one_size_have_fishers_p(a: int, b: int):
    found = group_gap([a, b], [50, 50], np.random.default_rng(2), resamples=20000)
    assert found.p == pytest.approx(fisher_exact([[a, 50 - a], [b, 50 - b]]).pvalue, abs=0.015)


@pytest.mark.parametrize(
    ("n", "p"),
    [
        ([50, 50], [0.8, 0.8]),
        ([100] * 14, [0.8] * 14),
        ([50, 50], [0.9, 0.6]),
        ([100] * 6, [0.9, 0.8, 0.8, 0.8, 0.8, 0.5]),
        ([500, 200, 60, 30], [0.9, 0.85, 0.85, 0.8]),
        ([40] * 4, [0.02, 0.02, 0.02, 0.1]),
    ],
)
def test_gaps_cover_the_truth(n: list[int], p: list[float]):
    rng = np.random.default_rng(3)
    found = [group_gap(k, n, rng, resamples=300).gap for k in rng.binomial(n, p, (300, len(n)))]
    truth = max(p) - min(p)
    assert np.mean([e.low <= truth + 1e-12 and truth <= e.high for e in found]) >= 0.92


def test_equal_groups_are_rarely_told_apart_and_never_beyond_what_p_says():
    rng = np.random.default_rng(4)
    n = [60, 80, 40, 100, 70]
    found = [group_gap(k, n, rng, resamples=199) for k in rng.binomial(n, 0.7, (600, 5))]
    p = np.array([gap.p for gap in found])
    assert 0.025 <= np.mean(p <= 0.05) <= 0.07
    assert np.abs(np.quantile(p, [0.25, 0.5, 0.75]) - [0.25, 0.5, 0.75]).max() < 0.08
    assert all(gap.gap.low == 0.0 for gap in found if gap.p > 0.05)


def test_noise_trips_the_four_fifths_rule_where_p_does_not():
    rng = np.random.default_rng(5)
    tables = rng.binomial(50, 0.8, (300, 14))
    ratios = tables.min(axis=1) / tables.max(axis=1)
    assert 0.55 < np.mean(ratios < 0.8) < 0.75
    assert np.mean([group_gap(k, [50] * 14, rng, resamples=199).p <= 0.05 for k in tables]) < 0.085


def test_the_p_of_two_means_is_scipys():
    rng = np.random.default_rng(6)
    a, b = rng.gamma(2.0, size=40), rng.gamma(2.0, size=25) + 0.6
    expected = permutation_test((a, b), lambda x, y: x.mean() - y.mean(), n_resamples=9999, rng=rng).pvalue
    codes = np.repeat([0, 1], [40, 25])
    found = permutation_p(np.concatenate([a, b]), codes, rng, resamples=9999)
    assert found == pytest.approx(expected, abs=0.012)
    mixed = rng.permutation(65)
    again = permutation_p(np.concatenate([a, b])[mixed], codes[mixed], rng, resamples=9999)
    assert again == pytest.approx(expected, abs=0.012)


def test_the_p_of_equal_means_is_uniform_and_that_of_unlike_ones_small():
    rng = np.random.default_rng(7)
    codes = np.repeat([0, 2, 5, -1], [40, 30, 20, 10])
    p = np.array([permutation_p(rng.gamma(2.0, size=100), codes, rng, resamples=99) for _ in range(500)])
    assert 0.03 <= np.mean(p <= 0.05) <= 0.075
    assert np.abs(np.quantile(p, [0.25, 0.5, 0.75]) - [0.25, 0.5, 0.75]).max() < 0.07
    shifted = rng.normal(size=100) + 2.0 * (codes == 5) + 100.0 * (codes == -1)
    assert permutation_p(shifted, codes, rng, resamples=199) == pytest.approx(1 / 200)


def test_means_need_two_groups_and_a_group_each():
    rng = np.random.default_rng(8)
    assert math.isnan(permutation_p([1.0, 2.0, 3.0], np.array([0, 0, -1]), rng))
    assert permutation_p([1.0, 1.0, 1.0], np.array([0, 1, 1]), rng) == 1.0
    with pytest.raises(ValueError, match="as many groups"):
        permutation_p([1.0, 2.0], np.array([0, 1, 1]), rng)


def test_holm_adjusts_step_by_step():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == pytest.approx([1.0, 1.0])
    assert holm([]).shape == (0,)


def test_holm_does_not_count_what_was_not_tested():
    found = holm([0.01, math.nan, 0.04])
    assert found[[0, 2]] == pytest.approx([0.02, 0.04])
    assert math.isnan(found[1])
    assert np.isnan(holm([math.nan])).all()


def test_holm_errs_in_few_families():
    p = np.random.default_rng(9).random((2000, 8))
    assert 0.035 < np.mean([holm(row).min() <= 0.05 for row in p]) < 0.065
