"""The file of what is done in a folder of many pictures, so that the work goes on where it stopped."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentlab.errors import SettingsError
from latentlab.whole_file import write_whole

DONE = "done.jsonl"
"""Its name. The first line holds the settings, every other one what became of a picture."""


def begin(out: Path, settings: Mapping[str, Any], *, empty: bool = False) -> None:
    """Make a folder, and the file of what is done in it under these settings: nothing yet.

    Parameters
    ----------
    empty
        Whether the folder may hold nothing else.

    Raises
    ------
    SettingsError
        If it cannot be written, or holds something although it may not.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        others = empty and any(out.iterdir())
    except OSError as error:
        raise SettingsError(f"The folder {out} cannot be made: {error.strerror or error}.") from None
    if others:
        raise SettingsError(f"{out} holds other files. Choose an empty folder, or one that was begun so.")
    write_whole(out / DONE, json.dumps(settings) + "\n")


def done_lines(
    out: Path, settings: Mapping[str, Any], what: str, instead: Mapping[str, str] | None = None
) -> list[Any]:
    """Return the lines of a folder's file of what is done; one that was cut off is left out.

    Parameters
    ----------
    settings
        Those that it has to hold, as plain values.
    what
        What the folder holds, in the plural, for messages.
    instead
        By a setting's name: what can be done too where that setting alone is another, for the message.

    Raises
    ------
    SettingsError
        If it holds other settings, or is damaged.
    """
    path = out / DONE
    try:
        first, *rest = path.read_text(encoding="utf-8", errors="replace").splitlines() or [""]
        before = json.loads(first)
        changed = [key for key in {**before, **settings} if before.get(key) != settings.get(key)]
    except (ValueError, TypeError, AttributeError, OSError):
        raise SettingsError(f"{path} is damaged. Choose another folder, or delete it.") from None
    if changed:
        name, too = changed[0], (instead or {}).get(changed[0], "") if len(changed) == 1 else ""
        raise SettingsError(
            f"{out} holds {what} with other settings: {name} is {before.get(name)!r} there, not "
            f"{settings.get(name)!r}. Choose another folder for these{too and f', {too}'}."
        )
    found = []
    for line in rest:
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return found


def append(out: Path, line: Mapping[str, Any]) -> None:
    """Append a line to what is done in a folder; one that was cut off before stays a line of its own.

    Raises
    ------
    SettingsError
        If it cannot be written.
    """
    path = out / DONE
    try:
        with path.open("rb+") as file:
            file.seek(0, 2)
            if file.tell():
                file.seek(-1, 2)
                if file.read(1) != b"\n":
                    file.write(b"\n")
            file.write(json.dumps(line).encode() + b"\n")
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror or error}.") from None


def free_name(stem: str, taken: set[str]) -> str:
    """Take a name that no other picture of the folder has: its stem, or that with a number.

    ``taken`` holds names with their case folded, for some file systems do not tell cases apart.
    """
    name, number = stem, 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name.casefold())
    return name
