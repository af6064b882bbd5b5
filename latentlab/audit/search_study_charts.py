"""The charts of the search study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from latentlab.audit.charts import Chart, Mark
from latentlab.audit.report import chance, words
from latentlab.audit.search_study import SearchStudy
from latentlab.audit.search_study_plan import INPUTS, Input, column
from latentlab.audit.search_study_table import KEPT, REACHED, Difference, Parity, Rate, Results, Share
from latentlab.metrics.report import group_words

ALL = "all images"
FIGURES = {REACHED: "reaches eps", KEPT: "keeps"}


def search_study_charts(found: Results, study: SearchStudy) -> tuple[Chart, ...]:
    """Return differences, rates by group, shares, and gaps.

    Of the images behind a mark those come first whose group is lost, or whose answer is farthest away.
    """
    charts = [_differences(kind, found) for kind in ("method", "model")]
    for given in INPUTS:
        charts.append(_rates(REACHED, "", given, found, study))
        charts += [_rates(KEPT, name, given, found, study) for name in study.by]
    joint = ",".join(study.by)
    if len(study.by) > 1:
        charts += [
            _cells(figure, of, given, found)
            for given in INPUTS
            for figure, of in ((REACHED, ""), (KEPT, joint))
        ]
    charts += [_shares(name, given, found) for given in INPUTS for name in study.by]
    charts.append(_parities(found, study))
    return tuple(chart for chart in charts if chart.marks)


def _differences(kind: str, found: Results) -> Chart:
    chosen = [one for one in found.differences if one.kind == kind and not one.first.group]
    titles = {"method": "Search minus posterior sampling", "model": "One model minus another"}
    return Chart(
        f"differences.{kind}",
        f"{titles[kind]}: shares of images reached and groups kept",
        "gaps",
        "points",
        tuple(_difference(one) for one in sorted(chosen, key=_order)),
        note="Of the same images; where it can be, corrected for the predictor's errors. p is McNemar's, by "
        "Holm's method for all differences of all images.",
    )


def _order(one: Difference) -> tuple[int, int, str]:
    of = one.first.of
    return INPUTS.index(one.first.setting.input), len(of.split(",")) if of else 0, of


def _difference(one: Difference) -> Mark:
    setting, best = one.first.setting, one.best
    rates = f"{100 * one.first.value.value:.1f}% against {100 * one.second.value.value:.1f}%"
    return Mark(
        f"{setting.input.name}: {_figure(one.first)}",
        f"{one.name}, {one.at}" if one.kind == "model" else one.at,
        best.value,
        best.low,
        best.high,
        best.n,
        small=one.first.small,
        told=f"{rates} as counted; {chance(one.adjusted)}",
        images={},
        wrong=_wrong(one.first),
        worst=column("distance", setting),
    )


def _figure(rate: Rate) -> str:
    if rate.figure == REACHED:
        return FIGURES[REACHED]
    return f"{FIGURES[KEPT]} {' and '.join(words(name) for name in rate.of.split(','))}"


def _rates(figure: str, of: str, given: Input, found: Results, study: SearchStudy) -> Chart:
    """Return the rates of all images and of the classes of an attribute, or of each of the attributes."""
    by = (of,) if of else study.by
    groups = ["", *(name for name in dict.fromkeys(one.group for one in found.rates) if _is_of(name, by))]
    rates = [one for one in found.rates if (one.setting.input, one.figure, one.of) == (given, figure, of)]
    title = "How often an answer is as near as eps" if not of else f"How often {words(of)} is kept"
    return Chart(
        f"{figure}.{of}.{given.name}" if of else f"{figure}.{given.name}",
        f"{title}, {given.name}",
        "bars",
        "share",
        tuple(_mark(one) for group in groups for one in rates if one.group == group),
        note="Corrected for the predictor's errors." if of else "",
    )


def _is_of(group: str, by: Sequence[str]) -> bool:
    name, _, label = group.partition("=")
    return bool(label) and "," not in group and name in by


def _cells(figure: str, of: str, given: Input, found: Results) -> Chart:
    rates = [
        one
        for one in found.rates
        if (one.setting.input, one.figure, one.of) == (given, figure, of) and "," in one.group
    ]
    title = f"is kept ({' and '.join(map(words, of.split(',')))})" if of else "reaches eps"
    groups = dict.fromkeys(one.group for one in rates)
    return Chart(
        f"cells.{figure}.{given.name}",
        f"How often each group {title}, {given.name}",
        "cells",
        "share",
        tuple(_mark(one) for group in groups for one in rates if one.group == group),
    )


def _mark(one: Rate) -> Mark:
    corrected = one.corrected
    return Mark(
        group_words(one.group) or ALL,
        one.setting.told,
        one.value.value,
        one.value.low,
        one.value.high,
        one.value.n,
        None if corrected is None else corrected.share,
        None if corrected is None else corrected.low,
        None if corrected is None else corrected.high,
        small=one.small,
        told=f"{one.k:,} of {one.value.n:,}",
        images=_behind(one.group),
        wrong=_wrong(one),
        worst=column("distance", one.setting),
    )


def _behind(group: str) -> Mapping[str, str]:
    """Return which rows of the table of images a group has."""
    if "," in group:
        return {"group": group}
    name, _, label = group.partition("=")
    return {f"group.{name}": label} if group else {}


def _wrong(one: Rate) -> tuple[str, str]:
    """Return which of the images come first."""
    if one.figure == REACHED:
        return column("reached", one.setting), "yes"
    if "," in one.of:
        return column("group", one.setting), "@group"
    return column(one.of, one.setting), f"@group.{one.of}"


def _shares(of: str, given: Input, found: Results) -> Chart:
    shares = [one for one in found.shares if (one.setting.input, one.of) == (given, of)]
    labels = dict.fromkeys(one.label for one in shares)
    return Chart(
        f"share.{of}.{given.name}",
        f"Shares of {words(of)} in the answers, {given.name}",
        "bars",
        "share",
        tuple(_share(one) for label in labels for one in shares if one.label == label),
        {group_words(one.label): one.reference for one in shares},
        "the images",
    )


def _share(one: Share) -> Mark:
    return Mark(
        group_words(one.label),
        one.setting.told,
        one.value.value,
        one.value.low,
        one.value.high,
        one.value.n,
        one.corrected.share,
        one.corrected.low,
        one.corrected.high,
        told=f"{one.k:,} of {one.value.n:,}",
        images={column(one.of, one.setting): one.label.partition("=")[2]},
        worst=column("distance", one.setting),
    )


def _parities(found: Results, study: SearchStudy) -> Chart:
    chosen = [one for one in found.parities if one.of in study.by]
    chosen.sort(key=lambda one: (INPUTS.index(one.setting.input), one.of))
    return Chart(
        "rdp",
        "The group that is kept most often minus the one least often",
        "gaps",
        "points",
        tuple(_parity(one) for one in chosen),
        note="0 is representation demographic parity. p is a permutation test's, by Holm's method for all "
        "gaps of the study.",
    )


def _parity(one: Parity) -> Mark:
    setting = one.setting
    ends = f"{group_words(one.highest)}, {group_words(one.lowest)}" if one.rdp.value else "all alike"
    return Mark(
        f"{setting.input.name}: {words(one.of)}",
        setting.told,
        one.rdp.value,
        one.rdp.low,
        one.rdp.high,
        one.rdp.n,
        small=one.small,
        told=f"{ends}; {chance(one.adjusted)}",
        images=_behind(one.lowest),
        wrong=(column(one.of, setting), f"@group.{one.of}"),
        worst=column("distance", setting),
    )
