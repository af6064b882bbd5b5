"""The pages of Help: what the screens do, the keys, the words, the models' cards, the credits; and a search.

Everything is read from files that come with the program; the keys are given, as the window knows them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from latentlab.errors import LatentLabError
from latentlab.paths import bundled
from latentlab.session.bundled_cards import bundled_cards, card_text
from latentlab.session.credits import credits_text
from latentlab.session.glossary import glossary, glossary_text
from latentlab.session.lesson_guide import writing_text

USING, WORDS, CARDS, ABOUT = "Using LatentLab", "Keys and words", "Model cards", "About"


@dataclass(frozen=True)
class HelpPage:
    """One page.

    Parameters
    ----------
    id
        What it is asked for by: a screen's name, ``keys``, ``glossary``, ``model:NAME`` or ``credits``.
    section, title
        Where it stands in the list, and what it says there.
    text
        Markdown.
    folder
        Where its pictures lie; None where it has none.
    """

    id: str
    section: str
    title: str
    text: str
    folder: Path | None = None

    def holds(self, words: Iterable[str]) -> bool:
        """Whether all words, in lower case, stand in the title or the text."""
        content = f"{self.title}\n{self.text}".casefold()
        return all(word in content for word in words)

    def rank(self, words: Sequence[str]) -> int:
        """Return how well a page that holds words, in lower case, answers them; 0 is best.

        0 where a title or a heading is of these very words, 1 where they follow one another, else 2.
        """
        phrase = " ".join(words)
        headings = {line.lstrip("#").strip().casefold() for line in self.text.splitlines() if line[:1] == "#"}
        if phrase in {self.title.casefold(), *headings}:
            return 0
        return 1 if phrase in self.text.casefold() else 2


def help_pages(keys: str) -> tuple[HelpPage, ...]:
    """Return all pages in their order; those whose files an installation lacks are left out.

    Parameters
    ----------
    keys
        The page of keys, Markdown.
    """
    pages = []
    for path in _files():
        text = path.read_text(encoding="utf-8")
        pages.append(HelpPage(path.stem.partition("-")[2], USING, title_of(text) or path.stem, text))
    with contextlib.suppress(LatentLabError):
        pages.append(HelpPage("writing-lessons", USING, "Writing a lesson", writing_text()))
    pages.append(HelpPage("keys", WORDS, "Keys", keys))
    try:
        pages.append(HelpPage("glossary", WORDS, "Glossary", glossary_text(glossary())))
    except LatentLabError as error:
        pages.append(HelpPage("glossary", WORDS, "Glossary", f"# Glossary\n\n{error}"))
    pages += _cards()
    with contextlib.suppress(LatentLabError):
        pages.append(HelpPage("credits", ABOUT, "Credits and licences", credits_text()))
    return tuple(pages)


def card_page(folder: Path, name: str) -> HelpPage:
    """Return the page of a model's card, which lies in its folder."""
    text = card_text(folder) or f"# {name}\n\nNo model card lies in {folder}."
    return HelpPage(f"model:{name}", CARDS, name, text, folder)


def search(pages: Sequence[HelpPage], text: str) -> tuple[HelpPage, ...]:
    """Return the pages that hold all words of a text, the best (`HelpPage.rank`) first."""
    words = text.casefold().split()
    return tuple(sorted((page for page in pages if page.holds(words)), key=lambda page: page.rank(words)))


def title_of(text: str) -> str:
    """Return a page's first heading; empty where it has none."""
    return next((line.lstrip("# ").strip() for line in text.splitlines() if line.startswith("# ")), "")


def _files() -> list[Path]:
    try:
        return sorted(bundled("resources", "help", "pages").glob("*.md"))
    except LatentLabError:
        return []


def _cards() -> list[HelpPage]:
    try:
        found = bundled_cards()
    except LatentLabError:
        return []
    return [card_page(card.folder, card.name) for card in found if card.text]
