"""Project many pictures onto datasets, into a folder that keeps what is done and goes on where it stopped."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import latentlab
from latentlab.checkpoints import Located
from latentlab.data.contact_sheet import save_sheet
from latentlab.errors import Cancelled, ImageError
from latentlab.operations.done_file import DONE, append, begin, done_lines, free_name
from latentlab.operations.explore import Explorer
from latentlab.operations.many_pictures import ManyPicture, PictureFile
from latentlab.operations.project import (
    Projected,
    Projection,
    condition_on,
    datasets_of,
    project,
    projecting_model,
)
from latentlab.operations.projection_figure import projection_figure
from latentlab.operations.projection_plan import AUTO, NOTE, mode_words, share_of_keep
from latentlab.operations.projection_table import (
    Composition,
    Shifts,
    composition_rows,
    compositions,
    projection_rows,
    shift_rows,
    shifts,
)
from latentlab.operations.row_table import save_rows
from latentlab.progress import PartOf, Progress, Reporter
from latentlab.spec import PredictorSpec
from latentlab.whole_file import whole_file

LISTING = "pictures.json"
"""The file that says which pictures were asked for last, and which of them could not be read."""
COMPOSITION = "composition.csv"
"""What differs between the modes, beside the folders of both."""
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
    keys: tuple[str, ...] = ()

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
        clear = [one for one in every if one.clear]
        for one in sorted(clear, key=lambda one: -abs(one.difference)):
            lines.append(
                f"{one.dataset:14}{one.attribute + ': ' + one.label:26}{100 * one.before:5.1f}% to "
                f"{100 * one.after:5.1f}%  ({100 * one.difference:+.1f} points, {100 * one.low:+.1f} to "
                f"{100 * one.high:+.1f})"
            )
        return "\n".join([*lines, NOTE])


@dataclass(frozen=True, eq=False)
class LoadedFolder:
    """What a folder holds of projections that were made before.

    Parameters
    ----------
    keys, found
        The pictures, by what is in them, and their numbers.
    unreadable
        Pictures that could not be read.
    left
        How many are still to be projected; None where the work ended without a word.
    """

    keys: tuple[str, ...]
    found: tuple[Projected, ...]
    unreadable: tuple[str, ...]
    left: int | None


def folder_settings(
    model: str, source: str, onto: Sequence[str], keep: float, predictor: str
) -> dict[str, Any]:
    """Return what a folder's projections have in common; model and predictor are weights' SHA-256."""
    return {"model": model, "source": source, "onto": list(onto), "keep": keep, "predictor": predictor}


def project_many(
    explorer: Explorer,
    images: Sequence[Path | ManyPicture],
    out: Path,
    *,
    source: str = AUTO,
    onto: Sequence[str] | None = None,
    keep: float = 1.0,
    figures: bool = True,
    asked_for: str = "",
    reporter: Reporter | None = None,
) -> ProjectedFolder:
    """Project pictures one by one into a folder: a figure each, and the tables of all.

    Parameters
    ----------
    images
        Files, or what `latentlab.operations.many_pictures.many_pictures` lists.
    out
        Where it is written. What it holds already of the same settings and pictures is not done again; what
        lies in it is no input.
    figures
        Whether each picture's figure is painted, which takes as long as projecting it.
    asked_for
        What tells these pictures from others in the same folder (`load_projected`).

    Raises
    ------
    SettingsError
        If the model does not project, a dataset is unknown, or ``out`` holds something else.
    Cancelled
        If the reporter asked for it; what is done stays.
    """
    reporter = reporter or Reporter()
    projecting_model(explorer)
    keep = share_of_keep(explorer.spec.condition, keep)
    chosen = tuple(onto or datasets_of(explorer))
    for dataset in (*chosen, *(() if source == AUTO else (source,))):
        condition_on(explorer, dataset, keep)
    settings = folder_settings(explorer.located.sha256(), source, chosen, keep, explorer.predictor_sha256())
    done = _begun(out, settings, explorer.spec.cannot_show)
    schema, judge = explorer.spec.condition, explorer.predictor_spec
    asked = [PictureFile(one) if isinstance(one, Path) else one for one in images]
    inside = [one for one in asked if not _is_in(one, out)]
    taken = {one.name.casefold() for one in done.values()}
    keys: list[str] = []
    unreadable: list[str] = []
    try:
        for place, picture in enumerate(inside):
            reporter.raise_if_cancelled()
            try:
                content = picture.content()
                key = hashlib.sha256(content).hexdigest() + picture.name
                if key not in done:
                    name = free_name(picture.name, taken)
                    pixels = picture.pixels(content)
                    found = project(explorer, pixels, source=source, onto=chosen, keep=keep, name=name)
                    found = replace(found, identity=picture.identity)
                    if figures:
                        figure = projection_figure(found, judge, schema.attributes[0].name)
                        save_sheet(out / f"{name}.png", np.array(figure))
                    append(out, {"key": key} | _line(found))
                    done[key] = found
                keys.append(key)
            except (ImageError, OSError):
                unreadable.append(picture.place)
            reporter.report(Progress("Projecting", place + 1, len(inside)))
    except Cancelled:
        _list(out, keys, unreadable, len(inside) - len(keys) - len(unreadable), asked_for)
        raise
    _list(out, keys, unreadable, 0, asked_for)
    keys = list(dict.fromkeys(keys))
    every = [done[key] for key in keys]
    moved = shifts(every, judge, schema=schema) if judge is not None and every else None
    if every:
        save_rows(out / "projections.csv", projection_rows(every, judge))
    if moved is not None and moved.classes:
        save_rows(out / "shifts.csv", shift_rows(moved))
    return ProjectedFolder(
        explorer.located, out, keep, explorer.threads, tuple(every), moved, tuple(unreadable), tuple(keys)
    )


def project_modes(
    explorer: Explorer,
    images: Sequence[Path | ManyPicture],
    out: Path,
    keeps: Sequence[float],
    *,
    source: str = AUTO,
    onto: Sequence[str] | None = None,
    figures: bool = True,
    asked_for: str = "",
    reporter: Reporter | None = None,
) -> dict[float, ProjectedFolder]:
    """Project pictures under several shares of *keep*, each into a folder of its own within ``out``.

    With 0 and 1 among them, the composition bias is written too (`COMPOSITION`): what a dataset's
    composition does beside its style. The rest is as in `project_many`.
    """
    reporter = reporter or Reporter()
    found = {
        keep: project_many(
            explorer,
            images,
            out / mode_folder(keep),
            source=source,
            onto=onto,
            keep=keep,
            figures=figures,
            asked_for=asked_for,
            reporter=PartOf(reporter, place, len(keeps)),
        )
        for place, keep in enumerate(keeps)
    }
    judge = explorer.predictor_spec
    if judge is not None and {0.0, 1.0} <= set(found):
        bias = paired_shifts(found[0.0], found[1.0], judge)
        if bias:
            save_rows(out / COMPOSITION, composition_rows(bias))
    return found


def mode_folder(keep: float) -> str:
    """Return what the folder of a mode is called."""
    return {0.0: "follow", 1.0: "keep"}.get(keep, f"keep-{keep:g}")


Folder = ProjectedFolder | LoadedFolder
"""Pictures in one mode, with what tells them apart."""


def paired(follow: Folder, keep: Folder) -> tuple[list[Projected], list[Projected]]:
    """Return the pictures that were projected in both modes, in each, in the order of ``keep``."""
    followed = dict(zip(follow.keys, follow.found, strict=True))
    kept = {key: one for key, one in zip(keep.keys, keep.found, strict=True) if key in followed}
    return [followed[key] for key in kept], list(kept.values())


def paired_shifts(follow: Folder, keep: Folder, judge: PredictorSpec) -> tuple[Composition, ...]:
    """Return the composition bias of the pictures that were projected in both modes."""
    followed, kept = paired(follow, keep)
    return compositions(followed, kept, judge) if kept else ()


def load_projected(
    out: Path,
    settings: Mapping[str, Any],
    asked_for: str = "",
    cannot_show: Mapping[str, tuple[str, ...]] | None = None,
) -> LoadedFolder | None:
    """Return what a folder holds of projections of these settings (`folder_settings`); None if nothing yet.

    Parameters
    ----------
    asked_for
        Which pictures are meant, as they were asked for; None is returned where others were asked for last.
        Empty for whatever the folder holds.
    cannot_show
        What the model says that its datasets cannot show (`latentlab.spec.ModelSpec`).

    Raises
    ------
    SettingsError
        If it holds projections of other settings, or is damaged.
    """
    if not (out / DONE).is_file():
        return None
    done = _kept(out, settings, cannot_show or {})
    try:
        listing = json.loads((out / LISTING).read_text(encoding="utf-8"))
        keys = [key for key in dict.fromkeys(listing["keys"]) if key in done]
        unreadable, left = tuple(map(str, listing["unreadable"])), int(listing["left"])
        others = bool(asked_for) and listing.get("asked_for") != asked_for
    except (OSError, ValueError, KeyError, TypeError):
        return None if asked_for else LoadedFolder(tuple(done), tuple(done.values()), (), None)
    if others:
        return None
    if left and not asked_for:  # an earlier listing may have ended sooner than what has been done since
        keys = list(done)
    return LoadedFolder(tuple(keys), tuple(done[key] for key in keys), unreadable, left)


def _is_in(picture: ManyPicture, out: Path) -> bool:
    return isinstance(picture, PictureFile) and picture.path.resolve().is_relative_to(out.resolve())


def _list(out: Path, keys: Sequence[str], unreadable: Sequence[str], left: int, asked_for: str) -> None:
    """Write down which pictures were asked for."""
    listing = {"version": 1, "keys": list(keys), "unreadable": list(unreadable), "left": left}
    listing |= {"asked_for": asked_for} if asked_for else {}
    with whole_file(out / LISTING) as part:
        part.write_text(json.dumps(listing), encoding="utf-8")


def _begun(
    out: Path, settings: Mapping[str, Any], cannot_show: Mapping[str, tuple[str, ...]]
) -> dict[str, Projected]:
    """Return what a folder holds already of the same settings; begin it where it is new.

    Raises
    ------
    SettingsError
        If it holds projections of other settings, or cannot be written.
    """
    if (out / DONE).is_file():
        return _kept(out, settings, cannot_show)
    begin(out, settings)
    return {}


def _kept(
    out: Path, settings: Mapping[str, Any], cannot_show: Mapping[str, tuple[str, ...]]
) -> dict[str, Projected]:
    """Return what a folder holds of the same settings, by what is in the pictures."""
    found = {}
    for content in done_lines(out, settings, "projections"):
        with contextlib.suppress(KeyError, TypeError, AttributeError, ValueError):  # no line of a picture's
            found[str(content["key"])] = replace(_read(content), cannot_show=cannot_show)
    return found


def _line(found: Projected) -> dict[str, Any]:
    """Return what is kept of a picture: its numbers."""

    def plain(probabilities: Mapping[str, NDArray[np.float32]]) -> dict[str, list[float]]:
        return {name: [round(float(x), 6) for x in p] for name, p in probabilities.items()}

    return {
        "name": found.name,
        **({"identity": found.identity} if found.identity else {}),
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
        identity=str(line.get("identity", "")),
    )
