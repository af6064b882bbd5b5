"""Finds directions in latents: principal components and attributes; makes directions orthogonal.

An attribute's direction is the normal of a linear probe, a regularised logistic regression (Alain & Bengio
2017; used so by Shen et al. 2020), with its accuracy on rows that it was not fitted on: where that is little
better than chance the direction shows nothing. The probe sees the latents as they are: standardising every
entry would give those that carry nothing as much say as the others, and the pictures would hardly change.
No torch here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score

from latentlab.errors import DataError, SettingsError
from latentlab.operations.direction import Direction, unit_direction

LEAST_ROWS = 10
"""Rows that each side of a probe must have."""
_HELD_OUT = 0.2
_SAME = 1e-5
_SMALLEST = 1e-30
_WHOLE = 512
"""Up to so many components all are found at once."""


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
    vectors, share = _components(rows - rows.mean(0), count)
    found = []
    for k in range(count):
        sign = np.sign(vectors[k][np.abs(vectors[k]).argmax()])
        origin = f"principal component {k + 1}, {100 * share[k]:.1f}% of the variance"
        found.append(_direction(f"PC {k + 1}", sign * vectors[k], rows, origin))
    return found


def _components(centred: NDArray[np.float64], count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the first principal components ``[count, size]`` of rows, and their shares of the variance."""
    rows, size = centred.shape
    if min(rows, size) <= _WHOLE:
        _, scales, vectors = np.linalg.svd(centred, full_matrices=False)
        return vectors[:count], (scales**2 / (scales**2).sum())[:count]
    # Of a latent that is a grid there are thousands, of which few are wanted.
    square = centred @ centred.T if rows < size else centred.T @ centred
    last = len(square) - 1
    values, found = eigh(square, subset_by_index=(last - count + 1, last))
    values, found = np.maximum(values[::-1], 0.0), found.T[::-1]
    if rows < size:
        found = found @ centred
        found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), _SMALLEST)
    return found, values / max(float(np.trace(square)), _SMALLEST)


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


def orthogonalised(directions: Sequence[Direction], latents: NDArray[np.float32]) -> list[Direction]:
    """Make each direction orthogonal to those before it (Gram-Schmidt), and measure its sigma anew.

    Moving along one then leaves the probes of the others where they were. One that is changed by this is no
    longer what its own probe was measured for, so it has no accuracy.

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
        same = np.linalg.norm(vector - np.asarray(direction.vector)) < _SAME
        origin = direction.origin if same else f"{direction.origin}; orthogonal to those before it"
        made = _direction(direction.name, vector, rows, origin, direction.accuracy if same else None)
        done.append(np.asarray(made.vector))
        found.append(made.model_copy(update={"reach": direction.reach}))
    return found


def _direction(
    name: str,
    vector: NDArray[np.float64],
    rows: NDArray[np.float64],
    origin: str,
    accuracy: float | None = None,
) -> Direction:
    """Return the direction of a vector, with the spread of rows ``[n, latent_size]`` along it as sigma."""
    length = max(float(np.linalg.norm(vector)), 1e-30)
    return unit_direction(name, vector, float((rows @ (vector / length)).std()), origin, accuracy)


def _rows(latents: NDArray[np.float32]) -> NDArray[np.float64]:
    rows = np.asarray(latents, dtype=np.float64)
    return rows.reshape(len(rows), -1)
