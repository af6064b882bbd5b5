"""The charts of the reconstruction study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from latentlab.audit.charts import Chart, Mark
from latentlab.audit.reconstruction_table import Gap, Results
from latentlab.audit.report import chance, words
from latentlab.metrics.intervals import SMALL, Estimate
from latentlab.metrics.report import group_words

ERROR = "error_255"
ORIGINAL, RECONSTRUCTION = "original", "reconstruction"
_COLUMNS = {ORIGINAL: "input", RECONSTRUCTION: "reconstructed"}


def reconstruction_charts(
    found: Results, confusion: Sequence[Mapping[str, Any]], amplification: Sequence[Mapping[str, Any]]
) -> tuple[Chart, ...]:
    """Return survival and error by group, their gaps, what classes become, and bias amplification.

    Of the images behind a mark those come first that are predicted otherwise than they are, and of these the
    ones with the largest error.

    Parameters
    ----------
    confusion, amplification
        Rows of those tables (`latentlab.audit.reconstruction_table`).
    """
    names = tuple(dict.fromkeys(one.attribute for one in found.survival))
    charts = [_survival(name, found) for name in names]
    charts.append(_errors(found.errors))
    gaps = [one for one in found.gaps if one.attribute]
    if gaps:
        charts.append(
            Chart(
                "gaps.survival",
                "Survival: the best group minus the worst",
                "gaps",
                "points",
                tuple(_gap(one, found) for one in gaps),
                worst=ERROR,
                note="p is a permutation test's, by Holm's method for all gaps of the study.",
            )
        )
    charts += [
        Chart(
            f"gaps.{ERROR}",
            "Error: the worst group minus the best",
            "gaps",
            "steps",
            (_error_gap(one, found),),
            worst=ERROR,
            note="p is a permutation test's, by Holm's method for all gaps of the study.",
        )
        for one in found.gaps
        if not one.attribute
    ]
    charts += [_confusion(name, [row for row in confusion if row["attribute"] == name]) for name in names]
    charts.append(_amplification(amplification, sum(one.n for one in found.errors.values())))
    return tuple(chart for chart in charts if chart.marks)


def _survival(name: str, found: Results) -> Chart:
    marks = []
    for one in found.survival:
        if one.attribute == name:
            for series, rate in ((ORIGINAL, one.original), (RECONSTRUCTION, one.reconstructed)):
                marks.append(
                    Mark(
                        group_words(one.group),
                        series,
                        rate.value,
                        rate.low,
                        rate.high,
                        rate.n,
                        small=rate.n < SMALL,
                        told=f"{round(rate.value * rate.n):,} of {rate.n:,}",
                        images={"group": one.group},
                        wrong=(f"{name}_{_COLUMNS[series]}", f"@{name}"),
                    )
                )
    return Chart(
        f"survival.{name}",
        f"How often {words(name)} is seen as it is, by group",
        "bars",
        "share",
        tuple(marks),
        worst=ERROR,
        note="What is not seen in the originals either is the predictor's doing, not the model's.",
    )


def _errors(errors: Mapping[str, Estimate]) -> Chart:
    return Chart(
        ERROR,
        "Mean absolute error of reconstructions, by group",
        "bars",
        "steps",
        tuple(
            Mark(
                group_words(group),
                RECONSTRUCTION,
                one.value,
                one.low,
                one.high,
                one.n,
                small=one.n < SMALL,
                images={"group": group},
            )
            for group, one in errors.items()
        ),
        worst=ERROR,
    )


def _gap(one: Gap, found: Results) -> Mark:
    rates = {s.group: s.reconstructed for s in found.survival if s.attribute == one.attribute}
    best, worst = rates[one.highest], rates[one.lowest]
    said = (
        f"{group_words(one.highest)} {100 * best.value:.1f}%, "
        f"{group_words(one.lowest)} {100 * worst.value:.1f}%"
        if one.gap.value
        else f"{100 * best.value:.1f}% in every group"
    )
    return Mark(
        words(one.attribute),
        RECONSTRUCTION,
        one.gap.value,
        one.gap.low,
        one.gap.high,
        worst.n,
        small=min(best.n, worst.n) < SMALL,
        told=f"{said}; {chance(one.adjusted)}",
        images={"group": one.lowest},
        wrong=(f"{one.attribute}_{_COLUMNS[RECONSTRUCTION]}", f"@{one.attribute}"),
    )


def _error_gap(one: Gap, found: Results) -> Mark:
    best, worst = found.errors[one.lowest], found.errors[one.highest]
    return Mark(
        "error",
        RECONSTRUCTION,
        one.gap.value,
        one.gap.low,
        one.gap.high,
        worst.n,
        small=min(best.n, worst.n) < SMALL,
        told=f"{group_words(one.highest)} {worst.value:.2f}, {group_words(one.lowest)} {best.value:.2f}; "
        f"{chance(one.adjusted)}",
        images={"group": one.highest},
    )


def _confusion(name: str, rows: Sequence[Mapping[str, Any]]) -> Chart:
    marks = []
    for row in rows:
        group, label, count = group_words(row["group"]), words(row["class"]), row["of_reconstructions"]
        fixed = f"{name}={row['class']}" in row["group"].split(",")
        marks.append(
            Mark(
                group if fixed else f"{group}: {label}",
                words(row["becomes"]),
                count / row["n"],
                None,
                None,
                count,
                small=row["n"] < SMALL,
                told=f"{count:,} of {row['n']:,}",
                images={
                    "group": row["group"],
                    name: row["class"],
                    f"{name}_{_COLUMNS[RECONSTRUCTION]}": row["becomes"],
                },
            )
        )
    return Chart(
        f"confusion.{name}",
        f"What {words(name)} becomes in each group's reconstructions",
        "cells",
        "share",
        tuple(marks),
        worst=ERROR,
        note="A row is a group and its true class, a column the class that its reconstructions are seen as.",
    )


def _amplification(rows: Sequence[Mapping[str, Any]], n: int) -> Chart:
    marks = []
    for row in rows:
        for series, what in ((ORIGINAL, "original"), (RECONSTRUCTION, "reconstructed")):
            if row[what] is not None:
                marks.append(
                    Mark(
                        words(row["to"]),
                        series,
                        row[what],
                        row[f"{what}_low"],
                        row[f"{what}_high"],
                        n,
                        small=n < SMALL,
                        wrong=(f"{row['to']}_{_COLUMNS[series]}", f"@{row['to']}"),
                    )
                )
    return Chart(
        "bias_amplification",
        "Directional bias amplification, from the groups to each attribute",
        "gaps",
        "points",
        tuple(marks),
        worst=ERROR,
        note="Above 0 the predictions tie an attribute to the groups more than the labels do.",
    )
