"""What a set consists of, counted: images by split, by class and by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import latentlab
from latentlab.data.image_set import SPLITS, UNKNOWN, ImageSet, SetInfo

SMALL_GROUP = 30
_MOST_NAMED = 5
_MOST_LISTED = 12


@dataclass(frozen=True)
class SetDescription:
    """The counts of a set's selected rows.

    Parameters
    ----------
    splits
        Images in each split that has any.
    classes
        Images of each class, by attribute; the key ``""`` counts those whose label is not known.
    groups
        Images of each intersection of the attributes asked for, by its key ``gender=female,race=black``.
    distinct
        Images that are not repeats of another, by name.
    """

    info: SetInfo
    n: int
    distinct: int
    splits: Mapping[str, int]
    classes: Mapping[str, Mapping[str, int]]
    groups: Mapping[str, int]
    notes: tuple[str, ...]

    def record(
        self, command: str, path: str, seed: int = 0, settings: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the JSON object of the command line: counts are exact, so they have no interval."""
        metrics = {"images": _exact(self.n, self.n), "distinct_images": _exact(self.distinct, self.n)}
        for name, classes in self.classes.items():
            known = sum(count for label, count in classes.items() if label)
            for label, count in classes.items():
                key, of = (f"share.{name}={label}", known) if label else (f"unknown.{name}", self.n)
                metrics[key] = _exact(count / of if of else None, of)
        return {
            "command": command,
            "version": latentlab.__version__,
            "checkpoint": None,
            "data": {"path": path, "n": self.n},
            "seed": seed,
            "device": "cpu",
            "settings": {
                **(settings or {}),
                "image_size": self.info.image_size,
                "splits": dict(self.splits),
                "licence": self.info.licence,
                "credit": self.info.credit,
                "source": dict(self.info.source),
                "unreadable": list(self.info.unreadable),
            },
            "metrics": metrics,
            "groups": {group: {"images": _exact(count, self.n)} for group, count in self.groups.items()},
            "notes": list(self.notes),
        }

    def rows(self) -> list[tuple[str, str, str]]:
        """Return the counts as text: what is counted, images, and their share of those with a label."""
        found = [("images", f"{self.n:,}", "")]
        found += [
            (f"  {split}", f"{count:,}", _percent(count, self.n)) for split, count in self.splits.items()
        ]
        for name, classes in self.classes.items():
            known = sum(count for label, count in classes.items() if label)
            found.append((name, f"{known:,}", ""))
            if len(classes) > _MOST_LISTED:
                sizes = [count for label, count in classes.items() if label]
                found.append((f"  {len(sizes)} classes of {min(sizes):,} to {max(sizes):,} images", "", ""))
                continue
            for label, count in classes.items():
                found.append(
                    (f"  {label or 'not known'}", f"{count:,}", _percent(count, known) if label else "")
                )
        for group, count in self.groups.items():
            found.append((group.replace(",", ", "), f"{count:,}", _percent(count, self.n)))
        return found


def describe_set(images: ImageSet, by: Sequence[str] = ()) -> SetDescription:
    """Count a set's selected rows.

    Parameters
    ----------
    by
        Attributes whose intersections are counted as groups.

    Raises
    ------
    DataError
        If the set lacks one of the attributes.
    """
    groups = {group: len(rows) for group, rows in images.groups(by).items()} if by else {}
    classes: dict[str, dict[str, int]] = {}
    for attribute in images.info.attributes:
        codes = images.codes(attribute.name)
        if attribute.kind == "continuous":
            known = int(np.isfinite(codes).sum())
            counts = {"number": known} if known else {}
            missing = len(codes) - known
        else:
            counts = {label: int((codes == code).sum()) for code, label in enumerate(attribute.classes)}
            missing = int((codes == UNKNOWN).sum())
        classes[attribute.name] = counts | ({"": missing} if missing else {})
    of_split = images.splits[images.rows]
    splits = {name: int((of_split == code).sum()) for code, name in enumerate(SPLITS)}
    distinct = len(np.unique(images.names[images.rows]))
    return SetDescription(
        info=images.info,
        n=len(images),
        distinct=distinct,
        splits={name: count for name, count in splits.items() if count},
        classes=classes,
        groups=groups,
        notes=tuple(_notes(images, groups, distinct)),
    )


def _notes(images: ImageSet, groups: Mapping[str, int], distinct: int) -> list[str]:
    notes = []
    skipped = images.info.unreadable
    if skipped:
        named = "; ".join(skipped[:_MOST_NAMED]) + ("; ..." if len(skipped) > _MOST_NAMED else "")
        notes.append(f"{len(skipped):,} pictures were skipped: {named}")
    if distinct < len(images):
        notes.append(f"{len(images) - distinct:,} of the {len(images):,} images are repeats of others.")
    if resampled := images.info.source.get("resampled"):
        notes.append(f"Resampled: {resampled['distribution']}, seed {resampled['seed']}.")
    empty = [group for group, count in groups.items() if not count]
    small = [f"{group} ({count})" for group, count in groups.items() if 0 < count < SMALL_GROUP]
    if empty:
        notes.append(f"No images in: {'; '.join(empty)}.")
    if small:
        notes.append(f"Fewer than {SMALL_GROUP} images in: {'; '.join(small)}.")
    origins = {attribute.origin for attribute in images.info.attributes}
    if origins:
        notes.append(f"Labels are {' and '.join(sorted(origins))}; they are nobody's identity.")
    return notes


def _exact(value: float | None, n: int) -> dict[str, float | int | None]:
    return {"value": value, "low": None, "high": None, "n": n}


def _percent(count: int, of: int) -> str:
    return f"{100 * count / of:.1f}%" if of else ""
