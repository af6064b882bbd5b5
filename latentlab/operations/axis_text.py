"""Reads an axis that was named in words: a dimension's number, or a direction of a file."""

from __future__ import annotations

from pathlib import Path

from latentlab.errors import SettingsError
from latentlab.operations.direction import Directions, load_directions
from latentlab.operations.explore import Explorer
from latentlab.operations.grid_plan import Along
from latentlab.operations.probe import Probed
from latentlab.operations.scale_axis import scale_axis


def axis_from(explorer: Explorer, text: str) -> Along:
    """Return the axis of ``3`` (a dimension, counted from 0) or of ``directions.json:NAME``.

    Raises
    ------
    SettingsError
        If it is neither, or the model has no such dimension, or the file no such direction of this model.
    """
    number = text.removeprefix("z")
    if number.isdecimal():
        size = explorer.spec.latent_size
        if int(number) >= size:
            raise SettingsError(f"There is no dimension {number}; the model has 0 to {size - 1}.")
        return int(number)
    path, _, name = text.rpartition(":")
    if not path or not name:
        raise SettingsError(
            f"{text!r} names no axis; write a dimension, such as 3, or FILE:NAME for a direction."
        )
    known = model_directions(explorer, Path(path)).directions
    for one in known:
        if one.name == name:
            return one
    raise SettingsError(
        f"{path} has no direction {name!r}; it has {', '.join(one.name for one in known) or 'none'}."
    )


def probed_from(explorer: Explorer, text: str) -> Probed:
    """Return the axis of a probe: as `axis_from`, or the scale of a class, ``scale:gender=female``.

    Raises
    ------
    SettingsError
        As for `axis_from`, and if the model's condition has no such attribute or class.
    """
    kind, _, rest = text.partition(":")
    return scale_axis(explorer.spec.condition, rest) if kind == "scale" else axis_from(explorer, text)


def model_directions(explorer: Explorer, path: Path) -> Directions:
    """Read a file of directions that were found in the model.

    Raises
    ------
    SettingsError
        If it is no such file, or its directions are another model's.
    """
    found = load_directions(path)
    if found.sha256 != explorer.located.sha256():
        raise SettingsError(
            f"{path} holds directions of {found.model}, with other weights than {explorer.located.name}. "
            "Open the model that they were found in, or find them anew."
        )
    return found
