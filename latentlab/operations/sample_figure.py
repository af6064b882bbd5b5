"""A grid of samples as a figure and as a table: what is predicted of each, what differs with the dataset."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from latentlab.operations.captioned_sheet import Line, captioned_sheet
from latentlab.operations.projection_plan import (
    NOTE,
    changes,
    comparable,
    judged_classes,
    mode_words,
    shortened,
)
from latentlab.operations.sample_grid import SampleGrid

_MOST_WORDS, _CELL = 3, 192


def sample_figure(grid: SampleGrid) -> Image.Image:
    """Paint a grid: a row a z, below each picture its dataset and what the predictor sees changed.

    Changes are counted from the row's first picture; the note says how everything was drawn.
    """
    plan = grid.plan
    classes = judged_classes(grid.predictor, grid.domain)
    lines = []
    for row, sample in enumerate(plan.samples):
        captions = []
        for place, column in enumerate(plan.columns):
            told = comparable(
                classes, grid.explorer.spec.cannot_show, *plan.columns[0].datasets, *column.datasets
            )
            changed = changes(grid.said(row, 0), grid.said(row, place), told) if place else []
            words = [line.partition(" (")[0] for line in changed]  # how sure the predictor is, the table says
            captions.append([column.name, *shortened(words, _MOST_WORDS)])
        pictures = [grid.picture(row, place) for place in range(len(plan.columns))]
        lines.append(Line(sample.name, pictures, captions))
    truncations = sorted({one.truncation for one in plan.samples if one.seed is not None})
    drawn = ", ".join(f"{one:g}" for one in truncations)
    settings = f"z ~ N(0, I) by seed, times {drawn}. " if truncations else ""
    norms = ", ".join(f"{one.norm:.2f}" for one in plan.samples)
    counted = f"Changes are counted from {plan.columns[0].name}. " if classes else ""
    note = f"{settings}|z| / sqrt(D) of the rows: {norms}. {counted}{NOTE}"
    return captioned_sheet(lines, f"The same z on every dataset: {mode_words(plan.keep)}", note, _CELL)


def sample_rows(grid: SampleGrid) -> list[dict[str, Any]]:
    """Return one table row a picture: its z, its dataset, |z| / sqrt(D), and the predicted classes.

    ``row`` is counted from 1; ``seed`` and ``truncation`` are empty for a z that was not drawn, and the
    ``blend_`` columns for a dataset. ``NAME_first`` is the class in the row's first column.
    """
    attributes = [one for one in (() if grid.predictor is None else grid.predictor.attributes) if one.classes]
    rows = []
    for row, sample in enumerate(grid.plan.samples):
        for place, column in enumerate(grid.plan.columns):
            blend = column.blend
            drawn = sample.seed is not None
            found: dict[str, Any] = {
                "row": row + 1,
                "name": sample.name,
                "seed": sample.seed if drawn else "",
                "truncation": f"{sample.truncation:g}" if drawn else "",
                "dataset": column.name,
                "blend_first": "" if blend is None else blend.first,
                "blend_second": "" if blend is None else blend.second,
                "blend_share": "" if blend is None else f"{blend.share:g}",
                "keep": f"{grid.plan.keep:g}",
                "z_norm": f"{sample.norm:.4f}",
            }
            for attribute in attributes:
                said, first = (grid.said(row, k)[attribute.name] for k in (place, 0))
                found[attribute.name] = attribute.classes[int(np.argmax(said))]
                found[f"{attribute.name}_probability"] = f"{float(np.max(said)):.4f}"
                found[f"{attribute.name}_first"] = attribute.classes[int(np.argmax(first))]
            rows.append(found)
    return rows
