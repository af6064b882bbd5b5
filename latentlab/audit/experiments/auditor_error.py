"""When the auditor errs: a classifier's mistakes bias the share that it counts, and how to undo it honestly.

N samples have a share p of a class. The auditor sees the class where it is in alpha1 (sensitivity) and its
absence where it is absent in alpha0 (specificity), so that it counts about

    q = p alpha1 + (1 - p)(1 - alpha0),

.135 for p = .1, alpha1 = .9 and alpha0 = .95. Undoing it gives p = (q - (1 - alpha0)) / J with J = alpha0 +
alpha1 - 1 (Rogan & Gladen 1978; CLEAM, Teo et al. 2023). The alphas are only known from n validation images
of each class. CLEAM's interval takes them for known,

    Var = q (1 - q) / N / J^2,

the delta method does not: Var + [p^2 alpha1 (1 - alpha1) + (1 - p)^2 alpha0 (1 - alpha0)] / n / J^2.

Where the auditor errs otherwise on the samples than on the validation images (drift), nothing that is known
of the validation images can help.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from latentlab.audit.charts import Chart, Mark
from latentlab.audit.experiments.experiment import Drawn, Experiment, Parameter, Values
from latentlab.audit.experiments.marks import Floats, counted, mean_of, rate_of, words
from latentlab.metrics.correction import LEAST_J, Corrected, cleam, corrected_shares
from latentlab.metrics.intervals import SMALL, Counts, Estimate, wilson

NAIVE, CLEAM, DELTA = "counting", "CLEAM", "the delta method"
METHODS = (NAIVE, CLEAM, DELTA)
AUDITS = 1000
"""Audits that are repeated to see how often an interval holds the truth."""
VALIDATIONS = (20, 50, 100, 300, 1000, 3000)
_Z = float(ndtri(0.975))


def counted_share(p: float, sensitivity: float, specificity: float) -> float:
    """Return q, the share of the class that the auditor counts on average."""
    return p * sensitivity + (1.0 - p) * (1.0 - specificity)


def intervals_of(
    seen: Counts, samples: int, hits: Counts, passes: Counts, validation: int
) -> dict[str, tuple[Floats, Floats, Floats]]:
    """Return each method's share and interval of many audits at once, each ``[audits]``.

    For two classes what `latentlab.metrics.correction` gives one by one; NaN where that refuses.

    Parameters
    ----------
    seen
        Samples that the auditor put in the class.
    samples
        All samples N.
    hits, passes
        Validation images of the class that it saw, and of the others that it did not put there.
    validation
        Validation images n of each class.
    """
    q = seen / samples
    low, high = wilson(seen, samples)
    alpha1: Floats = np.asarray(hits / validation)
    alpha0: Floats = np.asarray(passes / validation)
    j = _distinct(alpha1 + alpha0 - 1.0)
    p: Floats = np.asarray((q - (1.0 - alpha0)) / j)
    half = _Z * np.sqrt(q * (1.0 - q) / samples) / j
    found = {NAIVE: (q, low, high), CLEAM: _clipped(p, p - half, p + half)}
    alpha1 = np.asarray((hits + 0.5) / (validation + 1.0))
    alpha0 = np.asarray((passes + 0.5) / (validation + 1.0))
    j = _distinct(alpha1 + alpha0 - 1.0)
    raw: Floats = np.asarray((q - (1.0 - alpha0)) / j)
    p = np.asarray(np.clip(raw, 0.0, 1.0))
    variance = (p**2 * alpha1 * (1.0 - alpha1) + (1.0 - p) ** 2 * alpha0 * (1.0 - alpha0)) / validation
    of_auditor = _Z * np.sqrt(variance) / j
    below, above = np.hypot((q - low) / j, of_auditor), np.hypot((high - q) / j, of_auditor)
    found[DELTA] = _clipped(p, np.minimum(raw, p) - below, np.maximum(raw, p) + above)
    return found


def _distinct(j: Floats) -> Floats:
    return np.asarray(np.where(j < LEAST_J, np.nan, j))


def _clipped(*found: Floats) -> tuple[Floats, Floats, Floats]:
    one, two, three = (np.clip(value, 0.0, 1.0) for value in found)
    return one, two, three


def _repeated(
    values: Values, validation: int, generator: np.random.Generator
) -> dict[str, tuple[Floats, Floats, Floats]]:
    """Return what many audits find, each with its own samples and validation images, where it may say it."""
    n = int(values["samples"])
    found = intervals_of(
        generator.binomial(n, _counted(values), AUDITS),
        n,
        generator.binomial(validation, values["sensitivity"], AUDITS),
        generator.binomial(validation, values["specificity"], AUDITS),
        validation,
    )
    kept = {}
    for name, (share, low, high) in found.items():
        said = ~np.isnan(share)
        if said.sum() >= SMALL:
            kept[name] = share[said], low[said], high[said]
    return kept


def _counted(values: Values) -> float:
    """Return q of an auditor who drifts."""
    alphas = (max(0.0, values[name] - values["drift"]) for name in ("sensitivity", "specificity"))
    return counted_share(values["share"], *alphas)


def _held(found: tuple[Floats, Floats, Floats], p: float) -> Estimate:
    return rate_of((found[1] <= p) & (p <= found[2]))


def _draw(values: Values, generator: np.random.Generator) -> Drawn:
    p, n, validation = values["share"], int(values["samples"]), int(values["validation"])
    seen = int(generator.binomial(n, _counted(values)))
    hits = int(generator.binomial(validation, values["sensitivity"]))
    passes = int(generator.binomial(validation, values["specificity"]))
    confusion = [[hits, validation - hits], [validation - passes, passes]]
    low, high = wilson(seen, n)
    one: dict[str, Estimate | Corrected] = {
        NAIVE: Estimate(seen / n, float(low), float(high), n),
        CLEAM: cleam([seen, n - seen], confusion),
        DELTA: corrected_shares([seen, n - seen], confusion)[0],
    }
    many = _repeated(values, validation, generator)
    means = {name: _mean(share) for name, (share, _, _) in many.items()}
    said = [
        f"In truth {100 * p:.4g}% are of the class; the auditor counts {_words(one[NAIVE])}, and "
        f"{100 * _counted(values):.1f}% on average.",
        *(f"{name[0].upper()}{name[1:]}: {_words(one[name])}." for name in (CLEAM, DELTA)),
        *(
            f"Over {len(found[0]):,} such audits {name} gives {words(means[name])} on average, and its 95% "
            f"interval holds the truth in {words(_held(found, p))}."
            for name, found in many.items()
        ),
    ]
    if values["drift"]:
        said.append(
            f"On the samples the auditor is right {100 * values['drift']:.4g} points less often than on its "
            "validation images, so no interval that rests on those is honest."
        )
    charts = (
        Chart(
            "audit",
            "One audit: the share of the class",
            "bars",
            "share",
            tuple(_mark(name, found) for name, found in one.items()),
            dict.fromkeys(METHODS, p),
            "the truth",
            of="samples",
        ),
        Chart(
            "mean",
            f"The mean of {AUDITS:,} audits",
            "bars",
            "share",
            tuple(counted(name, "mean", found) for name, found in means.items()),
            dict.fromkeys(means, p),
            "the truth",
            of="audits",
        ),
        _coverage(values, generator),
    )
    return Drawn(charts, tuple(said))


def _coverage(values: Values, generator: np.random.Generator) -> Chart:
    marks = []
    for validation in VALIDATIONS:
        for name, found in _repeated(values, validation, generator).items():
            if name != NAIVE:
                marks.append(counted(str(validation), name, _held(found, values["share"])))
    return Chart(
        "coverage",
        "How often the 95% interval holds the truth",
        "lines",
        "share",
        tuple(sorted(marks, key=lambda mark: METHODS.index(mark.series))),
        {str(one): 0.95 for one in VALIDATIONS},
        "95%, as it says",
        axis="validation images of each class",
        note="Audits in which the auditor errs too often to be corrected are left out.",
        log=True,
        of="audits",
    )


def _mean(share: Floats) -> Estimate:
    return mean_of(share) if np.ptp(share) else Estimate(float(share[0]), None, None, len(share))


def _mark(name: str, found: Estimate | Corrected) -> Mark:
    if isinstance(found, Estimate):
        return counted(name, "share", found)
    return Mark(name, "share", found.share, found.low, found.high, found.n, told=found.reason)


def _words(found: Estimate | Corrected) -> str:
    if isinstance(found, Estimate):
        return words(found)
    if found.share is None:
        return found.reason
    cut = ", cut off at what a share can be" if found.clipped else ""
    return words(Estimate(found.share, found.low, found.high, found.n)) + cut


EXPERIMENT = Experiment(
    "auditor-error",
    "When the auditor errs",
    "What is a counted share worth where the classifier that counts makes mistakes?",
    "Samples with a known share of a class are judged by an auditor who errs at known rates, which are "
    "estimated from validation images. Counted, corrected by CLEAM, and corrected with the delta method, "
    "once and many times.",
    "q = p α₁ + (1 − p)(1 − α₀). p = (q − (1 − α₀)) / J, J = α₀ + α₁ − 1. Delta method: Var = [q (1 − q) / "
    "N + p² α₁ (1 − α₁) / n + (1 − p)² α₀ (1 − α₀) / n] / J².",
    (
        "Rogan & Gladen (1978), Estimating prevalence from the results of a screening test. Am. J. "
        "Epidemiology 107.",
        "Teo, Abdollahzadeh & Cheung (2023), On measuring fairness in generative models. NeurIPS (CLEAM).",
    ),
    "That a correction can be trusted on generated images. It takes the auditor to err on them as on the "
    "validation images; move the drift to see what happens where it does not. Labelling about a hundred of "
    "the samples by hand is the way to know.",
    (
        Parameter("share", "Share of the class", 0.1, 0.01, 0.99, "Share of the class in truth.", "share"),
        Parameter(
            "sensitivity",
            "Sensitivity",
            0.9,
            0.5,
            1.0,
            "How many of the class the auditor sees (α₁).",
            "share",
        ),
        Parameter(
            "specificity",
            "Specificity",
            0.95,
            0.5,
            1.0,
            "How many of the others the auditor does not put in the class (α₀).",
            "share",
        ),
        Parameter(
            "samples",
            "Samples",
            3000,
            100,
            20000,
            "How many are judged (N).",
            "samples",
            whole=True,
            log=True,
        ),
        Parameter(
            "validation",
            "Validation images",
            100,
            20,
            5000,
            "How many of each class tell how often the auditor errs (n).",
            "images",
            whole=True,
            log=True,
        ),
        Parameter(
            "drift",
            "Drift",
            0.0,
            0.0,
            0.2,
            "How much less often the auditor is right on the samples than on validation images.",
            "share",
        ),
    ),
    _draw,
)
