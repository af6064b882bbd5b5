"""Search for many pictures one by one, into a folder that keeps what is done and goes on where it stopped."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data.pictures import read_picture_bytes
from latentlab.errors import ImageError, SettingsError
from latentlab.metrics.intervals import Estimate, bootstrap_mean, wilson_rate
from latentlab.operations.done_file import DONE, append, begin, done_lines, free_name
from latentlab.operations.explore import Explorer
from latentlab.operations.row_table import save_rows
from latentlab.operations.search import LatentSearch, sample_picture
from latentlab.operations.search_eps import Eps
from latentlab.operations.search_figure import (
    SearchLoop,
    check_loop,
    enlarged,
    loop_of,
    save_picture,
    search_figure,
)
from latentlab.operations.search_plan import NOTE, STATUSES, UNDER, PosteriorSettings, SearchSettings
from latentlab.operations.search_precision import resolve_precision
from latentlab.operations.search_result import PictureSearch, Sampling
from latentlab.operations.search_table import search_rows
from latentlab.operations.search_target import Fit, Given, SearchTarget, check_fit, search_target
from latentlab.operations.search_unknowns import Observer, Unknowns
from latentlab.progress import PartOf, Reporter
from latentlab.whole_file import write_whole

TABLE, REPORT, SHEET = "search.csv", "report.json", "sheet.png"
_NEARER = 1.0 - 1e-5  # of the distance before, so that rounding alone is not nearer


@dataclass(frozen=True)
class ManySearch:
    """How many pictures are searched for.

    Parameters
    ----------
    settings, eps
        As in `latentlab.operations.search.search_picture`.
    posterior
        How the posterior is sampled instead of searched; None for a search.
    fit, given
        As in `latentlab.operations.search_target.search_target`.
    condition, free
        As in `latentlab.operations.search.LatentSearch`; the condition as plain numbers.
    """

    settings: SearchSettings
    eps: Eps
    posterior: PosteriorSettings | None = None
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
            "precision": resolve_precision(self.settings.precision, "cpu"),
            "eps": self.eps.value,
            "eps_source": self.eps.source,
            "posterior": None if self.posterior is None else asdict(self.posterior),
            "fit": self.fit,
            "given": self.given,
            "condition": self.condition,
            "free": list(self.free),
        }
        plain: dict[str, Any] = json.loads(json.dumps(found))
        return plain


@dataclass(frozen=True, eq=False)
class SearchedFolder:
    """What became of many pictures: each one's record (its pictures are in the folder).

    Parameters
    ----------
    made
        How many were searched for now.
    more, nearer
        So many more steps some were gone on with, and how many of each one's restarts are nearer by that, by
        the record's key.
    """

    out: Path
    records: tuple[Mapping[str, Any], ...]
    unreadable: tuple[str, ...]
    made: int
    more: int = 0
    nearer: Mapping[str, int] = field(default_factory=dict)

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
        sampled = [one for one in map(Sampling.of, self.records) if one is not None]
        if sampled:
            metrics = {"chains_met_rate": wilson_rate(sum(one.agrees for one in sampled), n).record()}
        else:
            # Restarts of one picture are not independent: the bootstrap draws pictures, of several.
            of_each = [_under(one) / len(one["restarts"]) for one in self.records]
            several = bootstrap_mean(of_each, np.random.default_rng(0))
            metrics = {
                "success_rate": wilson_rate(self.reached, n).record(),
                "restart_success_rate": (several if n > 1 else Estimate(of_each[0], None, None, n)).record(),
            }
        return {
            **{name: first[name] for name in ("command", "version", "checkpoint")},
            "data": {"path": str(self.out), "n": n},
            **{name: first[name] for name in ("seed", "device", "settings")},
            "metrics": metrics,
            "groups": {},
            "pictures": [
                {
                    "picture": one["data"]["path"],
                    **_told(one),
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
            name, sampling = one["data"]["path"], Sampling.of(one)
            notes = [f"  {note}" for note in one["notes"] if note != NOTE]
            if sampling is not None:
                lines += [f"{name}: {sampling.text()}", *notes]
                if not sampling.agrees:
                    lines.append(
                        "  Sample anew with more --steps, half of which are warm-up, into another folder."
                    )
                continue
            nearest = one["metrics"]["distance"]["value"]
            count = f"{_under(one)} of {len(one['restarts'])} under eps"
            lines += [f"{name}: {count}, the nearest {nearest:.3g}", *notes]
            lines += self._advice(one)
        met = [one.agrees for one in map(Sampling.of, self.records) if one is not None]
        if met:
            lines.append(
                f"The chains of {sum(met)} of {len(met)} pictures have met; {self.made} sampled now, "
                f"in {self.out}"
            )
        elif self.records:
            eps = self.records[0]["settings"]
            lines.append(
                f"{self.reached} of {len(self.records)} pictures have one under eps = {eps['eps']:.3g} "
                f"({eps['eps_source']}); {self.made} searched for now, in {self.out}"
            )
        return "\n".join([*lines, *self.unreadable, NOTE])

    def _advice(self, record: Mapping[str, Any]) -> list[str]:
        """Say what more steps brought, and what to do where no restart is under eps."""
        nearer = self.nearer.get(record["key"])
        lines = []
        if nearer is not None:
            gained = f"{nearer} of {len(record['restarts'])} nearer" if nearer else "nothing nearer"
            lines.append(f"  {self.more} step{'s' if self.more > 1 else ''} more each; {gained}")
        if not _under(record):
            how = "--more STEPS" if nearer != 0 else "more than these: the same again would end the same"
            lines.append(f"  Not converged; what was nearest is kept. Go on with {how}.")
        return lines


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
        So many more steps for the restarts of pictures that are done and not under eps. They begin at what
        was nearest, the optimiser without a memory and its rate at the begin of a schedule over ``more``
        steps (`latentlab.operations.search_run.Search.run`). As many again as brought nothing nearer bring
        nothing again.
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
    if how.posterior is not None and (more or loop is not None):
        raise SettingsError(
            "A posterior is always sampled as a whole, without --more and --loop: give more --steps and "
            "another folder."
        )
    _check(explorer, how)
    done = _begun(out, how.record(explorer), how.posterior is not None)
    taken = {
        name.casefold() for name in (TABLE, REPORT, DONE, *(str(one["folder"]) for one in done.values()))
    }
    keys: list[str] = []
    unreadable: list[str] = []
    nearer: dict[str, int] = {}
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
                    write_pictures(out / name, found)
                    record = {"key": key, "folder": name, **found.record()}
                    if before is not None:
                        nearer[key] = _nearer(before, record)
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
    result = SearchedFolder(out, records, tuple(unreadable), made, more, nearer)
    if records:
        save_rows(out / TABLE, search_rows(records, explorer.predictor_spec))
    write_whole(out / REPORT, json.dumps(result.record(), indent=1))
    return result


def _begun(out: Path, settings: Mapping[str, Any], posterior: bool) -> dict[str, dict[str, Any]]:
    """Return the records that a folder holds of the same settings; begin it where it is new."""
    if not (out / DONE).is_file():
        begin(out, settings, empty=True)
        return {}
    found = {}
    instead = {} if posterior else {"steps": "or go on with those: their --steps, and --more STEPS"}
    for content in done_lines(out, settings, "posteriors" if posterior else "searches", instead):
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
    if how.posterior is not None:
        return sample_picture(explorer, target, how.settings, how.posterior, **told, reporter=reporter), None
    starts = None
    if before is not None:
        starts = np.array([one["searched"] for one in before["restarts"]], dtype=np.float32)
    search = LatentSearch(explorer, [target], how.settings, starts=starts, **told)
    steps = more if before is not None else how.settings.steps
    played = None if film is None else SearchLoop(target.shown(), steps, how.eps.value)
    if played is None:
        search.run(steps, reporter=reporter)
    else:
        search.run(steps, played.add, played.every, reporter)
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


def write_pictures(folder: Path, found: PictureSearch) -> None:
    """Write the pictures of one search: the target, one a restart, and a sheet of all.

    Raises
    ------
    SettingsError
        If the folder cannot be made, or a picture not be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"The folder {folder} cannot be made: {error.strerror or error}.") from None
    size = found.restarts[0].pixels.shape[0]
    save_picture(folder / "target.png", enlarged(found.target.shown(), size))
    digits = len(str(len(found.restarts) - 1))
    for place, one in enumerate(found.restarts):
        save_picture(folder / f"restart-{place:0{digits}}.png", one.pixels)
    save_picture(folder / SHEET, np.array(search_figure(found)))


def _told(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a picture stands, as plain values: against eps, or how well its posterior was sampled."""
    sampling = Sampling.of(record)
    if sampling is None:
        return {"under_eps": _under(record), "restarts": len(record["restarts"])}
    names = ("acceptance", "effective_samples_least", "effective_samples_median", "r_hat")
    return {
        "draws": sampling.draws,
        "chains": sampling.chains,
        **{name: record["metrics"][name]["value"] for name in names},
        "chains_met": sampling.agrees,
    }


def _nearer(before: Mapping[str, Any], after: Mapping[str, Any]) -> int:
    """Count the restarts that more steps brought nearer."""
    pairs = zip(before["restarts"], after["restarts"], strict=True)
    return sum(new["distance"] < _NEARER * old["distance"] for old, new in pairs)


def _under(record: Mapping[str, Any]) -> int:
    return sum(one["status"] == STATUSES[UNDER] for one in record["restarts"])
