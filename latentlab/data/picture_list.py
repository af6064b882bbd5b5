"""Pictures on disk with what is known of them, and the way from there to an image set.

The lists of `latentlab.data.celeba` and `latentlab.data.folder` are made without opening a picture, so
that rows can be chosen first. Importing then reads some hundred pictures at a time: a set is never in
memory as a whole. A picture that cannot be read is skipped, counted and listed, and never fatal.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data.image_set import ImageSet, SetInfo
from latentlab.data.pictures import read_picture, square_picture
from latentlab.data.set_folder import SetWriter, check_is_free, open_image_set
from latentlab.errors import DataError, ImageError
from latentlab.paths import cache_directory
from latentlab.progress import Progress, Reporter

_CHUNK = 256
_THREADS = 4
_VERSION = 1


@dataclass(frozen=True, eq=False)
class PictureList:
    """Pictures that have not been read yet.

    Parameters
    ----------
    info
        What the set will be; ``unreadable`` holds what has been skipped already, and why.
    root
        The folder that the names are relative to.
    names
        Paths relative to ``root`` with forward slashes, ``[N]``.
    labels, splits
        As in `ImageSet`.
    crops
        Side of the centre square that is cut out, by the picture's (width, height); the largest square
        of pictures of other sizes.
    """

    info: SetInfo
    root: Path
    names: tuple[str, ...]
    labels: Mapping[str, NDArray[Any]]
    splits: NDArray[np.int8]
    crops: Mapping[tuple[int, int], int]

    def as_set(self) -> ImageSet:
        """Return the list as a set without pictures, of which rows can be chosen as of any other."""
        names = np.array(self.names, dtype=np.str_)
        return ImageSet.without_pictures(self.info, self.labels, names, self.splits)


def import_pictures(
    pictures: PictureList,
    folder: Path,
    image_size: int,
    chosen: ImageSet | None = None,
    reporter: Reporter | None = None,
) -> Path:
    """Read pictures into a set's folder: the centre square of each, resized without aliasing.

    Parameters
    ----------
    chosen
        Rows of ``pictures.as_set()`` to read, all without it. Its ``info.source`` is kept.

    Raises
    ------
    DataError
        If no picture at all can be read, or the size is not between 8 and 1,024 pixels.
    """
    if not 8 <= image_size <= 1024:
        raise DataError(f"Image sets have 8 to 1,024 px; {image_size} px was asked for.")
    check_is_free(folder)
    reporter = reporter or Reporter()
    chosen = pictures.as_set() if chosen is None else chosen
    kept: list[int] = []
    unreadable = list(pictures.info.unreadable)
    skipped_before = len(unreadable)
    chunks = _read_in_chunks(pictures, chosen.rows, image_size)
    with closing(chunks), SetWriter(folder, image_size) as writer:
        for rows, batch in chunks:
            reporter.raise_if_cancelled()
            good = [pixels for pixels in batch if isinstance(pixels, np.ndarray)]
            if good:
                writer.add(np.stack(good))
            for row, result in zip(rows, batch, strict=True):
                if isinstance(result, ImageError):
                    unreadable.append(f"{pictures.names[row]}: {result}")
                else:
                    kept.append(int(row))
            failed = len(unreadable) - skipped_before
            done = Progress(
                "Reading the pictures", len(kept) + failed, len(chosen), {"unreadable": float(failed)}
            )
            reporter.report(done)
        if not kept:
            first = unreadable[skipped_before] if len(unreadable) > skipped_before else "none was chosen"
            raise DataError(f"No picture of {pictures.root} can be read. The first: {first}")
        info = chosen.info.model_copy(update={"image_size": image_size, "unreadable": tuple(unreadable)})
        labels = {name: codes[kept] for name, codes in pictures.labels.items()}
        return writer.finish(info, labels, [pictures.names[row] for row in kept], pictures.splits[kept])


def open_pictures(pictures: PictureList, image_size: int, reporter: Reporter | None = None) -> ImageSet:
    """Open pictures as a set, importing them into the user's cache unless nothing has changed since.

    Raises
    ------
    DataError
        As for `import_pictures`.
    """
    digest = hashlib.sha256(f"{_VERSION} {image_size} {pictures.info.model_dump_json()}".encode())
    for part in (pictures.splits, *pictures.labels.values()):
        digest.update(part.tobytes())
    for name in pictures.names:
        try:
            status = (pictures.root / name).stat()
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
        except OSError:
            digest.update(f"{name}\0missing\n".encode())
    folder = cache_directory() / "imported" / f"{digest.hexdigest()[:24]}-{image_size}"
    if not (folder / "set.json").is_file():
        import_pictures(pictures, folder, image_size, reporter=reporter)
    return open_image_set(folder)


def _read_in_chunks(
    pictures: PictureList, rows: NDArray[np.int64], image_size: int
) -> Generator[tuple[NDArray[np.int64], Sequence[NDArray[np.uint8] | ImageError]], None, None]:
    def read(row: int) -> NDArray[np.uint8] | ImageError:
        try:
            pixels = read_picture(pictures.root / pictures.names[row]).pixels
        except ImageError as error:
            return error
        height, width = pixels.shape[:2]
        return square_picture(pixels, image_size, pictures.crops.get((width, height)))

    threads = min(_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads, thread_name_prefix="latentlab-pictures") as pool:
        for start in range(0, len(rows), _CHUNK):
            some = rows[start : start + _CHUNK]
            yield some, list(pool.map(read, some.tolist()))
