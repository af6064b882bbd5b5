"""Search for many pictures one by one, into a folder that keeps what is done and goes on where it stopped."""

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

from latentlab.data.contact_sheet import save_sheet
from latentlab.data.pictures import read_picture_bytes
from latentlab.errors import ImageError, SettingsError
from latentlab.operations.done_file import DONE, append, begin, done_lines, free_name
from latentlab.operations.explore import Explorer
from latentlab.operations.row_table import save_rows
from latentlab.operations.search import LatentSearch, sample_picture
from latentlab.operations.search_eps import Eps
from latentlab.operations.search_events import SearchStep
from latentlab.operations.search_figure import (
    SearchLoop,
    check_loop,
    enlarged,
    loop_of,
    save_picture,
    search_figure,
)
from latentlab.operations.search_plan import NOTE, STATUSES, UNDER, SearchSettings
from latentlab.operations.search_result import PictureSearch
from latentlab.operations.search_table import search_rows
from latentlab.operations.search_target import Fit, Given, SearchTarget, check_fit, search_target
from latentlab.operations.search_unknowns import Observer, Unknowns
from latentlab.progress import PartOf, Reporter
from latentlab.whole_file import write_whole

TABLE, REPORT, SHEET = "search.csv", "report.json", "sheet.png"


@dataclass(frozen=True)
class ManySearch:
    """How many pictures are searched for.

    Parameters
    ----------
    settings, eps
        As in `latentlab.operations.search.search_picture`.
    posterior
        Whether the posterior is sampled instead of searched.
    fit, given
        As in `latentlab.operations.search_target.search_target`.
    condition, free
        As in `latentlab.operations.search.LatentSearch`; the condition as plain numbers.
    """

    settings: SearchSettings
    eps: Eps
    posterior: bool = False
    fit: Fit = "crop"
    given: Given = "auto"
    condition: tuple[float, ...] | None = None
    free: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_fit(self.fit, self.given)

    def vector(self) -> NDArray[np.float32] | None:
        """Return the condition, float32 ``[C]``."""
        return None if self.condition is None else np.asarray(self.condition, dtype=np.float32)

    def record(self, explorer: Explorer) -> dict[str, Any]:
        """Return all that the results depend on, as plain values."""
        found = {
            "model": explorer.located.sha256(),
            "predictor": explorer.predictor_sha256(),
            "threads": explorer.threads,
            **self.settings.record(),
            "eps": self.eps.value,
            "eps_source": self.eps.source,
            "posterior": self.posterior,
            "fit": self.fit,
            "given": self.given,
            "condition": self.condition,
            "free": list(self.free),
        }
        plain: dict[str, Any] = json.loads(json.dumps(found))
        return plain


@dataclass(frozen=True, eq=False)
class SearchedFolder:
    """What became of many pictures: each one's record (its pictures are in the folder)."""

    out: Path
    records: tuple[Mapping[str, Any], ...]
    unreadable: tuple[str, ...]
    made: int

    @property
    def reached(self) -> int:
        """How many pictures have a restart under eps."""
        return sum(_under(one) > 0 for one in self.records)

    def record(self) -> dict[str, Any]:
        """Return the JSON object as plain values; the restarts' numbers are in each picture's record."""
        notes = [NOTE, *self.unreadable]
        if not self.records:
            return {
                "command": "search",
                "data": {"path": str(self.out), "n": 0},
                "metrics": {},
                "notes": notes,
            }
        first, n = self.records[0], len(self.records)
        restarts = sum(len(one["restarts"]) for one in self.records)
        under = sum(map(_under, self.records))
        plain = {"low": None, "high": None}
        return {
            **{name: first[name] for name in ("command", "version", "checkpoint")},
            "data": {"path": str(self.out), "n": n},
            **{name: first[name] for name in ("seed", "device", "settings")},
            "metrics": {
                "success_rate": {"value": self.reached / n, **plain, "n": n},
                "restart_success_rate": {"value": under / restarts, **plain, "n": restarts},
            },
            "groups": {},
            "pictures": [
                {
                    "picture": one["data"]["path"],
                    "under_eps": _under(one),
                    "restarts": len(one["restarts"]),
                    "distance": one["metrics"]["distance"]["value"],
                    "notes": one["notes"],
                }
                for one in self.records
            ],
            "notes": notes,
        }

    def text(self) -> str:
        """Return what a person reads."""
        lines = []
        for one in self.records:
            nearest = one["metrics"]["distance"]["value"]
            count = f"{_under(one)} of {len(one['restarts'])} under eps"
            lines.append(f"{one['data']['path']}: {count}, the nearest {nearest:.3g}")
            lines += [f"  {note}" for note in one["notes"] if note != NOTE]
            if not _under(one) and not one["settings"]["posterior"]:
                lines.append("  Not converged; what was nearest is kept. Go on with --more STEPS.")
        if self.records:
            eps = self.records[0]["settings"]
            lines.append(
                f"{self.reached} of {len(self.records)} pictures have one under eps = {eps['eps']:.3g} "
                f"({eps['eps_source']}); {self.made} searched for now, in {self.out}"
            )
        return "\n".join([*lines, *self.unreadable, NOTE])


def search_many(
    explorer: Explorer,
    images: Sequence[Path],
    out: Path,
    how: ManySearch,
    *,
    more: int = 0,
    loop: Path | None = None,
    fps: float = 12.0,
    reporter: Reporter | None = None,
) -> SearchedFolder:
    """Search for pictures one by one into a folder: a sheet and pictures of each, tables of all.

    Parameters
    ----------
    images
        Files; those that lie in ``out`` are no input.
    out
        Where it is written. A picture that it holds already with the same settings is not done again.
    more
        So many more steps for the restarts of pictures that are done and not under eps.
    loop
        Where each search is played back (`latentlab.operations.search_figure.loop_of`); a picture that is
        done and whose loop is not there is searched for again for the loop alone.

    Raises
    ------
    SettingsError
        If model and settings do not fit, or ``out`` holds something else; `ImageError` if none of the
        pictures can be used.
    Cancelled
        If the reporter asked for it; what is done stays.
    """
    reporter = reporter or Reporter()
    inside = [one for one in images if not one.resolve().is_relative_to(out.resolve())]
    if not inside:
        raise SettingsError(
            f"All of the pictures lie in {out}, where what is found is written. Choose others."
        )
    check_loop(loop, len(inside), fps)
    if how.posterior and (more or loop is not None):
        raise SettingsError("A posterior is sampled anew: it has neither more steps nor a loop.")
    _check(explorer, how)
    done = _begun(out, how.record(explorer))
    taken = {
        name.casefold() for name in (TABLE, REPORT, DONE, *(str(one["folder"]) for one in done.values()))
    }
    keys: list[str] = []
    unreadable: list[str] = []
    made = 0
    for place, path in enumerate(inside):
        reporter.raise_if_cancelled()
        try:
            content = path.read_bytes()
            key = hashlib.sha256(content).hexdigest() + path.name
            before = done.get(key)
            name = (
                free_name(path.stem.strip(". ") or "picture", taken)
                if before is None
                else str(before["folder"])
            )
            film = None if loop is None else loop_of(loop, name, len(inside))
            goes_on = before is not None and more > 0 and _under(before) < len(before["restarts"])
            if before is None or goes_on or (film is not None and not film.is_file()):
                picture = read_picture_bytes(content, str(path))
                target = search_target(
                    picture.pixels,
                    how.settings.observation,
                    explorer.spec.image_size,
                    fit=how.fit,
                    given=how.given,
                    notes=picture.notes,
                    name=path.name,
                )
                part = PartOf(reporter, place, len(inside))
                found, played = _search(explorer, target, how, before if goes_on else None, more, film, part)
                if before is None or goes_on:  # else only its loop was missing
                    _write(out / name, found)
                    record = {"key": key, "folder": name, **found.record()}
                    append(out, record)
                    done[key] = record
                if film is not None and played is not None:
                    played.save(film, fps)
                made += 1
            keys.append(key)
        except ImageError as error:
            unreadable.append(str(error))
        except OSError as error:
            unreadable.append(f"{path} cannot be read: {error.strerror or error}.")
    records = tuple(done[key] for key in dict.fromkeys(keys))
    if not records and unreadable:
        raise ImageError(" ".join(unreadable))
    result = SearchedFolder(out, records, tuple(unreadable), made)
    if records:
        save_rows(out / TABLE, search_rows(records, explorer.predictor_spec))
    write_whole(out / REPORT, json.dumps(result.record(), indent=1))
    return result


def _begun(out: Path, settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the records that a folder holds of the same settings; begin it where it is new."""
    if not (out / DONE).is_file():
        begin(out, settings, empty=True)
        return {}
    found = {}
    for content in done_lines(out, settings, "searches"):
        with contextlib.suppress(KeyError, TypeError):  # no line of a picture's
            if content["restarts"] and content["folder"]:
                found[str(content["key"])] = content
    return found


def _check(explorer: Explorer, how: ManySearch) -> None:
    """Make sure before any work that model and settings fit."""
    observer = Observer(how.settings.observation, explorer.spec.image_size)
    Unknowns(explorer.network, observer, how.vector(), how.free)


def _search(
    explorer: Explorer,
    target: SearchTarget,
    how: ManySearch,
    before: Mapping[str, Any] | None,
    more: int,
    film: Path | None,
    reporter: Reporter,
) -> tuple[PictureSearch, SearchLoop | None]:
    """Search for one picture, or go on with what was found of it."""
    told: dict[str, Any] = {"eps": how.eps, "condition": how.vector(), "free": how.free}
    if how.posterior:
        return sample_picture(explorer, target, how.settings, **told, reporter=reporter), None
    starts = None
    if before is not None:
        starts = np.array([one["searched"] for one in before["restarts"]], dtype=np.float32)
    search = LatentSearch(explorer, [target], how.settings, starts=starts, **told)
    steps = more if before is not None else how.settings.steps
    played = None if film is None else SearchLoop(target.shown(), steps, how.eps.value)

    def show(step: SearchStep) -> None:
        if played is not None:
            played.add(step)

    search.run(steps, show, 0 if played is None else played.every, reporter)
    (found,) = search.found()
    if before is not None:
        earlier = [int(one["steps"]) for one in before["restarts"]]
        found = replace(
            found,
            restarts=tuple(
                replace(one, found=replace(one.found, steps=one.found.steps + steps_before))
                for one, steps_before in zip(found.restarts, earlier, strict=True)
            ),
        )
    return found, played


def _write(folder: Path, found: PictureSearch) -> None:
    """Write the pictures of one search."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"The folder {folder} cannot be made: {error.strerror or error}.") from None
    size = found.restarts[0].pixels.shape[0]
    save_picture(folder / "target.png", enlarged(found.target.shown(), size))
    digits = len(str(len(found.restarts) - 1))
    for place, one in enumerate(found.restarts):
        save_picture(folder / f"restart-{place:0{digits}}.png", one.pixels)
    save_sheet(folder / SHEET, np.array(search_figure(found)))


def _under(record: Mapping[str, Any]) -> int:
    return sum(one["status"] == STATUSES[UNDER] for one in record["restarts"])
