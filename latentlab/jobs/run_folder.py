"""A run's folder: what was asked (settings.json), how it stands (events.jsonl), the wish to stop (cancel).

The process that does the work holds the lock of ``lock`` as long as it lives, so that a run that ended
without a word can be told from one that goes on. A half-written last line of the events is left for later.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentlab.errors import SettingsError
from latentlab.jobs.file_lock import is_locked

SETTINGS, EVENTS, CANCEL, LOCK, LOG = "settings.json", "events.jsonl", "cancel", "lock", "log.txt"


@dataclass(frozen=True)
class RunFolder:
    """The files of one run."""

    path: Path

    def begin(self, kind: str, settings: Mapping[str, Any]) -> None:
        """Write down what is asked, and forget what an earlier run in this folder told.

        Raises
        ------
        SettingsError
            If the folder cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for name in (EVENTS, CANCEL, LOG):
                (self.path / name).unlink(missing_ok=True)
            content = {"version": 1, "kind": kind, "asked": time.time(), "settings": dict(settings)}
            (self.path / SETTINGS).write_text(json.dumps(content, indent=1), encoding="utf-8")
        except OSError as error:
            raise SettingsError(f"{self.path} cannot be written: {error.strerror or error}.") from None

    def asked(self) -> dict[str, Any]:
        """Return the content of ``settings.json``: kind, time and settings.

        Raises
        ------
        SettingsError
            If it is missing or damaged.
        """
        try:
            content = json.loads((self.path / SETTINGS).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError):
            raise SettingsError(
                f"{self.path} is no run's folder: {SETTINGS} is missing or damaged."
            ) from None
        if not isinstance(content, dict) or content.get("version") != 1 or "kind" not in content:
            raise SettingsError(f"{self.path / SETTINGS} is of another version than 1, or damaged.")
        return content

    def tell(self, event: Mapping[str, Any]) -> None:
        """Add an event."""
        with (self.path / EVENTS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")
            file.flush()

    def ask_to_stop(self) -> None:
        """Ask the run to stop at its next safe point."""
        (self.path / CANCEL).touch()

    @property
    def asked_to_stop(self) -> bool:
        """Whether somebody has asked it to stop."""
        return (self.path / CANCEL).exists()

    @property
    def alive(self) -> bool:
        """Whether a process is working on it."""
        return is_locked(self.path / LOCK)
