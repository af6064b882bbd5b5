"""Files that are there whole or not at all: what was there before stays until the new one is complete."""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from latentlab.errors import SettingsError


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a file to write in the place of another; it takes that one's place when the block ends.

    Parameters
    ----------
    path
        The file that is to be. Inside the block write to the path that is given, which lies beside it and
        has another suffix, so say the format. A device or a pipe is written to directly.

    Raises
    ------
    SettingsError
        If it cannot be written; nothing is left then, and the older file stays.
    """
    part: Path | None = None
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            yield path  # a device or a pipe, such as /dev/stdout
            return
        target = path.resolve()
        part = part_of(target)
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise SettingsError(f"{path} cannot be written: {why}.") from None
    finally:
        if part is not None:
            with contextlib.suppress(OSError, ValueError):
                part.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write a text as UTF-8, line ends as they are; raises `SettingsError` if it cannot be written."""
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8", newline="")


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV; raises `SettingsError` if it cannot be written."""
    write_whole(path, table_text(header, rows))


def table_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV text with a header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def part_of(path: Path) -> Path:
    """Return the file that is written first in the place of another."""
    return path.with_name(f".{path.name[:40]}.part")
