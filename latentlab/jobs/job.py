"""A run as its owner sees it: started, followed, asked to stop, and found again."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from latentlab.errors import SettingsError
from latentlab.jobs.run_folder import EVENTS, LOG, RunFolder

Phase = Literal["waiting", "running", "finished", "failed", "cancelled", "lost"]
"""Started but not yet heard of; at work; done; gone wrong; stopped on request; ended without a word."""

BEGINNING = 60.0
"""Seconds within which a process that was started must be heard of: it has to import torch first."""
LEAVING_SECONDS = 5.0
"""How long a process that has told how it went may take to be gone, before the next run begins."""


@dataclass(frozen=True)
class JobState:
    """How a run stands.

    Parameters
    ----------
    stage, done, total, values
        As in `latentlab.progress.Progress`.
    message, details
        Why it failed, and the traceback where it is a fault of ours.
    """

    phase: Phase = "waiting"
    stage: str = ""
    done: int = 0
    total: int = 0
    values: Mapping[str, float] = field(default_factory=dict)
    message: str = ""
    details: str = ""

    @property
    def over(self) -> bool:
        """Whether nothing more will be heard of it."""
        return self.phase not in ("waiting", "running")


class Job:
    """Follows a run; several may follow the same one.

    Parameters
    ----------
    folder
        The run's folder.

    Raises
    ------
    SettingsError
        If it is no run's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = RunFolder(folder)
        asked = self.folder.asked()
        self.kind: str = asked["kind"]
        self.settings: Mapping[str, Any] = asked.get("settings", {})
        self._asked = float(asked.get("asked", 0.0))
        self._read = 0
        self._state = JobState()

    def poll(self) -> JobState:
        """Return how the run stands now; only what is new is read."""
        alive = self.folder.alive  # before reading: what a process tells last is then read
        for event in self._new_events():
            self._state = _after(self._state, event)
        if not self._state.over and not alive:
            late = time.time() - self._asked > BEGINNING
            if self._state.phase == "running" or late:
                text = f"The work ended without a word; {self.folder.path / LOG} may say why."
                self._state = replace(self._state, phase="lost", message=text)
        return self._state

    def cancel(self) -> None:
        """Ask the run to stop at its next safe point."""
        self.folder.ask_to_stop()

    def _new_events(self) -> list[dict[str, Any]]:
        try:
            with (self.folder.path / EVENTS).open("rb") as file:
                file.seek(self._read)
                content = file.read()
        except FileNotFoundError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        self._read += len(whole)
        events = []
        for line in whole.splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                events.append(event)
        return events


def start(kind: str, settings: Mapping[str, Any], folder: Path) -> Job:
    """Start a run in a process of its own, which goes on when this one ends.

    Raises
    ------
    SettingsError
        If a run is going on in the folder already, or it cannot be written.
    """
    run = RunFolder(folder)
    if not _is_free(run):
        raise SettingsError(f"{folder} has a run that is still going on. Wait for it, or stop it.")
    run.begin(kind, settings)
    command = [sys.executable, "-m", "latentlab.jobs", str(folder)]
    with (folder / LOG).open("wb") as log:
        if sys.platform == "win32":
            flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, creationflags=flags
            )
        else:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
    process.returncode = 0  # it is nobody's child: no warning that it is still running
    return Job(folder)


def start_or_find(kind: str, settings: Mapping[str, Any], folder: Path) -> Job:
    """Start a run (`start`), or find the one that is going on in its folder, whatever that was asked for.

    Raises
    ------
    SettingsError
        If the folder cannot be written.
    """
    run = RunFolder(folder)
    if not run.alive:
        try:
            return start(kind, settings, folder)
        except SettingsError:
            if not run.alive:  # else another window was faster
                raise
    return Job(folder)


def _is_free(run: RunFolder) -> bool:
    """Whether no run is going on in a folder; one that has told its end is given the time to leave."""
    end = time.monotonic() + LEAVING_SECONDS
    while run.alive:
        try:
            over = Job(run.path).poll().over
        except SettingsError:  # it holds nothing that is known
            over = False
        if not over or time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _after(state: JobState, event: Mapping[str, Any]) -> JobState:
    kind = event.get("event")
    if kind == "progress":
        return replace(
            state,
            phase="running",
            stage=str(event.get("stage", "")),
            done=int(event.get("done", 0)),
            total=int(event.get("total", 0)),
            values=dict(event.get("values", {})),
        )
    if kind == "started":
        return replace(state, phase="running")
    if kind in ("finished", "cancelled", "failed"):
        message, details = str(event.get("message", "")), str(event.get("details", ""))
        return replace(state, phase=kind, message=message, details=details)
    return state
