"""Counterfactuals of one picture: which conditions to draw it under, and what changed. Without torch.

A plan lists the conditions of a row (the classes of one attribute) or of a table (those of two); the window
draws it live, a script settled (`latentlab.operations.counterfactual`). What changed is read from two
pictures and from what a predictor says of them, so it is told from the class that was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.conditions import as_condition, choose, chosen, extrapolates
from latentlab.errors import SettingsError
from latentlab.operations.attribute_table import Probabilities
from latentlab.operations.difference import (
    DARKER,
    LIGHTER,
    WHITE,
    Colour,
    difference_picture,
    differing,
)
from latentlab.spec import Attribute, ConditionSchema

THRESHOLD = 8.0
"""Pixels that differ by less than so many of 255 are shown as unchanged."""

Targets = Mapping[str, str]
"""The class that is asked for, by attribute."""


@dataclass(frozen=True, eq=False)
class CounterfactualPlan:
    """Conditions in rows and columns.

    Parameters
    ----------
    conditions
        Float32 ``[rows * columns, C]``, row by row.
    targets
        What is asked for in each: one class of a row's attribute, or one of each of a table's.
    row_labels, column_labels
        What stands beside the rows and above the columns.
    own
        Which cell has the picture's own classes, whatever the scale; None where it has no one class.
    extrapolation
        Whether a cell's condition lies outside the mixtures that training knows.
    scale
        What the classes are multiplied by.
    """

    conditions: NDArray[np.float32]
    targets: tuple[Targets, ...]
    row_labels: tuple[str, ...]
    column_labels: tuple[str, ...]
    own: int | None
    extrapolation: tuple[bool, ...]
    scale: float = 1.0

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.row_labels)

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return len(self.column_labels)

    @property
    def names(self) -> tuple[str, ...]:
        """What tells one cell from the next: ``gender=male``, ``gender=male,race=black``, ``... x1.5``."""
        by = "" if self.scale == 1.0 else f" x{self.scale:g}"
        return tuple(",".join(f"{k}={v}" for k, v in target.items()) + by for target in self.targets)


def row(
    schema: ConditionSchema, condition: ArrayLike, attribute: str, scale: float = 1.0
) -> CounterfactualPlan:
    """Plan a counterfactual for every class of one attribute, in one row.

    Parameters
    ----------
    condition
        The picture's own ``[C]``; its other attributes are kept.
    scale
        What each class is multiplied by: 1 as trained. Any number is allowed; see ``extrapolation``.

    Raises
    ------
    SettingsError
        If the model does not know the attribute, or it has no classes, or the numbers do not fit.
    """
    return _plan(schema, condition, (_categorical(schema, attribute),), scale)


def single(
    schema: ConditionSchema, condition: ArrayLike, attribute: str, label: str, scale: float = 1.0
) -> CounterfactualPlan:
    """Plan the counterfactual of one class of an attribute; raises as `row`, and for an unknown class."""
    known = _categorical(schema, attribute)
    known.index(label)
    return _plan(schema, condition, (known,), scale, only=label)


def table(
    schema: ConditionSchema, condition: ArrayLike, first: str, second: str, scale: float = 1.0
) -> CounterfactualPlan:
    """Plan a counterfactual for every pair of classes: the first attribute's go down, the second's across.

    Raises
    ------
    SettingsError
        As for `row`, and if both attributes are the same.
    """
    if first == second:
        raise SettingsError(f"A table needs two attributes; {first!r} was given twice.")
    attributes = (_categorical(schema, first), _categorical(schema, second))
    return _plan(schema, condition, attributes, scale)


def other_class(schema: ConditionSchema, condition: ArrayLike, attribute: str) -> str | None:
    """Return the class after the one that a condition ``[C]`` has, after the last the first.

    None where the condition has no class of the attribute, or a mixture; raises as `row`.
    """
    classes, mine = _categorical(schema, attribute).classes, _own_class(schema, condition, attribute)
    return None if mine is None else classes[(classes.index(mine) + 1) % len(classes)]


@dataclass(frozen=True, eq=False)
class Change:
    """What changed between two pictures of which the second was asked to show other classes.

    Parameters
    ----------
    difference
        The signed difference as a picture, uint8 ``[S, S, 3]``, RGB.
    share
        Share of the pixels that differ by the threshold or more, 0 to 1.
    before, after
        What the predictor says of the two, by attribute; empty without a predictor.
    effect
        How much more probable what was asked for became, -1 to 1 (the product of the probabilities where two
        attributes were asked for); None where the predictor does not judge it.
    moved
        By how much the answer about every *other* attribute moved: total variation, half the summed absolute
        difference of the probabilities, 0 to 1.
    slipped
        The other attributes whose most probable class changed, which should not have.
    """

    difference: NDArray[np.uint8]
    share: float
    before: Probabilities
    after: Probabilities
    effect: float | None
    moved: Mapping[str, float]
    slipped: tuple[str, ...]

    @property
    def leakage(self) -> float | None:
        """The mean total variation of the other attributes, 0 to 1; None where none is judged."""
        return float(np.mean(list(self.moved.values()))) if self.moved else None


def what_changed(
    before: NDArray[np.uint8],
    after: NDArray[np.uint8],
    said_before: Probabilities,
    said_after: Probabilities,
    classes: Mapping[str, tuple[str, ...]],
    targets: Targets,
    threshold: float = THRESHOLD,
    ground: Colour = WHITE,
    darker: Colour = DARKER,
    lighter: Colour = LIGHTER,
) -> Change:
    """Compare a picture with its counterfactual.

    Parameters
    ----------
    before, after
        Uint8 ``[S, S, 3]``, RGB. Before is the reconstruction rather than the input, so that what
        reconstruction alone changes does not count.
    said_before, said_after
        What the predictor says of them: probabilities ``[classes]`` by attribute, or nothing.
    classes
        The predictor's classes by attribute.
    targets
        What the second was asked to show.
    threshold
        Pixels that differ by less, of 255, have the ground's colour and count as unchanged.
    """
    others = [name for name in said_before if name not in targets and classes.get(name)]
    return Change(
        difference=difference_picture(before, after, ground, darker, lighter, threshold),
        share=float(differing(before, after, threshold).mean()),
        before=said_before,
        after=said_after,
        effect=_effect(said_before, said_after, classes, targets),
        moved={name: total_variation(said_before[name], said_after[name]) for name in others},
        slipped=tuple(n for n in others if np.argmax(said_before[n]) != np.argmax(said_after[n])),
    )


def total_variation(first: ArrayLike, second: ArrayLike) -> float:
    """Return how far two distributions ``[classes]`` are apart: 0 the same, 1 nothing in common."""
    return float(0.5 * np.abs(np.asarray(first, np.float64) - np.asarray(second, np.float64)).sum())


def _effect(
    before: Probabilities, after: Probabilities, classes: Mapping[str, tuple[str, ...]], targets: Targets
) -> float | None:
    if not targets or any(
        name not in before or label not in classes[name] for name, label in targets.items()
    ):
        return None
    places = {name: classes[name].index(label) for name, label in targets.items()}
    there, here = (np.prod([float(said[name][k]) for name, k in places.items()]) for said in (after, before))
    return float(there - here)


def _categorical(schema: ConditionSchema, name: str) -> Attribute:
    attribute = schema.attribute(name)
    if attribute.kind != "categorical":
        names = ", ".join(one.name for one in schema.attributes if one.kind == "categorical") or "none has"
        raise SettingsError(f"{name!r} is continuous and has no classes to go through; choose from: {names}.")
    return attribute


def _own_class(schema: ConditionSchema, condition: ArrayLike, name: str) -> str | None:
    found = chosen(schema, condition, name)
    return found[0] if found is not None and found[1] > 0.0 else None


def _plan(
    schema: ConditionSchema,
    condition: ArrayLike,
    attributes: tuple[Attribute, ...],
    scale: float,
    only: str | None = None,
) -> CounterfactualPlan:
    if not np.isfinite(scale):
        raise SettingsError(f"A scale is a finite number, 1 as trained; {scale} was given.")
    base = as_condition(condition, schema)
    classes = [attribute.classes if only is None else (only,) for attribute in attributes]
    names = [attribute.name for attribute in attributes]
    targets = tuple(dict(zip(names, labels, strict=True)) for labels in product(*classes))
    conditions = np.stack([choose(schema, target, base, scale) for target in targets])
    mine = {name: _own_class(schema, base, name) for name in names}
    return CounterfactualPlan(
        conditions=conditions,
        targets=targets,
        row_labels=classes[0] if len(attributes) > 1 else (names[0],),
        column_labels=classes[-1],
        own=next((k for k, target in enumerate(targets) if target == mine), None),
        extrapolation=tuple(
            any(extrapolates(schema, one, attribute.name) for attribute in schema.attributes)
            for one in conditions
        ),
        scale=scale,
    )
