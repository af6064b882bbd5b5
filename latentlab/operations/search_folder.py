"""The folder of many searches: what is done of which settings, so that it goes on where it stopped."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentlab.errors import SettingsError
from latentlab.whole_file import whole_file

DONE = "done.jsonl"
"""The file of what is done: the settings in its first line, then a picture's record a line."""


def begun(out: Path, settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what a folder holds already of the same settings; begin it where it is new.

    Raises
    ------
    SettingsError
        If it holds searches of other settings or other files, or cannot be written.
    """
    path = out / DONE
    if not path.is_file():
        try:
            out.mkdir(parents=True, exist_ok=True)
            others = any(out.iterdir())
        except OSError as error:
            raise SettingsError(f"The folder {out} cannot be made: {error.strerror or error}.") from None
        if others:
            raise SettingsError(f"{out} holds other files. Choose an empty folder, or that of a search.")
        with whole_file(path) as part:
            part.write_text(json.dumps(settings) + "\n", encoding="utf-8")
        return {}
    try:
        first, *rest = path.read_text(encoding="utf-8", errors="replace").splitlines() or [""]
        before = json.loads(first)
        changed = [key for key in {**before, **settings} if before.get(key) != settings.get(key)]
    except (ValueError, TypeError, AttributeError, OSError):
        raise SettingsError(f"{path} is damaged. Choose another folder, or delete it.") from None
    if changed:
        raise SettingsError(
            f"{out} holds searches with another {changed[0]} ({before.get(changed[0])!r}, not "
            f"{settings.get(changed[0])!r}). Choose another folder for these."
        )
    found = {}
    for line in rest:
        with contextlib.suppress(ValueError, KeyError, TypeError):  # one that was cut off is done again
            content = json.loads(line)
            if content["restarts"] and content["folder"]:
                found[str(content["key"])] = content
    return found


def append(path: Path, line: Mapping[str, Any]) -> None:
    """Append a line to what is done; one that was cut off before stays a line of its own."""
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
    """Take a folder's name that no other picture has: its stem, or that with a number."""
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name)
    return name
