"""What a word of a session block takes: arguments with their kinds and ranges, read from what YAML gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from latentlab.errors import SettingsError
from latentlab.session.lesson import Value

ArgumentKind = Literal[
    "text", "whole", "number", "flag", "choice", "texts", "wholes", "numbers", "pairs", "points", "axes"
]
"""``texts``, ``wholes`` and ``numbers`` are lists, of which a lone value is one; ``pairs`` are names with a
text each; ``points`` are lists of two numbers; ``axes`` are dimensions, directions or ``attribute=class``."""
Given = Mapping[str, Any]
"""Arguments of the right types, by name; what was left out is not there."""
LARGEST_SEED = 2**31 - 1
FARTHEST = 10.0
"""Of a dimension from 0, or along a direction in sigma: no picture of the data's lies so far out."""
_ENDLESS = 1e9
# An end of a range that is as far away is not worth telling.
_LARGEST, _LONGEST = 1e15, 255
# No number that means anything is larger, and no name that a file can have is longer.


@dataclass(frozen=True)
class Argument:
    """One argument of a word.

    Parameters
    ----------
    tip
        What it is, in a few words.
    least, most
        The range of a number, or of each number of a list, both ends included.
    """

    name: str
    kind: ArgumentKind
    tip: str
    required: bool = False
    least: float = -math.inf
    most: float = math.inf
    choices: tuple[str, ...] = ()

    def read(self, value: Value) -> Any:
        """Return a value as the argument takes it.

        Raises
        ------
        SettingsError
            If it is of another kind, or outside the range; the message says what is expected.
        """
        found = _READERS[self.kind](value, self)
        if found is None:
            raise SettingsError(f"{self.name} should be {self.expected}; found {value!r}")
        return found

    @property
    def expected(self) -> str:
        """What is expected, in words."""
        ends = [f"{end:g}" for end in (self.least, self.most) if abs(end) < _ENDLESS]
        span = f" from {ends[0]} to {ends[1]}" if len(ends) == 2 else f" from {ends[0]}" if ends else ""
        return {
            "text": "a text",
            "whole": f"a whole number{span}",
            "number": f"a number{span}",
            "flag": "true or false",
            "choice": " or ".join(self.choices),
            "texts": "a list of names",
            "wholes": f"a list of whole numbers{span}",
            "numbers": f"a list of numbers{span}",
            "pairs": "names with a class each, such as {gender: female}",
            "points": "a list of places [x, y]",
            "axes": "a list of dimensions, directions or attribute=class",
        }[self.kind]


def said(value: Value) -> str | None:
    """Return a value as a text: YAML takes ``yes`` and ``no`` for true and false, and ``3`` for a number."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if isinstance(value, tuple) else str(value)


def _text(value: Value, _argument: Argument) -> str | None:
    found = said(value) or ""
    return found if 0 < len(found) <= _LONGEST and found.isprintable() else None


def _number(value: Value, argument: Argument) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    within = argument.least <= value <= argument.most and abs(value) <= _LARGEST
    return float(value) if within else None


def _whole(value: Value, argument: Argument) -> int | None:
    found = _number(value, argument)
    return int(found) if found is not None and found == int(found) else None


def _flag(value: Value, _argument: Argument) -> bool | None:
    return value if isinstance(value, bool) else None


def _choice(value: Value, argument: Argument) -> str | None:
    found = said(value)
    return found if found in argument.choices else None


def _list(value: Value, argument: Argument, read: Callable[[Value, Argument], Any]) -> tuple[Any, ...] | None:
    values = value if isinstance(value, tuple) else (value,)
    found = tuple(read(one, argument) for one in values)
    return None if not found or any(one is None for one in found) else found


def _pairs(value: Value, _argument: Argument) -> tuple[tuple[str, str], ...] | None:
    if not isinstance(value, tuple) or not all(isinstance(one, tuple) and len(one) == 2 for one in value):
        return None
    found = tuple((said(one[0]), said(one[1])) for one in value if isinstance(one, tuple))
    return tuple((a, b) for a, b in found if a and b) if all(a and b for a, b in found) else None


def _points(value: Value, argument: Argument) -> tuple[tuple[float, float], ...] | None:
    if not isinstance(value, tuple):
        return None
    found = []
    for one in value:
        places = [_number(part, argument) for part in one] if isinstance(one, tuple) else []
        if len(places) != 2 or None in places:
            return None
        found.append((float(places[0] or 0.0), float(places[1] or 0.0)))
    return tuple(found) or None


def _axis(value: Value, argument: Argument) -> int | str | None:
    return _whole(value, argument) if isinstance(value, (int, float)) else _text(value, argument)


_READERS: dict[ArgumentKind, Callable[[Value, Argument], Any]] = {
    "text": _text,
    "whole": _whole,
    "number": _number,
    "flag": _flag,
    "choice": _choice,
    "texts": lambda value, argument: _list(value, argument, _text),
    "wholes": lambda value, argument: _list(value, argument, _whole),
    "numbers": lambda value, argument: _list(value, argument, _number),
    "pairs": _pairs,
    "points": _points,
    "axes": lambda value, argument: _list(value, argument, _axis),
}


def text(name: str, tip: str, required: bool = False) -> Argument:
    """Return an argument that is a text."""
    return Argument(name, "text", tip, required)


def choice(name: str, tip: str, *choices: str, required: bool = False) -> Argument:
    """Return an argument that is one of several texts."""
    return Argument(name, "choice", tip, required, choices=choices)


def number(name: str, tip: str, least: float, most: float, required: bool = False) -> Argument:
    """Return an argument that is a number from one end of a range to the other."""
    return Argument(name, "number", tip, required, least, most)


def whole(name: str, tip: str, least: int, most: int, required: bool = False) -> Argument:
    """Return an argument that is a whole number from one end of a range to the other."""
    return Argument(name, "whole", tip, required, least, most)


def attribute(required: bool = True) -> Argument:
    """Return the argument that names an attribute of the model's condition."""
    return text("attribute", "of the model's condition", required)
