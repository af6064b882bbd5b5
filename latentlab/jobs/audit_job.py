"""A study of what a model does to groups, in a process of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.audit.files import REQUEST
from latentlab.audit.study_plan import StudyRequest
from latentlab.errors import SettingsError
from latentlab.jobs.job import Job, start_or_find
from latentlab.paths import runs_directory
from latentlab.progress import Reporter
from latentlab.whole_file import write_whole

if TYPE_CHECKING:
    from latentlab.audit.report import Audit

KIND = "audit"
RESULTS, SO_FAR = "study", "so-far"
"""The folders of a run with its results, and with what was known while it went on."""


@dataclass(frozen=True)
class AuditSettings:
    """Which study is done, and where.

    Parameters
    ----------
    request
        The study with all it is asked; paths are absolute.
    weights
        The SHA-256 of the models' weights, and of those that judge them, in order.
    device
        As `latentlab.device.resolve_device` takes it.
    out
        The folder for the results; empty for the run's own.
    """

    request: StudyRequest
    weights: tuple[str, ...]
    device: str = "auto"
    out: str = ""

    @property
    def folder(self) -> Path:
        """The run's folder: the same for the same study, weights and place."""
        said = json.dumps([self.request.plain(), list(self.weights), self.out], sort_keys=True)
        return runs_directory() / f"{KIND}-{hashlib.sha256(said.encode()).hexdigest()[:24]}"

    @property
    def results(self) -> Path:
        """Where the results are."""
        return Path(self.out).expanduser() if self.out else self.folder / RESULTS

    def plain(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        weights = list(self.weights)
        return {
            "request": self.request.plain(),
            "weights": weights,
            "device": self.device,
            "out": self.out,
        }

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> AuditSettings:
        """Return what `plain` gave.

        Raises
        ------
        SettingsError
            If something is missing or of another type.
        """
        try:
            request = StudyRequest.of(plain["request"])
            return cls(request, tuple(plain["weights"]), str(plain["device"]), str(plain["out"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise SettingsError(f"The settings of an audit cannot be read: {error}.") from None


def find_audit_job(settings: AuditSettings) -> Job | None:
    """Return the newest run for these settings; None if there was none."""
    try:
        return Job(settings.folder)
    except SettingsError:
        return None


def audit_job(settings: AuditSettings) -> Job:
    """Start the study, or find it where it is going on.

    Raises
    ------
    SettingsError
        If the run's folder cannot be written.
    """
    return start_or_find(KIND, settings.plain(), settings.folder)


def run(settings: Mapping[str, Any], reporter: Reporter) -> None:
    """Do the study that the settings ask for; what is done already is kept."""
    from latentlab.audit.runs import run_study

    asked = AuditSettings.of(settings)
    so_far = asked.folder / SO_FAR

    def keep(audit: Audit) -> None:
        so_far.mkdir(exist_ok=True)
        audit.save(so_far)
        if not (asked.results / REQUEST).exists():  # with it images can be drawn while the study goes on
            write_whole(asked.results / REQUEST, json.dumps(asked.request.plain(), indent=1))

    run_study(asked.request, asked.results, asked.device, reporter, on_partial=keep)
