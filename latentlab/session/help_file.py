"""Reads the YAML files of ``resources/help``."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import yaml

from latentlab.errors import SettingsError

Held = TypeVar("Held")


def read_help_file(path: Path, kind: type[Held], what: str) -> Held:
    """Return what a file of Help holds.

    Parameters
    ----------
    kind, what
        What it should be, ``list`` or ``dict``, and how that is called: "a list of words".

    Raises
    ------
    SettingsError
        If it cannot be read, or holds something else.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path} cannot be read: {' '.join(str(error).split())}.") from None
    if not isinstance(found, kind):
        raise SettingsError(f"{path} should hold {what}; it holds a {type(found).__name__}.")
    return found
