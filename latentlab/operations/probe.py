"""The probability of an attribute along an axis: for one latent, and for many, as their mean with its band.

A curve that climbs for one face and stays flat for the mean says something of that face; a mean that climbs
says what the axis does to the model's pictures, as far as the predictor can see it. No torch here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.conditions import first_classes
from latentlab.errors import SettingsError
from latentlab.operations.direction import Direction, offset
from latentlab.operations.grid_plan import Along, axis_values, moved, name_of
from latentlab.operations.latents import draw
from latentlab.operations.map_rows import COUNT, chosen_rows
from latentlab.operations.row_table import save_rows
from latentlab.operations.scale_axis import ScaleAxis
from latentlab.progress import Progress, Reporter
from latentlab.spec import ModelSpec

if TYPE_CHECKING:
    from latentlab.operations.explore import Explorer

Probed = Along | ScaleAxis
"""What can be probed along: a dimension, a direction, or the scale of a class of the condition."""

POINTS = 25
"""Places on the axis at which one latent is judged."""
MEAN_POINTS = 13
"""Places at which many are, every second one of `POINTS`."""
MEAN_COUNT = 200
"""Latents of which the mean is taken."""


@dataclass(frozen=True, eq=False)
class Band:
    """Many latents' probabilities at each place.

    Parameters
    ----------
    mean, low, high
        Mean and quartiles (25% and 75%) over the latents, float32 ``[m, classes]``.
    count
        How many latents.
    """

    mean: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    count: int


@dataclass(frozen=True, eq=False)
class Probe:
    """Curves along an axis.

    Parameters
    ----------
    axis
        Its name.
    values, mean_values
        The places of the curve and of the bands, ``[m]``: a dimension's values, or sigma from the start.
    curve
        One latent's probabilities by attribute, float32 ``[m, classes]``.
    bands
        Many latents' by attribute; empty where none were asked for.
    """

    axis: str
    values: NDArray[np.float32]
    mean_values: NDArray[np.float32]
    classes: Mapping[str, tuple[str, ...]]
    curve: Mapping[str, NDArray[np.float32]]
    bands: Mapping[str, Band]

    def rows(self) -> list[dict[str, Any]]:
        """Return a tidy table: one row a place, attribute and class, with the band where there is one."""
        return probe_rows(self.axis, self.classes, self.values, self.curve, self.mean_values, self.bands)

    def save_table(self, path: Path) -> None:
        """Save the table as CSV; raises `SettingsError` if it cannot be written."""
        save_rows(path, self.rows())


def probe_values(spec: ModelSpec, axis: Probed, points: int = POINTS) -> NDArray[np.float32]:
    """Return evenly spaced places of an axis, float32 ``[points]``: values, sigma to either side, or scales.

    Raises
    ------
    SettingsError
        If the axis does not belong to the model.
    """
    if isinstance(axis, ScaleAxis):
        axis.place(spec.condition)
        return axis.values(points)
    return axis_values(spec, axis, points)


def probed_name(axis: Probed) -> str:
    """Return what an axis of a probe is called."""
    return axis.name if isinstance(axis, ScaleAxis) else name_of(axis)


def probe_conditions(
    spec: ModelSpec, conditions: NDArray[np.float32] | None, axis: Probed, values: NDArray[np.float32]
) -> NDArray[np.float32] | None:
    """Return the conditions that go with `probe_latents` or `mean_latents`.

    Parameters
    ----------
    conditions
        Of one latent ``[C]``, or one for each of many ``[k, C]``; None for an unconditional model.

    Returns
    -------
    numpy.ndarray or None
        ``[C]`` where one condition holds at all places of one latent, else ``[k * m, C]``.
    """
    if conditions is None:
        return None
    if isinstance(axis, ScaleAxis):
        return axis.conditions(spec.condition, conditions, values)
    return conditions if conditions.ndim == 1 else np.repeat(conditions, len(values), axis=0)


def probe_latents(
    spec: ModelSpec,
    latent: NDArray[np.float32],
    start: NDArray[np.float32],
    axis: Probed,
    values: NDArray[np.float32],
    locked: Collection[int] = (),
) -> NDArray[np.float32]:
    """Return one latent at places of an axis ``[m]``, float32 ``[m, *latent_shape]``.

    Along a direction the places count from ``start``, so that the curve stays as the latent moves on it.
    ``locked`` is as in `latentlab.operations.grid_plan.moved`.
    """
    if isinstance(axis, ScaleAxis):
        return np.repeat(latent[None], len(values), axis=0)
    if isinstance(axis, Direction):
        values = np.asarray(values - offset(latent, start, axis), dtype=np.float32)
    return moved(spec, latent, axis, values, locked)


def mean_latents(
    spec: ModelSpec,
    latents: NDArray[np.float32],
    axis: Probed,
    values: NDArray[np.float32],
    locked: Collection[int] = (),
) -> NDArray[np.float32]:
    """Return many latents ``[k, *latent_shape]`` at places ``[m]``: float32 ``[k * m, *latent_shape]``."""
    if isinstance(axis, ScaleAxis):
        return np.repeat(latents, len(values), axis=0)
    return np.concatenate([moved(spec, latent, axis, values, locked) for latent in latents])


def usual_latents(
    spec: ModelSpec, data: NDArray[np.float32] | None, count: int = MEAN_COUNT, seed: int = 0
) -> NDArray[np.float32]:
    """Return the latents of which a mean is taken: of the data where they are known, else of the prior.

    Parameters
    ----------
    data
        Encoded latents ``[n, ...]``, of which ``count`` are chosen by the seed.

    Raises
    ------
    SettingsError
        If there are no data and the prior cannot be drawn from.
    """
    if data is None:
        return np.stack([draw(spec, seed + k) for k in range(count)])
    return np.asarray(data[usual_rows(len(data), count, seed)], np.float32).reshape(-1, *spec.latent_shape)


def usual_rows(available: int, count: int = MEAN_COUNT, seed: int = 0) -> NDArray[np.int64]:
    """Return which rows of a set a mean is taken of, in their order: int64 ``[min(count, available)]``.

    Of a large set they are chosen among the rows of its usual map, so that the mean is of the same images
    whether one has the map or the set.
    """
    known = chosen_rows(available, COUNT, 0)
    return known[np.sort(np.random.default_rng(seed).permutation(len(known))[:count])]


def band(probabilities: NDArray[np.float32]) -> Band:
    """Return mean and quartiles of probabilities ``[k, m, classes]``."""
    low, high = np.percentile(probabilities, [25, 75], axis=0).astype(np.float32)
    return Band(probabilities.mean(0, dtype=np.float64).astype(np.float32), low, high, len(probabilities))


def probe(
    explorer: Explorer,
    latent: NDArray[np.float32],
    axis: Probed,
    start: NDArray[np.float32] | None = None,
    data: NDArray[np.float32] | None = None,
    count: int = MEAN_COUNT,
    points: int = POINTS,
    mean_points: int = MEAN_POINTS,
    seed: int = 0,
    reporter: Reporter | None = None,
    locked: Collection[int] = (),
    condition: NDArray[np.float32] | None = None,
    data_conditions: NDArray[np.float32] | None = None,
) -> Probe:
    """Judge one latent, and many others, at places along an axis; all pictures are rendered settled.

    Parameters
    ----------
    start
        From where sigma counts along a direction; the latent itself without it.
    data
        As in `usual_latents`.
    count
        Latents of the mean; 0 for none.
    locked
        Dimensions that a direction leaves as they are (`latentlab.operations.direction.along`).
    condition
        The latent's, ``[C]``; each attribute's first class without one. Unused by an unconditional model.
    data_conditions
        Those of the data, ``[n, C]``; ``condition`` for all without them.

    Raises
    ------
    SettingsError
        If no predictor is open, the axis does not belong to the model, or all of it is locked.
    Cancelled
        If the reporter asked for it.
    """
    judge = explorer.predictor_spec
    if judge is None:
        raise SettingsError("No attribute predictor goes with this model, so nothing can be probed.")
    reporter = reporter or Reporter()
    spec = explorer.spec
    values, mean_values = probe_values(spec, axis, points), probe_values(spec, axis, mean_points)
    told = None
    if spec.condition.size:
        told = first_classes(spec.condition) if condition is None else condition
    conditions = [_for_each(probe_conditions(spec, told, axis, values), points)]
    latents = [probe_latents(spec, latent, latent if start is None else start, axis, values, locked)]
    if count:
        usual = usual_latents(spec, data, count, seed)
        theirs = None if told is None else np.repeat(told[None], len(usual), axis=0)
        if data is not None and data_conditions is not None and spec.condition.size:
            theirs = data_conditions[usual_rows(len(data), count, seed)]
        latents.append(mean_latents(spec, usual, axis, mean_values, locked))
        at_places = probe_conditions(spec, theirs, axis, mean_values)
        conditions.append(_for_each(at_places, len(usual) * len(mean_values)))
    rows, known = np.concatenate(latents), [one for part in conditions for one in part]
    found = []
    for k, row in enumerate(rows):
        reporter.raise_if_cancelled()
        found.append(explorer.attributes(explorer.picture(row, known[k])))
        reporter.report(Progress("Probing", k + 1, len(rows)))
    names = [attribute.name for attribute in judge.attributes if attribute.classes]
    every = {name: np.stack([one[name] for one in found]) for name in names}
    curve = {name: values_of[:points] for name, values_of in every.items()}
    bands = {}
    if count:
        bands = {
            name: band(one[points:].reshape(-1, mean_points, one.shape[1])) for name, one in every.items()
        }
    classes = {one.name: one.classes for one in judge.attributes if one.classes}
    return Probe(probed_name(axis), values, mean_values, classes, curve, bands)


def _for_each(conditions: NDArray[np.float32] | None, count: int) -> Sequence[NDArray[np.float32] | None]:
    """Return a condition (or None) for each of so many latents."""
    if conditions is None:
        return [None] * count
    return [conditions] * count if conditions.ndim == 1 else list(conditions)


def probe_rows(
    axis: str,
    classes: Mapping[str, tuple[str, ...]],
    values: NDArray[np.float32],
    curve: Mapping[str, NDArray[np.float32]],
    mean_values: NDArray[np.float32],
    bands: Mapping[str, Band],
) -> list[dict[str, Any]]:
    """Return the tidy table of a probe (`Probe.rows`)."""
    rows = []
    for name, labels in classes.items():
        for k, label in enumerate(labels):
            for position, value in enumerate(values):
                row: dict[str, Any] = {
                    "axis": axis,
                    "value": float(value),
                    "attribute": name,
                    "class": label,
                    "probability": float(curve[name][position, k]),
                    "mean": "",
                    "low": "",
                    "high": "",
                    "n": "",
                }
                where = np.flatnonzero(np.isclose(mean_values, value, atol=1e-6))
                if name in bands and where.size:
                    one, place = bands[name], int(where[0])
                    row |= {
                        "mean": float(one.mean[place, k]),
                        "low": float(one.low[place, k]),
                        "high": float(one.high[place, k]),
                        "n": one.count,
                    }
                rows.append(row)
    return rows
