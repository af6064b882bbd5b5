"""The closed-form maps, beside what is known of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from latentlab.metrics.transport import (
    Gaussian,
    barycentre,
    best_ridge,
    from_standard,
    gaussian_transport,
    mean_shift,
    ridge,
    root,
    rotation,
)


def _body(seed: int, size: int = 5) -> Gaussian:
    generator = np.random.default_rng(seed)
    factor = generator.normal(size=(size, size))
    return Gaussian(generator.normal(size=size), factor @ factor.T + 0.1 * np.eye(size))


def test_a_root_is_that_of_scipy() -> None:
    covariance = _body(0).covariance
    np.testing.assert_allclose(root(covariance), sqrtm(covariance).real, atol=1e-8)
    np.testing.assert_allclose(root(covariance, -0.5) @ root(covariance), np.eye(5), atol=1e-8)


def test_transport_gives_the_target_and_is_the_shortest_way() -> None:
    a, b = _body(1), _body(2)
    found = gaussian_transport(a, b)
    np.testing.assert_allclose(found.matrix @ a.covariance @ found.matrix.T, b.covariance, atol=1e-8)
    np.testing.assert_allclose(found(a.mean[None])[0], b.mean)
    assert np.linalg.eigvalsh((found.matrix + found.matrix.T) / 2).min() > 0.0
    np.testing.assert_allclose(found.matrix, found.matrix.T, atol=1e-8)  # the gradient of a convex function

    def cost(matrix: np.ndarray) -> float:
        """Return E|x - Mx|^2 for x ~ N(0, S_a)."""
        rest = matrix - np.eye(5)
        return float(np.trace(rest @ a.covariance @ rest.T))

    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(5, 5)))[0]
    other = root(b.covariance) @ turn @ root(a.covariance, -0.5)
    np.testing.assert_allclose(other @ a.covariance @ other.T, b.covariance, atol=1e-8)
    assert cost(found.matrix) < cost(other)


def test_commuting_covariances_are_scaled_entry_by_entry() -> None:
    a, b = Gaussian(np.zeros(2), np.diag([1.0, 4.0])), Gaussian(np.ones(2), np.diag([9.0, 1.0]))
    np.testing.assert_allclose(gaussian_transport(a, b).matrix, np.diag([3.0, 0.5]), atol=1e-9)
    np.testing.assert_allclose(barycentre([a, b]), np.diag([4.0, 2.25]), atol=1e-6)  # mean of deviations
    np.testing.assert_allclose(mean_shift(a, b)(np.array([[5.0, 5.0]])), [[6.0, 6.0]])


def test_the_standard_space_leads_into_every_body() -> None:
    bodies = [_body(seed) for seed in range(3)]
    matrices = from_standard(bodies)
    for body, matrix in zip(bodies, matrices, strict=True):
        np.testing.assert_allclose(matrix @ matrix.T, body.covariance, atol=1e-6)
    between = matrices[1] @ np.linalg.inv(matrices[0])
    shortest = gaussian_transport(bodies[0], bodies[1]).matrix
    assert np.linalg.norm(between - shortest) < 0.5 * np.linalg.norm(np.eye(5) - shortest)


def test_measured_moments_and_a_direction_without_spread() -> None:
    x = np.random.default_rng(0).normal(size=(4000, 3)) * [1.0, 2.0, 0.0] + [0.0, 5.0, 1.0]
    body = Gaussian.of(x)
    np.testing.assert_allclose(body.mean, [0.0, 5.0, 1.0], atol=0.1)
    np.testing.assert_allclose(np.diag(body.covariance), [1.0, 4.0, 0.0], atol=0.2)
    assert np.isfinite(gaussian_transport(body, _body(0, 3))(x)).all()


def test_a_rotation_is_found_again_and_pulled_where_nothing_is_known() -> None:
    generator = np.random.default_rng(0)
    turn = np.linalg.qr(generator.normal(size=(4, 4)))[0]
    x = generator.normal(size=(50, 4))
    np.testing.assert_allclose(rotation(x, x @ turn.T), turn, atol=1e-10)
    flat = np.array([[1.0, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(rotation(flat, flat, pull=0.01), np.eye(4), atol=1e-10)


def test_ridge_finds_a_linear_map_and_shrinks_with_noise() -> None:
    generator = np.random.default_rng(0)
    matrix, x = generator.normal(size=(6, 6)), generator.normal(size=(400, 6))
    y = x @ matrix.T + 3.0
    np.testing.assert_allclose(best_ridge(x, y)(x), y, atol=5e-3)
    few, noise = x[:12], 4.0 * generator.normal(size=(12, 6))
    fresh = generator.normal(size=(400, 6))
    wanted = fresh @ matrix.T + 3.0
    chosen = np.square(best_ridge(few, y[:12] + noise)(fresh) - wanted).mean()
    bare = np.square(ridge(few, y[:12] + noise, 1e-9)(fresh) - wanted).mean()
    assert chosen < bare


@pytest.mark.parametrize("size", [1, 3])
def test_one_body_alone_is_its_own_barycentre(size: int) -> None:
    body = _body(4, size)
    np.testing.assert_allclose(barycentre([body, body]), body.covariance, atol=1e-6)
