"""Which pictures changed their predicted class with a projection, and how they look before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentlab.operations.attribute_table import Probabilities
from latentlab.spec import PredictorSpec

if TYPE_CHECKING:
    from latentlab.operations.explore import Explorer
    from latentlab.operations.project import Projected

MOST = 8
"""Examples that are drawn at most."""


@dataclass(frozen=True, eq=False)
class Example:
    """A picture in two states: uint8 ``[S, S, 3]``, RGB, settled, and the class that is predicted of each.

    ``titles`` say what the states are.
    """

    name: str
    titles: tuple[str, str]
    pictures: tuple[NDArray[np.uint8], NDArray[np.uint8]]
    labels: tuple[str, str]


@dataclass(frozen=True, eq=False)
class Changed:
    """A picture whose class differs between two states: each its projection onto a dataset in a mode."""

    name: str
    titles: tuple[str, str]
    states: tuple[tuple[Projected, str], tuple[Projected, str]]
    labels: tuple[str, str]


def changed_by_projection(
    found: Sequence[Projected], judge: PredictorSpec, dataset: str, attribute: str, label: str
) -> list[Changed]:
    """Return the pictures that become a class with the projection onto a dataset, or cease to be it.

    The more frequent of both come first; within them they stand in the order that is given.
    """
    every = []
    for one in found:
        after = one.said_on(dataset)
        if one.source_dataset != dataset and after is not None:
            labels = _labels((one.base, after), judge, attribute)
            states = ((one, one.source_dataset), (one, dataset))
            every.append(Changed(one.name, ("before", dataset), states, labels))
    return _sorted(every, label)


def changed_by_composition(
    follow: Sequence[Projected],
    keep: Sequence[Projected],
    judge: PredictorSpec,
    dataset: str,
    attribute: str,
    label: str,
) -> list[Changed]:
    """Return the pictures whose projection onto a dataset is of a class in one mode only.

    ``follow`` and ``keep`` are of the same pictures in the same order.
    """
    every = []
    for followed, kept in zip(follow, keep, strict=True):
        said = (kept.said_on(dataset), followed.said_on(dataset))
        if dataset not in (followed.source_dataset, kept.source_dataset) and None not in said:
            labels = _labels((said[0] or {}, said[1] or {}), judge, attribute)
            every.append(
                Changed(kept.name, ("keep", "follow"), ((kept, dataset), (followed, dataset)), labels)
            )
    return _sorted(every, label)


def draw_examples(explorer: Explorer, changed: Sequence[Changed]) -> list[Example]:
    """Draw pictures from their latents in both states, settled."""
    from latentlab.operations.project import condition_on

    found = []
    for one in changed:
        first, second = (
            explorer.picture(explorer.latent(state.latent), condition_on(explorer, dataset, state.keep))
            for state, dataset in one.states
        )
        found.append(Example(one.name, one.titles, (first, second), one.labels))
    return found


def _labels(
    said: tuple[Probabilities, Probabilities], judge: PredictorSpec, attribute: str
) -> tuple[str, str]:
    classes = next(one.classes for one in judge.attributes if one.name == attribute)
    first, second = (classes[int(np.argmax(one[attribute]))] for one in said)
    return first, second


def _sorted(every: Sequence[Changed], label: str) -> list[Changed]:
    became = [one for one in every if one.labels[1] == label != one.labels[0]]
    ceased = [one for one in every if one.labels[0] == label != one.labels[1]]
    return [*became, *ceased] if len(became) >= len(ceased) else [*ceased, *became]
