"""A map as a table and as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from latentlab.data.contact_sheet import save_sheet
from latentlab.errors import SettingsError
from latentlab.operations.latent_map import LatentMap
from latentlab.operations.map_info import LAYOUT_NAMES, Layout
from latentlab.paths import bundled
from latentlab.whole_file import write_table

SIDE, MARGIN, FINER = 900, 40, 2
"""Height and width of the picture and its margin in pixels, and how much finer it is painted."""
COLOURS = ("#3b5bdb", "#e8590c", "#2b8a3e", "#c2255c", "#1098ad", "#9c36b5", "#997404", "#495057")
UNKNOWN = "#ced4da"


def save_map_table(path: Path, found: LatentMap, layout: Layout) -> None:
    """Save names, places in a layout and labels as CSV.

    Raises
    ------
    SettingsError
        If the map lacks the layout, or the file cannot be written.
    """
    places = found.layout(layout)
    labels = list(found.label_texts.values())
    rows = (
        [name, row, f"{x:.6g}", f"{y:.6g}", *(texts[k] for texts in labels)]
        for k, (name, row, (x, y)) in enumerate(
            zip(found.names.tolist(), found.rows.tolist(), places.tolist(), strict=True)
        )
    )
    write_table(path, ["name", "row", "x", "y", *found.label_texts], rows)


def save_map_picture(path: Path, found: LatentMap, layout: Layout, colour: str = "") -> None:
    """Save the map as a picture, coloured by an attribute with classes.

    Raises
    ------
    SettingsError
        If the map lacks layout or attribute, or the file cannot be written.
    """
    places = found.layout(layout)
    attribute = found.attribute(colour) if colour else None
    codes = np.zeros(len(found), dtype=np.int64)
    classes: tuple[str, ...] = ()
    if attribute is not None:
        if not attribute.classes:
            raise SettingsError(f"{colour} has no classes to colour by; choose another attribute.")
        codes, classes = found.labels[colour], attribute.classes
    side = SIDE * FINER
    image = Image.new("RGB", (side, side), "white")
    draw = ImageDraw.Draw(image)
    low, high = places.min(0), places.max(0)
    scale = (side - 2 * MARGIN * FINER) / max(float((high - low).max()), 1e-9)
    middle = (low + high) / 2
    radius = 2.2 * FINER
    for k in np.random.default_rng(0).permutation(len(found)).tolist():  # no class on top everywhere
        x = side / 2 + float(places[k, 0] - middle[0]) * scale
        y = side / 2 - float(places[k, 1] - middle[1]) * scale
        shade = COLOURS[int(codes[k]) % len(COLOURS)] if codes[k] >= 0 else UNKNOWN
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=shade)
    image = image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(bundled("resources", "fonts", "Inter-Regular.otf"), 14)
    for k, label in enumerate(classes):
        top = 12 + 20 * k
        draw.ellipse((12, top + 3, 22, top + 13), fill=COLOURS[k % len(COLOURS)])
        draw.text((30, top), label, fill="black", font=font)
    text = f"{len(found):,} images of {found.info.data} by {LAYOUT_NAMES[layout]}; model {found.info.model}"
    draw.text((12, SIDE - 26), text, fill="#495057", font=font)
    save_sheet(path, np.array(image))
