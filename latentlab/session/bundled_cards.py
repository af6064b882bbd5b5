"""The bundled models as the start page and Help show them, read without torch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from latentlab.checkpoints import locate
from latentlab.errors import LatentLabError, SettingsError
from latentlab.paths import bundled, bundled_models
from latentlab.session.help_file import read_help_file

Crop = tuple[int, int, int, int]

FIRST_SCREEN, FIRST_PICTURE = "explore", "samples.png"
FIRST_CROP: Crop = (0, 0, 262, 130)
"""Eight of a sheet's samples: what is shown of a model of which nothing more is said."""

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_FIELDS = {"title", "sentence", "screen", "picture", "crop"}


@dataclass(frozen=True)
class BundledCard:
    """A bundled checkpoint.

    Parameters
    ----------
    name, folder
        What it is opened by, and where it lies.
    kind
        ``model`` or ``predictor``.
    title, sentence
        What is said of it; name and card where nothing is.
    screen
        The screen on which it shows what it is for.
    picture
        A picture of what it makes; None where there is none.
    crop
        Left, top, width and height of the part that is shown, in the picture's pixels.
    """

    name: str
    folder: Path
    kind: str
    title: str
    sentence: str
    screen: str
    picture: Path | None
    crop: Crop

    @cached_property
    def text(self) -> str:
        """The model card as Markdown, without front matter and comments; empty where there is none."""
        return card_text(self.folder)


def bundled_cards() -> tuple[BundledCard, ...]:
    """Return the bundled checkpoints; first those that something is said of, in that order.

    What cannot be read is left out, as in the menus.

    Raises
    ------
    SettingsError
        If the file that says something of them is damaged.
    """
    said = _said(bundled("resources", "help", "models.yaml"))
    folders, cards = bundled_models(), []
    for name in [
        *(name for name in said if name in folders),
        *(name for name in folders if name not in said),
    ]:
        try:
            kind = locate(folders[name]).config.kind
        except LatentLabError:
            continue
        cards.append(_card(name, folders[name], kind, said.get(name, {})))
    return tuple(cards)


def card_text(folder: Path) -> str:
    """Return a model card's Markdown, without front matter and comments; empty where there is none."""
    try:
        text = (folder / "README.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return _COMMENT.sub("", _FRONT_MATTER.sub("", text)).strip()


def _card(name: str, folder: Path, kind: str, said: dict[str, Any]) -> BundledCard:
    picture = folder / said.get("picture", FIRST_PICTURE)
    return BundledCard(
        name=name,
        folder=folder,
        kind=kind,
        title=said.get("title", name),
        sentence=said.get("sentence", "") or _first_sentence(card_text(folder)),
        screen=said.get("screen", FIRST_SCREEN),
        picture=picture if picture.is_file() else None,
        crop=said.get("crop", FIRST_CROP),
    )


def _first_sentence(text: str) -> str:
    """Return how a card begins: the first sentence of its first paragraph, without Markdown's marks."""
    paragraphs = [one.strip() for one in text.split("\n\n")]
    first = next((one for one in paragraphs if one and one[0] not in "#!|*-`<"), "")
    return " ".join(first.replace("`", "").replace("*", "").split()).partition(". ")[0].partition(": ")[0]


def _said(path: Path) -> dict[str, dict[str, Any]]:
    found = read_help_file(path, dict, "a mapping of models")
    return {str(name): _entry(path, str(name), entry) for name, entry in found.items()}


def _entry(path: Path, name: str, entry: object) -> dict[str, Any]:
    where = f"{path}, {name}"
    if not isinstance(entry, dict) or not set(entry) <= _FIELDS:
        raise SettingsError(
            f"{where}: a mapping with {', '.join(sorted(_FIELDS))} is expected; found {entry!r}."
        )
    checked = dict(entry)
    crop = checked.pop("crop", list(FIRST_CROP))
    if not all(isinstance(value, str) and value for value in checked.values()):
        raise SettingsError(f"{where}: title, sentence, screen and picture are texts; found {entry!r}.")
    whole = isinstance(crop, list) and len(crop) == 4 and all(type(n) is int and n >= 0 for n in crop)
    if not whole or not (crop[2] and crop[3]):
        raise SettingsError(f"{where}: crop should be left, top, width and height in pixels; found {crop!r}.")
    return {**checked, "crop": tuple(crop)}
