"""A contact sheet: a glance at what a set holds, all of it mixed or group by group."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from latentlab.data.avatars import paired
from latentlab.data.image_set import ImageSet
from latentlab.errors import SettingsError
from latentlab.whole_file import whole_file

MOST_GROUPS = 48
"""More groups than this do not fit one sheet."""
_LABEL_HEIGHT = 16
_GAP = 2


def contact_sheet(
    images: ImageSet, by: Sequence[str] = (), columns: int = 16, rows: int = 8, seed: int = 0
) -> NDArray[np.uint8]:
    """Lay out images of a set, chosen by the seed, on white.

    Parameters
    ----------
    by
        Attributes whose groups get a strip of one row each, with its name and count above; groups without
        images are left out. The styles of avatars show the same people, the qualities of robots the same
        robots.
    columns, rows
        Images beside and below one another; with ``by`` the rows are the groups.

    Returns
    -------
    numpy.ndarray
        Uint8 ``[H, W, 3]``, RGB.

    Raises
    ------
    SettingsError
        If there are too many groups for a sheet, or the numbers are not positive.
    DataError
        If the set lacks an attribute.
    """
    if not (1 <= columns <= 200 and 1 <= rows <= 200):
        raise SettingsError(f"A sheet has 1 to 200 columns and rows; {columns} by {rows} were asked for.")
    if seed < 0:
        raise SettingsError(f"A seed is 0 or larger; {seed} was given.")
    generator = np.random.default_rng(seed)
    if not by:
        chosen = generator.permutation(len(images))[: columns * rows]
        strips = [(None, chosen[start : start + columns]) for start in range(0, len(chosen), columns)]
        return _lay_out(images, strips, columns)
    groups = {name: positions for name, positions in images.groups(by).items() if len(positions)}
    if not 0 < len(groups) <= MOST_GROUPS:
        raise SettingsError(
            f"{', '.join(by)} make {len(groups)} groups with images; a sheet shows 1 to {MOST_GROUPS}."
        )
    counts = {name: len(positions) for name, positions in groups.items()}
    if tuple(by) == (images.info.paired_by,) and len(groups) > 1:
        people, where = paired(images)
        order = generator.permutation(len(people))[:columns]
        picked = {f"{by[0]}={drawn}": positions[order] for drawn, positions in where.items()}
    else:
        picked = {name: generator.permutation(positions)[:columns] for name, positions in groups.items()}
    labelled = [(f"{name}  ({counts[name]:,})", picked[name]) for name in groups]
    return _lay_out(images, labelled, columns)


def save_sheet(path: Path, sheet: NDArray[np.uint8]) -> None:
    """Write a sheet as a picture; the suffix says the format.

    Raises
    ------
    SettingsError
        If the format is unknown or the file cannot be written.
    """
    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind not in Image.SAVE:
        raise SettingsError(f"{path} has no known picture suffix; call it .png, for example.")
    with whole_file(path) as part:
        Image.fromarray(sheet).save(part, kind)


def _lay_out(
    images: ImageSet, strips: Sequence[tuple[str | None, NDArray[np.int64]]], columns: int
) -> NDArray[np.uint8]:
    size = images.image_size
    label_height = _LABEL_HEIGHT if any(label for label, _ in strips) else 0
    columns = min(columns, max((len(positions) for _, positions in strips), default=1))
    step, strip_height = size + _GAP, size + _GAP + label_height
    font = ImageFont.load_default(12)
    width = columns * step + _GAP
    for label, _ in strips:
        width = max(width, int(font.getlength(label or "")) + 2 * _GAP)
    sheet = Image.new("RGB", (width, len(strips) * strip_height + _GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (label, positions) in enumerate(strips):
        top = _GAP + row * strip_height
        if label:
            draw.text((_GAP, top), label, fill="black", font=font)
        for column, pixels in enumerate(images.pixels(positions)):
            sheet.paste(Image.fromarray(pixels), (_GAP + column * step, top + label_height))
    return np.array(sheet)
