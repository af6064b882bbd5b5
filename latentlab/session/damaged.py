"""Reading as much as can be read of a session's text that is no longer whole JSON.

A session is written with each of its fields on a line of its own, so damage on one line leaves the others
alone; and of a damaged line all is good that stands before the damage.
"""

from __future__ import annotations

import json
import re
from typing import Any

from latentlab.session.saved_parts import Salvage

_LINE = re.compile(r'\s*"(\w+)"\s*:')
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{},]')
# A string, which may lack its end, or what opens, closes and parts the members of lists and objects.


def read_damaged(text: str, salvage: Salvage) -> dict[str, Any]:
    """Return the fields that can be read of a session's text; what cannot be read is noted.

    Raises
    ------
    RecursionError
        If it is nested too deeply.
    """
    fields: dict[str, Any] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        begun = _LINE.match(line)
        if begun is None:
            if line.strip() not in ("", "{", "}"):
                salvage.say(f"line {number}", "it is damaged")
            continue
        member = "{" + line.rstrip().removesuffix(",") + "}"
        try:
            fields.update(json.loads(member))
        except ValueError as error:  # a JSONDecodeError, or a number of too many digits
            fields.update(_before(member, error))
            what = "the rest of the" if begun[1] in fields else "the"
            salvage.say(f"{what} field {begun[1]!r}", f"line {number} is damaged or cut off")
    if text.rstrip().rpartition("\n")[2].strip() != "}":
        salvage.say("the end of the session", "it is cut off")
    return fields


def _before(text: str, error: ValueError) -> dict[str, Any]:
    """Return what an object's text holds before an error, without the member in which the error stands."""
    good, open_ones, closing = 0, "", ""
    for token in _TOKEN.finditer(text, 0, error.pos if isinstance(error, json.JSONDecodeError) else 0):
        if token[0] in ("[", "{"):
            open_ones = ("]" if token[0] == "[" else "}") + open_ones
        elif token[0] in ("]", "}"):
            open_ones = open_ones[1:]
        elif token[0] != ",":
            continue
        good, closing = token.start() if token[0] == "," else token.end(), open_ones
    try:
        found = json.loads(text[:good] + closing)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
