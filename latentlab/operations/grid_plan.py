"""Which latents a grid shows: strips along several axes, or the plane of two. Without torch.

An axis is a dimension (its number), which takes absolute values over its range, or a direction, along
which the latent is moved to either side. The window renders a plan live, a script renders it settled.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import SettingsError
from latentlab.operations.direction import Direction, along
from latentlab.operations.latents import ranking
from latentlab.operations.traverse import MOST_STEPS, STEPS, Axis, line
from latentlab.spec import ModelSpec

Along = int | Direction
"""A dimension, counted from 0 over the flattened latent, or a direction."""

STRIPS = 8
"""Strips that are shown where no axis is named."""


@dataclass(frozen=True, eq=False)
class GridPlan:
    """Latents in rows and columns.

    Parameters
    ----------
    latents
        Float32 ``[rows * columns, *latent_shape]``, row by row.
    names
        What tells one from the next, such as ``z3=1.5``.
    row_labels, column_labels
        What stands beside the rows and above the columns.
    """

    latents: NDArray[np.float32]
    names: tuple[str, ...]
    rows: int
    columns: int
    row_labels: tuple[str, ...]
    column_labels: tuple[str, ...]

    def index_of(self, latent: NDArray[np.float32]) -> int | None:
        """Return which of the latents that one is, None where none is."""
        flat = self.latents.reshape(len(self.latents), -1)
        same = np.flatnonzero((flat == latent.reshape(-1)).all(1))
        return int(same[0]) if same.size else None


def strips(
    spec: ModelSpec,
    latent: NDArray[np.float32],
    axes: Sequence[Along] = (),
    steps: int = STEPS,
    low: float | None = None,
    high: float | None = None,
    reach: float | None = None,
    locked: Collection[int] = (),
) -> GridPlan:
    """Plan one strip an axis.

    Parameters
    ----------
    axes
        Without any, the dimensions that do most.
    low, high
        Between which values dimensions go; each one's own range without them.
    reach
        How far directions go to either side, in sigma; each one's own without it.
    locked
        Dimensions that directions leave as they are (`latentlab.operations.direction.along`).

    Raises
    ------
    SettingsError
        If an axis does not belong to the model, all of it is locked, or the numbers make no strip.
    """
    chosen = list(axes) or ranking(spec)[:STRIPS].tolist()
    values = [axis_values(spec, axis, steps, low, high, reach) for axis in chosen]
    latents = np.concatenate(
        [moved(spec, latent, axis, each, locked) for axis, each in zip(chosen, values, strict=True)]
    )
    names = [
        f"{name_of(axis)}{_said(axis, v)}" for axis, each in zip(chosen, values, strict=True) for v in each
    ]
    labels = tuple(name_of(axis) for axis in chosen)
    alike = all(np.array_equal(values[0], each) for each in values) and len({*map(_unit, chosen)}) == 1
    if not alike:
        columns: tuple[str, ...] = ("low", *[""] * (steps - 2), "high")  # each axis has a range of its own
        ends = [f"{each[0]:.1f} to {each[-1]:.1f}{_unit(a)}" for a, each in zip(chosen, values, strict=True)]
        labels = tuple(f"{label}: {end}" for label, end in zip(labels, ends, strict=True))
    else:
        columns = tuple(_label(chosen[0], value) for value in values[0])
    return GridPlan(latents, tuple(names), len(chosen), steps, labels, columns)


def plane(
    spec: ModelSpec,
    latent: NDArray[np.float32],
    across: Along,
    down: Along,
    steps: int = STEPS,
    low: float | None = None,
    high: float | None = None,
    reach: float | None = None,
    locked: Collection[int] = (),
) -> GridPlan:
    """Plan the plane of two axes: ``across`` changes from column to column, ``down`` from row to row.

    Raises
    ------
    SettingsError
        As for `strips`, and if both axes are the same.
    """
    if name_of(across) == name_of(down):
        raise SettingsError(f"A plane needs two axes; {name_of(across)} was given twice.")
    right, below = (axis_values(spec, axis, steps, low, high, reach) for axis in (across, down))
    rows = moved(spec, latent, down, below, locked)
    latents = np.concatenate([moved(spec, row, across, right, locked) for row in rows])
    names = [
        f"{name_of(down)}{_said(down, v)} {name_of(across)}{_said(across, w)}" for v in below for w in right
    ]
    labels = tuple(f"{name_of(down)} {_label(down, value)}" for value in below)
    columns = [_label(across, value) for value in right]
    columns[0] = f"{name_of(across)} {columns[0]}"
    return GridPlan(latents, tuple(names), steps, steps, labels, tuple(columns))


def name_of(axis: Along) -> str:
    """Return what an axis is called: ``z3``, or the direction's name."""
    return axis.name if isinstance(axis, Direction) else f"z{axis}"


def axis_values(
    spec: ModelSpec,
    axis: Along,
    steps: int = STEPS,
    low: float | None = None,
    high: float | None = None,
    reach: float | None = None,
) -> NDArray[np.float32]:
    """Return evenly spaced values of an axis, float32 ``[steps]``: absolute, or sigma to either side.

    Raises
    ------
    SettingsError
        As for `strips`.
    """
    if not isinstance(axis, Direction):
        return Axis.over(spec, axis, low, high, steps).values
    if not 2 <= steps <= MOST_STEPS:
        raise SettingsError(f"A strip has 2 to {MOST_STEPS} steps; {steps} were asked for.")
    end = axis.reach if reach is None else reach
    if not np.isfinite(end):
        raise SettingsError(f"The reach is a finite number of sigma, not {end}.")
    return np.linspace(-end, end, steps, dtype=np.float32)


def moved(
    spec: ModelSpec,
    latent: NDArray[np.float32],
    axis: Along,
    values: NDArray[np.float32],
    locked: Collection[int] = (),
) -> NDArray[np.float32]:
    """Return a latent at values of an axis ``[n]``: float32 ``[n, *latent_shape]``.

    A direction leaves locked dimensions as they are; an axis that is itself a locked dimension shows what it
    would do.
    """
    if isinstance(axis, Direction):
        return along(spec, latent, axis, values, locked)
    return line(latent, Axis(axis, values))


def _unit(axis: Along) -> str:
    return " σ" if isinstance(axis, Direction) else ""


def _label(axis: Along, value: float) -> str:
    return f"{value:+.1f} σ" if isinstance(axis, Direction) else f"{value:.2f}"


def _said(axis: Along, value: float) -> str:
    return f" {value:+.6g} sigma" if isinstance(axis, Direction) else f"={value:.6g}"
