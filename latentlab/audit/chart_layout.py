"""Where the parts of a chart are: what has a size in inches, whoever draws it.

Labels have a size and no share of a page, so places are told in inches from the top left of a chart.
"""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass, replace
from typing import Literal

from latentlab.audit.charts import Chart, Mark

WIDTH = 7.4
"""Inches of a chart of its own."""

_CHARACTER = 0.068  # inches of one in a chart's text, on average
_LINE = 0.145  # inches from line to line
_LABEL_WIDTH = 30  # characters of a label in one line


@dataclass(frozen=True)
class Entry:
    """One entry of a chart's legend; ``place`` is the series' among all, 0 of what is no series."""

    what: Literal["series", "counted", "corrected", "reference", "few"]
    label: str
    place: int = 0


@dataclass(frozen=True)
class Layout:
    """Where the parts of a chart are, in inches: title and legend above the axes, tick labels below."""

    left: float
    right: float
    above: float
    axes: float
    below: float
    legend_columns: int

    @property
    def height(self) -> float:
        """Of the whole chart."""
        return self.above + self.axes + self.below


def height_of(chart: Chart, width: float = WIDTH, note: bool = False) -> float:
    """Return how many inches a chart is high."""
    return layout_of(chart, width, note).height


def split(chart: Chart, most: float, width: float = WIDTH) -> tuple[Chart, ...]:
    """Return a chart in parts of about as many labels, each at most so many inches high."""
    labels = chart.labels
    if height_of(chart, width, True) <= most or len(labels) < 2 or chart.kind == "lines":
        return (chart,)
    for count in range(2, len(labels) + 1):
        size = math.ceil(len(labels) / count)
        chosen = [labels[start : start + size] for start in range(0, len(labels), size)]
        parts = tuple(
            replace(
                chart,
                title=f"{chart.title} ({k + 1} of {len(chosen)})",
                marks=tuple(mark for mark in chart.marks if mark.label in some),
            )
            for k, some in enumerate(chosen)
        )
        if all(height_of(part, width, True) <= most for part in parts):
            break
    return parts


def layout_of(chart: Chart, width: float, note: bool) -> Layout:
    """Return where a chart's parts are; with ``note``, its note stands below it."""
    longest = max((len(line) for label in chart.labels for line in wrapped(label).split("\n")), default=0)
    left = min(2.6, 0.12 + _CHARACTER * longest) if chart.kind != "lines" else 0.55
    entries = legend(chart)
    columns = 1
    if entries:
        entry = 0.42 + _CHARACTER * max(len(one.label) for one in entries)
        columns = max(1, min(len(entries), int(width / entry)))
    above = 0.3 + 0.19 * math.ceil(len(entries) / columns)
    below = 0.46 if chart.kind in ("bars", "gaps", "lines") else 0.1
    right = {"bars": 2.05, "gaps": 1.75, "cells": 0.1, "lines": 0.15}[chart.kind]
    match chart.kind:
        case "cells":
            above += 0.1 + 0.13 * max(heading(one, chart).count("\n") + 1 for one in chart.series)
            axes = sum(cell_height(label) for label in chart.labels)
            right = max(right, width - left - 1.25 * len(chart.series))
        case "lines":
            axes = 2.6
        case _:
            axes = sum(_slot(chart, label) for label in chart.labels)
    if note and chart.note:
        below += 0.1 + 0.125 * (note_text(chart, width).count("\n") + 1)
    return Layout(left, right, above, axes, below, columns)


def legend(chart: Chart) -> list[Entry]:
    """Return what a chart's legend says."""
    entries = []
    if len(chart.series) > 1 and chart.kind != "cells":
        entries += [Entry("series", name, place) for place, name in enumerate(chart.series)]
    if chart.kind in ("bars", "lines") and any(mark.corrected is not None for mark in chart.marks):
        entries += [Entry("counted", "as counted"), Entry("corrected", "corrected")]
    if chart.references:
        entries.append(Entry("reference", f"reference: {chart.reference_name}"))
    if any(mark.small for mark in chart.marks):
        entries.append(Entry("few", "few images"))
    return entries


def _slot(chart: Chart, label: str) -> float:
    """Return how many inches the marks of a label take."""
    rows = sum(_row(chart, mark) for mark in chart.marks if mark.label == label)
    return max(rows, 0.08 + _LINE * (wrapped(label).count("\n") + 1)) + 0.09


def _row(chart: Chart, mark: Mark) -> float:
    if chart.kind == "gaps":
        return 0.34 if mark.told else 0.2
    return 0.175 if mark.corrected is None else 0.3


def rows_of(chart: Chart) -> list[tuple[str, float, float, list[tuple[Mark, float, float]]]]:
    """Return each label with its top and height, and its marks with their tops and heights, in inches."""
    found, top = [], 0.0
    for label in chart.labels:
        marks = [mark for mark in chart.marks if mark.label == label]
        slot = _slot(chart, label)
        place = top + (slot - sum(_row(chart, mark) for mark in marks)) / 2
        rows = []
        for mark in marks:
            rows.append((mark, place, _row(chart, mark)))
            place += _row(chart, mark)
        found.append((label, top, slot, rows))
        top += slot
    return found


def labels_of(chart: Chart) -> list[str]:
    """Return a chart's labels in lines."""
    return [wrapped(label) for label in chart.labels]


def wrapped(label: str) -> str:
    """Return a label in lines."""
    return "\n".join(textwrap.wrap(label, _LABEL_WIDTH)) or label


def heading(series: str, chart: Chart) -> str:
    """Return a series in lines, as it stands above its column."""
    return "\n".join(textwrap.wrap(series, 16 if len(chart.series) < 5 else 11)) or series


def cell_height(label: str) -> float:
    """Return how many inches a row of cells is high."""
    return max(0.36, 0.1 + _LINE * (wrapped(label).count("\n") + 1))


def note_text(chart: Chart, width: float) -> str:
    """Return a chart's note in lines."""
    return "\n".join(textwrap.wrap(chart.note, int(width / 0.058)))
