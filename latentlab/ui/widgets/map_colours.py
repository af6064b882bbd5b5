"""By what colour a point of the map is told: its class, a value, or nothing.

The eight class colours were searched for so that any two of them differ in normal sight and as people
with protanopia, deuteranopia or tritanopia see them, on light and on dark ground; the first four differ
most. Values follow viridis, without the end that would be lost on the ground.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from latentlab.ui.theme import Colours

CLASSES_LIGHT = ("#17349c", "#f6ab6b", "#3c8d71", "#7c0042", "#ad9319", "#5dc1da", "#b7021d", "#8356b3")
CLASSES_DARK = ("#4569e0", "#fc9e48", "#a1f2d3", "#a5547c", "#fedc4f", "#71c2e2", "#f45445", "#a37ef9")
_VIRIDIS = (
    "#440154",
    "#482475",
    "#414487",
    "#355f8d",
    "#2a788e",
    "#21918c",
    "#22a884",
    "#44bf70",
    "#7ad151",
    "#bddf26",
    "#fde725",
)
_SEEN_ON_LIGHT, _SEEN_ON_DARK = (0.0, 0.82), (0.28, 1.0)

STEPS = 64
"""Colours into which the ramp of values is parted."""
MOST_CLASSES = len(CLASSES_LIGHT)


@dataclass(frozen=True)
class Entry:
    """A line of the legend: the slot of its colour, what it stands for, how many points."""

    slot: int
    label: str
    count: int


@dataclass(frozen=True, eq=False)
class Colouring:
    """The colour of each point as a slot of `palette`, and what the legend says of it.

    Parameters
    ----------
    slots
        One slot a point, ``[n]``.
    ramp
        Whether the slots are steps of the ramp of values, from low to high.
    title
        What is told by the colours.
    entries
        The legend's lines; for a ramp only those that are not on it.
    low, high
        The texts at the ends of the ramp.
    """

    slots: NDArray[np.intp]
    ramp: bool = False
    title: str = ""
    entries: tuple[Entry, ...] = ()
    low: str = ""
    high: str = ""


def colouring_of(
    count: int,
    told: NDArray[np.int64] | NDArray[np.float32] | None,
    classes: Sequence[str],
    title: str,
) -> Colouring:
    """Colour points by codes if ``told`` are whole numbers, by values if they are not, or not at all."""
    if told is None:
        return plain(count)
    if np.issubdtype(told.dtype, np.floating):
        return by_value(told.astype(np.float32), title)
    return by_class(told.astype(np.int64), classes, title)


def plain(count: int) -> Colouring:
    """Give all points one quiet colour; there is no legend."""
    return Colouring(np.full(count, MOST_CLASSES + 1, dtype=np.intp))


def by_class(codes: NDArray[np.int64], classes: Sequence[str], title: str) -> Colouring:
    """Give each class its colour; codes outside the classes are unknown, and classes past the eighth one."""
    slots = codes.astype(np.intp)
    slots[(slots < 0) | (slots >= len(classes))] = -1
    counts = np.bincount(slots[slots >= 0], minlength=len(classes))
    shown = len(classes) if len(classes) <= MOST_CLASSES else MOST_CLASSES - 1
    entries = [Entry(k, classes[k], int(counts[k])) for k in range(shown)]
    if shown < len(classes):
        entries.append(Entry(shown, f"{len(classes) - shown} others", int(counts[shown:].sum())))
        slots = np.minimum(slots, shown)
    unknown = int((slots < 0).sum())
    if unknown:
        entries.append(Entry(MOST_CLASSES, "unknown", unknown))
        slots = np.where(slots < 0, MOST_CLASSES, slots)
    return Colouring(slots, title=title, entries=tuple(entries))


def by_value(values: NDArray[np.float32], title: str) -> Colouring:
    """Give each value its place on the ramp, from the 1st to the 99th percentile; NaN is unknown."""
    known = np.isfinite(values)
    low, high = np.percentile(values[known], (1, 99)).tolist() if known.any() else (0.0, 1.0)
    shares = (np.where(known, values, low).astype(np.float64) - low) / max(high - low, 1e-12)
    slots = np.clip((shares * STEPS).astype(np.intp), 0, STEPS - 1)
    slots[~known] = STEPS
    unknown = int((~known).sum())
    digits = 3 if high - low >= 1e-2 * max(abs(low), abs(high)) else 5
    below = "≤ " if known.any() and values[known].min() < low else ""
    above = "≥ " if known.any() and values[known].max() > high else ""
    return Colouring(
        slots,
        ramp=True,
        title=title,
        entries=(Entry(STEPS, "unknown", unknown),) if unknown else (),
        low=f"{below}{low:.{digits}g}".replace("-", "−"),
        high=f"{above}{high:.{digits}g}".replace("-", "−"),
    )


def palette(ramp: bool, colours: Colours, dark: bool) -> list[QColor]:
    """Return the colour of each slot: the steps of the ramp, or the classes; then unknown, then plain."""
    if ramp:
        low, high = _SEEN_ON_DARK if dark else _SEEN_ON_LIGHT
        found = [_viridis(low + (high - low) * k / (STEPS - 1)) for k in range(STEPS)]
    else:
        found = [QColor(name) for name in (CLASSES_DARK if dark else CLASSES_LIGHT)]
    return [*found, QColor(colours.faint), QColor(colours.muted)]


def _viridis(share: float) -> QColor:
    place = share * (len(_VIRIDIS) - 1)
    k = min(int(place), len(_VIRIDIS) - 2)
    rest = place - k
    one, two = QColor(_VIRIDIS[k]), QColor(_VIRIDIS[k + 1])
    return QColor(
        *(
            round(a + (b - a) * rest)
            for a, b in zip(
                (one.red(), one.green(), one.blue()), (two.red(), two.green(), two.blue()), strict=True
            )
        )
    )
