"""A card's tables of what each dataset does to people: shares before, in both modes, and the target's own."""

from __future__ import annotations

from collections.abc import Sequence

from latentlab.metrics.projection_shares import BEFORE, RECONSTRUCTED, SOURCE, TRUTH
from latentlab.metrics.report import Evaluation, group_words, number
from latentlab.operations.card_tables import cell, table
from latentlab.spec import Attribute

_HEADS = (
    "class",
    "before",
    "follow",
    "keep",
    "target's own",
    "target's reconstructions",
    "follow - keep, in points",
)


def composition_tables(found: Evaluation, attributes: Sequence[Attribute]) -> list[str]:
    """Return a Markdown table for each ordered pair of datasets that was counted, as lines.

    One row a class of the attributes that were counted; shares in per cent, the composition bias with its
    interval. Empty where no shares were counted (`latentlab.metrics.evaluate_unpaired`).
    """
    lines: list[str] = []
    for group, metrics in found.groups.items():
        source, _, target = group.partition(",")
        own = found.groups.get(target, {})
        if not source.startswith(f"{SOURCE}="):
            continue
        rows = []
        for attribute in attributes:
            for label in attribute.classes:
                name = f"share.{attribute.name}={label}"
                if name not in metrics:
                    continue
                shares = (
                    metrics[f"{BEFORE}.{name}"],
                    metrics[f"follow.{name}"],
                    metrics[name],
                    own[f"{TRUTH}.{name}"],
                    own[f"{RECONSTRUCTED}.{name}"],
                )
                rows.append(
                    (
                        f"{attribute.name}: {label}".replace("_", " "),
                        *(f"{number(100.0 * one.value)}%" for one in shares),
                        cell(metrics[f"composition_bias.{attribute.name}={label}"]),
                    )
                )
        if rows:
            title = f"{group_words(source)} projected onto {group_words(target)}, share of each class:"
            lines += ["", title, "", *table(_HEADS, rows)]
    return lines
