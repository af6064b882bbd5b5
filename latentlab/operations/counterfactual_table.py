"""Counterfactuals as a tidy table, as figures with intervals, and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import latentlab
from latentlab.conditions import words
from latentlab.metrics.intervals import bootstrap_mean
from latentlab.metrics.labels import identities
from latentlab.operations.attribute_table import origin_note
from latentlab.operations.counterfactual import Counterfactual, CounterfactualPage, Counterfactuals
from latentlab.operations.explore import Explorer

Figure = dict[str, Any]

BEYOND = "marks an extrapolation: the condition lies outside the mixtures that the model was trained on."


def counterfactual_rows(found: Counterfactuals | CounterfactualPage) -> list[dict[str, Any]]:
    """Return a tidy table: one row a counterfactual, attribute and class; one a counterfactual unjudged.

    Columns: ``picture`` and ``counterfactual`` (names), ``side``, ``scale``, ``own`` and ``extrapolation``
    (0 or 1), ``changed_share`` (of the pixels), ``effect`` and ``leakage`` (probability, 0 to 1),
    ``error_255`` and ``unflipped_255`` (to the truth, over the pixels that truly change); ``attribute``,
    ``class``, ``asked`` (1 for the class that was asked for), ``input``, ``before`` (the reconstruction, or
    the edited picture where a latent was given) and ``after`` (probabilities), ``slipped`` (1 for an
    attribute that changed and should not have). What is not known is empty, ``input`` also where there was
    no picture.
    """
    return [
        {"picture": case.name, **_facts(case, one), **part}
        for case in found.cases
        for one in case.items
        for part in _judged(case, one) or [_UNJUDGED]
    ]


def counterfactual_text(found: Counterfactuals | CounterfactualPage, seed: int = 0) -> str:
    """Return what a person reads: a picture's own condition and a line a counterfactual.

    Of a page it is a line a picture, then the means (`page_metrics`).
    """
    if isinstance(found, CounterfactualPage):
        return _page_text(found, seed)
    schema = found.explorer.spec.condition
    lines = [f"{found.name}: {', '.join(words(schema, found.condition))}"]
    return "\n".join([*lines, *map(_line, found.items), *_notes(found.explorer, found.items)])


def _page_text(page: CounterfactualPage, seed: int) -> str:
    lines = [f"{case.name:24} {_line(case.items[0])}" for case in page.cases]
    for name, figure in page_metrics(page, seed).items():
        ends = "" if figure["low"] is None else f" ({figure['low']:.4g} to {figure['high']:.4g})"
        lines.append(f"{name}: {figure['value']:.4g}{ends}, {figure['n']} pictures")
    return "\n".join([*lines, *_page_notes(page)])


def page_metrics(page: CounterfactualPage, seed: int = 0) -> dict[str, Figure]:
    """Return the page's means, with 95% intervals bootstrapped over pictures (over identities of avatars).

    ``effect.ATTR``, ``leakage.ATTR``, ``changed_share.ATTR`` and, where there is a truth,
    ``true_counterfactual_ratio.ATTR``: summed errors of the counterfactuals over those of the unflipped.
    """
    generator, name = np.random.default_rng(seed), page.attribute
    items = [case.items[0] for case in page.cases]
    who = identities(page.data.select(page.positions))
    values: dict[str, list[float | None]] = {
        "effect": [one.change.effect for one in items],
        "leakage": [one.change.leakage for one in items],
        "changed_share": [one.change.share for one in items],
    }
    found: dict[str, Figure] = {}
    for kind, of_each in values.items():
        known = np.array([k for k, value in enumerate(of_each) if value is not None], dtype=np.int64)
        if len(known):
            numbers = np.array([of_each[k] for k in known.tolist()], dtype=np.float64)
            estimate = bootstrap_mean(numbers, generator, None if who is None else who[known])
            found[f"{kind}.{name}"] = _figure(estimate.value, estimate.low, estimate.high, estimate.n)
    ratio = _ratio(items)
    return found | ({f"true_counterfactual_ratio.{name}": ratio} if ratio else {})


def counterfactual_record(
    found: Counterfactuals | CounterfactualPage, source: str, settings: Mapping[str, Any], seed: int = 0
) -> dict[str, Any]:
    """Return the JSON object as plain values, in the form of the other commands.

    Of a page the metrics are the means, and ``groups`` has each picture by its name, in the page's order.
    """
    if isinstance(found, CounterfactualPage):
        return _page_record(found, source, seed, settings)
    metrics: dict[str, Figure] = {}
    for one in found.items:
        metrics |= _item_metrics(found, one, f".{one.name}")
    asked = {
        "threads": found.explorer.threads,
        **settings,
        "condition": _plain(found.condition),
        "latent": _plain(found.latent),
    }
    notes = _notes(found.explorer, found.items)
    data = {"path": source, "n": 1}
    return _record(found.explorer, data, None, asked, metrics, {}, notes)


def _page_record(
    page: CounterfactualPage, source: str, seed: int, settings: Mapping[str, Any]
) -> dict[str, Any]:
    groups = {case.name: _item_metrics(case, case.items[0], "") for case in page.cases}
    asked = {"threads": page.explorer.threads, **settings, "pictures": [case.name for case in page.cases]}
    data = {"path": source, "n": len(page.cases)}
    metrics = page_metrics(page, seed)
    return _record(page.explorer, data, seed, asked, metrics, groups, _page_notes(page))


def _record(
    explorer: Explorer,
    data: Mapping[str, Any],
    seed: int | None,
    settings: Mapping[str, Any],
    metrics: Mapping[str, Figure],
    groups: Mapping[str, Any],
    notes: list[str],
) -> dict[str, Any]:
    located = explorer.located
    return {
        "command": "counterfactual",
        "version": latentlab.__version__,
        "checkpoint": {"path": str(located.path), "sha256": located.sha256()},
        "data": dict(data),
        "seed": seed,
        "device": "cpu",
        "settings": dict(settings),
        "metrics": dict(metrics),
        "groups": dict(groups),
        "notes": notes,
    }


_UNJUDGED: dict[str, Any] = dict.fromkeys(
    ("attribute", "class", "asked", "input", "before", "after", "slipped"), ""
)


def _facts(case: Counterfactuals, one: Counterfactual) -> dict[str, Any]:
    truth = one.truth
    return {
        "counterfactual": one.name,
        "side": case.side,
        "scale": case.plan.scale,
        "own": int(one.own),
        "extrapolation": int(one.extrapolation),
        "changed_share": one.change.share,
        "effect": _known(one.change.effect),
        "leakage": _known(one.change.leakage),
        "error_255": "" if truth is None else _known(truth.error_255),
        "unflipped_255": "" if truth is None else _known(truth.unflipped_255),
    }


def _judged(case: Counterfactuals, one: Counterfactual) -> list[dict[str, Any]]:
    judge = case.explorer.predictor_spec
    if judge is None:
        return []
    return [
        {
            "attribute": attribute.name,
            "class": label,
            "asked": int(one.targets.get(attribute.name) == label),
            "input": float(case.source_attributes[attribute.name][k]) if case.has_source else "",
            "before": float(one.change.before[attribute.name][k]),
            "after": float(one.change.after[attribute.name][k]),
            "slipped": int(attribute.name in one.change.slipped),
        }
        for attribute in judge.attributes
        for k, label in enumerate(attribute.classes)
    ]


def _item_metrics(case: Counterfactuals, one: Counterfactual, end: str) -> dict[str, Figure]:
    """Return what is known of one counterfactual as figures, their names ending in ``end``."""
    facts = _facts(case, one)
    names = ("effect", "leakage", "changed_share", "error_255", "unflipped_255")
    found = {f"{name}{end}": _figure(facts[name]) for name in names if facts[name] != ""}
    found |= {
        f"probability{end}.{row['attribute']}={row['class']}": _figure(row["after"])
        for row in _judged(case, one)
    }
    return found


def _line(one: Counterfactual) -> str:
    change = one.change
    marks = ["own" if one.own else "", "extrapolation" if one.extrapolation else ""]
    said = ", ".join(mark for mark in marks if mark)
    parts = [f"{one.name}{f' ({said})' if said else ''}: {100 * change.share:.1f}% of pixels changed"]
    if change.effect is not None:
        parts.append(f"{100 * change.effect:+.1f} points of probability")
    if change.leakage is not None:
        parts.append(f"others moved by {100 * change.leakage:.2f} points")
    if change.slipped:
        parts.append(f"also changed: {', '.join(change.slipped)}")
    if one.truth is not None and one.truth.error_255 is not None:
        parts.append(
            f"error to the truth {one.truth.error_255:.1f} (unflipped {one.truth.unflipped_255:.1f})"
        )
    return "; ".join(parts)


def _ratio(items: Sequence[Counterfactual]) -> Figure | None:
    truths = [one.truth for one in items if one.truth is not None and one.truth.error_255 is not None]
    unflipped = sum(t.unflipped_255 * t.pixels for t in truths if t.unflipped_255 is not None)
    if not unflipped:
        return None
    errors = sum(t.error_255 * t.pixels for t in truths if t.error_255 is not None)
    return _figure(errors / unflipped, n=len(truths))


def _notes(explorer: Explorer, items: Sequence[Counterfactual]) -> list[str]:
    notes = []
    if any(one.extrapolation for one in items):
        notes.append(f'"extrapolation" {BEYOND}')
    if explorer.predictor_spec is not None:
        notes.append(origin_note(explorer.predictor_spec))
    return notes


def _page_notes(page: CounterfactualPage) -> list[str]:
    notes = _notes(page.explorer, [case.items[0] for case in page.cases])
    if page.left_out:
        notes.append(f"{page.left_out} pictures without a known class of {page.attribute} were left out.")
    return notes


def _known(value: float | None) -> float | str:
    return "" if value is None else value


def _figure(value: float, low: float | None = None, high: float | None = None, n: int = 1) -> Figure:
    return {"value": value, "low": low, "high": high, "n": n}


def _plain(values: NDArray[np.float32]) -> list[float]:
    return [float(value) for value in values.reshape(-1)]
