"""Tidy tables: rows that all have the same columns, as CSV."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from latentlab.errors import SettingsError


def save_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Save rows as CSV, with the first row's columns; raises `SettingsError` if it cannot be written."""
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror or error}.") from None
