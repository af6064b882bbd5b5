"""The program's words and what each means, from ``resources/help/glossary.yaml``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from latentlab.errors import SettingsError
from latentlab.paths import bundled
from latentlab.session.help_file import read_help_file

_FIELDS = {"word", "also", "meaning", "see"}


@dataclass(frozen=True)
class Word:
    """One word.

    Parameters
    ----------
    word
        As the screens say it.
    meaning
        One or two sentences, Markdown.
    also
        What else it is called.
    see
        Other words that help to understand it.
    """

    word: str
    meaning: str
    also: tuple[str, ...] = ()
    see: tuple[str, ...] = ()


def glossary(path: Path | None = None) -> tuple[Word, ...]:
    """Return the words in alphabetical order.

    Parameters
    ----------
    path
        The file; the bundled one by default.

    Raises
    ------
    SettingsError
        If it is no list of words, a word stands there twice, or it refers to one that is not there.
    """
    path = path or bundled("resources", "help", "glossary.yaml")
    found = read_help_file(path, list, "a list of words")
    words = [_word(path, number, entry) for number, entry in enumerate(found, 1)]
    names = [word.word for word in words]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"{path} explains {name!r} twice; one word has one meaning.")
    for word in words:
        for other in word.see:
            if other not in names:
                raise SettingsError(f"{path}: {word.word!r} refers to {other!r}, which it does not explain.")
    return tuple(sorted(words, key=lambda word: word.word.casefold()))


def glossary_text(words: Sequence[Word]) -> str:
    """Return the words as Markdown."""
    lines = ["# Glossary", "", "One word for one thing, the field's own where it has one.", ""]
    for word in words:
        lines += [f"### {word.word}", ""]
        if word.also:
            lines += [f"*Also: {', '.join(word.also)}.*", ""]
        see = f" See {', '.join(f'[{other}](<#{other}>)' for other in word.see)}." if word.see else ""
        lines += [word.meaning + see, ""]
    return "\n".join(lines)


def _word(path: Path, number: int, entry: object) -> Word:
    where = f"{path}, word {number}"
    if not isinstance(entry, dict) or not set(entry) <= _FIELDS:
        raise SettingsError(
            f"{where}: a mapping with {', '.join(sorted(_FIELDS))} is expected; found {entry!r}."
        )
    word, meaning = entry.get("word"), entry.get("meaning")
    lists = [entry.get(name, []) for name in ("also", "see")]
    texts = [word, meaning, *(text for one in lists if isinstance(one, list) for text in one)]
    if not all(isinstance(text, str) and text for text in texts) or not all(
        isinstance(one, list) for one in lists
    ):
        raise SettingsError(f"{where}: word and meaning are texts, also and see lists of texts; {entry!r}.")
    return Word(str(word), str(meaning).strip(), tuple(lists[0]), tuple(lists[1]))
