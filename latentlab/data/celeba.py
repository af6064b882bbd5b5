"""CelebA from its official files (Liu, Luo, Wang and Tang, ICCV 2015), as they are downloaded.

``list_attr_celeba.txt`` (how many images, the attributes' names, then -1 or 1 for each image),
``list_eval_partition.txt`` (0 train, 1 validation, 2 test) and the folder ``img_align_celeba`` lie beside
one another, or in ``Anno``, ``Eval`` and ``Img`` as on the authors' drive, or in ``celeba``; the two lists
may also be the ``.csv`` files of a common copy. Labels are perceived, by annotators, and are nobody's
identity. The usual square is cut out: the centre 148 pixels of the 178 x 218.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentlab.data.image_set import SetInfo
from latentlab.data.picture_list import PictureList
from latentlab.errors import DataError
from latentlab.spec import Attribute

CROP = 148
"""Side of the centre square that is cut out of the aligned images, in pixels."""

_NAME_TITLES = ("image_id", "filename")
_FOLDERS = ("", "celeba", "Anno", "Eval", "Img", "img_align_celeba")


def is_celeba(root: Path) -> bool:
    """Return whether a folder looks like CelebA's: it has the list of attributes."""
    return _find(root, "list_attr_celeba") is not None


def list_celeba(root: Path) -> PictureList:
    """List CelebA's images with their attributes and splits; no image is opened.

    Raises
    ------
    DataError
        If a file or the folder of images is missing, or a list is malformed or does not fit the other.
        The message names the file, the line, and what was expected.
    """
    attributes_path = _need(root, "list_attr_celeba")
    names, attributes, values = _read_attributes(attributes_path)
    splits = _read_partition(_need(root, "list_eval_partition"), names)
    folder = _image_folder(root, names)
    prefix = "" if folder == root else folder.relative_to(root).as_posix() + "/"
    return PictureList(
        info=SetInfo(
            name="celeba",
            image_size=0,
            attributes=tuple(Attribute(name=name, classes=("no", "yes")) for name in attributes),
            licence="CelebA's own terms: non-commercial research only",
            credit="CelebA: Liu, Luo, Wang and Tang, Deep Learning Face Attributes in the Wild, ICCV 2015",
            source={"kind": "celeba", "crop": CROP},
        ),
        root=root,
        names=tuple(prefix + name for name in names),
        labels=dict(zip(attributes, values, strict=True)),
        splits=splits,
        crops={(178, 218): CROP},
    )


def _read_attributes(path: Path) -> tuple[list[str], list[str], NDArray[np.int64]]:
    """Return the images' names ``[N]``, the attributes' ``[A]``, and 0 or 1 for each, int64 ``[A, N]``."""
    lines = _lines(path)
    header, stated = next(lines), None
    if len(header) == 1:
        stated, header = header[0], next(lines, [])
    if header and header[0].lower() in _NAME_TITLES:
        header = header[1:]
    names, values = [], bytearray()
    for line in lines:
        if len(line) != len(header) + 1 or not {"-1", "1"}.issuperset(line[1:]):
            raise DataError(
                f"{path}: the line of {line[0]!r} should have {len(header)} values of -1 or 1 "
                f"after the name; found {' '.join(line[1:4])}... ({len(line) - 1} values)."
            )
        names.append(line[0])
        values.extend(cell == "1" for cell in line[1:])
    if not names or not header or len(set(header)) < len(header):
        raise DataError(f"{path} should have a count, a line of attribute names, and a line for each image.")
    if stated is not None and stated != str(len(names)):
        raise DataError(f"{path} states {stated} images but lists {len(names)}: download it again.")
    _refuse_repeats(path, names)
    table = np.frombuffer(values, dtype=np.uint8).reshape(len(names), len(header))
    return names, header, np.ascontiguousarray(table.T.astype(np.int64))


def _read_partition(path: Path, names: Sequence[str]) -> NDArray[np.int8]:
    """Return the split of each name as 0, 1 or 2, int8 ``[N]``."""
    listed: list[str] = []
    split_of: dict[str, int] = {}
    for line in _lines(path):
        if not listed and line[0].lower() in _NAME_TITLES:
            continue
        if len(line) != 2 or line[1] not in ("0", "1", "2"):
            raise DataError(f"{path}: a line should be a name and 0, 1 or 2; found {' '.join(line[:4])!r}.")
        listed.append(line[0])
        split_of[line[0]] = int(line[1])
    _refuse_repeats(path, listed)
    if missing := [name for name in names if name not in split_of]:
        raise DataError(
            f"{path} lacks {len(missing)} of the {len(names)} images in the list of attributes, "
            f"such as {missing[0]}; the two files should be of one download."
        )
    return np.array([split_of[name] for name in names], dtype=np.int8)


def _image_folder(root: Path, names: Sequence[str]) -> Path:
    """Return the folder that holds the images: the first one that has any of the first hundred."""
    candidates = [root / part / "img_align_celeba" for part in _FOLDERS]
    for folder in candidates:
        if any((folder / name).is_file() for name in (*names[:100], names[-1])):
            return folder
    archive = next((path for path in candidates if path.with_suffix(".zip").is_file()), None)
    if archive is not None:
        raise DataError(f"{archive.with_suffix('.zip')} is still packed; unpack it beside itself.")
    raise DataError(
        f"{root} has CelebA's lists but not the images they name, such as img_align_celeba/{names[0]}. "
        "Unpack img_align_celeba.zip there."
    )


def _lines(path: Path) -> Iterator[list[str]]:
    """Give the words of each line that has any, at least one; a whole list is never in memory."""
    separator = "," if path.suffix == ".csv" else None
    found = False
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                if text := line.strip():
                    found = True
                    yield text.split(separator)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from None
    if not found:
        raise DataError(f"{path} is empty; download it again.")


def _refuse_repeats(path: Path, names: Sequence[str]) -> None:
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise DataError(f"{path} lists {name} {times} times.")


def _find(root: Path, stem: str) -> Path | None:
    for part in _FOLDERS:
        for suffix in (".txt", ".csv"):
            path = root / part / f"{stem}{suffix}"
            if path.is_file():
                return path
    return None


def _need(root: Path, stem: str) -> Path:
    path = _find(root, stem)
    if path is None:
        raise DataError(f"{root} lacks CelebA's file {stem}.txt; put it beside img_align_celeba.")
    return path
