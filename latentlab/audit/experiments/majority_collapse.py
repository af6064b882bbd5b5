"""Majority collapse: the most probable answer gives up the minority, a draw from the posterior keeps it.

A picture shows one number, y = +delta + noise of the majority (a share pi) and y = -delta + noise of the
minority, the noise being N(0, 1). Three ways to answer y with a group:

- the most probable group: right in the minority with the probability Phi(delta - logit(pi) / (2 delta)) and
  in the majority with Phi(delta + logit(pi) / (2 delta));
- the most probable z, which is what a search over a latent finds. z is N(0, 1), and of the minority above
  t = Phi^-1(pi). The best z of the majority is 0 and that of the minority t, at the cost t^2 / 2, so the
  minority is answered where y < -t^2 / (4 delta): right with Phi(delta -+ t^2 / (4 delta));
- a draw from the posterior: each group with the probability that it has, P(minority | y) =
  1 / (1 + exp(logit(pi) + 2 delta y)). Over all pictures it answers the majority in exactly pi.

`latentlab.operations.search_example` does the same with the program's own search and sampler.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from latentlab.audit.charts import Chart
from latentlab.audit.experiments.experiment import Drawn, Experiment, Parameter, Values
from latentlab.audit.experiments.marks import Bools, Floats, counted, exact, rate_of, words

GROUP, SEARCH, POSTERIOR = "most probable group", "search for the best z", "posterior sampling"
METHODS = (GROUP, SEARCH, POSTERIOR)
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
"""Where the curves are drawn."""


def right_answers(pi: float, delta: float) -> dict[str, tuple[float, float]]:
    """Return how often each method is right in the minority and in the majority, by the formulas above.

    Parameters
    ----------
    pi
        Share of the majority, .5 to below 1.
    delta
        Half of the groups' distance, in standard deviations of the noise, above 0.
    """
    over_group, over_z = logit(pi) / (2.0 * delta), ndtri(pi) ** 2 / (4.0 * delta)
    e = np.linspace(-9.0, 9.0, 1601)
    weights = np.exp(-0.5 * e**2)
    weights /= weights.sum()
    drawn = [float(weights @ minority_probability(side * delta + e, pi, delta)) for side in (-1.0, 1.0)]
    return {
        GROUP: (float(ndtr(delta - over_group)), float(ndtr(delta + over_group))),
        SEARCH: (float(ndtr(delta - over_z)), float(ndtr(delta + over_z))),
        POSTERIOR: (drawn[0], 1.0 - drawn[1]),
    }


def minority_probability(y: Floats, pi: float, delta: float) -> Floats:
    """Return P(minority | y) of observations ``[n]``."""
    return np.asarray(expit(-(logit(pi) + 2.0 * delta * y)))


def minority_share(right: tuple[float, float], pi: float) -> float:
    """Return how many answers are the minority, of pictures as they come."""
    return (1.0 - pi) * right[0] + pi * (1.0 - right[1])


def _answers(y: Floats, pi: float, delta: float, generator: np.random.Generator) -> dict[str, Bools]:
    """Return each method's answers ``[n]``, true for the minority."""
    probability = minority_probability(y, pi, delta)
    return {
        GROUP: probability > 0.5,
        SEARCH: y < -(ndtri(pi) ** 2) / (4.0 * delta),
        POSTERIOR: generator.random(len(y)) < probability,
    }


def _draw(values: Values, generator: np.random.Generator) -> Drawn:
    pi, delta, n = 1.0 - values["share"], values["distance"], int(values["pictures"])
    truth = right_answers(pi, delta)
    mixed = np.where(generator.random(n) < values["share"], -delta, delta) + generator.standard_normal(n)
    of_minority = _answers(-delta + generator.standard_normal(n), pi, delta, generator)
    of_majority = _answers(delta + generator.standard_normal(n), pi, delta, generator)
    shares = {name: rate_of(one) for name, one in _answers(mixed, pi, delta, generator).items()}
    right = {name: (rate_of(of_minority[name]), rate_of(~of_majority[name])) for name in METHODS}
    charts = (
        Chart(
            "share",
            "How many answers are of the minority",
            "bars",
            "share",
            tuple(
                counted(name, "answers", shares[name], minority_share(truth[name], pi)) for name in METHODS
            ),
            dict.fromkeys(METHODS, values["share"]),
            "the minority among the pictures",
            of="pictures",
        ),
        Chart(
            "right",
            "How often the answer is right",
            "bars",
            "share",
            tuple(
                counted(group, name, right[name][k], truth[name][k])
                for k, group in enumerate(("minority", "majority"))
                for name in METHODS
            ),
            of="pictures",
        ),
        Chart(
            "along",
            "How often the minority is answered right",
            "lines",
            "share",
            tuple(
                exact(f"{share:g}", name, right_answers(1.0 - share, delta)[name][0])
                for name in METHODS
                for share in SHARES
            ),
            axis="share of the minority",
            note="By the formulas; nothing is drawn at random here.",
        ),
    )
    lost = right[GROUP][0]
    return Drawn(
        charts,
        (
            f"The minority is {100 * values['share']:.4g}% of the pictures. The most probable group answers "
            f"it in {words(shares[GROUP])}, a search for the best z in {words(shares[SEARCH])}, and a draw "
            f"from the posterior in {words(shares[POSTERIOR])}.",
            f"Of the minority's pictures {words(lost)} are answered right by the most probable group, "
            f"{words(right[SEARCH][0])} by the search, {words(right[POSTERIOR][0])} by the posterior; of the "
            f"majority's {words(right[GROUP][1])}, {words(right[SEARCH][1])} and "
            f"{words(right[POSTERIOR][1])}.",
            "A search for the best z weighs how far from the origin a group begins, not how many there are "
            "of it, and may miss the mix to either side.",
            "Sampling is not more often right. It is wrong in both groups in equal numbers, so that the mix "
            "of answers stays that of the pictures; the most probable answer is wrong at the cost of whoever "
            "is fewer.",
        ),
    )


EXPERIMENT = Experiment(
    "majority-collapse",
    "Majority collapse: the best answer against a draw from the posterior",
    "What becomes of a minority where each picture is answered by the most probable face?",
    "Pictures of two groups are seen through noise. Each is answered with a group in three ways: the most "
    "probable group; the group of the most probable latent, as a search finds it; a draw from the posterior.",
    "Right in the minority: Φ(δ − logit(π) / 2δ) for the most probable group, Φ(δ − t² / 4δ) with t = "
    "Φ⁻¹(π) for the search. Over all pictures a draw from the posterior answers the majority in exactly π.",
    (
        "Menon et al. (2020), PULSE: Self-supervised photo upsampling via latent space exploration of "
        "generative models. CVPR.",
        "Jalal et al. (2021), Fairness for image generation with uncertain sensitive attributes. ICML.",
    ),
    "How far a real generator goes wrong. The prior here has the true shares; one that was learnt from "
    "unbalanced data does not, and sampling from it keeps the shares of that data. No answer of any of the "
    "three says who was in the picture.",
    (
        Parameter("share", "Minority", 0.2, 0.01, 0.5, "Share of the minority among the pictures.", "share"),
        Parameter(
            "distance",
            "What the picture shows",
            0.5,
            0.1,
            3.0,
            "Half of the distance between the groups, in standard deviations of the picture's noise.",
            "noise sd",
        ),
        Parameter(
            "pictures",
            "Pictures",
            1000,
            100,
            5000,
            "How many pictures are answered: of each group, and as many as they come.",
            "pictures",
            whole=True,
            log=True,
        ),
    ),
    _draw,
)
