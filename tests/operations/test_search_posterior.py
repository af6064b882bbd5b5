"""Posterior sampling beside posteriors that are known: Gaussian ones, and two groups behind a threshold."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import nn

from latentlab.errors import Cancelled, SettingsError
from latentlab.metrics.effective_samples import effective_samples
from latentlab.model import Posterior
from latentlab.operations.search_events import PosteriorStep
from latentlab.operations.search_example import grid_answers, two_group_study
from latentlab.operations.search_plan import Observation, PosteriorSettings
from latentlab.operations.search_posterior import sample_posterior
from latentlab.operations.search_unknowns import Observer, Unknowns
from latentlab.progress import Reporter
from latentlab.spec import ModelSpec


class Linear(nn.Module):
    """Pictures of 8 pixels that are linear in five latent numbers, and stay away from black and white."""

    def __init__(self) -> None:
        super().__init__()
        self.spec = ModelSpec(
            family="linear", image_size=8, latent_shape=(5,), cannot={"encode": "it only draws."}
        )
        weight = torch.randn(192, 5, generator=torch.Generator().manual_seed(0))
        self.weight = nn.Parameter(0.02 * weight * torch.tensor([3.0, 1.0, 1.0, 0.3, 0.1]))

    def encode(self, images: torch.Tensor, condition: torch.Tensor | None = None) -> Posterior:
        raise NotImplementedError

    def decode(self, latents: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        return (0.5 + latents @ self.weight.T).reshape(-1, 3, 8, 8)

    def sample(self, n: int, condition: torch.Tensor | None, generator: torch.Generator) -> torch.Tensor:
        return torch.randn(n, 5, generator=generator)


@pytest.mark.parametrize(("warm_up", "leaps"), [(5, 8), (150, 8), (200, 1)])  # hardly a metric, one, and MALA
def test_it_samples_the_posterior_of_a_linear_model(warm_up: int, leaps: int):
    unknowns = Unknowns(Linear().eval(), Observer(Observation(2), 8))
    sigma = 0.03
    with torch.no_grad():
        middle = unknowns.draw(torch.zeros(1, 5)).observed.reshape(-1)
        a = (unknowns.draw(torch.eye(5)).observed.flatten(1) - middle).double().numpy().T
        y = unknowns.draw(torch.tensor([[1.0, -1.0, 0.5, 0.2, 1.5]])).observed
    covariance = np.linalg.inv(np.eye(5) + a.T @ a / sigma**2)
    mean = covariance @ a.T @ (y.reshape(-1) - middle).double().numpy() / sigma**2
    found = sample_posterior(unknowns, y, sigma, PosteriorSettings(warm_up, 500, leaps), chains=16)
    draws = found.draws.reshape(-1, 5)
    worth = found.effective()[:-1]
    assert worth.min() > 200
    error = 4.0 * np.sqrt(covariance.diagonal() / worth)
    assert (np.abs(draws.mean(0) - mean) < error).all()
    ratio = draws.std(0) / np.sqrt(covariance.diagonal())
    squares = effective_samples(np.square(found.draws - mean))
    assert (np.abs(ratio - 1.0) < 4.0 / np.sqrt(2.0 * squares)).all()
    correlation = np.corrcoef(draws.T) - covariance / np.sqrt(
        np.outer(covariance.diagonal(), covariance.diagonal())
    )
    assert np.abs(correlation).max() < 0.2
    assert found.r_hat().max() < 1.1
    assert 0.3 < found.acceptance.mean() < 0.95
    shown = found.distances.mean() * y.numel() / sigma**2
    spread = np.trace(a @ covariance @ a.T) / sigma**2
    fitted = float(np.square(a @ mean - (y.reshape(-1) - middle).double().numpy()).sum()) / sigma**2
    assert shown == pytest.approx(spread + fitted, rel=0.1)


def test_an_approach_brings_short_chains_to_the_posterior():
    unknowns = Unknowns(Linear().eval(), Observer(Observation(2), 8))
    sigma, chains = 0.03, 200
    with torch.no_grad():
        middle = unknowns.draw(torch.zeros(1, 5)).observed.reshape(-1)
        a = (unknowns.draw(torch.eye(5)).observed.flatten(1) - middle).double().numpy().T
        y = unknowns.draw(torch.tensor([[1.0, -1.0, 0.5, 0.2, 1.5]])).observed
    covariance = np.linalg.inv(np.eye(5) + a.T @ a / sigma**2)
    mean = covariance @ a.T @ (y.reshape(-1) - middle).double().numpy() / sigma**2
    stages: list[tuple[str, int, int]] = []
    reporter = Reporter(lambda progress: stages.append((progress.stage, progress.done, progress.total)))
    starts = np.stack([unknowns.start(7 + k) for k in range(chains)])
    how = {"chains": chains, "starts": starts, "reporter": reporter}
    found = sample_posterior(unknowns, y, sigma, PosteriorSettings(2, 4, 2, approach=100), **how)
    draws = found.draws[:, -1]  # one of each chain: independent
    spread = np.sqrt(covariance.diagonal())
    assert (np.abs(draws.mean(0) - mean) < 4.0 * spread / chains**0.5).all()
    assert (np.abs(draws.std(0) / spread - 1.0) < 4.0 / (2.0 * chains) ** 0.5).all()
    assert stages[0] == ("Approaching", 1, 106)
    assert stages[-1] == ("Sampling", 106, 106)
    with pytest.raises(SettingsError, match="200 starts of 5"):
        sample_posterior(unknowns, y, sigma, chains=chains, starts=starts[:1])


def test_two_groups_are_answered_as_the_grid_says():
    study = two_group_study(1200)
    for method, answer in study.found.items():
        estimates = (answer.minority_right, answer.majority_right, answer.majority_share)
        for estimate, exact in zip(estimates, study.grid[method], strict=True):
            assert estimate.low is not None
            assert estimate.high is not None
            assert estimate.low <= exact <= estimate.high, (method, estimate, exact)
    # What sets the methods apart is larger than any interval.
    assert study.found["posterior"].majority_share.high < study.found["map_group"].majority_share.low  # type: ignore[operator]


def closed_form(pi: float, delta: float) -> dict[str, tuple[float, float, float]]:
    """Right answers in the minority and the majority, and the majority's share, where there is a formula.

    A method says the minority where y is below a cut: that of equal odds, or where both best z are as
    probable.
    """
    cuts = {
        "map_group": float(np.log(pi / (1.0 - pi))) / (2.0 * delta),
        "search": float(norm.ppf(pi)) ** 2 / (4.0 * delta),
    }
    right = {name: (float(norm.cdf(delta - x)), float(norm.cdf(delta + x))) for name, x in cuts.items()}
    return {name: (few, many, pi * many + (1.0 - pi) * (1.0 - few)) for name, (few, many) in right.items()}


def test_the_grid_is_the_closed_form_and_that_is_the_literatures():
    closed, grid = closed_form(0.8, 0.5), grid_answers(0.8, 0.5)
    assert closed["map_group"] == pytest.approx((0.188, 0.970, 0.939), abs=6e-4)
    assert closed["search"][0] == pytest.approx(0.558, abs=6e-4)
    for method in ("map_group", "search"):
        assert grid[method] == pytest.approx(closed[method], abs=2e-3)
    assert grid["posterior"][2] == pytest.approx(0.8, abs=1e-3)


def test_the_temperature_falls_to_one_and_chains_are_told_of():
    seen: list[PosteriorStep] = []
    unknowns = Unknowns(Linear().eval(), Observer(Observation(2), 8))
    y = torch.full((2, 3, 4, 4), 0.5)
    found = sample_posterior(unknowns, y, 0.1, PosteriorSettings(20, 6), chains=3, on_step=seen.append)
    temperatures = [step.temperature for step in seen]
    assert temperatures[0] == pytest.approx(100.0)
    assert sorted(temperatures, reverse=True) == temperatures
    assert temperatures[14:] == [1.0] * 12
    assert found.draws.shape == (6, 6, 5)
    assert len(found.effective(1)) == 6
    assert seen[-1].distances.shape == (6,)


def test_the_same_seed_gives_the_same_chains_and_it_can_be_cancelled():
    unknowns = Unknowns(Linear().eval(), Observer(Observation(2), 8))
    y = torch.full((1, 3, 4, 4), 0.5)
    one, other, third = (
        sample_posterior(unknowns, y, 0.1, PosteriorSettings(8, 4), chains=2, seed=seed) for seed in (0, 0, 1)
    )
    assert np.array_equal(one.draws, other.draws)
    assert not np.array_equal(one.draws, third.draws)
    reporter = Reporter()
    reporter.cancel()
    with pytest.raises(Cancelled):
        sample_posterior(unknowns, y, 0.1, chains=2, reporter=reporter)
    with pytest.raises(SettingsError, match="positive"):
        sample_posterior(unknowns, y, 0.0)
