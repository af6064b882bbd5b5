"""Which images of a set are on a map, and whether a map is still that of its set; no torch."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from latentlab.data.image_set import ImageSet
from latentlab.operations.latent_map import LatentMap

COUNT = 10_000
"""Images that a map has, where nobody says how many."""
_PART = 1024


def chosen_rows(available: int, count: int, seed: int) -> NDArray[np.int64]:
    """Return the rows of a set that are on its map, ascending: all, or of more a seeded choice."""
    if available <= count:
        return np.arange(available, dtype=np.int64)
    return np.sort(np.random.default_rng(seed).permutation(available)[:count]).astype(np.int64)


def fingerprint(data: ImageSet) -> str:
    """Return the SHA-256 of a selection's names, attributes, labels and pixels."""
    digest = hashlib.sha256("\0".join(data.names[data.rows].tolist()).encode())
    for attribute in data.info.attributes:
        digest.update(attribute.model_dump_json().encode())
        digest.update(np.ascontiguousarray(data.codes(attribute.name)).tobytes())
    for first in range(0, len(data), _PART):
        digest.update(data.pixels(np.arange(first, min(first + _PART, len(data)))).tobytes())
    return digest.hexdigest()


def is_map_of(found: LatentMap, data: ImageSet) -> bool:
    """Whether a map is of a set as it is now: the same images at the same rows, with the same labels."""
    rows = chosen_rows(len(data), found.info.count, found.info.seed)
    return np.array_equal(rows, found.rows) and fingerprint(data.select(rows)) == found.info.fingerprint
