"""Training ratio: even training data need not give even samples, and a single training proves little.

Two groups lie on one axis: one at 0 with the standard deviation 1, the other at delta with the standard
deviation s1. A linear VAE (`latentlab.audit.experiments.linear_vae`) is trained with a share p of the second.
What it samples is a normal with the mean p delta and the variance lambda - sigma^2,

    lambda = p (1 - p) delta^2 + p s1^2 + (1 - p),

and is judged at c = delta / (1 + s1), where the judge errs as rarely in either group. So

    share in the samples = Phi((p delta - c) / sqrt(lambda - sigma^2)).

It is one half at p = c / delta = 1 / (1 + s1), not at p = 1/2, unless both groups are spread alike: the
model's one bell has room for neither. Each training has its own rows; how far trainings are spread is what an
interval has to know of, which is `latentlab.audit.training_ratio_statements`' work.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr

from latentlab.audit.charts import Chart, Mark, told
from latentlab.audit.experiments.experiment import Drawn, Experiment, Parameter, Values
from latentlab.audit.experiments.linear_vae import best_linear_vae
from latentlab.audit.experiments.marks import counted, exact, words
from latentlab.audit.training_ratio_statements import EVEN, Spread, Trained, statements_of
from latentlab.metrics.intervals import Estimate, wilson_rate

NOISE = 0.5
"""Standard deviation of the decoder."""
RATIOS = (0.1, 0.3, 0.5, 0.7, 0.9)
OTHER = 2.0
"""Standard deviation of a second axis, which both groups share."""


def boundary(delta: float, spread: float) -> float:
    """Return c, where the judge errs as rarely in either group."""
    return delta / (1.0 + spread)


def sampled_share(p: float, delta: float, spread: float, noise: float = NOISE) -> float:
    """Return the second group's share in the samples of a VAE that saw very many rows, a share p of it."""
    variance = p * (1.0 - p) * delta**2 + p * spread**2 + (1.0 - p)
    kept = max(variance - noise**2, 1e-12)
    return float(ndtr((p * delta - boundary(delta, spread)) / math.sqrt(kept)))


def even_ratio(spread: float) -> float:
    """Return the share in training that gives even samples."""
    return 1.0 / (1.0 + spread)


def train_and_count(p: float, values: Values, generator: np.random.Generator) -> float:
    """Train a linear VAE with a share p of the second group; return its share in the judged samples."""
    n, delta, spread = int(values["images"]), values["distance"], values["spread"]
    second = np.arange(n) < round(p * n)
    rows = generator.standard_normal((n, 2)) * np.stack([np.where(second, spread, 1.0), np.full(n, OTHER)], 1)
    rows[:, 0] += delta * second
    drawn = best_linear_vae(rows, NOISE).sample(int(values["samples"]), generator)
    return float(np.mean(drawn[:, 0] > boundary(delta, spread)))


def _draw(values: Values, generator: np.random.Generator) -> Drawn:
    seeds, n = int(values["seeds"]), int(values["samples"])
    delta, spread = values["distance"], values["spread"]
    trained = [
        Trained(p, tuple(train_and_count(p, values, generator) for _ in range(seeds)), n) for p in RATIOS
    ]
    known = Spread(trained, None)
    means = {p: _inside(known.estimate({p: 1.0})) for p in RATIOS}
    even = next(one for one in trained if one.ratio == EVEN)
    truth = sampled_share(EVEN, delta, spread)
    alone = [wilson_rate(round(share * n), n) for share in even.shares]
    held = sum((one.low or 0.0) <= truth <= (one.high or 1.0) for one in alone)
    charts = (
        Chart(
            "along",
            "The second group in the samples",
            "lines",
            "share",
            (
                *(counted(f"{p:g}", f"{seeds} trainings", means[p]) for p in RATIOS),
                *(exact(f"{p:g}", "formula", sampled_share(p, delta, spread)) for p in RATIOS),
            ),
            {f"{p:g}": p for p in RATIOS},
            "the share in training",
            axis="share in training",
            of="samples",
        ),
        Chart(
            "seeds",
            f"Trained on even data: points from the formula's {told(truth, 'share')}",
            "gaps",
            "points",
            (
                *(_off(f"training {k + 1}", one, truth) for k, one in enumerate(alone)),
                _off(f"mean of {seeds}", means[EVEN], truth),
            ),
            note="The interval of one training knows what counting its samples leaves open, and nothing of "
            "other trainings. That of the mean knows how far they are spread.",
            of="samples",
        ),
    )
    differs, nearer = statements_of(trained, None, "the second group")
    return Drawn(
        charts,
        (
            f"Trained on even data, {words(means[EVEN])} of the samples are of the second group; by the "
            f"formula {100 * truth:.1f}%.",
            f"By the formula the samples are even at a share of {100 * even_ratio(spread):.1f}% in training.",
            f"{held} of {seeds} intervals of a single training hold the truth: they know nothing of other "
            "trainings.",
            *(
                f"{one.name}. {one.text} {one.verdict.capitalize()}. {one.because}"
                for one in (differs, nearer)
            ),
        ),
    )


def _off(label: str, found: Estimate, truth: float) -> Mark:
    """Return how far an estimate is from the truth, with its interval."""
    assert found.low is not None
    assert found.high is not None
    said = f"{told(found.value, 'share')} of the samples"
    return Mark(
        label, "samples", found.value - truth, found.low - truth, found.high - truth, found.n, told=said
    )


def _inside(found: Estimate) -> Estimate:
    assert found.low is not None
    assert found.high is not None
    return Estimate(found.value, max(0.0, found.low), min(1.0, found.high), found.n)


EXPERIMENT = Experiment(
    "training-ratio",
    "Even training data, uneven samples",
    "Does a model that was trained on even data draw evenly, and how many trainings does it take to say so?",
    "Linear VAEs are trained on two groups that are spread differently, at several shares and several times "
    "each with rows of its own. Their samples are judged and counted.",
    "Share in the samples = Φ((p δ − c) / √(λ − σ²)), λ = p (1 − p) δ² + p s₁² + 1 − p, c = δ / (1 + s₁). "
    "Even at p = 1 / (1 + s₁).",
    (
        "Majumdar (2020), Bias of VAE and conditional VAE (part A).",
        "Tipping & Bishop (1999), Probabilistic principal component analysis. JRSS B 61.",
    ),
    "By how much a deep VAE's samples are off: its bell is bent. That they are off at all, and that "
    "trainings differ by more than counting does, is measured on real models in Audit's training-ratio "
    "study.",
    (
        Parameter(
            "seeds", "Trainings", 5, 2, 20, "How often each ratio is trained.", "trainings", whole=True
        ),
        Parameter(
            "images",
            "Training images",
            200,
            100,
            5000,
            "How many images each training sees.",
            "images",
            whole=True,
            log=True,
        ),
        Parameter(
            "distance",
            "Distance of the groups",
            6.0,
            1.0,
            10.0,
            "How far apart the groups are (δ), in standard deviations of the first.",
        ),
        Parameter(
            "spread",
            "Spread of the second group",
            2.0,
            0.5,
            4.0,
            "Standard deviation of the second group (s₁); that of the first is 1.",
        ),
        Parameter(
            "samples",
            "Samples",
            5000,
            100,
            10000,
            "How many samples of each training are judged.",
            "samples",
            whole=True,
            log=True,
        ),
    ),
    _draw,
)
