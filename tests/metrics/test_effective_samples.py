from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from latentlab.metrics.effective_samples import effective_samples, split_r_hat


def autoregressive(rho: float, chains: int = 8, n: int = 4000) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal((chains, n))
    return np.asarray(lfilter([1.0], [1.0, -rho], noise, axis=1))[:, :, None]


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_correlated_draws_are_worth_as_many_as_theory_says(rho: float):
    (found,) = effective_samples(autoregressive(rho))
    assert found == pytest.approx(32000 * (1 - rho) / (1 + rho), rel=0.15)


def test_draws_that_alternate_are_worth_more_than_they_are():
    (found,) = effective_samples(autoregressive(-0.5))
    assert found > 1.5 * 32000


def test_chains_that_do_not_agree_are_worth_little_and_it_shows():
    draws = np.random.default_rng(1).standard_normal((4, 500, 2))
    draws[0, :, 1] += 5.0
    effective, r_hat = effective_samples(draws), split_r_hat(draws)
    assert effective[0] > 1000
    assert effective[1] < 20
    assert r_hat[0] == pytest.approx(1.0, abs=0.02)
    assert r_hat[1] > 1.5


def test_what_never_changes_has_none():
    draws = np.zeros((2, 10, 1))
    assert np.isnan(effective_samples(draws)[0])
    assert np.isnan(split_r_hat(draws)[0])
    stuck = np.array([0.1, 0.3, 0.7])[:, None, None] * np.ones((3, 14, 1))  # each chain where it began
    assert effective_samples(stuck).tolist() == [0.0]
    assert split_r_hat(stuck).tolist() == [np.inf]
    same = np.full((3, 14, 1), 0.1)
    assert np.isnan(effective_samples(same)[0])
    with pytest.raises(ValueError, match="at least 4 draws"):
        effective_samples(np.zeros((2, 3, 1)))
