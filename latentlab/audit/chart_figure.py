"""Charts as matplotlib figures, for the report and its file.

Only matplotlib's objects are used: nothing global is changed, and the same chart gives the same bytes.
Places are told in inches from the top left of a page, since labels have a size and no share of a page.
"""

from __future__ import annotations

import io
import math
import re
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from latentlab.audit.chart_layout import WIDTH as WIDTH
from latentlab.audit.chart_layout import (
    Entry,
    cell_height,
    heading,
    labels_of,
    layout_of,
    legend,
    note_text,
    rows_of,
)
from latentlab.audit.chart_layout import height_of as height_of
from latentlab.audit.charts import Chart, Unit, told, unit_name

INK, MUTED, LINE, PAPER = "#1b1e26", "#5d6575", "#dcdfe6", "#ffffff"
SERIES = ("#4b55cf", "#2a958f", "#c06a1f", "#a8437a", "#6f7f2a", "#55789e", "#8a5a44", "#7d5fb2")
"""The light theme's colours; `svg` makes variables of them, so that a page can have others."""

_TITLE, _TEXT, _SMALL = 10.5, 8.0, 7.0
_PLAIN: dict[str, Any] = {"parse_math": False}  # what people call their classes is no formula
_STRONGEST = 0.55  # so that text is read on it in either theme


def chart_figure(chart: Chart, width: float = WIDTH, note: bool = False) -> Figure:
    """Draw one chart as a figure of its own.

    Parameters
    ----------
    width
        Inches.
    note
        Whether its note stands below it.
    """
    figure = Figure(figsize=(width, height_of(chart, width, note)))
    draw_chart(figure, chart, 0.0, 0.0, width, note)
    return figure


def svg(chart: Chart, name: str, width: float = WIDTH) -> str:
    """Return a chart as an SVG element for a page.

    Colours are the variables ``--ink``, ``--muted``, ``--line``, ``--paper`` and ``--series-0`` and on; ids
    begin with ``name``, so that several charts can be on one page.
    """
    out = io.StringIO()
    figure = chart_figure(chart, width)
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text))
    ids: dict[str, str] = {}
    for found in re.findall(r'\bid="([^"]+)"', text):
        ids.setdefault(found, f"{name}-{len(ids)}")
    text = re.sub(r'\bid="([^"]+)"', lambda hit: f'id="{ids[hit[1]]}"', text)
    text = re.sub(r'(url\(#|href="#)([^")]+)', lambda hit: hit[1] + ids.get(hit[2], hit[2]), text)
    colours = {INK: "ink", MUTED: "muted", LINE: "line", PAPER: "paper"}
    colours |= {colour: f"series-{k}" for k, colour in enumerate(SERIES)}
    return re.sub("|".join(colours), lambda hit: f"var(--{colours[hit[0]]}, {hit[0]})", text)


def draw_chart(
    figure: Figure, chart: Chart, left: float, top: float, width: float = WIDTH, note: bool = False
) -> None:
    """Draw a chart on a figure, its top left corner so many inches from the figure's."""
    layout = layout_of(chart, width, note)
    page_width, page_height = figure.get_size_inches()

    def across(inches: float) -> float:
        return float((left + inches) / page_width)

    def down(inches: float) -> float:
        return float(1.0 - (top + inches) / page_height)

    figure.text(
        across(0.0), down(0.02), chart.title, size=_TITLE, weight="bold", color=INK, va="top", **_PLAIN
    )
    axes = figure.add_axes(
        (
            across(layout.left),
            down(layout.above + layout.axes),
            (width - layout.left - layout.right) / page_width,
            layout.axes / page_height,
        )
    )
    axes.patch.set_alpha(0.0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(colors=MUTED, labelsize=_TEXT, length=0)
    {"bars": _bars, "gaps": _gaps, "cells": _cells, "lines": _lines}[chart.kind](axes, chart)
    handles = [_handle(chart, one) for one in legend(chart)]
    if handles:
        box = figure.legend(
            handles=handles,
            loc="upper left",
            bbox_to_anchor=(across(0.0), down(0.24)),
            ncols=layout.legend_columns,
            frameon=False,
            fontsize=_TEXT,
            borderaxespad=0.0,
            borderpad=0.0,
            handlelength=1.3,
            columnspacing=1.4,
        )
        for text in box.get_texts():
            text.set_color(INK)
            text.set_parse_math(False)
    if note and chart.note:
        figure.text(
            across(0.0),
            down(layout.height - 0.06),
            note_text(chart, width),
            size=_SMALL,
            color=MUTED,
            va="bottom",
            linespacing=1.3,
            **_PLAIN,
        )


def _handle(chart: Chart, entry: Entry) -> Line2D | Patch:
    """Return what stands for an entry of the legend."""
    colour = _colour(entry.place)
    match entry.what:
        case "series":
            if chart.kind == "bars":
                return Patch(facecolor=colour, label=entry.label)
            marker = "s" if chart.kind == "lines" else "o"
            return Line2D([], [], color=colour, marker=marker, markersize=4, label=entry.label)
        case "counted":
            if chart.kind == "bars":
                return Patch(facecolor=MUTED, alpha=0.85, label=entry.label)
            return Line2D([], [], color=MUTED, marker="s", markersize=4, linestyle=":", label=entry.label)
        case "corrected":
            return Line2D([], [], color=MUTED, marker="o", markersize=5, label=entry.label)
        case "reference":
            return Line2D(
                [],
                [],
                color=INK,
                marker="D",
                markersize=4,
                linestyle="--" if chart.kind == "lines" else ":",
                label=entry.label,
            )
        case _:
            if chart.kind in ("bars", "cells"):
                return Patch(facecolor=PAPER, edgecolor=MUTED, hatch="////", label=entry.label)
            if chart.kind == "lines":
                hollow: dict[str, Any] = {"markerfacecolor": PAPER, "markersize": 4, "ls": ""}
                return Line2D([], [], color=MUTED, marker="s", label=entry.label, **hollow)
            return Line2D([], [], color=MUTED, marker="x", markersize=5, ls="", label=entry.label)


def _bars(axes: Axes, chart: Chart) -> None:
    _horizontal(axes, chart)
    most = 0.0
    for label, top, slot, rows in rows_of(chart):
        for mark, place, height in rows:
            colour = _colour(chart.series.index(mark.series))
            # what was counted, and below it what is left of it without the predictor's errors
            middle = place + 0.09
            if mark.value is not None:
                axes.barh(middle, mark.value, 0.13, color=colour, alpha=0.4 if mark.small else 0.85)
                if mark.small:
                    axes.barh(
                        middle,
                        mark.value,
                        0.13,
                        facecolor="none",
                        edgecolor=MUTED,
                        hatch="////",
                        linewidth=0.0,
                    )
            _whisker(axes, mark.low, mark.high, middle, INK)
            ink = MUTED if mark.small else INK
            _beside(axes, mark.value, mark.low, mark.high, chart.unit, middle, ink)
            if mark.corrected is not None:
                below = place + height - 0.1
                _whisker(axes, mark.corrected_low, mark.corrected_high, below, colour, 1.8)
                axes.plot(mark.corrected, below, "o", color=colour, markeredgecolor=PAPER, markersize=5.5)
                _beside(
                    axes,
                    mark.corrected,
                    mark.corrected_low,
                    mark.corrected_high,
                    chart.unit,
                    below,
                    MUTED,
                )
            ends = (mark.value, mark.high, mark.corrected, mark.corrected_high)
            most = max([most, *(end for end in ends if end is not None)])
        reference = chart.references.get(label)
        if reference is not None:
            axes.plot([reference] * 2, [top + 0.04, top + slot - 0.04], ":", color=INK, linewidth=1.0)
            axes.plot(reference, top + 0.06, "D", color=INK, markersize=4.2)
            most = max(most, reference)
    most = most * 1.05 or 1.0
    axes.set_xlim(0.0, min(1.0, most) if chart.unit == "share" else most)
    _value_axis(axes, chart)


def _gaps(axes: Axes, chart: Chart) -> None:
    _horizontal(axes, chart)
    ends = [0.0]
    axes.axvline(0.0, color=MUTED, linewidth=1.0)
    for _, _, _, rows in rows_of(chart):
        for mark, place, _ in rows:
            colour = _colour(chart.series.index(mark.series))
            middle = place + 0.1
            _whisker(axes, mark.low, mark.high, middle, colour, 1.8)
            if mark.value is not None:
                face = PAPER if mark.small else colour
                axes.plot(mark.value, middle, "o", color=colour, markerfacecolor=face, markersize=5.5)
            _beside(axes, mark.value, mark.low, mark.high, chart.unit, middle, INK, mark.small, True)
            if mark.told:
                axes.text(
                    0.0,
                    middle + 0.15,
                    mark.told,
                    size=_SMALL,
                    color=MUTED,
                    va="center",
                    transform=axes.get_yaxis_transform(),
                    bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.6},
                    **_PLAIN,
                )
            ends += [end for end in (mark.value, mark.low, mark.high) if end is not None]
    span = (max(ends) - min(ends)) or 1.0
    axes.set_xlim(min(ends) - 0.06 * span, max(ends) + 0.06 * span)
    _value_axis(axes, chart)


def _cells(axes: Axes, chart: Chart) -> None:
    tops, top = {}, 0.0
    for label in chart.labels:
        tops[label] = top
        top += cell_height(label)
    strongest = max((mark.value for mark in chart.marks if mark.value is not None), default=0.0) or 1.0
    for mark in chart.marks:
        x, y, height = chart.series.index(mark.series), tops[mark.label], cell_height(mark.label)
        axes.add_patch(
            Rectangle(
                (x + 0.02, y + 0.02),
                0.96,
                height - 0.04,
                facecolor=SERIES[0],
                alpha=(0.3 if mark.small else _STRONGEST) * max(0.0, (mark.value or 0.0) / strongest),
                linewidth=0.0,
            )
        )
        if mark.small:
            axes.add_patch(
                Rectangle(
                    (x + 0.02, y + 0.02), 0.96, height - 0.04, fill=False, edgecolor=LINE, hatch="////", lw=0
                )
            )
        signed = chart.unit == "points"
        axes.text(
            x + 0.5,
            y + height / 2 - 0.06,
            told(mark.value, chart.unit, signed),
            size=_TEXT,
            color=INK,
            ha="center",
            va="center",
        )
        axes.text(
            x + 0.5,
            y + height / 2 + 0.075,
            f"n = {mark.n:,}",
            size=_SMALL - 0.5,
            color=MUTED,
            ha="center",
            va="center",
        )
    axes.set_xlim(0.0, len(chart.series))
    axes.set_ylim(top, 0.0)
    axes.set_yticks([tops[one] + cell_height(one) / 2 for one in chart.labels], labels_of(chart), **_PLAIN)
    axes.set_xticks(
        [k + 0.5 for k in range(len(chart.series))], [heading(s, chart) for s in chart.series], **_PLAIN
    )
    axes.xaxis.tick_top()
    axes.tick_params(axis="x", pad=3)
    axes.tick_params(axis="y", labelcolor=INK)


def _lines(axes: Axes, chart: Chart) -> None:
    try:
        places = {label: float(label.rstrip("%x")) for label in chart.labels}
        if chart.log:
            places = {label: math.log(place) for label, place in places.items()}
    except ValueError:
        places = {label: float(k) for k, label in enumerate(chart.labels)}
    for k, series in enumerate(chart.series):
        marks = [mark for mark in chart.marks if mark.series == series and mark.value is not None]
        marks.sort(key=lambda mark: places[mark.label])
        xs = [places[mark.label] for mark in marks]
        fixed = [(places[m.label], m.corrected) for m in marks if m.corrected is not None]
        style, thick = (":", 1.2) if fixed else ("-", 1.6)
        axes.plot(xs, [mark.value or 0.0 for mark in marks], style, color=_colour(k), linewidth=thick)
        for mark, x in zip(marks, xs, strict=True):
            if mark.low is not None and mark.high is not None:
                axes.plot([x, x], [mark.low, mark.high], "-", color=_colour(k), linewidth=1.2)
            face = PAPER if mark.small else _colour(k)
            axes.plot(x, mark.value or 0.0, "s", color=_colour(k), markerfacecolor=face, markersize=4.5)
        if fixed:
            axes.plot(*zip(*fixed, strict=True), "-", color=_colour(k), linewidth=1.6)
            axes.plot(*zip(*fixed, strict=True), "o", color=_colour(k), markeredgecolor=PAPER, markersize=6.0)
    known = sorted((places[label], value) for label, value in chart.references.items() if label in places)
    if known:
        axes.plot(*zip(*known, strict=True), "--", color=INK, linewidth=1.0, marker="D", markersize=4.2)
    axes.set_xticks(list(places.values()), list(places), **_PLAIN)
    axes.grid(axis="y", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value, chart.unit)))
    axes.set_xlabel(chart.axis, size=_TEXT, color=MUTED, **_PLAIN)


def _horizontal(axes: Axes, chart: Chart) -> None:
    rows = rows_of(chart)
    axes.set_ylim(rows[-1][1] + rows[-1][2], 0.0)
    axes.set_yticks([top + slot / 2 for _, top, slot, _ in rows], labels_of(chart), **_PLAIN)
    axes.tick_params(axis="y", labelcolor=INK)
    for _, top, _, _ in rows[1:]:
        axes.axhline(top, color=LINE, linewidth=0.5)


def _value_axis(axes: Axes, chart: Chart) -> None:
    axes.grid(axis="x", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value, chart.unit)))
    axes.set_xlabel(unit_name(chart.unit), size=_TEXT, color=MUTED)


def _whisker(
    axes: Axes, low: float | None, high: float | None, y: float, colour: str, width: float = 1.1
) -> None:
    if low is not None and high is not None:
        axes.plot([low, high], [y, y], "-", color=colour, linewidth=width, solid_capstyle="butt")


def _beside(
    axes: Axes,
    value: float | None,
    low: float | None,
    high: float | None,
    unit: Unit,
    y: float,
    colour: str,
    small: bool = False,
    signed: bool = False,
) -> None:
    """Write a value with its interval to the right of the axes."""
    span = "" if low is None or high is None else f"  ({told(low, unit)} to {told(high, unit)})"
    axes.text(
        1.02,
        y,
        f"{told(value, unit, signed)}{span}{'  ×' if small else ''}",
        size=_SMALL + 0.4,
        color=MUTED if small else colour,
        va="center",
        transform=axes.get_yaxis_transform(),
    )


def _tick(value: float, unit: Unit) -> str:
    return {"share": f"{100 * value:g}%", "points": f"{100 * value:g}"}.get(unit, f"{value:g}")


def _colour(k: int) -> str:
    return SERIES[k % len(SERIES)]
