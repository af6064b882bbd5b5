"""Tidy tables: rows that all have the same columns, as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from latentlab.whole_file import write_table


def save_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Save rows as CSV, with the first row's columns; raises `SettingsError` if it cannot be written."""
    write_table(path, list(rows[0]), [[row[column] for column in rows[0]] for row in rows])
