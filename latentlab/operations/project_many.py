"""Project many pictures onto datasets, into a folder that keeps what is done and goes on where it stopped."""

from __future__ import annotations

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
from latentlab.data.pictures import PICTURE_SUFFIXES, read_picture
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
        Where it is written. What it holds already of the same settings is not done again.

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
        "predicted": [a.name for a in explorer.predictor_spec.attributes] if explorer.predictor_spec else [],
    }
    done = _begun(out, settings)
    domain = explorer.spec.condition.attributes[0].name
    names = _names(images)
    unreadable: list[str] = []
    for place, (path, name) in enumerate(zip(images, names, strict=True)):
        reporter.raise_if_cancelled()
        if name not in done:
            try:
                pixels = read_picture(path).pixels
            except ImageError:
                unreadable.append(str(path))
                continue
            found = project(explorer, pixels, source=source, onto=chosen, keep=keep, name=name)
            figure = projection_figure(found, explorer.predictor_spec, domain)
            save_sheet(out / f"{name}.png", np.array(figure))
            done[name] = found
            with (out / DONE).open("a", encoding="utf-8") as file:
                file.write(json.dumps(_line(found)) + "\n")
        reporter.report(Progress("Projecting", place + 1, len(images)))
    every = [done[name] for name in names if name in done]
    judge = explorer.predictor_spec
    moved = shifts(every, judge) if judge is not None and every else None
    if every:
        save_rows(out / "projections.csv", projection_rows(every, judge))
    if moved is not None and moved.classes:
        save_rows(out / "shifts.csv", shift_rows(moved))
    return ProjectedFolder(
        explorer.located, out, keep, explorer.threads, tuple(every), moved, tuple(unreadable)
    )


def _names(images: Sequence[Path]) -> list[str]:
    """Return a name for each picture's figure: its stem, with a number where two have the same."""
    seen: dict[str, int] = {}
    names = []
    for path in images:
        seen[path.stem] = seen.get(path.stem, 0) + 1
        names.append(path.stem if seen[path.stem] == 1 else f"{path.stem}-{seen[path.stem]}")
    return names


def _begun(out: Path, settings: Mapping[str, Any]) -> dict[str, Projected]:
    """Return what a folder holds already of the same settings; begin it where it is new.

    Raises
    ------
    SettingsError
        If it holds projections of other settings, or cannot be written.
    """
    path = out / DONE
    if path.is_file():
        first, *rest = path.read_text(encoding="utf-8").splitlines() or [""]
        try:
            before = json.loads(first)
            found = {}
            for line in rest:
                try:
                    one = _read(json.loads(line))
                except ValueError:
                    continue  # the line that was being written when it was interrupted
                found[one.name] = one
        except (ValueError, KeyError, TypeError):
            raise SettingsError(f"{path} is damaged. Choose another folder, or delete it.") from None
        if before != settings:
            changed = next(key for key in settings if before.get(key) != settings[key])
            raise SettingsError(
                f"{out} holds projections with another {changed}. Choose another folder for these."
            )
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
    )
