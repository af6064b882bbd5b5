"""Which pictures are projected together: files, a folder's or a set's; of too many a seeded choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from latentlab.data.catalog import known_sets, open_set
from latentlab.data.celeba import is_celeba
from latentlab.data.image_set import ImageSet
from latentlab.data.pictures import PICTURE_SUFFIXES, read_picture_bytes
from latentlab.errors import SettingsError
from latentlab.operations.map_rows import chosen_rows
from latentlab.progress import Reporter

COUNT = 512
"""Pictures that are projected together where nobody says how many."""


class ManyPicture(Protocol):
    """One of many pictures, read when its turn comes."""

    @property
    def name(self) -> str:
        """What it is called, without a suffix."""

    @property
    def place(self) -> str:
        """Where it lies, in words."""

    @property
    def identity(self) -> str:
        """Whom it shows; empty where each picture shows somebody else."""

    def content(self) -> bytes:
        """Return what makes it that picture; raises `OSError` if it cannot be read."""

    def pixels(self, content: bytes) -> NDArray[np.uint8]:
        """Return the picture of its content, uint8 ``[H, W, 3]``; raises `ImageError` if it is none."""


@dataclass(frozen=True)
class PictureFile:
    """A file."""

    path: Path

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return self.path.stem

    @property
    def place(self) -> str:
        """The file's path."""
        return str(self.path)

    @property
    def identity(self) -> str:
        """Nothing is known of whom it shows."""
        return ""

    def content(self) -> bytes:
        """Return the file's bytes."""
        return self.path.read_bytes()

    def pixels(self, content: bytes) -> NDArray[np.uint8]:
        """Return the picture."""
        return read_picture_bytes(content, self.path.name).pixels


@dataclass(frozen=True, eq=False)
class PictureOfSet:
    """A picture of a set, at the set's size."""

    images: ImageSet
    position: int

    @property
    def name(self) -> str:
        """Its name in the set, as a file can be called."""
        called = self._called
        suffix = Path(called).suffix
        stem = called.removesuffix(suffix) if suffix.lower() in PICTURE_SUFFIXES else called
        return (
            "".join(one if one.isalnum() or one in "-_. " else "-" for one in stem).strip(". ") or "picture"
        )

    @property
    def place(self) -> str:
        """Its name and its set's."""
        return f"{self._called} of {self.images.info.name}"

    @property
    def identity(self) -> str:
        """Whom an avatar or a robot shows, which stands before its style or quality."""
        return self._called.partition(":")[0] if self.images.info.paired_by else ""

    def content(self) -> bytes:
        """Return the pixels' bytes."""
        return self._pixels().tobytes()

    def pixels(self, content: bytes) -> NDArray[np.uint8]:
        """Return the picture."""
        size = self.images.image_size
        return np.frombuffer(content, dtype=np.uint8).reshape(size, size, 3)

    @property
    def _called(self) -> str:
        return str(self.images.names[self.images.rows[self.position]])

    def _pixels(self) -> NDArray[np.uint8]:
        found: NDArray[np.uint8] = self.images.pixels(np.array([self.position]))[0]
        return found


def list_images(places: Sequence[Path]) -> list[Path]:
    """Return the pictures named, and those in the folders named, in order.

    Raises
    ------
    SettingsError
        If a place does not exist, or there is no picture at all.
    """
    found: list[Path] = []
    for place in places:
        if place.is_dir():
            found += sorted(path for path in place.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES)
        elif place.is_file():
            found.append(place)
        else:
            raise SettingsError(f"There is no picture or folder {place}.")
    if not found:
        raise SettingsError(f"There is no picture in {', '.join(map(str, places))}.")
    return list(dict.fromkeys(found))


def many_pictures(
    data: str | Path | Sequence[str | Path],
    image_size: int = 64,
    *,
    count: int = COUNT,
    seed: int = 0,
    apart_from: Sequence[Path] = (),
    reporter: Reporter | None = None,
) -> list[ManyPicture]:
    """List the pictures of a set, of a folder, or of a list; none of a folder or a list is opened yet.

    Parameters
    ----------
    data
        A set's name (`latentlab.data.catalog`), a folder of pictures, or pictures and folders.
    image_size
        At what size a set is opened; pictures that are files keep their own.
    count
        How many at most; of more, so many are chosen at random.
    seed
        Chooses which.
    apart_from
        Folders whose files are no input, such as those that the results' figures go to.

    Raises
    ------
    LatentLabError
        If there is no such set, folder or picture, or no picture at all.
    """
    if isinstance(data, (str, Path)) and not _is_folder_of_pictures(data):
        images = open_set(data, image_size, reporter)
        return [PictureOfSet(images, int(k)) for k in chosen_rows(len(images), count, seed)]
    places = [data] if isinstance(data, (str, Path)) else data
    files = list_images([Path(place).expanduser() for place in places])
    if apart_from:
        folders = [folder.resolve() for folder in apart_from]
        files = [file for file in files if not any(map(file.resolve().is_relative_to, folders))]
    return [PictureFile(files[k]) for k in chosen_rows(len(files), count, seed)]


def _is_folder_of_pictures(data: str | Path) -> bool:
    """Whether it is a folder that is no set: its pictures are then projected as they lie there."""
    folder = Path(data).expanduser()
    known = str(data) in known_sets() or not folder.is_dir()
    return not known and not (folder / "set.json").is_file() and not is_celeba(folder)
