"""Ill-posed: many faces fit a few pixels, and the mix of a search's restarts is not that of the posterior.

Pictures of 16 x 16 grey values are x = A w + g(z) u: w are 64 latents, N(0, 1), of the lowest cosines, whose
strength falls with their frequency as in natural pictures, and u are two dark rings that the minority has,

    g(z) = tanh((z - t) / tau),   z ~ N(0, 1),   t = Phi^-1(1 - p): the minority, a share p, lies above t.

A small picture is y = D x + N(0, sigma^2), D averaging areas. With C = D A A' D' + sigma^2 I and v = D u, all
w integrate out, and the posterior of z is one-dimensional, known to any precision:

    p(z | y) ~ N(z; 0, 1) exp(g(z) v' C^-1 y - g(z)^2 v' C^-1 v / 2).

Given z the latents are normal, w | z, y ~ N(A' D' C^-1 (y - g(z) v), I - A' D' C^-1 D A): drawn exactly. A
search in the way of PULSE begins at random, keeps (z, w) on the sphere of its first length, and lowers
mean (D x - y)^2 by Adam. What it finds fits; which group it finds is its start's and its optimiser's doing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtr, ndtri

from latentlab.audit.charts import Chart
from latentlab.audit.experiments.experiment import Drawn, Experiment, Parameter, Values
from latentlab.audit.experiments.marks import Floats, counted, exact, mean_of, rate_of, words
from latentlab.metrics.intervals import Estimate

SIZE, FREQUENCIES = 16, 8
"""Pixels of a picture's side, and cosines along it that have a latent."""
DEVIATION = 40.0
"""Standard deviation of a pixel, in steps of 255."""
TAU = 0.25
STEPS, RATE = 80, 0.1
SIDES = (1, 2, 3, 4, 5, 6, 7, 8)
EACH = 3
"""Pictures of each group."""
SEARCH, POSTERIOR = "restarts of a search", "posterior sampling"
METHODS = (SEARCH, POSTERIOR)
SMALL_PICTURE, WHOLE = "in the small picture", "in the whole picture"
_GRID = np.linspace(-6.0, 6.0, 2401)


@dataclass(frozen=True)
class Observed:
    """How pictures are seen: small, through noise.

    Parameters
    ----------
    b
        D A, what the latents do to the small picture, ``[m, 64]`` of m pixels.
    v
        D u, what the minority's mark does to it, ``[m]``.
    t
        Threshold of the minority.
    noise
        Standard deviation sigma, in steps of 255.
    c_inverse
        C^-1, ``[m, m]``.
    """

    b: Floats
    v: Floats
    t: float
    noise: float
    c_inverse: Floats

    def mark(self, z: Floats) -> Floats:
        """Return g(z)."""
        return np.asarray(np.tanh((z - self.t) / TAU))


def observed(side: int, share: float, contrast: float, noise: float) -> Observed:
    """Return how pictures are seen that are reduced to ``side`` x ``side`` pixels."""
    small = np.kron(area_average(side), area_average(side))
    left, kept, _ = seen_axes(side, noise)
    c_inverse = (np.eye(side**2) - left * kept @ left.T) / noise**2
    return Observed(small @ basis(), small @ marks() * contrast, -float(ndtri(share)), noise, c_inverse)


def seen_axes(side: int, noise: float) -> tuple[Floats, Floats, Floats]:
    """Return what a small picture shows, axis by axis, from D A = L S R'.

    Returns
    -------
    tuple of numpy.ndarray
        L ``[m, r]``, S^2 / (S^2 + sigma^2) ``[r]``, which is how much of each axis is determined, and R
        ``[64, r]``; C^-1 = (I - L diag(S^2 / (S^2 + sigma^2)) L') / sigma^2.
    """
    left, s, right = _decomposed(side)
    return left, s**2 / (s**2 + noise**2), right


@lru_cache(maxsize=SIZE)
def _decomposed(side: int) -> tuple[Floats, Floats, Floats]:
    left, s, right = np.linalg.svd(np.kron(area_average(side), area_average(side)) @ basis(), False)
    return left, s, right.T


@lru_cache(maxsize=1)
def basis() -> Floats:
    """Return A, ``[256, 64]``: cosines in two directions, whose strength falls as 1 / frequency."""
    k, x = np.arange(FREQUENCIES)[:, None], np.arange(SIZE)[None]
    waves = np.cos(np.pi * k * (x + 0.5) / SIZE)
    waves /= np.linalg.norm(waves, axis=1, keepdims=True)
    strength = 1.0 / np.maximum(np.hypot(k, k.T), 1.0)
    strength *= DEVIATION * SIZE / np.linalg.norm(strength)
    both = np.einsum("ab,ai,bj->ijab", strength, waves, waves)
    return np.asarray(both.reshape(SIZE**2, FREQUENCIES**2))


@lru_cache(maxsize=1)
def marks() -> Floats:
    """Return u / contrast, ``[256]``: two rings, darker than their middle and what is around."""
    y, x = np.mgrid[:SIZE, :SIZE]
    rings = sum(np.exp(-((np.hypot(x - middle, y - 6.5) - 2.0) ** 2)) for middle in (4.0, 11.0))
    return np.asarray(-rings.reshape(-1) / 2.0)


def area_average(side: int) -> Floats:
    """Return the averages of ``side`` equal stretches of 16 pixels, ``[side, 16]``."""
    ends = np.linspace(0.0, SIZE, side + 1)
    first, last = ends[:-1, None], ends[1:, None]
    pixel = np.arange(SIZE)[None]
    shared = np.clip(np.minimum(last, pixel + 1) - np.maximum(first, pixel), 0.0, None)
    return np.asarray(shared / shared.sum(1, keepdims=True))


def minority_posterior(how: Observed, y: Floats) -> tuple[float, Floats]:
    """Return P(minority | y) of one picture ``[m]``, and the posterior of z on the grid, which sums to 1."""
    g, seen = how.mark(_GRID), how.v @ how.c_inverse
    log = -0.5 * _GRID**2 + g * float(seen @ y) - 0.5 * g**2 * float(seen @ how.v)
    weights = np.exp(log - log.max())
    weights /= weights.sum()
    return float(weights[how.t < _GRID].sum()), weights


def draw_posterior(how: Observed, y: Floats, n: int, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Return n draws of z ``[n]`` and w ``[n, 64]``.

    w is drawn from the prior and corrected by what it gets wrong of y (Matheron's rule), which is exact.
    """
    z = generator.choice(_GRID, n, p=minority_posterior(how, y)[1])
    w = generator.standard_normal((n, how.b.shape[1]))
    wrong = y - how.mark(z)[:, None] * how.v - w @ how.b.T
    wrong -= how.noise * generator.standard_normal(wrong.shape)
    return z, np.asarray(w + wrong @ how.c_inverse @ how.b)


def search(how: Observed, y: Floats, n: int, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Return z ``[n]`` and w ``[n, 64]`` where n restarts of a search on the sphere end."""
    point = generator.standard_normal((n, 1 + how.b.shape[1]))
    length = np.linalg.norm(point, axis=1, keepdims=True)
    first, second = np.zeros_like(point), np.zeros_like(point)
    for step in range(1, STEPS + 1):
        g = how.mark(point[:, 0])
        wrong = point[:, 1:] @ how.b.T + g[:, None] * how.v - y
        slope = np.empty_like(point)
        slope[:, 1:] = wrong @ how.b
        slope[:, 0] = (wrong @ how.v) * (1.0 - g**2) / TAU
        slope *= 2.0 / len(y)
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        scale = np.sqrt(second / (1.0 - 0.999**step)) + 1e-8
        point -= RATE * first / (1.0 - 0.9**step) / scale
        point *= length / np.linalg.norm(point, axis=1, keepdims=True)
    return point[:, 0], point[:, 1:]


def determined(side: int, noise: float) -> tuple[float, float]:
    """Return which share of the 64 latents and of the pixels' variance a small picture determines.

    The latents' share is trace(A' D' C^-1 D A) / 64, the effective number of parameters; the variance's is
    what the posterior of w takes from that of x.
    """
    _, kept, right = seen_axes(side, noise)
    along = np.square(basis() @ right).sum(0)
    return float(kept.sum()) / len(right), float(kept @ along / np.square(basis()).sum())


def told_apart(side: int, contrast: float, noise: float) -> float:
    """Return how often a picture's group can be told at best where both are as frequent and marked in full.

    Both are normal with the means +-v and the covariance C: Phi(sqrt(v' C^-1 v)).
    """
    left, kept, _ = seen_axes(side, noise)
    v = contrast * (np.kron(area_average(side), area_average(side)) @ marks())
    return float(ndtr(math.sqrt((v @ v - kept @ np.square(v @ left)) / noise**2)))


def draw_picture(
    how: Observed, minority: bool, generator: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Return a picture's z ``[1]`` and w ``[1, 64]`` of a group, and what is seen of it, ``[m]``."""
    below = float(ndtr(how.t))
    low, high = (below, 1.0) if minority else (0.0, below)
    z = ndtri(np.clip(generator.uniform(low, high, 1), 1e-12, 1.0 - 1e-12))
    w = generator.standard_normal((1, how.b.shape[1]))
    y = (w @ how.b.T)[0] + how.mark(z) * how.v + how.noise * generator.standard_normal(len(how.v))
    return z, w, np.asarray(y)


def _draw(values: Values, generator: np.random.Generator) -> Drawn:
    side, n = int(values["side"]), int(values["restarts"])
    contrast, noise = values["contrast"], values["noise"]
    how = observed(side, values["share"], contrast, noise)
    truth: dict[str, float] = {}
    shares: dict[tuple[str, str], Estimate] = {}
    away: dict[tuple[str, str], list[Floats]] = {}
    for group in ("minority", "majority"):
        for k in range(EACH):
            z, w, y = draw_picture(how, group == "minority", generator)
            label, original = f"{group}, picture {k + 1}", _picture(how, z, w, contrast)
            truth[label] = minority_posterior(how, y)[0]
            for name, way in ((SEARCH, search), (POSTERIOR, draw_posterior)):
                found_z, found_w = way(how, y, n, generator)
                shares[label, name] = rate_of(found_z > how.t)
                missed = found_w @ how.b.T + how.mark(found_z)[:, None] * how.v - y
                away.setdefault((SMALL_PICTURE, name), []).append(_rms(missed))
                off = _picture(how, found_z, found_w, contrast) - original
                away.setdefault((WHOLE, name), []).append(_rms(off))
    fitting = rate_of(np.concatenate(away[SMALL_PICTURE, SEARCH]) <= noise)
    spread = {key: mean_of(np.concatenate(one)) for key, one in away.items()}
    apart = {
        name: float(np.mean([abs(shares[label, name].value - p) for label, p in truth.items()]))
        for name in (SEARCH, POSTERIOR)
    }
    chance = float(np.mean([math.sqrt(2.0 * p * (1.0 - p) / (math.pi * n)) for p in truth.values()]))
    charts = (
        Chart(
            "group",
            "How many answers are of the minority",
            "bars",
            "share",
            tuple(counted(label, name, shares[label, name]) for label in truth for name in METHODS),
            truth,
            "the true posterior",
            of="answers",
        ),
        Chart(
            "away",
            "How far answers are from what they answer",
            "bars",
            "steps",
            tuple(
                counted(where, name, spread[where, name], unit="steps")
                for where in (SMALL_PICTURE, WHOLE)
                for name in METHODS
            ),
            {WHOLE: strangers(how, contrast)},
            "two pictures of strangers",
            note="Root mean square: of the small picture's pixels, and of the original's. The intervals are "
            "those of more answers to these pictures.",
            of="answers",
        ),
        Chart(
            "side",
            "What a small picture determines",
            "lines",
            "share",
            (
                *(exact(str(one), "of the latents", determined(one, noise)[0]) for one in SIDES),
                *(exact(str(one), "of the pixels' variance", determined(one, noise)[1]) for one in SIDES),
                *(exact(str(one), "groups told apart", told_apart(one, contrast, noise)) for one in SIDES),
            ),
            axis="pixels of a side",
            note="Groups told apart: how often at best, guessing being 50%. By the formulas.",
        ),
    )
    return Drawn(
        charts,
        (
            f"Of {len(truth) * n:,} restarts {words(fitting)} end within the noise of the small picture; the "
            f"whole pictures of all are {words(spread[WHOLE, SEARCH], 'steps')} steps from the original. Two "
            f"strangers' are {strangers(how, contrast):.1f} apart.",
            f"How many restarts are of the minority is on average {100 * apart[SEARCH]:.1f} points from how "
            f"probable it is, how many draws from the posterior {100 * apart[POSTERIOR]:.1f}; chance alone "
            f"makes {100 * chance:.1f}.",
            f"{side} x {side} pixels determine {100 * determined(side, noise)[0]:.0f}% of the 64 latents. "
            "The rest is made up, by whatever way of answering.",
        ),
    )


def strangers(how: Observed, contrast: float) -> float:
    """Return the root mean square difference of two pictures that are drawn at random."""
    density = np.exp(-0.5 * _GRID**2)
    density /= density.sum()
    g = how.mark(_GRID)
    variance = float(density @ g**2 - (density @ g) ** 2)
    whole = np.sum(np.square(basis())) + variance * contrast**2 * float(marks() @ marks())
    return math.sqrt(2.0 * whole / SIZE**2)


def _picture(how: Observed, z: Floats, w: Floats, contrast: float) -> Floats:
    return np.asarray(w @ basis().T + how.mark(z)[:, None] * contrast * marks())


def _rms(x: Floats) -> Floats:
    return np.asarray(np.sqrt(np.square(x).mean(1)))


EXPERIMENT = Experiment(
    "ill-posed",
    "Ill-posed: many pictures behind a few pixels",
    "Do a hundred restarts of a search show what the picture behind a few pixels may be?",
    "Pictures of each group are reduced to a few pixels. Restarts of a search in the way of PULSE "
    "and exact draws from the posterior answer each; how probable each group is, is known.",
    "p(z | y) ∝ N(z; 0, 1) exp(g(z) v′C⁻¹y − g(z)² v′C⁻¹v / 2), C = DAA′D′ + σ²I, v = Du.",
    (
        "Menon et al. (2020), PULSE. CVPR (the search on the sphere).",
        "Jalal et al. (2021), Fairness for image generation with uncertain sensitive attributes. ICML.",
        "Rasmussen & Williams (2006), Gaussian processes for machine learning, chapter 2 (the posterior).",
    ),
    "What a real generator's restarts do: theirs is another landscape, and their mix another accident. Here "
    "the prior is the truth's own; there it is what the data taught. None of the answers, by either way, is "
    "the person who was in the picture.",
    (
        Parameter(
            "side",
            "Pixels of a side",
            4,
            1,
            8,
            "To how many pixels a side pictures are reduced.",
            "pixels",
            True,
        ),
        Parameter(
            "restarts",
            "Restarts",
            100,
            10,
            150,
            "Restarts, and draws, for each picture.",
            "restarts",
            True,
            True,
        ),
        Parameter("share", "Minority", 0.2, 0.01, 0.5, "Share of the minority in the prior.", "share"),
        Parameter(
            "contrast",
            "The minority's mark",
            80.0,
            0.0,
            150.0,
            "How much darker the two rings are that the minority has.",
            "steps of 255",
        ),
        Parameter(
            "noise",
            "Noise",
            4.0,
            0.5,
            30.0,
            "Standard deviation of the small picture's noise.",
            "steps of 255",
        ),
    ),
    _draw,
)
