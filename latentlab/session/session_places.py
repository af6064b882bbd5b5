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
    from latentlab.operations.series import Start


def start_at(explorer: Explorer, text: str, condition: str = "") -> Start:
    """Return ``SESSION.json:NAME`` as a start, or what `latentlab.operations.series.start_under` reads.

    A pin brings its own condition; a group's mean is drawn under the first classes. ``condition`` is as in
    `start_under`.

    Raises
    ------
    LatentLabError
        If the session cannot be read or holds no pin or group of that name for this model, or what
        `start_under` raises.
    """
    from latentlab.operations.series import Start, chosen_over, start_under

    path, _, name = text.rpartition(":")
    if not (name and path.lower().endswith(".json")):
        return start_under(explorer, text, condition)
    shelf = load_session(Path(path)).shelves.get(explorer.located.sha256(), Shelf())
    pin, group, own = shelf.pin(name), shelf.group(name), explorer.first_condition()
    if pin is not None:
        latent, own = pin.latent, pin.condition_beside(own)
    elif group is not None:
        latent = group.mean
    else:
        known = ", ".join([*(one.name for one in shelf.groups), *(one.name for one in shelf.pins)]) or "none"
        raise SettingsError(
            f"{path} has no pin or group {name!r} for the model {explorer.located.name}; it has {known}."
        )
    return Start(explorer.latent(latent), chosen_over(explorer, own, condition))


def place_from(explorer: Explorer, text: str) -> NDArray[np.float32]:
    """Return the latent that `start_at` reads; raises what it raises."""
    return start_at(explorer, text).latent


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
