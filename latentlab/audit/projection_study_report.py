"""How the projection study's results are told: as tables, as figures by their names, and in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scipy.special import ndtri

from latentlab.audit.projection_study_table import ALL, SIDES, ClassChange, Results
from latentlab.audit.report import PERCEIVED, between, percent
from latentlab.metrics.intervals import SMALL, Estimate
from latentlab.metrics.report import Evaluation, group_words
from latentlab.operations.projection_plan import NOTE

LEVEL = 0.05


def group_rows(found: Results) -> list[dict[str, Any]]:
    """Return one row for each dataset, group and class."""
    rows = []
    kept = {(one.dataset, one.group, one.attribute, one.mode): one for one in found.kept}
    for one in found.changes:
        row: dict[str, Any] = {
            "dataset": one.dataset,
            "group": one.group,
            "attribute": one.attribute,
            "class": one.label,
            "n": one.shift.n,
        }
        for side in SIDES:
            row |= _limits(f"share_{side}", one.shares[side])
            corrected = one.corrected.get(side)
            row[f"corrected_{side}"] = None if corrected is None else corrected.share
            row[f"corrected_{side}_low"] = None if corrected is None else corrected.low
            row[f"corrected_{side}_high"] = None if corrected is None else corrected.high
        row |= _limits("style", one.style) | _limits("composition", one.composition)
        row |= _limits("shift", one.shift)
        for mode in ("keep", "follow"):
            survived = kept[one.dataset, one.group, one.attribute, mode]
            row |= _limits(f"survival_{mode}", survived.survival)
            row["entropy_before"] = survived.before
            row[f"entropy_{mode}"] = survived.after
        rows.append(row | {"small": "yes" if one.small else "no"})
    return rows


def reached_rows(found: Results) -> list[dict[str, Any]]:
    """Return how often the projection onto each dataset is predicted as of it, a row a mode."""
    return [
        {"dataset": one.dataset, "mode": one.mode, **_limits("target_share", one.survival)}
        for one in found.kept
        if not one.attribute
    ]


def gap_rows(found: Results) -> list[dict[str, Any]]:
    """Return one row for each gap between groups."""
    return [
        {
            "dataset": one.dataset,
            "mode": one.mode,
            "figure": f"survival.{one.attribute}",
            "highest": one.highest,
            "lowest": one.lowest,
            **_limits("gap", one.gap),
            "p": one.p,
            "p_holm": one.adjusted,
        }
        for one in found.gaps
    ]


def evaluation_of(found: Results, notes: Sequence[str], settings: Mapping[str, Any]) -> Evaluation:
    """Return the figures as an evaluation: over all datasets, then by dataset, mode and group."""
    metrics = {
        f"{'' if mode == 'keep' else 'follow.'}survival.{name}": rate
        for (mode, name), rate in found.overall.items()
    }
    groups: dict[str, dict[str, Estimate]] = {}

    def of(dataset: str, mode: str, group: str) -> dict[str, Estimate]:
        return groups.setdefault(f"dataset={dataset},mode={mode}" + ("" if group == ALL else f",{group}"), {})

    for one in found.changes:
        name = f"{one.attribute}={one.label}"
        for mode in ("keep", "follow"):
            figures = of(one.dataset, mode, one.group)
            figures[f"before.share.{name}"] = one.shares["before"]
            figures[f"share.{name}"] = one.shares[mode]
            corrected = one.corrected.get(mode)
            if corrected is not None and corrected.share is not None:
                figures[f"corrected_share.{name}"] = Estimate(
                    corrected.share, corrected.low, corrected.high, corrected.n
                )
        of(one.dataset, "keep", one.group)[f"style.{name}"] = one.style
        of(one.dataset, "follow", one.group)[f"composition.{name}"] = one.composition
        of(one.dataset, "follow", one.group)[f"shift.{name}"] = one.shift
    for survived in found.kept:
        figures = of(survived.dataset, survived.mode, survived.group)
        n = survived.survival.n
        if not survived.attribute:
            figures["target_dataset_share"] = survived.survival
            continue
        figures[f"survival.{survived.attribute}"] = survived.survival
        for when, entropy in (("before", survived.before), ("after", survived.after)):
            if entropy is not None:
                figures[f"entropy_{when}.{survived.attribute}"] = Estimate(entropy, None, None, n)
    for gap in found.gaps:
        figures = of(gap.dataset, gap.mode, ALL)
        figures[f"gap.{gap.attribute}"] = gap.gap
        figures[f"gap_p_holm.{gap.attribute}"] = Estimate(gap.adjusted, None, None, gap.gap.n)
    told = [*notes, *_small_groups(found), *([_guessed(found)] if found.guessed else [])]
    return Evaluation(metrics, groups, settings, (*told, NOTE, PERCEIVED))


def sentences(found: Results) -> tuple[str, ...]:
    """Say what each dataset does most, whose doing it is, and what cannot be told apart from chance."""
    lines = []
    whole = [one for one in found.changes if one.group == ALL]
    comparisons = max(1, len(whole))
    for dataset in dict.fromkeys(one.dataset for one in whole):
        of_dataset = [one for one in whole if one.dataset == dataset]
        one = max(of_dataset, key=lambda one: abs(one.shift.value))
        lines.append(
            f"Onto {dataset}, {_class(one)} changes most: from {percent(one.shares['before'].value)} in the "
            f"reconstructions to {percent(one.shares['follow'].value)} in follow "
            f"({_points(one.shift)}), of which the dataset's composition is {_points(one.composition)} "
            f"({_sure(one.composition, comparisons)}) and its style {_points(one.style)} "
            f"({_sure(one.style, comparisons)})."
        )
        kept = {
            (k.mode, k.attribute): k.survival for k in found.kept if (k.dataset, k.group) == (dataset, ALL)
        }
        least = min(dict.fromkeys(one.attribute for one in of_dataset), key=lambda a: kept["keep", a].value)
        rate, follow = kept["keep", least], kept["follow", least]
        lines.append(
            f"Onto {dataset}, {_words(least)} survives least in keep: in {percent(rate.value)} of {rate.n:,} "
            f"images (95%: {between(rate.low, rate.high)}), in follow in {percent(follow.value)} (95%: "
            f"{between(follow.low, follow.high)})."
        )
    clear = [gap for gap in found.gaps if gap.adjusted <= LEVEL]
    for gap in sorted(clear, key=lambda gap: -gap.gap.value)[:3]:
        lines.append(
            f"Onto {gap.dataset} in {gap.mode}, {_words(gap.attribute)} survives more often in "
            f"{group_words(gap.highest)} than in {group_words(gap.lowest)}: a gap of "
            f"{100.0 * gap.gap.value:.1f} points (95%: {between(gap.gap.low, gap.gap.high)}; permutation "
            f"p = {gap.adjusted:.3f}, Holm)."
        )
    if len(clear) > 3:
        lines.append(f"There are {len(clear) - 3} more such gaps between groups in gaps.csv.")
    if found.gaps and not clear:
        lines.append(
            f"Of {len(found.gaps)} gaps between groups in what survives, chance may explain each (Holm)."
        )
    lines.append(
        f"What is called clear is so by intervals that are wider than those shown, for {comparisons} "
        "comparisons at once (Bonferroni); an interval that holds 0 does not show that nothing shifts."
    )
    if found.guessed:
        lines.append(_guessed(found))
    return (*lines, NOTE, PERCEIVED)


def _limits(name: str, value: Estimate) -> dict[str, float | None]:
    return {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}


def _sure(value: Estimate, comparisons: int) -> str:
    """Say whether a shift is clear among so many: its interval as much wider as Bonferroni's is."""
    wider = float(ndtri(1.0 - LEVEL / 2.0 / comparisons) / ndtri(1.0 - LEVEL / 2.0))
    low, high = value.low or 0.0, value.high or 0.0
    inside = value.value - wider * (value.value - low) <= 0.0 <= value.value + wider * (high - value.value)
    return "not clear" if inside else "clear"


def _points(value: Estimate) -> str:
    return f"{100.0 * value.value:+.1f} points (95%: {between(value.low, value.high)})"


def _class(one: ClassChange) -> str:
    return f"{_words(one.attribute)} {_words(one.label)}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _guessed(found: Results) -> str:
    return (
        f"The own dataset of {found.guessed:,} of {found.n:,} images was guessed; an image that was taken "
        "for one of another dataset is projected from there."
    )


def _small_groups(found: Results) -> list[str]:
    most: dict[str, int] = {}
    for one in found.kept:
        if one.group != ALL and one.attribute:
            most[one.group] = max(most.get(one.group, 0), one.survival.n)
    return [
        f"Of {group} there are fewer than {SMALL} images: its figures say little."
        for group, n in most.items()
        if n < SMALL
    ]
