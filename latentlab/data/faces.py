"""The bundled faces: illustrated, with constructed gender and race, exactly balanced.

Sheets of 32 x 32 faces at 128 px lie in ``resources/faces``; the first use at an image size decodes
them, averages areas down to that size, and keeps the result in the user's cache. The last 2,048 rows
of the training part are the validation split.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentlab.data.image_set import SPLITS, ImageSet, SetInfo
from latentlab.data.set_folder import open_image_set, write_image_set
from latentlab.errors import DataError
from latentlab.paths import bundled, cache_directory
from latentlab.progress import Progress, Reporter
from latentlab.spec import Attribute

NATIVE_SIZE = 128
VALIDATION_ROWS = 2048
_SIDE = 32
_VERSION = 1
_MAIN = {
    "gender": ("female", "male"),
    "race": ("asian", "black", "brown", "white"),
    "glasses": ("no", "yes"),
    "facial_hair": ("no", "yes"),
}


def open_faces(image_size: int = 64, reporter: Reporter | None = None) -> ImageSet:
    """Open the bundled faces with all splits, decoding them on first use (seconds, then cached).

    Raises
    ------
    DataError
        If the size is not between 8 and 128 pixels.
    """
    if not 8 <= image_size <= NATIVE_SIZE:
        raise DataError(
            f"The faces are drawn at {NATIVE_SIZE} px; ask for 8 to {NATIVE_SIZE}, not {image_size}."
        )
    folder = cache_directory() / f"faces-v{_VERSION}-{image_size}"
    if not (folder / "set.json").is_file():
        make_faces(folder, image_size, reporter)
    return open_image_set(folder)


def make_faces(folder: Path, image_size: int = 64, reporter: Reporter | None = None) -> Path:
    """Decode the bundled sheets into a set's folder at ``image_size`` pixels."""
    reporter = reporter or Reporter()
    root = bundled("resources", "faces")
    rows = {part: _read_table(root / part / "attributes.csv") for part in ("train", "test")}
    table = rows["train"] + rows["test"]
    attributes = tuple(
        Attribute(
            name=name,
            classes=_MAIN.get(name) or tuple(sorted({row[name] for row in table})),
            origin="constructed",
        )
        for name in (*_MAIN, "hair", "hair_color", "skin", "jersey")
    )
    labels = {
        attribute.name: [attribute.index(row[attribute.name]) for row in table] for attribute in attributes
    }
    n_train = len(rows["train"])
    splits = np.full(len(table), SPLITS.index("test"), dtype=np.int8)
    splits[:n_train] = SPLITS.index("train")
    splits[n_train - VALIDATION_ROWS : n_train] = SPLITS.index("validation")
    names = [f"{part}-{k:05d}" for part in rows for k in range(len(rows[part]))]
    info = SetInfo(
        name="faces",
        image_size=image_size,
        attributes=attributes,
        licence="Apache-2.0",
        credit="Drawn with facesjs 5.0.3, by its contributors",
        source={"kind": "faces", "version": _VERSION},
    )
    batches = _batches(root, {part: len(rows[part]) for part in rows}, image_size, reporter)
    return write_image_set(folder, info, batches, labels, names, splits)


def _read_table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _batches(
    root: Path, counts: dict[str, int], image_size: int, reporter: Reporter
) -> Iterator[NDArray[np.uint8]]:
    total, done = sum(counts.values()), 0
    for part, count in counts.items():
        for sheet in sorted((root / part).glob("faces_*.webp")):
            reporter.raise_if_cancelled()
            with Image.open(sheet) as picture:
                grid = picture.convert("RGB")
                if image_size != NATIVE_SIZE:
                    grid = grid.resize((image_size * _SIDE,) * 2, Image.Resampling.BOX)
            cells = np.asarray(grid).reshape(_SIDE, image_size, _SIDE, image_size, 3)
            faces = cells.transpose(0, 2, 1, 3, 4).reshape(-1, image_size, image_size, 3)
            batch = faces[: min(len(faces), count)]
            count -= len(batch)
            done += len(batch)
            reporter.report(Progress("Decoding the faces", done, total))
            yield batch
