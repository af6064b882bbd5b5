"""What the search study counts: a row an image in a folder, and a few numbers of each answer in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.audit.search_study import ORIGINAL, SearchStudy
from latentlab.audit.search_study_eps import Bars
from latentlab.audit.study_folder import Parts, StudyFolder, on_device
from latentlab.device import resolve_device
from latentlab.progress import PartOf, Reporter

PART = 8
"""Images whose restarts are searched for in one batch, judged and written together."""


@dataclass
class Answers:
    """What is known of the images that are done, in their order.

    Parameters
    ----------
    seen
        By setting's name (and `ORIGINAL`): of each image the class of each of the groups' attributes.
    distances
        By setting's name, of each image.
    """

    seen: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)
    distances: dict[str, list[float]] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Images that are done."""
        return len(self.seen.get(ORIGINAL, ()))

    def codes(self, setting: str) -> NDArray[np.int64]:
        """Return what is seen in a setting's answers, ``[n, attributes]``."""
        return np.array(self.seen[setting], dtype=np.int64)

    def reached(self, setting: str, eps: float) -> NDArray[np.bool_]:
        """Return whether each answer is as near as eps, ``[n]``."""
        found: NDArray[np.bool_] = np.array(self.distances[setting]) <= eps
        return found


def count_answers(
    study: SearchStudy,
    bars: Bars,
    record: Mapping[str, Any],
    out: Path | None = None,
    device: str = "auto",
    reporter: Reporter | None = None,
    on_part: Callable[[Answers], None] | None = None,
) -> Answers:
    """Find and judge the answers of every setting for the chosen images, and count.

    Parameters
    ----------
    record
        All that the rows rest on, as plain values.
    out
        A folder that keeps a row for each image, and where an interrupted study goes on; None keeps none.
    on_part
        Told what is counted so far after each part.

    Raises
    ------
    SettingsError
        If the folder holds another study.
    Cancelled
        If the reporter asked for it; what was written stays.
    """
    reporter, where = reporter or Reporter(), resolve_device(device)
    total = len(study.chosen.images)
    parts = Parts(None if out is None else StudyFolder(out, record, study.columns(), total, PART))
    found, steps = Answers(), math.ceil(total / PART)

    def rows_of(part: slice) -> list[list[str]]:
        return study.rows(part, bars, where, PartOf(reporter, part.start // PART, steps))

    with on_device(study.models.values(), where):
        parts.count(
            total,
            PART,
            study.head,
            rows_of,
            lambda _first, rows: count(study, found, rows),
            "Searching and sampling",
            reporter,
            lambda: None if on_part is None else on_part(found),
        )
    return found


def count(study: SearchStudy, found: Answers, rows: Sequence[Sequence[str]]) -> None:
    """Count rows of the table of images."""
    places = {name: place for place, name in enumerate(study.columns())}
    classes = {one.name: one.classes for one in study.chosen.attributes}
    for row in rows:
        for name in (ORIGINAL, *(one.name for one in study.settings)):
            codes = tuple(classes[one].index(row[places[f"{one}@{name}"]]) for one in study.by)
            found.seen.setdefault(name, []).append(codes)
            if name != ORIGINAL:
                found.distances.setdefault(name, []).append(float(row[places[f"distance@{name}"]]))
