"""Pictures laid out on one sheet, and pictures in a row as a loop that plays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from latentlab.errors import SettingsError
from latentlab.paths import bundled

GAP = 2
LETTERS = 12
"""Height of the labels in pixels."""
LOOPS = {".gif": "GIF", ".webp": "WEBP", ".png": "PNG"}
"""What a loop can be saved as, by suffix; PNG is animated too."""


def sheet(pictures: Sequence[NDArray[np.uint8]], columns: int) -> Image.Image:
    """Lay pictures uint8 ``[S, S, 3]`` out row by row on white, with a small gap."""
    size = pictures[0].shape[0]
    cell, rows = size + GAP, -(-len(pictures) // columns)
    canvas = np.full((rows * cell - GAP, columns * cell - GAP, 3), 255, dtype=np.uint8)
    for k, picture in enumerate(pictures):
        y, x = (k // columns) * cell, (k % columns) * cell
        canvas[y : y + size, x : x + size] = picture
    return Image.fromarray(canvas)


def labelled(
    image: Image.Image, size: int, rows: Sequence[str] = (), columns: Sequence[str] = ()
) -> Image.Image:
    """Write labels beside the rows and above the columns of a `sheet` of pictures of that size."""
    if not rows and not columns:
        return image
    font = ImageFont.truetype(bundled("resources", "fonts", "Inter-Regular.otf"), LETTERS)
    left = max((int(font.getlength(label)) for label in rows), default=0) + (8 if rows else 0)
    top = LETTERS + 8 if columns else 0
    canvas = Image.new("RGB", (left + image.width, top + image.height), "white")
    canvas.paste(image, (left, top))
    draw = ImageDraw.Draw(canvas)
    for k, label in enumerate(rows):
        draw.text((4, top + k * (size + GAP) + size / 2), label, fill="black", font=font, anchor="lm")
    for k, label in enumerate(columns):
        where = (left + k * (size + GAP) + size / 2, top / 2)
        draw.text(where, label, fill="black", font=font, anchor="mm")
    return canvas


def save_loop(path: Path, pictures: Sequence[NDArray[np.uint8]], fps: float = 12.0, enlarge: int = 1) -> None:
    """Write pictures uint8 ``[S, S, 3]`` as a loop that plays for ever.

    Parameters
    ----------
    path
        Ends in ``.gif`` (256 colours), ``.webp`` (lossless) or ``.png`` (animated PNG).
    fps
        Pictures a second, 1 to 50, which is the most that GIF players show.
    enlarge
        How many times larger the pictures become, their pixels as squares.

    Raises
    ------
    SettingsError
        If the suffix is another, a number is out of range, or the file cannot be written.
    """
    kind = LOOPS.get(path.suffix.lower())
    if kind is None:
        raise SettingsError(f"A loop is saved as {', '.join(LOOPS)}; {path} ends in none of these.")
    if not 1.0 <= fps <= 50.0:
        raise SettingsError(f"A loop shows 1 to 50 pictures a second, not {fps:g}.")
    if not 1 <= enlarge <= 16:
        raise SettingsError(f"Pictures are enlarged 1 to 16 times, not {enlarge}.")
    frames = [Image.fromarray(np.kron(p, np.ones((enlarge, enlarge, 1), dtype=np.uint8))) for p in pictures]
    more = {"GIF": {"optimize": False}, "WEBP": {"lossless": True}, "PNG": {}}[kind]
    try:
        frames[0].save(
            path,
            format=kind,
            save_all=True,
            append_images=frames[1:],
            duration=round(1000.0 / fps),
            loop=0,
            **more,
        )
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror or error}.") from None
