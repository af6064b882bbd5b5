"""The trainings that were done in the background: listed with their figures, read, deleted; nobody waits."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from psygnal import Signal

from latentlab.errors import LatentLabError, SettingsError
from latentlab.jobs.job import Job
from latentlab.jobs.train_job import TrainSettings, find_train_job, training_jobs
from latentlab.paths import runs_directory
from latentlab.session.background import Background
from latentlab.session.session import Message
from latentlab.session.train_figures import figures_of
from latentlab.session.train_folder import TrainFound, TrainReader
from latentlab.session.train_plan import TRAINED, of_job, title_of
from latentlab.session.workspace import Workspace

Done = TypeVar("Done")


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
        reader.newer()
        found.append(TrainRun(job.folder.path, settings, job.poll().phase, when, figures_of(reader.now())))
    return sorted(found, key=lambda run: -run.when)


def delete_training(run: TrainRun) -> None:
    """Forget a training; what it wrote is deleted where that lies among the program's own runs.

    Raises
    ------
    SettingsError
        If it is going on, or cannot be deleted.
    """
    if Job(run.folder).folder.alive:
        raise SettingsError(f"{run.title} is still going on. Stop it first.")
    try:
        shutil.rmtree(run.folder)
        if is_own(run) and Path(run.out).exists():
            shutil.rmtree(run.out)
    except OSError as error:
        raise SettingsError(f"{run.folder} cannot be deleted: {error.strerror or error}.") from None


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
    reader.newer()
    return reader.now()


class TrainRuns:
    """Keeps the list of trainings, and reads them.

    Attributes
    ----------
    changed
        Another list is there.
    runs
        The trainings, the newest first.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        self._session = workspace.session
        self._background = Background(workspace.rendering.post, "train-runs")
        self._waiting = 0
        self.runs: tuple[TrainRun, ...] = ()

    @property
    def busy(self) -> bool:
        """Whether something is still being read."""
        return self._waiting > 0

    def refresh(self, then: Callable[[], object] | None = None) -> None:
        """Look which trainings there are."""

        def take(runs: list[TrainRun]) -> None:
            if tuple(runs) != self.runs:
                self.runs = tuple(runs)
                self.changed.emit()
            if then is not None:
                then()

        self._do(list_training_runs, take, "The earlier trainings could not be listed")

    def read(self, out: str, then: Callable[[TrainFound | str], object]) -> None:
        """Read a training; ``then`` gets it, or why it cannot be read."""

        def answer(found: TrainFound | Message) -> None:
            then(found.text if isinstance(found, Message) else found)

        self._ask(partial(read_training, out), answer, f"{out} could not be read")

    def delete(self, run: TrainRun, then: Callable[[], object]) -> None:
        """Delete a training, and list them anew."""
        self._do(partial(delete_training, run), lambda _done: then(), "The training could not be deleted")
        self.refresh()

    def of_folder(self, out: str) -> TrainRun | None:
        """Return the training that writes into a folder."""
        return next((run for run in self.runs if run.out == out), None)

    def close(self) -> None:
        """Stop its thread."""
        self._background.close(drop=True)

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
