"""What the projection study found: shares before and after, what survives, and whose doing the shift is.

The shift of a class in the mode *follow* is split in two, of the same pictures:

    follow - before = (follow - keep) + (keep - before)
                    =   composition   +     style

*before* is the pictures' own reconstruction. All three come with paired intervals, bootstrapped over the
pictures (`latentlab.operations.projection_table`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from latentlab.audit.projection_choice import ChosenPictures
from latentlab.audit.projection_study import BothWays
from latentlab.metrics.correction import Corrected, corrected_shares
from latentlab.metrics.gaps import group_gap, holm
from latentlab.metrics.intervals import Estimate, bootstrap_mean, wilson
from latentlab.operations.project import Projected
from latentlab.operations.projection_table import (
    Composition,
    Rate,
    Shift,
    Shifts,
    compositions,
    shifts,
)

ALL = "all"
"""The group of a row that counts all pictures."""
SIDES = ("input", "before", "keep", "follow")
"""The pictures of which shares are counted: as they came, reconstructed, and projected in each mode."""
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class ClassChange:
    """What the projection onto a dataset does to the share of one class.

    Parameters
    ----------
    shares
        By `SIDES`, with Wilson's interval of as many trials as there are different people.
    corrected
        The same, corrected for the predictor's errors on held-out images; empty where they are not known.
    style, composition, shift
        Keep minus before, follow minus keep, and their sum; in shares.
    """

    dataset: str
    group: str
    attribute: str
    label: str
    shares: Mapping[str, Estimate]
    corrected: Mapping[str, Corrected]
    style: Estimate
    composition: Estimate
    shift: Estimate
    small: bool


@dataclass(frozen=True)
class Kept:
    """How often an attribute survives the projection onto a dataset, and how mixed its classes are.

    Parameters
    ----------
    survival
        The share of pictures that are predicted as their reconstruction is; of an empty ``attribute``, of
        which the dataset itself is seen.
    before, after
        The entropy of the predicted classes, in nats; None of an empty attribute.
    """

    dataset: str
    mode: str
    group: str
    attribute: str
    survival: Estimate
    before: float | None
    after: float | None


@dataclass(frozen=True)
class SurvivalGap:
    """The largest difference between groups in the survival of an attribute; ``adjusted`` is Holm's p."""

    dataset: str
    mode: str
    attribute: str
    gap: Estimate
    highest: str
    lowest: str
    p: float
    adjusted: float


@dataclass(frozen=True)
class Results:
    """What the study found: of all pictures first, then of each group.

    ``overall`` is the survival of each attribute over all datasets, by mode and attribute.
    """

    changes: tuple[ClassChange, ...]
    kept: tuple[Kept, ...]
    gaps: tuple[SurvivalGap, ...]
    overall: Mapping[tuple[str, str], Estimate]
    guessed: int
    n: int


def results_of(found: BothWays, chosen: ChosenPictures, domain: str, seed: int = 0) -> Results:
    """Count what the projections did.

    Parameters
    ----------
    domain
        What the model calls the attribute whose classes are the datasets.
    seed
        Of bootstrapped intervals and permutations.
    """
    changes: list[ClassChange] = []
    kept: list[Kept] = []
    for group in (ALL, *chosen.groups):
        body = found if group == ALL else found.of(group)
        if body.keep:
            changes += _changes(body, chosen, group, domain, seed)
            for mode, cases in (("keep", body.keep), ("follow", body.follow)):
                kept += _kept(shifts(cases, chosen.judge, seed), mode, group, domain)
    kept += _reached(found, chosen, domain, seed)
    overall = {
        (mode, one.name): rate
        for mode, cases in (("keep", found.keep), ("follow", found.follow))
        for one in chosen.attributes
        if (rate := _over_all(cases, one.name, seed)) is not None
    }
    guessed = sum(one.guessed for one in found.keep)
    return Results(tuple(changes), tuple(kept), _gaps(found, chosen, seed), overall, guessed, len(found.keep))


def _changes(body: BothWays, chosen: ChosenPictures, group: str, domain: str, seed: int) -> list[ClassChange]:
    style = {(s.dataset, s.attribute, s.label): s for s in shifts(body.keep, chosen.judge, seed).classes}
    whole = {(s.dataset, s.attribute, s.label): s for s in shifts(body.follow, chosen.judge, seed).classes}
    found = []
    seen: tuple[str, str] | None = None
    codes: dict[str, Codes] = {}
    people = 0
    for one in compositions(body.follow, body.keep, chosen.judge, seed):
        if one.attribute == domain:
            continue
        if seen != (one.dataset, one.attribute):
            seen = one.dataset, one.attribute
            codes, people = _codes(body, one.dataset, one.attribute)
        k = chosen.judge.attribute(one.attribute).index(one.label)
        kept, followed = (part[one.dataset, one.attribute, one.label] for part in (style, whole))
        shares, corrected = _sides(codes, people, chosen, one.attribute, k)
        is_it = {side: said == k for side, said in codes.items()}
        found.append(
            ClassChange(
                one.dataset,
                group,
                one.attribute,
                one.label,
                shares,
                corrected,
                _paired(kept, is_it["keep"], is_it["before"], people),
                _paired(one, is_it["follow"], is_it["keep"], people),
                _paired(followed, is_it["follow"], is_it["before"], people),
                one.small,
            )
        )
    return found


def _codes(body: BothWays, dataset: str, attribute: str) -> tuple[dict[str, Codes], int]:
    """Return the predicted classes by `SIDES`, of what `shifts` counts, and how many people that shows."""
    said: dict[str, list[int]] = {side: [] for side in SIDES}
    who = set()
    for place, (follow, keep) in enumerate(zip(body.follow, body.keep, strict=True)):
        if keep.source_dataset == dataset or attribute in keep.unseen_on(dataset):
            continue
        who.add(keep.identity or place)
        probabilities = {
            "input": keep.attributes,
            "before": keep.base,
            "keep": keep.said_on(dataset) or {},
            "follow": follow.said_on(dataset) or {},
        }
        for side, found in probabilities.items():
            said[side].append(int(found[attribute].argmax()))
    return {side: np.array(codes, dtype=np.int64) for side, codes in said.items()}, len(who)


def _sides(
    codes: Mapping[str, Codes], people: int, chosen: ChosenPictures, attribute: str, k: int
) -> tuple[dict[str, Estimate], dict[str, Corrected]]:
    """Return the shares of a class on every side, raw and corrected for the predictor's errors."""
    classes = len(chosen.judge.attribute(attribute).classes)
    confusion = chosen.judge.confusion.get(attribute)
    shares, corrected = {}, {}
    for side, said in codes.items():
        counts, n = np.bincount(said, minlength=classes), len(said)
        value = float(counts[k] / n)
        low, high = wilson(value * people, people)
        shares[side] = Estimate(value, float(low), float(high), n)
        if confusion is not None:
            corrected[side] = corrected_shares(counts * (people / n), confusion)[k]
    return shares, corrected


def _paired(
    found: Shift | Composition, after: NDArray[np.bool_], before: NDArray[np.bool_], people: int
) -> Estimate:
    """Return a shift with the wider of two limits on either side: bootstrapped, and Bonett and Price's.

    The bootstrap says 0 to 0 where no picture changed, however few there are. Bonett and Price (2012,
    Psychological Methods 17) count one change more each way: with r = (changed + 1) / (n + 2) to and from the
    class, r1 - r2 -+ 1.96 sqrt((r1 + r2 - (r1 - r2)^2) / (n + 2)).
    """
    weight = people / len(after)
    to, away = (float(np.sum(one)) * weight for one in (after & ~before, before & ~after))
    r1, r2 = (to + 1.0) / (people + 2.0), (away + 1.0) / (people + 2.0)
    half = float(ndtri(0.975)) * np.sqrt((r1 + r2 - (r1 - r2) ** 2) / (people + 2.0))
    low, high = max(-1.0, r1 - r2 - half), min(1.0, r1 - r2 + half)
    return Estimate(found.difference, min(found.low, float(low)), max(found.high, float(high)), found.n)


def _kept(found: Shifts, mode: str, group: str, domain: str) -> list[Kept]:
    entropy = {(one.dataset, one.attribute): one for one in found.diversity}
    return [
        Kept(
            one.dataset,
            mode,
            group,
            one.attribute,
            _estimate(one),
            entropy[one.dataset, one.attribute].before,
            entropy[one.dataset, one.attribute].after,
        )
        for one in found.kept
        if one.attribute != domain
    ]


def _reached(found: BothWays, chosen: ChosenPictures, domain: str, seed: int) -> list[Kept]:
    """Return how often the dataset itself is seen in a projection; nothing where nobody judges that."""
    judged = next((one for one in chosen.judge.attributes if one.name == domain), None)
    kept = []
    for mode, cases in (("keep", found.keep), ("follow", found.follow)):
        for dataset in chosen.onto if judged is not None else ():
            place = None if judged is None else judged.place_of(dataset)
            said = [
                one.said_on(dataset) or {}
                for one in cases
                if one.source_dataset != dataset and place is not None
            ]
            right = np.array([probabilities[domain].argmax() == place for probabilities in said], dtype=float)
            if len(right):
                who = _people([one for one in cases if one.source_dataset != dataset])
                rate = _rate(right, who, seed)
                kept.append(Kept(dataset, mode, ALL, "", rate, None, None))
    return kept


def _over_all(cases: Sequence[Projected], attribute: str, seed: int) -> Estimate | None:
    """Return how often an attribute survives, over all pictures and datasets; by the pictures' people."""
    right: list[float] = []
    of: list[Projected] = []
    for one in cases:
        for item in one.items:
            if one.source_dataset == item.dataset or attribute in one.unseen_on(item.dataset):
                continue
            said = item.attributes[attribute].argmax(), one.base[attribute].argmax()
            right.append(float(said[0] == said[1]))
            of.append(one)
    return _rate(np.array(right), _people(of), seed) if right else None


def _people(cases: Sequence[Projected]) -> Codes:
    """Return whom each case shows, as integers."""
    names = [one.identity or f" {one.name}" for one in cases]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _rate(holds: NDArray[np.float64], who: Codes, seed: int) -> Estimate:
    """Return a share: Wilson's interval where everybody is seen once or nothing differs, else by person."""
    value, people = float(holds.mean()), len(np.unique(who))
    if people == len(holds) or value in (0.0, 1.0):
        low, high = wilson(value * people, people)
        return Estimate(value, float(low), float(high), len(holds))
    return bootstrap_mean(holds, np.random.default_rng([seed, 8]), who)


def _gaps(found: BothWays, chosen: ChosenPictures, seed: int) -> tuple[SurvivalGap, ...]:
    generator = np.random.default_rng([seed, 9])
    rows: list[tuple[str, str, str, Estimate, str, str, float]] = []
    places = {name: k for k, name in enumerate(chosen.groups)}
    for dataset in chosen.onto if len(places) > 1 else ():
        for mode, cases in (("keep", found.keep), ("follow", found.follow)):
            for attribute in (one.name for one in chosen.attributes):
                k, n = np.zeros((2, len(places)), dtype=np.int64)
                for one, group in zip(cases, found.group, strict=True):
                    if not group or one.source_dataset == dataset or attribute in one.unseen_on(dataset):
                        continue
                    said = (one.said_on(dataset) or {})[attribute].argmax(), one.base[attribute].argmax()
                    n[places[group]] += 1
                    k[places[group]] += said[0] == said[1]
                gap = group_gap(k, n, generator)
                if gap.gap is not None and gap.highest is not None and gap.lowest is not None:
                    ends = chosen.groups[gap.highest], chosen.groups[gap.lowest]
                    rows.append((dataset, mode, attribute, gap.gap, *ends, gap.p))
    adjusted = holm([row[-1] for row in rows]) if rows else np.zeros(0)
    return tuple(SurvivalGap(*row, float(p)) for row, p in zip(rows, adjusted, strict=True))


def _estimate(rate: Rate) -> Estimate:
    return Estimate(rate.value, rate.low, rate.high, rate.n)
