"""The studies that were done in the background: listed, read, named, deleted; on a thread of their own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from psygnal import Signal

from latentlab.audit.files import REPORT
from latentlab.audit.study_plan import STUDIES, StudyRequest
from latentlab.errors import LatentLabError, SettingsError
from latentlab.jobs.audit_job import KIND, AuditSettings
from latentlab.jobs.job import Job
from latentlab.paths import runs_directory
from latentlab.session.audit_folder import StudyFound, models_text, read_study
from latentlab.session.background import Background
from latentlab.session.session import Message
from latentlab.session.workspace import Workspace
from latentlab.whole_file import write_whole

Done = TypeVar("Done")

NAME = "name.txt"
"""The file of a run's folder with the name that a person gave it."""


@dataclass(frozen=True)
class AuditRun:
    """One study that was done in the background.

    Parameters
    ----------
    folder, results
        The run's folder, and that of its results.
    request
        What was asked.
    phase
        As in `latentlab.jobs.job.JobState`.
    when
        When it ended or was begun, in seconds since the epoch.
    name
        What a person calls it; empty where it was not named.
    """

    folder: Path
    results: Path
    request: StudyRequest
    phase: str
    when: float
    name: str = ""

    @property
    def finished(self) -> bool:
        """Whether its results are there."""
        return self.phase == "finished"

    @property
    def title(self) -> str:
        """What it is called."""
        return self.name or f"{STUDIES[self.request.study].title}: {models_text(self.request)}"


def list_runs() -> list[AuditRun]:
    """Return the studies that there are, the newest first; what cannot be read is left out."""
    found = []
    for folder in runs_directory().glob(f"{KIND}-*"):
        try:
            job = Job(folder)
            settings = AuditSettings.of(job.settings)
            state = job.poll()
            report = settings.results / REPORT
            when = (report if report.is_file() else folder / "settings.json").stat().st_mtime
            name = (folder / NAME).read_text(encoding="utf-8").strip() if (folder / NAME).is_file() else ""
        except (LatentLabError, OSError, ValueError):
            continue
        if job.kind == KIND and settings.request.study in STUDIES:
            there = state.phase != "finished" or report.is_file()
            phase = state.phase if there else "lost"
            found.append(AuditRun(folder, settings.results, settings.request, phase, when, name))
    return sorted(found, key=lambda run: -run.when)


def delete_run(run: AuditRun) -> None:
    """Delete a run's folder; results that lie elsewhere stay.

    Raises
    ------
    SettingsError
        If it is going on, or cannot be deleted.
    """
    if Job(run.folder).folder.alive:
        raise SettingsError(f"{run.title} is still going on. Stop it first.")
    try:
        shutil.rmtree(run.folder)
    except OSError as error:
        raise SettingsError(f"{run.folder} cannot be deleted: {error.strerror or error}.") from None


def name_run(run: AuditRun, name: str) -> None:
    """Give a run a name; the empty one takes it away.

    Raises
    ------
    SettingsError
        If it cannot be written.
    """
    write_whole(run.folder / NAME, " ".join(name.split()) + "\n")


class AuditRuns:
    """Keeps the list of studies, and reads their folders; nobody waits for it.

    Attributes
    ----------
    changed
        Another list is there.
    runs
        The studies, the newest first.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        self._session = workspace.session
        self._background = Background(workspace.rendering.post, "audit-runs")
        self._waiting = 0
        self.runs: tuple[AuditRun, ...] = ()

    @property
    def busy(self) -> bool:
        """Whether something is still being read."""
        return self._waiting > 0

    def refresh(self) -> None:
        """Look which studies there are."""
        self._do(list_runs, self._take, "The earlier studies could not be listed")

    def read(self, folder: str, then: Callable[[StudyFound | str], object]) -> None:
        """Read a study's folder; ``then`` gets it, or why it cannot be read."""
        path = Path(folder)

        def answer(found: StudyFound | Message) -> None:
            then(found.text if isinstance(found, Message) else found)

        self._ask(partial(_read, path), answer, f"{path} could not be read")

    def delete(self, run: AuditRun, then: Callable[[], object]) -> None:
        """Delete a run, and list them anew."""
        self._do(partial(delete_run, run), lambda _done: then(), "The study could not be deleted")
        self.refresh()

    def rename(self, run: AuditRun, name: str) -> None:
        """Name a run, and list them anew."""
        self._do(partial(name_run, run, name), lambda _done: None, "The study could not be named")
        self.refresh()

    def of_folder(self, results: str) -> AuditRun | None:
        """Return the run whose results are in a folder."""
        return next((run for run in self.runs if str(run.results) == results), None)

    def close(self) -> None:
        """Stop its thread."""
        self._background.close(drop=True)

    def _take(self, runs: list[AuditRun]) -> None:
        if tuple(runs) != self.runs:
            self.runs = tuple(runs)
            self.changed.emit()

    def _do(self, work: Callable[[], Done], take: Callable[[Done], object], failure: str) -> None:
        def answer(done: Done | Message) -> None:
            if isinstance(done, Message):
                self._session.message.emit(done)
            else:
                take(done)

        self._ask(work, answer, failure)

    def _ask(self, work: Callable[[], Done], answer: Callable[[Done | Message], None], failure: str) -> None:
        def told(done: Done | Message) -> None:
            self._waiting -= 1
            answer(done)

        self._waiting += 1
        self._background.do(work, told, failure)


def _read(folder: Path) -> StudyFound:
    """Read a folder; of a run's results what was asked is known."""
    for run in list_runs():
        if run.results == folder:
            return read_study(folder, run.request)
    return read_study(folder)
