"""The Frechet distance agrees with closed forms and with scipy's matrix root, and is numerically safe."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from latentlab.metrics.frechet import frechet_distance


def with_moments(n: int, mean: np.ndarray, covariance: np.ndarray, seed: int) -> np.ndarray:
    """Draw features whose sample mean and covariance are exactly the given ones."""
    x = np.random.default_rng(seed).normal(size=(n, len(mean)))
    x -= x.mean(axis=0)
    x = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False))).T
    return x @ np.linalg.cholesky(covariance).T + mean


def test_diagonal_gaussians_have_the_closed_form():
    first = with_moments(50, np.zeros(3), np.diag([1.0, 4.0, 9.0]), 1)
    second = with_moments(70, np.array([1.0, 0.0, -2.0]), np.diag([4.0, 1.0, 9.0]), 2)
    assert frechet_distance(first, second) == pytest.approx(5.0 + 1.0 + 1.0)


def test_general_gaussians_agree_with_scipys_root():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 5, 5))
    s1, s2, mean = a @ a.T + 0.1 * np.eye(5), b @ b.T + 0.1 * np.eye(5), rng.normal(size=5)
    found = frechet_distance(with_moments(40, np.zeros(5), s1, 4), with_moments(60, mean, s2, 5))
    expected = mean @ mean + np.trace(s1 + s2 - 2.0 * sqrtm(s1 @ s2).real)
    assert found == pytest.approx(expected, rel=1e-9)


def test_it_is_zero_for_the_same_features_in_any_order_and_symmetric():
    x, y = np.random.default_rng(6).normal(size=(2, 100, 8)) * np.logspace(-6, 3, 8)
    assert frechet_distance(x, x[::-1]) == pytest.approx(0.0, abs=1e-6)
    assert frechet_distance(x, y) == pytest.approx(frechet_distance(y, x))
    assert frechet_distance(x, y) > 0.0


def test_features_that_never_fire_and_few_images_do_no_harm():
    x, y = np.random.default_rng(7).normal(size=(2, 5, 64))
    x[:, 10:], y[:, 10:] = 0.0, 0.0
    narrow = frechet_distance(x[:, :10], y[:, :10])
    assert np.isfinite(narrow)
    assert frechet_distance(x, y) == pytest.approx(narrow, rel=1e-6)


def test_one_feature_is_enough():
    x = np.array([[0.0], [2.0]])
    assert frechet_distance(x, x + 3.0) == pytest.approx(9.0)


def test_a_shift_counts_by_its_square():
    x = np.random.default_rng(8).normal(size=(200, 4)).astype(np.float32)
    assert frechet_distance(x, x + np.float32(0.5)) == pytest.approx(4 * 0.25, rel=1e-4)


@pytest.mark.parametrize(
    ("first", "second"),
    [(np.zeros((3, 2)), np.zeros((3, 3))), (np.zeros((1, 2)), np.zeros((3, 2))), (np.zeros(3), np.zeros(3))],
)
def test_features_that_do_not_fit_are_refused(first: np.ndarray, second: np.ndarray):
    with pytest.raises(ValueError, match="features must be"):
        frechet_distance(first, second)


def test_features_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="finite"):
        frechet_distance(np.full((3, 2), np.nan), np.zeros((3, 2)))
