"""Tables of projections: what the predictor says of each, and what a dataset does to people.

The shift of a class is the share of pictures that are predicted as it after the projection onto a dataset,
minus the share in their reconstructions: what the autoencoder loses is not the dataset's doing. Its interval
is bootstrapped over the pictures (over whom they show, where several show the same one). The entropy of an
attribute says how mixed its predicted classes are: a dataset onto which all become alike has lost diversity.
The *composition bias* of a class is its shift in the mode *follow* minus its shift in *keep*, of the same
pictures: what the dataset's composition does beside its style.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.metrics.intervals import SMALL, bootstrap_totals, percentile_limits, wilson
from latentlab.operations.projection_plan import judged_dataset
from latentlab.spec import ConditionSchema, PredictorSpec

if TYPE_CHECKING:
    from latentlab.operations.project import Projected

FEW = 5
"""A class that has fewer pictures than this, before and after, is too rare for its interval to be trusted."""


@dataclass(frozen=True)
class Shift:
    """What the projection onto a dataset does to the share of a class.

    Shares and the difference, with its 95% interval, are between 0 and 1 (-1 and 1).
    """

    dataset: str
    attribute: str
    label: str
    before: float
    after: float
    low: float
    high: float
    n: int

    @property
    def difference(self) -> float:
        """After minus before."""
        return self.after - self.before

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0.0 or self.high < 0.0

    @property
    def small(self) -> bool:
        """Whether so few pictures are behind it that it says little."""
        return self.n < SMALL or self.n * max(self.before, self.after) < FEW


@dataclass(frozen=True)
class Diversity:
    """The entropy of an attribute's predicted classes before and after, in nats; None where before is 0."""

    dataset: str
    attribute: str
    before: float
    after: float

    @property
    def ratio(self) -> float | None:
        """After divided by before."""
        return self.after / self.before if self.before > 0.0 else None


@dataclass(frozen=True)
class Rate:
    """The share of pictures of which something holds after the projection onto a dataset.

    ``attribute`` is the one that is predicted as in the reconstruction; empty for the dataset itself: then
    the share that is predicted as of it.
    """

    dataset: str
    attribute: str
    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Composition:
    """How much more the projection onto a dataset shifts a class in the mode *follow* than in *keep*."""

    dataset: str
    attribute: str
    label: str
    follow: float
    keep: float
    low: float
    high: float
    n: int
    share: float

    @property
    def difference(self) -> float:
        """Follow minus keep; the interval is of the paired difference."""
        return self.follow - self.keep

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0.0 or self.high < 0.0

    @property
    def small(self) -> bool:
        """Whether so few pictures are behind it that it says little; ``share`` is the largest there is."""
        return self.n < SMALL or self.n * self.share < FEW


@dataclass(frozen=True)
class Shifts:
    """What every dataset does to every attribute of a body of pictures.

    Parameters
    ----------
    kept
        How often an attribute stays as it is in the reconstruction.
    reached
        How often the projection is predicted as of the dataset; empty where nobody judges that.
    """

    classes: tuple[Shift, ...]
    diversity: tuple[Diversity, ...]
    kept: tuple[Rate, ...] = ()
    reached: tuple[Rate, ...] = ()


def projection_rows(found: Sequence[Projected], predictor: PredictorSpec | None) -> list[dict[str, Any]]:
    """Return one row per picture and dataset: where it came from, |z|, and the predicted classes."""
    attributes = [] if predictor is None else [a for a in predictor.attributes if a.kind == "categorical"]
    rows = []
    for one in found:
        for item in one.items:
            row: dict[str, Any] = {
                "name": one.name,
                "source_dataset": one.source_dataset,
                "guessed": "yes" if one.guessed else "no",
                "dataset": item.dataset,
                "keep": f"{one.keep:g}",
                "z_norm": f"{one.norm:.4f}",
                "round_trip": f"{one.round_trip:.2e}",
            }
            for attribute in attributes:
                said = (one.attributes, one.base, item.attributes)
                seen, before, after = (part[attribute.name] for part in said)
                row[f"{attribute.name}_input"] = attribute.classes[int(np.argmax(seen))]
                row[f"{attribute.name}_before"] = attribute.classes[int(np.argmax(before))]
                row[f"{attribute.name}_after"] = attribute.classes[int(np.argmax(after))]
                row[f"{attribute.name}_probability"] = f"{float(np.max(after)):.4f}"
            rows.append(row)
    return rows


def shifts(
    found: Sequence[Projected],
    predictor: PredictorSpec,
    seed: int = 0,
    schema: ConditionSchema | None = None,
) -> Shifts:
    """Count what the projections do to the predicted classes.

    Parameters
    ----------
    found
        Projections of pictures onto the same datasets, at least one. A picture does not count for its own
        dataset, where it is only reconstructed; nor for an attribute that either dataset cannot show.
    schema
        The model's condition: with it the projections that are predicted as of their dataset are counted.
    """
    classes: list[Shift] = []
    diversity: list[Diversity] = []
    kept: list[Rate] = []
    reached: list[Rate] = []
    for dataset in dict.fromkeys(item.dataset for one in found for item in one.items):
        cases = [one for one in found if one.source_dataset != dataset and one.said_on(dataset) is not None]
        if not cases:
            continue
        for attribute in predictor.attributes:
            shown = [one for one in cases if attribute.name not in one.unseen_on(dataset)]
            if attribute.kind != "categorical" or not shown:
                continue
            who = _identities(shown)
            pairs = [(one.base, one.said_on(dataset) or {}) for one in shown]
            before, after = (_one_hot([pair[side][attribute.name] for pair in pairs]) for side in (0, 1))
            for k, (low, high) in enumerate(_limits(after - before, seed, who)):
                share = float(before[:, k].mean()), float(after[:, k].mean())
                classes.append(
                    Shift(dataset, attribute.name, attribute.classes[k], *share, low, high, len(pairs))
                )
            diversity.append(Diversity(dataset, attribute.name, _entropy(before), _entropy(after)))
            kept.append(_rate(dataset, attribute.name, (before * after).sum(1), seed, who))
        said = [
            None if schema is None else judged_dataset(schema, one.said_on(dataset) or {}, predictor)
            for one in cases
        ]
        if None not in said:
            right = np.array([one == dataset for one in said])
            reached.append(_rate(dataset, "", right, seed, _identities(cases)))
    return Shifts(tuple(classes), tuple(diversity), tuple(kept), tuple(reached))


def compositions(
    follow: Sequence[Projected], keep: Sequence[Projected], predictor: PredictorSpec, seed: int = 0
) -> tuple[Composition, ...]:
    """Count how much more the mode *follow* shifts the predicted classes than *keep* does.

    Parameters
    ----------
    follow, keep
        Projections of the same pictures in the same order, onto the same datasets.
    """
    found: list[Composition] = []
    for dataset in dict.fromkeys(item.dataset for one in keep for item in one.items):
        cases = [
            both
            for both in zip(follow, keep, strict=True)
            if all(one.source_dataset != dataset and one.said_on(dataset) is not None for one in both)
        ]
        if not cases:
            continue
        for attribute in predictor.attributes:
            shown = [both for both in cases if attribute.name not in both[0].unseen_on(dataset)]
            if attribute.kind != "categorical" or not shown:
                continue
            who = _identities([one for one, _ in shown])
            moved, shares = [], []
            for side in (0, 1):
                said = [(both[side].base, both[side].said_on(dataset) or {}) for both in shown]
                before, after = (_one_hot([pair[k][attribute.name] for pair in said]) for k in (0, 1))
                moved.append(after - before)
                shares += [before.mean(0), after.mean(0)]
            for k, (low, high) in enumerate(_limits(moved[0] - moved[1], seed, who)):
                shift = float(moved[0][:, k].mean()), float(moved[1][:, k].mean())
                most = max(float(share[k]) for share in shares)
                label = attribute.classes[k]
                found.append(Composition(dataset, attribute.name, label, *shift, low, high, len(shown), most))
    return tuple(found)


def shift_rows(found: Shifts) -> list[dict[str, Any]]:
    """Return one row per dataset, attribute and class; the attribute's entropies and rates stand in each."""
    entropies = {(one.dataset, one.attribute): one for one in found.diversity}
    kept = {(one.dataset, one.attribute): one for one in found.kept}
    reached = {one.dataset: one for one in found.reached}
    rows = []
    for one in found.classes:
        entropy = entropies[one.dataset, one.attribute]
        rows.append(
            {
                "dataset": one.dataset,
                "attribute": one.attribute,
                "class": one.label,
                "share_before": f"{one.before:.4f}",
                "share_after": f"{one.after:.4f}",
                "difference": f"{one.difference:.4f}",
                "low": f"{one.low:.4f}",
                "high": f"{one.high:.4f}",
                "n": one.n,
                "small": "yes" if one.small else "no",
                "entropy_before": f"{entropy.before:.4f}",
                "entropy_after": f"{entropy.after:.4f}",
                **_rate_columns("kept", kept.get((one.dataset, one.attribute))),
                **_rate_columns("target_share", reached.get(one.dataset)),
            }
        )
    return rows


def composition_rows(found: Sequence[Composition]) -> list[dict[str, Any]]:
    """Return one row per dataset, attribute and class."""
    return [
        {
            "dataset": one.dataset,
            "attribute": one.attribute,
            "class": one.label,
            "shift_follow": f"{one.follow:.4f}",
            "shift_keep": f"{one.keep:.4f}",
            "composition_bias": f"{one.difference:.4f}",
            "low": f"{one.low:.4f}",
            "high": f"{one.high:.4f}",
            "n": one.n,
            "small": "yes" if one.small else "no",
        }
        for one in found
    ]


def _rate_columns(name: str, rate: Rate | None) -> dict[str, str]:
    values = ("", "", "") if rate is None else (f"{x:.4f}" for x in (rate.value, rate.low, rate.high))
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))


def _identities(cases: Sequence[Projected]) -> NDArray[np.int64] | None:
    """Return whom each picture shows, as integers ``[n]``; None where each shows somebody else."""
    names = [one.identity or f" {place}" for place, one in enumerate(cases)]
    known, where = np.unique(names, return_inverse=True)
    return None if len(known) == len(names) else where.astype(np.int64)


def _limits(
    columns: NDArray[np.float64], seed: int, who: NDArray[np.int64] | None
) -> list[tuple[float, float]]:
    """Return the 95% interval of each column's mean, a difference of shares; one alone says nothing."""
    if (len(columns) if who is None else len(np.unique(who))) < 2:
        return [(-1.0, 1.0)] * columns.shape[1]
    counted = np.concatenate([columns, np.ones((len(columns), 1))], axis=1)
    totals = bootstrap_totals(counted, np.random.default_rng(seed), who)
    return [percentile_limits(totals[:, k] / totals[:, -1]) for k in range(columns.shape[1])]


def _rate(
    dataset: str, attribute: str, holds: NDArray[Any], seed: int, who: NDArray[np.int64] | None
) -> Rate:
    """Return a share with Wilson's interval, and where pictures show the same one the wider limits."""
    successes, n = float(np.sum(holds)), len(holds)
    low, high = (float(one) for one in wilson(successes, n))
    if who is not None:
        ((least, most),) = _limits(np.asarray(holds, dtype=np.float64)[:, None], seed, who)
        low, high = max(0.0, min(low, least)), max(high, most)
    return Rate(dataset, attribute, successes / n, low, high, n)


def _one_hot(probabilities: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    table = np.asarray(probabilities)
    found: NDArray[np.float64] = np.eye(table.shape[1])[table.argmax(axis=1)]
    return found


def _entropy(one_hot: NDArray[np.float64]) -> float:
    shares = one_hot.mean(axis=0)
    present = shares[shares > 0]
    return float(-(present * np.log(present)).sum()) + 0.0
