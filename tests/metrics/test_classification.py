"""Accuracy, agreement and calibration error agree with counts by hand and with simulated truth."""

from __future__ import annotations

import numpy as np
import pytest

from latentlab.metrics.classification import (
    accuracy,
    agreement,
    balanced_accuracy,
    calibration_error,
    confusion_matrix,
)

RNG = np.random.default_rng(0)


def test_a_confusion_matrix_counts_predictions_by_truth_and_leaves_unknown_truths_out():
    truth, predicted = np.array([0, 0, 1, 2, -1, 2]), np.array([0, 1, 1, 0, 2, 2])
    assert confusion_matrix(truth, predicted, 3).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 1]]


def test_balanced_accuracy_is_the_mean_recall_of_the_classes_that_occur():
    estimate = balanced_accuracy([[90, 10, 0], [5, 5, 0], [0, 0, 0]])
    assert estimate is not None
    assert estimate.value == pytest.approx(0.7)
    assert estimate.n == 110
    assert estimate.low < 0.7 < estimate.high
    assert balanced_accuracy([[0, 0], [0, 0]]) is None


def test_agreement_is_the_ratio_of_balanced_accuracies():
    truth = np.array([0] * 80 + [1] * 20 + [-1] * 3)
    originals, reconstructions = truth.copy(), truth.copy()
    originals[:8] = 1
    reconstructions[:4] = 1
    reconstructions[80:90] = 0
    estimate = agreement(truth, originals, reconstructions, 2, RNG)
    assert estimate is not None
    assert estimate.value == pytest.approx((76 / 80 + 10 / 20) / (72 / 80 + 20 / 20))
    assert estimate.n == 100
    assert estimate.low < estimate.value < estimate.high


def test_agreement_is_1_where_nothing_changes_and_none_where_nothing_is_known():
    truth = np.array([0, 1, 1, 0])
    assert agreement(truth, truth, truth, 2, RNG).value == 1.0
    assert agreement(np.full(4, -1), truth, truth, 2, RNG) is None
    assert agreement(truth, 1 - truth, truth, 2, RNG) is None


def test_several_images_of_one_identity_make_rates_less_certain():
    rng = np.random.default_rng(1)
    identity = np.repeat(np.arange(60), 10)
    truth = (identity % 2).astype(np.int64)
    wrong = (rng.random(60) < 0.3)[identity]
    answers = np.where(wrong, 1 - truth, truth)
    alone = accuracy(truth, answers, 2, np.random.default_rng(2))
    together = accuracy(truth, answers, 2, np.random.default_rng(2), identity)
    assert alone == balanced_accuracy(confusion_matrix(truth, answers, 2))
    assert together.value == alone.value
    assert together.high - together.low > 2.0 * (alone.high - alone.low)
    kept = agreement(truth, truth, answers, 2, np.random.default_rng(2), identity)
    loose = agreement(truth, truth, answers, 2, np.random.default_rng(2))
    assert kept.value == loose.value == pytest.approx(alone.value)
    assert kept.high - kept.low > 2.0 * (loose.high - loose.low)


def test_intervals_by_identity_do_not_collapse_where_all_is_right():
    truth = np.tile([0, 1], 30)
    estimate = accuracy(truth, truth, 2, np.random.default_rng(3), np.repeat(np.arange(30), 2))
    assert estimate == balanced_accuracy(confusion_matrix(truth, truth, 2))
    assert estimate.low < 1.0


def test_calibration_error_is_the_weighted_gap_of_the_bins():
    p = np.array([[0.92, 0.08]] * 10 + [[0.3, 0.7]] * 10)
    truth = np.array([0] * 8 + [1] * 2 + [1] * 9 + [0])
    estimate = calibration_error(p, truth, np.random.default_rng(0))
    assert estimate is not None
    assert estimate.value == pytest.approx(0.5 * abs(0.8 - 0.92) + 0.5 * abs(0.9 - 0.7))
    assert estimate.n == 20


def test_gaps_of_one_bin_cancel_but_those_of_two_do_not():
    truth = np.array([0, 1])
    same = calibration_error([[0.5, 0.5], [0.5, 0.5]], truth, np.random.default_rng(0))
    apart = calibration_error([[0.9, 0.1], [0.9, 0.1]], truth, np.random.default_rng(0))
    assert same.value == pytest.approx(0.0)
    assert apart.value == pytest.approx(0.4)


def test_certain_and_right_is_calibrated_but_not_beyond_doubt():
    p = np.eye(2)[np.array([0, 1] * 50)]
    estimate = calibration_error(p, np.array([0, 1] * 50), np.random.default_rng(0))
    assert (estimate.value, estimate.low) == (0.0, 0.0)
    assert estimate.high == pytest.approx(0.037, abs=1e-3)  # 1 - Wilson's lower limit of 100/100


def test_unknown_truths_count_for_nothing():
    p = np.array([[0.8, 0.2]] * 6)
    truth = np.array([0, 0, 1, -1, -1, -1])
    assert calibration_error(p, truth, np.random.default_rng(0)).value == pytest.approx(
        calibration_error(p[:3], truth[:3], np.random.default_rng(0)).value
    )
    assert calibration_error(p, np.full(6, -1), np.random.default_rng(0)) is None


@pytest.mark.parametrize("sharpness", [1.0, 1.5, 2.5])
def test_intervals_of_the_calibration_error_cover_the_truth(sharpness: float):
    """Logits are ``sharpness`` times those that the labels were drawn from."""
    rng = np.random.default_rng(9)

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        logit = rng.normal(scale=3.0, size=n)
        truth = (rng.random(n) < 1.0 / (1.0 + np.exp(-logit))).astype(np.int64)
        p = 1.0 / (1.0 + np.exp(-sharpness * logit))
        return np.stack([1.0 - p, p], axis=1), truth

    p, truth = draw(400_000)
    confidence = p.max(axis=1)
    bins = np.minimum((confidence * 15).astype(int), 14)
    error = np.abs(np.bincount(bins, (p.argmax(1) == truth) - confidence, 15)).sum() / len(truth)
    found = [calibration_error(*draw(300), rng, resamples=200) for _ in range(100)]
    slack = 1e-3 if sharpness == 1.0 else 0.0  # so many images still show about 0.0007
    assert np.mean([e.low <= error + slack and error <= e.high for e in found]) >= 0.88
