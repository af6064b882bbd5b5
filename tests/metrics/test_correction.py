"""Corrected shares: the formulas, what is refused, and how often the intervals hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from latentlab.metrics.correction import (
    LEAST_J,
    cleam,
    conditional_rates,
    corrected_shares,
    distinctness,
    on_the_simplex,
)
from latentlab.metrics.intervals import wilson
from latentlab.spec import Confusion


def judge(alpha0: float, alpha1: float) -> np.ndarray:
    return np.array([[alpha0, 1 - alpha0], [1 - alpha1, alpha1]])


def validated(rng: np.random.Generator, truth: np.ndarray, n: int) -> np.ndarray:
    return np.stack([rng.multinomial(n, row) for row in truth])


def coverage(shares, truth, samples: int, n: int, repeats: int) -> tuple[np.ndarray, float]:
    """Return how often the intervals of `corrected_shares` and of `cleam` hold the true shares."""
    rng, shares = np.random.default_rng([n, samples, len(shares)]), np.asarray(shares)
    held, held_by_cleam = np.zeros(len(shares)), 0
    for _ in range(repeats):
        confusion, seen = validated(rng, truth, n), rng.multinomial(samples, shares @ truth)
        found = corrected_shares(seen, confusion)
        held += [c.low <= p <= c.high for c, p in zip(found, shares, strict=True)]
        if len(shares) == 2:
            other = cleam(seen, confusion)
            held_by_cleam += other.low <= shares[0] <= other.high
    return held / repeats, held_by_cleam / repeats


JUDGES = [(0.97, 0.97, 0.5), (0.99, 0.99, 0.2), (0.95, 0.9, 0.1), (0.8, 0.85, 0.7)]


@pytest.mark.parametrize(("alpha0", "alpha1", "share"), JUDGES)
def test_two_classes_cover_in_93_to_97_percent_from_500_validation_images(alpha0, alpha1, share):
    held, by_cleam = coverage([share, 1 - share], judge(alpha0, alpha1), 3000, 500, 1000)
    assert 0.93 <= held[0] <= 0.97
    assert held[0] == held[1]
    assert by_cleam < held[0] - 0.02


@pytest.mark.parametrize(("alpha0", "alpha1", "share"), JUDGES)
def test_two_classes_cover_in_90_percent_or_more_from_100_validation_images(alpha0, alpha1, share):
    held, by_cleam = coverage([share, 1 - share], judge(alpha0, alpha1), 3000, 100, 500)
    assert held[0] >= 0.90
    assert by_cleam < 0.87


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5])
def test_few_samples_cover_too(share: float):
    held, _ = coverage([share, 1 - share], judge(0.97, 0.97), 20, 500, 400)
    assert held[0] >= 0.92


FOUR = np.array([[0.9, 0.08, 0.02, 0], [0.1, 0.8, 0.1, 0], [0, 0.15, 0.8, 0.05], [0, 0, 0.05, 0.95]])


@pytest.mark.parametrize(
    ("shares", "truth"),
    [
        ([0.5, 0.3, 0.2], np.eye(3) * 0.925 + 0.025),
        ([0.9, 0.07, 0.03], np.eye(3) * 0.85 + 0.05),
        ([0.7, 0.2, 0.1, 0.0], FOUR),
        ([0.4, 0.3, 0.1, 0.1, 0.05, 0.05], np.eye(6) * 0.82 + 0.03),
    ],
)
@pytest.mark.parametrize("n", [100, 500])
def test_several_classes_cover_in_93_percent_or_more(shares, truth, n: int):
    held, _ = coverage(shares, truth, 2000, n, 400)
    assert held.mean() >= 0.93
    assert held.min() >= 0.915  # of 400 repetitions: 93% less chance


def test_the_published_correction_of_gender_on_stylegan2():
    confusion = [[947, 53], [17, 983]]
    found = cleam([610, 390], confusion)
    assert found.share == pytest.approx(0.638, abs=5e-4)
    assert abs(0.610 - 0.642) / 0.642 == pytest.approx(0.0498, abs=1e-4)
    assert abs(round(found.share, 3) - 0.642) / 0.642 == pytest.approx(0.0062, abs=1e-4)
    assert corrected_shares([610, 390], confusion)[0].share == pytest.approx(found.share, abs=1e-3)


def test_many_samples_leave_the_delta_methods_interval_of_the_classifier():
    confusion = np.array([[90, 10], [15, 185]])
    found = corrected_shares([3 * 10**9, 7 * 10**9], Confusion(counts=((90, 10), (15, 185))))
    alpha0, alpha1 = 90.5 / 101, 185.5 / 201
    j = alpha0 + alpha1 - 1
    p = (0.3 - (1 - alpha1)) / j
    variance = (p**2 * alpha0 * (1 - alpha0) / 100 + (1 - p) ** 2 * alpha1 * (1 - alpha1) / 200) / j**2
    half = 1.959964 * math.sqrt(variance)
    assert (found[0].share, found[0].low, found[0].high) == pytest.approx((p, p - half, p + half), abs=2e-5)
    assert (found[1].share, found[1].low, found[1].high) == pytest.approx(
        (1 - p, 1 - p - half, 1 - p + half), abs=2e-5
    )
    assert distinctness(conditional_rates(confusion)) == pytest.approx(j)


def test_many_validation_images_leave_wilsons_interval_of_the_samples():
    found = corrected_shares([0, 20], np.eye(2) * 10**12)
    assert (found[0].low, found[0].high) == pytest.approx((0.0, float(wilson(0, 20)[1])), abs=1e-5)
    assert (found[0].share, found[1].share) == pytest.approx((0.0, 1.0), abs=1e-9)
    found = corrected_shares([7, 13], np.eye(2) * 10**12)
    assert (found[0].low, found[0].high) == pytest.approx([float(x) for x in wilson(7, 20)], abs=1e-5)
    assert not found[0].clipped


def test_a_formula_written_out_agrees_for_many_of_both():
    alpha0, alpha1, q, samples, n = 0.9, 0.8, 0.4, 10**6, 10**5
    confusion = np.round(judge(alpha0, alpha1) * n).astype(int)
    found = corrected_shares([q * samples, (1 - q) * samples], confusion)[0]
    j = alpha0 + alpha1 - 1
    p = (q - (1 - alpha1)) / j
    variance = (
        q * (1 - q) / samples + p**2 * alpha0 * (1 - alpha0) / n + (1 - p) ** 2 * alpha1 * (1 - alpha1) / n
    ) / j**2
    half = 1.959964 * math.sqrt(variance)
    assert (found.share, found.low, found.high) == pytest.approx((p, p - half, p + half), abs=2e-5)


def test_several_classes_are_the_inverse_of_the_matrix():
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    found = corrected_shares(10**8 * (shares @ FOUR), np.round(FOUR * 10**8).astype(int))
    assert [c.share for c in found] == pytest.approx(shares, abs=1e-5)
    assert not any(c.clipped or c.reason for c in found)


def test_impossible_shares_are_clipped_and_say_so():
    found = corrected_shares([1, 999], [[450, 50], [50, 450]])
    assert [c.share for c in found] == [0.0, 1.0]
    assert all(c.clipped for c in found)
    assert found[0].low == 0.0
    assert 0.0 < found[0].high < 0.05
    assert cleam([1, 999], [[450, 50], [50, 450]]).clipped
    three = corrected_shares([600, 400, 0], [[90, 5, 5], [5, 90, 5], [5, 5, 90]])
    assert all(c.clipped for c in three)
    assert sum(c.share for c in three) == pytest.approx(1.0)
    assert three[2].share == 0.0
    assert all(c.low <= c.share <= c.high for c in three)


@pytest.mark.parametrize(
    ("counts", "confusion", "reason"),
    [
        ([60, 40], [[55, 45], [40, 60]], "J = 0.15"),
        ([60, 40], [[5, 95], [2, 98]], "J = 0.0"),
        ([60, 40], [[10, 90], [90, 10]], "J = -0.79"),
        ([60, 40], [[90, 10], [0, 0]], "validated on no images"),
        ([0, 0], [[90, 10], [10, 90]], "no images"),
        ([50, 30, 20], [[90, 5, 5], [5, 50, 45], [5, 45, 50]], "least J of its classes = 0.0"),
        ([50, 30, 20], [[0, 0, 0], [5, 90, 5], [5, 5, 90]], "validated on no images"),
    ],
)
def test_what_cannot_be_corrected_says_why(counts, confusion, reason: str):
    found = corrected_shares(counts, confusion)
    assert len(found) == len(counts)
    for one in [*found, *([cleam(counts, confusion)] if len(counts) == 2 and "J" not in reason else [])]:
        assert (one.share, one.low, one.high, one.n) == (None, None, None, sum(counts))
        assert one.reason.startswith("not corrected: ")
        assert reason in one.reason
    if len(counts) == 2:
        assert cleam(counts, confusion).reason.startswith("not corrected: ")


def test_shapes_that_do_not_fit_are_refused():
    for counts, confusion in [([1, 2], np.eye(3)), ([1], [[1]]), ([[1, 2]], np.eye(2))]:
        with pytest.raises(ValueError, match="confusion matrix"):
            corrected_shares(counts, confusion)
    with pytest.raises(ValueError, match="negative"):
        corrected_shares([-1, 2], np.eye(2))
    with pytest.raises(ValueError, match="two classes"):
        cleam([1, 2, 3], np.eye(3))


def test_distinctness_is_youdens_j_and_bounds_what_is_left_of_differences():
    assert distinctness(judge(0.9, 0.7).T) == pytest.approx(0.6)
    assert distinctness(np.eye(5)) == pytest.approx(1.0)
    assert distinctness(np.full((3, 3), 1 / 3)) == pytest.approx(0.0)
    rng, rates = np.random.default_rng(0), FOUR.T
    changes = rng.normal(size=(1000, 4))
    changes -= changes.mean(axis=1, keepdims=True)
    left = np.linalg.norm(changes @ rates.T, axis=1) / np.linalg.norm(changes, axis=1)
    assert 1.0 > left.min() >= distinctness(rates) > LEAST_J


def test_the_simplex_holds_the_nearest_point():
    rng = np.random.default_rng(1)
    for values in rng.normal(0.25, 0.4, (20, 4)):
        found = on_the_simplex(values)
        others = rng.dirichlet([0.5] * 4, 3000)
        assert found.min() >= 0.0
        assert found.sum() == pytest.approx(1.0)
        nearest = np.linalg.norm(others - values, axis=1).min()
        assert np.linalg.norm(found - values) <= nearest + 1e-12
    assert on_the_simplex(np.array([0.2, 0.3, 0.5])) == pytest.approx([0.2, 0.3, 0.5])


def test_models_with_known_shares_judged_with_known_errors_by_group():
    rng = np.random.default_rng(2)
    groups = {"a": (0.1, judge(0.97, 0.9)), "b": (0.5, judge(0.75, 0.98)), "c": (0.85, judge(0.9, 0.9))}
    held, off = [], []
    for _ in range(150):
        for share, truth in groups.values():
            seen = rng.multinomial(2000, np.array([share, 1 - share]) @ truth)
            found = corrected_shares(seen, validated(rng, truth, 400))[0]
            low, high = wilson(seen[0], 2000)
            held.append(found.low <= share <= found.high)
            off.append(not low <= share <= high)
    assert np.mean(held) >= 0.93
    assert np.mean(off) >= 0.95  # as counted, nearly every interval misses the truth
