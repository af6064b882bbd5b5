"""Parts of a model card that stand between marks, so that writing one again replaces it and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping

from latentlab.errors import SettingsError

_BEGIN, _END = "<!-- latentlab part: {} -->", "<!-- end of latentlab part: {} -->"
_ANY = re.compile(r"^<!-- latentlab part: (?P<name>[\w-]+) -->$", re.MULTILINE)


def card_parts(card: str) -> dict[str, str]:
    """Return the parts of a card by name, each with its marks.

    Raises
    ------
    SettingsError
        If a part does not end.
    """
    found = {}
    for hit in _ANY.finditer(card):
        name = hit["name"]
        end = card.find(_END.format(name), hit.end())
        if end < 0:
            raise SettingsError(
                f"The card's part {name!r} does not end. Put the line {_END.format(name)!r} where it should, "
                "or take its beginning away."
            )
        found[name] = card[hit.start() : end + len(_END.format(name))]
    return found


def with_part(card: str, name: str, text: str) -> str:
    """Return a card with a part: in the place of the former one of that name, else at the card's end.

    Raises
    ------
    SettingsError
        If a part of the card does not end.
    """
    part = f"{_BEGIN.format(name)}\n\n{text.strip()}\n\n{_END.format(name)}"
    former = card_parts(card).get(name)
    if former is not None:
        return card.replace(former, part, 1)
    return f"{card.rstrip()}\n\n{part}\n" if card.strip() else f"{part}\n"


def with_parts(card: str, parts: Mapping[str, str]) -> str:
    """Return a card with parts that another had, as `card_parts` gives them."""
    return "\n\n".join([card.rstrip(), *parts.values()]) + "\n" if parts else card
