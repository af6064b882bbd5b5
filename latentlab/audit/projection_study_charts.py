"""The projection study's charts: what survives, whose doing the shifts are, the shares before and after."""

from __future__ import annotations

from latentlab.audit.charts import Chart, Mark
from latentlab.audit.projection_study_table import ALL, ClassChange, Kept, Results
from latentlab.metrics.correction import Corrected
from latentlab.metrics.intervals import SMALL
from latentlab.metrics.report import group_words

_MODES = ("keep", "follow")
_SIDES = {"before": "reconstruction", "keep": "keep", "follow": "follow"}
_COLUMNS = {"before": "before", "keep": "after", "follow": "after"}


def charts_of(found: Results) -> tuple[Chart, ...]:
    """Return the charts, those of all attributes together first."""
    charts = [_survival(found, mode) for mode in _MODES]
    whole = [one for one in found.changes if one.group == ALL]
    for attribute in dict.fromkeys(one.attribute for one in whole):
        charts.append(_split(attribute, [one for one in whole if one.attribute == attribute]))
    charts += [_groups(found, mode, dataset) for dataset, mode in _grouped(found)]
    for dataset, attribute in dict.fromkeys((one.dataset, one.attribute) for one in whole):
        here = [one for one in whole if (one.dataset, one.attribute) == (dataset, attribute)]
        charts.append(_shares(dataset, attribute, here))
    return tuple(chart for chart in charts if chart.marks)


def _survival(found: Results, mode: str) -> Chart:
    kept = [one for one in found.kept if (one.mode, one.group) == (mode, ALL) and one.attribute]
    return Chart(
        f"survival.{mode}",
        f"What survives the projection ({mode})",
        "cells",
        "share",
        tuple(_survived(one, one.dataset, one.attribute) for one in kept),
        axis="dataset",
        note="The share of images that are predicted as their own reconstruction is.",
    )


def _groups(found: Results, mode: str, dataset: str) -> Chart:
    kept = [
        one
        for one in found.kept
        if (one.mode, one.dataset) == (mode, dataset) and one.attribute and one.group != ALL
    ]
    return Chart(
        f"survival.{mode}.{dataset}",
        f"What survives in each group, onto {dataset} ({mode})",
        "cells",
        "share",
        tuple(_survived(one, group_words(one.group), one.attribute) for one in kept),
        axis="group",
    )


def _grouped(found: Results) -> list[tuple[str, str]]:
    pairs = dict.fromkeys((one.dataset, one.mode) for one in found.kept if one.group != ALL)
    return sorted(pairs, key=lambda pair: _MODES.index(pair[1]))


def _survived(one: Kept, label: str, series: str) -> Mark:
    behind = {"dataset": one.dataset, "mode": one.mode}
    return Mark(
        label,
        series,
        one.survival.value,
        one.survival.low,
        one.survival.high,
        one.survival.n,
        small=one.survival.n < SMALL,
        images=behind if one.group == ALL else behind | {"group": one.group},
        wrong=(f"{one.attribute}_after", f"@{one.attribute}_before"),
    )


def _split(attribute: str, found: list[ClassChange]) -> Chart:
    """Return the two parts of every class's shift, a label a dataset and class."""
    marks = []
    for one in found:
        for series, part, mode in (
            ("composition", one.composition, "follow"),
            ("style", one.style, "keep"),
        ):
            marks.append(
                Mark(
                    f"{one.dataset}: {_words(one.label)}",
                    series,
                    part.value,
                    part.low,
                    part.high,
                    part.n,
                    small=one.small,
                    images={"dataset": one.dataset, "mode": mode, f"{attribute}_after": one.label},
                    wrong=(f"{attribute}_after", f"@{attribute}_before"),
                )
            )
    return Chart(
        f"shift.{attribute}",
        f"Whose doing the shift of {_words(attribute)} is",
        "gaps",
        "points",
        tuple(marks),
        axis="dataset and class",
        note="Composition is follow minus keep, style is keep minus the reconstruction, of the same images.",
    )


def _shares(dataset: str, attribute: str, found: list[ClassChange]) -> Chart:
    marks = []
    for one in found:
        for side, series in _SIDES.items():
            share = one.shares[side]
            corrected = one.corrected.get(side, Corrected(None, None, None, share.n))
            marks.append(
                Mark(
                    _words(one.label),
                    series,
                    share.value,
                    share.low,
                    share.high,
                    share.n,
                    corrected.share,
                    corrected.low,
                    corrected.high,
                    share.n < SMALL,
                    images={
                        "dataset": dataset,
                        "mode": "follow" if side == "follow" else "keep",
                        f"{attribute}_{_COLUMNS[side]}": one.label,
                    },
                )
            )
    references = {_words(one.label): one.shares["input"].value for one in found}
    title = f"{_words(attribute)} before and after, onto {dataset}"
    return Chart(
        f"share.{attribute}.{dataset}",
        title[:1].upper() + title[1:],
        "bars",
        "share",
        tuple(marks),
        references,
        "the images as they came",
    )


def _words(name: str) -> str:
    return name.replace("_", " ")
