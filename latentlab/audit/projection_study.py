"""The projection study: what becomes of pictures that are projected onto other datasets.

Each picture is projected in both modes: *keep* shifts the style alone, *follow* the composition too
(`latentlab.operations.project`). What is counted is what the predictor sees in each projection, beside what
it sees in the picture's own reconstruction, since the autoencoder's errors are no dataset's doing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.audit.projection_choice import ChosenPictures
from latentlab.audit.study_folder import Parts, StudyFolder
from latentlab.errors import ImageError, SettingsError
from latentlab.operations.explore import Explorer
from latentlab.operations.project import (
    Projected,
    Projection,
    condition_on,
    project,
)
from latentlab.operations.projection_table import projection_rows
from latentlab.progress import Progress, Reporter

PART = 16
"""Pictures that are projected, judged and written together."""
MODES: Mapping[str, float] = {"follow": 0.0, "keep": 1.0}
"""Their shares of *keep*, in the order of the rows."""
_FIRST = ("image", "group", "dataset", "mode", "source_dataset", "guessed", "z_norm", "round_trip")
_SAID = ("input", "before", "after", "probability")
_NOTHING: NDArray[np.uint8] = np.zeros((0, 0, 3), dtype=np.uint8)


@dataclass(frozen=True)
class BothWays:
    """The pictures' numbers in both modes, in the same order, and each one's group."""

    follow: tuple[Projected, ...]
    keep: tuple[Projected, ...]
    group: tuple[str, ...]

    def of(self, group: str) -> BothWays:
        """Return those of one group."""
        here = [k for k, name in enumerate(self.group) if name == group]
        return BothWays(
            tuple(self.follow[k] for k in here), tuple(self.keep[k] for k in here), (group,) * len(here)
        )


def columns_of(chosen: ChosenPictures) -> list[str]:
    """Return the columns of the table of images: a row an image, a mode and a dataset."""
    return [*_FIRST, *(f"{one.name}_{said}" for one in chosen.judge.attributes for said in _SAID)]


def project_both_ways(
    explorer: Explorer,
    chosen: ChosenPictures,
    record: Mapping[str, Any],
    out: Path | None = None,
    reporter: Reporter | None = None,
    on_part: Callable[[BothWays], None] | None = None,
) -> BothWays:
    """Project the chosen pictures onto every dataset in both modes.

    Parameters
    ----------
    record
        All that the rows rest on, as plain values.
    out
        A folder that keeps the rows, and where an interrupted study goes on; None keeps none.
    on_part
        Is told what is known after each part.

    Raises
    ------
    SettingsError
        If the folder holds another study.
    Cancelled
        If the reporter asked for it; what was written stays.
    """
    reporter = reporter or Reporter()
    each, n = len(MODES) * len(chosen.onto), len(chosen.pictures)
    folder = None
    if out is not None:
        folder = StudyFolder(out, record, columns_of(chosen), n * each, PART * each)
    parts = Parts(folder)
    follow: list[Projected] = []
    keep: list[Projected] = []
    for start in range(0, n, PART):
        reporter.raise_if_cancelled()
        part = range(start, min(n, start + PART))
        names = [
            (chosen.names[k], chosen.group[k], dataset, mode)
            for k in part
            for mode in MODES
            for dataset in chosen.onto
        ]

        def make(part: range = part) -> list[list[str]]:
            rows = []
            for k in part:
                reporter.raise_if_cancelled()
                rows += _rows(explorer, chosen, k)
            return rows

        rows = parts.next(names, make)
        for place, k in enumerate(part):
            found = [
                _read(explorer, chosen, k, keeping, rows[place * each + first : place * each + last])
                for keeping, first, last in ((0.0, 0, each // 2), (1.0, each // 2, each))
            ]
            follow.append(found[0])
            keep.append(found[1])
        reporter.report(Progress("Projecting and judging images", part.stop, n))
        if on_part is not None and part.stop < n:
            on_part(BothWays(tuple(follow), tuple(keep), chosen.group[: part.stop]))
    return BothWays(tuple(follow), tuple(keep), chosen.group)


def pictures_behind(
    explorer: Explorer, chosen: ChosenPictures, image: str, dataset: str, mode: str
) -> dict[str, NDArray[np.uint8]]:
    """Return the pictures behind a row: ``input``, ``reconstruction`` and ``projection``, by these names.

    Each is uint8 ``[S, S, 3]``, RGB.

    Raises
    ------
    SettingsError
        If the study has no such row.
    """
    if image not in chosen.names or mode not in MODES:
        raise SettingsError(f"The study has no image {image!r} in the mode {mode!r}.")
    k = chosen.names.index(image)
    picture = chosen.pictures[k]
    pixels = picture.pixels(picture.content())
    found = project(explorer, pixels, source=chosen.sources[k], onto=(dataset,), keep=MODES[mode])
    own = condition_on(explorer, found.source_dataset, found.keep)
    return {
        "input": found.source,
        "reconstruction": explorer.picture(found.latent, own),
        "projection": found.items[0].picture,
    }


def _rows(explorer: Explorer, chosen: ChosenPictures, k: int) -> list[list[str]]:
    """Project and judge one picture, and return its rows; what a dataset cannot show is left empty."""
    picture = chosen.pictures[k]
    try:
        pixels = picture.pixels(picture.content())
    except (ImageError, OSError) as error:
        raise SettingsError(
            f"{picture.place} could be read before and cannot now ({error}). Put it back and go on."
        ) from None
    rows = []
    for mode, keep in MODES.items():
        found = project(explorer, pixels, source=chosen.sources[k], onto=chosen.onto, keep=keep)
        for row in projection_rows([found], chosen.judge):
            told = row | {"image": chosen.names[k], "group": chosen.group[k], "mode": mode}
            for name in found.unseen_on(row["dataset"]):
                told |= {f"{name}_{said}": "" for said in _SAID}
            rows.append([str(told[column]) for column in columns_of(chosen)])
    return rows


def _read(
    explorer: Explorer, chosen: ChosenPictures, k: int, keep: float, rows: Sequence[Sequence[str]]
) -> Projected:
    """Return the numbers of a picture in one mode from its rows; the most probable class stands for all."""
    columns = {name: place for place, name in enumerate(columns_of(chosen))}

    def said(row: Sequence[str], which: str) -> dict[str, NDArray[np.float32]]:
        found = {}
        for one in chosen.judge.attributes:
            label = row[columns[f"{one.name}_{which}"]]
            if label:
                found[one.name] = np.eye(len(one.classes), dtype=np.float32)[one.classes.index(label)]
        return found

    first = rows[0]
    before: dict[str, NDArray[np.float32]] = {}
    seen: dict[str, NDArray[np.float32]] = {}
    for row in rows:
        before, seen = before | said(row, "before"), seen | said(row, "input")
    return Projected(
        name=chosen.names[k],
        source=_NOTHING,
        source_dataset=first[columns["source_dataset"]],
        guessed=first[columns["guessed"]] == "yes",
        keep=keep,
        latent=np.zeros(0, dtype=np.float32),
        norm=float(first[columns["z_norm"]]),
        round_trip=float(first[columns["round_trip"]]),
        attributes=seen,
        items=tuple(
            Projection(dataset, _NOTHING, said(row, "after"))
            for dataset, row in zip(chosen.onto, rows, strict=True)
        ),
        reconstructed=before,
        identity=chosen.pictures[k].identity,
        cannot_show=explorer.spec.cannot_show,
    )
