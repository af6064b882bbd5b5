"""What the search study says in sentences: differences whatever their sign, parities, and cautions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from latentlab.audit.report import PERCEIVED, between, chance, percent, words
from latentlab.audit.search_study import SearchStudy
from latentlab.audit.search_study_eps import Bars
from latentlab.audit.search_study_plan import INPUTS, Input
from latentlab.audit.search_study_table import KEPT, OWN, REACHED, Difference, Rate, Results
from latentlab.metrics.intervals import SMALL, Estimate
from latentlab.metrics.report import Evaluation, group_notes, group_words
from latentlab.operations.search_plan import NOTE

LEVEL = 0.05


def sentences(found: Results, study: SearchStudy, bars: Bars) -> tuple[str, ...]:
    """Say who is reached and kept, what models and methods differ in, and how far RDP and PR are missed."""
    lines = []
    joint = ",".join(study.by)
    for given in INPUTS:
        lines += list(_rates(given, joint, found, study))
        lines += list(_differences(given, joint, found))
        lines += list(_parities(given, found, study))
    lines += list(_cautions(found, study, bars))
    return (*lines, f"What is found are {NOTE}.", PERCEIVED)


def evaluation_of(found: Results, study: SearchStudy, bars: Bars, settings: Mapping[str, Any]) -> Evaluation:
    """Return the figures as an evaluation: of the first setting, then by setting, and the differences."""
    groups: dict[str, dict[str, Estimate]] = {}
    joint = ",".join(study.by)
    for one in found.rates:
        name = one.figure if one.of in ("", joint) else f"{one.figure}.{one.of}"
        into = groups.setdefault(
            _key(one.setting.model, one.setting.method, one.setting.input, one.group), {}
        )
        into[name] = one.value
        if one.corrected is not None and one.corrected.share is not None:
            into[f"corrected_{name}"] = one.best
    for share in found.shares:
        into = groups[_key(share.setting.model, share.setting.method, share.setting.input)]
        into[f"share.{share.label}"] = share.value
        if share.corrected.share is not None:
            into[f"corrected_share.{share.label}"] = Estimate(
                share.corrected.share, share.corrected.low, share.corrected.high, share.value.n
            )
    for parity in found.parities:
        into = groups[_key(parity.setting.model, parity.setting.method, parity.setting.input)]
        into[f"gap.{parity.of}"] = parity.rdp
        into[f"fairness_discrepancy.{parity.of}"] = parity.pr
    for difference in found.differences:
        rate = difference.first
        key = f"difference={difference.name},at={difference.at},input={rate.setting.input.name}"
        key += f",{rate.group}" if rate.group else ""
        name = rate.figure if rate.of in ("", joint) else f"{rate.figure}.{rate.of}"
        into = groups.setdefault(key, {})
        into[name] = difference.raw
        if difference.corrected is not None:
            into[f"corrected_{name}"] = difference.corrected
    first = study.settings[0]
    sizes = {one.group: one.value.n for one in found.rates if one.group and one.setting == first}
    notes = [*_eps(bars), *group_notes(sizes), f"What is found are {NOTE}."]
    return Evaluation(
        groups[_key(first.model, first.method, first.input)], groups, settings, (*notes, PERCEIVED)
    )


def _key(model: str, method: str, given: Input, group: str = "") -> str:
    key = f"model={model},method={method},input={given.name}"
    return f"{key},{group}" if group else key


def _rates(given: Input, joint: str, found: Results, study: SearchStudy) -> Iterator[str]:
    for model in study.models:
        said = []
        for setting in (one for one in study.settings if (one.input, one.model) == (given, model)):
            kept, reached = found.rate(setting, KEPT, joint), found.rate(setting, REACHED)
            corrected = kept.corrected
            told = f"keeps the group of {_counted(kept)}"
            if corrected is not None and corrected.share is not None:
                told += f", corrected for the predictor's errors {percent(corrected.share)}"
            said.append(
                f"{setting.method} {told}, and comes as near as eps in {percent(reached.value.value)}"
            )
        yield f"{given.name}, {model}: {'; '.join(said)}."


def _counted(rate: Rate) -> str:
    n = rate.value.n
    span = f"95%: {between(rate.value.low, rate.value.high)}"
    return f"{rate.k:,} of {n:,} images, {percent(rate.value.value)} ({span})"


def _differences(given: Input, joint: str, found: Results) -> Iterator[str]:
    of_all = [one for one in found.differences if not one.first.group and one.first.setting.input == given]
    for kind in ("model", "method"):
        for figure, of, what in ((KEPT, joint, "group kept"), (REACHED, "", "as near as eps")):
            chosen = [
                one for one in of_all if (one.kind, one.first.figure, one.first.of) == (kind, figure, of)
            ]
            for name in dict.fromkeys(one.name for one in chosen):
                said = "; ".join(_apart(one) for one in chosen if one.name == name)
                yield f"{given.name}, {name}, {what}: {said}."


def _apart(one: Difference) -> str:
    best = one.best
    points = f"{100 * best.value:+.1f} points (95%: {between(best.low, best.high)}; {chance(one.adjusted)})"
    sure = ", more than chance" if one.adjusted <= LEVEL else ""
    return f"{one.at} {points}{sure}"


def _parities(given: Input, found: Results, study: SearchStudy) -> Iterator[str]:
    for name in study.by:
        chosen = [one for one in found.parities if one.setting.input == given and one.of == name]
        gaps = [100 * one.rdp.value for one in chosen]
        sure = [one for one in chosen if one.adjusted <= LEVEL]
        told = "; ".join(
            f"{one.setting.told} {100 * one.rdp.value:.1f} ({group_words(one.highest)} over "
            f"{group_words(one.lowest)}, {chance(one.adjusted)})"
            for one in sure
        )
        apart = [one for one in chosen if (one.pr.low or 0.0) > 0.0]
        shares = ", ".join(f"{one.setting.told} {one.pr.value:.2f} ({_limits(one.pr)})" for one in apart)
        yield (
            f"{given.name}, {words(name)}: the classes are kept {min(gaps):.1f} to {max(gaps):.1f} points "
            f"apart (RDP asks for 0), {f'more than chance: {told}' if told else 'which chance may explain'}; "
            f"the answers' shares are {'apart from' if shares else 'not clearly apart from'} the images' (PR)"
            f"{f': {shares}' if shares else ''}."
        )


def _limits(value: Estimate) -> str:
    return "–" if value.low is None or value.high is None else f"{value.low:.2f} to {value.high:.2f}"


def _eps(bars: Bars) -> Iterator[str]:
    for given in INPUTS:
        own = ", ".join(f"{model} {eps:.3g}" for (model, name), eps in bars.own.items() if name == given.name)
        how = (
            "as asked for" if bars.asked else "the smallest of the models' own" if own else "the reference's"
        )
        beside = f"; the models' own are {own}" if own else ""
        yield f"{given.name}: eps = {bars.eps[given.name]:.3g} for all, {how}{beside}."


def _cautions(found: Results, study: SearchStudy, bars: Bars) -> Iterator[str]:
    yield from _eps(bars)
    for given in INPUTS:
        own = [one for one in found.rates if one.figure == OWN and one.setting.input == given]
        said = ", ".join(
            f"{percent(one.value.value)} ({one.setting.told})"
            for one in own
            if one.setting.method == "search"
        )
        if said and len(study.models) > 1:
            yield f"{given.name}, held each to its own eps: {said} are reached."
    yield (
        "That an answer is as near as eps says nothing of whose group it shows: both rates belong together. "
        "A draw of the posterior is not led to eps, and often stays above it."
    )
    yield (
        "The posterior is sampled by short chains that begin near it: a draw is only near the posterior's. "
        "latentlab search --posterior samples one picture long, and says how well."
    )
    n = next(iter(found.rates)).value.n
    if any(one.small and one.value.n < n for one in found.rates):
        yield (
            f"Of some groups there are fewer than {SMALL} images: their figures say little. Give more images "
            "of each group (--per-group)."
        )
    if study.several_images_of_one:
        yield (
            "Some images show the same identity; intervals take them for independent, and may be too narrow."
        )
    yield (
        "Each interval is of its own, each p adjusted for all differences told (Holm): so an interval may "
        "leave 0 out where chance may explain a difference. One that holds 0 does not show that there is "
        "none, only none larger than it reaches; corrected rates hold if the predictor errs on answers as on "
        "held-out images."
    )
