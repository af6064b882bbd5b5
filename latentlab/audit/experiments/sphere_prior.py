"""Sphere against L2: where a search keeps its latent decides whether it invents detail and keeps minorities.

z has d latents, N(0, 1). A picture shows the first k of them, y = z + N(0, sigma^2), and nothing of the
others. How long z is: |z| has the chi distribution, in many dimensions near sqrt(d), though its density is
highest at 0. Three answers to y:

- L2 prior: the most probable z, y / (1 + sigma^2) for what is seen and 0 for what is not: shorter than any
  face;
- sphere (PULSE): the z of length sqrt(d) that fits y best, from a random start: z = y for what is seen, a
  random direction of the length that is left for what is not (where |y| > sqrt(d), all of it for what is
  seen);
- a draw from the posterior: y / (1 + sigma^2) + sigma / sqrt(1 + sigma^2) e for what is seen, N(0, 1) for
  what is not.

A minority of the share p lies at z_i > t = Phi^-1(1 - p). If i is unseen, the L2 prior answers it never, the
sphere nearly as often as the posterior, which is right: p. If i is seen, the answers are of the minority in
Phi(-t sqrt(1 + sigma^2)) of cases by the L2 prior, near Phi(-t / sqrt(1 + sigma^2)) by the sphere, p by the
posterior.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import gammainc, gammaln, ndtr, ndtri

from latentlab.audit.charts import Chart
from latentlab.audit.experiments.experiment import Drawn, Experiment, Parameter, Values
from latentlab.audit.experiments.marks import Floats, counted, exact, mean_of, rate_of, words
from latentlab.metrics.intervals import Estimate

L2, SPHERE, POSTERIOR = "L2 prior", "sphere", "posterior sampling"
METHODS = (L2, SPHERE, POSTERIOR)
RADII = (0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5)
SEEN, UNSEEN = "seen trait", "unseen trait"
ENOUGH = 0.5
"""The variance of an unseen number of z from which it varies nearly as a draw's, which has 1."""
_SAID = {SEEN: "A trait that the picture shows", UNSEEN: "A trait that it does not show"}


def mean_length(d: int) -> float:
    """Return the mean of |z|, sqrt(2) Gamma((d + 1) / 2) / Gamma(d / 2): near sqrt(d)."""
    return math.sqrt(2.0) * math.exp(gammaln((d + 1) / 2.0) - gammaln(d / 2.0))


def share_within(radius: float, d: int) -> float:
    """Return how many z are no longer than ``radius`` sqrt(d)."""
    return float(gammainc(d / 2.0, radius**2 * d / 2.0))


def answers(y: Floats, d: int, noise: float, generator: np.random.Generator) -> dict[str, Floats]:
    """Return each method's z ``[n, d]`` for what is seen of n pictures, ``[n, k]``."""
    n, k = y.shape
    shrunk = y / (1.0 + noise**2)
    found = {name: np.zeros((n, d)) for name in METHODS}
    found[L2][:, :k] = shrunk
    left = d - np.square(y).sum(1, keepdims=True)
    fits = np.minimum(1.0, math.sqrt(d) / np.maximum(np.linalg.norm(y, axis=1, keepdims=True), 1e-300))
    found[SPHERE][:, :k] = y * (fits if k < d else math.sqrt(d) / np.linalg.norm(y, axis=1, keepdims=True))
    if k < d:
        start = generator.standard_normal((n, d - k))
        start *= np.sqrt(np.maximum(left, 0.0)) / np.linalg.norm(start, axis=1, keepdims=True)
        found[SPHERE][:, k:] = start
    found[POSTERIOR] = generator.standard_normal((n, d))
    found[POSTERIOR][:, :k] *= noise / math.sqrt(1.0 + noise**2)
    found[POSTERIOR][:, :k] += shrunk
    return found


def seen_share(method: str, p: float, noise: float) -> float:
    """Return how many answers are of a minority that the picture shows; of the sphere, in many dimensions."""
    by = {L2: math.sqrt(1.0 + noise**2), SPHERE: 1.0 / math.sqrt(1.0 + noise**2), POSTERIOR: 1.0}
    return float(ndtr(ndtri(p) * by[method]))


def _draw(values: Values, generator: np.random.Generator) -> Drawn:
    p, d, noise, n = values["share"], int(values["latents"]), values["noise"], int(values["pictures"])
    k = round(values["seen"] * d)
    z = generator.standard_normal((n, d))
    found = answers(z[:, :k] + noise * generator.standard_normal((n, k)), d, noise, generator)
    t = -float(ndtri(p))
    lengths = {name: _mean(np.linalg.norm(one, axis=1)) for name, one in found.items()}
    traits = {SEEN: 0} if k else {}
    traits |= {UNSEEN: d - 1} if k < d else {}
    shares = {
        (trait, name): rate_of(one[:, i] > t) for trait, i in traits.items() for name, one in found.items()
    }
    truths = {(SEEN, name): seen_share(name, p, noise) for name in (L2, POSTERIOR)}
    truths |= {(UNSEEN, L2): float(p > 0.5), (UNSEEN, POSTERIOR): p}
    charts = (
        Chart(
            "length",
            "How long the answers' z are",
            "bars",
            "number",
            tuple(counted(name, "length", lengths[name], unit="number") for name in METHODS),
            dict.fromkeys(METHODS, mean_length(d)),
            "the mean of the prior's draws",
            of="answers",
        ),
        Chart(
            "share",
            "How many answers have the minority's trait",
            "bars",
            "share",
            tuple(
                counted(trait, name, shares[trait, name], truths.get((trait, name)))
                for trait in traits
                for name in METHODS
            ),
            dict.fromkeys(traits, p),
            "the minority among the pictures",
            of="answers",
        ),
        Chart(
            "within",
            "How many of the prior's draws are no longer than this",
            "lines",
            "share",
            tuple(exact(f"{radius:g}", "formula", share_within(radius, d)) for radius in RADII),
            axis=f"length, as a multiple of the root of {d} latents",
            note="The density is highest at length 0, where hardly any draw lies.",
        ),
    )
    said = [
        f"A draw of {d} latents is {mean_length(d):.3g} long on average. The L2 prior's answers are "
        f"{words(lengths[L2], 'number')} long, the sphere's {words(lengths[SPHERE], 'number')}, the "
        f"posterior's {words(lengths[POSTERIOR], 'number')}.",
    ]
    for trait in traits:
        said.append(
            f"{_SAID[trait]} is {100 * p:.4g}% of the pictures'; the L2 prior answers it in "
            f"{words(shares[trait, L2])}, the sphere in {words(shares[trait, SPHERE])}, the posterior in "
            f"{words(shares[trait, POSTERIOR])}."
        )
    if k < d:
        left = float(np.mean(np.square(found[SPHERE][:, k:])))
        invents = (
            "The sphere invents it instead, as the posterior does"
            if left > ENOUGH
            else "The sphere should invent it, as the posterior does, but what is seen of the noise takes "
            "most of the length"
        )
        said.append(
            f"The most probable z is no typical one: what it is not told it leaves at the average. {invents}."
        )
    if k:
        said.append("The sphere takes what it is told at its word, noise and all.")
    return Drawn(charts, tuple(said))


def _mean(x: Floats) -> Estimate:
    """Return a mean with its interval; none where all are alike, as lengths on a sphere are."""
    if np.ptp(x) < 1e-9 * max(1.0, float(np.abs(x).max())):
        return Estimate(float(x.mean()), None, None, len(x))
    return mean_of(x)


EXPERIMENT = Experiment(
    "sphere-prior",
    "On the sphere, or towards the origin",
    "Where should a search keep its latent, so that its answers look like draws and minorities stay?",
    "Pictures show some of a standard-normal latent's numbers through noise. They are answered by the most "
    "probable z (L2 prior), by the best z on the sphere, as PULSE searches, and by a draw from the "
    "posterior.",
    "|z| ~ χ(d), mean √2 Γ((d + 1) / 2) / Γ(d / 2). A minority that is seen is answered in Φ(−t √(1 + σ²)) "
    "by the L2 prior and in p by the posterior; one that is not, in 0 and in p.",
    (
        "Menon et al. (2020), PULSE. CVPR, section 3 (the sphere).",
        "Vershynin (2018), High-dimensional probability, section 3.1 (the length of a normal vector).",
    ),
    "That the sphere samples the posterior. It does so for what a linear picture does not show at all; what "
    "is shown it copies with its noise, and a real generator mixes both. See Majority collapse and "
    "Ill-posed.",
    (
        Parameter("share", "Minority", 0.1, 0.01, 0.5, "Share of those who have the trait.", "share"),
        Parameter("latents", "Latents", 64, 2, 512, "How many numbers z has (d).", "latents", True, True),
        Parameter("seen", "Seen", 0.25, 0.0, 1.0, "How many of them the picture shows.", "share"),
        Parameter("noise", "Noise", 0.5, 0.05, 3.0, "Standard deviation of the picture's noise (σ)."),
        Parameter(
            "pictures",
            "Pictures",
            1000,
            100,
            2000,
            "How many are answered.",
            "pictures",
            whole=True,
            log=True,
        ),
    ),
    _draw,
)
