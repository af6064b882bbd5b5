"""What the conditioning study counts: a row an image in a folder, and a few hundred numbers in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentlab.audit.conditioning import Conditioning
from latentlab.audit.conditioning_plan import Setting
from latentlab.audit.study_folder import Parts, StudyFolder, on_device
from latentlab.device import resolve_device
from latentlab.metrics.passes import BATCH
from latentlab.progress import Reporter

PART = BATCH


@dataclass
class Outcomes:
    """What was counted: by attribute, how many images of a group and a true class fared how.

    A key is the place of the group, the place of the class, and for each setting (`Conditioning.settings_of`)
    1 for an error, a changed prediction or a flip that succeeded, 0 for none and -1 where nothing is known.
    So there are a few hundred numbers, however many images there are.
    """

    n: int
    counts: dict[str, Counter[tuple[int, int, tuple[int, ...]]]]


def count_outcomes(
    study: Conditioning,
    record: Mapping[str, Any],
    out: Path | None = None,
    device: str = "auto",
    reporter: Reporter | None = None,
    on_part: Callable[[Outcomes], None] | None = None,
) -> Outcomes:
    """Judge the chosen images under every setting, and count.

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
    where, total = resolve_device(device), len(study.chosen.images)
    parts = Parts(None if out is None else StudyFolder(out, record, study.columns(), total, PART))
    found = nothing_counted(study)
    with on_device(study.models.values(), where):
        parts.count(
            total,
            PART,
            study.head,
            lambda part: study.rows(part, where),
            lambda first, rows: count(study, found, first, rows),
            "Judging images under each condition",
            reporter or Reporter(),
            lambda: None if on_part is None else on_part(found),
        )
    return found


def nothing_counted(study: Conditioning) -> Outcomes:
    """Return what is counted before the first image."""
    return Outcomes(0, {one.name: Counter() for one in study.chosen.attributes})


def count(study: Conditioning, found: Outcomes, first: int, rows: Sequence[Sequence[str]]) -> None:
    """Count rows of the table of images, of which the first is that of image number ``first``."""
    place = 2 + len(study.chosen.by)
    for one in study.chosen.attributes:
        flipping, settings = study.flipping(one.name), study.settings_of(one.name)
        start = place + 1 + len(flipping)
        classes = {"", *one.classes}
        for image, row in enumerate(rows, first):
            strange = set(row[start : start + len(settings)]) - classes
            if strange:
                raise ValueError(f"{strange.pop()!r} is no class of {one.name}")
            if row[place]:
                targets = dict(zip(flipping, row[place + 1 : start], strict=True))
                said = dict(zip(settings, row[start : start + len(settings)], strict=True))
                key = tuple(_outcome(setting, row[place], said, targets) for setting in settings)
                own = int(study.chosen.labels[one.name][image])
                found.counts[one.name][int(study.chosen.group[image]), own, key] += 1
        place = start + len(settings)
    found.n += len(rows)


def _outcome(setting: Setting, true: str, said: Mapping[Setting, str], targets: Mapping[str, str]) -> int:
    """Return 1 for an error, a changed prediction or a flip that succeeded, 0 for none, -1 if not known."""
    if not setting.flips:
        return int(said[setting] != true)
    if not targets[setting.model]:
        return -1
    if setting.kind == "decoder":
        return int(said[setting] == targets[setting.model])
    return int(said[setting] != said[Setting("reconstruction", setting.model)])
