"""Tables of projections: what the predictor says of each, and what a dataset does to people.

The shift of a class is the share of pictures that are predicted as it after the projection onto a dataset,
minus the share in their reconstructions: what the autoencoder loses is not the dataset's doing. Its interval
is bootstrapped over the pictures. The entropy of an attribute says how mixed its predicted classes are: a
dataset onto which all become alike has lost diversity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.metrics.intervals import bootstrap_totals, percentile_limits
from latentlab.operations.project import Projected
from latentlab.spec import PredictorSpec


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
class Shifts:
    """What every dataset does to every attribute of a body of pictures."""

    classes: tuple[Shift, ...]
    diversity: tuple[Diversity, ...]


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
                said = (one.attributes, one.reconstructed or one.attributes, item.attributes)
                seen, before, after = (part[attribute.name] for part in said)
                row[f"{attribute.name}_input"] = attribute.classes[int(np.argmax(seen))]
                row[f"{attribute.name}_before"] = attribute.classes[int(np.argmax(before))]
                row[f"{attribute.name}_after"] = attribute.classes[int(np.argmax(after))]
                row[f"{attribute.name}_probability"] = f"{float(np.max(after)):.4f}"
            rows.append(row)
    return rows


def shifts(found: Sequence[Projected], predictor: PredictorSpec, seed: int = 0) -> Shifts:
    """Count what the projections do to the predicted classes.

    Parameters
    ----------
    found
        Projections of pictures onto the same datasets, at least one. A picture does not count for its own
        dataset, where it is only reconstructed.
    """
    classes: list[Shift] = []
    diversity: list[Diversity] = []
    datasets = list(dict.fromkeys(item.dataset for one in found for item in one.items))
    for dataset in datasets:
        pairs = [
            (one.reconstructed or one.attributes, item.attributes)
            for one in found
            if one.source_dataset != dataset
            for item in one.items
            if item.dataset == dataset
        ]
        if not pairs:
            continue
        for attribute in predictor.attributes:
            if attribute.kind != "categorical":
                continue
            before, after = (_one_hot([pair[side][attribute.name] for pair in pairs]) for side in (0, 1))
            totals = bootstrap_totals(after - before, np.random.default_rng(seed)) / len(pairs)
            for k, label in enumerate(attribute.classes):
                low, high = percentile_limits(totals[:, k])
                classes.append(
                    Shift(
                        dataset,
                        attribute.name,
                        label,
                        float(before[:, k].mean()),
                        float(after[:, k].mean()),
                        low,
                        high,
                        len(pairs),
                    )
                )
            diversity.append(Diversity(dataset, attribute.name, _entropy(before), _entropy(after)))
    return Shifts(tuple(classes), tuple(diversity))


def shift_rows(found: Shifts) -> list[dict[str, Any]]:
    """Return one row per dataset, attribute and class; the attribute's entropies stand in each."""
    entropies = {(one.dataset, one.attribute): one for one in found.diversity}
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
                "entropy_before": f"{entropy.before:.4f}",
                "entropy_after": f"{entropy.after:.4f}",
            }
        )
    return rows


def _one_hot(probabilities: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    table = np.asarray(probabilities)
    found: NDArray[np.float64] = np.eye(table.shape[1])[table.argmax(axis=1)]
    return found


def _entropy(one_hot: NDArray[np.float64]) -> float:
    shares = one_hot.mean(axis=0)
    present = shares[shares > 0]
    return float(-(present * np.log(present)).sum()) + 0.0
