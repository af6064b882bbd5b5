"""The training-ratio study's charts: shares in the samples along the share in training."""

from __future__ import annotations

from latentlab.audit.charts import Chart, Mark
from latentlab.audit.generation_table import ClassShare
from latentlab.audit.training_ratio_table import RatioShare, Results
from latentlab.metrics.intervals import SMALL, Estimate

EVERY = "all seeds"


def charts_of(found: Results) -> tuple[Chart, ...]:
    """Return the charts: the varied class first, beside what was trained on, then all other attributes."""
    name, first = _words(found.varied), _words(found.first)
    varied = sorted(found.shares[found.varied, found.first], key=lambda one: one.ratio)
    marks = []
    for one in varied:
        marks.append(_mean(one, EVERY))
        marks += [_of_seed(one, share) for share in one.seeds]
    charts = [
        Chart(
            f"share.{found.varied}={found.first}",
            f"{name} {first} in the samples, along its share in training".capitalize(),
            "lines",
            "share",
            tuple(marks),
            {f"{one.ratio:g}": one.ratio for one in varied},
            "the share in training",
            axis=f"share of {first} in training",
            note="The intervals of all seeds know how far trainings are spread, those of one seed do not.",
        )
    ]
    others = dict.fromkeys(attribute for attribute, _ in found.shares if attribute != found.varied)
    for attribute in others:
        classes = {label: rows for (of, label), rows in found.shares.items() if of == attribute}
        charts.append(
            Chart(
                f"share.{attribute}",
                f"{_words(attribute)} in the samples, along the share of {name} {first}".capitalize(),
                "lines",
                "share",
                tuple(
                    _mean(one, _words(label))
                    for label, rows in classes.items()
                    for one in sorted(rows, key=lambda one: one.ratio)
                ),
                axis=f"share of {first} in training",
            )
        )
    return tuple(chart for chart in charts if chart.marks)


def _mean(one: RatioShare, series: str) -> Mark:
    corrected = one.corrected_mean or Estimate(0.0, None, None, 0)
    return Mark(
        f"{one.ratio:g}",
        series,
        one.mean.value,
        one.mean.low,
        one.mean.high,
        one.mean.n,
        None if one.corrected_mean is None else corrected.value,
        corrected.low,
        corrected.high,
        one.mean.n < SMALL,
        images={"ratio": repr(one.ratio), one.pooled.attribute: one.pooled.label},
    )


def _of_seed(one: RatioShare, share: ClassShare) -> Mark:
    return Mark(
        f"{one.ratio:g}",
        f"seed {share.seed}",
        share.share.value,
        share.share.low,
        share.share.high,
        share.n,
        share.corrected.share,
        share.corrected.low,
        share.corrected.high,
        share.small,
        images={"ratio": repr(one.ratio), "seed": share.seed, share.attribute: share.label},
    )


def _words(name: str) -> str:
    return name.replace("_", " ")
