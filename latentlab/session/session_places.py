"""Reads a latent that was named in words, also one that was put aside in a saved session."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import SettingsError
from latentlab.operations.direction import Direction, difference_direction
from latentlab.session.document import Shelf
from latentlab.session.saved import load_session

if TYPE_CHECKING:
    from latentlab.operations.explore import Explorer


def place_from(explorer: Explorer, text: str) -> NDArray[np.float32]:
    """Return the latent of ``SESSION.json:NAME`` (a pin, or a group's mean), or as `start_from` reads it.

    Raises
    ------
    LatentLabError
        If the session cannot be read or holds no pin or group of that name for this model, or what
        `latentlab.operations.series.start_from` raises.
    """
    from latentlab.operations.series import start_from

    path, _, name = text.rpartition(":")
    if not (name and path.lower().endswith(".json")):
        return start_from(explorer, text)
    shelf = load_session(Path(path)).shelves.get(explorer.located.sha256(), Shelf())
    places = {group.name: group.mean for group in shelf.groups} | {pin.name: pin.latent for pin in shelf.pins}
    if name not in places:
        known = ", ".join(places) or "none"
        raise SettingsError(
            f"{path} has no pin or group {name!r} for the model {explorer.located.name}; it has {known}."
        )
    return explorer.latent(places[name])


def direction_between(
    explorer: Explorer, begin: Sequence[str], end: Sequence[str], name: str = ""
) -> Direction:
    """Return the direction from places named in words to others, each taken by their mean.

    Raises
    ------
    LatentLabError
        If an end is missing, both are the same, or what `place_from` raises.
    """
    if not begin or not end:
        raise SettingsError("A direction of your own needs both ends: give --from and --to.")
    first, second = (np.stack([place_from(explorer, text) for text in texts]) for texts in (begin, end))
    said = [texts[0] if len(texts) == 1 else f"the mean of {len(texts)}" for texts in (begin, end)]
    short = [_short(texts[0]) if len(texts) == 1 else f"the mean of {len(texts)}" for texts in (begin, end)]
    origin = f"from {said[0]} to {said[1]}"
    return difference_direction(explorer.spec, first, second, name or f"{short[0]} to {short[1]}", origin)


def _short(text: str) -> str:
    """Return what a place is called: a pin's name, a file's without folder and suffix."""
    path, _, name = text.rpartition(":")
    if path.lower().endswith(".json"):
        return name
    return Path(text).stem if Path(text).suffix else text
