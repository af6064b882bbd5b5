"""What a person may say of a foreign checkpoint that its file does not tell: ``convert --set NAME=VALUE``."""

from __future__ import annotations

from collections.abc import Sequence

from latentlab.checkpoints.foreign.source import Source
from latentlab.errors import SettingsError


def one_of(source: Source, name: str, choices: Sequence[str]) -> str:
    """Return an option's choice; the first where none was made."""
    given = source.options.get(name, choices[0])
    if given not in choices:
        raise SettingsError(f"The option {name} is one of {', '.join(choices)}; {given!r} was given.")
    return given


def number(source: Source, name: str, default: float, least: float, most: float) -> float:
    """Return an option's number, between ``least`` and ``most``."""
    given = source.options.get(name)
    if given is None:
        return default
    try:
        found = float(given)
    except ValueError:
        found = float("nan")
    if not least <= found <= most:
        raise SettingsError(f"The option {name} is a number from {least:g} to {most:g}; {given!r} was given.")
    return found


def whole(source: Source, name: str, default: int, least: int, most: int) -> int:
    """Return an option's whole number, between ``least`` and ``most``."""
    found = number(source, name, default, least, most)
    if found != int(found):
        raise SettingsError(f"The option {name} is a whole number; {source.options[name]!r} was given.")
    return int(found)
