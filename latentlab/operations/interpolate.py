"""Paths between latents: straight, or along the sphere on which a prior in many dimensions lies.

In D dimensions a standard-normal latent is about sqrt(D) long. A straight line between two of them passes
through much shorter ones, which the model has hardly seen; a spherical one (Shoemake 1985; White 2016) does
not. No torch here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.errors import SettingsError

Kind = Literal["linear", "spherical"]
KINDS: tuple[Kind, ...] = ("spherical", "linear")
STEPS = 16
MOST_STEPS = 1000

_PARALLEL = 1e-4
# Below this angle (radians), or this far from its opposite, the sphere's formula divides by nearly nothing.


def between(
    first: ArrayLike, second: ArrayLike, share: ArrayLike, kind: Kind = "spherical"
) -> NDArray[np.float32]:
    """Return the latents at some shares of the way from one latent to another.

    Parameters
    ----------
    first, second
        Float32 ``[*latent_shape]``.
    share
        From 0 (first) to 1 (second), ``[n]``.

    Returns
    -------
    numpy.ndarray
        Float32 ``[n, *latent_shape]``. Where the two are parallel or opposite, where a sphere has no or no
        single way, the spherical path is straight.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    t = np.asarray(share, dtype=np.float64).reshape(-1, *([1] * a.ndim))
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    cosine = float((a * b).sum()) / lengths if lengths > 0 else 1.0
    angle = float(np.arccos(np.clip(cosine, -1.0, 1.0)))
    if kind == "linear" or min(angle, np.pi - angle) < _PARALLEL:
        found = (1.0 - t) * a + t * b
    else:
        found = (np.sin((1.0 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
    return found.astype(np.float32)


def path(
    pins: Sequence[ArrayLike], steps: int = STEPS, kind: Kind = "spherical", closed: bool = False
) -> NDArray[np.float32]:
    """Return a path through two or more latents, which it passes exactly.

    Parameters
    ----------
    steps
        Latents from one pin up to, and without, the next.
    closed
        Whether the path goes back from the last pin to the first, so that it can be played as a loop.

    Returns
    -------
    numpy.ndarray
        Float32 ``[n, *latent_shape]``; ``n = steps * len(pins)`` if closed, else
        ``steps * (len(pins) - 1) + 1``.

    Raises
    ------
    SettingsError
        If there are fewer than two pins, they differ in shape, or the numbers make no path.
    """
    if kind not in KINDS:
        raise SettingsError(f"An interpolation is {' or '.join(KINDS)}, not {kind!r}.")
    if not 1 <= steps <= MOST_STEPS:
        raise SettingsError(f"An interpolation has 1 to {MOST_STEPS} steps between pins, not {steps}.")
    latents = [np.asarray(pin, dtype=np.float32) for pin in pins]
    if len(latents) < 2 or len({latent.shape for latent in latents}) > 1:
        raise SettingsError("An interpolation needs two or more latents of the same shape.")
    share = np.arange(steps) / steps
    ends = [*latents[1:], latents[0]] if closed else latents[1:]
    parts = [between(a, b, share, kind) for a, b in zip(latents, ends, strict=False)]
    for part, pin in zip(parts, latents, strict=False):
        part[0] = pin
    return np.concatenate(parts if closed else [*parts, latents[-1][None]])
