"""A lesson as it is read from its file: what is said, what is tried, and how each step sets the session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

LIMITS = "What this does not show"
"""The title of every lesson's last step."""

Value = str | int | float | bool | tuple["Value", ...]
"""What a session step or a figure is given."""


@dataclass(frozen=True)
class SessionStep:
    """One thing that is done to the session, by a word of `latentlab.session.lesson_words`.

    Parameters
    ----------
    arguments
        As they stand in the file, by name and of the right types; those that are left out are not there.
    line
        Where it stands in the file.
    """

    name: str
    arguments: Mapping[str, Value] = field(default_factory=dict)
    line: int = 0

    @property
    def words(self) -> str:
        """The step on one line, such as ``slide: dimension 3, to 2``."""
        if len(self.arguments) == 1:
            return f"{self.name}: {_words(next(iter(self.arguments.values())))}"
        said = ", ".join(f"{name} {_words(value)}" for name, value in self.arguments.items())
        return f"{self.name}: {said}" if said else self.name


@dataclass(frozen=True)
class Text:
    """A stretch of text, in Markdown."""

    text: str


@dataclass(frozen=True)
class Hint:
    """What to try, or what to look for, in Markdown; without the words that say which."""

    kind: Literal["try", "look"]
    text: str


@dataclass(frozen=True)
class Question:
    """A question, and its answer, which is hidden until somebody asks for it; both in Markdown."""

    question: str
    answer: str


@dataclass(frozen=True)
class Figure:
    """An experiment with known truth (`latentlab.audit.experiments`), and its sliders' first values.

    What is not set is as usual.
    """

    experiment: str
    values: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    line: int = 0


Part = Text | Hint | Question | Figure


@dataclass(frozen=True)
class LessonStep:
    """One step of a lesson: what is said, in order, and how the session is set when it is entered."""

    title: str
    parts: tuple[Part, ...] = ()
    session: tuple[SessionStep, ...] = ()
    line: int = 0

    @property
    def questions(self) -> tuple[Question, ...]:
        """Its questions, in order."""
        return tuple(part for part in self.parts if isinstance(part, Question))


@dataclass(frozen=True)
class Lesson:
    """A whole lesson.

    Parameters
    ----------
    name
        The file's name without its suffix.
    path
        The file: what a step names beside it, such as a picture, is looked for in its folder.
    order, minutes
        Its place in the list, and how long it takes.
    summary
        One sentence.
    needs
        The bundled models and sets that it opens.
    introduction
        What stands before the first step, in Markdown.
    steps
        In order; the last is called `LIMITS`.
    """

    name: str
    path: Path
    title: str
    order: int
    minutes: int
    summary: str
    needs: tuple[str, ...]
    introduction: str
    steps: tuple[LessonStep, ...]

    @property
    def length(self) -> str:
        """How long it takes, in words."""
        return f"{self.minutes} minute{'s' if self.minutes != 1 else ''}"


def _words(value: Value) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_words, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
