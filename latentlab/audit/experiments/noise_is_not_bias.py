"""Noise is not bias: rates of many small groups differ although all groups are alike.

G groups of n images each are right with one rate r. The four-fifths rule calls it a disparity where the
lowest rate is below .8 of the highest. How often it does so is a sum over the largest count m,

    P(alarm) = 1 - sum_m { prod_g [F_g(m) - F_g(c - 1)] - prod_g [F_g(m - 1) - F_g(c - 1)] },   c = ceil(.8
    m),

with F the binomial distribution of a group's count: of fourteen equal groups with r = .8 in 98% of audits at
n = 20, in 59% at 50 and in 9% at 100 (64% at 50 where a ratio of .8 itself counts as below, as it does for
rounded numbers). Pearson's chi-square test of "all groups are alike" raises a false alarm in about 5%,
whatever n is, and in fewer where hardly anybody, or nearly everybody, is right (2% at r = .99 and n = 10).
"""

from __future__ import annotations

import numpy as np
from scipy.special import bdtr, chdtrc

from latentlab.audit.charts import Chart
from latentlab.audit.experiments.experiment import Drawn, Experiment, Parameter, Values
from latentlab.audit.experiments.marks import Bools, Floats, counted, exact, rate_of, words
from latentlab.metrics.gaps import group_gap

RULE, TEST = "four-fifths rule", "chi-square test of all groups"
FIFTHS = 0.8
SIZES = (10, 20, 50, 100, 200, 500)
AUDITS = 1000
LEVEL = 0.05
RESAMPLES = 1000


def alarm_probability(rates: Floats, n: int) -> float:
    """Return how often the four-fifths rule finds a disparity, by the formula above.

    Parameters
    ----------
    rates
        The groups' true rates ``[G]``.
    n
        Images of each group.
    """
    m = np.arange(n + 1)
    least = np.ceil(FIFTHS * m - 1e-9)
    at_most = bdtr(m[:, None].astype(float), n, rates)  # F_g(m), [n + 1, G]
    under = np.where(least[:, None] > 0, at_most[np.maximum(least - 1, 0).astype(int)], 0.0)
    below = np.where(m[:, None] > 0, at_most[np.maximum(m - 1, 0)], 0.0)
    quiet = np.prod(at_most - under, 1) - np.prod(np.maximum(0.0, below - under), 1)
    return float(np.clip(1.0 - quiet.sum(), 0.0, 1.0))


def chi_square_p(successes: Floats, n: int) -> Floats:
    """Return Pearson's p of "all groups are alike" for counts ``[audits, G]``; 1 where none differ."""
    groups = successes.shape[1]
    pooled = successes.mean(1) / n
    expected = n * pooled * (1.0 - pooled)
    apart = np.square(successes - n * pooled[:, None]).sum(1)
    statistic = np.divide(apart, expected, out=np.zeros_like(apart), where=expected > 0)
    return np.asarray(chdtrc(groups - 1, statistic))


def true_rates(groups: int, rate: float, gap: float) -> Floats:
    """Return the groups' rates ``[G]``: all alike, but the last lower by a gap."""
    rates = np.full(groups, rate)
    rates[-1] = max(0.0, rate - gap)
    return rates


def _draw(values: Values, generator: np.random.Generator) -> Drawn:
    groups, n = int(values["groups"]), int(values["images"])
    rates = true_rates(groups, values["rate"], values["gap"])
    audit = generator.binomial(n, rates)
    found = group_gap(audit, np.full(groups, n), generator, RESAMPLES)
    assert found.gap is not None
    labels = [f"group {k + 1}" for k in range(groups)]
    known = {size: alarm_probability(rates, size) for size in SIZES}
    tested = {size: rate_of(_rejected(rates, size, generator)) for size in SIZES}
    here, here_tested = alarm_probability(rates, n), rate_of(_rejected(rates, n, generator))
    charts = (
        Chart(
            "audit",
            "One audit: how often each group is right",
            "bars",
            "share",
            tuple(
                counted(label, "right", rate_of(np.arange(n) < k))
                for label, k in zip(labels, audit, strict=True)
            ),
            {label: float(rate) for label, rate in zip(labels, rates, strict=True)},
            "the truth",
        ),
        Chart(
            "alarms",
            "How often an audit raises an alarm",
            "lines",
            "share",
            (
                *(exact(str(size), RULE, known[size]) for size in SIZES),
                *(counted(str(size), TEST, tested[size]) for size in SIZES),
            ),
            {str(size): LEVEL for size in SIZES} if not values["gap"] else {},
            "5%, as the test says" if not values["gap"] else "",
            axis="images of each group",
            log=True,
            of="audits",
        ),
    )
    lowest, highest = audit.min() / n, audit.max() / n
    alarm = bool(lowest < FIFTHS * highest - 1e-12)
    gap = float(rates[0] - rates[-1])
    what = "There is no gap" if not gap else f"The last group is {100 * gap:.4g} points lower"
    return Drawn(
        charts,
        (
            f"{what} in truth. In this audit the groups reach from {100 * lowest:.1f}% to "
            f"{100 * highest:.1f}%: the four-fifths rule {'raises an alarm' if alarm else 'is quiet'}.",
            f"The largest gap is {words(found.gap, 'points')} points; were all groups alike, one as large or "
            f"larger would come about with the probability p = {found.p:.3f} (permutation test).",
            f"Of such audits the four-fifths rule raises an alarm in {100 * here:.1f}%, the {TEST} in "
            f"{words(here_tested)}.",
        ),
    )


def _rejected(rates: Floats, n: int, generator: np.random.Generator) -> Bools:
    counts = generator.binomial(n, rates, (AUDITS, len(rates))).astype(np.float64)
    return np.asarray(chi_square_p(counts, n) <= LEVEL)


EXPERIMENT = Experiment(
    "noise-is-not-bias",
    "Noise is not bias",
    "How often does an audit of many small groups find a disparity that is not there?",
    "Groups with known rates are audited: each image is right or wrong by chance. The four-fifths rule and "
    "Pearson's chi-square test of all groups, at 5%, say whether they differ.",
    "P(alarm) = 1 − Σₘ { ∏ [F(m) − F(c − 1)] − ∏ [F(m − 1) − F(c − 1)] } over the largest count m, products "
    "over the groups, F binomial, c = ⌈0.8 m⌉.",
    (
        "Uniform Guidelines on Employee Selection Procedures (1978), 29 CFR 1607.4 D (the four-fifths rule).",
        "Pearson (1900), chi-square; Phipson & Smyth (2010), Permutation P-values should never be zero.",
    ),
    "That a gap which a test does not find is not there. Raise the gap and lower the number of images: a "
    "real one is missed. An interval says how large it may be. Nor is a gap that is found one that matters.",
    (
        Parameter("groups", "Groups", 14, 2, 30, "How many groups are audited.", "groups", whole=True),
        Parameter("rate", "Rate", 0.8, 0.05, 0.99, "How often each group is right in truth.", "share"),
        Parameter(
            "images", "Images", 50, 10, 1000, "How many images of each group.", "images", whole=True, log=True
        ),
        Parameter(
            "gap", "True gap", 0.0, 0.0, 0.5, "How much lower the last group's rate truly is.", "share"
        ),
    ),
    _draw,
)
