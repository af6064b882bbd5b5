"""Any distribution as a seeded resampling of a set: rows are chosen, pixels are never copied."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from latentlab.data.distribution import Distribution
from latentlab.data.image_set import SPLITS, ImageSet
from latentlab.errors import DataError, SettingsError


def resample(
    images: ImageSet,
    distribution: Distribution,
    n: int | None = None,
    seed: int | np.random.Generator = 0,
    allow_repeats: bool = False,
) -> ImageSet:
    """Choose rows of a set so that they have a distribution, in random order.

    Each cell of the attributes named gets its share of ``n`` images exactly, rounded by largest
    remainder. Rows with an unknown label of one of these attributes are left out.

    Parameters
    ----------
    n
        How many rows to choose; as many as there can be without repeating a row if None.
    seed
        A seed, or the generator to draw from.
    allow_repeats
        Where a cell has too few images, use them several times, each as often as the others (within
        one), instead of raising.

    Raises
    ------
    DataError
        If a cell that is wanted has no image, or too few and ``allow_repeats`` is False. The message
        says which one and how many images could be had.
    SettingsError
        If the distribution does not fit the set, or ``n`` is not positive.

    Examples
    --------
    >>> faces = open_set("faces:train")
    >>> biased = resample(faces, Distribution.parse(["race=asian+white:0.9"]), n=2000, seed=7)
    """
    if n is not None and n < 1:
        raise SettingsError(f"A set has at least one image; {n:,} were asked for.")
    generator = np.random.default_rng(seed)
    shares = distribution.shares(images)
    cells = _cells(images, distribution, shares.shape)
    have = np.array([len(cell) for cell in cells])
    most = _largest(shares.ravel(), have)
    counts = largest_remainder(shares.ravel(), n or most or max(len(images), 1))
    short = (counts > have) & (not allow_repeats or have == 0)
    if short.any():
        cell = int(np.argmax(np.where(short, counts - have, 0)))
        raise DataError(_lack(images, distribution, shares.shape, cell, int(have[cell]), counts.sum(), most))
    chosen = [
        np.concatenate([*[cell] * (count // len(cell)), generator.permutation(cell)[: count % len(cell)]])
        for cell, count in zip(cells, counts, strict=True)
        if count
    ]
    positions = generator.permutation(np.concatenate(chosen))
    resampled = images.select(positions)
    record = {
        "distribution": str(distribution),
        "n": len(resampled),
        "seed": seed if isinstance(seed, int) else None,
        "distinct": len(np.unique(resampled.rows)),
    }
    info = images.info.model_copy(update={"source": {**images.info.source, "resampled": record}})
    return replace(resampled, info=info)


def resample_split(
    images: ImageSet,
    split: str,
    distribution: Distribution,
    n: int | None = None,
    seed: int | np.random.Generator = 0,
    allow_repeats: bool = False,
) -> ImageSet:
    """Resample one split of a set and keep the others, so that models of many mixtures are tested alike.

    Parameters as for `resample`; ``split`` may be ``all`` for the whole set.
    """
    if split == "all":
        return resample(images, distribution, n, seed, allow_repeats)
    chosen = resample(images.split(split), distribution, n, seed, allow_repeats)
    others = images.rows[images.splits[images.rows] != SPLITS.index(split)]
    return replace(chosen, rows=np.concatenate([chosen.rows, others]))


def largest_remainder(shares: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """Round ``n`` times shares ``[k]`` of sum 1 to whole numbers of sum ``n`` (Hamilton's method)."""
    exact = np.round(np.asarray(shares, dtype=np.float64) * n, 9)
    counts = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - counts), kind="stable")
    counts[order[: n - counts.sum()]] += 1
    return counts


def _cells(images: ImageSet, distribution: Distribution, shape: tuple[int, ...]) -> list[NDArray[np.int64]]:
    """Return the positions of the images in each joint cell, in the order of the flattened shares."""
    if not shape:
        return [np.arange(len(images))]
    codes = np.stack([images.codes(name) for name in distribution.attributes])
    known = np.flatnonzero((codes >= 0).all(axis=0))
    cell_of = np.ravel_multi_index(tuple(codes[:, known]), shape)
    order = np.argsort(cell_of, kind="stable")
    ends = np.cumsum(np.bincount(cell_of, minlength=int(np.prod(shape))))
    return np.split(known[order], ends[:-1])


def _largest(shares: NDArray[np.float64], have: NDArray[np.int64]) -> int:
    """Return the largest n whose counts are at most what the cells have."""
    wanted = shares > 1e-12
    if not have[wanted].all():
        return 0
    n = int(np.floor((have[wanted] / shares[wanted]).min())) + len(shares)
    while n and (largest_remainder(shares, n) > have).any():
        n -= 1
    return n


def _lack(
    images: ImageSet,
    distribution: Distribution,
    shape: tuple[int, ...],
    cell: int,
    have: int,
    n: int,
    most: int,
) -> str:
    """Say of which cell there are too few images, and how many could be had."""
    classes = ", ".join(
        f"{name}={images.attribute(name).classes[code]}"
        for name, code in zip(distribution.attributes, np.unravel_index(cell, shape), strict=True)
    )
    what = f"{have:,} images with {classes}" if classes else f"{have:,} images"
    advice = f"ask for at most {most:,} images or allow repeats" if most else "choose other shares"
    return f"The set {images.info.name} has {what}, too few for {n:,} images with {distribution}: {advice}."
