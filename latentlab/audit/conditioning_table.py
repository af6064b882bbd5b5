"""The conditioning study's results: rates by setting and group, their gaps, and what becomes of the gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.audit.conditioning import Conditioning
from latentlab.audit.conditioning_count import Outcomes
from latentlab.audit.conditioning_plan import Setting
from latentlab.audit.report import PERCEIVED
from latentlab.metrics.gap_change import gap_change
from latentlab.metrics.gaps import difference, group_gap, holm, permutations_of
from latentlab.metrics.intervals import SMALL, Estimate, wilson_rate
from latentlab.metrics.report import Evaluation, group_notes


@dataclass(frozen=True)
class Rate:
    """How often something happens to a group's images in a setting: k of n (`Setting.figure`).

    ``by`` names the attributes whose classes are the groups; it is empty, and so is the group, of all images.
    """

    setting: Setting
    attribute: str
    by: str
    group: str
    k: int
    value: Estimate

    @property
    def small(self) -> bool:
        """Whether so few images are behind it that it says little."""
        return self.value.n < SMALL

    def row(self) -> dict[str, Any]:
        """Return it as a row of the table of groups."""
        return {
            "setting": self.setting.name,
            "model": self.setting.model,
            "condition": self.setting.told,
            "attribute": self.attribute,
            "figure": self.setting.figure,
            "by": self.by,
            "group": self.group or "all",
            "count": self.k,
            "n": self.value.n,
            "value": self.value.value,
            "low": self.value.low,
            "high": self.value.high,
            "small": "yes" if self.small else "no",
        }


@dataclass(frozen=True)
class Gap:
    """The highest rate of the groups minus the lowest.

    Of two groups the interval is Newcombe's, of more that of `latentlab.metrics.gaps.group_gap`. ``p`` is the
    permutation test's, ``adjusted`` Holm's over all the study's gaps.
    """

    setting: Setting
    attribute: str
    by: str
    gap: Estimate
    highest: Rate
    lowest: Rate
    p: float
    adjusted: float

    @property
    def small(self) -> bool:
        """Whether either group has so few images that it says little."""
        return self.highest.small or self.lowest.small

    def row(self) -> dict[str, Any]:
        """Return it as a row of the table of gaps."""
        return {
            "setting": self.setting.name,
            "attribute": self.attribute,
            "figure": self.setting.figure,
            "by": self.by,
            "highest": self.highest.group,
            "lowest": self.lowest.group,
            "gap": self.gap.value,
            "low": self.gap.low,
            "high": self.gap.high,
            "p": self.p,
            "p_holm": self.adjusted,
            "small": "yes" if self.small else "no",
        }


@dataclass(frozen=True)
class Change:
    """The gap in one setting minus that in another of the same images (`latentlab.metrics.gap_change`)."""

    attribute: str
    by: str
    setting: Setting
    against: Setting
    gap: float
    other: float
    change: Estimate

    def row(self) -> dict[str, Any]:
        """Return it as a row of the table of changes."""
        return {
            "attribute": self.attribute,
            "by": self.by,
            "setting": self.setting.name,
            "against": self.against.name,
            "gap": self.gap,
            "gap_against": self.other,
            "change": self.change.value,
            "low": self.change.low,
            "high": self.change.high,
            "n": self.change.n,
        }


@dataclass(frozen=True)
class Results:
    """What the study found."""

    rates: tuple[Rate, ...]
    gaps: tuple[Gap, ...]
    changes: tuple[Change, ...]

    def rate(self, setting: Setting, attribute: str, group: str = "") -> Rate | None:
        """Return a rate; None where nothing was counted."""
        for one in self.rates:
            if (one.setting, one.attribute, one.group) == (setting, attribute, group):
                return one
        return None

    def change(self, attribute: str, setting: Setting, against: Setting) -> Change | None:
        """Return what becomes of the gap between the classes of an attribute; None where that is unknown."""
        for one in self.changes:
            if (one.attribute, one.by, one.setting, one.against) == (attribute, attribute, setting, against):
                return one
        return None


def results_of(found: Outcomes, study: Conditioning, seed: int = 0) -> Results:
    """Return rates, gaps, and the differences of gaps.

    Parameters
    ----------
    seed
        Of the bootstraps and permutations.
    """
    generator = np.random.default_rng([seed, 12])
    rates: list[Rate] = []
    bodies: list[tuple[Setting, str, str, list[Rate]]] = []
    changes: list[Change] = []
    for one in study.chosen.attributes:
        table = _Table(found, study, one.name)
        settings = study.settings_of(one.name)
        for by, (names, codes) in table.partitions.items():
            for place, setting in enumerate(settings):
                seen = table.rates(place, names, codes)
                body = [
                    Rate(setting, one.name, by, group, k, wilson_rate(k, n))
                    for group, (k, n) in seen.items()
                    if n
                ]
                rates += body
                if len(body) > 1:
                    bodies.append((setting, one.name, by, body))
            if by:
                changes += _changes(one.name, by, study, table, generator)
    return Results(tuple(rates), _gaps(bodies, generator), tuple(changes))


class _Table:
    """What was counted of one attribute, as arrays: patterns ``[P, S]`` and how many images have each."""

    def __init__(self, found: Outcomes, study: Conditioning, attribute: str) -> None:
        counts = found.counts[attribute]
        width = len(study.settings_of(attribute))
        self.n = np.array(list(counts.values()), dtype=np.int64)
        self.patterns = np.array([key for _, _, key in counts], dtype=np.int64).reshape(-1, width)
        group = np.array([place for place, _, _ in counts], dtype=np.int64)
        own = np.array([place for _, place, _ in counts], dtype=np.int64)
        classes = next(a.classes for a in study.chosen.attributes if a.name == attribute)
        self.partitions: dict[str, tuple[Sequence[str], NDArray[np.int64]]] = {
            "": ([""], np.zeros(len(group), dtype=np.int64)),
            attribute: ([f"{attribute}={label}" for label in classes], own),
        }
        by, parts = study.chosen.by, study.chosen.parts
        for place, name in enumerate(by):
            if name != attribute:
                labels = list(dict.fromkeys(part[place] for part in parts))
                code = np.array([labels.index(part[place]) for part in parts])
                self.partitions[name] = ([f"{name}={label}" for label in labels], code[group])
        if len(by) > 1:
            self.partitions[",".join(by)] = (study.chosen.names, group)

    def rates(
        self, setting: int, names: Sequence[str], codes: NDArray[np.int64]
    ) -> dict[str, tuple[int, int]]:
        """Return k and n of each group in a setting."""
        known, hit = self.patterns[:, setting] >= 0, self.patterns[:, setting] == 1
        return {
            name: (int(self.n[(codes == g) & hit].sum()), int(self.n[(codes == g) & known].sum()))
            for g, name in enumerate(names)
        }

    def joint(self, first: int, second: int, groups: int, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many images of each group fare how in two settings, ``[G, 2, 2]``."""
        found = np.zeros((groups, 2, 2), dtype=np.int64)
        both = self.patterns[:, [first, second]]
        known = (both >= 0).all(axis=1)
        np.add.at(found, (codes[known], *both[known].T), self.n[known])
        return found


def _changes(
    attribute: str, by: str, study: Conditioning, table: _Table, generator: np.random.Generator
) -> list[Change]:
    """Return what becomes of a gap: in each setting of errors against those that it is told beside."""
    settings = study.settings_of(attribute)
    names, codes = table.partitions[by]
    found = []
    for second, setting in enumerate(settings):
        for against in _beside(setting, study) if not setting.flips else ():
            joint = table.joint(settings.index(against), second, len(names), codes)
            change = gap_change(joint, generator)
            if change is not None:
                seen = joint[joint.sum(axis=(1, 2)) > 0]
                n = seen.sum(axis=(1, 2))
                gap, other = np.ptp(seen[:, :, 1].sum(axis=1) / n), np.ptp(seen[:, 1].sum(axis=1) / n)
                found.append(Change(attribute, by, setting, against, float(gap), float(other), change))
    return found


def _beside(setting: Setting, study: Conditioning) -> list[Setting]:
    """Return what a setting's gap is told beside.

    Of a reconstruction these are the originals, and of a conditional model's each unconditional model's
    reconstruction; of one at another scale its model's at scale 1.
    """
    if setting.kind == "scale":
        return [Setting("reconstruction", setting.model)]
    if setting.kind != "reconstruction":
        return []
    plain = [name for name in study.models if name not in study.conditional]
    others = plain if setting.model in study.conditional else []
    return [study.originals(setting.model), *(Setting("reconstruction", name) for name in others)]


def _gaps(
    bodies: Sequence[tuple[Setting, str, str, list[Rate]]], generator: np.random.Generator
) -> tuple[Gap, ...]:
    resamples = permutations_of(len(bodies))
    found = []
    for setting, attribute, by, body in bodies:
        k, n = [one.k for one in body], [one.value.n for one in body]
        picked = group_gap(k, n, generator, resamples)
        assert picked.gap is not None
        assert picked.highest is not None
        assert picked.lowest is not None
        most, least = body[picked.highest], body[picked.lowest]
        if most is least:  # all rates are the same
            least = next(one for one in body if one is not most)
        gap = picked.gap
        if len(body) == 2:
            gap = difference(most.k, most.value.n, least.k, least.value.n)
        found.append((setting, attribute, by, gap, most, least, picked.p))
    adjusted = holm([one[-1] for one in found]) if found else np.zeros(0)
    return tuple(Gap(*one, float(p)) for one, p in zip(found, adjusted, strict=True))


def evaluation_of(found: Results, study: Conditioning, settings: Mapping[str, Any]) -> Evaluation:
    """Return the figures as an evaluation: of the first model's reconstructions, then by setting."""
    groups: dict[str, dict[str, Estimate]] = {}
    for one in found.rates:
        named = groups.setdefault(_key(one.setting, one.group), {})
        named[f"{one.setting.figure}.{one.attribute}"] = one.value
    for gap in found.gaps:
        if gap.by == gap.attribute:
            named = groups[_key(gap.setting)]
            named[f"gap.{gap.attribute}"] = gap.gap
            named[f"gap_p_holm.{gap.attribute}"] = Estimate(gap.adjusted, None, None, gap.gap.n)
    for change in found.changes:
        if change.by == change.attribute:
            named = groups.setdefault(_key(change.setting, f"against={change.against.name}"), {})
            named[f"gap_change.{change.attribute}"] = change.change
    first = Setting("reconstruction", next(iter(study.models)))
    notes = [f"All pictures are judged by the predictor of {first.model}."] if len(study.models) > 1 else []
    sizes = {one.group: one.value.n for one in found.rates if one.group and not one.setting.flips}
    notes += group_notes(sizes)
    for name, model in study.models.items():
        unflipped = [a.name for a in model.spec.condition.attributes if a.name not in study.targets[name]]
        if unflipped:
            notes.append(
                f"{name}: {', '.join(unflipped)} of its condition was not flipped, for it was not counted."
            )
    return Evaluation(groups.get(_key(first), {}), groups, settings, (*notes, PERCEIVED))


def _key(setting: Setting, group: str = "") -> str:
    """Return what a setting's figures are called: ``model=a,setting=scale 2,gender=male``."""
    parts: Mapping[str, str] = {"model": setting.model, "setting": setting.told}
    key = ",".join(f"{name}={value}" for name, value in parts.items() if value)
    return f"{key},{group}" if group else key
