"""How a lesson is written, with all that its session blocks can do: a page of Help, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from latentlab.paths import bundled
from latentlab.session.lesson_words.vocabulary import VOCABULARY
from latentlab.session.lesson_words.word import Word


def writing_text() -> str:
    """Return the page.

    Raises
    ------
    LatentLabError
        If the installation lacks its text.
    """
    text = bundled("resources", "help", "writing-a-lesson.md").read_text(encoding="utf-8")
    return "\n".join([text.rstrip(), "", *_words()]) + "\n"


def _words() -> Iterator[str]:
    yield "## What a session block can do"
    yield ""
    yield (
        "A lone value stands for the first argument: `open: faces-vae` is `open: {model: faces-vae}`. What "
        "is in *italics* may be left out."
    )
    for screen in dict.fromkeys(word.screen for word in VOCABULARY.values()):
        yield from ("", f"### {screen.capitalize()}", "")
        yield from (_told(word) for word in VOCABULARY.values() if word.screen == screen)


def _told(word: Word) -> str:
    said = [
        f"{one.name if one.required else f'*{one.name}*'} ({one.tip}: {one.expected})"
        for one in word.arguments
    ]
    said += [word.more_named] if word.more_named else []
    arguments = f" {'; '.join(said)}." if said else ""
    return f"- `{word.name}` {word.purpose[0].lower()}{word.purpose[1:]}{arguments}"
