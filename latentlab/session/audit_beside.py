"""Two studies side by side: the charts of the same name on shared axes, and what differs.

A difference is the second study's value minus the first's. Its interval is that of Newcombe's square-and-add
(1998, method 10; for any two estimates with intervals Zou & Donner 2008), which takes the studies for
independent: with a1..b1 about v1 and a2..b2 about v2 it reaches from d - sqrt((v2 - a2)^2 + (b1 - v1)^2) to
d + sqrt((b2 - v2)^2 + (v1 - a1)^2).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from latentlab.audit.charts import Chart, Mark

INDEPENDENT = "The interval of a difference takes the two studies for independent."
FIRST, SECOND = "A", "B"
"""What the two studies are called in charts."""


@dataclass(frozen=True)
class Shown:
    """A chart as it is painted.

    Parameters
    ----------
    chart
        The chart.
    origins
        Of each mark: which study's it is (0 or 1), and the mark as that study has it; None for a difference.
    differences
        What the marks of the second study differ from the first's, by the place of the second's mark:
        difference, low, high; the limits are None where there are none.
    """

    chart: Chart
    origins: tuple[tuple[int, Mark] | None, ...]
    differences: Mapping[int, tuple[float, float | None, float | None]] = field(default_factory=dict)


def alone(chart: Chart) -> Shown:
    """Return a chart of one study."""
    return Shown(chart, tuple((0, mark) for mark in chart.marks))


def together(first: Sequence[Chart], second: Sequence[Chart]) -> list[Shown]:
    """Return the charts of two studies: those of the same name and kind as one, the others by themselves."""
    others = {chart.name: chart for chart in second}
    shown: list[Shown] = []
    for chart in first:
        other = others.get(chart.name)
        if other is None or (other.kind, other.unit) != (chart.kind, chart.unit):
            shown.append(_named(chart, 0))
        else:
            del others[chart.name]
            shown += _cells(chart, other) if chart.kind == "cells" else [_as_one(chart, other)]
    return shown + [_named(chart, 1) for chart in second if chart.name in others]


def differs(first: Mark, second: Mark) -> tuple[float, float | None, float | None] | None:
    """Return the second value minus the first, and its interval; corrected values where both have them."""
    one, two = _estimate(first, second), _estimate(second, first)
    if one is None or two is None:
        return None
    (v1, a1, b1), (v2, a2, b2) = one, two
    d = v2 - v1
    if a1 is None or b1 is None or a2 is None or b2 is None:
        return d, None, None
    return d, d - math.hypot(v2 - a2, b1 - v1), d + math.hypot(b2 - v2, v1 - a1)


def _estimate(mark: Mark, other: Mark) -> tuple[float, float | None, float | None] | None:
    if mark.corrected is not None and other.corrected is not None:
        return mark.corrected, mark.corrected_low, mark.corrected_high
    return None if mark.value is None else (mark.value, mark.low, mark.high)


def _named(chart: Chart, study: int) -> Shown:
    """Return a chart that only one of both studies has."""
    name = (FIRST, SECOND)[study]
    titled = replace(chart, title=f"{chart.title} ({name} only)")
    return Shown(titled, tuple((study, mark) for mark in chart.marks))


def _as_one(first: Chart, second: Chart) -> Shown:
    """Return two charts as one, in which the marks of both studies stand below one another."""
    partner = _partners(first, second)
    labels = dict.fromkeys([*first.labels, *second.labels])
    series = [*first.series, *(one for one in second.series if one not in partner.values())]
    before = {(mark.label, mark.series): mark for mark in first.marks}
    after = {(mark.label, mark.series): mark for mark in second.marks}
    marks: list[Mark] = []
    origins: list[tuple[int, Mark] | None] = []
    differences = {}
    for label in labels:
        for name in series:
            one, two = before.get((label, name)), after.get((label, partner.get(name, name)))
            alike = len(first.series) == 1 and len(second.series) == 1
            for study, mark in ((0, one), (1, two)):
                if mark is not None:
                    letter = (FIRST, SECOND)[study]
                    called = letter if alike else f"{letter} {mark.series}".rstrip()
                    marks.append(replace(mark, series=called))
                    origins.append((study, mark))
            found = None if one is None or two is None else differs(one, two)
            if found is not None:
                differences[len(marks) - 1] = found
    same = first.references == second.references
    note = first.note if same else f"{first.note} The diamonds are of A ({first.reference_name})."
    note = f"{note} {INDEPENDENT}" if differences else note
    chart = replace(first, marks=tuple(marks), note=note.strip())
    return Shown(chart, tuple(origins), differences)


def _cells(first: Chart, second: Chart) -> list[Shown]:
    """Return two tables of intersections, and one of what differs."""
    partner = _partners(first, second)
    after = {(mark.label, mark.series): mark for mark in second.marks}
    marks = []
    for mark in first.marks:
        other = after.get((mark.label, partner.get(mark.series, mark.series)))
        found = None if other is None else differs(mark, other)
        if other is not None and found is not None:
            d, low, high = found
            small = mark.small or other.small
            marks.append(Mark(mark.label, mark.series, d, low, high, min(mark.n, other.n), small=small))
    shown = [
        replace(alone(replace(first, title=f"{first.title} ({FIRST})")), origins=_of(first, 0)),
        replace(alone(replace(second, title=f"{second.title} ({SECOND})")), origins=_of(second, 1)),
    ]
    if marks:
        unit = "points" if first.unit == "share" else first.unit
        title = f"{first.title} ({SECOND} minus {FIRST})"
        chart = Chart(f"{first.name}.difference", title, "cells", unit, tuple(marks), note=INDEPENDENT)
        shown.append(Shown(chart, (None,) * len(marks)))
    return shown


def _of(chart: Chart, study: int) -> tuple[tuple[int, Mark] | None, ...]:
    return tuple((study, mark) for mark in chart.marks)


def _partners(first: Chart, second: Chart) -> dict[str, str]:
    """Return which series of the second chart belongs to which of the first: by name, or else by place."""
    one, two = first.series, second.series
    if set(one) & set(two):
        return {name: name for name in one if name in two}
    return dict(zip(one, two, strict=False)) if len(one) == len(two) else {}
