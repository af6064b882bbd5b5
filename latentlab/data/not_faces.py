"""What is not a face: the negatives of face detection, drawn on first use.

Two kinds, each of which has its difficulty:

- *Masks* are made of the bundled faces, as many of every group of gender and race: the head stays as it is,
  and the features are erased, turned upside down or shuffled; or a detail of the face is enlarged to a
  texture. Nothing but the features tells a mask from a face, and where they are hard to see a detector
  falls back on what is likelier: that is where a biased set does harm.
- *Drawings* are robots, ghosts, emoji, icons and patterns in styles of DiceBear's.

Splits are those of the faces: a test mask is made of a test face.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentlab.data.draw_many import draw_many
from latentlab.data.drawn_style import credit_of, draw, drawn_by
from latentlab.data.faces import NATIVE_SIZE, open_faces
from latentlab.data.image_set import SPLITS, UNKNOWN, ImageSet, SetInfo
from latentlab.data.set_folder import open_drawn, write_image_set
from latentlab.errors import DataError
from latentlab.progress import Progress, Reporter
from latentlab.spec import Attribute

STYLES = ("bottts", "thumbs", "fun-emoji", "icons", "shapes", "rings", "identicon")
"""DiceBear's styles that show no face of a person."""
KINDS = ("erased", "turned", "shuffled", "texture", *STYLES)
"""The classes of the attribute ``kind``: how a mask was made, or a drawing's style."""
MASKS: Mapping[str, int] = MappingProxyType({"train": 2048, "validation": 1536, "test": 1536})
"""Masks in each split; multiples of the eight groups of gender and race."""
DRAWINGS: Mapping[str, int] = MappingProxyType({"train": 840, "validation": 644, "test": 644})
"""Drawings in each split."""
_OF_A_FACE = ("gender", "race")
TEST_FACES = 2048
"""Faces of the bundled test split, for which `MASKS` and `DRAWINGS` of it are made."""
_VERSION = 1
_FRESH = 2
_LEAST = 80
_BOX = (22 / 64, 52 / 64, 18 / 64, 46 / 64)
# Top, bottom, left and right of the features in the aligned faces, as shares of the side.
_CENTRE, _RADII = (37.5 / 64, 32 / 64), (19 / 64, 16 / 64)
# Of the ellipse in which skin and features lie: row and column.


def open_not_faces(image_size: int = 64, reporter: Reporter | None = None) -> ImageSet:
    """Open the negatives of all splits, drawing them on first use (half a minute).

    Raises
    ------
    DataError
        If the size is not between 32 and 128 pixels.
    """
    if not 32 <= image_size <= NATIVE_SIZE:
        raise DataError(f"What is not a face is drawn at 32 to {NATIVE_SIZE} px, not {image_size}.")
    recipe = {
        "masks": dict(MASKS),
        "drawings": dict(DRAWINGS),
        "drawn by": drawn_by(),
        "version": _VERSION,
    }
    return open_drawn(
        "not-faces", recipe, image_size, lambda folder: make_not_faces(folder, image_size, reporter)
    )


def open_not_faces_of(faces: ImageSet, reporter: Reporter | None = None) -> ImageSet:
    """Open negatives for a fresh test of other faces: masks made of these, and drawings that no split has.

    They are drawn on first use, as many in proportion as the test split has.

    Raises
    ------
    DataError
        If the faces have no ``gender`` and ``race``, or are too few.
    """
    known = {attribute.name for attribute in faces.info.attributes}
    if not known.issuperset(_OF_A_FACE) or len(faces) < _LEAST:
        raise DataError(
            f"A fresh test needs {_LEAST} faces or more with {' and '.join(_OF_A_FACE)}; {faces.info.name} "
            f"has {len(faces)}, with {', '.join(sorted(known)) or 'no attributes'}."
        )
    share = len(faces) / TEST_FACES
    masks, drawings = (
        {"train": 0, "validation": 0, "test": round(counts["test"] * share)} for counts in (MASKS, DRAWINGS)
    )
    digest = hashlib.sha256()
    for start in range(0, len(faces), 256):
        digest.update(faces.pixels(np.arange(start, min(start + 256, len(faces)))).tobytes())
    size = faces.image_size
    recipe = {"of": digest.hexdigest(), "masks": masks, "drawings": drawings, "drawn by": drawn_by()}
    return open_drawn(
        "not-faces-of",
        recipe | {"version": _VERSION},
        size,
        lambda folder: make_not_faces(folder, size, reporter, masks, drawings, None, faces, _FRESH),
    )


def make_not_faces(
    folder: Path,
    image_size: int,
    reporter: Reporter | None = None,
    masks: Mapping[str, int] = MASKS,
    drawings: Mapping[str, int] = DRAWINGS,
    workers: int | None = None,
    faces: ImageSet | None = None,
    seed: int = _VERSION,
) -> Path:
    """Draw negatives into a set's folder: first all masks, then all drawings, each split by split.

    Masks are made of the bundled faces, or of all splits' from others of the same size with ``gender`` and
    ``race``; ``seed`` says how each is made, and which drawings: with another one nothing is drawn twice.
    """
    reporter = reporter or Reporter()
    if faces is None:
        faces = open_faces(image_size, reporter)
        sources = {split: faces.split(split) for split in SPLITS}
    else:
        sources = dict.fromkeys(SPLITS, faces)
    chosen = {split: _even_rows(source, masks[split]) for split, source in sources.items()}
    rows = np.concatenate(list(chosen.values()))
    counts = [len(chosen[split]) for split in SPLITS]
    how = np.random.default_rng(seed).integers(0, len(KINDS) - len(STYLES), len(rows))
    first = (seed - _VERSION) * sum(DRAWINGS.values())
    numbers = range(first, first + sum(drawings.values()))
    styles = [STYLES[number // 2 % len(STYLES)] if number % 2 else STYLES[0] for number in numbers]
    attributes = (
        Attribute(name="kind", classes=KINDS, origin="constructed"),
        *(faces.attribute(name) for name in _OF_A_FACE),
    )
    labels = {"kind": np.concatenate([how, [KINDS.index(style) for style in styles]]).astype(np.int64)}
    for name in _OF_A_FACE:
        labels[name] = np.concatenate([faces.labels[name][rows], np.full(len(styles), UNKNOWN)])
    names = [f"{KINDS[k]}:{faces.names[row]}" for k, row in zip(how, rows, strict=True)]
    names += [f"{style}:{number:05d}" for number, style in zip(numbers, styles, strict=True)]
    places = np.arange(len(SPLITS), dtype=np.int8)
    splits = np.concatenate([np.repeat(places, counts), np.repeat(places, [drawings[s] for s in SPLITS])])
    credits = {style: credit_of(style) for style in STYLES}
    works = [f"{style}: “{credit['title']}” by {credit['creator']}" for style, credit in credits.items()]
    info = SetInfo(
        name="not-faces",
        image_size=image_size,
        attributes=attributes,
        licence="; ".join(
            ["masks: Apache-2.0", *(f"{style}: {credit['licence']}" for style, credit in credits.items())]
        ),
        credit="; ".join(["Masks: drawn with facesjs 5.0.3, by its contributors, changed", *works]),
        source={"kind": "not-faces", "version": _VERSION, "styles": credits},
    )

    def batches() -> Iterator[NDArray[np.uint8]]:
        for start in range(0, len(rows), 256):
            reporter.raise_if_cancelled()
            part = slice(start, start + 256)
            yield np.stack(
                [
                    masked(picture, KINDS[k], np.random.default_rng([seed, start + place]))
                    for place, (picture, k) in enumerate(
                        zip(faces.images[rows[part]], how[part], strict=True)
                    )
                ]
            )
            reporter.report(Progress("Making the masks", min(len(rows), start + 256), len(rows)))
        todo = list(zip(styles, numbers, strict=True))
        yield from draw_many(
            todo, partial(_draw, image_size=image_size), "Drawing what is not a face", reporter, workers
        )

    return write_image_set(folder, info, batches(), labels, names, splits)


def masked(face: NDArray[np.uint8], kind: str, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Return a face, uint8 ``[S, S, 3]``, without its features in their place.

    ``kind`` is ``erased`` (skin over them), ``turned`` (upside down), ``shuffled`` (six parts of them in
    another order) or ``texture`` (a detail of the picture, enlarged).
    """
    size = len(face)
    found = face.copy()
    top, bottom, left, right = (round(edge * size) for edge in _BOX)
    if kind == "erased":
        rows, columns = (np.mgrid[:size, :size] + 0.5) / size
        far = ((rows - _CENTRE[0]) / _RADII[0]) ** 2 + ((columns - _CENTRE[1]) / _RADII[1]) ** 2
        skin = np.median(face[far <= 1.0], axis=0)
        cover = np.sqrt(np.clip(1.6 * (1.0 - far), 0.0, 1.0))[..., None]
        found = (face * (1.0 - cover) + skin * cover).round().astype(np.uint8)
    elif kind == "turned":
        found[top:bottom, left:right] = face[top:bottom, left:right][::-1]
    elif kind == "shuffled":
        tall, wide = (bottom - top) // 3, (right - left) // 2
        corners = [(top + tall * row, left + wide * column) for row in range(3) for column in range(2)]
        order = generator.permutation(len(corners))
        while (order == np.arange(len(corners))).all():
            order = generator.permutation(len(corners))
        for (row, column), source in zip(corners, order, strict=True):
            y, x = corners[source]
            found[row : row + tall, column : column + wide] = face[y : y + tall, x : x + wide]
    elif kind == "texture":
        side = round(size * 3 / 8)
        y, x = generator.integers(0, size - side + 1, 2)
        detail = Image.fromarray(face[y : y + side, x : x + side])
        found = np.array(detail.resize((size, size), Image.Resampling.BILINEAR))
    else:
        raise DataError(f"A mask is erased, turned, shuffled or texture, not {kind!r}.")
    return found


def _even_rows(faces: ImageSet, count: int) -> NDArray[np.int64]:
    """Return rows of the faces, as many of every group of gender and race."""
    groups = list(faces.groups(_OF_A_FACE).values())
    each = count // len(groups)
    return np.sort(np.concatenate([faces.rows[positions[:each]] for positions in groups]))


def _draw(drawings: list[tuple[str, int]], image_size: int) -> NDArray[np.uint8]:
    return np.stack([draw(style, {"seed": f"{style}-{number}"}, image_size) for style, number in drawings])
