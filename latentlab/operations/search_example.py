"""Two groups behind one latent: what each way of searching does to the smaller one, beside the exact answer.

A standard-normal z is of the minority where it lies above the threshold t = Phi^-1(pi), and of the majority
(a share pi) below. The picture shows the group only, +delta or -delta, and is observed with Gaussian noise
of standard deviation 1. Three ways to answer an observation y with a group:

- the group that is most probable (MAP over the group): in the minority right with the probability
  Phi(delta - logit(pi) / (2 delta)), .188 at pi = .8 and delta = .5, and .970 in the majority;
- the group of the most probable z (MAP over z, what a search returns): it maximises the density of z, not of
  the group, whose z with the highest density are 0 for the majority and t for the minority; right .558;
- the group of a draw from the posterior of z: the majority is drawn as often as it is there, .80.

The grid over z has all three exactly; the methods are those of `latentlab.operations.search_run` and
`latentlab.operations.search_posterior`, on a model whose decoder is that step.

    python -m latentlab.operations.search_example
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import norm
from torch import Tensor, nn

from latentlab.metrics.intervals import Estimate, wilson
from latentlab.model import Posterior
from latentlab.operations.search_plan import Observation, PosteriorSettings, SearchSettings
from latentlab.operations.search_posterior import sample_posterior
from latentlab.operations.search_run import Search
from latentlab.operations.search_unknowns import Observer, Unknowns
from latentlab.progress import Reporter
from latentlab.spec import ModelSpec

SIZE = 8
"""Pixels of a picture, which is reduced to a single one."""
SCALE = 0.05
"""What one standard deviation of the noise is in a picture's values; grey lies between the groups."""


class TwoGroups(nn.Module):
    """A `LatentModel` of one latent number whose pictures show on which side of a threshold it lies.

    Parameters
    ----------
    pi
        Share of the majority.
    delta
        Half of the groups' distance, in standard deviations of the noise.
    """

    def __init__(self, pi: float = 0.8, delta: float = 0.5) -> None:
        super().__init__()
        self.pi, self.delta = pi, delta
        self.threshold = float(norm.ppf(pi))
        self.spec = ModelSpec(
            family="two groups",
            image_size=SIZE,
            latent_shape=(1,),
            cannot={"encode": "it is an example of a decoder."},
        )

    def encode(self, images: Tensor, condition: Tensor | None = None) -> Posterior:
        """Refuse: there is no encoder."""
        raise NotImplementedError(self.spec.cannot["encode"])

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return grey pictures ``[B, 3, 8, 8]``; their gradient is 0, for a step has none."""
        group = torch.where(latents > self.threshold, -self.delta, self.delta) + 0.0 * latents
        return (0.5 + SCALE * group)[:, :, None, None].expand(-1, 3, SIZE, SIZE)

    def sample(self, n: int, condition: Tensor | None, generator: torch.Generator) -> Tensor:
        """Draw n latents from N(0, 1), ``[n, 1]``."""
        return torch.randn(n, 1, generator=generator)


@dataclass(frozen=True)
class Answer:
    """What a method does: how often it is right in each group, and how often it answers the majority."""

    minority_right: Estimate
    majority_right: Estimate
    majority_share: Estimate


@dataclass(frozen=True)
class TwoGroupStudy:
    """The answers by method: by the methods themselves with intervals, and by the grid."""

    found: dict[str, Answer]
    grid: dict[str, tuple[float, float, float]]
    acceptance: float

    def record(self) -> dict[str, object]:
        """Return it as plain values."""
        parts = ("minority_right", "majority_right", "majority_share")
        return {
            method: {
                part: {**getattr(answer, part).record(), "grid": self.grid[method][k]}
                for k, part in enumerate(parts)
            }
            for method, answer in self.found.items()
        } | {"acceptance": self.acceptance}


def two_group_study(
    inputs: int = 2000,
    pi: float = 0.8,
    delta: float = 0.5,
    seed: int = 0,
    reporter: Reporter | None = None,
) -> TwoGroupStudy:
    """Answer observations of both groups, half of the inputs of each, by each method.

    ``majority_share`` is over inputs as they come, a share pi of them of the majority.
    """
    model = TwoGroups(pi, delta).eval()
    observer = Observer(Observation(factor=SIZE, kind="luminance"), SIZE)
    unknowns = Unknowns(model, observer)
    generator = np.random.default_rng(seed)
    minority = np.arange(inputs) % 2 == 1
    y = np.where(minority, -delta, delta) + generator.standard_normal(inputs)
    targets = torch.from_numpy((0.5 + SCALE * y).astype(np.float32)).reshape(-1, 1, 1, 1)

    settings = SearchSettings(
        observation=observer.observation,
        restarts=4,
        steps=120,
        seed=seed,
        rate=0.05,
        loss="map",
        constraint="none",
        sigma=SCALE,
    )
    search = Search(unknowns, targets, settings, eps=SCALE**2)
    search.run(reporter=reporter)
    z, scores = search.best_rows()
    best = scores.reshape(inputs, -1).argmin(1)
    searched = z.reshape(inputs, -1)[np.arange(inputs), best] > model.threshold

    walked = sample_posterior(
        unknowns, targets, SCALE, PosteriorSettings(60, 20, leaps=3), chains=1, seed=seed, reporter=reporter
    )
    drawn = walked.draws[:, -1, 0] > model.threshold
    answers = {"map_group": _most_probable_group(y, pi, delta), "search": searched, "posterior": drawn}
    return TwoGroupStudy(
        {method: _answer(said, minority, pi) for method, said in answers.items()},
        grid_answers(pi, delta),
        float(walked.acceptance.mean()),
    )


def grid_answers(pi: float, delta: float, points: int = 4001) -> dict[str, tuple[float, float, float]]:
    """Return each method's right answers in the minority, in the majority, and its share of the majority.

    They are sums over a grid of z in each group's own half and over a grid of y.
    """
    z = np.linspace(-8.0, 8.0, points)
    y = np.linspace(-9.0, 9.0, 2001)
    is_minority = z > norm.ppf(pi)
    shown = np.where(is_minority, -delta, delta)
    log_density = -0.5 * z[None] ** 2 - 0.5 * (y[:, None] - shown[None]) ** 2
    density = np.exp(log_density - log_density.max(1, keepdims=True))
    probability = density[:, is_minority].sum(1) / density.sum(1)
    said = {
        "map_group": (probability > 0.5).astype(np.float64),
        "search": is_minority[log_density.argmax(1)].astype(np.float64),
        "posterior": probability,
    }
    weights = {group: norm.pdf(y, mean) for group, mean in ((True, -delta), (False, delta))}
    weights = {group: one / one.sum() for group, one in weights.items()}
    found = {}
    for method, minority in said.items():
        right = float((weights[True] * minority).sum()), float((weights[False] * (1.0 - minority)).sum())
        found[method] = (*right, _share(*right, pi))
    return found


def _share(minority_right: float, majority_right: float, pi: float) -> float:
    return pi * majority_right + (1.0 - pi) * (1.0 - minority_right)


def _most_probable_group(y: NDArray[np.float64], pi: float, delta: float) -> NDArray[np.bool_]:
    log_odds = np.log(pi / (1.0 - pi)) + 2.0 * delta * y
    found: NDArray[np.bool_] = log_odds < 0.0
    return found


def _answer(said: NDArray[np.bool_], minority: NDArray[np.bool_], pi: float) -> Answer:
    """Count answers (True for the minority) with Wilson's intervals; the share by MOVER of both rates."""
    one, other = said[minority], ~said[~minority]
    low1, high1 = wilson(one.sum(), len(one))
    low2, high2 = wilson(other.sum(), len(other))
    p1, p2 = float(one.mean()), float(other.mean())
    share = _share(p1, p2, pi)
    down = np.hypot(pi * (p2 - low2), (1.0 - pi) * (high1 - p1))
    up = np.hypot(pi * (high2 - p2), (1.0 - pi) * (p1 - low1))
    return Answer(
        Estimate(p1, float(low1), float(high1), len(one)),
        Estimate(p2, float(low2), float(high2), len(other)),
        Estimate(share, float(share - down), float(share + up), len(said)),
    )


if __name__ == "__main__":
    print(json.dumps(two_group_study().record(), indent=1))
