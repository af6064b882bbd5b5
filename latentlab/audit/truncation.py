"""The truncation study: what becomes of minorities where samples are drawn nearer to the mean.

One model's samples are counted as in the generation study, at several truncations: every drawn z is
multiplied by 1, .7, .5, ... The seeds are the same, so that a sample at .5 is the one at 1 moved towards the
mean. The prior's rare regions are left first: a minority that lies beyond a threshold in z with a share of
.10 keeps .034 at .7 and .005 at .5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.audit.generation import (
    PART,
    Counted,
    Drawn,
    GenerationSettings,
    columns_of,
    common_attributes,
    count_drawn,
    redraw,
    settings_record,
)
from latentlab.audit.reference import Reference
from latentlab.audit.study_folder import StudyFolder
from latentlab.device import resolve_device
from latentlab.errors import SettingsError
from latentlab.operations.explore import Explorer
from latentlab.progress import Reporter

TRUNCATIONS = (1.0, 0.7, 0.5)
WHOLE = 1.0
"""The truncation that others are compared with: samples as the prior has them."""


def in_order(truncations: Sequence[float]) -> tuple[float, ...]:
    """Return truncations falling, each once, with `WHOLE` first, with which the others are compared.

    Raises
    ------
    SettingsError
        If one is not above 0 and at most 1, or there is none below 1.
    """
    wrong = [one for one in truncations if not 0.0 < one <= 1.0]
    if wrong:
        raise SettingsError(f"Truncations are more than 0 and at most 1, not {wrong[0]:g}.")
    found = tuple(sorted({WHOLE, *truncations}, reverse=True))
    if len(found) < 2:
        raise SettingsError("At least one truncation below 1 is needed, to be compared with 1.")
    return found


def name_of(truncation: float) -> str:
    """Return what a truncation is called in tables."""
    return f"{truncation:.12g}"


def count_truncations(
    name: str,
    explorer: Explorer,
    truncations: Sequence[float],
    settings: GenerationSettings,
    reference: Reference,
    out: Path | None = None,
    device: str = "auto",
    reporter: Reporter | None = None,
    on_part: Callable[[Mapping[tuple[str, int], Counted]], None] | None = None,
) -> dict[tuple[str, int], Counted]:
    """Draw and judge the samples of every truncation and seed, and count; by truncation and seed.

    Parameters
    ----------
    name, explorer
        The model.
    truncations
        As `in_order` gives them; the settings' own is not used.
    out
        A folder that keeps a row for each image, and where an interrupted study goes on; None keeps none.
    on_part
        Told what is counted so far after each part.

    Raises
    ------
    SettingsError
        If something does not fit: before anything is drawn.
    Cancelled
        If the reporter asked for it; what was written stays.
    """
    attributes = common_attributes({name: explorer}, settings.attributes)
    drawn = {
        name_of(one): Drawn(name_of(one), explorer, replace(settings, truncation=one), reference)
        for one in truncations
    }
    where, folder = resolve_device(device), None
    if out is not None:
        record = truncation_record(name, explorer, truncations, settings, reference)
        folder = StudyFolder(out, record, columns_of(attributes, "truncation"), settings.n, PART)
    return count_drawn(drawn, settings, attributes, folder, where, reporter or Reporter(), on_part=on_part)


def truncation_record(
    name: str,
    explorer: Explorer,
    truncations: Sequence[float],
    settings: GenerationSettings,
    reference: Reference,
) -> dict[str, Any]:
    """Return all that a study rests on, as plain values."""
    record = settings_record({name: explorer}, settings, reference)
    del record["truncation"]
    return {**record, "study": "truncation", "truncations": list(truncations)}


def redraw_truncated(
    explorer: Explorer,
    settings: GenerationSettings,
    reference: Reference,
    truncation: float,
    seed: int,
    image: int,
) -> NDArray[np.uint8]:
    """Return the picture behind a row, uint8 ``[S, S, 3]``, RGB; images of a seed are counted from 0."""
    return redraw(explorer, replace(settings, truncation=truncation), reference, seed, image)
