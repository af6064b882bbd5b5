"""A linear VAE erases a minority: the axis on which it differs has too little variance to be kept.

Pictures x are D numbers. On the first axis the minority (a share p) lies at +delta and the majority at 0,
both with the standard deviation s; the other axes are the same for both. So the variance of the first axis is

    lambda = p (1 - p) delta^2 + s^2,

and the mean lies at p delta. The best linear VAE with decoder noise sigma is probabilistic principal
component analysis (Tipping & Bishop 1999; Lucas et al. 2019): W = U (Lambda - sigma^2)^(1/2), nothing for
axes with lambda <= sigma^2. Their latents collapse onto the prior. A reconstruction along an axis is

    x^ = m + k (x - m),   k = max(0, 1 - sigma^2 / lambda),

so the mean of the minority is missed by (1 - k)(1 - p) delta and that of the majority by (1 - k) p delta:
squared, ((1 - p) / p)^2 as much, 81 times at p = .1, whatever delta, s and sigma are. A reconstruction is
judged by the middle between the groups; a minority's stays one with the probability

    Phi((m + k (1 - p) delta - delta / 2) / (k s)),   m = p delta,   or not at all where k = 0 and p < 1/2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from latentlab.audit.charts import Chart
from latentlab.audit.experiments.experiment import Drawn, Experiment, Parameter, Values
from latentlab.audit.experiments.marks import Bools, Floats, counted, exact, mean_of, rate_of, words
from latentlab.metrics.intervals import Estimate

OTHERS = (4.0, 3.5, 3.0)
"""Standard deviations of the axes that both groups share."""
SHARES = (0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
TRAININGS, EACH = 20, 200
"""How often a VAE is trained, and new pictures of each group that each reconstructs."""


@dataclass(frozen=True)
class LinearVAE:
    """The linear VAE that is best for a set of pictures.

    Parameters
    ----------
    mean
        ``[D]``.
    axes
        Orthonormal columns ``[D, D]``: the principal axes.
    variances
        Of the pictures along them, ``[D]``, falling.
    noise
        Standard deviation sigma of the decoder.
    """

    mean: Floats
    axes: Floats
    variances: Floats
    noise: float

    @property
    def kept(self) -> Floats:
        """How much of each principal axis a reconstruction keeps, ``[D]``: k, 0 where it has collapsed."""
        return np.asarray(np.maximum(0.0, 1.0 - self.noise**2 / np.maximum(self.variances, 1e-300)))

    def reconstruct(self, x: Floats) -> Floats:
        """Return what the decoder makes of the encoder's mean, for pictures ``[n, D]``."""
        return np.asarray(self.mean + ((x - self.mean) @ self.axes * self.kept) @ self.axes.T)

    def sample(self, n: int, generator: np.random.Generator) -> Floats:
        """Return what the decoder makes of n draws of the prior, ``[n, D]``, without its noise."""
        spread = np.sqrt(np.maximum(0.0, self.variances - self.noise**2))
        return np.asarray(self.mean + (generator.standard_normal((n, len(spread))) * spread) @ self.axes.T)


def best_linear_vae(x: Floats, noise: float) -> LinearVAE:
    """Return the linear VAE with the greatest evidence lower bound for pictures ``[n, D]``."""
    variances, axes = np.linalg.eigh(np.cov(x, rowvar=False, bias=True))
    return LinearVAE(x.mean(0), axes[:, ::-1], variances[::-1], noise)


def axis_variance(p: float, delta: float, s: float) -> float:
    """Return lambda, the variance of the groups' axis."""
    return p * (1.0 - p) * delta**2 + s**2


def kept_of_axis(p: float, delta: float, s: float, noise: float) -> float:
    """Return k, how much of the groups' axis is kept: 0 where it has collapsed."""
    return max(0.0, 1.0 - noise**2 / axis_variance(p, delta, s))


def least_share(delta: float, s: float, noise: float) -> float | None:
    """Return the share p <= 1/2 of the minority above which its axis is kept, from lambda = sigma^2.

    p (1 - p) = (sigma^2 - s^2) / delta^2; 0 where the axis is kept always, None where it never is.
    """
    needed = (noise**2 - s**2) / delta**2
    if needed <= 0.0:
        return 0.0
    return None if needed >= 0.25 else 0.5 - math.sqrt(0.25 - needed)


def squared_biases(p: float, delta: float, s: float, noise: float) -> tuple[float, float]:
    """Return the squared bias of the minority's and of the majority's mean reconstruction."""
    lost = 1.0 - kept_of_axis(p, delta, s, noise)
    return (lost * (1.0 - p) * delta) ** 2, (lost * p * delta) ** 2


def survivals(p: float, delta: float, s: float, noise: float) -> tuple[float, float]:
    """Return the probability that a reconstruction is judged to be of its own group: minority, majority."""
    k = kept_of_axis(p, delta, s, noise)
    means = p * delta + k * (1.0 - p) * delta, p * delta - k * p * delta
    if k == 0.0:  # every reconstruction lies at the mean, which is judged as one group
        minority = 0.5 if p == 0.5 else float(p > 0.5)
        return minority, 1.0 - minority
    minority, majority = ((one - delta / 2.0) / (k * s) for one in means)
    return float(ndtr(minority)), float(ndtr(-majority))


def draw_pictures(minority: Bools, delta: float, s: float, generator: np.random.Generator) -> Floats:
    """Return pictures ``[n, 4]``, given which are of the minority, ``[n]``."""
    x = generator.standard_normal((len(minority), 1 + len(OTHERS))) * np.array([s, *OTHERS])
    x[:, 0] += delta * minority
    return np.asarray(x)


def _reconstructed(
    minority: bool, models: Sequence[LinearVAE], pictures: Floats, delta: float
) -> tuple[Estimate, Estimate]:
    """Return how many new pictures keep their group, and the squared bias, over several trainings.

    ``pictures`` are those that each model reconstructs, ``[trainings, EACH, 4]``.
    """
    found = np.stack([model.reconstruct(x)[:, 0] for model, x in zip(models, pictures, strict=True)])
    right = (found > delta / 2.0) == minority
    rate, over = rate_of(right.ravel()), mean_of(right.mean(1))
    low, high = min(rate.low or 0.0, over.low or 0.0), max(rate.high or 0.0, over.high or 0.0)
    kept = Estimate(rate.value, max(0.0, low), min(1.0, high), rate.n)
    return kept, _squared(replace(mean_of((found - pictures[..., 0]).mean(1)), n=rate.n))


def _draw(values: Values, generator: np.random.Generator) -> Drawn:
    p, delta, s, noise = (values[name] for name in ("share", "distance", "spread", "noise"))
    n, groups = int(values["images"]), {"minority": True, "majority": False}
    new = {
        group: draw_pictures(np.full(TRAININGS * EACH, one), delta, s, generator).reshape(TRAININGS, EACH, -1)
        for group, one in groups.items()
    }
    few = np.arange(n) < max(1, round(p * n))
    models = [best_linear_vae(draw_pictures(few, delta, s, generator), noise) for _ in range(TRAININGS)]
    rates, biases = zip(
        *(_reconstructed(one, models, new[group], delta) for group, one in groups.items()), strict=True
    )
    truth, squared = survivals(p, delta, s, noise), squared_biases(p, delta, s, noise)
    lam, k = axis_variance(p, delta, s), kept_of_axis(p, delta, s, noise)
    charts = (
        Chart(
            "kept",
            "How many reconstructions keep their group",
            "bars",
            "share",
            tuple(counted(group, "counted", rates[i]) for i, group in enumerate(groups)),
            dict(zip(groups, truth, strict=True)),
            "formula",
            note="The formula is that of a VAE that saw very many pictures.",
            of="pictures",
        ),
        Chart(
            "bias",
            "Squared bias of the mean reconstruction",
            "bars",
            "number",
            tuple(counted(group, "measured", biases[i], unit="number") for i, group in enumerate(groups)),
            dict(zip(groups, squared, strict=True)),
            "formula",
            of="pictures",
        ),
        Chart(
            "variance",
            "Variance of the groups' axis",
            "lines",
            "number",
            tuple(
                exact(f"{share:g}", "λ = p (1 − p) δ² + s²", axis_variance(share, delta, s))
                for share in SHARES
            ),
            {f"{share:g}": noise**2 for share in SHARES},
            "noise, below which the axis collapses",
            axis="share of the minority",
        ),
        Chart(
            "along",
            "How many keep it, along the minority's share",
            "lines",
            "share",
            tuple(
                exact(f"{share:g}", group, survivals(share, delta, s, noise)[i])
                for i, group in enumerate(groups)
                for share in SHARES
            ),
            axis="share of the minority",
            note="By the formulas; nothing is drawn at random here.",
        ),
    )
    ratio, least = ((1.0 - p) / p) ** 2, least_share(delta, s, noise)
    if k == 0.0:
        fate = f"not above the noise {noise**2:.3g}: the axis collapses, and nothing of it is reconstructed"
    else:
        fate = f"above the noise {noise**2:.3g}: {100 * k:.1f}% of it is kept"
    begins = f"from a share of {100 * least:.1f}% on" if least else "at every share"
    begins = "at no share" if least is None else begins
    return Drawn(
        charts,
        (
            f"The groups' axis has the variance {lam:.3g}, {fate}. By the formula it is kept {begins}.",
            f"Of {TRAININGS * EACH:,} minority pictures {words(rates[0])} are still of the minority when "
            f"they are reconstructed, of {TRAININGS * EACH:,} majority pictures {words(rates[1])} of the "
            "majority.",
            f"The minority's mean is missed by {words(biases[0], 'number')} squared, the majority's by "
            f"{words(biases[1], 'number')}: by the formula ((1 − p) / p)² = {ratio:.4g} times as much.",
            f"Of {TRAININGS} VAEs that saw {n:,} pictures each, "
            f"{sum(float(one.kept[_groups_axis(one)]) > 0.0 for one in models)} keep something of the axis.",
        ),
    )


def _groups_axis(model: LinearVAE) -> int:
    """Return which principal axis lies nearest to that of the groups."""
    return int(np.abs(model.axes[0]).argmax())


def _squared(found: Estimate) -> Estimate:
    """Return the square of an estimate; its interval holds 0 where the estimate's does."""
    assert found.low is not None
    assert found.high is not None
    ends = sorted((found.low**2, found.high**2))
    low = 0.0 if found.low < 0.0 < found.high else ends[0]
    return Estimate(found.value**2, low, ends[1], found.n)


EXPERIMENT = Experiment(
    "linear-vae",
    "A linear VAE erases a minority",
    "From what share on does a VAE keep that somebody is of the minority?",
    "Pictures of a few numbers differ between two groups along one axis. The best linear VAE of them, which "
    "is known in closed form, reconstructs new pictures of both groups, and each is judged by the middle "
    "between them.",
    "λ = p (1 − p) δ² + s². Kept: k = max(0, 1 − σ² / λ). Squared bias of the minority over that of the "
    "majority: ((1 − p) / p)².",
    (
        "Tipping & Bishop (1999), Probabilistic principal component analysis. JRSS B 61.",
        "Lucas, Tucker, Grosse & Norouzi (2019), Don't blame the ELBO! A linear VAE perspective on posterior "
        "collapse. NeurIPS.",
    ),
    "That a deep VAE collapses at the same share. Its decoder is not linear and its noise is often learnt; "
    "what carries over is that variance is what its loss pays for, and that a rare group has little of it. "
    "The real models' survival is counted in Audit.",
    (
        Parameter("share", "Minority", 0.1, 0.01, 0.5, "Share of the minority in training.", "share"),
        Parameter(
            "distance",
            "Distance of the groups",
            2.0,
            0.5,
            6.0,
            "How far the groups' means are apart (δ).",
        ),
        Parameter("spread", "Spread within a group", 0.5, 0.1, 2.0, "Standard deviation in a group (s)."),
        Parameter(
            "noise",
            "Noise of the decoder",
            1.0,
            0.1,
            3.0,
            "Standard deviation of the decoder's noise (σ): what varies less than it is not kept.",
        ),
        Parameter(
            "images",
            "Training pictures",
            10000,
            200,
            20000,
            "How many pictures the VAE learns from.",
            "images",
            whole=True,
            log=True,
        ),
    ),
    _draw,
)
