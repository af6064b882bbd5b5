"""Read a YAML configuration that a training wrote, as plain values: no tag in it makes an object."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from latentlab.checkpoints.recognise import read_bytes, read_text
from latentlab.errors import CheckpointError

LARGEST_YAML = 200_000
"""The most bytes of such a configuration; a parser in Python takes seconds for more."""


def read_yaml(path: Path) -> Mapping[str, Any]:
    """Return a YAML file's mapping.

    Raises
    ------
    CheckpointError
        If it is a false start, too large, no plain YAML, or not a mapping.
    """
    if len(read_bytes(path, LARGEST_YAML + 1)) > LARGEST_YAML:
        raise CheckpointError(
            f"{path} should be a configuration of at most {LARGEST_YAML:,} bytes; it has more. Choose the "
            "configuration that the training wrote."
        )
    try:
        found = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise CheckpointError(
            f"{path} is not plain YAML ({' '.join(str(error).split())[:160]}). Copy it again, or leave out "
            "what only the program that wrote it understands."
        ) from None
    except (RecursionError, ValueError, OverflowError):
        raise CheckpointError(f"{path} is not a YAML that a training writes. Copy it again.") from None
    if not isinstance(found, dict):
        raise CheckpointError(
            f"{path} should hold a YAML mapping; it holds a {type(found).__name__}. Choose the configuration "
            "that the training wrote."
        )
    return found


def inner(settings: object, *names: str) -> Any:
    """Return what stands under names in nested mappings, or None."""
    for name in names:
        settings = settings.get(name) if isinstance(settings, Mapping) else None
    return settings


def text(settings: object, *names: str) -> str:
    """Return the text under names in nested mappings; empty where there is none, or something else.

    Aliases can make a list in a YAML endless, and a number too long to be written: neither becomes a text.
    """
    found = inner(settings, *names)
    return found if isinstance(found, str) else ""
