"""What a study's numbers look like: charts that the window, the report and its file all draw from.

Nothing here knows torch or how anything is painted. A study says once what its charts are; they are written
beside its tables, so that what a window shows of a folder is what the report shows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from latentlab.errors import SettingsError

CHARTS = "charts.json"
"""The file of a study's folder that holds them."""
Kind = Literal["bars", "gaps", "cells", "lines"]
"""Values with their intervals, each label's beside one another; differences about a line at 0; a table of
intersections, a row a label and a column a series; values along an axis of numbers, which the labels are."""
Unit = Literal["share", "points", "steps", "number"]
"""What values are told in: a share of 1 (told in %), a difference of shares (told in points), a mean absolute
error in steps of 255, any other number."""


@dataclass(frozen=True)
class Mark:
    """One value of a chart.

    Parameters
    ----------
    label
        Where it stands on the chart's axis: a class, a group, an attribute.
    series
        What it is of, where several stand side by side: a model, a seed, a setting.
    value, low, high
        As it was counted, with its 95% interval; None where there is none.
    n
        How many images are behind it.
    corrected, corrected_low, corrected_high
        Corrected for the predictor's errors; None where it cannot be.
    small
        Whether so few images are behind it that it says little.
    told
        What else there is to say of it, such as ``p = 0.003 (Holm)``; empty for nothing.
    images
        The images behind it: those rows of the table of images that have these values in these columns.
    wrong
        Which of them are worst: those that have another value than this in this column come first (column,
        value; a value that begins with ``@`` stands for what the row has in the column so named); empty where
        the order is by `worst` alone.
    worst
        The column of the table of images by whose number, falling, they are ordered, or with a minus before
        its name rising; empty for the chart's own (`Chart.worst`).
    """

    label: str
    series: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    corrected: float | None = None
    corrected_low: float | None = None
    corrected_high: float | None = None
    small: bool = False
    told: str = ""
    images: Mapping[str, str] = field(default_factory=dict)
    wrong: tuple[str, str] | tuple[()] = ()
    worst: str = ""


@dataclass(frozen=True)
class Chart:
    """One chart.

    Parameters
    ----------
    name
        Unique in the study, such as ``share.gender``.
    title
        As people read it.
    marks
        In the order in which they are drawn: by label, then by series.
    references
        The value that each label's marks are compared with; a label that has none is not there.
    reference_name
        What those are: ``uniform``, ``faces:train``; empty where there are none.
    worst
        The column of the table of images by whose number, falling, the images behind a mark are ordered;
        empty for their own order.
    axis
        What the labels are, such as ``truncation``; empty where that is plain.
    note
        One sentence that belongs below it; empty for none.
    log
        Of lines: whether equal ratios of the labels' numbers, all above 0, are equally far apart.
    of
        What the marks' n counts.
    """

    name: str
    title: str
    kind: Kind
    unit: Unit
    marks: tuple[Mark, ...]
    references: Mapping[str, float] = field(default_factory=dict)
    reference_name: str = ""
    worst: str = ""
    axis: str = ""
    note: str = ""
    log: bool = False
    of: str = "images"

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, each once, in order."""
        return tuple(dict.fromkeys(mark.label for mark in self.marks))

    @property
    def series(self) -> tuple[str, ...]:
        """The series, each once, in order."""
        return tuple(dict.fromkeys(mark.series for mark in self.marks))


def told(value: float | None, unit: Unit, signed: bool = False) -> str:
    """Write a value in its unit: ``48.2%``, ``12.3 points``, ``4.52``; a dash for none."""
    if value is None:
        return "–"
    sign = "+" if signed and value > 0 else ""
    return {
        "share": f"{sign}{100 * value:.1f}%",
        "points": f"{sign}{100 * value:.1f}",
        "steps": f"{sign}{value:.2f}",
        "number": f"{sign}{value:.4g}",
    }[unit]


def told_interval(low: float | None, high: float | None, unit: Unit) -> str:
    """Write an interval, such as ``46.0% to 50.4%``; empty for none."""
    return "" if low is None or high is None else f"{told(low, unit)} to {told(high, unit)}"


def unit_name(unit: Unit) -> str:
    """Say what values of a unit are, where their number does not say it."""
    return {"share": "", "points": "points", "steps": "steps of 255", "number": ""}[unit]


def charts_text(charts: Sequence[Chart]) -> str:
    """Write charts as JSON."""
    return json.dumps({"version": 1, "charts": [asdict(chart) for chart in charts]}, indent=1)


def read_charts(folder: Path) -> tuple[Chart, ...]:
    """Return the charts of a study's folder that show something; none where it has none yet.

    Raises
    ------
    SettingsError
        If the file is damaged.
    """
    path = folder / CHARTS
    if not path.exists():
        return ()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["version"] != 1:
            raise SettingsError(f"{path} has version {found['version']}; this program reads version 1.")
        return tuple(one for one in _CHARTS.validate_python(found["charts"]) if one.marks)
    except (OSError, ValueError, KeyError, TypeError) as error:
        said = "; ".join(str(error).split("\n")[:3])
        raise SettingsError(
            f"{path} cannot be read as a study's charts: {said}. Do the study again with the same --out, "
            "which takes a moment."
        ) from None


_CHARTS = TypeAdapter(list[Chart])
