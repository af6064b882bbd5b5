"""The probe as a picture: one panel an axis and class, with the curve, the mean and its band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from latentlab.paths import bundled

WIDTH, HEIGHT = 380, 190
"""Of a panel's plot, in pixels."""
LEFT, TOP, RIGHT, BOTTOM = 56, 34, 16, 48
"""What is left around it for letters."""
LEGEND = 62
FINER = 2
"""How much finer it is painted than the numbers above say: the picture has twice as many pixels."""
SMOOTHER = 2
"""How much finer still it is painted before it is made smaller, so that slanted lines are smooth."""

CURVE, MEAN, BAND = "#4b55cf", "#2a958f", "#d4eae9"
TEXT, MUTED, GRID = "#1b1e26", "#5d6575", "#dcdfe6"


@dataclass(frozen=True, eq=False)
class Panel:
    """What one panel shows: probabilities from 0 to 1 over the places on an axis.

    Parameters
    ----------
    title, axis
        What stands above and below it.
    values, curve
        Places and one latent's probabilities there, ``[m]``.
    here
        Where that latent stands.
    mean_values, band
        Places, and lower quartile, mean and upper quartile of many latents there; None for none.
    """

    title: str
    axis: str
    values: NDArray[np.float32]
    curve: NDArray[np.float32]
    here: float
    mean_values: NDArray[np.float32]
    band: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]] | None


def probe_picture(panels: Sequence[Sequence[Panel]], start: str, of_what: str, caption: str) -> Image.Image:
    """Paint rows of panels on white, all with the same scale from 0 to 100%.

    Parameters
    ----------
    start, of_what
        What the curves are of, and what the means are of: they stand in the legend.
    caption
        A line at the bottom.
    """
    cell = LEFT + WIDTH + RIGHT, TOP + HEIGHT + BOTTOM
    size = len(panels[0]) * cell[0], len(panels) * cell[1] + LEGEND
    pen = _Pen(size)
    for row, line in enumerate(panels):
        for column, panel in enumerate(line):
            _paint_panel(pen, column * cell[0] + LEFT, row * cell[1] + TOP, panel)
    with_band = any(panel.band is not None for line in panels for panel in line)
    _paint_legend(pen, len(panels) * cell[1], start, of_what if with_band else "", caption)
    return pen.picture()


class _Pen:
    """Paints in the picture's own pixels on a finer canvas."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._scale = FINER * SMOOTHER
        self._size = size
        self._canvas = Image.new("RGB", (size[0] * self._scale, size[1] * self._scale), "white")
        self._draw = ImageDraw.Draw(self._canvas)
        self._fonts: dict[tuple[str, int], ImageFont.FreeTypeFont] = {}

    def picture(self) -> Image.Image:
        size = self._size[0] * FINER, self._size[1] * FINER
        return self._canvas.resize(size, Image.Resampling.BOX)

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float = 1.0) -> None:
        thick = round(width * self._scale)
        self._draw.line(self._finer(points), fill=colour, width=thick, joint="curve")

    def area(self, points: Sequence[tuple[float, float]], colour: str) -> None:
        self._draw.polygon(self._finer(points), fill=colour)

    def dot(self, x: float, y: float, colour: str) -> None:
        for radius, fill in ((5.0, "white"), (4.0, colour)):
            self._draw.ellipse(self._finer([(x - radius, y - radius), (x + radius, y + radius)]), fill=fill)

    def text(
        self, x: float, y: float, text: str, colour: str, anchor: str, height: int = 11, bold: bool = False
    ) -> float:
        """Write, shortened where it would leave the picture; return how wide the text is."""
        font = self._font("Inter-SemiBold.otf" if bold else "Inter-Regular.otf", height)
        most = self._size[0] - x - 4 if anchor[0] == "l" else self._size[0]
        while len(text) > 1 and font.getlength(text) / self._scale > most:
            text = text[:-2].rstrip() + "…"
        self._draw.text((x * self._scale, y * self._scale), text, fill=colour, font=font, anchor=anchor)
        return font.getlength(text) / self._scale

    def _font(self, name: str, height: int) -> ImageFont.FreeTypeFont:
        if (name, height) not in self._fonts:
            path = bundled("resources", "fonts", name)
            self._fonts[name, height] = ImageFont.truetype(path, height * self._scale)
        return self._fonts[name, height]

    def _finer(self, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(x * self._scale, y * self._scale) for x, y in points]


def _paint_panel(pen: _Pen, left: float, top: float, panel: Panel) -> None:
    low, high = float(panel.values[0]), float(panel.values[-1])
    span = high - low if high != low else 1.0

    def at(values: NDArray[np.float32], heights: NDArray[np.float32]) -> list[tuple[float, float]]:
        x = left + WIDTH * (values - low) / span
        y = top + HEIGHT * (1.0 - heights)
        return list(zip(x.tolist(), y.tolist(), strict=True))

    pen.text(left, top - 18, panel.title, TEXT, "lm", 13, bold=True)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = top + HEIGHT * (1.0 - share)
        pen.line([(left, y), (left + WIDTH, y)], GRID)
        pen.text(left - 8, y, f"{100 * share:.0f}%", MUTED, "rm")
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = left + WIDTH * share
        pen.line([(x, top + HEIGHT), (x, top + HEIGHT + 4)], MUTED)
        pen.text(x, top + HEIGHT + 14, f"{low + share * span:.4g}", MUTED, "mm")
    pen.text(left + WIDTH / 2, top + HEIGHT + 32, panel.axis, TEXT, "mm", 12)
    if panel.band is not None:
        below, mean, above = panel.band
        pen.area([*at(panel.mean_values, below), *at(panel.mean_values, above)[::-1]], BAND)
        pen.line(at(panel.mean_values, mean), MEAN, 1.75)
    pen.line(at(panel.values, panel.curve), CURVE, 2.25)
    if min(low, high) <= panel.here <= max(low, high):
        order = np.argsort(panel.values)
        height = np.interp(panel.here, panel.values[order], panel.curve[order])
        pen.dot(left + WIDTH * (panel.here - low) / span, top + HEIGHT * (1.0 - float(height)), CURVE)


def _paint_legend(pen: _Pen, top: float, start: str, of_what: str, caption: str) -> None:
    x, y = float(LEFT), top + 12
    pen.line([(x, y), (x + 22, y)], CURVE, 2.25)
    pen.dot(x + 11, y, CURVE)
    x += 30 + pen.text(x + 30, y, start, TEXT, "lm", 12) + 26
    if of_what:
        pen.area([(x, y - 6), (x + 22, y - 6), (x + 22, y + 6), (x, y + 6)], BAND)
        pen.line([(x, y), (x + 22, y)], MEAN, 1.75)
        pen.text(x + 30, y, f"mean and middle half of {of_what}", TEXT, "lm", 12)
    pen.text(LEFT, top + 38, caption, MUTED, "lm", 11)
