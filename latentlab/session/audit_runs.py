"""The studies that were done in the background: listed, read, named, deleted; on a thread of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from latentlab.audit.files import REPORT
from latentlab.audit.study_plan import STUDIES, StudyRequest
from latentlab.errors import LatentLabError
from latentlab.jobs.audit_job import KIND, AuditSettings
from latentlab.jobs.job import Job
from latentlab.paths import runs_directory
from latentlab.session.audit_folder import StudyFound, models_text, read_study
from latentlab.session.run_list import RunList, delete_folders
from latentlab.session.workspace import Workspace
from latentlab.whole_file import write_whole

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
    delete_folders(run.title, run.folder)


def name_run(run: AuditRun, name: str) -> None:
    """Give a run a name; the empty one takes it away.

    Raises
    ------
    SettingsError
        If it cannot be written.
    """
    write_whole(run.folder / NAME, " ".join(name.split()) + "\n")


class AuditRuns(RunList[AuditRun]):
    """Keeps the list of studies, and reads their folders."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace, "audit-runs", list_runs, "studies")

    def read(self, folder: str, then: Callable[[StudyFound | str], object]) -> None:
        """Read a study's folder; ``then`` gets it, or why it cannot be read."""
        path = Path(folder)
        self._read(partial(_read, path), then, f"{path} could not be read")

    def delete(self, run: AuditRun, then: Callable[[], object]) -> None:
        """Delete a run, and list them anew."""
        self._change(partial(delete_run, run), "The study could not be deleted", then)

    def rename(self, run: AuditRun, name: str) -> None:
        """Name a run, and list them anew."""
        self._change(partial(name_run, run, name), "The study could not be named")

    def of_folder(self, results: str) -> AuditRun | None:
        """Return the run whose results are in a folder."""
        return next((run for run in self.runs if str(run.results) == results), None)


def _read(folder: Path) -> StudyFound:
    """Read a folder; of a run's results what was asked is known."""
    for run in list_runs():
        if run.results == folder:
            return read_study(folder, run.request)
    return read_study(folder)
