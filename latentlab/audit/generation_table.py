"""The generation study's results: shares of every class, raw and corrected, beside the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from latentlab.audit.generation import Counted
from latentlab.audit.reference import Reference
from latentlab.audit.report import PERCEIVED, PERCEIVED_OUTSIDE, between, percent
from latentlab.metrics.correction import Corrected, cleam, corrected_shares
from latentlab.metrics.gaps import difference
from latentlab.metrics.intervals import RESAMPLES, SMALL, Estimate, percentile_limits, wilson
from latentlab.metrics.report import Evaluation
from latentlab.metrics.shares import against_counts, fairness_discrepancy, uniform
from latentlab.spec import Attribute, Confusion

POOLED = "all"
"""The seed of a row that counts all seeds together."""


class Judge(Protocol):
    """Who tells the classes, with held-out confusion matrices by attribute as far as there are any."""

    @property
    def confusion(self) -> Mapping[str, Confusion]: ...  # noqa: D102


@dataclass(frozen=True)
class ClassShare:
    """How large a share of a model's samples is predicted as a class.

    Parameters
    ----------
    seed
        Of the samples; `POOLED` for all together.
    count, n
        Samples predicted as the class, and all.
    share
        Their share with Wilson's interval.
    probability
        The mean of the class's probability with its interval: a class that is often the second
        choice has more of it than its share.
    corrected
        The share corrected for the predictor's errors on held-out images, which need not be those it makes on
        samples.
    cleam
        The same by CLEAM, whose interval knows nothing of how few held-out images its error rates rest on;
        of the first of two classes, None of others.
    reference
        The share that it is compared with; None where there is none.
    """

    model: str
    seed: str
    attribute: str
    label: str
    count: int
    n: int
    share: Estimate
    probability: Estimate
    corrected: Corrected
    cleam: Corrected | None
    reference: float | None

    @property
    def small(self) -> bool:
        """Whether so few samples are behind it that it says little."""
        return self.n < SMALL

    @property
    def best(self) -> tuple[float, float | None, float | None]:
        """The corrected share with its limits, or where there is none the raw one."""
        if self.corrected.share is not None:
            return self.corrected.share, self.corrected.low, self.corrected.high
        return self.share.value, self.share.low, self.share.high

    def differs(self, comparisons: int = 1) -> bool | None:
        """Whether the interval leaves out the reference; None without a reference.

        Of one of several ``comparisons`` the interval is as much wider as Bonferroni's is.
        """
        value, low, high = self.best
        if self.reference is None or low is None or high is None:
            return None
        wider = float(ndtri(1.0 - 0.025 / comparisons) / ndtri(0.975))
        return not value - wider * (value - low) <= self.reference <= value + wider * (high - value)

    def row(self) -> dict[str, Any]:
        """Return it as a row of the table of groups."""
        return {
            "model": self.model,
            "seed": self.seed,
            "attribute": self.attribute,
            "class": self.label,
            "count": self.count,
            "n": self.n,
            "share": self.share.value,
            "low": self.share.low,
            "high": self.share.high,
            "mean_probability": self.probability.value,
            "mean_probability_low": self.probability.low,
            "mean_probability_high": self.probability.high,
            **self.corrected.columns(),
            "cleam": None if self.cleam is None else self.cleam.share,
            "cleam_low": None if self.cleam is None else self.cleam.low,
            "cleam_high": None if self.cleam is None else self.cleam.high,
            "reference": self.reference,
            "differs": {None: "", True: "yes", False: "no"}[self.differs()],
            "small": "yes" if self.small else "no",
        }


@dataclass(frozen=True)
class Measure:
    """A distance of an attribute's shares from the reference, or their entropy.

    ``fairness_discrepancy`` is that of mean probabilities (Choi et al. 2020), all others are of the predicted
    classes (`latentlab.metrics.shares.against`).
    """

    model: str
    seed: str
    attribute: str
    name: str
    value: Estimate

    def row(self) -> dict[str, Any]:
        """Return it as a row of the table of measures."""
        return {
            "model": self.model,
            "seed": self.seed,
            "attribute": self.attribute,
            "measure": self.name,
            "value": self.value.value,
            "low": self.value.low,
            "high": self.value.high,
            "n": self.value.n,
        }


def class_shares(
    counted: Mapping[tuple[str, int], Counted],
    attributes: Sequence[Attribute],
    judges: Mapping[str, Judge],
    reference: Reference,
    seed: int = 0,
) -> tuple[tuple[ClassShare, ...], tuple[Measure, ...]]:
    """Return every class's share: of all seeds together first, then of each where there are several.

    Parameters
    ----------
    judges
        The predictor of each model.
    seed
        Of the bootstrapped intervals.
    """
    shares: list[ClassShare] = []
    apart: list[Measure] = []
    for model in dict.fromkeys(name for name, _ in counted):
        runs = {str(run): found for (name, run), found in counted.items() if name == model}
        bodies = {POOLED: list(runs.values())} | ({k: [v] for k, v in runs.items()} if len(runs) > 1 else {})
        for label, body in bodies.items():
            for attribute in attributes:
                found, distance = _of_attribute(
                    model, label, attribute, body, judges[model], reference, np.random.default_rng([seed, 5])
                )
                shares += found
                apart += distance
    return tuple(shares), tuple(apart)


def cell_rows(
    counted: Mapping[tuple[str, int], Counted], attributes: Sequence[Attribute]
) -> list[dict[str, Any]]:
    """Return one row for each model and intersection of all attributes, of all seeds together; raw shares."""
    rows = []
    names = ",".join(one.name for one in attributes)
    for model in dict.fromkeys(name for name, _ in counted):
        cells = [one.cells for (name, _), one in counted.items() if name == model and one.cells is not None]
        if not cells:
            continue
        total = np.sum(cells, axis=0)
        n = int(total.sum())
        for place in np.ndindex(total.shape):
            low, high = (float(one) for one in wilson(int(total[place]), n))
            labels = ",".join(one.classes[k] for one, k in zip(attributes, place, strict=True))
            rows.append(
                {
                    "model": model,
                    "attributes": names,
                    "classes": labels,
                    "count": int(total[place]),
                    "n": n,
                    "share": int(total[place]) / n,
                    "low": low,
                    "high": high,
                    "small": "yes" if total[place] < SMALL else "no",
                }
            )
    return rows


def comparison_rows(shares: Sequence[ClassShare]) -> list[dict[str, Any]]:
    """Return one row for each class and each model after the first: its raw share minus the first model's."""
    pooled = [one for one in shares if one.seed == POOLED]
    if not pooled:
        return []
    first = {(one.attribute, one.label): one for one in pooled if one.model == pooled[0].model}
    rows = []
    for one in pooled:
        base = first.get((one.attribute, one.label))
        if one.model != pooled[0].model and base is not None:
            found = difference(one.count, one.n, base.count, base.n)
            rows.append(
                {
                    "model": one.model,
                    "against": base.model,
                    "attribute": one.attribute,
                    "class": one.label,
                    "difference": found.value,
                    "low": found.low,
                    "high": found.high,
                }
            )
    return rows


def evaluation_of(
    shares: Sequence[ClassShare],
    apart: Sequence[Measure],
    settings: Mapping[str, Any],
    notes: tuple[str, ...] = (),
    outside: bool = False,
) -> Evaluation:
    """Return the figures as an evaluation: of the first model and all seeds, then by model and seed.

    Parameters
    ----------
    notes
        Further ones that belong beside the figures.
    outside
        Whether somebody else judged, and no predictor of the models.
    """
    perceived = PERCEIVED_OUTSIDE if outside else PERCEIVED
    groups: dict[str, dict[str, Estimate]] = {}
    for one in shares:
        found = groups.setdefault(_key(one.model, one.seed), {})
        found[f"share.{one.attribute}={one.label}"] = one.share
        if one.corrected.share is not None:
            found[f"corrected_share.{one.attribute}={one.label}"] = Estimate(
                one.corrected.share, one.corrected.low, one.corrected.high, one.n
            )
    for measure in apart:
        name = "gap" if measure.name == "largest_deviation" else measure.name
        groups[_key(measure.model, measure.seed)][f"{name}.{measure.attribute}"] = measure.value
    if not groups:  # nothing that was drawn can show what is counted
        return Evaluation({}, {}, settings, (*notes, perceived))
    first = next(iter(groups))
    models = {one.model for one in shares}
    runs = {one.seed for one in shares}
    told = groups if len(models) > 1 or len(runs) > 1 else {}
    return Evaluation(groups[first], told, settings, (*_notes(shares), *notes, perceived))


def sentences(shares: Sequence[ClassShare], reference: Reference, outside: bool = False) -> tuple[str, ...]:
    """Say where each model's samples are furthest from the reference, and how sure that is.

    Parameters
    ----------
    outside
        As for `evaluation_of`.
    """
    lines = []
    whose, told = ("judge's", "judged") if outside else ("predictor's", "predicted")
    any_corrected = False
    bodies = {key: found for key, found in _by_attribute(shares).items() if key[1] == POOLED}
    widths = [len(found) for found in bodies.values() if found[0].reference is not None]
    comparisons = max(1, sum(width if width > 2 else 1 for width in widths))
    for (model, _, name), found in bodies.items():
        attribute = name.replace("_", " ")
        known = [one for one in found if one.reference is not None]
        if not known:
            said = ", ".join(f"{one.label} {percent(one.share.value)}" for one in found)
            lines.append(f"{model}, {attribute}: {said} (nothing to compare with in {reference.name}).")
            continue
        one = max(known, key=lambda one: abs(one.best[0] - (one.reference or 0.0)))
        value, low, high = one.best
        span = f"95%: {between(low, high)}"
        sure = "a clear difference" if one.differs(comparisons) else "no clear difference"
        if one.corrected.share is None:
            what = f" ({span}; not corrected)"
            sure += f" in what is {told}, the {whose} errors included"
        else:
            what = f"; corrected for the {whose} errors {percent(value)} ({span})"
            any_corrected = True
        lines.append(
            f"{model}, {attribute}: {percent(one.share.value)} of {one.n:,} samples are {told} "
            f"{one.label.replace('_', ' ')}{what}, where {reference.name} has {percent(one.reference)}: "
            f"{sure}."
        )
    if comparisons > 1:
        lines.append(
            f"What is called clear is so by intervals that are wider than those shown, for {comparisons} "
            "comparisons at once (Bonferroni)."
        )
    caution = (
        "An interval that holds the reference does not show that there is no difference, only none larger "
        "than it reaches"
    )
    if any_corrected:
        who = "judge" if outside else "predictor"
        caution += f"; and the correction holds if the {who} errs on samples as on held-out images"
    return (*lines, f"{caution}.", PERCEIVED_OUTSIDE if outside else PERCEIVED)


def _of_attribute(
    model: str,
    run: str,
    attribute: Attribute,
    body: Sequence[Counted],
    judge: Judge,
    reference: Reference,
    generator: np.random.Generator,
) -> tuple[list[ClassShare], list[Measure]]:
    counts = np.sum([one.classes[attribute.name] for one in body], axis=0)
    n = int(counts.sum())
    if not n:  # nothing that was drawn can show it
        return [], []
    low, high = wilson(counts, np.full(len(counts), n))
    sums = np.sum([one.sums[attribute.name] for one in body], axis=0)
    squares = np.sum([one.squares[attribute.name] for one in body], axis=0)
    means, drawn = _means(sums, squares, n, generator)
    confusion = judge.confusion.get(attribute.name)
    corrected = corrected_shares(counts, confusion)
    by_cleam = cleam(counts, confusion) if confusion is not None and len(counts) == 2 else None
    wanted = reference.shares.get(attribute.name)
    shares = [
        ClassShare(
            model,
            run,
            attribute.name,
            label,
            int(counts[k]),
            n,
            Estimate(float(counts[k] / n), float(low[k]), float(high[k]), n),
            Estimate(float(means[k]), *percentile_limits(drawn[:, k]), n),
            corrected[k],
            by_cleam if k == 0 else None,
            None if wanted is None else float(wanted[k]),
        )
        for k, label in enumerate(attribute.classes)
    ]
    if wanted is None:
        return shares, []
    found = against_counts(counts, wanted, generator) | {
        "fairness_discrepancy": _discrepancy(means, drawn, wanted, n)
    }
    return shares, [Measure(model, run, attribute.name, name, value) for name, value in found.items()]


def _discrepancy(
    means: NDArray[np.float64], drawn: NDArray[np.float64], wanted: NDArray[np.float64], n: int
) -> Estimate:
    """Return how far mean probabilities are from a reference; down to 0 where chance explains it.

    Either limit is the wider one of the percentile and the basic bootstrap, as in `against`.
    """
    value = float(fairness_discrepancy(means, wanted))
    low, high = percentile_limits(fairness_discrepancy(drawn, wanted))
    low, high = min(low, 2.0 * value - high, value), max(high, 2.0 * value - low, value)
    by_chance = float(np.quantile(fairness_discrepancy(drawn, means), 0.95))
    return Estimate(value, max(0.0, low) if value > by_chance else 0.0, high, n)


def _means(
    sums: NDArray[np.float64], squares: NDArray[np.float64], n: int, generator: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean probabilities ``[C]``, and draws ``[R, C]`` of what such a mean may be.

    The means of many samples are normal; their covariance is known from the sums of squares, without a sample
    in memory. So that it does not collapse where all samples are alike, one is added to it, certainly of a
    class that is drawn evenly (as in `latentlab.metrics.shares.against`).
    """
    means, even = sums / n, uniform(len(sums))
    middle = (sums + even) / (n + 1)
    covariance = ((squares + np.diag(even)) / (n + 1) - np.outer(middle, middle)) / n
    drawn = generator.multivariate_normal(means, covariance, RESAMPLES, method="eigh")
    return means, np.clip(drawn, 0.0, 1.0)


def _by_attribute(shares: Sequence[ClassShare]) -> dict[tuple[str, str, str], list[ClassShare]]:
    found: dict[tuple[str, str, str], list[ClassShare]] = {}
    for one in shares:
        found.setdefault((one.model, one.seed, one.attribute), []).append(one)
    return found


def _notes(shares: Sequence[ClassShare]) -> tuple[str, ...]:
    refused = {f"{one.attribute}: {one.corrected.reason}." for one in shares if one.corrected.reason}
    clipped = {one.attribute for one in shares if one.corrected.clipped}
    moved = [f"{name}: corrected shares outside 0 to 1 were moved to the nearest inside." for name in clipped]
    return (*sorted(refused), *sorted(moved))


def _key(model: str, run: str) -> str:
    return f"model={model}" if run == POOLED else f"model={model},seed={run}"
