"""The one object that every evaluation gives: figures, overall and by group, and what they rest on.

Its JSON form is the same for every ``evaluate`` command::

    {"command": ..., "version": ..., "checkpoint": {"path": ..., "sha256": ...},
     "data": {"path": ..., "n": ...}, "seed": ..., "device": ..., "settings": {...},
     "metrics": {NAME: {"value": ..., "low": ..., "high": ..., "n": ...}},
     "groups": {"gender=female,race=black": {NAME: {...}}}, "notes": [...]}

``low`` and ``high`` are a 95% interval, null where none exists.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import latentlab
from latentlab.checkpoints import Located
from latentlab.errors import SettingsError
from latentlab.metrics.intervals import SMALL, Estimate
from latentlab.whole_file import write_table

Metrics = Mapping[str, Estimate]
COLUMNS = ("group", "metric", "value", "low", "high", "n")


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found: figures overall and by group, and notes that belong beside them."""

    metrics: Metrics
    groups: Mapping[str, Metrics] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def together(first: Evaluation, second: Evaluation) -> Evaluation:
    """Return two evaluations of the same images as one; what both say is said once."""
    return Evaluation(
        {**first.metrics, **second.metrics},
        {
            group: {**first.groups.get(group, {}), **second.groups.get(group, {})}
            for group in dict.fromkeys([*first.groups, *second.groups])
        },
        {**first.settings, **second.settings},
        tuple(dict.fromkeys([*first.notes, *second.notes])),
    )


@dataclass(frozen=True)
class Report:
    """An evaluation with everything needed to do it again."""

    command: str
    checkpoint_path: str
    checkpoint_sha256: str
    data_path: str
    data_n: int
    seed: int
    device: str
    evaluation: Evaluation
    version: str = latentlab.__version__

    @classmethod
    def of(
        cls,
        command: str,
        located: Located,
        data_path: str,
        data_n: int,
        seed: int,
        device: str,
        evaluation: Evaluation,
    ) -> Report:
        """Make the report of one checkpoint's evaluation on one set."""
        return cls(command, str(located.path), located.sha256(), data_path, data_n, seed, device, evaluation)

    def record(self) -> dict[str, Any]:
        """Return the JSON object as plain values."""
        found = self.evaluation
        return {
            "command": self.command,
            "version": self.version,
            "checkpoint": {"path": self.checkpoint_path, "sha256": self.checkpoint_sha256},
            "data": {"path": self.data_path, "n": self.data_n},
            "seed": self.seed,
            "device": self.device,
            "settings": dict(found.settings),
            "metrics": _records(found.metrics),
            "groups": {group: _records(metrics) for group, metrics in found.groups.items()},
            "notes": list(found.notes),
        }

    def json(self) -> str:
        """Return the JSON object as text; it never holds NaN or infinity."""
        return json.dumps(self.record(), indent=1, allow_nan=False)

    def rows(self) -> list[tuple[str, str, Estimate]]:
        """Return every figure as group (empty: all images), metric and estimate."""
        parts = {"": self.evaluation.metrics, **self.evaluation.groups}
        return [
            (group, name, estimate) for group, metrics in parts.items() for name, estimate in metrics.items()
        ]

    def title(self) -> str:
        """Say in one line what was evaluated on what."""
        return f"{self.command} on {self.data_path} ({self.data_n:,} images, {self.device})"

    def texts(self) -> list[tuple[str, str, str, str]]:
        """Return every figure as text: each metric, then its groups indented; value, interval, images."""
        found = []
        for name, estimate in self.evaluation.metrics.items():
            found.append((name, number(estimate.value), interval(estimate), f"{estimate.n:,}"))
            for group, metrics in self.evaluation.groups.items():
                if name in metrics:
                    e = metrics[name]
                    found.append((f"  {group_words(group)}", number(e.value), interval(e), f"{e.n:,}"))
        return found

    def write_csv(self, path: Path) -> None:
        """Write every figure as one row of a table with the columns `COLUMNS`.

        Raises
        ------
        SettingsError
            If the file cannot be written.
        """
        rows = ((group or "all", name, e.value, e.low, e.high, e.n) for group, name, e in self.rows())
        write_table(path, COLUMNS, rows)


def check_place(path: Path | None) -> None:
    """Make sure before long work that a table can be put there; None stands for no table.

    Raises
    ------
    SettingsError
        If its folder does not exist or it is a folder itself.
    """
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        wrong = "it is a folder" if path.is_dir() else "its folder does not exist"
        raise SettingsError(f"The table {path} cannot be written: {wrong}. Choose another place.")


def number(value: float | None) -> str:
    """Write a figure with four significant digits, an integer as it is, None as a dash."""
    if value is None:
        return "-"
    return str(int(value)) if float(value).is_integer() else f"{value:.4g}"


def interval(estimate: Estimate) -> str:
    """Write an estimate's interval, empty where there is none."""
    if estimate.low is None and estimate.high is None:
        return ""
    return f"[{number(estimate.low)}, {number(estimate.high)}]"


def group_words(group: str) -> str:
    """Write a group's key for people: ``gender=female,race=black`` is ``female, black``."""
    return ", ".join(part.partition("=")[2] or part for part in group.split(","))


def group_notes(groups: Mapping[str, int]) -> list[str]:
    """Say which groups are empty or small, given the number of images of each."""
    empty = [group for group, n in groups.items() if n == 0]
    small = [f"{group} ({n})" for group, n in groups.items() if 0 < n < SMALL]
    notes = [f"No images in: {'; '.join(empty)}."] if empty else []
    return notes + ([f"Fewer than {SMALL} images in: {'; '.join(small)}."] if small else [])


def _records(metrics: Metrics) -> dict[str, dict[str, float | int | None]]:
    return {name: estimate.record() for name, estimate in metrics.items()}
