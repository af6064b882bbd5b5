"""Project many pictures onto datasets, into a folder that keeps what is done and goes on where it stopped."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import latentlab
from latentlab.checkpoints import Located
from latentlab.data.contact_sheet import save_sheet
from latentlab.data.pictures import PICTURE_SUFFIXES, read_picture_bytes
from latentlab.errors import ImageError, SettingsError
from latentlab.operations.explore import Explorer
from latentlab.operations.project import (
    Projected,
    Projection,
    cinn_of,
    condition_on,
    datasets_of,
    project,
)
from latentlab.operations.projection_figure import projection_figure
from latentlab.operations.projection_plan import AUTO, NOTE, mode_words
from latentlab.operations.projection_table import Shifts, projection_rows, shift_rows, shifts
from latentlab.operations.row_table import save_rows
from latentlab.progress import Progress, Reporter
from latentlab.whole_file import whole_file

DONE = "done.jsonl"
"""The file of what is done: the settings in its first line, then a picture a line."""
_NOTHING: NDArray[np.uint8] = np.zeros((0, 0, 3), dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class ProjectedFolder:
    """What became of many pictures: each one's numbers (its pictures are in the folder), and the shifts."""

    located: Located
    out: Path
    keep: float
    threads: int
    found: tuple[Projected, ...]
    shifts: Shifts | None
    unreadable: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """Return the JSON object as plain values, in the form of the ``evaluate`` commands."""
        metrics: dict[str, dict[str, float | None]] = {}
        for one in self.shifts.classes if self.shifts else ():
            name = f"shift.{one.dataset}.{one.attribute}={one.label}"
            metrics[name] = {"value": one.difference, "low": one.low, "high": one.high, "n": one.n}
        for entropy in self.shifts.diversity if self.shifts else ():
            if entropy.ratio is not None:
                n = len(self.found)
                name = f"entropy_ratio.{entropy.dataset}.{entropy.attribute}"
                metrics[name] = {"value": entropy.ratio, "low": None, "high": None, "n": n}
        return {
            "command": "project",
            "version": latentlab.__version__,
            "checkpoint": {"path": str(self.located.path), "sha256": self.located.sha256()},
            "data": {"path": str(self.out), "n": len(self.found)},
            "seed": 0,
            "device": "cpu",
            "settings": {"keep": self.keep, "threads": self.threads},
            "metrics": metrics,
            "groups": {},
            "notes": [NOTE, *(f"{name} could not be read." for name in self.unreadable)],
        }

    def text(self) -> str:
        """Return what a person reads: how many pictures, and the shifts whose interval leaves out 0."""
        lines = [f"{len(self.found):,} pictures projected ({mode_words(self.keep)}) into {self.out}"]
        lines += [f"{name} could not be read and was left out." for name in self.unreadable]
        every = self.shifts.classes if self.shifts else ()
        clear = [one for one in every if one.low > 0.0 or one.high < 0.0]
        for one in sorted(clear, key=lambda one: -abs(one.difference)):
            lines.append(
                f"{one.dataset:14}{one.attribute + ': ' + one.label:26}{100 * one.before:5.1f}% to "
                f"{100 * one.after:5.1f}%  ({100 * one.difference:+.1f} points, {100 * one.low:+.1f} to "
                f"{100 * one.high:+.1f})"
            )
        return "\n".join([*lines, NOTE])


def list_images(places: Sequence[Path]) -> list[Path]:
    """Return the pictures named, and those in the folders named, in order.

    Raises
    ------
    SettingsError
        If a place does not exist, or there is no picture at all.
    """
    found: list[Path] = []
    for place in places:
        if place.is_dir():
            found += sorted(path for path in place.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES)
        elif place.is_file():
            found.append(place)
        else:
            raise SettingsError(f"There is no picture or folder {place}.")
    if not found:
        raise SettingsError(f"There is no picture in {', '.join(map(str, places))}.")
    return list(dict.fromkeys(found))


def project_many(
    explorer: Explorer,
    images: Sequence[Path],
    out: Path,
    *,
    source: str = AUTO,
    onto: Sequence[str] | None = None,
    keep: float = 1.0,
    reporter: Reporter | None = None,
) -> ProjectedFolder:
    """Project pictures one by one into a folder: a figure each, and the tables of all.

    Parameters
    ----------
    out
        Where it is written. What it holds already of the same settings and pictures is not done again; what
        lies in it is no input.

    Raises
    ------
    SettingsError
        If the model does not project, a dataset is unknown, or ``out`` holds something else.
    Cancelled
        If the reporter asked for it; what is done stays.
    """
    reporter = reporter or Reporter()
    cinn_of(explorer)
    chosen = tuple(onto or datasets_of(explorer))
    for dataset in (*chosen, *(() if source == AUTO else (source,))):
        condition_on(explorer, dataset, keep)
    settings = {
        "model": explorer.located.sha256(),
        "source": source,
        "onto": list(chosen),
        "keep": keep,
        "predictor": explorer.predictor_sha256(),
    }
    done = _begun(out, settings)
    domain = explorer.spec.condition.attributes[0].name
    inside = [path for path in images if not path.resolve().is_relative_to(out.resolve())]
    taken = {one.name for one in done.values()}
    keys: list[str] = []
    unreadable: list[str] = []
    for place, path in enumerate(inside):
        reporter.raise_if_cancelled()
        try:
            content = path.read_bytes()
            key = hashlib.sha256(content).hexdigest() + path.stem
            if key not in done:
                pixels = read_picture_bytes(content, path.name).pixels
                name = _free(path.stem, taken)
                found = project(explorer, pixels, source=source, onto=chosen, keep=keep, name=name)
                figure = projection_figure(found, explorer.predictor_spec, domain)
                save_sheet(out / f"{name}.png", np.array(figure))
                _append(out / DONE, {"key": key} | _line(found))
                done[key] = found
            keys.append(key)
        except (ImageError, OSError):
            unreadable.append(str(path))
        reporter.report(Progress("Projecting", place + 1, len(inside)))
    every = [done[key] for key in dict.fromkeys(keys)]
    judge = explorer.predictor_spec
    moved = shifts(every, judge) if judge is not None and every else None
    if every:
        save_rows(out / "projections.csv", projection_rows(every, judge))
    if moved is not None and moved.classes:
        save_rows(out / "shifts.csv", shift_rows(moved))
    return ProjectedFolder(
        explorer.located, out, keep, explorer.threads, tuple(every), moved, tuple(unreadable)
    )


def _free(stem: str, taken: set[str]) -> str:
    """Take a name for a picture's figure that no other has: its stem, or that with a number."""
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name)
    return name


def _append(path: Path, line: Mapping[str, Any]) -> None:
    """Append a line to what is done; one that was cut off before stays a line of its own."""
    try:
        with path.open("rb+") as file:
            file.seek(0, 2)
            if file.tell():
                file.seek(-1, 2)
                if file.read(1) != b"\n":
                    file.write(b"\n")
            file.write(json.dumps(line).encode() + b"\n")
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror or error}.") from None


def _begun(out: Path, settings: Mapping[str, Any]) -> dict[str, Projected]:
    """Return what a folder holds already of the same settings; begin it where it is new.

    Raises
    ------
    SettingsError
        If it holds projections of other settings, or cannot be written.
    """
    path = out / DONE
    if path.is_file():
        try:
            first, *rest = path.read_text(encoding="utf-8", errors="replace").splitlines() or [""]
            before = json.loads(first)
            changed = [key for key in {**before, **settings} if before.get(key) != settings.get(key)]
        except (ValueError, TypeError, AttributeError, OSError):
            raise SettingsError(f"{path} is damaged. Choose another folder, or delete it.") from None
        if changed:
            raise SettingsError(
                f"{out} holds projections with another {changed[0]}. Choose another folder for these."
            )
        found = {}
        for line in rest:
            with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):  # one that was cut off
                content = json.loads(line)
                found[str(content["key"])] = _read(content)
        return found
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"The folder {out} cannot be made: {error.strerror or error}.") from None
    with whole_file(path) as part:
        part.write_text(json.dumps(settings) + "\n", encoding="utf-8")
    return {}


def _line(found: Projected) -> dict[str, Any]:
    """Return what is kept of a picture: its numbers."""

    def plain(probabilities: Mapping[str, NDArray[np.float32]]) -> dict[str, list[float]]:
        return {name: [round(float(x), 6) for x in p] for name, p in probabilities.items()}

    return {
        "name": found.name,
        "source_dataset": found.source_dataset,
        "guessed": found.guessed,
        "keep": found.keep,
        "latent": [float(x) for x in found.latent],
        "norm": found.norm,
        "round_trip": found.round_trip,
        "attributes": plain(found.attributes),
        "reconstructed": plain(found.reconstructed),
        "items": [{"dataset": item.dataset, "attributes": plain(item.attributes)} for item in found.items],
    }


def _read(line: Mapping[str, Any]) -> Projected:
    """Return the numbers of a picture that was projected before; its pictures are in the folder."""

    def arrays(plain: Mapping[str, Sequence[float]]) -> dict[str, NDArray[np.float32]]:
        return {name: np.asarray(p, dtype=np.float32) for name, p in plain.items()}

    items = tuple(Projection(item["dataset"], _NOTHING, arrays(item["attributes"])) for item in line["items"])
    return Projected(
        name=line["name"],
        source=_NOTHING,
        source_dataset=line["source_dataset"],
        guessed=line["guessed"],
        keep=line["keep"],
        latent=np.asarray(line["latent"], dtype=np.float32),
        norm=line["norm"],
        round_trip=line["round_trip"],
        attributes=arrays(line["attributes"]),
        items=items,
        reconstructed=arrays(line["reconstructed"]),
    )
