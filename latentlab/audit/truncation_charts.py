"""The charts of the truncation study: lines along the truncation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from latentlab.audit.charts import Chart, Mark
from latentlab.audit.generation_charts import least_sure, share_mark
from latentlab.audit.generation_table import POOLED, ClassShare, Measure
from latentlab.audit.report import chance, words
from latentlab.audit.truncation_table import Shift
from latentlab.spec import Attribute

AXIS = "truncation"
MEASURES = {
    "fairness_discrepancy": "Fairness discrepancy: how far the shares are from the reference",
    "entropy": "Entropy of the predicted classes, in nats",
}


def truncation_charts(
    shares: Sequence[ClassShare],
    apart: Sequence[Measure],
    shifts: Sequence[Shift],
    attributes: Sequence[Attribute],
) -> tuple[Chart, ...]:
    """Return shares, their differences from those at truncation 1, and measures of all classes together.

    Of the images behind a mark those come first of whose class the predictor is least sure.
    """
    pooled = [one for one in shares if one.seed == POOLED]
    charts = [_shares(one.name, [s for s in pooled if s.attribute == one.name]) for one in attributes]
    charts += [_shifts(one.name, [s for s in shifts if s.share.attribute == one.name]) for one in attributes]
    charts += [
        _measures(name, title, [one for one in apart if one.seed == POOLED and one.name == name])
        for name, title in MEASURES.items()
    ]
    return tuple(chart for chart in charts if chart.marks)


def _shares(attribute: str, found: Sequence[ClassShare]) -> Chart:
    wanted = {words(one.label): one.reference for one in found if one.reference is not None}
    told = ", ".join(f"{label} {100 * share:.1f}%" for label, share in wanted.items())
    return Chart(
        f"share.{attribute}",
        f"Shares of {words(attribute)} among the samples",
        "lines",
        "share",
        tuple(share_mark(one, one.model, words(one.label), _behind(one)) for one in found),
        axis=AXIS,
        note=f"In the reference: {told}." if told else "",
    )


def _shifts(attribute: str, found: Sequence[Shift]) -> Chart:
    marks = []
    for one in found:
        p = chance(one.adjusted)
        marks.append(
            Mark(
                words(one.share.label),
                f"truncation {one.share.model}",
                one.difference.value,
                one.difference.low,
                one.difference.high,
                one.difference.n,
                small=one.share.small or one.base.small,
                told=f"{one.share.count:,} of {one.share.n:,} against {one.base.count:,} of "
                f"{one.base.n:,}; {p}",
                images=_behind(one.share),
                worst=least_sure(one.share),
            )
        )
    base = found[0].base.model if found else ""
    return Chart(
        f"shift.{attribute}",
        f"Shares of {words(attribute)}: difference from truncation {base}",
        "gaps",
        "points",
        tuple(marks),
        note="Raw shares; p is a permutation test's, by Holm's method for all differences of the study.",
    )


def _measures(name: str, title: str, found: Sequence[Measure]) -> Chart:
    marks = tuple(
        Mark(
            one.model,
            words(one.attribute),
            one.value.value,
            one.value.low,
            one.value.high,
            one.value.n,
            images={AXIS: one.model},
        )
        for one in found
    )
    return Chart(name, title, "lines", "number", marks, axis=AXIS)


def _behind(one: ClassShare) -> Mapping[str, str]:
    return {AXIS: one.model, one.attribute: one.label}
