"""Latents as plain arrays: draw them, change named dimensions, rank dimensions, say how far they range.

No torch here: the session and the window work on the same functions as the command line.
Dimensions are counted from 0 over the flattened latent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.errors import SettingsError
from latentlab.spec import ModelSpec

SIGMAS = 3.0
"""How many standard deviations of the prior a dimension's range spans on either side."""
MUTATION = 0.25
"""How far a mutation goes, from 0 (nowhere) to 1 (a new draw)."""


@dataclass(frozen=True, eq=False)
class Ranges:
    """Between which values each dimension is explored: float32 ``[latent_size]`` each."""

    low: NDArray[np.float32]
    high: NDArray[np.float32]


def as_latent(values: ArrayLike, spec: ModelSpec) -> NDArray[np.float32]:
    """Return one latent, float32 of the model's latent shape, not writable, from numbers in any shape.

    Raises
    ------
    SettingsError
        If the count does not fit the model or a number is not finite.
    """
    latent = np.array(values, dtype=np.float32)
    if latent.size != spec.latent_size:
        raise SettingsError(
            f"A latent of this model has {spec.latent_size} numbers; {latent.size} were given."
        )
    if not np.isfinite(latent).all():
        raise SettingsError("A latent holds only finite numbers; NaN or infinity was given.")
    latent = latent.reshape(spec.latent_shape)
    latent.setflags(write=False)
    return latent


def middle(spec: ModelSpec) -> NDArray[np.float32]:
    """Return the middle of a standard-normal prior, or of the data where the prior is another."""
    values = np.zeros(spec.latent_size)
    if spec.prior != "standard_normal" and spec.latent_summary is not None:
        values = np.asarray(spec.latent_summary.mean)
    return as_latent(values, spec)


def draw(spec: ModelSpec, seed: int, truncation: float = 1.0) -> NDArray[np.float32]:
    """Draw one latent from the standard-normal prior; the same seed gives the same latent everywhere.

    Parameters
    ----------
    truncation
        psi, from 0 to 1: the latent is multiplied by it, as style generators do (Karras et al. 2019). Less
        than 1 gives more usual pictures of less variety, and fewer of what was rare already.

    Returns
    -------
    numpy.ndarray
        Float32 of the model's latent shape.

    Raises
    ------
    SettingsError
        If the model's prior is another one, the seed is negative or the truncation out of its range.
    """
    if spec.prior != "standard_normal" or "sample" in spec.cannot:
        reason = spec.cannot.get("sample", "its prior is not standard normal.")
        raise SettingsError(f"This model cannot draw random latents: {reason}")
    if seed < 0:
        raise SettingsError(f"A seed is 0 or larger; {seed} was given.")
    if not 0.0 <= truncation <= 1.0:
        raise SettingsError(f"The truncation is between 0 and 1; {truncation:g} was given.")
    drawn = np.random.default_rng(seed).standard_normal(spec.latent_size, dtype=np.float32)
    return as_latent(drawn * np.float32(truncation), spec)


def mutate(
    spec: ModelSpec, latent: NDArray[np.float32], seed: int, amount: float = MUTATION
) -> NDArray[np.float32]:
    """Take a small random step: sqrt(1 - a^2) z + a eps, eps ~ N(0, I).

    It leaves a standard-normal prior as it is: however many steps are taken, the latent stays as likely
    as a drawn one (Cotter et al. 2013, "preconditioned Crank-Nicolson"). Where the prior is another
    one, eps has the spread of the data's latents and is only added.

    Parameters
    ----------
    amount
        a, from 0 (no step) to 1 (a new draw).

    Returns
    -------
    numpy.ndarray
        Float32 of the latent's shape.

    Raises
    ------
    SettingsError
        If the seed is negative or the amount out of its range.
    """
    if seed < 0:
        raise SettingsError(f"A seed is 0 or larger; {seed} was given.")
    if not 0.0 <= amount <= 1.0:
        raise SettingsError(f"A mutation's amount is between 0 and 1; {amount:g} was given.")
    eps = np.random.default_rng(seed).standard_normal(spec.latent_size).reshape(spec.latent_shape)
    if spec.prior == "standard_normal":
        return as_latent(np.sqrt(1.0 - amount**2) * latent + amount * eps, spec)
    spread = np.ones(spec.latent_size) if spec.latent_summary is None else np.asarray(spec.latent_summary.std)
    return as_latent(latent + amount * spread.reshape(spec.latent_shape) * eps, spec)


def change(latent: NDArray[np.float32], values: Mapping[int, float]) -> NDArray[np.float32]:
    """Return a copy of one latent with some dimensions set, not writable.

    Raises
    ------
    SettingsError
        If a dimension is outside the latent or a value is not finite.
    """
    changed = np.array(latent, dtype=np.float32)
    flat = changed.reshape(-1)
    for dimension, value in values.items():
        if not 0 <= dimension < flat.size:
            raise SettingsError(f"There is no dimension {dimension}; the model has 0 to {flat.size - 1}.")
        if not math.isfinite(value):
            raise SettingsError(f"Dimension {dimension} needs a finite number; {value} was given.")
        flat[dimension] = value
    changed.setflags(write=False)
    return changed


def parse_changes(texts: Sequence[str]) -> dict[int, float]:
    """Read changes written as ``"3=1.5"``; a dimension named twice takes the later value.

    Raises
    ------
    SettingsError
        If one is not of that form.
    """
    changes = {}
    for text in texts:
        dimension, _, value = text.partition("=")
        try:
            changes[int(dimension)] = float(value)
        except ValueError:
            raise SettingsError(
                f"{text!r} does not set a dimension; write DIMENSION=VALUE, for example 3=1.5."
            ) from None
    return changes


def ranking(spec: ModelSpec) -> NDArray[np.int64]:
    """Return the dimensions in the order of what they do, int64 ``[latent_size]``.

    The order is by the mean Kullback-Leibler divergence from the prior, largest first, where the model
    stores it (a dimension with none carries nothing); otherwise it is the order of the latent.
    """
    if spec.latent_summary is None:
        return np.arange(spec.latent_size)
    return np.argsort(-np.asarray(spec.latent_summary.kl), kind="stable")


def ranges(spec: ModelSpec) -> Ranges:
    """Return the range of each dimension: three standard deviations of the prior on either side of 0.

    Where the spread of the data's latents is wider than the prior (or the prior is another one) that
    spread and the data's mean are taken instead.
    """
    size = spec.latent_size
    mean, std = np.zeros(size), np.ones(size)
    if spec.latent_summary is not None:
        measured = np.asarray(spec.latent_summary.std)
        if spec.prior == "standard_normal":
            std = np.maximum(std, measured)
        else:
            mean, std = np.asarray(spec.latent_summary.mean), np.maximum(measured, 1e-6)
    return Ranges((mean - SIGMAS * std).astype(np.float32), (mean + SIGMAS * std).astype(np.float32))
