"""Shares and their distances from a reference: values from elsewhere, and honest intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from latentlab.metrics.shares import (
    MEASURES,
    against,
    bias_amplification,
    chi_square,
    entropy,
    fairness_discrepancy,
    kl_divergence,
    largest_deviation,
    total_variation,
    uniform,
)

P = np.array([0.5, 0.3, 0.15, 0.05])
R = np.array([0.4, 0.3, 0.2, 0.1])


def test_values_are_those_of_scipy_or_written_out():
    assert kl_divergence(P, R) == pytest.approx(stats.entropy(P, R))
    assert entropy(P) == pytest.approx(stats.entropy(P))
    assert 1000 * chi_square(P, R) == pytest.approx(stats.chisquare(1000 * P, 1000 * R).statistic)
    assert chi_square(P, uniform(4)) == pytest.approx(4 * np.sum((P - 0.25) ** 2))
    assert fairness_discrepancy(P, R) == pytest.approx(np.sqrt(0.1**2 + 0.05**2 + 0.05**2))
    assert total_variation(P, R) == pytest.approx(0.1)
    assert largest_deviation(P, R) == pytest.approx(0.1)
    assert kl_divergence(P, uniform(4)) == pytest.approx(np.log(4) - entropy(P))


def test_measures_work_row_by_row_and_know_zeros():
    for measure in MEASURES.values():
        assert measure(np.stack([P, R]), R) == pytest.approx([float(measure(P, R)), 0.0])
    certain = np.array([1.0, 0.0])
    assert entropy(certain) == 0.0
    assert kl_divergence(certain, certain) == chi_square(certain, certain) == 0.0
    assert kl_divergence(np.array([0.5, 0.5]), certain) == np.inf
    assert chi_square(np.array([0.5, 0.5]), certain) == np.inf


@pytest.mark.parametrize(
    "rows", [[], [[]], [0.5, 0.5], [[0.5, 0.6]], [[-0.5, 1.5]], [[np.nan, 1.0]]], ids=str
)
def test_what_is_no_share_is_refused(rows: list):
    with pytest.raises(ValueError, match="shares"):
        against(rows, [0.5, 0.5], np.random.default_rng(0))


def test_a_reference_has_as_many_classes():
    with pytest.raises(ValueError, match="as many"):
        against([[0.5, 0.5]], uniform(3), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("n", "shares", "reference"),
    [
        (200, [0.25] * 4, None),
        (30, [0.5, 0.5], None),
        (200, [0.4, 0.3, 0.2, 0.1], None),
        (100, [0.98, 0.02], None),
        (500, [0.5, 0.3, 0.15, 0.05], R),
        (300, [0.7, 0.3, 0.0], [0.5, 0.5, 0.0]),
    ],
)
def test_distances_cover_the_truth(n: int, shares: list[float], reference):
    rng, p = np.random.default_rng(4), np.asarray(shares)
    target = uniform(len(p)) if reference is None else np.asarray(reference)
    truth = {name: float(measure(p, target)) for name, measure in MEASURES.items()}
    truth["entropy"] = float(entropy(p))
    held = dict.fromkeys(truth, 0)
    for _ in range(120):
        found = against(np.eye(len(p))[rng.choice(len(p), n, p=p)], target, rng, resamples=300)
        assert found.keys() == truth.keys()
        for name, e in found.items():
            assert e.low <= e.value <= e.high
            held[name] += e.low - 1e-9 <= truth[name] <= e.high + 1e-9
    assert min(held.values()) >= 109, held


def test_distances_do_not_collapse_where_all_rows_are_alike():
    found = against(np.tile([1.0, 0.0], (20, 1)), [1.0, 0.0], np.random.default_rng(5))
    assert (found["total_variation"].low, found["total_variation"].value) == (0.0, 0.0)
    assert 0.03 < found["total_variation"].high < 0.2
    assert found["entropy"].value == 0.0
    assert 0.1 < found["entropy"].high < 0.6


def test_what_is_infinitely_far_is_left_out():
    found = against([[1.0, 0.0], [0.0, 1.0]] * 10, [1.0, 0.0], np.random.default_rng(6))
    assert set(found) == {"fairness_discrepancy", "total_variation", "largest_deviation", "entropy"}


def amplified(a: np.ndarray, t: np.ndarray, said: np.ndarray) -> float:
    """The definition in loops."""
    total = 0.0
    for i in range(a.shape[1]):
        for j in range(t.shape[1]):
            joint, alone = np.mean(a[:, i] * t[:, j]), a[:, i].mean() * t[:, j].mean()
            change = said[a[:, i] == 1, j].mean() - t[a[:, i] == 1, j].mean()
            total += change if joint > alone else -change
    return total / (a.shape[1] * t.shape[1])


def test_bias_amplification_is_the_definitions():
    rng = np.random.default_rng(7)
    a = np.eye(2, dtype=int)[rng.integers(0, 2, 400)]
    t = (rng.random((400, 3)) < 0.3 + 0.3 * a[:, :1]).astype(int)
    said = np.where(rng.random((400, 3)) < 0.2, a[:, :1], t)
    found = bias_amplification(a, t, said, rng)
    assert found.value == pytest.approx(amplified(a, t, said))
    assert 0.0 < found.low < found.value < found.high
    assert found.n == 400
    backwards = bias_amplification(t, a, np.where(rng.random((400, 1)) < 0.5, a, 1 - a), rng)
    assert backwards.value < 0.0


def test_rows_that_stand_for_several_images_amplify_as_these_do():
    rng = np.random.default_rng(11)
    rows = np.array([[1, 1, 1], [1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 0]])
    times = np.array([120, 40, 60, 150, 30])
    a, t, said = rows.repeat(times, axis=0).T
    whole = bias_amplification(a, t, said, rng)
    found = bias_amplification(*rows.T, rng, times=times)
    assert found.value == pytest.approx(whole.value)
    assert found.n == whole.n == 400
    assert found.low == pytest.approx(whole.low, abs=0.01)
    assert found.high == pytest.approx(whole.high, abs=0.01)
    assert bias_amplification(*rows.T, rng, times=np.zeros(5, dtype=int)) is None
    with pytest.raises(ValueError, match="not of clusters"):
        bias_amplification(*rows.T, rng, clusters=np.arange(5), times=times)


def test_predictions_like_the_labels_amplify_nothing_and_training_gives_the_signs():
    rng = np.random.default_rng(8)
    a, t = rng.integers(0, 2, 200), rng.integers(0, 2, 200)
    same = bias_amplification(a, t, t, rng)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    said = np.where(rng.random(200) < 0.3, a, t)
    alike, contrary = (
        bias_amplification(a, t, said, rng, training=(a, labels)).value for labels in (a, 1 - a)
    )
    assert alike == pytest.approx(-contrary)
    assert alike > 0.0
    assert bias_amplification(a, t, said, rng, training=([0, 0, 1, 1], [0, 1, 0, 1])).value == 0.0


def test_attributes_that_nobody_has_are_left_out():
    rng = np.random.default_rng(9)
    a, t = rng.integers(0, 2, 300), rng.integers(0, 2, 300)
    said = np.where(rng.random(300) < 0.3, a, t)
    with_empty = bias_amplification(np.stack([a, np.zeros(300)], axis=1), t, said, rng)
    assert with_empty.value == pytest.approx(bias_amplification(a, t, said, rng).value)
    assert bias_amplification(np.zeros(300), t, said, rng) is None


def test_labels_that_do_not_fit_are_refused():
    rng = np.random.default_rng(10)
    for a, t, said in [([1, 0], [1], [1]), ([1, 0], [1, 0], [1]), ([], [], [])]:
        with pytest.raises(ValueError, match="same images"):
            bias_amplification(a, t, said, rng)
    with pytest.raises(ValueError, match="zeros and ones"):
        bias_amplification([2, 0], [1, 0], [1, 0], rng)
    with pytest.raises(ValueError, match="same attributes"):
        bias_amplification([1, 0], [1, 0], [1, 0], rng, training=([[1, 0]], [1]))


def test_bias_amplification_covers_the_truth():
    rng, held = np.random.default_rng(11), 0
    for _ in range(120):
        a = rng.integers(0, 2, 300)
        t = (rng.random(300) < np.where(a, 0.7, 0.3)).astype(int)
        said = np.where(rng.random(300) < 0.25, a, t)  # P(said | a = 1) - P(t | a = 1) = .25 * .3
        found = bias_amplification(a, t, said, rng)
        held += found.low <= 0.075 <= found.high
    assert held >= 109
