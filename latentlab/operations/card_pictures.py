"""Pictures of a model card: random samples, and inputs above their reconstructions, all settled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentlab.data.image_set import ImageSet
from latentlab.metrics.labels import conditions
from latentlab.operations.explore import Explorer
from latentlab.operations.sheet import sheet
from latentlab.progress import Progress, Reporter

SAMPLES, RECONSTRUCTIONS, FLIPPED = 64, 32, 12
_COLUMNS, _WIDE = 8, 16


def sample_sheet(explorer: Explorer, data: ImageSet, seed: int, reporter: Reporter) -> Image.Image:
    """Draw `SAMPLES` latents from the prior, of the seeds ``seed``, ``seed + 1``, ..., row by row.

    A conditional model is given the conditions of as many random images of the set.
    """
    c = conditions(explorer.spec.condition, data)
    rows = np.random.default_rng(seed).integers(0, len(data), SAMPLES)
    pictures = []
    for k in range(SAMPLES):
        reporter.raise_if_cancelled()
        pictures.append(explorer.picture(explorer.draw(seed + k), None if c is None else c[rows[k]]))
        reporter.report(Progress("Drawing samples", k + 1, SAMPLES))
    return sheet(pictures, _COLUMNS)


def reconstruction_sheet(
    explorer: Explorer, data: ImageSet, groups: Sequence[str], seed: int, reporter: Reporter
) -> Image.Image:
    """Draw up to `RECONSTRUCTIONS` images of a set, each group in turn, above their reconstructions."""
    c = conditions(explorer.spec.condition, data)
    chosen = in_turn(data, groups, RECONSTRUCTIONS, seed)
    lines: list[NDArray[np.uint8]] = []
    for start in range(0, len(chosen), _WIDE):
        part = chosen[start : start + _WIDE]
        seen = [explorer.encode(data.pixels([int(row)])[0], None if c is None else c[row]) for row in part]
        drawn = [
            explorer.picture(encoded.latent, None if c is None else c[row])
            for encoded, row in zip(seen, part, strict=True)
        ]
        blank = [np.full_like(drawn[0], 255)] * (_WIDE - len(part) if len(chosen) > _WIDE else 0)
        lines += [*(encoded.source for encoded in seen), *blank, *drawn, *blank]
        reporter.raise_if_cancelled()
        reporter.report(Progress("Reconstructing", start + len(part), len(chosen)))
    return sheet(lines, min(_WIDE, len(chosen)))


def flip_sheet(explorer: Explorer, data: ImageSet, seed: int, reporter: Reporter) -> Image.Image:
    """Draw `FLIPPED` images, each with its reconstruction and every class of the condition at the decoder."""
    schema = explorer.spec.condition
    c = conditions(schema, data)
    assert c is not None
    pictures: list[NDArray[np.uint8]] = []
    for row in np.random.default_rng(seed).permutation(len(data))[:FLIPPED].tolist():
        reporter.raise_if_cancelled()
        seen = explorer.encode(data.pixels([row])[0], c[row])
        pictures += [seen.source, explorer.picture(seen.latent, c[row])]
        for one in schema.attributes:
            for label in one.classes:
                flipped = explorer.condition({one.name: label}, c[row])
                pictures.append(explorer.picture(seen.latent, flipped))
        reporter.report(Progress("Drawing flips", len(pictures)))
    return sheet(pictures, 2 + sum(len(one.classes) for one in schema.attributes))


def in_turn(data: ImageSet, groups: Sequence[str], count: int, seed: int) -> NDArray[np.int64]:
    """Choose up to ``count`` positions at random, the same number from each group as far as they go."""
    generator = np.random.default_rng(seed)
    members = list(data.groups(groups).values()) if groups else [np.arange(len(data))]
    queues = [list(generator.permutation(rows)) for rows in members]
    chosen: list[int] = []
    while len(chosen) < count and any(queues):
        for queue in queues:
            if queue and len(chosen) < count:
                chosen.append(int(queue.pop()))
    return np.array(chosen, dtype=np.int64)
