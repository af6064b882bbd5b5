"""Painting on a latent that is a grid: a direction, a channel or another latent applies where a brush goes.

A spatial latent ``[C, h, w]`` has a cell for each patch of the picture. A stroke's way is in pixels of the
picture, as in `latentlab.operations.painting`; what it covers of each cell, 0 to 1, times its amount is by
how much its *ink* applies there, in all channels. An ink that moves is added; one that mixes is another
latent in whose direction the present one goes. Nothing else of the latent changes, to the bit.

Strokes are kept as they were drawn, so that they can be drawn again. No torch here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import SettingsError
from latentlab.operations.direction import Direction
from latentlab.operations.painting import Brush, Covering, Place
from latentlab.spec import ModelSpec

Latent = NDArray[np.float32]

HARDNESS = 0.5
"""How hard the brush's edge is where nobody says otherwise."""
MOST_STROKES = 500
"""Strokes that are kept; what is drawn after them begins a list of its own."""
MOST_PLACES = 10_000
_LEAST = 1e-3
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_STROKE = re.compile(
    rf"(?P<ink>.+)=(?P<amount>{_NUMBER}) at (?P<places>{_NUMBER},{_NUMBER}(?: {_NUMBER},{_NUMBER})*)"
    rf"(?: radius (?P<radius>{_NUMBER}))?(?: hardness (?P<hardness>{_NUMBER}))?"
)


@dataclass(frozen=True, eq=False)
class Ink:
    """What a brush brings.

    Parameters
    ----------
    name
        For a person.
    kind
        ``move``: ``values`` are added, as often as the amount says. ``mix``: they are a latent that stands in
        the place of the present one, by the share that the amount says.
    values
        Float32 ``[C, h, w]``, or as many numbers.
    """

    name: str
    kind: Literal["move", "mix"]
    values: Latent


@dataclass(frozen=True)
class LatentStroke:
    """One stroke: which of the inks, how much of it, the brush (px of the picture), the places of its way."""

    ink: int
    amount: float
    radius: float
    places: tuple[Place, ...]
    hardness: float = HARDNESS


@dataclass(frozen=True, eq=False)
class Strokes:
    """Strokes one after another on a latent.

    Parameters
    ----------
    base
        The latent that the first is drawn on, float32 ``[C, h, w]``.
    side
        The side of the picture in pixels, in which places and radii are.
    inks, strokes
        What was drawn with, and what was drawn.
    """

    base: Latent
    side: int
    inks: tuple[Ink, ...] = ()
    strokes: tuple[LatentStroke, ...] = ()

    def latent(self) -> Latent:
        """Draw them all; returns float32 ``[C, h, w]``, not writable.

        Raises
        ------
        SettingsError
            If the latent is no grid, or a stroke has no such ink, no brush or nowhere to go.
        """
        latent = self.base
        for one in self.strokes:
            if not 0 <= one.ink < len(self.inks):
                raise SettingsError(f"A stroke is of ink {one.ink}; there are {len(self.inks)}.")
            drawn = LatentDrawing(latent, self.side, self.inks[one.ink], one)
            for place in one.places:
                drawn.to(place)
            latent = drawn.latent
        return latent

    def with_stroke(self, ink: Ink, stroke: LatentStroke) -> Strokes:
        """Return them and one more, whose ink is entered where it is not known."""
        known = next((k for k, one in enumerate(self.inks) if _same(one, ink)), len(self.inks))
        inks = self.inks if known < len(self.inks) else (*self.inks, ink)
        return replace(self, inks=inks, strokes=(*self.strokes, replace(stroke, ink=known)))


class LatentDrawing:
    """A stroke on its way: `to` draws on to a place and returns the latent as it is then.

    Parameters
    ----------
    latent
        Float32 ``[C, h, w]``, on which the stroke begins.
    side
        The side of the picture in pixels.
    stroke
        Its amount and brush; its places are not looked at.

    Raises
    ------
    SettingsError
        If the latent is no grid, or the ink of another size, or the brush or the amount is none.
    """

    def __init__(self, latent: Latent, side: int, ink: Ink, stroke: LatentStroke) -> None:
        if latent.ndim != 3 or ink.values.size != latent.size:
            raise SettingsError(
                f"A brush of {ink.values.size} numbers cannot paint on a latent of shape "
                f"{list(latent.shape)}; a grid of as many is needed."
            )
        share = ink.kind == "mix"
        if not np.isfinite(stroke.amount) or (share and not 0.0 <= stroke.amount <= 1.0):
            raise SettingsError(
                f"The amount of {ink.name} is {'from 0 to 1' if share else 'a finite number'}; found "
                f"{stroke.amount:g}."
            )
        self._base, self._ink, self._amount = latent, ink, np.float32(stroke.amount)
        self._values = np.asarray(ink.values, dtype=np.float32).reshape(latent.shape)
        _, height, width = latent.shape
        self._scale = width / side, height / side
        brush = Brush(stroke.radius * self._scale[0], stroke.hardness)
        self._covering = Covering(height, width, brush)
        self.latent = latent

    def to(self, place: Place) -> Latent:
        """Draw from where the stroke is (at first: a dab) to a place ``(x, y)`` in pixels."""
        x, y = place[0] * self._scale[0], place[1] * self._scale[1]
        if not np.isfinite((x, y)).all():
            raise SettingsError(f"A stroke goes to finite places; found {place[0]:g}, {place[1]:g}.")
        touched = self._covering.to((x, y))
        if touched is not None:
            here = (slice(None), *touched)
            base, values = self._base[here], self._values[here]
            share = self._amount * self._covering.cover[touched]
            if self._ink.kind == "move":
                found = base + share * values
            else:
                found = np.where(share == 1.0, values, base + share * (values - base))
            if np.array_equal(found, self.latent[here]):
                return self.latent
            latent = self.latent.copy()
            latent[here] = found
            latent.setflags(write=False)
            self.latent = latent
        return self.latent


def grid_of(spec: ModelSpec) -> tuple[int, int, int] | None:
    """Return channels, rows and columns of a model's latent where it is a grid; None where it is none."""
    if len(spec.latent_shape) != 3 or min(spec.latent_shape[1:]) < 2:
        return None
    channels, rows, columns = spec.latent_shape
    return channels, rows, columns


def direction_ink(direction: Direction, latent: Latent, locked: Collection[int] = ()) -> Ink:
    """Return the ink that moves along a direction, by one sigma for the amount 1.

    Parameters
    ----------
    latent
        The latent that is painted on, for its shape.
    locked
        Entries, counted from 0 over the flattened latent, that stay as they are.

    Raises
    ------
    SettingsError
        If the direction is of another latent size.
    """
    if len(direction.vector) != latent.size:
        raise SettingsError(
            f"The direction {direction.name} has {len(direction.vector)} numbers; a latent of this model has "
            f"{latent.size}. It belongs to another model."
        )
    values = direction.array() * np.float32(direction.sigma)
    values[[k for k in locked if k < values.size]] = 0.0
    return Ink(direction.name, "move", values.reshape(latent.shape))


def channel_ink(channel: int, latent: Latent, locked: Collection[int] = ()) -> Ink:
    """Return the ink that raises one channel, by the deviation of its cells in ``latent`` for the amount 1.

    Raises
    ------
    SettingsError
        If there is no such channel.
    """
    if not 0 <= channel < len(latent):
        raise SettingsError(f"There is no channel {channel}; the latent has 0 to {len(latent) - 1}.")
    values = np.zeros(latent.shape, dtype=np.float32)
    values[channel] = max(float(latent[channel].std(dtype=np.float64)), _LEAST)
    values.reshape(-1)[[k for k in locked if k < values.size]] = 0.0
    return Ink(f"Channel {channel}", "move", values)


def latent_ink(name: str, other: Latent, latent: Latent, locked: Collection[int] = ()) -> Ink:
    """Return the ink that mixes another latent in; locked entries stay as they are in ``latent``."""
    values = np.array(other, dtype=np.float32).reshape(latent.shape)
    held = [k for k in locked if k < values.size]
    values.reshape(-1)[held] = latent.reshape(-1)[held]
    return Ink(name, "mix", values)


@dataclass(frozen=True)
class StrokeText:
    """A stroke in words: which ink, as it is called there, and the stroke."""

    ink: str
    stroke: LatentStroke


def parse_strokes(texts: Sequence[str], side: int) -> list[StrokeText]:
    """Read strokes written as ``"INK=AMOUNT at X,Y X,Y radius R hardness H"``.

    Parameters
    ----------
    side
        The side of the picture in pixels: without a radius the brush has an eighth of it.

    Raises
    ------
    SettingsError
        If one is not of that form.
    """
    found = []
    for text in texts:
        match = _STROKE.fullmatch(" ".join(text.split()))
        if match is None:
            raise SettingsError(
                f"{text!r} is no stroke; write INK=AMOUNT at X,Y X,Y radius R hardness H, such as "
                "'channel:0=2 at 20,24 34,24 radius 8': radius and hardness may be left out."
            )
        places = tuple(
            (float(x), float(y)) for x, y in (one.split(",") for one in match["places"].split(" "))
        )
        stroke = LatentStroke(
            0,
            float(match["amount"]),
            side / 8 if match["radius"] is None else float(match["radius"]),
            places,
            HARDNESS if match["hardness"] is None else float(match["hardness"]),
        )
        Brush(stroke.radius, stroke.hardness)
        found.append(StrokeText(match["ink"], stroke))
    return found


def _same(one: Ink, other: Ink) -> bool:
    return (one.name, one.kind) == (other.name, other.kind) and np.array_equal(one.values, other.values)
