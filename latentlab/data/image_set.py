"""`ImageSet`: a body of images with attributes, kept as one uint8 memory map and a table.

On disk a set is a folder: ``set.json`` (what it is, its attributes, its licence), ``images.npy`` (uint8
``[N, S, S, 3]``, RGB) and ``attributes.csv`` (one row per image: name, split, one column per attribute).
Splits, subsets, groups and resampled sets are all selections of rows; the pixels are never copied.
"""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from latentlab.errors import DataError
from latentlab.spec import Attribute, Record

if TYPE_CHECKING:
    from torch import Tensor

SPLITS = ("train", "validation", "test")
UNKNOWN = -1
"""The class code of a label that is not known."""


class SetInfo(Record):
    """What a set is: its name, attributes, size of its images, origin, licence and credit."""

    name: str
    image_size: int
    attributes: tuple[Attribute, ...] = ()
    licence: str = ""
    credit: str = ""
    source: Mapping[str, Any] = Field(default_factory=dict)
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImageSet:
    """A selection of rows of one body of images.

    Parameters
    ----------
    info
        What the set is.
    images
        All images of the body, uint8 ``[N, S, S, 3]``, RGB, usually a memory map.
    labels
        Class codes by attribute, int64 ``[N]`` (`UNKNOWN` where not known); float32 for continuous ones.
    names
        A name for each image, ``[N]``.
    splits
        The split of each image as a position in `SPLITS`, int8 ``[N]``.
    rows
        The selected rows, int64 ``[n]``; a row may stand more than once in a resampled set.
    """

    info: SetInfo
    images: NDArray[np.uint8]
    labels: Mapping[str, NDArray[Any]]
    names: NDArray[np.str_]
    splits: NDArray[np.int8]
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def image_size(self) -> int:
        """Height and width of the images in pixels."""
        return self.info.image_size

    def attribute(self, name: str) -> Attribute:
        """Return the attribute of that name, or raise `DataError` naming the ones there are."""
        for attribute in self.info.attributes:
            if attribute.name == name:
                return attribute
        known = ", ".join(attribute.name for attribute in self.info.attributes) or "none"
        raise DataError(f"The set {self.info.name} has no attribute {name!r}; it has {known}.")

    def codes(self, name: str) -> NDArray[Any]:
        """Return the selected rows' class codes (or values) of an attribute, ``[n]``."""
        self.attribute(name)
        return np.asarray(self.labels[name][self.rows])

    def pixels(self, positions: Sequence[int] | NDArray[np.int64] | slice) -> NDArray[np.uint8]:
        """Return the images at positions within the selection, uint8 ``[B, S, S, 3]``."""
        wanted = self.rows[positions]
        order = np.argsort(wanted, kind="stable")
        batch = np.empty((len(wanted), *self.images.shape[1:]), dtype=np.uint8)
        batch[order] = self.images[wanted[order]]
        return batch

    def select(self, positions: NDArray[Any]) -> ImageSet:
        """Return the set of the rows at positions (or under a boolean mask) of the selection."""
        return ImageSet(self.info, self.images, self.labels, self.names, self.splits, self.rows[positions])

    def split(self, name: str) -> ImageSet:
        """Return the rows of one split: ``train``, ``validation`` or ``test``.

        Raises
        ------
        DataError
            If the split is unknown or holds no image.
        """
        if name not in SPLITS:
            raise DataError(f"Split {name!r} is unknown; choose one of {', '.join(SPLITS)}.")
        chosen = self.select(self.splits[self.rows] == SPLITS.index(name))
        if not len(chosen):
            raise DataError(f"The set {self.info.name} has no images in its split {name!r}.")
        return chosen

    def groups(self, attributes: Sequence[str]) -> dict[str, NDArray[np.int64]]:
        """Return the positions of each intersectional group, keyed ``"gender=female,race=black"``.

        Every combination of classes has an entry, also one without images; rows with an unknown label
        are in none.
        """
        codes = [self.codes(name) for name in attributes]
        found = {}
        for combination in product(*(range(len(self.attribute(name).classes)) for name in attributes)):
            mask = np.logical_and.reduce([c == k for c, k in zip(codes, combination, strict=True)])
            key = ",".join(
                f"{name}={self.attribute(name).classes[k]}"
                for name, k in zip(attributes, combination, strict=True)
            )
            found[key] = np.flatnonzero(mask)
        return found


def images_to_tensor(pixels: NDArray[np.uint8], like: Tensor | None = None) -> Tensor:
    """Turn uint8 ``[B, S, S, 3]`` into float ``[B, 3, S, S]`` in [0, 1], `channels_last` in memory.

    The result has the type and device of ``like``, float32 on the CPU without it.
    """
    import torch

    tensor = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)
    if like is not None:
        return tensor.to(device=like.device, dtype=like.dtype).div_(255.0)
    return tensor.to(torch.float32).div_(255.0)


def write_image_set(
    folder: Path,
    info: SetInfo,
    images: Iterable[NDArray[np.uint8]],
    count: int,
    labels: Mapping[str, Sequence[int] | NDArray[Any]],
    names: Sequence[str],
    splits: Sequence[int] | NDArray[np.int8],
) -> Path:
    """Write a set's folder in one go: it appears whole or not at all.

    Parameters
    ----------
    images
        Batches uint8 ``[b, S, S, 3]`` that together hold ``count`` images, in the order of the labels.

    Returns
    -------
    pathlib.Path
        The folder.
    """
    size = info.image_size
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        out = np.lib.format.open_memmap(
            part / "images.npy", mode="w+", dtype=np.uint8, shape=(count, size, size, 3)
        )
        done = 0
        for batch in images:
            out[done : done + len(batch)] = batch
            done += len(batch)
        if done != count:
            raise DataError(f"The set {info.name} should have {count} images, but {done} were made.")
        out.flush()
        del out
        (part / "set.json").write_text(info.model_dump_json(indent=1), encoding="utf-8")
        with (part / "attributes.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["name", "split", *(attribute.name for attribute in info.attributes)])
            for row in range(count):
                cells = [_cell(attribute, labels[attribute.name][row]) for attribute in info.attributes]
                writer.writerow([names[row], SPLITS[splits[row]], *cells])
        _replace_folder(part, folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return folder


def open_image_set(folder: Path) -> ImageSet:
    """Open the folder of a set that `write_image_set` made; pixels stay on disk.

    Raises
    ------
    DataError
        If a file is missing or the parts do not fit together.
    """
    try:
        info = SetInfo.model_validate_json((folder / "set.json").read_text(encoding="utf-8"))
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        with (folder / "attributes.csv").open(newline="", encoding="utf-8") as file:
            header, *table = list(csv.reader(file))
    except FileNotFoundError as error:
        raise DataError(f"The image set {folder} lacks its file {Path(error.filename).name}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{folder / 'set.json'}: field {where or 'set'}: {first['msg']}.") from None
    except (ValueError, json.JSONDecodeError) as error:
        raise DataError(f"The image set {folder} is damaged: {error}. Make it again.") from None
    expected = ["name", "split", *(attribute.name for attribute in info.attributes)]
    if header != expected:
        raise DataError(
            f"{folder / 'attributes.csv'} should have the columns {', '.join(expected)}; "
            f"it has {', '.join(header)}."
        )
    if images.shape != (len(table), info.image_size, info.image_size, 3) or images.dtype != np.uint8:
        raise DataError(
            f"{folder / 'images.npy'} should hold uint8 "
            f"[{len(table)}, {info.image_size}, {info.image_size}, 3] to fit attributes.csv; it holds {images.dtype} {list(images.shape)}. Make the set again."
        )
    columns = list(zip(*table, strict=True)) if table else [()] * len(expected)
    labels = {
        attribute.name: _codes(folder, attribute, columns[2 + k])
        for k, attribute in enumerate(info.attributes)
    }
    try:
        splits = np.array([SPLITS.index(split) for split in columns[1]], dtype=np.int8)
    except ValueError as error:
        raise DataError(f"{folder / 'attributes.csv'}: column split: {error}.") from None
    names = np.array(columns[0], dtype=np.str_)
    return ImageSet(info, images, labels, names, splits, np.arange(len(table)))


def _cell(attribute: Attribute, value: Any) -> str:
    if attribute.kind == "continuous":
        return "" if np.isnan(value) else repr(float(value))
    return "" if value == UNKNOWN else attribute.classes[value]


def _codes(folder: Path, attribute: Attribute, cells: Sequence[str]) -> NDArray[Any]:
    if attribute.kind == "continuous":
        return np.array([float(cell) if cell else np.nan for cell in cells], dtype=np.float32)
    positions = {label: k for k, label in enumerate(attribute.classes)} | {"": UNKNOWN}
    try:
        return np.array([positions[cell] for cell in cells], dtype=np.int64)
    except KeyError as error:
        raise DataError(
            f"{folder / 'attributes.csv'}: column {attribute.name} holds {error.args[0]!r}, "
            f"which is none of its classes {', '.join(attribute.classes)}."
        ) from None


def _replace_folder(part: Path, folder: Path) -> None:
    """Put ``part`` in the place of ``folder``; another process that was faster wins."""
    part.chmod(0o755)
    if folder.exists():
        shutil.rmtree(folder)
    try:
        part.replace(folder)
    except OSError:
        if not (folder / "set.json").is_file():
            raise
        shutil.rmtree(part, ignore_errors=True)
