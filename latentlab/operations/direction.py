"""A named direction in a latent space, how to move along it, and its file.

A direction is a unit vector and how far the data spread along it, so that "two sigma towards glasses" means
the same for every direction. How directions are found is in `latentlab.operations.directions`. No torch here.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, ValidationError, model_validator

from latentlab.errors import SettingsError
from latentlab.operations.latents import as_latent
from latentlab.spec import ModelSpec, Record
from latentlab.whole_file import write_whole

UNIT = 1e-3
"""By how much a direction's length may differ from 1."""
_SHORTEST = 1e-6
_LEAST = 1e-9


Finite = Annotated[float, Field(allow_inf_nan=False)]


class Direction(Record):
    """A unit vector in the flattened latent, with a name and a scale.

    Parameters
    ----------
    vector
        Of length 1, ``[latent_size]``.
    sigma
        Standard deviation of the data's latents along it.
    reach
        How far it is explored to either side, in sigma.
    origin
        What it was made of, for a person.
    accuracy
        Balanced accuracy of the probe on held-out rows, 0.5 by chance; None where there is no probe.
    """

    name: str = Field(min_length=1)
    vector: tuple[Finite, ...]
    sigma: Annotated[Finite, Field(gt=0.0)]
    reach: Annotated[Finite, Field(gt=0.0)] = 3.0
    origin: str = ""
    accuracy: Finite | None = None

    @model_validator(mode="after")
    def _is_unit(self) -> Direction:
        length = float(np.linalg.norm(self.vector))
        if abs(length - 1.0) > UNIT:
            raise ValueError(
                f"the vector of {self.name} has length {length:.4g} where 1 is expected: its sigma "
                "would mean another step; divide the vector by its length"
            )
        return self

    def array(self) -> NDArray[np.float32]:
        """Return the vector, float32 ``[latent_size]``."""
        return np.asarray(self.vector, dtype=np.float32)


class Directions(Record):
    """Directions of one model, as they are kept in a file."""

    format: Literal["latentlab-directions"] = "latentlab-directions"
    version: Literal[1] = 1
    model: str
    sha256: str
    directions: tuple[Direction, ...]


def unit_direction(
    name: str, vector: ArrayLike, sigma: float, origin: str = "", accuracy: float | None = None
) -> Direction:
    """Return the direction of a vector ``[latent_size]`` of any length but none.

    Raises
    ------
    SettingsError
        If the vector has no length, so that it points nowhere.
    """
    numbers = np.asarray(vector, dtype=np.float64).reshape(-1)
    length = float(np.linalg.norm(numbers))
    if not length >= _SHORTEST:
        raise SettingsError(f"{name} is no direction: its two ends are the same.")
    unit = tuple(float(np.float32(value)) for value in numbers / length)
    return Direction(name=name, vector=unit, sigma=max(sigma, _SHORTEST), origin=origin, accuracy=accuracy)


def spread_along(spec: ModelSpec, vector: ArrayLike) -> float:
    """Return how far the data spread along a vector ``[latent_size]``, as far as the model itself knows.

    The model stores the spread of each dimension but not how they go together: they are taken to be
    uncorrelated, as they nearly are in a trained VAE. Without stored spreads the prior's, 1, is taken.
    """
    numbers = np.asarray(vector, dtype=np.float64).reshape(-1)
    numbers = numbers / max(float(np.linalg.norm(numbers)), _SHORTEST)
    summary = spec.latent_summary
    std = np.ones(spec.latent_size) if summary is None else np.asarray(summary.std)
    return float(np.sqrt(((numbers * std) ** 2).sum()))


def difference_direction(
    spec: ModelSpec, first: ArrayLike, second: ArrayLike, name: str, origin: str = ""
) -> Direction:
    """Return the direction from one latent, or the mean of several, to another; sigma as in `spread_along`.

    Parameters
    ----------
    first, second
        ``[*latent_shape]`` or ``[n, *latent_shape]``.

    Raises
    ------
    SettingsError
        If both are at the same place.
    """
    ends = [
        np.asarray(one, dtype=np.float64).reshape(-1, spec.latent_size).mean(0) for one in (first, second)
    ]
    step = ends[1] - ends[0]
    return unit_direction(name, step, spread_along(spec, step), origin)


def offset(latent: ArrayLike, start: ArrayLike, direction: Direction) -> float:
    """Return how far a latent lies from another along a direction, in sigma."""
    step = np.asarray(latent, dtype=np.float64).reshape(-1) - np.asarray(start, dtype=np.float64).reshape(-1)
    return float(step @ np.asarray(direction.vector) / direction.sigma)


def free_step(direction: Direction, locked: Collection[int] = ()) -> NDArray[np.float32]:
    """Return the step that goes one along a direction and leaves locked dimensions as they are.

    Raises
    ------
    SettingsError
        If all of the direction is locked.
    """
    way = np.asarray(direction.vector, dtype=np.float64)
    if locked:
        way = way.copy()
        way[[k for k in locked if k < len(way)]] = 0.0
    length = float(way @ way)
    if length < _LEAST:
        raise SettingsError(
            f"All that {direction.name} changes is locked, so nothing moves along it. Unlock some of it."
        )
    return (way / length).astype(np.float32)


def along(
    spec: ModelSpec,
    latent: NDArray[np.float32],
    direction: Direction,
    sigmas: NDArray[np.float32],
    locked: Collection[int] = (),
) -> NDArray[np.float32]:
    """Return a latent moved along a direction by numbers of sigma ``[n]``: float32 ``[n, *latent_shape]``.

    Parameters
    ----------
    locked
        Dimensions that stay as they are; the others go farther, so that sigma still counts.

    Raises
    ------
    SettingsError
        If the direction is of another latent size, or all of it is locked.
    """
    if len(direction.vector) != spec.latent_size:
        raise SettingsError(
            f"The direction {direction.name} has {len(direction.vector)} numbers; a latent of this model has "
            f"{spec.latent_size}. It belongs to another model."
        )
    base = as_latent(latent, spec).reshape(-1)
    way = free_step(direction, locked)
    steps = np.asarray(sigmas, dtype=np.float32)[:, None] * np.float32(direction.sigma) * way
    return (base + steps).reshape(len(steps), *spec.latent_shape)


def save_directions(path: Path, directions: Directions) -> None:
    """Write directions as JSON; raises `SettingsError` if the file cannot be written."""
    write_whole(path, directions.model_dump_json(indent=1))


def load_directions(path: Path) -> Directions:
    """Read what `save_directions` wrote.

    Raises
    ------
    SettingsError
        If it is not such a file; the message says what is wrong with it.
    """
    try:
        return Directions.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise SettingsError(f"{path} is no file of directions: it is not JSON.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        why = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{path} is no file of directions: {where}: {why}.") from None
