"""The avatars: the same identities drawn in every style, so that pairs across styles are exact.

Identities are sampled once, evenly over all combinations of classes, and split by identity: a person of
the test rows stands in no training row of any style. Rows are ordered by style, and an image is named
``IDENTITY:STYLE``, such as ``00012:lorelei``. Drawing takes some milliseconds an image and runs in
several processes.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from functools import lru_cache
from importlib.metadata import version
from itertools import product
from multiprocessing import get_context, parent_process
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from latentlab.data.avatar_styles import (
    Identity,
    avatar_schema,
    draw_avatar,
    shown_classes,
    style_credit,
)
from latentlab.data.image_set import SPLITS, UNKNOWN, ImageSet, SetInfo
from latentlab.data.set_folder import check_is_free, open_image_set, write_image_set
from latentlab.errors import DataError
from latentlab.paths import cache_directory
from latentlab.progress import Progress, Reporter

IDENTITIES: Mapping[str, int] = MappingProxyType({"train": 3000, "validation": 500, "test": 1000})
"""How many identities the avatars have in each split."""
_VERSION = 1
_CHUNK = 64
_FEW = 256


@lru_cache(maxsize=4)
def identities(count: int, seed: int = 0) -> tuple[Identity, ...]:
    """Sample identities evenly: no combination of classes stands twice before all stood once.

    The first ones of a longer list with the same seed are the same.
    """
    schema = avatar_schema()
    names = tuple(schema.attributes)
    combinations = list(product(*(schema.classes(name) for name in names)))
    order_of, shade_of = (np.random.default_rng([seed, stream]) for stream in (0, 1))
    rounds = -(-count // len(combinations))
    order = np.concatenate([order_of.permutation(len(combinations)) for _ in range(rounds)])[:count]
    return tuple(
        Identity(
            number=number,
            classes=dict(zip(names, combinations[index], strict=True)),
            shade=(float(shade_of.uniform(-1, 1)), float(shade_of.uniform(-1, 1))),
            variant=int(shade_of.integers(2**16)),
        )
        for number, index in enumerate(order)
    )


def open_avatars(image_size: int = 64, reporter: Reporter | None = None) -> ImageSet:
    """Open the avatars in all shippable styles and splits, drawing them on first use (a minute or two).

    Raises
    ------
    DataError
        If the size is not between 16 and 512 pixels.
    """
    recipe = {
        "schema": avatar_schema().model_dump(mode="json"),
        "drawn by": {name: version(name) for name in ("dicebear-core", "dicebear-styles", "resvg_py")},
        "identities": dict(IDENTITIES),
        "version": _VERSION,
    }
    key = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:12]
    folder = cache_directory() / f"avatars-{key}-{image_size}"
    if not (folder / "set.json").is_file():
        make_avatars(folder, list_avatars(IDENTITIES), image_size, reporter)
    return open_image_set(folder)


def list_avatars(
    counts: Mapping[str, int] = IDENTITIES,
    seed: int = 0,
    styles: Sequence[str] | None = None,
    variety: bool = False,
) -> ImageSet:
    """List avatars with what they will show, without pictures; rows can be chosen before any is drawn.

    Parameters
    ----------
    counts
        Identities in each split.
    seed
        Which identities they are.
    styles
        The styles to draw, all shippable ones if None.
    variety
        Draw the training identities with all variants of their hair, instead of the first of its class.
        Validation and test, which serve as truth, never vary.

    Raises
    ------
    DataError
        If a style is unknown or named twice, or no identity is asked for.
    """
    styles = tuple(styles or avatar_schema().shippable)
    credits = {style: style_credit(style) for style in styles}
    numbers = [counts.get(split, 0) for split in SPLITS]
    if len(credits) < len(styles) or min(numbers) < 0 or not sum(numbers):
        raise DataError(
            f"Avatars need styles, each named once, and identities: found {', '.join(styles)} and {numbers}."
        )
    people = identities(sum(numbers), seed)
    attributes = avatar_schema().of_sets(styles)
    labels: dict[str, list[int]] = {attribute.name: [] for attribute in attributes}
    for style in styles:
        for person in people:
            shown = shown_classes(style, person) | {"style": style}
            for attribute in attributes:
                label = shown[attribute.name]
                labels[attribute.name].append(UNKNOWN if label is None else attribute.index(label))
    works = [f"{style}: “{credit['title']}” by {credit['creator']}" for style, credit in credits.items()]
    info = SetInfo(
        name="avatars",
        image_size=0,
        attributes=attributes,
        licence="; ".join(f"{style}: {credit['licence']}" for style, credit in credits.items()),
        credit="; ".join(works) + ". Drawn with DiceBear, changed.",
        source={
            "kind": "avatars",
            "seed": seed,
            "identities": len(people),
            "variety": variety,
            "styles": credits,
        },
    )
    return ImageSet.without_pictures(
        info,
        {name: np.array(codes, dtype=np.int64) for name, codes in labels.items()},
        np.array([f"{person.number:05d}:{style}" for style in styles for person in people], dtype=np.str_),
        np.tile(np.repeat(np.arange(len(SPLITS), dtype=np.int8), numbers), len(styles)),
    )


def make_avatars(
    folder: Path,
    avatars: ImageSet,
    image_size: int = 64,
    reporter: Reporter | None = None,
    workers: int | None = None,
) -> Path:
    """Draw the selected rows of `list_avatars` into a set's folder.

    Parameters
    ----------
    workers
        Processes that draw; one a core if None. From a script of your own, call this under
        ``if __name__ == "__main__":``, as everything that starts processes.

    Raises
    ------
    DataError
        If the size is not between 16 and 512 pixels, or the folder holds other things.
    """
    if not 16 <= image_size <= 512:
        raise DataError(f"The avatars are drawn at 16 to 512 px, not {image_size}.")
    check_is_free(folder)
    rows, source = avatars.rows, avatars.info.source
    people = identities(int(source["identities"]), int(source["seed"]))
    names, splits = avatars.names[rows], avatars.splits[rows]
    drawings = []
    for name, split in zip(names.tolist(), splits.tolist(), strict=True):
        number, style = name.split(":")
        drawings.append((style, people[int(number)], bool(source["variety"]) and SPLITS[split] == "train"))
    return write_image_set(
        folder,
        avatars.info.model_copy(update={"image_size": image_size}),
        _draw_all(drawings, image_size, workers or _cores(), reporter or Reporter()),
        {name: codes[rows] for name, codes in avatars.labels.items()},
        names,
        splits,
    )


def paired(images: ImageSet) -> tuple[NDArray[np.str_], dict[str, NDArray[np.int64]]]:
    """Return the identities that the selected rows show in all their styles, and where.

    Returns
    -------
    tuple
        The identities' names ``[K]``, and for each style the positions ``[K]`` of their images within the
        selection, in the same order.

    Raises
    ------
    DataError
        If the set is not of avatars in two styles or more.
    """
    parts = [str(name).split(":") for name in images.names[images.rows]]
    where: dict[str, dict[str, int]] = {}
    if images.info.source.get("kind") == "avatars":
        for position, (identity, style) in enumerate(parts):
            where.setdefault(style, {}).setdefault(identity, position)
    if len(where) < 2:
        raise DataError(f"The set {images.info.name} has no pairs: it needs avatars in two styles or more.")
    common = sorted(set.intersection(*(set(found) for found in where.values())))
    positions = {
        style: np.array([found[identity] for identity in common], dtype=np.int64)
        for style, found in where.items()
    }
    return np.array(common, dtype=np.str_), positions


def identity_of(images: ImageSet, position: int) -> Identity:
    """Return the identity of the image at a position of the selection, to draw it otherwise.

    Raises
    ------
    DataError
        If the set is not of avatars.
    """
    source = images.info.source
    if source.get("kind") != "avatars":
        raise DataError(f"The set {images.info.name} is not of avatars; only theirs can be drawn again.")
    number = int(str(images.names[images.rows[position]]).split(":")[0])
    return identities(int(source["identities"]), int(source["seed"]))[number]


_Drawing = tuple[str, Identity, bool]
"""A style, who is drawn in it, and whether with variety."""


def _draw(drawings: Sequence[_Drawing], image_size: int) -> NDArray[np.uint8]:
    return np.stack([draw_avatar(style, person, image_size, variety) for style, person, variety in drawings])


def _draw_all(
    drawings: Sequence[_Drawing], image_size: int, workers: int, reporter: Reporter
) -> Iterator[NDArray[np.uint8]]:
    """Draw in order, in processes if there are many."""
    total, done = len(drawings), 0
    tasks = [drawings[start : start + _CHUNK] for start in range(0, total, _CHUNK)]
    parallel = workers > 1 and total > _FEW
    batches = _in_processes(tasks, image_size, workers) if parallel else _here(tasks, image_size)
    with closing(batches):
        for batch in batches:
            reporter.raise_if_cancelled()
            done += len(batch)
            reporter.report(Progress("Drawing the avatars", done, total))
            yield batch


def _here(tasks: Sequence[Sequence[_Drawing]], image_size: int) -> Generator[NDArray[np.uint8], None, None]:
    for task in tasks:
        yield _draw(task, image_size)


def _in_processes(
    tasks: Sequence[Sequence[_Drawing]], image_size: int, workers: int
) -> Generator[NDArray[np.uint8], None, None]:
    """Draw in processes, a few tasks ahead; what they fail to draw is drawn here."""
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin_drawing_process)
    waiting: deque[Future[NDArray[np.uint8]]] = deque()
    drawn = 0
    try:
        for task in tasks:
            waiting.append(pool.submit(_draw, task, image_size))
            if len(waiting) > 2 * workers:
                yield waiting[0].result()
                waiting.popleft()
                drawn += 1
        while waiting:
            yield waiting[0].result()
            waiting.popleft()
            drawn += 1
    except BrokenProcessPool:  # killed, or started from a script without its guard
        yield from _here(tasks[drawn:], image_size)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin_drawing_process() -> None:
    """Leave Ctrl-C to the process that started the work, and end with it even if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
