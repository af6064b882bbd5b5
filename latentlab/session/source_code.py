"""The input as the model sees it, in the text of a program."""

from __future__ import annotations

import io
import textwrap
from base64 import b64encode

import numpy as np
from numpy.typing import NDArray

IMPORTS = (
    "from base64 import b64decode",
    "from latentlab.data.pictures import read_picture_bytes",
)
"""What the lines need."""
_WIDTH = 96


def source_text(picture: NDArray[np.uint8]) -> str:
    """Return a picture uint8 ``[S, S, 3]`` as base64 text of a PNG."""
    from PIL import Image  # the window's first paint does without Pillow

    content = io.BytesIO()
    Image.fromarray(picture).save(content, "PNG", optimize=True)
    return b64encode(content.getvalue()).decode("ascii")


def source_lines(text: str) -> list[str]:
    """Return the lines that make ``source`` of that text."""
    parts = [f"    {part!r}" for part in textwrap.wrap(text, _WIDTH)]
    return ["source = read_picture_bytes(b64decode(", *parts, ")).pixels  # the input as the model sees it"]
