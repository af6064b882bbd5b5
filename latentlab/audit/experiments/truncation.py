"""Truncation: drawing nearer to the mean takes the minorities first.

A minority with the share p lies beyond a threshold of one latent number: z > t = Phi^-1(1 - p). Samples are
drawn as psi z with psi below 1, which looks better and varies less. Of them

    P(psi z > t) = Phi(-t / psi)

are of the minority: for p = .10, .034 at psi = .7 and .005 at psi = .5.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from latentlab.audit.charts import Chart
from latentlab.audit.experiments.experiment import Drawn, Experiment, Parameter, Values
from latentlab.audit.experiments.marks import counted, exact, rate_of, words
from latentlab.metrics.gaps import difference

PSIS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
OTHERS = (0.3, 0.1, 0.03, 0.01)
"""Minorities whose fates are compared."""


def truncated_share(p: float, psi: float) -> float:
    """Return the share of a minority of p among samples truncated by psi > 0: Phi(-t / psi)."""
    return float(ndtr(ndtri(p) / psi))


def _draw(values: Values, generator: np.random.Generator) -> Drawn:
    p, psi, n = values["share"], values["truncation"], int(values["samples"])
    z, t = generator.standard_normal(n), -ndtri(p)
    whole, less = rate_of(z > t), rate_of(psi * generator.standard_normal(n) > t)
    labels = ("untruncated", f"truncation {psi:g}")
    charts = (
        Chart(
            "share",
            "The minority among the samples",
            "bars",
            "share",
            (counted(labels[0], "samples", whole), counted(labels[1], "samples", less)),
            {labels[0]: p, labels[1]: truncated_share(p, psi)},
            "formula",
            of="samples",
        ),
        Chart(
            "along",
            "The minority along the truncation",
            "lines",
            "share",
            tuple(exact(f"{one:g}", "minority", truncated_share(p, one)) for one in PSIS),
            {f"{one:g}": p for one in PSIS},
            "the minority's share",
            axis="truncation",
        ),
        Chart(
            "left",
            "What is left of minorities of other sizes",
            "lines",
            "share",
            tuple(
                exact(f"{one:g}", f"minority of {100 * size:g}%", truncated_share(size, one) / size)
                for size in OTHERS
                for one in PSIS
            ),
            axis="truncation",
            note="Their share among the samples, divided by their share without truncation; by the formula.",
        ),
    )
    k1, k2 = round(whole.value * n), round(less.value * n)
    change = difference(k2, n, k1, n)
    left = truncated_share(p, psi) / p
    return Drawn(
        charts,
        (
            f"Of {n:,} untruncated samples {words(whole)} are of the minority, at truncation {psi:g} "
            f"{words(less)}: {words(change, 'points')} points.",
            f"By the formula {100 * left:.1f}% of the minority is left, and with it "
            f"{100 * psi:.4g}% of the spread of every latent.",
            "The rarer a group, the more of it goes below a truncation of 1: what looks like better quality "
            "is less variety.",
        ),
    )


EXPERIMENT = Experiment(
    "truncation",
    "Truncation takes the minorities first",
    "What becomes of a minority where samples are drawn nearer to the mean?",
    "A minority lies beyond a threshold of a standard-normal latent. Samples are drawn, as the prior has "
    "them and multiplied by the truncation, and counted.",
    "P(ψz > t) = Φ(−t / ψ), t = Φ⁻¹(1 − p).",
    (
        "Brock, Donahue & Simonyan (2019), Large scale GAN training for high fidelity natural image "
        "synthesis. ICLR (the truncation trick).",
        "Karras, Laine & Aila (2019), A style-based generator architecture for generative adversarial "
        "networks. CVPR (psi).",
    ),
    "Where a real model keeps its minorities. One that lies on both sides of the mean, or that is spread "
    "over many latents, loses another part; Audit's truncation study counts it. A style generator truncates "
    "w, not z.",
    (
        Parameter("share", "Minority", 0.1, 0.01, 0.5, "Share of the minority without truncation.", "share"),
        Parameter("truncation", "Truncation", 0.7, 0.1, 1.0, "What every drawn z is multiplied by (ψ)."),
        Parameter(
            "samples",
            "Samples",
            2000,
            100,
            20000,
            "How many samples are counted, untruncated and truncated.",
            "samples",
            whole=True,
            log=True,
        ),
    ),
    _draw,
)
