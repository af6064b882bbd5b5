"""The same z on different datasets, without torch: which latents, under which conditions, and their names.

A grid of samples has one latent z a row and one dataset a column, so that a row shows one content as every
dataset has it. A further column can be a *blend*: the condition (1 - w) A + w B of two datasets, which no
training has shown. The window draws a plan live, a script settled (`latentlab.operations.sample_grid`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import SettingsError
from latentlab.operations.interpolate import Kind, path
from latentlab.operations.latents import draw
from latentlab.operations.projection_plan import (
    latent_norm,
    mixed_condition,
    projection_condition,
    share_of_keep,
)
from latentlab.spec import ConditionSchema, ModelSpec

MOST_ROWS = 12
"""Rows of a grid at most in the window."""
LARGEST_SEED = 2**31 - 1
BLENDS = 9
"""Pictures of a strip from one dataset to another."""
WAY, MOST_WAY = 24, 96
"""Pictures of a way from one latent to another where nobody says how many, and at most in the window."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One latent of a grid.

    Parameters
    ----------
    name
        What stands beside its row.
    latent
        z, float32 ``[*latent_shape]``.
    seed, truncation
        With which seed it was drawn, and what it was multiplied by; None where it was not drawn.
    """

    name: str
    latent: NDArray[np.float32]
    seed: int | None = None
    truncation: float = 1.0

    @property
    def norm(self) -> float:
        """|z| / sqrt(D)."""
        return latent_norm(self.latent)


@dataclass(frozen=True)
class Blend:
    """A mixture of two datasets: ``first`` with the weight 1 - share, ``second`` with the weight share."""

    first: str
    second: str
    share: float = 0.5

    @property
    def name(self) -> str:
        """What its column is called."""
        return f"{1.0 - self.share:.0%} {self.first} + {self.share:.0%} {self.second}"

    @property
    def short(self) -> str:
        """What stands above its column, where there is little room."""
        return f"{self.share:.0%} {self.second}"


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a grid: a dataset, or a blend of two; and its condition, float32 ``[C]``."""

    name: str
    condition: NDArray[np.float32]
    blend: Blend | None = None

    @property
    def datasets(self) -> tuple[str, ...]:
        """The dataset, or both that are blended."""
        return (self.name,) if self.blend is None else (self.blend.first, self.blend.second)


@dataclass(frozen=True, eq=False)
class SamplePlan:
    """A grid of samples: every latent under every column's condition.

    Parameters
    ----------
    keep
        The share of the mode *keep*, 0 to 1.
    """

    samples: tuple[Sample, ...]
    columns: tuple[Column, ...]
    keep: float

    @property
    def latents(self) -> NDArray[np.float32]:
        """Float32 ``[R K, *latent_shape]``, row by row."""
        return np.repeat(np.stack([one.latent for one in self.samples]), len(self.columns), axis=0)

    @property
    def conditions(self) -> NDArray[np.float32]:
        """Float32 ``[R K, C]``, row by row."""
        return np.tile(np.stack([one.condition for one in self.columns]), (len(self.samples), 1))


def draw_samples(spec: ModelSpec, seeds: Sequence[int], truncation: float = 1.0) -> tuple[Sample, ...]:
    """Draw one latent a seed, as Randomise does (`latentlab.operations.latents.draw`, also for errors)."""
    return tuple(Sample(f"seed {one}", draw(spec, one, truncation), one, truncation) for one in seeds)


def sample_plan(
    schema: ConditionSchema,
    samples: Sequence[Sample],
    onto: Sequence[str] | None = None,
    keep: float = 1.0,
    blend: Blend | None = None,
) -> SamplePlan:
    """Plan a grid.

    Parameters
    ----------
    onto
        The datasets, in this order; all of the model's if None.
    keep
        The share of the mode *keep*, 0 to 1.
    blend
        What a further column shows.

    Raises
    ------
    SettingsError
        If there is no sample or no dataset, a dataset is unknown, or a share is not from 0 to 1.
    """
    names = schema.attributes[0].classes if onto is None else tuple(onto)
    if not samples or not names:
        raise SettingsError("A grid of samples needs a row and a dataset at least.")
    columns = [Column(name, projection_condition(schema, name, keep)) for name in names]
    if blend is not None:
        condition = blend_condition(schema, blend.first, blend.second, blend.share, keep)
        columns.append(Column(blend.name, condition, blend))
    return SamplePlan(tuple(samples), tuple(columns), share_of_keep(schema, keep))


def blend_condition(
    schema: ConditionSchema, first: str, second: str, share: float, keep: float = 1.0
) -> NDArray[np.float32]:
    """Return the condition (1 - share) first + share second of two datasets, float32 ``[C]``.

    Raises
    ------
    SettingsError
        If a dataset is unknown, both are the same, or a share is not from 0 to 1.
    """
    if first == second:
        raise SettingsError(f"A blend needs two datasets; {first} is given twice. Choose another.")
    if not 0.0 <= share <= 1.0:
        raise SettingsError(f"The share of the second dataset lies between 0 and 1, not {share:g}.")
    return mixed_condition(schema, {first: 1.0 - share, second: share}, keep)


def blend_conditions(
    schema: ConditionSchema, first: str, second: str, steps: int = BLENDS, keep: float = 1.0
) -> NDArray[np.float32]:
    """Return conditions evenly from one dataset to another, float32 ``[steps, C]``.

    Raises
    ------
    SettingsError
        As `blend_condition`, and if there are fewer than 2 steps.
    """
    if steps < 2:
        raise SettingsError(f"A strip of blends has 2 pictures at least, not {steps}.")
    shares = np.linspace(0.0, 1.0, steps).tolist()
    return np.stack([blend_condition(schema, first, second, share, keep) for share in shares])


def way(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    steps: int = WAY,
    kind: Kind = "spherical",
) -> NDArray[np.float32]:
    """Return the latents from one to another with both ends, float32 ``[steps, *latent_shape]``.

    Raises
    ------
    SettingsError
        If there are fewer than 2 steps, or they make no path (`latentlab.operations.interpolate.path`).
    """
    if steps < 2:
        raise SettingsError(f"A way has 2 pictures at least, its two ends; not {steps}.")
    return path([first, second], steps - 1, kind)
