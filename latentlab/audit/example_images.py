"""Images behind what stands out most in a study, for its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from latentlab.audit.charts import Chart, Mark
from latentlab.audit.images_behind import Behind, Pictures, Row, drawer, images_behind, notable
from latentlab.errors import LatentLabError

MARKS, IMAGES_OF_EACH = 4, 6


@dataclass(frozen=True)
class Shown:
    """What there is to see of one row, and what is said of it."""

    caption: str
    pictures: Pictures


@dataclass(frozen=True)
class Example:
    """The first images behind a mark."""

    title: str
    told: str
    shown: tuple[Shown, ...]


def example_images(
    folder: Path, charts: Sequence[Chart], marks: int = MARKS, most: int = IMAGES_OF_EACH
) -> tuple[tuple[Example, ...], str]:
    """Return the images behind the most notable marks, worst first, and where there are none why.

    A study whose images cannot be drawn any more has its report without them.
    """
    if not charts:
        return (), ""
    found = []
    try:
        draw = drawer(folder)
        for chart, mark in notable(charts, marks):
            behind = images_behind(folder, chart, mark, most)
            shown = tuple(Shown(_caption(row, chart, mark), draw(row)) for row in behind.rows)
            if shown:
                found.append(Example(f"{chart.title}: {_of(chart, mark)}", _told(chart, mark, behind), shown))
    except LatentLabError as error:
        return (), f"None can be drawn here: {error}"
    return tuple(found), ""


def _of(chart: Chart, mark: Mark) -> str:
    return f"{mark.label}, {mark.series}" if len(chart.series) > 1 else mark.label


def _told(chart: Chart, mark: Mark, behind: Behind) -> str:
    order = mark.worst or chart.worst
    if order:
        name = order.removeprefix("-").replace("_", " ")
        by = f"by the column {name}, {'smallest' if order.startswith('-') else 'largest'} first"
    else:
        by = "in their own order"
    wrong = "" if behind.wrong is None else f", of which {behind.wrong:,} are seen otherwise than they are"
    first = "these first, then " if behind.wrong else ""
    return f"{behind.n:,} images{wrong}; shown are {first}{by}: a choice of the worst, not a fair sample."


def _caption(row: Row, chart: Chart, mark: Mark) -> str:
    """Tell of a row its name and the columns that the chart is about."""
    values = row.values
    parts = [" ".join(values[name] for name in ("seed", "image") if name in values)]
    if "seed" in values and "image" in values:
        parts = [f"seed {values['seed']}, image {values['image']}"]
    told: dict[str, str] = {}
    if mark.wrong:
        column, value = mark.wrong
        true = values[value[1:]] if value.startswith("@") else value
        told[f"{true.replace('_', ' ')} seen as {values[column].replace('_', ' ')}"] = ""
    order = (mark.worst or chart.worst).removeprefix("-")
    if order in values:
        told[f"{order.replace('_', ' ')} {values[order]}"] = ""
    return "; ".join([*parts, *told])
