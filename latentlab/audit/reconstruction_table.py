"""The reconstruction study's results: survival and error by group, their gaps, and what classes become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.audit.reconstruction import Chosen, Survived
from latentlab.audit.report import (
    DOES_NOT,
    HOLDS,
    PERCEIVED,
    PERCEIVED_OUTSIDE,
    UNSURE,
    between,
    chance,
    percent,
    words,
)
from latentlab.metrics.gaps import GroupGap, group_gap, holm, permutation_p, ratio
from latentlab.metrics.intervals import RESAMPLES, SMALL, Estimate, bootstrap_mean, wilson_rate
from latentlab.metrics.report import Evaluation
from latentlab.metrics.shares import bias_amplification

LEVEL = 0.05
STATED = "Survival differs between the best and the worst of the groups"
ALIKE = 0.02
"""Where the whole interval of a gap is below it, groups count as alike."""
LEADS = {HOLDS: "this holds for", DOES_NOT: "does not hold for", UNSURE: "cannot be said for"}
_CHUNK = 2_000_000
"""Numbers that are drawn at a time."""


@dataclass(frozen=True)
class Survival:
    """How often an attribute is seen in a group's images, and in their reconstructions, as it truly is."""

    group: str
    attribute: str
    original: Estimate
    reconstructed: Estimate


@dataclass(frozen=True)
class Gap:
    """The largest difference between groups in an attribute's survival or (``attribute`` empty) in the error.

    ``ratio`` is the lowest rate by the highest, None of the error or where none survives; ``p`` the
    permutation test's, ``adjusted`` Holm's over all the study's gaps.
    """

    attribute: str
    gap: Estimate
    highest: str
    lowest: str
    ratio: Estimate | None
    p: float
    adjusted: float

    @property
    def verdict(self) -> str:
        """Whether statement (B) holds of it: that survival differs between the best and the worst group."""
        if self.adjusted <= LEVEL:
            return HOLDS
        high = self.gap.high
        return DOES_NOT if high is not None and high < ALIKE else UNSURE


@dataclass(frozen=True)
class Results:
    """What the study found; ``errors`` by group in steps of 255."""

    survival: tuple[Survival, ...]
    errors: Mapping[str, Estimate]
    gaps: tuple[Gap, ...]


def results_of(found: Survived, chosen: Chosen, seed: int = 0) -> Results:
    """Return survival and errors by group, and the gaps between the groups.

    Parameters
    ----------
    seed
        Of bootstrapped intervals and permutations.
    """
    generator = np.random.default_rng([seed, 6])
    survival: list[Survival] = []
    gaps: list[tuple[str, Estimate, str, str, Estimate | None, float]] = []
    for attribute in chosen.attributes:
        name = attribute.name
        right = [np.trace(found.reconstructed[name][g]) for g in range(len(chosen.names))]
        seen = [np.trace(found.original[name][g]) for g in range(len(chosen.names))]
        n = [found.original[name][g].sum() for g in range(len(chosen.names))]
        for g, group in enumerate(chosen.names):
            if n[g]:
                survival.append(
                    Survival(group, name, wilson_rate(seen[g], n[g]), wilson_rate(right[g], n[g]))
                )
        gap: GroupGap = group_gap(right, n, generator)
        if gap.gap is not None and gap.highest is not None and gap.lowest is not None:
            most, least = gap.highest, gap.lowest
            parity = ratio(int(right[least]), int(n[least]), int(right[most]), int(n[most]))
            gaps.append((name, gap.gap, chosen.names[most], chosen.names[least], parity, gap.p))
    errors = {
        group: bootstrap_mean(np.array(found.errors[g]), generator)
        for g, group in enumerate(chosen.names)
        if found.errors[g]  # a study that still goes on has not come to all groups
    }
    if len(errors) > 1:
        apart, most_wrong, least_wrong, p = _error_gap(found, errors, generator)
        gaps.append(("", apart, most_wrong, least_wrong, None, p))
    adjusted = holm([one[-1] for one in gaps]) if gaps else np.zeros(0)
    return Results(
        tuple(survival),
        errors,
        tuple(Gap(*one, float(p)) for one, p in zip(gaps, adjusted, strict=True)),
    )


def amplification_rows(found: Survived, chosen: Chosen, seed: int = 0) -> list[dict[str, Any]]:
    """Return how much more the groups and the attributes go together where they are predicted than they do.

    Directional bias amplification from the groups to each attribute, of the images as they are and of their
    reconstructions; 0 where predictions are right.
    """
    rows = []
    for one in chosen.attributes:
        row: dict[str, Any] = {"from": "groups", "to": one.name}
        for what, counts in (("original", found.original), ("reconstructed", found.reconstructed)):
            group, true, said = np.nonzero(counts[one.name])
            value = None
            if len(group):
                value = bias_amplification(
                    np.eye(len(chosen.names))[group],
                    np.eye(len(one.classes))[true],
                    np.eye(len(one.classes))[said],
                    np.random.default_rng([seed, 7]),
                    times=counts[one.name][group, true, said],
                )
            for name, number in (
                ("", None if value is None else value.value),
                ("_low", None if value is None else value.low),
                ("_high", None if value is None else value.high),
            ):
                row[f"{what}{name}"] = number
        rows.append(row)
    return rows


def group_rows(found: Results) -> list[dict[str, Any]]:
    """Return one row for each group and attribute, and one for each group's error."""
    rows = []
    for one in found.survival:
        for what, rate in (("original", one.original), ("survival", one.reconstructed)):
            rows.append(_row(one.group, f"{what}.{one.attribute}", rate))
    for group, error in found.errors.items():
        rows.append(_row(group, "error_255", error))
    return rows


def gap_rows(found: Results) -> list[dict[str, Any]]:
    """Return one row for each gap."""
    return [
        {
            "figure": f"survival.{one.attribute}" if one.attribute else "error_255",
            "highest": one.highest,
            "lowest": one.lowest,
            "gap": one.gap.value,
            "low": one.gap.low,
            "high": one.gap.high,
            "ratio": None if one.ratio is None else one.ratio.value,
            "ratio_low": None if one.ratio is None else one.ratio.low,
            "ratio_high": None if one.ratio is None else one.ratio.high,
            "p": one.p,
            "p_holm": one.adjusted,
        }
        for one in found.gaps
    ]


def statement_rows(found: Results) -> list[dict[str, Any]]:
    """Return one row for each attribute: whether statement (B) holds of it."""
    return [
        {
            "number": "B",
            "attribute": one.attribute,
            "statement": f"{STATED} ({words(one.attribute)})",
            "figure": f"gap.{one.attribute}",
            "value": one.gap.value,
            "low": one.gap.low,
            "high": one.gap.high,
            "n": one.gap.n,
            "bound": 0.0,
            "verdict": one.verdict,
        }
        for one in found.gaps
        if one.attribute
    ]


def confusion_rows(found: Survived, chosen: Chosen) -> list[dict[str, Any]]:
    """Return what each class becomes in each group: one row for each true and each predicted class."""
    rows = []
    for one in chosen.attributes:
        for g, group in enumerate(chosen.names):
            for true, label in enumerate(one.classes):
                n = int(found.original[one.name][g, true].sum())
                for k, becomes in enumerate(one.classes):
                    if n:
                        rows.append(
                            {
                                "group": group,
                                "attribute": one.name,
                                "class": label,
                                "becomes": becomes,
                                "of_originals": int(found.original[one.name][g, true, k]),
                                "of_reconstructions": int(found.reconstructed[one.name][g, true, k]),
                                "n": n,
                            }
                        )
    return rows


def evaluation_of(
    found: Results, settings: Mapping[str, Any], further: tuple[str, ...] = (), outside: bool = False
) -> Evaluation:
    """Return the figures as an evaluation: of all groups together, and of each.

    Parameters
    ----------
    further
        Notes that belong beside the figures.
    outside
        Whether somebody else judged, and no predictor of the model.
    """
    metrics: dict[str, Estimate] = {}
    groups: dict[str, dict[str, Estimate]] = {group: {} for group in found.errors}
    for name in dict.fromkeys(one.attribute for one in found.survival):
        of_name = [one for one in found.survival if one.attribute == name]
        for what in ("original", "survival"):
            rates = [one.original if what == "original" else one.reconstructed for one in of_name]
            n = sum(rate.n for rate in rates)
            metrics[f"{what}.{name}"] = wilson_rate(round(sum(rate.value * rate.n for rate in rates)), n)
            for one, rate in zip(of_name, rates, strict=True):
                groups[one.group][f"{what}.{name}"] = rate
    n = sum(error.n for error in found.errors.values())
    mean = sum(error.value * error.n for error in found.errors.values()) / n
    metrics["error_255"] = Estimate(mean, None, None, n)
    for group, error in found.errors.items():
        groups[group]["error_255"] = error
    for gap in found.gaps:
        name = f"gap.{gap.attribute}" if gap.attribute else "gap.error_255"
        metrics[name] = gap.gap
        metrics[name.replace("gap.", "gap_p_holm.")] = Estimate(gap.adjusted, None, None, gap.gap.n)
    small = [group for group, error in found.errors.items() if error.n < SMALL]
    notes = [f"Of {group} there are fewer than {SMALL} images: its figures say little." for group in small]
    notes += [*further, PERCEIVED_OUTSIDE if outside else PERCEIVED]
    return Evaluation(metrics, groups if len(groups) > 1 else {}, settings, tuple(notes))


def sentences(found: Results, outside: bool = False) -> tuple[str, ...]:
    """Say which groups' attributes survive least, and whether chance explains it.

    Parameters
    ----------
    outside
        As for `evaluation_of`.
    """
    lines = []
    parts = []
    for verdict, lead in LEADS.items():
        names = [words(one.attribute) for one in found.gaps if one.attribute and one.verdict == verdict]
        parts += [f"{lead} {', '.join(names)}"] if names else []
    if parts:
        lines.append(f"B. {STATED}: {'; '.join(parts)}.")
    for one in found.gaps:
        if one.attribute and not one.gap.value:
            rate = next(s.reconstructed for s in found.survival if s.attribute == one.attribute)
            name = one.attribute.replace("_", " ")
            lines.append(f"{name} survives as often in every group: {percent(rate.value)}.")
            continue
        if one.attribute:
            rates = {s.group: s.reconstructed for s in found.survival if s.attribute == one.attribute}
            ends = (
                f"{percent(rates[one.highest].value)} in {_words(one.highest)}, "
                f"{percent(rates[one.lowest].value)} in {_words(one.lowest)}"
            )
            size = f"a gap of {100 * one.gap.value:.1f} points (95%: {between(one.gap.low, one.gap.high)})"
            what = f"{one.attribute.replace('_', ' ')} survives: {ends}; {size}"
        else:
            errors = found.errors
            what = (
                f"the error is {errors[one.highest].value:.2f} of 255 in {_words(one.highest)}, "
                f"{errors[one.lowest].value:.2f} in {_words(one.lowest)}"
            )
        verdict = "more than chance" if one.adjusted <= LEVEL else "chance may explain it"
        lines.append(f"{what}; {verdict} (permutation {chance(one.adjusted)}).")
    few = [_words(group) for group, error in found.errors.items() if error.n < SMALL]
    if few:
        named = "; ".join(few[:3])
        more = f"; and {len(few) - 3} more" if len(few) > 3 else ""
        count = f"{len(few)} group{'' if len(few) == 1 else 's'}"
        said = "its figures say" if len(few) == 1 else "their figures say"
        lines.append(f"Of {count} there are fewer than {SMALL} images: {named}{more}; {said} little.")
    lines.append(
        f"Whether the {'judge' if outside else 'predictor'} sees an attribute in the images as they are "
        "stands beside each rate: what it misses there is not the model's doing."
    )
    if any(one.attribute and one.gap.value for one in found.gaps):
        lines.append(
            "The interval beside a gap allows for any two of the groups having been picked, and is wide; its "
            f"verdict is by a permutation test that is adjusted for all gaps told here ({len(found.gaps)}): "
            "so an interval may reach 0 where a gap is more than chance, or leave 0 out where chance may "
            "explain it."
        )
    return (*lines, PERCEIVED_OUTSIDE if outside else PERCEIVED)


def _error_gap(
    found: Survived, errors: Mapping[str, Estimate], generator: np.random.Generator
) -> tuple[Estimate, str, str, float]:
    """Return the largest difference of mean errors.

    Its interval knows that both groups were picked (as `group_gap`'s): the gap -+ the 95% quantile of the
    range of all groups' bootstrapped deviations, and down to 0 wherever the permutation test does not reject.
    """
    highest, lowest = (pick(errors, key=lambda group: errors[group].value) for pick in (max, min))
    seen = [np.array(one) for one in found.errors if one]
    values = np.concatenate(seen)
    groups = np.repeat(np.arange(len(seen)), [len(one) for one in seen])
    p = permutation_p(values, groups, generator)
    deviations = [_resampled_means(one, generator) - np.mean(one) for one in seen]
    half = float(np.quantile(np.ptp(np.stack(deviations), axis=0), 0.95))
    value = errors[highest].value - errors[lowest].value
    low = max(0.0, value - half) if p <= LEVEL else 0.0
    return Estimate(value, low, value + half, len(values)), highest, lowest, p


def _resampled_means(values: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.float64]:
    """Return the means of `RESAMPLES` resamples, a few at a time: memory is constant in their number."""
    step = max(1, _CHUNK // len(values))
    sizes = [min(step, RESAMPLES - start) for start in range(0, RESAMPLES, step)]
    return np.concatenate([generator.choice(values, (size, len(values))).mean(axis=1) for size in sizes])


def _row(group: str, figure: str, value: Estimate) -> dict[str, Any]:
    small = "yes" if value.n < SMALL else "no"
    return {
        "group": group,
        "figure": figure,
        "value": value.value,
        "low": value.low,
        "high": value.high,
        "n": value.n,
        "small": small,
    }


def _words(group: str) -> str:
    """Write a group's name without its attributes' names."""
    return ", ".join(part.partition("=")[2] or part for part in group.split(","))
