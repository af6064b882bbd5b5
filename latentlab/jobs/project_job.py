"""Many pictures projected onto datasets, in a process of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from latentlab.errors import SettingsError
from latentlab.jobs.job import Job, start_or_find
from latentlab.paths import runs_directory
from latentlab.progress import Reporter


@dataclass(frozen=True)
class ProjectSettings:
    """What is projected, and how.

    Parameters
    ----------
    model, sha256
        The checkpoint's path, and the SHA-256 of its weights.
    predictor, judge
        The predictor's path or bundled name (empty for none), and the SHA-256 of its weights.
    threads
        As in `latentlab.operations.explore.Explorer.open`.
    data, pictures
        A set or folder; or, where that is empty, the paths of pictures.
    source, onto, count, seed
        As in `latentlab.operations.project_many.project_many` and ``many_pictures``.
    out
        The folder for the results, which then get a figure each; empty for the run's own folder.
    """

    model: str
    sha256: str
    predictor: str
    judge: str
    threads: int
    data: str
    pictures: tuple[str, ...]
    source: str
    onto: tuple[str, ...]
    count: int
    seed: int
    out: str

    @property
    def folder(self) -> Path:
        """The run's folder: the same for the same pictures, settings and weights, whatever the mode."""
        said = {name: value for name, value in asdict(self).items() if name not in _NO_MATTER}
        digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
        return runs_directory() / f"project-{digest[:24]}"

    @property
    def results(self) -> Path:
        """Where the results are: a folder for each mode in it."""
        return Path(self.out).expanduser() if self.out else self.folder

    @property
    def asked_for(self) -> str:
        """What tells the pictures from others whose results go into the same folder."""
        said = [self.data, list(self.pictures), self.count, self.seed]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


_NO_MATTER = ("model", "predictor", "threads")
# Where the weights lie, and with how many threads they run, makes no other pictures.


def find_project_job(settings: ProjectSettings) -> Job | None:
    """Return the newest run for these settings; None if there was none."""
    try:
        return Job(settings.folder)
    except SettingsError:
        return None


def project_job(settings: ProjectSettings, keeps: tuple[float, ...]) -> Job:
    """Start the work in these modes (shares of *keep*), or find it where it is going on.

    Raises
    ------
    SettingsError
        If the run's folder cannot be written.
    """
    return start_or_find("project", asdict(settings) | {"keeps": list(keeps)}, settings.folder)


def run(settings: Mapping[str, Any], reporter: Reporter) -> None:
    """Project what the settings ask for; what is done already is kept."""
    from latentlab.operations.explore import Explorer
    from latentlab.operations.many_pictures import many_pictures
    from latentlab.operations.project_many import mode_folder, project_modes

    fields = {name: value for name, value in settings.items() if name != "keeps"}
    asked = ProjectSettings(
        **{**fields, "pictures": tuple(fields["pictures"]), "onto": tuple(fields["onto"])}
    )
    explorer = Explorer.open(asked.model, asked.predictor, asked.sha256, asked.threads)
    images = many_pictures(
        asked.data or asked.pictures,
        explorer.spec.image_size,
        count=asked.count,
        seed=asked.seed,
        apart_from=[asked.results / mode_folder(keep) for keep in (0.0, 1.0)],
        reporter=reporter,
    )
    project_modes(
        explorer,
        images,
        asked.results,
        [float(keep) for keep in settings["keeps"]],
        source=asked.source,
        onto=asked.onto,
        figures=bool(asked.out),
        asked_for=asked.asked_for,
        reporter=reporter,
    )
