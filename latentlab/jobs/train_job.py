"""A training in a process of its own: started, stopped, gone on with, and found again by where it writes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.errors import SettingsError
from latentlab.jobs.job import Job, start_or_find
from latentlab.paths import runs_directory
from latentlab.progress import Reporter

if TYPE_CHECKING:
    from latentlab.training.loop import LoopSettings

KIND = "train"
PAIR = "pair"
"""A baseline and a DB-VAE on the same faces (`latentlab.training.detection_pair`)."""
DETECTION = ("cnn", "dbvae", PAIR)
"""The recipes of which several seeds are trained at once."""
RECIPES = ("vae", "autoencoder", "cvae", "cinn", "classifier", *DETECTION)
"""Every recipe that there is, as ``latentlab train`` names them; and the pair."""


@dataclass(frozen=True)
class TrainSettings:
    """What is trained, and where.

    Parameters
    ----------
    recipe
        One of `RECIPES`.
    out
        The checkpoint's folder; its run lies in ``run`` there.
    loop
        Fields of `latentlab.training.loop.LoopSettings` that differ from its defaults.
    asked
        Of `DETECTION` the fields that differ from the defaults of
        `latentlab.training.detection_runs.DetectionTraining`, as `latentlab.training.detection_runs.plain`
        writes them; of the others the arguments of ``train_RECIPE`` in `latentlab.training.runs`, with the
        fields of its losses under ``losses``.
    seeds
        More than one trains with so many seeds, each in ``out/seed-N``; only of `DETECTION`.
    fresh
        Whether an unfinished run there is begun anew.
    """

    recipe: str
    out: str
    loop: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)
    seeds: int = 1
    fresh: bool = False

    def __post_init__(self) -> None:
        if self.recipe not in RECIPES:
            raise SettingsError(f"There is no recipe {self.recipe!r}; there are {', '.join(RECIPES)}.")
        if self.seeds < 1 or (self.seeds > 1 and self.recipe not in DETECTION):
            raise SettingsError(f"The recipe {self.recipe} is not trained with {self.seeds} seeds at once.")

    @property
    def folder(self) -> Path:
        """The folder in which the process tells how it stands: one for each place that is written to."""
        return job_folder(Path(self.out))

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> TrainSettings:
        """Return what `dataclasses.asdict` gave; raises `SettingsError` where it is none."""
        try:
            return cls(**plain)
        except TypeError as error:
            raise SettingsError(f"The settings of a training cannot be read: {error}.") from None


def job_folder(out: Path) -> Path:
    """Return the folder of the process that trains what ``out`` will hold."""
    place = str(out.expanduser().resolve())
    return runs_directory() / f"{KIND}-{hashlib.sha256(place.encode()).hexdigest()[:24]}"


def train_job(settings: TrainSettings) -> Job:
    """Start a training, go on with one that was stopped, or find it where it is going on.

    To pause it is to cancel it (`Job.cancel`): its state is saved, and the same settings go on from there.

    Raises
    ------
    SettingsError
        If the job's folder cannot be written.
    """
    said = asdict(settings) | {"out": str(Path(settings.out).expanduser().resolve())}
    return start_or_find(KIND, said, settings.folder)


def find_train_job(out: Path) -> Job | None:
    """Return the newest training of what ``out`` holds or will hold; None if there was none."""
    try:
        return Job(job_folder(out))
    except SettingsError:
        return None


def training_jobs() -> list[Job]:
    """Return every training that was begun on this computer and is not forgotten, the newest first."""
    found = []
    for folder in runs_directory().glob(f"{KIND}-*"):
        try:
            found.append((folder.stat().st_mtime, Job(folder)))
        except (OSError, SettingsError):
            continue
    return [job for _, job in sorted(found, key=lambda pair: -pair[0])]


def run(settings: Mapping[str, Any], reporter: Reporter) -> None:
    """Train what the settings ask for; a state that lies there is gone on from."""
    from latentlab.training.loop import LoopSettings

    asked = TrainSettings.of(settings)
    try:
        if asked.recipe in DETECTION:
            _detection(asked, reporter)
        else:
            _other(asked, LoopSettings(**asked.loop), reporter)
    except TypeError as error:
        if "argument" not in str(error):
            raise
        raise SettingsError(f"The settings of a training cannot be used: {error}.") from None


def _detection(asked: TrainSettings, reporter: Reporter) -> None:
    from latentlab.training.detection_pair import train_pair
    from latentlab.training.detection_runs import (
        EMA,
        DetectionTraining,
        of_plain,
        plain,
        train_detection,
        train_seeds,
    )
    from latentlab.training.loop import LoopSettings

    family = "dbvae" if asked.recipe == PAIR else asked.recipe
    usual = plain(DetectionTraining())
    given = dict(asked.asked) | {"family": family}
    given |= {"losses": usual["losses"] | dict(given.get("losses", {}))}
    training = of_plain(usual | given)
    fields: dict[str, Any] = {"ema": EMA, "precision": "32-true"} | dict(asked.loop)
    loop = LoopSettings(**fields)
    if asked.recipe == PAIR:
        train_pair(training, Path(asked.out), loop, asked.seeds, asked.fresh, reporter)
    elif asked.seeds > 1:
        train_seeds(training, Path(asked.out), loop, asked.seeds, asked.fresh, reporter)
    else:
        train_detection(training, Path(asked.out), loop, asked.fresh, reporter)


def _other(asked: TrainSettings, loop: LoopSettings, reporter: Reporter) -> None:
    from latentlab.training import runs
    from latentlab.training.cinn import CINNLosses
    from latentlab.training.cvae import CVAELosses
    from latentlab.training.vae import VAELosses

    arguments = dict(asked.asked)
    common: dict[str, Any] = {"out": Path(asked.out), "settings": loop, "fresh": asked.fresh}
    common["reporter"] = reporter
    losses = dict(arguments.pop("losses", {}))
    if asked.recipe in ("vae", "autoencoder"):
        runs.train_vae(**arguments, **common, losses=VAELosses(**losses))
    elif asked.recipe == "cvae":
        runs.train_cvae(**arguments, **common, losses=CVAELosses(**losses))
    elif asked.recipe == "cinn":
        runs.train_cinn(**arguments, **common, losses=CINNLosses(**losses))
    else:
        runs.train_classifier(**arguments, **common)
