"""The training-ratio study's results: sampled shares beside training shares, and statement (A) tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from latentlab.audit.generation import Counted
from latentlab.audit.generation_table import POOLED, ClassShare, class_shares
from latentlab.audit.readable import Readable, unreadable_words
from latentlab.audit.reference import Reference
from latentlab.audit.report import PERCEIVED, between, percent
from latentlab.audit.training_ratio_statements import EVEN, Spread, Statement, Trained, statements_of
from latentlab.metrics.intervals import Estimate
from latentlab.metrics.report import Evaluation
from latentlab.spec import Attribute, PredictorSpec


@dataclass(frozen=True)
class RatioShare:
    """A class's share in the samples of the trainings at one ratio.

    Parameters
    ----------
    pooled, seeds
        As the generation study counts it: of all samples together, and of each training.
    mean, corrected_mean
        The mean over the trainings, raw and corrected, with an interval that knows how far the trainings are
        spread (`latentlab.audit.training_ratio_statements`); None where it cannot be corrected.
    training
        The share in training; None where it is not known.
    """

    ratio: float
    pooled: ClassShare
    seeds: tuple[ClassShare, ...]
    mean: Estimate
    corrected_mean: Estimate | None
    training: float | None

    @property
    def best(self) -> Estimate:
        """The corrected mean, or where there is none the raw one."""
        return self.corrected_mean or self.mean


@dataclass(frozen=True)
class Results:
    """What the study found.

    Parameters
    ----------
    shares
        By attribute and class, in the order of the ratios.
    varied
        The varied attribute as the predictor has it.
    first
        Its class whose share is varied.
    readable
        Whether the predictor can read the samples, by attribute.
    """

    shares: Mapping[tuple[str, str], tuple[RatioShare, ...]]
    statements: tuple[Statement, ...]
    varied: str
    first: str
    readable: tuple[Readable, ...]


def results_of(
    counted: Mapping[tuple[float, int], Counted],
    attributes: Sequence[Attribute],
    judge: PredictorSpec,
    references: Mapping[float, Reference],
    varied: str,
    first: str,
    readable: Sequence[Readable],
) -> Results:
    """Return the shares by ratio, and the statements.

    Parameters
    ----------
    counted
        What the samples of each ratio and seed show.
    judge
        The predictor, with the confusion matrices by which shares are corrected.
    references
        The shares in training, by ratio.
    varied, first
        The varied attribute, and its class whose share is varied.
    """
    by_ratio: dict[float, tuple[ClassShare, ...]] = {}
    for ratio in dict.fromkeys(ratio for ratio, _ in counted):
        runs = {(repr(ratio), seed): one for (of, seed), one in counted.items() if of == ratio}
        by_ratio[ratio] = class_shares(runs, attributes, {repr(ratio): judge}, references[ratio])[0]
    shares: dict[tuple[str, str], tuple[RatioShare, ...]] = {}
    for attribute in attributes:
        for label in attribute.classes:
            named = {
                ratio: [one for one in found if (one.attribute, one.label) == (attribute.name, label)]
                for ratio, found in by_ratio.items()
            }
            shares[attribute.name, label] = _of_class(named, judge)
    wanted = [_trained(one) for one in shares[varied, first]]
    confusion = judge.confusion.get(varied)
    corrected = all(one.corrected_mean is not None for one in shares[varied, first])
    said = next((one for one in readable if one.attribute == varied), None)
    found = statements_of(
        wanted,
        confusion if corrected else None,
        first.replace("_", " "),
        "" if said is None else unreadable_words(said),
    )
    return Results(shares, found, varied, first, tuple(readable))


def group_rows(found: Results) -> list[dict[str, Any]]:
    """Return one row for each ratio, seed and class; those of all seeds together first."""
    rows = []
    for classes in found.shares.values():
        for one in classes:
            for share in (one.pooled, *one.seeds):
                row: dict[str, Any] = {"ratio": one.ratio} | share.row()
                del row["model"]
                over = share.seed == POOLED
                for name, value in (("mean", one.mean), ("corrected_mean", one.corrected_mean)):
                    known = value if over else None
                    row[name] = None if known is None else known.value
                    row[f"{name}_low"] = None if known is None else known.low
                    row[f"{name}_high"] = None if known is None else known.high
                rows.append(row)
    return rows


def evaluation_of(found: Results, settings: Mapping[str, Any], notes: Sequence[str]) -> Evaluation:
    """Return the figures as an evaluation: the statements', then by ratio, and by ratio and seed.

    The shares of all figures together are those at 50/50, where there are any.
    """
    groups: dict[str, dict[str, Estimate]] = {}
    for (attribute, label), classes in found.shares.items():
        name = f"{attribute}={label}"
        for one in classes:
            here = groups.setdefault(f"ratio={one.ratio:g}", {})
            here[f"share.{name}"] = one.mean
            if one.corrected_mean is not None:
                here[f"corrected_share.{name}"] = one.corrected_mean
            if one.training is not None:
                away = [
                    None if limit is None else limit - one.training for limit in (one.best.low, one.best.high)
                ]
                here[f"shift.{name}"] = Estimate(one.best.value - one.training, away[0], away[1], one.best.n)
            for share in one.seeds:
                of_seed = groups.setdefault(f"ratio={one.ratio:g},seed={share.seed}", {})
                of_seed[f"share.{name}"] = share.share
                if share.corrected.share is not None:
                    of_seed[f"corrected_share.{name}"] = Estimate(
                        share.corrected.share, share.corrected.low, share.corrected.high, share.n
                    )
    metrics = dict(groups.get(f"ratio={EVEN:g}", {}))
    for statement, name in zip(found.statements, ("gap", "parity_gain"), strict=True):
        if statement.value is not None:
            metrics[f"{name}.{found.varied}"] = statement.value
    for said in found.readable:
        metrics[f"confidence.{said.attribute}"] = Estimate(said.samples, None, None, said.n)
        metrics[f"confidence_real.{said.attribute}"] = Estimate(said.real, None, None, said.n_real)
    refused = {
        f"{one.pooled.attribute}: {one.pooled.corrected.reason}."
        for classes in found.shares.values()
        for one in classes
        if one.pooled.corrected.reason
    }
    return Evaluation(metrics, groups, settings, (*notes, *sorted(refused), PERCEIVED))


def sentences(found: Results) -> tuple[str, ...]:
    """Say what the samples show at each ratio, and which part of the statement holds."""
    lines = []
    varied = f"{found.varied.replace('_', ' ')} {found.first.replace('_', ' ')}"
    for one in sorted(found.shares[found.varied, found.first], key=lambda one: one.ratio):
        best, what = one.best, "corrected" if one.corrected_mean is not None else "not corrected"
        interval = "no interval from one training" if best.low is None else between(best.low, best.high)
        seeds = ", ".join(percent(share.best[0]) for share in one.seeds or (one.pooled,))
        lines.append(
            f"Trained on {percent(one.ratio)} {varied}: so are {percent(best.value)} of the samples ({what}; "
            f"95%: {interval}); each training by itself: {seeds}."
        )
    lines += [f"{one.name}. {one.text} {one.verdict.capitalize()}. {one.because}" for one in found.statements]
    for said in found.readable:
        if said.attribute == found.varied:
            lines.append(said.sentence())
        elif unreadable_words(said):
            lines.append(unreadable_words(said))
    lines.append(
        "The intervals are of what more trainings on this set would give; they say nothing of other sets or "
        "other models. The spread of trainings is taken to be the same at every ratio, and the correction "
        "holds if the predictor errs on samples as on real images of this size."
    )
    return (*lines, PERCEIVED)


def _of_class(named: Mapping[float, Sequence[ClassShare]], judge: PredictorSpec) -> tuple[RatioShare, ...]:
    """Return a class's shares at each ratio, from what the generation study counts of it."""
    seeds = {
        ratio: tuple(one for one in found if one.seed != POOLED) or tuple(found)
        for ratio, found in named.items()
        if found
    }
    raw = [Trained(r, tuple(one.share.value for one in found), found[0].n) for r, found in seeds.items()]
    every = [one.corrected.share for found in seeds.values() for one in found]
    corrected: Spread | None = None
    if every and None not in every:
        attribute = next(iter(seeds.values()))[0].attribute
        confusion = judge.confusion.get(attribute)
        two = confusion is not None and len(confusion.counts) == 2
        corrected = Spread(
            [
                Trained(r, tuple(one.corrected.share or 0.0 for one in found), found[0].n)
                for r, found in seeds.items()
            ],
            confusion if two else None,
        )
    spread = Spread(raw, None) if raw else None
    rows = []
    for ratio, found in seeds.items():
        assert spread is not None
        pooled = next(one for one in named[ratio] if one.seed == POOLED)
        rows.append(
            RatioShare(
                ratio,
                pooled,
                tuple(one for one in found if one.seed != POOLED),
                _inside(spread.estimate({ratio: 1.0})),
                None if corrected is None else _known(_inside(corrected.estimate({ratio: 1.0})), pooled),
                pooled.reference,
            )
        )
    return tuple(rows)


def _trained(one: RatioShare) -> Trained:
    runs = one.seeds or (one.pooled,)
    corrected = one.corrected_mean is not None
    values = [run.corrected.share if corrected else run.share.value for run in runs]
    return Trained(one.ratio, tuple(float(value or 0.0) for value in values), runs[0].n)


def _known(value: Estimate, pooled: ClassShare) -> Estimate:
    """Widen an interval to that of all samples together, which knows of errors between several classes."""
    low, high = pooled.corrected.low, pooled.corrected.high
    if value.low is None or value.high is None or low is None or high is None:
        return value
    return Estimate(value.value, min(value.low, low), max(value.high, high), value.n)


def _inside(value: Estimate) -> Estimate:
    """Cut the interval of a share off at 0 and 1."""
    if value.low is None or value.high is None:
        return value
    low, high = np.clip([value.low, value.high], 0.0, 1.0)
    return Estimate(value.value, float(low), float(high), value.n)
