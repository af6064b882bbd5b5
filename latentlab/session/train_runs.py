"""The trainings that were done in the background: listed with their figures, read, deleted; nobody waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from latentlab.errors import LatentLabError, SettingsError
from latentlab.jobs.train_job import TrainSettings, find_train_job, training_jobs
from latentlab.paths import runs_directory
from latentlab.session.run_list import RunList, delete_folders
from latentlab.session.train_figures import figures_of
from latentlab.session.train_folder import TrainFound, TrainReader
from latentlab.session.train_plan import TRAINED, of_job, title_of
from latentlab.session.workspace import Workspace


@dataclass(frozen=True)
class TrainRun:
    """One training that was begun on this computer.

    Parameters
    ----------
    folder
        The folder of its process.
    settings
        What was asked.
    phase
        As in `latentlab.jobs.job.JobState`.
    when
        When it was begun or told of last, in seconds since the epoch.
    figures
        By arm, the figures that are known (`latentlab.session.train_figures.figures_of`).
    """

    folder: Path
    settings: TrainSettings
    phase: str
    when: float
    figures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def out(self) -> str:
        """Where it writes."""
        return self.settings.out

    @property
    def title(self) -> str:
        """What it is called."""
        return title_of(self.settings)

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.phase in ("running", "waiting")


def list_training_runs() -> list[TrainRun]:
    """Return the trainings that there are, the newest first; what cannot be read is left out."""
    found = []
    for job in training_jobs():
        settings = of_job(job.settings)
        if settings is None:
            continue
        try:
            when = max(path.stat().st_mtime for path in job.folder.path.iterdir())
        except (OSError, ValueError):
            continue
        reader = TrainReader(settings, pictures=False)
        figures = figures_of(reader.newer() or reader.now())
        found.append(TrainRun(job.folder.path, settings, job.poll().phase, when, figures))
    return sorted(found, key=lambda run: -run.when)


def delete_training(run: TrainRun) -> None:
    """Forget a training; what it wrote is deleted where that lies among the program's own runs.

    Raises
    ------
    SettingsError
        If it is going on, or cannot be deleted.
    """
    delete_folders(run.title, run.folder, *([Path(run.out)] if is_own(run) else []))


def is_own(run: TrainRun) -> bool:
    """Whether a training writes into a folder of the program's own."""
    return (runs_directory() / TRAINED).resolve() in Path(run.out).resolve().parents


def read_training(out: str) -> TrainFound:
    """Read a training by where it wrote.

    Raises
    ------
    SettingsError
        If none is known.
    """
    job = find_train_job(Path(out))
    settings = None if job is None else of_job(job.settings)
    if settings is None:
        raise SettingsError(f"No training is known that wrote into {out}.")
    reader = TrainReader(settings)
    return reader.newer() or reader.now()


class TrainRuns(RunList[TrainRun]):
    """Keeps the list of trainings, and reads them."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace, "train-runs", list_training_runs, "trainings")

    def read(self, out: str, then: Callable[[TrainFound | str], object]) -> None:
        """Read a training; ``then`` gets it, or why it cannot be read."""
        self._read(partial(read_training, out), then, f"{out} could not be read")

    def delete(self, run: TrainRun, then: Callable[[], object]) -> None:
        """Delete a training, and list them anew."""
        self._change(partial(delete_training, run), "The training could not be deleted", then)

    def of_folder(self, out: str) -> TrainRun | None:
        """Return the training that writes into a folder."""
        return next((run for run in self.runs if run.out == out), None)


def going_on() -> list[TrainRun]:
    """Return the trainings that go on now."""
    found = []
    for job in training_jobs():
        settings = of_job(job.settings)
        try:
            if settings is not None and not job.poll().over:
                found.append(TrainRun(job.folder.path, settings, "running", 0.0))
        except LatentLabError:
            continue
    return found
