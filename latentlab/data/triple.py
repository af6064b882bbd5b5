"""The triple of face sets that the projection between datasets is shown on, and loss of quality.

The roles of FFHQ, CelebA-HQ and CelebA (Esser, Rombach and Ommer 2020): a *broad* sample, a *narrow*
one with a bias of its own, and the same narrow sample in *low quality*.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentlab.data.distribution import PRESETS, Distribution
from latentlab.data.faces import open_faces
from latentlab.data.image_set import SPLITS, ImageSet
from latentlab.data.joined import join_sets
from latentlab.data.pictures import square_picture
from latentlab.data.resample import resample
from latentlab.data.set_folder import open_image_set
from latentlab.errors import DataError
from latentlab.paths import cache_directory
from latentlab.progress import Reporter

BROAD_ROWS, NARROW_ROWS = 4000, 2000
SIDE, QUALITY = 24, 30
"""Low quality: the pixels that are left of each side, and the JPEG quality."""
_VERSION = 1


@dataclass(frozen=True)
class Triple:
    """Three sets: rows of ``broad`` and ``narrow`` are disjoint, ``low`` has the rows of ``narrow``."""

    broad: ImageSet
    narrow: ImageSet
    low: ImageSet


def faces_triple(train: ImageSet, seed: int = 0) -> Triple:
    """Choose the triple from the training rows of the faces.

    *Broad* is 4,000 rows, 500 of each group of gender and race. *Narrow* is 2,000 of the other rows, 90%
    light, 65% female, 10% with glasses. After the broad rows are taken some cells (light, female, without
    glasses) have fewer images than that needs; their images stand twice. ``info.source`` of the set says
    how many are distinct.

    Raises
    ------
    DataError
        If the set is not the bundled faces' training rows, or too small.
    """
    generator = np.random.default_rng(seed)
    broad = resample(train, _preset("balanced"), BROAD_ROWS, generator)
    others = train.select(~np.isin(train.rows, broad.rows))
    narrow = resample(others, _preset("narrow"), NARROW_ROWS, generator, allow_repeats=True)
    return Triple(broad, narrow, degrade(narrow))


def open_faces_triple(image_size: int = 64, reporter: Reporter | None = None) -> ImageSet:
    """Open the triple as one set with the attribute ``dataset``: broad, narrow or low.

    Its training rows are those of `faces_triple`. Of the validation and test rows, *broad* are all, *narrow*
    is half as many of them with the narrow set's shares, and *low* has the rows of *narrow*. It is made on
    first use, in seconds.
    """
    folder = cache_directory() / f"faces-triple-v{_VERSION}-{image_size}"
    if not (folder / "set.json").is_file():
        faces = open_faces(image_size, reporter)
        parts: list[tuple[str, ImageSet]] = []
        for split in SPLITS:
            body = faces.split(split)
            triple = faces_triple(body) if split == "train" else _held_out(body)
            parts += [("broad", triple.broad), ("narrow", triple.narrow), ("low", triple.low)]
        source = {"kind": "faces-triple", "version": _VERSION}
        join_sets(folder, parts, "faces-triple", source, reporter)
    return open_image_set(folder)


def _held_out(body: ImageSet, seed: int = 0) -> Triple:
    generator = np.random.default_rng(seed)
    narrow = resample(body, _preset("narrow"), len(body) // 2, generator, allow_repeats=True)
    return Triple(body, narrow, degrade(narrow))


def degrade(images: ImageSet, side: int = SIDE, quality: int = QUALITY) -> ImageSet:
    """Return the selected images in low quality: reduced, compressed and enlarged again.

    Parameters
    ----------
    side
        Height and width to which each image is reduced, in pixels.
    quality
        JPEG quality of the reduced image, 1 to 95.

    Returns
    -------
    ImageSet
        The same rows with their labels and names; the pixels are in memory, those of ``n`` images.
    """
    size = images.image_size
    if not 1 <= side <= size or not 1 <= quality <= 95:
        raise DataError(
            f"Images of {size} px can be reduced to 1 to {size} px at a JPEG quality of 1 to 95; "
            f"{side} px and {quality} were asked for."
        )
    pixels = np.empty((len(images), size, size, 3), dtype=np.uint8)
    for start in range(0, len(images), 256):
        for offset, picture in enumerate(images.pixels(slice(start, start + 256))):
            pixels[start + offset] = degraded(picture, side, quality)
    record = {**images.info.source, "degraded": {"side": side, "quality": quality}}
    return ImageSet(
        images.info.model_copy(update={"source": record}),
        pixels,
        {name: codes[images.rows] for name, codes in images.labels.items()},
        images.names[images.rows],
        images.splits[images.rows],
        np.arange(len(images)),
    )


def degraded(picture: NDArray[np.uint8], side: int = SIDE, quality: int = QUALITY) -> NDArray[np.uint8]:
    """Return one picture uint8 ``[S, S, 3]`` in low quality, as `degrade` does it."""
    size = len(picture)
    small = io.BytesIO()
    Image.fromarray(square_picture(picture, side)).save(small, "JPEG", quality=quality)
    with Image.open(small) as compressed:
        return np.asarray(compressed.resize((size, size), Image.Resampling.BICUBIC))


def _preset(name: str) -> Distribution:
    return Distribution.parse(PRESETS[name][1])
