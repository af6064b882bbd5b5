"""A word of a session block: what it needs, and what it does to the session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from latentlab.errors import SettingsError
from latentlab.session.intents import Intents
from latentlab.session.lesson import Value
from latentlab.session.lesson_words.arguments import Argument, Given
from latentlab.session.workspace import Workspace
from latentlab.spec import ModelSpec

Need = Literal["nothing", "model", "condition", "picture", "projection"]
"""What has to be open: any model, a conditional one, a picture too, or a model that projects."""


class Stage:
    """What the words act on: the session, by its intents.

    Parameters
    ----------
    folder
        Where files lie that a lesson names.
    """

    def __init__(self, workspace: Workspace, intents: Intents, folder: Path) -> None:
        self.workspace, self.intents, self.folder = workspace, intents, folder

    @property
    def spec(self) -> ModelSpec:
        """The open model's specification.

        Raises
        ------
        SettingsError
            If none is open.
        """
        opened = self.workspace.opened
        if opened is None or not self.workspace.in_step:
            raise SettingsError("No model is open; open one first.")
        return opened.spec

    def path_of(self, name: str) -> str:
        """Return where a file or folder lies: beside the lesson, or as it is named."""
        return path_beside(self.folder, name)


def path_beside(folder: Path, name: str) -> str:
    """Return the path of what lies in a folder under a name; the name itself where nothing does."""
    try:
        beside = folder / Path(name).expanduser()
        return str(beside.resolve()) if beside.exists() else name
    except (OSError, RuntimeError):  # such as the home of somebody who is not there
        return name


@dataclass(eq=False)
class Foreseen:
    """What is known of the session at a place in a lesson, without opening anything.

    Parameters
    ----------
    model, spec
        The model that will be open, None where none will be; its name as the lesson has it.
    judge
        The predictor that it will be opened with; empty for the usual one.
    picture
        Whether there will be a picture.
    pins, directions
        Those that there will be.
    used
        Bundled models and sets that were opened so far.
    """

    folder: Path
    model: str = ""
    spec: ModelSpec | None = None
    judge: str = ""
    picture: bool = False
    pins: set[str] = field(default_factory=set)
    directions: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    screen: str = ""

    @property
    def open_spec(self) -> ModelSpec:
        """The specification of the model that will be open; only where one will be."""
        assert self.spec is not None
        return self.spec


@dataclass(frozen=True)
class Word:
    """A word of the vocabulary.

    Parameters
    ----------
    name
        As it stands in a lesson.
    screen
        Where it belongs, for the list of words.
    purpose
        What it does, in one sentence.
    arguments
        The first is the one that a lone value stands for.
    do
        Does it, by the intents that the window sends; None for what is the window's, which
        `latentlab.session.lessons` tells it.
    foresee
        Raises `SettingsError` where it could not be done to what is foreseen; notes what will be after it.
    needs
        What has to be open.
    more, more_named
        Arguments that depend on what was given; which these are, in words.
    """

    name: str
    screen: str
    purpose: str
    arguments: tuple[Argument, ...]
    do: Callable[[Stage, Given], None] | None
    foresee: Callable[[Foreseen, Given], None] = lambda _foreseen, _given: None
    needs: Need = "model"
    more: Callable[[Given], tuple[Argument, ...]] = lambda _given: ()
    more_named: str = ""

    def record(self) -> dict[str, Any]:
        """Return what it is as JSON takes it."""
        arguments = [
            {"name": one.name, "what": one.tip, "expected": one.expected, "required": one.required}
            for one in self.arguments
        ]
        more = {"more": self.more_named} if self.more_named else {}
        return {"screen": self.screen, "purpose": self.purpose, "arguments": arguments, **more}

    def read(self, arguments: Mapping[str, Value]) -> dict[str, Any]:
        """Return arguments of the right types.

        Raises
        ------
        SettingsError
            If one is unknown, missing, or cannot be that.
        """
        given = dict(arguments)
        if "" in given:
            if not self.arguments:
                raise SettingsError(f"{self.name} takes no arguments; found {given['']!r}")
            given[self.arguments[0].name] = given.pop("")
        found = self._read(given, self.arguments)
        more = () if self._missing(found) else self.more(found)
        found |= self._read(given, more)
        for name in given:
            if name not in found and not (self.more_named and self._missing(found)):
                listed = ", ".join(one.name for one in (*self.arguments, *more)) or "no arguments"
                raise SettingsError(f"{self.name} takes {listed}; found {name!r}")
        for one in self._missing(found):
            raise SettingsError(f"{self.name} needs {one.name}, {one.expected}; it is missing")
        return found

    def _missing(self, found: Given) -> list[Argument]:
        return [one for one in self.arguments if one.required and one.name not in found]

    def _read(self, given: Mapping[str, Value], arguments: tuple[Argument, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for one in arguments:
            if one.name in given:
                try:
                    found[one.name] = one.read(given[one.name])
                except SettingsError as error:
                    raise SettingsError(f"{self.name}: {error}") from None
        return found
