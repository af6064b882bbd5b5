"""The search study's results: who is reached, whose group is kept, and what models and methods differ in.

Two conditions of fairness of pictures made larger (Jalal et al. 2021), x an image and x^ its answer:

- representation demographic parity (RDP): P(x^ in c | x in c) is the same for every group c, so the gap
  between the groups' rates of being kept is 0,
- proportional representation (PR): P(x^ in c) = P(x in c), so the fairness discrepancy of the answers' shares
  from the images' is 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.audit.search_study import SearchStudy
from latentlab.audit.search_study_count import Answers
from latentlab.audit.search_study_eps import Bars
from latentlab.audit.search_study_plan import Setting
from latentlab.metrics.correction import Corrected, corrected_shares
from latentlab.metrics.gaps import group_gap, holm, permutations_of
from latentlab.metrics.intervals import SMALL, Estimate, wilson, wilson_rate
from latentlab.metrics.paired import correlation, difference_of, mcnemar_p, paired_difference
from latentlab.metrics.shares import against_counts
from latentlab.spec import Confusion

REACHED, OWN, KEPT = "success_rate", "own_success_rate", "group_kept_rate"
Hits = NDArray[np.bool_]


@dataclass(frozen=True)
class Rate:
    """How often the answers of a setting for a group's images are near enough, or keep the group: k of n.

    Parameters
    ----------
    figure
        `REACHED`: as near as the eps of all models; `OWN`: as near as the model's own; `KEPT`.
    of
        What is kept: an attribute, or several by commas for their intersection; empty where nothing is.
    group
        Such as ``gender=female``; empty for all images.
    corrected
        Corrected for the predictor's errors; None where there is nothing to correct.
    hits
        Image by image.
    """

    setting: Setting
    figure: str
    of: str
    group: str
    k: int
    value: Estimate
    hits: Hits
    corrected: Corrected | None = None

    @property
    def small(self) -> bool:
        """Whether so few images are behind it that it says little."""
        return self.value.n < SMALL

    @property
    def best(self) -> Estimate:
        """The corrected rate, or where there is none the raw one."""
        one = self.corrected
        return self.value if one is None or one.share is None else _estimate(one)

    def row(self) -> dict[str, Any]:
        """Return it as a row of the table of groups."""
        return {
            **_told(self.setting),
            "figure": self.figure,
            "of": self.of,
            "group": self.group or "all",
            "count": self.k,
            "n": self.value.n,
            "value": self.value.value,
            "low": self.value.low,
            "high": self.value.high,
            **(self.corrected or Corrected(None, None, None, self.value.n)).columns(),
            "small": "yes" if self.small else "no",
        }


@dataclass(frozen=True)
class Difference:
    """A rate of one setting minus that of another for the same images (`latentlab.metrics.paired`).

    ``kind`` says what differs, *model* or *method*; ``p`` is McNemar's, ``adjusted`` Holm's over the
    differences of all images, or over those of groups.
    """

    kind: str
    first: Rate
    second: Rate
    raw: Estimate
    corrected: Estimate | None
    p: float
    adjusted: float = float("nan")

    @property
    def name(self) -> str:
        """What is taken from what."""
        one, other = self.first.setting, self.second.setting
        return (
            f"{one.model} minus {other.model}"
            if self.kind == "model"
            else f"{one.method} minus {other.method}"
        )

    @property
    def at(self) -> str:
        """What both have in common: the method, or the model."""
        return self.first.setting.method if self.kind == "model" else self.first.setting.model

    @property
    def best(self) -> Estimate:
        """The corrected difference, or where there is none the raw one."""
        return self.corrected or self.raw

    def row(self) -> dict[str, Any]:
        """Return it as a row of the table of differences."""
        setting, corrected = self.first.setting, self.corrected
        return {
            "difference": self.name,
            "input": setting.input.name,
            "at": self.at,
            "figure": self.first.figure,
            "of": self.first.of,
            "group": self.first.group or "all",
            "first": self.first.value.value,
            "second": self.second.value.value,
            "value": self.raw.value,
            "low": self.raw.low,
            "high": self.raw.high,
            "corrected": None if corrected is None else corrected.value,
            "corrected_low": None if corrected is None else corrected.low,
            "corrected_high": None if corrected is None else corrected.high,
            "n": self.raw.n,
            "p": self.p,
            "p_holm": self.adjusted,
            "small": "yes" if self.first.small else "no",
        }


@dataclass(frozen=True)
class Share:
    """How large a share of a setting's answers shows a class, beside that of the images."""

    setting: Setting
    of: str
    label: str
    k: int
    value: Estimate
    corrected: Corrected
    reference: float

    def row(self) -> dict[str, Any]:
        """Return it as a row of the table of shares."""
        return {
            **_told(self.setting),
            "of": self.of,
            "class": self.label,
            "count": self.k,
            "n": self.value.n,
            "share": self.value.value,
            "low": self.value.low,
            "high": self.value.high,
            "corrected": self.corrected.share,
            "corrected_low": self.corrected.low,
            "corrected_high": self.corrected.high,
            "not_corrected": self.corrected.reason,
            "reference": self.reference,
        }


@dataclass(frozen=True)
class Parity:
    """How far a setting is from RDP and PR, as counted; see the module's text.

    ``highest`` and ``lowest`` are the groups that are kept most and least often; ``p`` is the permutation
    test's of RDP, ``adjusted`` Holm's over all of the study; ``small`` says whether one of the groups has so
    few images that it says little.
    """

    setting: Setting
    of: str
    rdp: Estimate
    highest: str
    lowest: str
    p: float
    pr: Estimate
    small: bool = False
    adjusted: float = float("nan")

    def row(self) -> dict[str, Any]:
        """Return it as a row of the table of parities."""
        return {
            **_told(self.setting),
            "of": self.of,
            "rdp_gap": self.rdp.value,
            "rdp_low": self.rdp.low,
            "rdp_high": self.rdp.high,
            "kept_most": self.highest,
            "kept_least": self.lowest,
            "p": self.p,
            "p_holm": self.adjusted,
            "pr_discrepancy": self.pr.value,
            "pr_low": self.pr.low,
            "pr_high": self.pr.high,
            "n": self.rdp.n,
            "small": "yes" if self.small else "no",
        }


@dataclass(frozen=True)
class Results:
    """What the study found."""

    rates: tuple[Rate, ...]
    differences: tuple[Difference, ...]
    shares: tuple[Share, ...]
    parities: tuple[Parity, ...]

    def rate(self, setting: Setting, figure: str, of: str = "", group: str = "") -> Rate:
        """Return a rate."""
        wanted = (setting, figure, of, group)
        return next(one for one in self.rates if (one.setting, one.figure, one.of, one.group) == wanted)


@dataclass(frozen=True)
class Partition:
    """Groups by an attribute or the intersection of several: names, each image's, and what judges err."""

    of: str
    names: tuple[str, ...]
    code: NDArray[np.int64]
    places: tuple[int, ...]
    widths: tuple[int, ...]
    confusion: NDArray[np.int64] | None

    def seen(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which of the groups is seen in answers, of classes ``[n, attributes]``."""
        found = np.ravel_multi_index(tuple(codes[:, place] for place in self.places), self.widths)
        return np.asarray(found, dtype=np.int64)


def partitions_of(study: SearchStudy, n: int) -> tuple[Partition, ...]:
    """Return the groups of the first n images by each attribute, and by all of them."""
    attributes = {one.name: one for one in study.chosen.attributes}
    known = study.judge.confusion
    found = []
    single = [(place,) for place in range(len(study.by))]
    for places in [*single, *([tuple(range(len(study.by)))] if len(study.by) > 1 else [])]:
        chosen = [attributes[study.by[place]] for place in places]
        widths = tuple(len(one.classes) for one in chosen)
        labels = [np.asarray(study.chosen.labels[one.name][:n]) for one in chosen]
        names = tuple(
            ",".join(f"{one.name}={one.classes[k]}" for one, k in zip(chosen, cell, strict=True))
            for cell in np.ndindex(widths)
        )
        matrices = [known.get(one.name) for one in chosen]
        confusion = None if None in matrices else joint_confusion([m for m in matrices if m is not None])
        code = np.asarray(np.ravel_multi_index(tuple(labels), widths), dtype=np.int64)
        found.append(Partition(",".join(one.name for one in chosen), names, code, places, widths, confusion))
    return tuple(found)


def joint_confusion(matrices: Sequence[Confusion]) -> NDArray[np.int64]:
    """Return how often intersections of classes are mistaken, the attributes' errors taken for independent.

    Each row counts as many images as if the held-out ones were spread evenly over the intersections.
    """
    counts = [one.array() for one in matrices]
    if len(counts) == 1:
        return counts[0]
    rates = np.ones((1, 1))
    for one in counts:
        rates = np.kron(rates, one / np.maximum(one.sum(axis=1, keepdims=True), 1))
    images = min(int(one.sum()) for one in counts) // len(rates)
    return np.rint(images * rates).astype(np.int64)


def results_of(found: Answers, study: SearchStudy, bars: Bars, seed: int = 0) -> Results:
    """Return rates, differences, shares and parities of what is counted, of all images or of the first.

    Parameters
    ----------
    seed
        Of the bootstraps and permutations.
    """
    generator = np.random.default_rng([seed, 24])
    parts = partitions_of(study, found.n)
    rates = tuple(one for setting in study.settings for one in _rates(found, setting, bars, parts))
    shares = tuple(
        one for setting in study.settings for part in parts for one in _shares(found, setting, part)
    )
    permutations = permutations_of(len(study.settings) * len(parts))
    parities = [
        _parity(found, setting, part, generator, permutations) for setting in study.settings for part in parts
    ]
    adjusted = holm([one.p for one in parities])
    return Results(
        rates,
        tuple(_differences(rates, study)),
        shares,
        tuple(replace(one, adjusted=float(p)) for one, p in zip(parities, adjusted, strict=True)),
    )


def _rates(found: Answers, setting: Setting, bars: Bars, parts: Sequence[Partition]) -> Iterator[Rate]:
    given, codes = setting.input.name, found.codes(setting.name)
    near = {REACHED: bars.eps[given]}
    if (setting.model, given) in bars.own:
        near[OWN] = bars.own[setting.model, given]
    for figure, eps in near.items():
        hits = found.reached(setting.name, eps)
        yield _rate(setting, figure, "", "", hits)
        for part in parts if figure == REACHED else ():
            for g, name in enumerate(part.names):
                if (part.code == g).any():
                    yield _rate(setting, figure, "", name, hits[part.code == g])
    for part in parts:
        seen = part.seen(codes)
        hits = seen == part.code
        corrected = [
            corrected_shares(np.bincount(seen[part.code == g], minlength=len(part.names)), part.confusion)[g]
            for g in range(len(part.names))
        ]
        sizes = np.bincount(part.code, minlength=len(part.names))
        whole = _rate(setting, KEPT, part.of, "", hits)
        yield replace(whole, corrected=_mean(corrected, sizes, whole.value))
        for g, name in enumerate(part.names):
            if sizes[g]:
                rate = _rate(setting, KEPT, part.of, name, hits[part.code == g])
                yield replace(rate, corrected=corrected[g])


def _rate(setting: Setting, figure: str, of: str, group: str, hits: Hits) -> Rate:
    k, n = int(hits.sum()), len(hits)
    return Rate(setting, figure, of, group, k, wilson_rate(k, n), hits)


def _mean(parts: Sequence[Corrected], sizes: NDArray[np.int64], raw: Estimate) -> Corrected:
    """Return the mean over the images of all groups, by MOVER from the groups' own limits.

    Of groups of a few images these say little, so that it reaches at least as far as the raw rate's.
    """
    n = int(sizes.sum())
    chosen = [(one, w) for one, w in zip(parts, sizes / n, strict=True) if w > 0]
    refused = [one for one, _ in chosen if one.share is None]
    if refused:
        return Corrected(None, None, None, n, reason=refused[0].reason)
    known = [(_estimate(one), w) for one, w in chosen]
    value = sum(w * one.value for one, w in known)
    below = np.sqrt(sum((w * (one.value - (one.low or 0.0))) ** 2 for one, w in known))
    above = np.sqrt(sum((w * ((1.0 if one.high is None else one.high) - one.value)) ** 2 for one, w in known))
    assert raw.low is not None
    assert raw.high is not None
    below, above = max(below, raw.value - raw.low), max(above, raw.high - raw.value)
    clipped = any(one.clipped for one, _ in chosen)
    return Corrected(float(value), max(0.0, float(value - below)), min(1.0, float(value + above)), n, clipped)


def _estimate(one: Corrected) -> Estimate:
    assert one.share is not None
    return Estimate(one.share, one.low, one.high, one.n)


def _shares(found: Answers, setting: Setting, part: Partition) -> Iterator[Share]:
    seen = part.seen(found.codes(setting.name))
    counts, wanted = (np.bincount(one, minlength=len(part.names)) for one in (seen, part.code))
    corrected, n = corrected_shares(counts, part.confusion), len(seen)
    low, high = wilson(counts, np.full(len(counts), n))
    for g, name in enumerate(part.names):
        value = Estimate(int(counts[g]) / n, float(low[g]), float(high[g]), n)
        yield Share(setting, part.of, name, int(counts[g]), value, corrected[g], int(wanted[g]) / n)


def _parity(
    found: Answers, setting: Setting, part: Partition, generator: np.random.Generator, permutations: int
) -> Parity:
    seen, width = part.seen(found.codes(setting.name)), len(part.names)
    trials = np.bincount(part.code, minlength=width)
    kept = np.bincount(part.code[seen == part.code], minlength=width)
    gap = group_gap(kept, trials, generator, permutations)
    pr = against_counts(np.bincount(seen, minlength=width), trials / trials.sum(), generator)
    if gap.gap is None or gap.highest is None or gap.lowest is None:
        only = part.names[int(trials.argmax())]
        return Parity(
            setting,
            part.of,
            Estimate(0.0, None, None, len(seen)),
            only,
            only,
            float("nan"),
            pr["fairness_discrepancy"],
            len(seen) < SMALL,
        )
    ends = part.names[gap.highest], part.names[gap.lowest]
    return Parity(setting, part.of, gap.gap, *ends, gap.p, pr["fairness_discrepancy"], any(gap.small))


def _differences(rates: Sequence[Rate], study: SearchStudy) -> Iterator[Difference]:
    by_key = {(one.setting, one.figure, one.of, one.group): one for one in rates if one.figure != OWN}
    first, found = next(iter(study.models)), []
    for (setting, *rest), one in by_key.items():
        others = []
        if setting.model == first:
            others += [("model", replace(setting, model=name)) for name in study.models if name != first]
        if setting.method == "search":
            others.append(("method", replace(setting, method="posterior")))
        for kind, other in others:
            second = by_key[(other, *rest)]  # type: ignore[index]  # the rest of the same key
            found.append(_difference(kind, one, second))
    for of_all in (True, False):
        family = [one for one in found if (not one.first.group) == of_all]
        adjusted = holm([one.p for one in family]) if family else ()
        yield from (replace(one, adjusted=float(p)) for one, p in zip(family, adjusted, strict=True))


def _difference(kind: str, one: Rate, other: Rate) -> Difference:
    both, n = int((one.hits & other.hits).sum()), len(one.hits)
    raw = paired_difference(both, one.k, other.k, n)
    corrected = None
    if one.best is not one.value and other.best is not other.value:
        corrected = difference_of(one.best, other.best, correlation(both, one.k, other.k, n))
    return Difference(kind, one, other, raw, corrected, mcnemar_p(one.k - both, other.k - both))


def _told(setting: Setting) -> Mapping[str, str]:
    return {"input": setting.input.name, "model": setting.model, "method": setting.method}
