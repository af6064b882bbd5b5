"""A set on disk: a folder that is written whole or not at all, and opened with its pixels left on disk.

The folder holds ``set.json`` (what it is, its attributes, its licence), ``images.npy`` (uint8
``[N, S, S, 3]``, RGB) and ``attributes.csv`` (one row per image: name, split, one column per attribute;
an empty cell is a label that is not known). Images are written as they come, so that a set is never in
memory, and their number need not be known beforehand.
"""

from __future__ import annotations

import csv
import glob
import hashlib
import json
import shutil
import struct
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from latentlab.data.image_set import SPLITS, UNKNOWN, ImageSet, SetInfo
from latentlab.errors import DataError
from latentlab.paths import cache_directory
from latentlab.progress import Progress, Reporter
from latentlab.spec import Attribute

_FILES = frozenset({"set.json", "images.npy", "attributes.csv"})
_HEADER_BYTES = 128


class SetWriter:
    """Writes a set's folder: ``add`` batches of images, then ``finish`` with what is known of them.

    Used as a context manager. Left without ``finish``, or by an error, it leaves nothing behind.

    Parameters
    ----------
    folder
        Where the set shall lie. An older set in that place is replaced, anything else is not.
    image_size
        Height and width of the images in pixels.

    Raises
    ------
    DataError
        If ``folder`` is a file, or a folder with other things in it, or cannot be made.
    """

    def __init__(self, folder: Path, image_size: int) -> None:
        check_is_free(folder)
        self.count = 0
        self._folder, self._size = folder, image_size

    def __enter__(self) -> SetWriter:
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            _remove_leftovers(self._folder)
            self._part = Path(tempfile.mkdtemp(prefix=f".{self._folder.name}-", dir=self._folder.parent))
        except OSError as error:
            raise DataError(f"The folder {self._folder} cannot be made: {error.strerror or error}.") from None
        self._images = (self._part / "images.npy").open("wb")
        self._images.write(self._header())
        return self

    def add(self, images: NDArray[np.uint8]) -> None:
        """Append images, uint8 ``[B, S, S, 3]``."""
        if images.shape[1:] != (self._size, self._size, 3) or images.dtype != np.uint8:
            raise DataError(
                f"Images of a set at {self._size} px should be uint8 [B, {self._size}, {self._size}, 3]; "
                f"found {images.dtype} {list(images.shape)}."
            )
        self._images.write(np.ascontiguousarray(images).data)
        self.count += len(images)

    def finish(
        self,
        info: SetInfo,
        labels: Mapping[str, Sequence[int] | NDArray[Any]],
        names: Sequence[str] | NDArray[np.str_],
        splits: Sequence[int] | NDArray[np.int8],
    ) -> Path:
        """Write the table and put the folder in its place; each list has one entry per image added."""
        if not self.count:
            raise DataError(f"The set {info.name} would have no images.")
        if not self.count == len(names) == len(splits):
            raise DataError(
                f"The set {info.name} should have {len(names)} images, but {self.count} were made."
            )
        self._images.seek(0)
        self._images.write(self._header())
        self._images.close()
        (self._part / "set.json").write_text(info.model_dump_json(indent=1), encoding="utf-8")
        with (self._part / "attributes.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["name", "split", *(attribute.name for attribute in info.attributes)])
            for row in range(self.count):
                cells = [_cell(attribute, labels[attribute.name][row]) for attribute in info.attributes]
                writer.writerow([names[row], SPLITS[splits[row]], *cells])
        self._part.chmod(0o755)
        _replace_folder(self._part, self._folder)
        return self._folder

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._images.close()
        shutil.rmtree(self._part, ignore_errors=True)

    def _header(self) -> bytes:
        """Return the header of ``images.npy`` (NumPy format 1.0), padded to a fixed length."""
        shape = (self.count, self._size, self._size, 3)
        text = repr({"descr": "|u1", "fortran_order": False, "shape": shape})
        body = text.ljust(_HEADER_BYTES - 11).encode("latin-1") + b"\n"
        return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(body)) + body


def write_image_set(
    folder: Path,
    info: SetInfo,
    images: Iterable[NDArray[np.uint8]],
    labels: Mapping[str, Sequence[int] | NDArray[Any]],
    names: Sequence[str] | NDArray[np.str_],
    splits: Sequence[int] | NDArray[np.int8],
) -> Path:
    """Write a set whose table is known beforehand.

    Parameters
    ----------
    images
        Batches uint8 ``[b, S, S, 3]``, together as many as there are names and in their order.

    Returns
    -------
    pathlib.Path
        The folder.
    """
    with SetWriter(folder, info.image_size) as writer:
        for batch in images:
            writer.add(batch)
        return writer.finish(info, labels, names, splits)


def copy_image_set(
    folder: Path, images: ImageSet, info: SetInfo | None = None, reporter: Reporter | None = None
) -> Path:
    """Write the selected rows of a set as a set of its own, with ``info`` in place of its own if given."""
    reporter = reporter or Reporter()
    info = info or images.info
    with SetWriter(folder, images.image_size) as writer:
        for start in range(0, len(images), 1024):
            reporter.raise_if_cancelled()
            writer.add(images.pixels(slice(start, start + 1024)))
            reporter.report(Progress("Writing the images", writer.count, len(images)))
        labels = {name: codes[images.rows] for name, codes in images.labels.items()}
        return writer.finish(info, labels, images.names[images.rows], images.splits[images.rows])


def open_drawn(
    name: str, recipe: Mapping[str, Any], image_size: int, make: Callable[[Path], object]
) -> ImageSet:
    """Open a set that is drawn on first use, and kept in the user's cache under all that its pixels rest on.

    Parameters
    ----------
    name
        What the folder's name begins with.
    recipe
        What the pixels rest on, as plain values.
    make
        Draws the set into a folder.
    """
    key = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:12]
    folder = cache_directory() / f"{name}-{key}-{image_size}"
    if not (folder / "set.json").is_file():
        make(folder)
    return open_image_set(folder)


def open_image_set(folder: Path) -> ImageSet:
    """Open the folder of a set that LatentLab wrote; the pixels stay on disk.

    Raises
    ------
    DataError
        If a file is missing or the parts do not fit together.
    """
    try:
        info = SetInfo.model_validate_json((folder / "set.json").read_text(encoding="utf-8"))
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        names, splits, labels = _read_table(folder / "attributes.csv", info.attributes)
    except FileNotFoundError as error:
        raise DataError(f"The image set {folder} lacks its file {Path(error.filename).name}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{folder / 'set.json'}: field {where or 'set'}: {first['msg']}.") from None
    except (ValueError, OSError, csv.Error) as error:
        raise DataError(f"The image set {folder} is damaged: {error}. Make it again.") from None
    if images.shape != (len(names), info.image_size, info.image_size, 3) or images.dtype != np.uint8:
        expected = [len(names), info.image_size, info.image_size, 3]
        raise DataError(
            f"{folder / 'images.npy'} should hold uint8 {expected} to fit attributes.csv and set.json; "
            f"it holds {images.dtype} {list(images.shape)}. Make the set again."
        )
    return ImageSet(info, images, labels, names, splits, np.arange(len(names)))


def check_is_free(folder: Path) -> None:
    """Raise `DataError` if a set may not be put there: only an older set, or nothing, may be replaced."""
    if folder.is_file():
        raise DataError(f"{folder} is a file; name a folder for the set.")
    if folder.is_dir():
        others = sorted({path.name for path in folder.iterdir()} - _FILES)
        if others:
            raise DataError(
                f"The folder {folder} holds other things ({', '.join(others[:3])}); "
                "name a new folder for the set."
            )


def _read_table(
    path: Path, attributes: Sequence[Attribute]
) -> tuple[NDArray[np.str_], NDArray[np.int8], dict[str, NDArray[Any]]]:
    """Read the names, splits and labels of ``attributes.csv``, one row at a time."""
    names: list[str] = []
    columns: list[list[Any]] = [[] for _ in range(1 + len(attributes))]
    codes: list[Mapping[str, float]] = [{split: code for code, split in enumerate(SPLITS)}]
    for attribute in attributes:
        codes.append({label: code for code, label in enumerate(attribute.classes)} | {"": UNKNOWN})
    continuous = [False, *(attribute.kind == "continuous" for attribute in attributes)]
    expected = ["name", "split", *(attribute.name for attribute in attributes)]
    with path.open(newline="", encoding="utf-8") as file:
        lines = csv.reader(file)
        header = next(lines, [])
        if header != expected:
            raise DataError(
                f"{path} should have the columns {', '.join(expected)}; it has {', '.join(header) or 'none'}."
            )
        for line in lines:
            if len(line) != len(expected):
                raise DataError(
                    f"{path}, line {lines.line_num}: {len(expected)} cells are expected, found {len(line)}."
                )
            names.append(line[0])
            for k, cell in enumerate(line[1:]):
                try:
                    columns[k].append(float(cell or "nan") if continuous[k] else codes[k][cell])
                except (KeyError, ValueError):
                    allowed = "a number" if continuous[k] else "one of " + ", ".join(filter(None, codes[k]))
                    raise DataError(
                        f"{path}, line {lines.line_num}: column {expected[k + 1]} holds {cell!r}, "
                        f"where {allowed} is expected."
                    ) from None
    labels = {
        attribute.name: np.array(column, dtype=np.float32 if number else np.int64)
        for attribute, column, number in zip(attributes, columns[1:], continuous[1:], strict=True)
    }
    return np.array(names, dtype=np.str_), np.array(columns[0], dtype=np.int8), labels


def _cell(attribute: Attribute, value: Any) -> str:
    if attribute.kind == "continuous":
        return "" if np.isnan(value) else repr(float(value))
    return "" if value == UNKNOWN else attribute.classes[value]


def _remove_leftovers(folder: Path) -> None:
    """Remove what a process that was killed a day ago or more left of this set."""
    for part in folder.parent.glob(f".{glob.escape(folder.name)}-*"):
        with suppress(OSError):
            if {
                path.name for path in part.iterdir()
            } <= _FILES and part.stat().st_mtime < time.time() - 86400:
                shutil.rmtree(part)


def _replace_folder(part: Path, folder: Path) -> None:
    """Put ``part`` in the place of ``folder``; another process that was faster wins.

    An older set is moved aside first and deleted last, so that at no moment both are lost.
    """
    check_is_free(folder)
    aside = part.with_name(f"{part.name}-old")
    if folder.exists():
        with suppress(FileNotFoundError):  # another process has just moved it
            folder.rename(aside)
    try:
        part.rename(folder)
        shutil.rmtree(aside, ignore_errors=True)
    except OSError:
        if not (folder / "set.json").is_file():
            if aside.exists():
                aside.rename(folder)
            raise
