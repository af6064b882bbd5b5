"""Named directions in a latent space: principal components, attributes, differences of groups.

A direction is a unit vector and how far the data spread along it, so that "two sigma towards glasses" means
the same for every direction.

An attribute's direction is the normal of a linear probe, a regularised logistic regression (Alain & Bengio
2017; used so by Shen et al. 2020), with its accuracy on rows that it was not fitted on: where that is little
better than chance the direction shows nothing. The probe sees the latents as they are: standardising every
entry would give those that carry nothing as much say as the others, and the pictures would hardly change.
No torch here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score

from latentlab.errors import DataError, SettingsError
from latentlab.operations.latents import as_latent
from latentlab.spec import ModelSpec, Record

LEAST_ROWS = 10
"""Rows that each side of a probe must have."""
_HELD_OUT = 0.2
_SHORTEST = 1e-6


class Direction(Record):
    """A unit vector in the flattened latent, with a name and a scale.

    Parameters
    ----------
    vector
        Of length 1, ``[latent_size]``.
    sigma
        Standard deviation of the data's latents along it.
    origin
        What it was made of, for a person.
    accuracy
        Balanced accuracy of the probe on held-out rows, 0.5 by chance; None where there is no probe.
    """

    name: str
    vector: tuple[float, ...]
    sigma: Annotated[float, Field(gt=0.0)]
    origin: str = ""
    accuracy: float | None = None

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


def check_components(count: int, rows: int, size: int) -> None:
    """Raise `SettingsError` if that many latents of that size do not have so many principal directions."""
    if not 1 <= count <= min(rows - 1, size):
        raise SettingsError(f"{rows} latents of {size} numbers have no {count} principal directions.")


def principal_directions(latents: NDArray[np.float32], count: int) -> list[Direction]:
    """Return the first principal components of latents ``[n, latent_size]``, those of most variance first.

    Each points to where its largest entry is positive, so that the sign is the same every time.

    Raises
    ------
    SettingsError
        If there are fewer than two latents, or more directions are asked for than there can be.
    """
    rows = _rows(latents)
    check_components(count, *rows.shape)
    _, scales, vectors = np.linalg.svd(rows - rows.mean(0), full_matrices=False)
    share = scales**2 / (scales**2).sum()
    found = []
    for k in range(count):
        sign = np.sign(vectors[k][np.abs(vectors[k]).argmax()])
        origin = f"principal component {k + 1}, {100 * share[k]:.1f}% of the variance"
        found.append(_direction(f"PC {k + 1}", sign * vectors[k], rows, origin))
    return found


def attribute_direction(
    latents: NDArray[np.float32], shows: NDArray[np.bool_], name: str, seed: int = 0
) -> Direction:
    """Return the direction that a linear probe finds for one class of an attribute.

    Parameters
    ----------
    latents
        ``[n, latent_size]``.
    shows
        Whether each row shows the class, ``[n]``.
    name
        Such as ``glasses=yes``.
    seed
        Chooses the fifth of the rows on which the accuracy is measured. The direction is of all rows.

    Raises
    ------
    DataError
        If either side has fewer than `LEAST_ROWS` rows.
    """
    rows, shows = _rows(latents), np.asarray(shows, dtype=bool)
    sides = int(shows.sum()), int((~shows).sum())
    if min(sides) < LEAST_ROWS:
        raise DataError(
            f"A direction for {name} needs {LEAST_ROWS} images that show it and as many that do not; the set "
            f"has {sides[0]} and {sides[1]}."
        )
    centred = rows - rows.mean(0)
    order = np.random.default_rng(seed).permutation(len(rows))
    cut = int(len(rows) * _HELD_OUT)
    probe = LogisticRegression(class_weight="balanced", max_iter=1000)
    probe.fit(centred[order[cut:]], shows[order[cut:]])
    accuracy = float(balanced_accuracy_score(shows[order[:cut]], probe.predict(centred[order[:cut]])))
    probe.fit(centred, shows)
    return _direction(name, probe.coef_[0], rows, f"linear probe on {len(rows):,} images", accuracy)


def difference_direction(
    first: NDArray[np.float32], second: NDArray[np.float32], name: str, latents: NDArray[np.float32]
) -> Direction:
    """Return the direction from the mean of some latents to that of others, each ``[n, latent_size]``.

    Parameters
    ----------
    latents
        Latents of the data, ``[n, latent_size]``, from which sigma is taken.

    Raises
    ------
    SettingsError
        If the two means are the same.
    """
    step = _rows(second).mean(0) - _rows(first).mean(0)
    return _direction(name, step, _rows(latents), f"from the mean of {len(first)} to that of {len(second)}")


def orthogonalised(directions: Sequence[Direction], latents: NDArray[np.float32]) -> list[Direction]:
    """Make each direction orthogonal to those before it (Gram-Schmidt), and measure its sigma anew.

    Moving along one then leaves the probes of the others where they were.

    Raises
    ------
    SettingsError
        If one lies wholly in those before it.
    """
    rows = _rows(latents)
    done: list[NDArray[np.float64]] = []
    found: list[Direction] = []
    for direction in directions:
        vector = np.asarray(direction.vector, dtype=np.float64)
        for other in done:
            vector = vector - (vector @ other) * other
        if np.linalg.norm(vector) < 1e-3:
            raise SettingsError(f"{direction.name} says nothing that the directions before it do not say.")
        made = _direction(direction.name, vector, rows, direction.origin, direction.accuracy)
        done.append(np.asarray(made.vector))
        origin = f"{direction.origin}; orthogonal to those before it" if found else direction.origin
        found.append(made.model_copy(update={"origin": origin}))
    return found


def along(
    spec: ModelSpec, latent: NDArray[np.float32], direction: Direction, sigmas: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return a latent moved along a direction by numbers of sigma ``[n]``: float32 ``[n, *latent_shape]``.

    Raises
    ------
    SettingsError
        If the direction is of another latent size.
    """
    if len(direction.vector) != spec.latent_size:
        raise SettingsError(
            f"The direction {direction.name} has {len(direction.vector)} numbers; a latent of this model has "
            f"{spec.latent_size}. It belongs to another model."
        )
    base = as_latent(latent, spec).reshape(-1)
    steps = np.asarray(sigmas, dtype=np.float32)[:, None] * np.float32(direction.sigma) * direction.array()
    return (base + steps).reshape(len(steps), *spec.latent_shape)


def save_directions(path: Path, directions: Directions) -> None:
    """Write directions as JSON; raises `SettingsError` if the file cannot be written."""
    try:
        path.write_text(directions.model_dump_json(indent=1), encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror or error}.") from None


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
        raise SettingsError(f"{path} is no file of directions: {where}: {first['msg']}.") from None


def _direction(
    name: str,
    vector: NDArray[np.float64],
    rows: NDArray[np.float64],
    origin: str,
    accuracy: float | None = None,
) -> Direction:
    length = float(np.linalg.norm(vector))
    if length < _SHORTEST:
        raise SettingsError(f"{name} is no direction: its two ends are the same.")
    unit = vector / length
    sigma = max(float((rows @ unit).std()), _SHORTEST)
    numbers = tuple(float(np.float32(value)) for value in unit)
    return Direction(name=name, vector=numbers, sigma=sigma, origin=origin, accuracy=accuracy)


def _rows(latents: NDArray[np.float32]) -> NDArray[np.float64]:
    rows = np.asarray(latents, dtype=np.float64)
    return rows.reshape(len(rows), -1)
