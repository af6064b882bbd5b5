"""The charts of the generation study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from latentlab.audit.charts import Chart, Mark
from latentlab.audit.generation_table import POOLED, ClassShare
from latentlab.audit.reference import Reference
from latentlab.audit.report import words
from latentlab.metrics.gaps import difference
from latentlab.spec import Attribute


def generation_charts(
    shares: Sequence[ClassShare],
    cells: Sequence[Mapping[str, Any]],
    attributes: Sequence[Attribute],
    reference: Reference,
) -> tuple[Chart, ...]:
    """Return shares by attribute, gaps to the first model where there are several, and the intersections.

    Of the images behind a mark those come first of whose class the judge is least sure: nobody knows the
    truth of a sample, and there its class is most likely wrong.

    Parameters
    ----------
    cells
        Rows of the table of intersections (`latentlab.audit.generation_table.cell_rows`).
    """
    charts = []
    for attribute in attributes:
        found = [one for one in shares if one.attribute == attribute.name]
        if found:
            charts.append(_shares(attribute.name, found, reference))
    pooled = [one for one in shares if one.seed == POOLED]
    if len({one.model for one in pooled}) > 1:
        charts += [_gaps(one.name, [s for s in pooled if s.attribute == one.name]) for one in attributes]
    if cells:
        charts.append(_cells(cells, attributes))
    return tuple(chart for chart in charts if chart.marks)


def _shares(attribute: str, found: Sequence[ClassShare], reference: Reference) -> Chart:
    labels = dict.fromkeys(one.label for one in found)
    marks = tuple(_share(one) for label in labels for one in found if one.label == label)
    wanted = {one.label: one.reference for one in found if one.reference is not None}
    return Chart(
        f"share.{attribute}",
        f"Shares of {words(attribute)} among the samples",
        "bars",
        "share",
        marks,
        {words(label): value for label, value in wanted.items()},
        reference.name if wanted else "",
        note=_note(found),
    )


def _note(found: Sequence[ClassShare]) -> str:
    reasons = dict.fromkeys(one.corrected.reason for one in found if one.corrected.reason)
    return " ".join(f"{reason[0].upper()}{reason[1:]}." for reason in reasons)


def _share(one: ClassShare) -> Mark:
    behind = {"model": one.model, one.attribute: one.label}
    if one.seed != POOLED:
        behind["seed"] = one.seed
    series = one.model if one.seed == POOLED else f"{one.model}, seed {one.seed}"
    return share_mark(one, words(one.label), series, behind)


def share_mark(one: ClassShare, label: str, series: str, images: Mapping[str, str]) -> Mark:
    """Return the mark of a share, raw and corrected; those that are least sure of the class come first."""
    corrected = one.corrected
    return Mark(
        label,
        series,
        one.share.value,
        one.share.low,
        one.share.high,
        one.n,
        corrected.share,
        corrected.low,
        corrected.high,
        one.small,
        f"{one.count:,} of {one.n:,}" + (", moved into 0 to 1" if corrected.clipped else ""),
        images,
        worst=least_sure(one),
    )


def least_sure(one: ClassShare) -> str:
    """Return the order of the images behind a share: those with the least probability of its class first."""
    return f"-{one.attribute}={one.label}"


def _gaps(attribute: str, pooled: Sequence[ClassShare]) -> Chart:
    base = {one.label: one for one in pooled if one.model == pooled[0].model}
    marks = []
    for label, first in base.items():
        for one in pooled:
            if one.label == label and one.model != first.model:
                gap = difference(one.count, one.n, first.count, first.n)
                marks.append(
                    Mark(
                        words(label),
                        one.model,
                        gap.value,
                        gap.low,
                        gap.high,
                        gap.n,
                        small=one.small or first.small,
                        told=f"{one.count:,} of {one.n:,} against {first.count:,} of {first.n:,}",
                        images={"model": one.model, attribute: label},
                        worst=f"-{attribute}={label}",
                    )
                )
    return Chart(
        f"gap.{attribute}",
        f"Shares of {words(attribute)}: difference from {pooled[0].model if pooled else ''}",
        "gaps",
        "points",
        tuple(marks),
        note="Raw shares; intervals are Newcombe's, of one comparison.",
    )


def _cells(rows: Sequence[Mapping[str, Any]], attributes: Sequence[Attribute]) -> Chart:
    cells = list(product(*(one.classes for one in attributes)))  # each model's rows are in this order
    marks = []
    for place, labels in enumerate(cells):
        classes = {one.name: label for one, label in zip(attributes, labels, strict=True)}
        told = [
            f"{words(name)} {label}" if label in ("yes", "no") else words(label)
            for name, label in classes.items()
        ]
        marks += [
            Mark(
                ", ".join(told),
                row["model"],
                row["share"],
                row["low"],
                row["high"],
                row["count"],
                small=row["small"] == "yes",
                told=f"{row['count']:,} of {row['n']:,}",
                images={"model": row["model"], **classes},
            )
            for row in rows[place :: len(cells)]
        ]
    return Chart(
        "cells",
        "Intersections of all attributes",
        "cells",
        "share",
        tuple(marks),
        note="Raw shares of all samples, and how many samples each is; not corrected.",
    )
