"""What the probe shows, and where on the chart it stands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QFont, QFontMetrics

from latentlab.ui.widgets.bars_painter import label_of, small_font

Curves = NDArray[np.float32]
"""Probabilities float32 ``[m, classes]`` at m positions."""

TITLE, FOOT, NUMBERS, AXIS_TITLE, RIGHT_EDGE = 32, 40, 44, 16, 12
"""Room above and below the curves, at the left for numbers and a title, at the right at least."""
LABEL_MOST = 128
LEADER = 16
_ROOMY = 360
_APART = 48


@dataclass(frozen=True, eq=False)
class SetMean:
    """The mean of a set of pictures and the 25th and 75th percentile, and how many pictures they are.

    ``positions`` float32 ``[n]`` are where they were computed, which may be fewer than this picture's.
    """

    positions: NDArray[np.float32]
    mean: Curves
    low: Curves
    high: Curves
    count: int

    def at(self, position: float, k: int) -> float:
        """Return the mean of a class at a position, on the line between those that were computed."""
        return float(np.interp(position, self.positions, self.mean[:, k]))


@dataclass(frozen=True, eq=False)
class Probe:
    """All that the chart shows.

    Parameters
    ----------
    axis, unit
        What lies along x, and in what it is measured.
    positions
        Float32 ``[m]``, rising.
    attribute, classes
        What is predicted.
    curve
        This picture's probabilities.
    mean
        The set's; None while there is none.
    computed
        How many pictures of how many the mean has so far, while it is being computed.
    here
        Where the present latent is.
    of_what
        What the mean is taken of, such as "images of faces:train".
    """

    axis: str = ""
    unit: str = ""
    positions: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    attribute: str = ""
    classes: tuple[str, ...] = ()
    curve: Curves | None = None
    mean: SetMean | None = None
    computed: tuple[int, int] | None = None
    here: float | None = None
    of_what: str = ""

    @property
    def drawn(self) -> list[int]:
        """The classes that have a curve; of two only the second, since the first is what remains."""
        return [1] if len(self.classes) == 2 else list(range(len(self.classes)))

    @property
    def title(self) -> str:
        """The attribute; with its second class where there are two."""
        name = label_of(self.attribute)
        return f"{name}: {self.classes[1]}" if len(self.classes) == 2 else name

    def value(self, index: int, k: int) -> float:
        """Return what the class's curve is worth at one of the positions; the set's mean without one."""
        if self.curve is not None:
            return float(self.curve[index, k])
        return self.mean.at(float(self.positions[index]), k) if self.mean is not None else 0.0

    def place(self, x: float) -> str:
        """Return a position as a person reads it."""
        return f"{signed(x)} {self.unit}".strip()


@dataclass(frozen=True)
class Plot:
    """Where the curves are: x from the first to the last position, y from 0 to 1."""

    area: QRectF
    first: float
    last: float

    def x_of(self, position: float) -> float:
        """Return where a position is."""
        share = (position - self.first) / max(1e-9, self.last - self.first)
        return self.area.left() + share * self.area.width()

    def position_at(self, x: float) -> float:
        """Return which position is there."""
        return self.first + (x - self.area.left()) / max(1.0, self.area.width()) * (self.last - self.first)

    def y_of(self, probability: float) -> float:
        """Return where a probability is."""
        return self.area.bottom() - min(1.0, max(0.0, probability)) * self.area.height()

    def line(self, positions: NDArray[np.float32], values: NDArray[np.float32]) -> list[QPointF]:
        """Return the line through values at positions."""
        pairs = zip(positions.tolist(), values.tolist(), strict=True)
        return [QPointF(self.x_of(x), self.y_of(y)) for x, y in pairs]


def signed(x: float) -> str:
    """Return a number with its sign, and no sign for nothing."""
    text = f"{abs(x):.2f}".rstrip("0").rstrip(".")
    return text if text == "0" else f"{'−' if x < 0 else '+'}{text}"


def lay_out(size: QSizeF, probe: Probe, font: QFont) -> Plot:
    """Leave room for titles, numbers and, at the right, the longest class name."""
    metrics = QFontMetrics(small_font(font))
    names = [label_of(probe.classes[k]) for k in probe.drawn]
    longest = max((metrics.horizontalAdvance(name) for name in names), default=0)
    right = min(longest, LABEL_MOST, round(size.width() * 0.25)) + LEADER + 4 if names else RIGHT_EDGE
    left = NUMBERS + (AXIS_TITLE if size.width() >= _ROOMY else 0)
    width = max(1.0, size.width() - left - max(RIGHT_EDGE, right))
    height = max(1.0, size.height() - TITLE - FOOT)
    ends = (float(probe.positions[0]), float(probe.positions[-1])) if probe.positions.size else (0.0, 1.0)
    return Plot(QRectF(left, TITLE, width, height), *ends)


def ticks(plot: Plot) -> list[float]:
    """Return round numbers along x, as many as have room."""
    span = max(1e-6, plot.last - plot.first)
    least = span * _APART / max(_APART, plot.area.width())
    power = 10.0 ** math.floor(math.log10(least))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= least)
    first, last = math.ceil(plot.first / step - 1e-6), math.floor(plot.last / step + 1e-6)
    return [k * step for k in range(first, last + 1)]


def spread_out(wanted: Sequence[float], apart: float, low: float, high: float) -> list[float]:
    """Return places for labels near the wanted ones, none closer to the next than ``apart``.

    Labels that would touch stand together around the middle of what they want (pool adjacent violators);
    where there is too little room for all, they stand as close as it takes.
    """
    number = len(wanted)
    if number > 1:
        apart = min(apart, (high - low) / (number - 1))
    order = sorted(range(number), key=lambda k: wanted[k])
    # Less its own steps, the k-th label's place must not fall: then isotonic regression is the answer.
    blocks: list[tuple[float, int]] = []
    for rank, k in enumerate(order):
        mean, size = wanted[k] - rank * apart, 1
        while blocks and blocks[-1][0] > mean:
            other, count = blocks.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        blocks.append((mean, size))
    flat = [mean for mean, size in blocks for _ in range(size)]
    room = high - apart * (number - 1)
    places = [0.0] * number
    for rank, k in enumerate(order):
        places[k] = min(max(flat[rank], low), max(low, room)) + rank * apart
    return places
