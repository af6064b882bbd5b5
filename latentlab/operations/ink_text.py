"""Reads what a brush on a latent brings, where it was named in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import SettingsError
from latentlab.operations.axis_text import axis_from
from latentlab.operations.direction import Direction
from latentlab.operations.explore import Explorer
from latentlab.operations.latent_brush import (
    Ink,
    Strokes,
    channel_ink,
    direction_ink,
    grid_of,
    latent_ink,
    parse_strokes,
)
from latentlab.operations.series import start_from

START, CHANNEL = "start", "channel:"


def ink_from(explorer: Explorer, text: str, start: NDArray[np.float32]) -> Ink:
    """Return the ink of ``start``, ``channel:2``, ``directions.json:NAME``, or of a latent or picture.

    Parameters
    ----------
    start
        What one sets out from, float32 ``[C, h, w]``: a channel's deviation is that of its cells.

    Raises
    ------
    LatentLabError
        If it is none of them, or the model cannot do it (`latentlab.operations.series.start_from`).
    """
    if text == START:
        return latent_ink("Start", start, start)
    if text.startswith(CHANNEL):
        number = text.removeprefix(CHANNEL)
        if not number.isdecimal():
            raise SettingsError(f"{text!r} names no channel; write {CHANNEL}0, {CHANNEL}1, and so on.")
        return channel_ink(int(number), start)
    if text.rpartition(":")[0].lower().endswith(".json"):
        axis = axis_from(explorer, text)
        assert isinstance(axis, Direction)
        return direction_ink(axis, start)
    return latent_ink(Path(text).stem, start_from(explorer, text), start)


def painted(
    explorer: Explorer, latent: NDArray[np.float32], start: NDArray[np.float32], texts: Sequence[str]
) -> Strokes:
    """Return strokes in words (`latentlab.operations.latent_brush.parse_strokes`), on a latent.

    Raises
    ------
    LatentLabError
        If the model's latent is no grid, or a stroke or its ink cannot be read.
    """
    spec = explorer.spec
    if grid_of(spec) is None:
        raise SettingsError(
            f"{explorer.located.name} has latents of shape {list(spec.latent_shape)}; a brush paints on "
            "grids, [channels, rows, columns], such as an AutoencoderKL's."
        )
    found = Strokes(latent, spec.image_size)
    for one in parse_strokes(texts, spec.image_size):
        found = found.with_stroke(ink_from(explorer, one.ink, start), one.stroke)
    return found
