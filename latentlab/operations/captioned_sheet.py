"""A figure of pictures in lines: each line has a label, each picture may have words below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from latentlab.paths import bundled

CELL = 128
"""The least height and width of a picture in the figure, in pixels; smaller ones are enlarged."""
LETTERS, LINE = 13, 17
"""Height of the letters, and of a line of them."""
GAP, MARGIN = 10, 14
TEXT, MUTED = "#1b1e26", "#5d6575"

Picture = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Line:
    """One line of a figure.

    Parameters
    ----------
    label
        What stands to its left.
    pictures
        Uint8 ``[S, S, 3]``, RGB, all of one size; None leaves a place empty.
    captions
        Words below each picture, a line of text each; the first one is printed darker.
    """

    label: str
    pictures: Sequence[Picture | None]
    captions: Sequence[Sequence[str]] = ()


def captioned_sheet(lines: Sequence[Line], title: str = "", note: str = "", least: int = CELL) -> Image.Image:
    """Paint lines of pictures below one another on white, with a title above and a note below.

    Pixels are enlarged as squares, so that a picture has ``least`` of the figure's on a side; words that do
    not fit below a picture are shortened.
    """
    pens = _Pens()
    size = next(p.shape[0] for line in lines for p in line.pictures if p is not None)
    factor = -(-least // size)
    cell = size * factor
    left = MARGIN + max((pens.width(line.label, bold=True) for line in lines), default=0) + GAP
    columns = max(len(line.pictures) for line in lines)
    width = left + columns * (cell + GAP) - GAP + MARGIN
    notes = pens.wrapped(note, width - 2 * MARGIN)
    top = MARGIN + (LINE + GAP if title else 0)
    heights = [cell + LINE * max((len(words) for words in line.captions), default=0) + GAP for line in lines]
    height = top + sum(heights) + LINE * len(notes) + MARGIN
    canvas = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(canvas)
    if title:
        shown = pens.shortened(title, width - 2 * MARGIN, bold=True)
        draw.text((MARGIN, MARGIN), shown, fill=TEXT, font=pens.bold)
    for line, tall in zip(lines, heights, strict=True):
        draw.text((MARGIN, top + cell / 2), line.label, fill=TEXT, font=pens.bold, anchor="lm")
        for column, picture in enumerate(line.pictures):
            x = left + column * (cell + GAP)
            if picture is not None:
                large = np.kron(picture, np.ones((factor, factor, 1), dtype=np.uint8))
                canvas.paste(Image.fromarray(large), (x, top))
            words = line.captions[column] if column < len(line.captions) else ()
            for k, text in enumerate(words):
                where = (x + cell / 2, top + cell + LINE * (k + 0.5) + 2)
                fill = MUTED if k else TEXT
                draw.text(
                    where, pens.shortened(text, cell + GAP - 2), fill=fill, font=pens.plain, anchor="mm"
                )
        top += tall
    for k, text in enumerate(notes):
        draw.text((MARGIN, top + LINE * k), text, fill=MUTED, font=pens.plain)
    return canvas


class _Pens:
    """The two fonts, and what fits."""

    def __init__(self) -> None:
        folder = ("resources", "fonts")
        self.plain = ImageFont.truetype(bundled(*folder, "Inter-Regular.otf"), LETTERS)
        self.bold = ImageFont.truetype(bundled(*folder, "Inter-SemiBold.otf"), LETTERS)

    def width(self, text: str, bold: bool = False) -> int:
        return int(np.ceil((self.bold if bold else self.plain).getlength(text)))

    def shortened(self, text: str, most: int, bold: bool = False) -> str:
        text = " ".join(text.split())
        while len(text) > 1 and self.width(text, bold) > most:
            text = text[:-2].rstrip() + "…"
        return text

    def wrapped(self, text: str, most: int) -> list[str]:
        lines: list[str] = []
        for word in text.split():
            if lines and self.width(f"{lines[-1]} {word}") <= most:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
        return lines
