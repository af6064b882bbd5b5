"""A stored set at another image size, made once and kept in the user's cache under its content's name."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from latentlab.data.image_set import ImageSet
from latentlab.data.pictures import square_picture
from latentlab.data.set_folder import SetWriter, open_image_set
from latentlab.errors import DataError
from latentlab.paths import cache_directory
from latentlab.progress import Progress, Reporter

_VERSION = 2


def open_resized(folder: Path, image_size: int, reporter: Reporter | None = None) -> ImageSet:
    """Open the set in a folder at ``image_size`` pixels, resizing it on first use.

    Areas are averaged where the stored size is a whole multiple of ``image_size`` and the filter is
    Lanczos' otherwise, as in `latentlab.data.pictures.square_picture`. Set, splits and labels stay as
    they are; ``info.source["sizes"]`` lists the sizes that the images had before, the first one first.

    Raises
    ------
    DataError
        If the folder holds no sound set, or the size is not between 8 and 1,024 pixels.
    """
    if not 8 <= image_size <= 1024:
        raise DataError(f"Image sets have 8 to 1,024 px; {image_size} px was asked for.")
    stored = open_image_set(folder)
    if stored.image_size == image_size:
        return stored
    reporter = reporter or Reporter()
    cached = cache_directory() / "resized" / f"v{_VERSION}-{_digest(folder, reporter)[:24]}-{image_size}"
    if not (cached / "set.json").is_file():
        sizes = [*stored.info.source.get("sizes", ()), stored.image_size]
        source = {**stored.info.source, "sizes": sizes}
        info = stored.info.model_copy(update={"image_size": image_size, "source": source})
        with SetWriter(cached, image_size) as writer:
            for start in range(0, len(stored), 256):
                reporter.raise_if_cancelled()
                batch = stored.pixels(slice(start, start + 256))
                writer.add(np.stack([square_picture(pixels, image_size) for pixels in batch]))
                reporter.report(Progress(f"Resizing to {image_size} px", writer.count, len(stored)))
            writer.finish(info, stored.labels, stored.names, stored.splits)
    return open_image_set(cached)


def _digest(folder: Path, reporter: Reporter) -> str:
    """Return the SHA-256 of everything that the set in a folder consists of."""
    digest = hashlib.sha256()
    for name in ("set.json", "attributes.csv", "images.npy"):
        with (folder / name).open("rb") as file:
            while block := file.read(2**24):
                reporter.raise_if_cancelled()
                digest.update(block)
    return digest.hexdigest()
