"""How a study's values are said: numbers in their unit, and all that is known of a mark."""

from __future__ import annotations

import re

from latentlab.audit.charts import Chart, Mark, Unit, told

SMALL = 30
PERCEIVED = (
    "The labels are constructed or perceived attributes as a classifier tells them apart, nobody's identity."
)
"""As `latentlab.metrics.intervals` and `latentlab.audit.report` have them, which bring SciPy along; a test
compares them."""
_P = re.compile(r"p [=<] [\d.]+(?: \(\w+\))?")
_COUNTED = re.compile(r"[\d,]+ of [\d,]+")


def value_words(value: float | None, unit: Unit, signed: bool = False) -> str:
    """Write a value in its unit, such as ``58.6%`` or ``+3.2``; points always have a sign."""
    return told(value, unit, signed or unit == "points").replace("-", "−")


def interval_words(low: float | None, high: float | None, unit: Unit, signed: bool = False) -> str:
    """Write an interval, such as ``54.3% to 62.8%``; empty where there is none."""
    if low is None or high is None:
        return ""
    return f"{value_words(low, unit, signed)} to {value_words(high, unit, signed)}"


def p_words(mark: Mark) -> str:
    """Return the p that is told of a mark, such as ``p = 0.003 (Holm)``; empty where none is."""
    found = _P.search(mark.told)
    return found.group() if found is not None else ""


def counted_words(mark: Mark) -> str:
    """Return how many of how many images a mark is, such as ``300 of 512``; empty where that is not told."""
    found = _COUNTED.match(mark.told)
    return found.group() if found is not None else ""


def mark_name(chart: Chart, mark: Mark) -> str:
    """Return what a mark is of: its label, and its series where there are several."""
    axis = f"{chart.axis} " if chart.axis else ""
    parts = [f"{axis}{mark.label}"]
    if mark.series and (len(chart.series) > 1 or chart.kind == "cells"):
        parts.append(mark.series)
    return ", ".join(parts)


def mark_words(
    chart: Chart, mark: Mark, difference: tuple[float, float | None, float | None] | None = None
) -> list[str]:
    """Return all that is known of a mark, a line each: the tip that it shows and what is read aloud.

    Parameters
    ----------
    difference
        From the same mark of another study, with its interval.
    """
    lines = [mark_name(chart, mark)]
    corrected = mark.corrected is not None
    first = "Counted " if corrected else ""
    if mark.value is None:
        lines.append("Nothing could be counted.")
    else:
        images = "" if counted_words(mark) or not mark.n else f"; {mark.n:,} {chart.of}"
        lines.append(f"{first}{_with_interval(mark.value, mark.low, mark.high, chart.unit)}{images}")
    if corrected:
        said = _with_interval(mark.corrected, mark.corrected_low, mark.corrected_high, chart.unit)
        lines.append(f"Corrected for the predictor's errors {said}")
    reference = chart.references.get(mark.label)
    if reference is not None:
        lines.append(f"{chart.reference_name or 'Reference'}: {value_words(reference, chart.unit)}")
    if difference is not None:
        d, low, high = difference
        unit: Unit = "points" if chart.unit == "share" else chart.unit
        lines.append(f"B minus A: {_with_interval(d, low, high, unit, signed=True)}")
    if mark.told:
        lines.append(mark.told)
    if mark.small:
        lines.append(f"Fewer than {SMALL} {chart.of} are behind this.")
    return lines


def _with_interval(
    value: float | None, low: float | None, high: float | None, unit: Unit, signed: bool = False
) -> str:
    said = value_words(value, unit, signed)
    said = f"{said} points" if unit == "points" else said
    between = interval_words(low, high, unit, signed)
    return f"{said} (95%: {between})" if between else said
