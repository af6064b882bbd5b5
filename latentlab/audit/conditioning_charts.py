"""The charts of the conditioning study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from latentlab.audit.charts import Chart, Mark
from latentlab.audit.conditioning import Conditioning
from latentlab.audit.conditioning_plan import Setting, column, target_column
from latentlab.audit.conditioning_statements import LEAST_FLIPPED, MOST_CHANGED, Statement
from latentlab.audit.conditioning_table import Change, Gap, Rate, Results
from latentlab.audit.report import chance, words
from latentlab.metrics.report import group_words


def conditioning_charts(
    found: Results, statements: Sequence[Statement], study: Conditioning
) -> tuple[Chart, ...]:
    """Return errors by class and by group, their gaps, what becomes of the gaps, and the flips.

    Of the images behind a mark those come first that are read wrongly, that a flip of the encoder changes, or
    that a flip of the decoder does not turn.
    """
    charts = [_errors(one.name, found) for one in study.chosen.attributes]
    charts += [_gaps(found), _changes(found, statements)]
    charts += [_flips("encoder", found), _flips("decoder", found)]
    by = ",".join(study.chosen.by)
    if len(study.chosen.by) > 1:
        charts += [_cells(one.name, by, found) for one in study.chosen.attributes]
    return tuple(chart for chart in charts if chart.marks)


def _errors(attribute: str, found: Results) -> Chart:
    rates = [one for one in found.rates if one.attribute == one.by == attribute and not one.setting.flips]
    return Chart(
        f"error.{attribute}",
        f"How often {words(attribute)} is read wrongly, by class",
        "bars",
        "share",
        tuple(_mark(one) for group in dict.fromkeys(one.group for one in rates) for one in _of(rates, group)),
        note="What is read wrongly in the originals is the predictor's doing, not the models'.",
    )


def _cells(attribute: str, by: str, found: Results) -> Chart:
    rates = [
        one for one in found.rates if (one.attribute, one.by) == (attribute, by) and not one.setting.flips
    ]
    return Chart(
        f"cells.{attribute}",
        f"How often {words(attribute)} is read wrongly, by group and setting",
        "cells",
        "share",
        tuple(_mark(one) for group in dict.fromkeys(one.group for one in rates) for one in _of(rates, group)),
    )


def _of(rates: Sequence[Rate], group: str) -> list[Rate]:
    return [one for one in rates if one.group == group]


def _gaps(found: Results) -> Chart:
    gaps = [one for one in found.gaps if one.attribute == one.by and not one.setting.flips]
    return Chart(
        "gaps.error",
        "Error: the class most often read wrongly minus the one least often",
        "gaps",
        "points",
        tuple(_gap(one) for one in gaps),
        note="p is a permutation test's, by Holm's method for all gaps of the study.",
    )


def _gap(one: Gap) -> Mark:
    ends = ", ".join(
        f"{group_words(end.group)} {100 * end.value.value:.1f}%" for end in (one.highest, one.lowest)
    )
    return Mark(
        words(one.attribute),
        _series(one.setting),
        one.gap.value,
        one.gap.low,
        one.gap.high,
        one.gap.n,
        small=one.small,
        told=f"{ends}; {chance(one.adjusted)}",
        images=_behind(one.highest),
        wrong=_wrong(one.highest),
    )


def _changes(found: Results, statements: Sequence[Statement]) -> Chart:
    verdicts = {one.figure: one for one in statements}
    marks = []
    for one in found.changes:
        figure = f"gap.{one.attribute}: {one.setting.name} minus {one.against.name}"
        if one.by == one.attribute:
            marks.append(_change(one, verdicts.get(figure)))
    return Chart(
        "gap_change",
        "What becomes of the gap between the classes' error rates",
        "gaps",
        "points",
        tuple(marks),
        note="Below 0 the gap is smaller than that of what it is told beside.",
    )


def _change(one: Change, statement: Statement | None) -> Mark:
    told = f"{100 * one.gap:.1f} against {100 * one.other:.1f} points"
    if statement is not None:
        told += f"; {statement.number} {statement.verdict}"
    attribute = one.attribute
    return Mark(
        words(attribute),
        f"{_series(one.setting)} minus {_series(one.against)}",
        one.change.value,
        one.change.low,
        one.change.high,
        one.change.n,
        told=told,
        wrong=(column(attribute, one.setting), f"@{attribute}"),
    )


def _flips(side: str, found: Results) -> Chart:
    rates = [one for one in found.rates if one.setting.kind == side and one.by == one.attribute]
    bound = MOST_CHANGED if side == "encoder" else LEAST_FLIPPED
    marks = tuple(_flip(one) for one in rates)
    title = "changes a prediction" if side == "encoder" else "gives the other class"
    return Chart(
        f"flips.{side}",
        f"How often a flip at the {side} {title}, by the class before",
        "bars",
        "share",
        marks,
        {mark.label: bound for mark in marks},
        f"{'at most' if side == 'encoder' else 'at least'} {bound:.0%}",
    )


def _flip(one: Rate) -> Mark:
    mark = _mark(one, one.setting.model)
    return replace(mark, label=f"{words(one.attribute)}: {mark.label}")


def _mark(one: Rate, series: str = "") -> Mark:
    return Mark(
        group_words(one.group),
        series or _series(one.setting),
        one.value.value,
        one.value.low,
        one.value.high,
        one.value.n,
        small=one.small,
        told=f"{one.k:,} of {one.value.n:,}",
        images=_behind(one),
        wrong=_wrong(one),
    )


def _series(setting: Setting) -> str:
    """Return what a setting is called in a chart."""
    if setting.kind in ("original", "reconstruction"):
        return setting.model or setting.told
    return f"{setting.model}, {setting.told}"


def _behind(one: Rate) -> Mapping[str, str]:
    """Return which rows of the table of images a rate is of."""
    if one.by == one.attribute:
        return {one.attribute: one.group.partition("=")[2]}
    return {"group": one.group}


def _wrong(one: Rate) -> tuple[str, str]:
    """Return which of them come first."""
    setting, attribute = one.setting, one.attribute
    if setting.kind == "encoder":
        return column(attribute, setting), f"@{column(attribute, Setting('reconstruction', setting.model))}"
    if setting.kind == "decoder":
        return column(attribute, setting), f"@{target_column(attribute, setting.model)}"
    return column(attribute, setting), f"@{attribute}"
