"""What every screen's exports have: the state of what is being rendered for them, and their messages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from psygnal import Signal

from latentlab.session.session import Message
from latentlab.session.workspace import Workspace

Target = tuple[str, Callable[[Path], object]]
"""What a file is called at first, and what writes it."""


class ScreenExports(NamedTuple):
    """What the export and copy actions do on a screen as it is now."""

    picture: Target
    figure: Target
    table: Target
    copy_picture: Callable[[], object]
    copy_python: Callable[[], object]


class Renderings:
    """Counts what is being rendered to be saved or copied.

    Attributes
    ----------
    rendered
        Nothing is being rendered any more; whether all of it has been given to the writer (`bool`), or
        something has come to nothing.
    """

    rendered = Signal(bool)

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._underway, self._whole = 0, True

    @property
    def rendering(self) -> bool:
        """Whether anything that was asked for is still being rendered."""
        return self._underway > 0

    def _begin(self) -> None:
        self._whole = self._whole or not self._underway
        self._underway += 1

    def _end(self, whole: bool = True) -> None:
        self._whole = self._whole and whole
        self._underway -= 1
        if not self._underway:
            self.rendered.emit(self._whole)

    def _refuse(self, text: str, details: str = "") -> None:
        self._workspace.session.message.emit(Message("error", text, details))

    def _note(self, text: str) -> None:
        self._workspace.session.message.emit(Message("note", text))
