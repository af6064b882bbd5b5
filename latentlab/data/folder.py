"""A folder of pictures as an image set: with a table of attributes, sorted into folders, or just so.

==========================================  ==========================================================
the folder holds                            the set has
==========================================  ==========================================================
pictures, also in folders within            no attributes
folders of pictures (two or more)           the attribute ``dataset`` with the folders' names as classes
``train``, ``validation`` (or ``val``),     these splits, and ``dataset`` if there are folders in them
``test``
``attributes.csv``                          its columns as attributes
==========================================  ==========================================================

``attributes.csv`` has a header with the column ``name`` (the picture's path within the folder), if wanted
``split`` (train, validation or test), and one column for each attribute; an empty cell is a label that is
not known. A column of numbers with more than 20 values is continuous. Without splits of its own a set of
ten pictures or more is split 80:10:10, always in the same way.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data.image_set import SPLITS, UNKNOWN, SetInfo
from latentlab.data.picture_list import PictureList
from latentlab.data.pictures import PICTURE_SUFFIXES
from latentlab.errors import DataError
from latentlab.spec import Attribute

MOST_CLASSES = 100
"""A column with more classes than this is a name or a text, and is left out."""
_FEW_NUMBERS = 20
_SPLIT_NAMES = {"train": 0, "training": 0, "validation": 1, "valid": 1, "val": 1, "test": 2}


def list_folder(root: Path) -> PictureList:
    """List a folder's pictures with what its table or its folders say; no picture is opened.

    Raises
    ------
    DataError
        If the folder holds no pictures, or its ``attributes.csv`` is malformed or names none of them.
    """
    found = _pictures_in(root)
    if not found:
        raise DataError(f"The folder {root} holds no pictures ({', '.join(PICTURE_SUFFIXES)}).")
    if (root / "attributes.csv").is_file():
        return _with_table(root, found)
    splits, rest = _splits_from_folders(found)
    labels: dict[str, NDArray[Any]] = {}
    attributes: tuple[Attribute, ...] = ()
    tops = [path.split("/")[0] if "/" in path else "" for path in rest]
    classes = tuple(sorted(set(tops)))
    if len(classes) > 1 and "" not in classes:
        attributes = (Attribute(name="dataset", classes=classes),)
        labels["dataset"] = np.array([classes.index(top) for top in tops], dtype=np.int64)
    return _list(root, found, attributes, labels, splits, ())


def _pictures_in(root: Path) -> list[str]:
    """Return the paths of all pictures below a folder, relative and sorted; hidden ones are left out."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        for name in files:
            if name.lower().endswith(PICTURE_SUFFIXES) and not name.startswith("."):
                found.append((Path(folder) / name).relative_to(root).as_posix())
    return sorted(found)


def _splits_from_folders(found: Sequence[str]) -> tuple[NDArray[np.int8], list[str]]:
    """Return the splits that the top folders name, or chosen ones, and the paths below those folders."""
    tops = [path.split("/")[0] if "/" in path else "" for path in found]
    if set(tops) <= set(_SPLIT_NAMES):
        below = [path.split("/", 1)[1] for path in found]
        return np.array([_SPLIT_NAMES[top] for top in tops], dtype=np.int8), below
    return _chosen_splits(len(found)), list(found)


def _chosen_splits(count: int) -> NDArray[np.int8]:
    splits = np.zeros(count, dtype=np.int8)
    if count >= 10:
        order = np.random.default_rng(0).permutation(count)
        splits[order[: count // 10]] = SPLITS.index("test")
        splits[order[count // 10 : count // 10 * 2]] = SPLITS.index("validation")
    return splits


def _with_table(root: Path, found: Sequence[str]) -> PictureList:
    path = root / "attributes.csv"
    header, table, lines = _read_csv(path)
    if "name" not in header:
        raise DataError(
            f"{path} should have a column called name with the pictures' paths; it has {', '.join(header)}."
        )
    columns = {title: [row[k].strip() for row in table] for k, title in enumerate(header)}
    names = [name.replace("\\", "/").removeprefix("./") for name in columns.pop("name")]
    seen: set[str] = set()
    for name, line in zip(names, lines, strict=True):
        if name in seen:
            raise DataError(f"{path}, line {line}: {name} is listed twice.")
        seen.add(name)
    splits = _chosen_splits(len(names))
    if "split" in columns:
        for cell, line in zip(columns["split"], lines, strict=True):
            if cell.lower() not in _SPLIT_NAMES:
                raise DataError(f"{path}, line {line}: split {cell!r} should be one of {', '.join(SPLITS)}.")
        splits = np.array([_SPLIT_NAMES[cell.lower()] for cell in columns.pop("split")], dtype=np.int8)
    present = set(found)
    there = np.array([name in present for name in names], dtype=bool)
    if not there.any():
        raise DataError(
            f"{path} names none of the {len(found)} pictures in its folder: it lists {names[0]!r} "
            f"where there is {found[0]!r}. Names are paths within the folder."
        )
    skipped = [f"{name}: listed in attributes.csv, but there is no such picture" for name in names
               if name not in present] + [
        f"{name}: there is no line for it in attributes.csv" for name in found if name not in seen
    ]  # fmt: skip
    attributes, labels, left_out = [], {}, []
    for title, cells in columns.items():
        attribute, codes = _column(title, cells)
        if attribute is None:
            left_out.append(title)
        else:
            attributes.append(attribute)
            labels[title] = codes[there]
    kept = [name for name in names if name in present]
    return _list(root, kept, tuple(attributes), labels, splits[there], tuple(skipped), left_out)


def _read_csv(path: Path) -> tuple[list[str], list[list[str]], list[int]]:
    """Return the header, the rows, and the line in the file at which each row ends."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text; save it as a CSV file in UTF-8.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    try:
        rows = [(row, reader.line_num) for row in reader if row]
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}.") from None
    if len(rows) < 2:
        raise DataError(f"{path} should have a header and a line for each picture; it has {len(rows)} lines.")
    header = [title.strip() for title in rows[0][0]]
    if len(set(header)) < len(header) or "" in header:
        raise DataError(f"{path}: each column needs a title of its own; the titles are {', '.join(header)}.")
    for row, line in rows[1:]:
        if len(row) != len(header):
            raise DataError(f"{path}, line {line}: {len(header)} cells are expected, found {len(row)}.")
    return header, [row for row, _ in rows[1:]], [line for _, line in rows[1:]]


def _column(title: str, cells: Sequence[str]) -> tuple[Attribute | None, NDArray[Any]]:
    """Return a column as an attribute with its codes, or None where it is none (one class, or a text)."""
    known = sorted({cell for cell in cells if cell})
    numbers = _numbers(cells)
    if numbers is not None and len(known) > _FEW_NUMBERS:
        return Attribute(name=title, kind="continuous"), numbers
    if not 2 <= len(known) <= MOST_CLASSES:
        return None, np.empty(0)
    if numbers is not None:
        known.sort(key=float)
    position: Mapping[str, int] = {label: k for k, label in enumerate(known)} | {"": UNKNOWN}
    codes = np.array([position[cell] for cell in cells], dtype=np.int64)
    return Attribute(name=title, classes=tuple(known)), codes


def _numbers(cells: Sequence[str]) -> NDArray[np.float32] | None:
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells], dtype=np.float32)
    except ValueError:
        return None


def _list(
    root: Path,
    names: Sequence[str],
    attributes: tuple[Attribute, ...],
    labels: Mapping[str, NDArray[Any]],
    splits: NDArray[np.int8],
    skipped: tuple[str, ...],
    left_out: Sequence[str] = (),
) -> PictureList:
    source: dict[str, Any] = {"kind": "folder", "folder": root.name}
    if left_out:
        source["columns left out"] = list(left_out)
    info = SetInfo(
        name=root.resolve().name or "pictures",
        image_size=0,
        attributes=attributes,
        source=source,
        unreadable=skipped,
    )
    return PictureList(info, root, tuple(names), labels, splits, {})
