"""A study's results as its folder has them: what reports and cards are written from, of any study."""

from __future__ import annotations

import csv
import hashlib
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from latentlab.audit.charts import CHARTS, Chart, read_charts
from latentlab.audit.files import GROUPS, IMAGES, REPORT, REQUEST, SUMMARY
from latentlab.audit.request_file import read_request
from latentlab.audit.study_plan import STUDIES, StudyRequest
from latentlab.checkpoints import locate
from latentlab.checkpoints.companion import fitting_predictor
from latentlab.errors import LatentLabError, SettingsError
from latentlab.spec import PredictorSpec

MOST_ROWS = 400
"""Rows of a table that a report shows; the rest is in its file."""


@dataclass(frozen=True)
class _Checkpoint:
    path: str
    sha256: str


@dataclass(frozen=True)
class _Data:
    path: str
    n: int


@dataclass(frozen=True)
class _Record:
    """What is used of a report (`latentlab.metrics.report.Report.record`)."""

    command: str
    version: str
    device: str
    seed: int
    checkpoint: _Checkpoint
    data: _Data
    settings: dict[str, Any]
    metrics: dict[str, dict[str, float | None]]
    notes: list[str]


@dataclass(frozen=True)
class Table:
    """A table of the folder: its file's name, its columns, its first rows, and how many it has."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    n: int


@dataclass(frozen=True)
class FolderResults:
    """A study's results.

    Parameters
    ----------
    record
        The report (`latentlab.metrics.report.Report.record`).
    summary
        What can and cannot be concluded, in sentences.
    request
        What was asked for; None where an older study did not keep it.
    """

    folder: Path
    record: Mapping[str, Any]
    summary: tuple[str, ...]
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]
    request: StudyRequest | None

    @property
    def study(self) -> str:
        """The study's name."""
        return str(self.record["command"]).removeprefix("audit ")

    @property
    def title(self) -> str:
        """What it is called: the study and what it is of."""
        known = STUDIES.get(self.study)
        of = ", ".join(Path(one).name for one in self.request.models) if self.request else ""
        return f"{known.title if known else self.study.capitalize()} study" + (f": {of}" if of else "")

    @property
    def line(self) -> str:
        """What was evaluated on what, in one line."""
        data = self.record["data"]
        return f"{self.record['command']} on {data['path']} ({data['n']:,} images, {self.record['device']})"

    def weights(self) -> dict[str, str]:
        """Return the SHA-256 of the weights of the models that were audited, by name."""
        settings = self.record["settings"]
        if self.study == "training-ratio":  # which trains its own; what is named is who judges
            return {}
        found = {Path(self.record["checkpoint"]["path"]).name: str(self.record["checkpoint"]["sha256"])}
        for one in settings.get("models", ()):
            if isinstance(one, list) and len(one) > 1:
                found[str(one[0])] = str(one[1])
        return found

    def judges(self) -> dict[str, PredictorSpec]:
        """Return the predictors that judged, by name, as far as they are still where they were."""
        if self.request is None or self.request.predictions:
            return {}
        names = [self.request.predictor] if self.request.predictor else []
        settings = json.dumps(self.record["settings"])
        found = {}
        try:
            if not names:
                names = [fitting_predictor(locate(one).config) for one in self.request.models]
                if not names:  # models of the study's own: the checkpoint that is named is who judges
                    names = [str(self.record["checkpoint"]["path"])]
            for name in dict.fromkeys(filter(None, names)):
                located = locate(name)
                if located.config.predictor is not None and located.sha256() in settings:
                    found[located.name] = located.config.predictor
        except LatentLabError:
            return found
        return found

    def repeat(self) -> str:
        """Return what does the study again: a command, or for some studies a program."""
        if self.request is None:
            return ""
        return _command(self.request) or _program(self.request)


def read_folder(folder: Path) -> FolderResults:
    """Read a study's folder.

    Raises
    ------
    SettingsError
        If it holds no finished study, or a file of it is damaged.
    """
    path = folder / REPORT
    if not path.exists():
        raise SettingsError(
            f"{folder} holds no finished study ({REPORT} is missing). Name the folder that was given with "
            "--out, or let the study end there."
        )
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        TypeAdapter(_Record).validate_python(record)
        summary = (folder / SUMMARY).read_text(encoding="utf-8").splitlines()[1:]
    except (OSError, ValueError) as error:
        said = "; ".join(str(error).split("\n")[:3])
        raise SettingsError(
            f"{path} cannot be read as a study's report: {said}. Do the study again with the same --out, "
            "which takes a moment."
        ) from None
    request = read_request(folder) if (folder / REQUEST).exists() else None
    tables = tuple(_table(one) for one in _table_paths(folder))
    return FolderResults(folder, record, tuple(summary), read_charts(folder), tables, request)


def digest_of(folder: Path) -> str:
    """Return what tells these results from others: the SHA-256 of the files that a report is made from."""
    found = hashlib.sha256()
    names = [REPORT, SUMMARY, CHARTS, REQUEST, *(one.name for one in _table_paths(folder))]
    for path in (folder / name for name in names):
        found.update(path.name.encode() + (path.read_bytes() if path.exists() else b""))
    return found.hexdigest()


def settings_rows(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give settings as names and texts; nested ones in one line each."""
    for name, value in settings.items():
        yield name.replace("_", " "), _text(value)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_text(one)}" for name, one in value.items()) or "none"
    if isinstance(value, list):
        return ("; " if any(isinstance(one, list) for one in value) else ", ").join(
            map(_text, value)
        ) or "none"
    return "none" if value in ("", None) else str(value)


def _table_paths(folder: Path) -> list[Path]:
    paths = sorted(one for one in folder.glob("*.csv") if one.name not in (IMAGES, GROUPS))
    return [*([folder / GROUPS] if (folder / GROUPS).exists() else []), *paths]


def _table(path: Path) -> Table:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            head = tuple(next(reader, []))
            rows = tuple(tuple(row) for row in islice(reader, MOST_ROWS))
            return Table(path.name, head, rows, len(rows) + sum(1 for _ in reader))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"{path} cannot be read: {error}.") from None


def _command(request: StudyRequest) -> str:
    """Return the command of those studies whose options are these."""
    options: dict[str, Sequence[str]] = {
        "generation": ("n", "seeds", "attributes", "reference", "truncation", "condition"),
        "reconstruction": ("data", "per_group", "groups", "attributes", "seed"),
        "search": ("data", "per_group", "groups", "restarts", "steps", "eps", "seed"),
    }
    if request.study not in options:
        return ""
    usual = StudyRequest(request.study)
    values = {
        **{name: getattr(request, name) for name in ("n", "seeds", "attributes", "reference", "groups")},
        **{name: getattr(request, name) for name in ("truncation", "condition", "data")},
        "per_group": request.n,
        "seed": request.seeds[0],
    }
    words = ["latentlab", "audit", request.study, *request.models]
    for name in (*options[request.study], "predictor", "predictions", "predictions_confusion"):
        value = values.get(name, getattr(request, name, ""))
        if value not in ("", (), 0) and value != getattr(usual, name, None):
            text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            words += [f"--{name.replace('_', '-')}", text]
    return shlex.join([*words, "--out", "DIR"])


def _program(request: StudyRequest) -> str:
    return (
        "from pathlib import Path\n\n"
        "from latentlab.audit.runs import run_study\n"
        "from latentlab.audit.study_plan import StudyRequest\n\n"
        f"run_study(StudyRequest.of({request.plain()!r}), Path('DIR'))"
    )
