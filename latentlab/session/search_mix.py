"""The mix of a found set: which share of it is of each class, how sure that is, and what it stands beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentlab.operations.attribute_table import Probabilities
from latentlab.session.document import SearchView
from latentlab.spec import PredictorSpec

if TYPE_CHECKING:
    from latentlab.operations.search_result import PictureSearch

BESIDE = {
    "input": "in the input, as predicted",
    "row": "the picture's own label",
    "assumed": "assumed",
    "none": "",
}
"""What the mix is compared with, in words."""


@dataclass(frozen=True)
class MixRow:
    """A class's share of the set with its 95% interval, and what it is compared with (None for nothing)."""

    label: str
    count: int
    share: float
    low: float
    high: float
    beside: float | None = None


@dataclass(frozen=True)
class Mix:
    """An attribute's mix.

    Parameters
    ----------
    count
        How many restarts under eps, or draws, it is counted over.
    worth
        Independent ones that they are worth: so many the interval is of.
    met
        Whether they are of chains that have met; else their shares say little.
    """

    attribute: str
    rows: tuple[MixRow, ...]
    count: int
    worth: float
    met: bool = True


def attributes_of(judge: PredictorSpec | None) -> tuple[str, ...]:
    """Return the attributes whose mix can be shown."""
    return () if judge is None else tuple(one.name for one in judge.attributes if one.classes)


def chosen_attribute(judge: PredictorSpec | None, view: SearchView) -> str:
    """Return the attribute whose mix is shown; empty where there is none."""
    names = attributes_of(judge)
    return view.attribute if view.attribute in names else next(iter(names), "")


def mixes_of(found: PictureSearch) -> dict[str, Mix]:
    """Count a found set by attribute (`PictureSearch.shares`)."""
    mixes = {}
    for name in attributes_of(found.predictor):
        counts, shares = found.mix(name), found.shares(name)
        rows = tuple(
            MixRow(label, counts[label], one.value, one.low or 0.0, 1.0 if one.high is None else one.high)
            for label, one in shares.items()
        )
        met = found.sampling is None or found.sampling.agrees
        mixes[name] = Mix(name, rows, sum(counts.values()), found.worth, met)
    return mixes


def beside_of(
    view: SearchView,
    attribute: str,
    classes: tuple[str, ...],
    source: Probabilities,
    row: Mapping[str, str],
) -> dict[str, float]:
    """Return what the shares of an attribute's classes are compared with, by class; empty for nothing.

    Parameters
    ----------
    source
        What the predictor sees in the input.
    row
        The input's own labels.
    """
    if view.beside == "input" and attribute in source:
        return {label: float(p) for label, p in zip(classes, source[attribute], strict=True)}
    if view.beside == "row" and row.get(attribute) in classes:
        return {label: float(label == row[attribute]) for label in classes}
    if view.beside == "assumed":
        return assumed_of(view, attribute, classes)
    return {}


def assumed_of(view: SearchView, attribute: str, classes: tuple[str, ...]) -> dict[str, float]:
    """Return the shares that are assumed of an attribute's classes: all alike where nobody said otherwise."""
    shares = dict(view.assumed).get(attribute, ())
    if len(shares) != len(classes):
        shares = (1.0 / len(classes),) * len(classes)
    return dict(zip(classes, shares, strict=True))
