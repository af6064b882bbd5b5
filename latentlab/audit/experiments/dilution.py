"""Dilution: adaptive resampling by the rarest latent loses a minority among many latents.

Faces have D latents, all N(0, 1); of the minority (a share p) the first lies `distance` further up. A DB-VAE
draws faces with probabilities that say how rare their latents are (`latentlab.training.resampling`):

- ``max``: p(x) ~ max_i 1 / (Q_i + alpha), the laboratory's rule. Among many latents nearly every face is rare
  in one, so the minority is drawn hardly more often than it is there;
- ``product``: p(x) ~ prod_i 1 / (Q_i + alpha), the paper's. It draws a few odd faces again and again: Kish's
  effective sample size 1 / sum p^2 falls towards 1;
- ``informative``: along the one direction along which the detector's decision changes.

Of n faces, the minority's share of the draws is sum p(x) over it: a number, not an estimate, for these faces.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import ndtr

from latentlab.audit.charts import Chart, Mark
from latentlab.audit.experiments.experiment import Drawn, Experiment, Parameter, Values
from latentlab.audit.experiments.marks import Bools, Floats, counted, words
from latentlab.metrics.intervals import wilson_rate
from latentlab.training.resampling import effective_size, informative_rule, max_rule, product_rule

NONE, MAX, PRODUCT, INFORMATIVE = "none", "max", "product", "informative"
RULES: dict[str, Callable[[Floats, Floats, float], Floats]] = {
    NONE: lambda mu, decision, alpha: np.full(len(mu), 1.0 / len(mu)),
    MAX: lambda mu, decision, alpha: max_rule(mu, alpha),
    PRODUCT: lambda mu, decision, alpha: product_rule(mu, alpha),
    INFORMATIVE: informative_rule,
}
COUNTS = (1, 2, 5, 10, 30, 100)
"""How many latents there are along the curve, and of how many faces."""
_CURVE = 1000


def draw_faces(
    n: int, latents: int, share: float, distance: float, generator: np.random.Generator
) -> tuple[Floats, Floats, Bools]:
    """Return faces' latents ``[n, latents]``, a detector's decisions and who is of the minority ``[n]``.

    At least one is. The detector takes a face for one with the probability Phi(2 - z_1 / 2): in 98% of the
    majority, and in half of a minority that lies 4 further up.
    """
    mu = generator.standard_normal((n, latents))
    minority = np.arange(n) < max(1, round(share * n))
    mu[minority, 0] += distance
    return mu, np.asarray(ndtr(2.0 - mu[:, 0] / 2.0)), minority


def _draw(values: Values, generator: np.random.Generator) -> Drawn:
    n, latents = int(values["faces"]), int(values["latents"])
    share, distance, alpha = values["share"], values["distance"], values["smoothing"]
    mu, decision, minority = draw_faces(n, latents, share, distance, generator)
    probabilities = {name: rule(mu, decision, alpha) for name, rule in RULES.items()}
    shares = {name: float(p[minority].sum()) for name, p in probabilities.items()}
    epochs = {name: wilson_rate(int(generator.binomial(n, min(1.0, s))), n) for name, s in shares.items()}
    sizes = {name: effective_size(p) for name, p in probabilities.items()}
    curve = draw_faces(_CURVE, max(COUNTS), share, distance, generator)
    charts = (
        Chart(
            "share",
            "The minority among the faces that are drawn",
            "bars",
            "share",
            tuple(counted(name, "an epoch", epochs[name], shares[name]) for name in RULES),
            dict.fromkeys(RULES, share),
            "the minority among the faces",
            note="The intervals are those of one epoch's draws from these faces.",
            of="draws",
        ),
        Chart(
            "size",
            "Effective sample size, as a share of the faces",
            "bars",
            "share",
            tuple(
                Mark(
                    name,
                    "size",
                    sizes[name] / n,
                    None,
                    None,
                    n,
                    told=f"worth {sizes[name]:,.0f} of {n:,} faces",
                )
                for name in RULES
            ),
            of="faces",
        ),
        Chart(
            "along",
            "The minority among the draws",
            "lines",
            "share",
            tuple(
                _along(name, count, curve, alpha) for name in (MAX, PRODUCT, INFORMATIVE) for count in COUNTS
            ),
            {str(count): share for count in COUNTS},
            "the minority among the faces",
            axis="latents",
            log=True,
            note=f"Of {_CURVE:,} other faces.",
            of="faces",
        ),
    )
    return Drawn(
        charts,
        (
            f"The minority is {100 * share:.4g}% of {n:,} faces with {_latents(latents)}. Of an epoch's "
            f"draws it is {words(epochs[MAX])} by the max rule, {words(epochs[PRODUCT])} by the product and "
            f"{words(epochs[INFORMATIVE])} along the informative direction.",
            f"The draws are worth {sizes[MAX]:,.0f} faces by the max rule, {sizes[PRODUCT]:,.0f} by the "
            f"product and {sizes[INFORMATIVE]:,.0f} along the informative direction.",
            f"{'Only one latent tells' if distance else 'No latent tells'} the groups apart. The more others "
            "there are, the less the max rule has to do with the groups; the product puts its weight on a "
            "few odd faces instead.",
        ),
    )


def _latents(count: int) -> str:
    return f"{count} latents" if count > 1 else "one latent"


def _along(name: str, count: int, faces: tuple[Floats, Floats, Bools], alpha: float) -> Mark:
    mu, decision, minority = faces
    found = float(RULES[name](mu[:, :count], decision, alpha)[minority].sum())
    return Mark(str(count), name, found, None, None, len(mu))


EXPERIMENT = Experiment(
    "dilution",
    "Resampling is diluted by many latents",
    "How much more often is a minority drawn where a DB-VAE resamples by how rare the latents are?",
    "Faces of two groups differ in one of many latents. The rules of adaptive resampling give each a "
    "probability to be drawn, and an epoch is drawn.",
    "Max: p(x) ∝ maxᵢ 1 / (Qᵢ + α). Product: p(x) ∝ ∏ᵢ 1 / (Qᵢ + α). Effective sample size: 1 / Σ p². A "
    "minority's share of the draws: Σ p(x) over it.",
    (
        "Amini, Soleimany, Schwarting, Bhatia & Rus (2019), Uncovering and mitigating algorithmic bias "
        "through learned latent structure. AIES.",
        "Kish (1965), Survey sampling (the effective sample size).",
    ),
    "That a rule makes a detector fair. It says what is drawn, not what is learnt from it; recall by group "
    "on a balanced benchmark, with several seeds and false positives, is what Train and debias measures. "
    "Real latents are not independent.",
    (
        Parameter("share", "Minority", 0.05, 0.01, 0.5, "Share of the minority among the faces.", "share"),
        Parameter(
            "distance",
            "Distance of the groups",
            4.0,
            0.0,
            8.0,
            "How far apart the groups are in the one latent that tells them apart, in standard deviations.",
            "sd",
        ),
        Parameter("latents", "Latents", 10, 1, 100, "How many latents a face has.", "latents", True, True),
        Parameter(
            "smoothing",
            "Smoothing factor",
            0.001,
            0.0001,
            1.0,
            "α: the smaller, the stronger the resampling.",
            log=True,
        ),
        Parameter("faces", "Faces", 2000, 200, 5000, "How many faces there are.", "faces", True, True),
    ),
    _draw,
)
