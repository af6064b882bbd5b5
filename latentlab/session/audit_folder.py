"""What a study's folder holds, read without torch: what the window shows of a study."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from latentlab.audit.charts import CHARTS, Chart, read_charts
from latentlab.audit.files import REPORT, REQUEST, SUMMARY
from latentlab.audit.request_file import read_request
from latentlab.audit.study_plan import STUDIES, StudyRequest
from latentlab.errors import SettingsError


@dataclass(frozen=True, eq=False)
class StudyFound:
    """The results of a study.

    Parameters
    ----------
    folder
        Where they are.
    study
        Its name; empty where it is not known.
    request
        What was asked, None where that is not known.
    summary
        What can and cannot be concluded, a sentence each.
    charts
        What the figures look like.
    record
        The report (`latentlab.metrics.report`).
    when
        When it was written, in seconds since the epoch.
    whole
        Whether the study is done; else this is what was known while it went on.
    tables
        The folder of its table of images, which grows while it goes on.
    """

    folder: Path
    study: str
    request: StudyRequest | None
    summary: tuple[str, ...]
    charts: tuple[Chart, ...]
    record: Mapping[str, Any]
    when: float
    whole: bool
    tables: Path

    @property
    def title(self) -> str:
        """What it is called: the study and the models or the set."""
        kind = STUDIES.get(self.study)
        name = kind.title if kind is not None else self.study.capitalize() or "Study"
        return f"{name}: {self.of}" if self.of else name

    @property
    def of(self) -> str:
        """Which models it is of; or, where it makes its own, which set."""
        if self.request is not None and (self.request.models or self.request.data):
            return models_text(self.request)
        checkpoint = self.record.get("checkpoint")
        path = checkpoint.get("path") if isinstance(checkpoint, Mapping) else ""
        return Path(str(path)).name if path else ""

    @property
    def images(self) -> int:
        """How many images it is of; 0 where that is not known."""
        data = self.record.get("data")
        n = data.get("n") if isinstance(data, Mapping) else 0
        return n if isinstance(n, int) else 0

    def file(self, name: str) -> Path | None:
        """Return one of its files, None where it is not there."""
        path = self.folder / name
        return path if path.is_file() else None


def models_text(request: StudyRequest) -> str:
    """Return the short names of a study's models, or its set where it makes models of its own."""
    models = request.models if "models" in STUDIES[request.study].fields else ()
    return ", ".join(Path(one).name or one for one in models) or request.data


def is_study(folder: Path) -> bool:
    """Whether a folder holds a study's results."""
    return (folder / CHARTS).is_file() and (folder / REPORT).is_file()


def read_study(folder: Path, request: StudyRequest | None = None, tables: Path | None = None) -> StudyFound:
    """Read a study's folder.

    Parameters
    ----------
    request
        What was asked, where that is known; else it is looked for in the folder.
    tables
        Of a study that is not done, the folder where its images are listed.

    Raises
    ------
    SettingsError
        If it holds no study, or a file of it is damaged; the message says which.
    """
    if not folder.is_dir():
        raise SettingsError(f"There is no folder {folder}. Choose the folder of a study's results.")
    if not (folder / REPORT).is_file():
        raise SettingsError(
            f"{folder} holds no finished study: {REPORT} is missing. Choose the folder that was given with "
            "--out, or do the study again."
        )
    record = _json(folder / REPORT)
    asked = request or _request(folder)
    study = asked.study if asked is not None else str(record.get("command", "")).removeprefix("audit ")
    try:
        lines = (folder / SUMMARY).read_text(encoding="utf-8").splitlines()
        when = (folder / REPORT).stat().st_mtime
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{folder / SUMMARY} cannot be read: {error}.") from None
    summary = tuple(line for line in lines[1:] if line.strip())  # the first line is its title
    charts, whole = read_charts(folder), tables is None
    return StudyFound(folder, study, asked, summary, charts, record, when, whole, tables or folder)


def absolute(request: StudyRequest) -> StudyRequest:
    """Return a request whose paths mean the same from everywhere."""
    from latentlab.data.catalog import full_name

    def path_of(name: str) -> str:
        path = Path(name).expanduser()
        return str(path.resolve()) if name and path.exists() else name

    return replace(
        request,
        models=tuple(map(path_of, request.models)),
        data=full_name(request.data),
        reference=full_name(request.reference),
        predictor=path_of(request.predictor),
    )


def _request(folder: Path) -> StudyRequest | None:
    return read_request(folder) if (folder / REQUEST).is_file() else None


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read: {error}.") from None
    if not isinstance(found, dict):
        raise SettingsError(f"{path} is damaged: an object with fields is expected.")
    return found
