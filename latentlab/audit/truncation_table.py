"""The truncation study's results: shares at each truncation, and how they differ from those at 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from latentlab.audit import generation_table
from latentlab.audit.generation_table import POOLED, ClassShare, Measure
from latentlab.audit.reference import UNIFORM, Reference
from latentlab.audit.report import PERCEIVED, between, chance, percent
from latentlab.metrics.gaps import difference, group_gap, holm, permutations_of
from latentlab.metrics.intervals import Estimate
from latentlab.metrics.report import Evaluation

LEVEL = 0.05


@dataclass(frozen=True)
class Shift:
    """A class's share at a truncation minus that at 1, of all seeds together.

    The interval is Newcombe's, which takes the samples for independent; they are the same ones moved, so it
    is wide rather than wrong, and so is the test. ``p`` is the permutation test's, ``adjusted`` Holm's over
    all the study's shifts.
    """

    share: ClassShare
    base: ClassShare
    difference: Estimate
    p: float
    adjusted: float

    def row(self) -> dict[str, Any]:
        """Return it as a row of the table of differences."""
        return {
            "truncation": self.share.model,
            "against": self.base.model,
            "attribute": self.share.attribute,
            "class": self.share.label,
            "share": self.share.share.value,
            "share_against": self.base.share.value,
            "difference": self.difference.value,
            "low": self.difference.low,
            "high": self.difference.high,
            "p": self.p,
            "p_holm": self.adjusted,
        }


def shifts_of(shares: Sequence[ClassShare], seed: int = 0) -> tuple[Shift, ...]:
    """Return every class's shifts, truncation by truncation.

    Parameters
    ----------
    shares
        As `latentlab.audit.generation_table.class_shares` has them; their model is the truncation.
    seed
        Of the permutations.
    """
    pooled = [one for one in shares if one.seed == POOLED]
    if not pooled:
        return ()
    first = {(one.attribute, one.label): one for one in pooled if one.model == pooled[0].model}
    pairs = [
        (one, first[one.attribute, one.label])
        for one in pooled
        if one.model != pooled[0].model and (one.attribute, one.label) in first
    ]
    generator = np.random.default_rng([seed, 13])
    resamples = permutations_of(len(pairs))
    p = [group_gap([a.count, b.count], [a.n, b.n], generator, resamples).p for a, b in pairs]
    adjusted = holm(p) if p else np.zeros(0)
    return tuple(
        Shift(a, b, difference(a.count, a.n, b.count, b.n), raw, float(held))
        for (a, b), raw, held in zip(pairs, p, adjusted, strict=True)
    )


def with_truncation(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the generation study's tables, whose model is the truncation, under its own name."""
    return {"truncation" if name == "model" else name: value for name, value in row.items()}


def evaluation_of(
    shares: Sequence[ClassShare],
    apart: Sequence[Measure],
    shifts: Sequence[Shift],
    settings: Mapping[str, Any],
) -> Evaluation:
    """Return the figures as an evaluation: at truncation 1, then by truncation and seed."""
    found = generation_table.evaluation_of(shares, apart, settings)
    groups = {key.replace("model=", "truncation=", 1): dict(metrics) for key, metrics in found.groups.items()}
    for one in shifts:
        name = f"shift.{one.share.attribute}={one.share.label}"
        groups[f"truncation={one.share.model}"][name] = one.difference
    return Evaluation(found.metrics, groups, found.settings, found.notes)


def sentences(
    shares: Sequence[ClassShare], apart: Sequence[Measure], shifts: Sequence[Shift], reference: Reference
) -> tuple[str, ...]:
    """Say what becomes of each attribute's rarest class, and whether shares move away from the reference."""
    pooled = [one for one in shares if one.seed == POOLED]
    lines = []
    for name in dict.fromkeys(one.attribute for one in pooled):
        of_name = [one for one in pooled if one.attribute == name]
        whole = [one for one in of_name if one.model == of_name[0].model]
        rarest = min(whole, key=lambda one: one.count)
        moved = [one for one in shifts if one.base == rarest]
        said = "; ".join(_said(one) for one in moved)
        lines.append(
            f"{_words(name)}: at truncation {rarest.model} the rarest class is {_words(rarest.label)}, "
            f"{rarest.count:,} of {rarest.n:,} samples, {percent(rarest.share.value)} "
            f"(95%: {between(rarest.share.low, rarest.share.high)})" + (f"; {said}." if said else ".")
        )
        lines += _distances(name, apart, reference)
    lines.append(
        "Shares are those that the predictor sees, not corrected for its errors; the corrected ones stand in "
        "the tables. Pictures nearer to the mean may be easier to read, and then a part of a difference is "
        "the predictor's. Comparisons are adjusted for how many there are (Holm); where chance may explain "
        "one, that does not show that there is none."
    )
    if shifts:
        lines.append(
            "The interval beside a difference stands for that one alone, whereas a verdict is by a "
            f"permutation test that is adjusted for all {len(shifts)} comparisons: so an interval may leave "
            "out 0 where chance may explain the difference."
        )
    return (*lines, PERCEIVED)


def _said(one: Shift) -> str:
    gap = one.difference
    verdict = "more than chance" if one.adjusted <= LEVEL else "chance may explain it"
    how = "more" if gap.value > 0 else "less"
    return (
        f"at {one.share.model} {percent(one.share.share.value)}, {100 * abs(gap.value):.1f} points {how} "
        f"(95%: {between(gap.low, gap.high)}; {verdict}, {chance(one.adjusted)})"
    )


def _distances(attribute: str, apart: Sequence[Measure], reference: Reference) -> list[str]:
    """Say how far shares are from the reference at the first and at the last truncation."""
    found = [
        one
        for one in apart
        if (one.attribute, one.seed, one.name) == (attribute, POOLED, "fairness_discrepancy")
    ]
    if len(found) < 2:
        return []
    ends = [
        f"{one.value.value:.3f} (95%: {one.value.low:.3f} to {one.value.high:.3f}) at {one.model}"
        for one in (found[0], found[-1])
        if one.value.low is not None and one.value.high is not None
    ]
    name = "equal shares" if reference.name == UNIFORM else reference.name
    return [f"{_words(attribute)}: fairness discrepancy to {name} is {', '.join(ends)}."]


def _words(name: str) -> str:
    return name.replace("_", " ")
