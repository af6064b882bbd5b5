"""Writing a text file so that it is there whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from latentlab.errors import SettingsError


def write_whole(path: Path, text: str) -> None:
    """Write a text file; what was there before stays until the new one is whole and on the disk.

    Raises
    ------
    SettingsError
        If it cannot be written.
    """
    part: Path | None = None
    try:
        target = path.resolve()
        part = part_of(target)
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except (OSError, ValueError) as error:
        if part is not None:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise SettingsError(f"{path} was not written: {why}.") from None


def part_of(path: Path) -> Path:
    """Return the file that is written first in the place of another."""
    return path.with_name(f".{path.name[:40]}.part")
