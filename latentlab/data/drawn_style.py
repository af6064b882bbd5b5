"""Drawings in an artist's style: DiceBear's definitions, drawn by ``dicebear-core`` and rasterised by resvg.

The definitions (``dicebear-styles``) lie in the installed package; each tells its own artist and licence.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import numpy as np
import resvg_py
from dicebear import Avatar, Style
from numpy.typing import NDArray
from PIL import Image

SEED = "latentlab"
"""Of the options that nobody sets; all that shows is set by us."""
SHADE = 0.04
"""How much a colour is lightened or darkened at most."""
LARGEST = 512
"""Height and width of the largest drawings, in pixels."""


def draw(style: str, options: Mapping[str, Any], image_size: int) -> NDArray[np.uint8]:
    """Draw a style with options of ``dicebear-core`` on white.

    Returns
    -------
    numpy.ndarray
        Uint8 ``[image_size, image_size, 3]``, RGB.
    """
    svg = Avatar(_style(style), {"seed": SEED, **options}).to_string()
    png = resvg_py.svg_to_bytes(
        svg_string=svg, width=image_size, height=image_size, background="white", skip_system_fonts=True
    )
    with Image.open(io.BytesIO(bytes(png))) as picture:
        return np.array(picture.convert("RGB"))


def shaded(colour: str, shade: float) -> str:
    """Return ``#rrggbb`` lightened or darkened: by `SHADE` at a shade of 1 and -1."""
    channels = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return "#" + "".join(f"{min(255, round(channel * (1 + SHADE * shade))):02x}" for channel in channels)


def credit_of(style: str) -> dict[str, str]:
    """Return a style's title, artist, licence and where each is found, as its definition says."""
    meta = definition(style)["meta"]
    return {
        "title": meta["source"]["name"],
        "source": meta["source"]["url"],
        "creator": meta["creator"]["name"],
        "creator_url": meta["creator"]["url"],
        "licence": meta["license"]["name"],
        "licence_url": meta["license"]["url"],
    }


def drawn_by() -> dict[str, str]:
    """Return the versions of what draws, on which the pixels depend."""
    return {name: version(name) for name in ("dicebear-core", "dicebear-styles", "resvg_py")}


@lru_cache(maxsize=32)
def definition(style: str) -> dict[str, Any]:
    """Return a style's definition: its components with their variants, colours, and ``meta``."""
    text = files("dicebear_styles").joinpath(f"{style}.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@lru_cache(maxsize=32)
def _style(style: str) -> Style:
    """Return the parsed style: parsing takes up to two seconds, drawing a millisecond."""
    return Style(definition(style))
