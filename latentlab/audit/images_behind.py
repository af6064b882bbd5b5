"""The images behind a mark of a chart: which they are, worst first, and what they look like.

Finding them needs no torch and as much memory for 100,000 rows as for a hundred; drawing them imports it.
"""

from __future__ import annotations

import csv
import heapq
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentlab.audit.charts import Chart, Mark
from latentlab.audit.files import IMAGES
from latentlab.audit.request_file import read_request
from latentlab.audit.study_plan import STUDIES, StudyRequest
from latentlab.errors import SettingsError

MOST = 24
Pictures = Mapping[str, NDArray[np.uint8]]
"""What there is to see of a row, such as original and reconstruction: uint8 ``[S, S, 3]``, RGB."""
Draw = Callable[["Row"], Pictures]
"""Draws the pictures behind a row again."""


@dataclass(frozen=True)
class Row:
    """One row of the table of images.

    Parameters
    ----------
    place
        Its place in the table, from 0.
    values
        Its cells by column.
    """

    place: int
    values: Mapping[str, str]


@dataclass(frozen=True)
class Behind:
    """The images behind a mark.

    Parameters
    ----------
    n
        How many there are.
    rows
        The first of them, worst first.
    wrong
        How many of all are wrong in the way that the mark tells of; None where it tells of none.
    """

    n: int
    rows: tuple[Row, ...]
    wrong: int | None


def images_behind(folder: Path, chart: Chart, mark: Mark, most: int = MOST) -> Behind:
    """Find the images behind a mark.

    Those that are wrong (`Mark.wrong`) come first; then the order is that of `Mark.worst`, else of
    `Chart.worst`, else the table's own.

    Parameters
    ----------
    most
        Rows at most.

    Raises
    ------
    SettingsError
        If the folder has no table of images, or this table has not the columns that the mark names.
    """
    path = folder / IMAGES
    column, value = mark.wrong or ("", "")
    of = value.removeprefix("@") if value.startswith("@") else ""
    order = mark.worst or chart.worst
    name, sign = order.removeprefix("-"), 1.0 if order.startswith("-") else -1.0
    count = wrong = 0

    def is_wrong(values: Mapping[str, str]) -> bool:
        return bool(column) and values[column] != (values[of] if of else value)

    def key(row: Row) -> tuple[bool, float, int]:
        return not is_wrong(row.values), sign * _number(row.values[name]) if name else 0.0, row.place

    def matching() -> Iterator[Row]:
        nonlocal count, wrong
        for row in _table(path, (*mark.images, column, of, name)):
            if all(row.values[one] == wanted for one, wanted in mark.images.items()):
                if of and not row.values[of]:  # whose truth is not known is not in the figure
                    continue
                count += 1
                wrong += is_wrong(row.values)
                yield row

    rows = heapq.nsmallest(max(0, most), matching(), key=key)
    return Behind(count, tuple(rows), wrong if column else None)


def drawer(folder: Path) -> Draw:
    """Return what draws the pictures behind rows of a study's folder again.

    It opens the study's models and sets once; then each row takes a moment. `DRAWERS` has all studies for
    which this can be done.

    Raises
    ------
    LatentLabError
        If the folder does not say what was asked for, or a model or set is not there any more or is another.
    """
    request = read_request(folder)
    if request.study not in DRAWERS:
        raise SettingsError(
            f"The images of the {STUDIES[request.study].title.lower()} study cannot be drawn again."
        )
    return DRAWERS[request.study](folder, request)


def notable(charts: Sequence[Chart], most: int) -> list[tuple[Chart, Mark]]:
    """Return the marks that stand out most, at most one of a chart or of the same images.

    The clearest come first. Of a gap that is its size by its interval's width, of a share how far it is from
    its reference by the same; of values without either the worst, which come last. Marks with few images are
    left out.
    """
    found = []
    for chart in charts:
        marks = [m for m in chart.marks if m.value is not None and m.n and not m.small and m.images]
        if chart.kind != "cells" and marks:
            mark = max(marks, key=lambda mark: _clear(chart, mark))
            found.append((_clear(chart, mark), chart, mark))
    found.sort(key=lambda one: -one[0])
    taken: list[tuple[Chart, Mark]] = []
    for _, chart, mark in found:
        if all(mark.images != other.images for _, other in taken):
            taken.append((chart, mark))
    return taken[:most]


def _clear(chart: Chart, mark: Mark) -> float:
    value, low, high = mark.value or 0.0, mark.low, mark.high
    if mark.corrected is not None:
        value, low, high = mark.corrected, mark.corrected_low, mark.corrected_high
    if low is None or high is None or not high - low:
        return 0.0
    if chart.kind == "gaps":
        return abs(value) / (high - low)
    if mark.label in chart.references:
        return abs(value - chart.references[mark.label]) / (high - low)
    return 1e-6 * (value if chart.unit == "steps" else 1.0 - value)


def _table(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Give the rows of a table that has certain columns (empty names aside), one after the other."""
    if not path.exists():
        raise SettingsError(f"{path.parent} has no table of images ({path.name}).")
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            head = next(reader, [])
            missing = [one for one in columns if one and one not in head]
            if missing:
                raise SettingsError(
                    f"{path} has no column {missing[0]!r}: it is not the table that the charts were made of. "
                    "Do the study again."
                )
            for place, cells in enumerate(reader):
                if len(cells) == len(head):  # a running study may be in the midst of the last
                    yield Row(place, dict(zip(head, cells, strict=True)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"{path} cannot be read: {error}.") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -math.inf


def _conditioning(folder: Path, request: StudyRequest) -> Draw:
    from latentlab.audit.run_conditioning import pictures_of

    return pictures_of(folder, request)


def _generation(folder: Path, request: StudyRequest) -> Draw:
    from latentlab.audit.run_generation import pictures_of

    return pictures_of(folder, request)


def _projection(folder: Path, request: StudyRequest) -> Draw:
    from latentlab.audit.run_projection import pictures_of

    return pictures_of(folder, request)


def _reconstruction(folder: Path, request: StudyRequest) -> Draw:
    from latentlab.audit.run_reconstruction import pictures_of

    return pictures_of(folder, request)


def _search(folder: Path, request: StudyRequest) -> Draw:
    from latentlab.audit.run_search import pictures_of

    return pictures_of(folder, request)


def _training_ratio(folder: Path, request: StudyRequest) -> Draw:
    from latentlab.audit.run_training_ratio import pictures_of

    return pictures_of(folder, request)


def _truncation(folder: Path, request: StudyRequest) -> Draw:
    from latentlab.audit.run_truncation import pictures_of

    return pictures_of(folder, request)


DRAWERS: dict[str, Callable[[Path, StudyRequest], Draw]] = {
    "conditioning": _conditioning,
    "generation": _generation,
    "projection": _projection,
    "reconstruction": _reconstruction,
    "search": _search,
    "training-ratio": _training_ratio,
    "truncation": _truncation,
}
"""By study, what opens what its pictures are drawn from; a study's modules are imported when it is asked."""
