"""Counterfactuals as one picture: input, reconstruction, what was asked for, what changed, and the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np
from PIL import Image

from latentlab.conditions import words
from latentlab.operations.attribute_table import Probabilities, origin_note
from latentlab.operations.captioned_sheet import Line, Picture, captioned_sheet
from latentlab.operations.counterfactual import (
    RECONSTRUCTION,
    Counterfactual,
    CounterfactualPage,
    Counterfactuals,
)
from latentlab.operations.difference import difference_picture
from latentlab.operations.explore import Explorer

PAGE_COLUMNS = 8
"""Pictures of a page that stand side by side."""
INPUT, FLIPPED = "input", "counterfactual"
CHANGED, TRUE, OFF = "what changed", "truth", "difference to truth"


def figure(found: Counterfactuals | CounterfactualPage) -> Image.Image:
    """Lay out a picture with its counterfactuals, or a page, as one picture on white.

    Beside the input, where there is one, stand its reconstruction (the edited picture, where a latent was
    given) and the counterfactuals (on a page below it, one a picture). Below each counterfactual stand what
    changed from the reconstruction and, where there is one, the truth and the difference to it.
    """
    return _page(found) if isinstance(found, CounterfactualPage) else _of_one(found)


def _of_one(found: Counterfactuals) -> Image.Image:
    columns, lines, before = found.plan.columns, [], _before(found)
    for start in range(0, len(found.items), columns):
        items = found.items[start : start + columns]
        label = found.plan.row_labels[start // columns]
        if found.plan.rows > 1:
            label = _say(next(iter(items[0].targets)), label)
        first = start == 0
        lead: list[Picture | None] = [picture if first else None for picture, _ in before]
        lead_words = [caption if first else [] for _, caption in before]
        lines.append(
            Line(
                label, [*lead, *(one.picture for one in items)], [*lead_words, *(map(_caption(found), items))]
            )
        )
        for below, pictures, captions in _below(found, items):
            empty: list[Picture | None] = [None] * len(before)
            lines.append(Line(below, [*empty, *pictures], [*([] for _ in before), *captions]))
    own = ", ".join(words(found.explorer.spec.condition, found.condition))
    taken = (
        f"The input is taken as {own}" if found.again == RECONSTRUCTION else f"Drawn as {own}: {found.again}"
    )
    note = f"{taken}. {_note(found.explorer, found.items)}"
    return captioned_sheet(lines, _title(found), note)


def _before(found: Counterfactuals) -> list[tuple[Picture, list[str]]]:
    """Return what stands before the counterfactuals: the input, if there is one, and what it became."""
    shown = [(found.reconstruction, [found.again, *_judged(found.attributes, found)])]
    if found.has_source:
        shown.insert(0, (found.source, [INPUT, *_judged(found.source_attributes, found)]))
    return shown


def _page(page: CounterfactualPage) -> Image.Image:
    lines = []
    cases = iter(page.cases)
    with_truth = any(case.items[0].truth is not None for case in page.cases)
    while part := list(islice(cases, PAGE_COLUMNS)):
        items = [case.items[0] for case in part]
        lines += [
            Line(INPUT, [case.source for case in part], [[case.name] for case in part]),
            Line(RECONSTRUCTION, [case.reconstruction for case in part]),
            Line(
                FLIPPED,
                [one.picture for one in items],
                [_caption(case)(one) for case, one in zip(part, items, strict=True)],
            ),
        ]
        for below, pictures, captions in _below(part[0], items, with_truth):
            lines.append(Line(below, pictures, captions))
    every = [case.items[0] for case in page.cases]
    order = "" if page.sort == "set" else f", by {page.sort}"
    return captioned_sheet(lines, f"{_title(page.cases[0])}{order}", _note(page.explorer, every))


def _below(
    found: Counterfactuals,
    items: list[Counterfactual] | tuple[Counterfactual, ...],
    truth: bool | None = None,
) -> list[tuple[str, list[Picture | None], list[list[str]]]]:
    """Return the lines below counterfactuals: label, pictures and captions."""
    lines: list[tuple[str, list[Picture | None], list[list[str]]]] = [
        (
            CHANGED,
            [one.change.difference for one in items],
            [_changed_words(one) for one in items],
        )
    ]
    if truth or (truth is None and any(one.truth is not None for one in items)):
        lines.append((TRUE, [None if one.truth is None else one.truth.picture for one in items], []))
        lines.append((OFF, [_off(found, one) for one in items], [_off_words(one) for one in items]))
    return lines


def _changed_words(one: Counterfactual) -> list[str]:
    leakage = one.change.leakage
    words = [f"{100 * one.change.share:.1f}% of pixels"]
    return words if leakage is None else [*words, f"leakage {100 * leakage:.2f} points"]


def _off(found: Counterfactuals, one: Counterfactual) -> Picture | None:
    if one.truth is None:
        return None
    return difference_picture(one.truth.picture, one.picture, threshold=found.threshold)


def _off_words(one: Counterfactual) -> list[str]:
    if one.truth is None or one.truth.error_255 is None:
        return []
    return [f"error {one.truth.error_255:.1f}", f"unflipped {one.truth.unflipped_255:.1f}"]


def _caption(found: Counterfactuals) -> Callable[[Counterfactual], list[str]]:
    by = "" if found.plan.scale == 1.0 else f" ×{found.plan.scale:g}"

    def caption(one: Counterfactual) -> list[str]:
        name, label = list(one.targets.items())[-1]
        lines = [f"{_say(name, label)}{by}{' (own)' if one.own else ''}"]
        lines += [f"{100 * p:.0f}% {asked}" for asked, p in _of_targets(one, found.explorer)]
        if one.extrapolation:
            lines.append("extrapolation")
        if one.change.slipped:
            lines.append(f"also {', '.join(name.replace('_', ' ') for name in one.change.slipped)}")
        return lines

    return caption


def _of_targets(one: Counterfactual, explorer: Explorer) -> list[tuple[str, float]]:
    """Return the probability of each class that was asked for, where the predictor judges it."""
    judge = explorer.predictor_spec
    known = {} if judge is None else {a.name: a.classes for a in judge.attributes}
    return [
        (_say(name, label), float(one.attributes[name][known[name].index(label)]))
        for name, label in one.targets.items()
        if name in one.attributes and label in known[name]
    ]


def _judged(said: Probabilities, found: Counterfactuals) -> list[str]:
    """Say the most probable class of every attribute that is asked for."""
    judge = found.explorer.predictor_spec
    if judge is None:
        return []
    lines = []
    for name in found.items[0].targets:
        if name in said:
            k = int(np.argmax(said[name]))
            lines.append(f"{100 * float(said[name][k]):.0f}% {_say(name, judge.attribute(name).classes[k])}")
    return lines


def _say(name: str, label: str) -> str:
    """Return a class so that one knows of what: ``female``, but ``glasses yes`` and ``skin 3``."""
    return label if label.isalpha() and label not in ("yes", "no") else f"{name.replace('_', ' ')} {label}"


def _title(found: Counterfactuals) -> str:
    names = " and ".join(found.items[0].targets)
    told = {"decoder": "decoder", "encoder": "encoder only", "both": "encoder and decoder"}[found.side]
    return f"{found.explorer.located.name}: counterfactuals of {names}, told to the {told}"


def _note(explorer: Explorer, items: Sequence[Counterfactual]) -> str:
    parts = ["Differences: red became lighter, blue darker."]
    if explorer.predictor_spec is not None:
        parts.append(
            "Percentages are the predictor's; leakage is how far its other answers moved (total variation)."
        )
    if any(one.extrapolation for one in items):
        parts.append("Extrapolation: the condition lies outside the mixtures that the model was trained on.")
    if explorer.predictor_spec is not None:
        parts.append(origin_note(explorer.predictor_spec))
    return " ".join(parts)
