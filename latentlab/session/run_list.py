"""A list of what was done in the background: found, read and deleted on a thread of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from psygnal import Signal

from latentlab.errors import SettingsError
from latentlab.jobs.job import Job
from latentlab.session.background import Background
from latentlab.session.session import Message
from latentlab.session.workspace import Workspace

Run = TypeVar("Run")
Done = TypeVar("Done")


class RunList(Generic[Run]):
    """Keeps a list of runs, and does what is asked of them; nobody waits for it.

    Parameters
    ----------
    name
        What its thread is called.
    find
        Returns the runs that there are, the newest first.
    called
        What several of them are called.

    Attributes
    ----------
    changed
        Another list is there.
    runs
        The runs, the newest first.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace, name: str, find: Callable[[], list[Run]], called: str) -> None:
        self._session = workspace.session
        self._background = Background(workspace.rendering.post, name)
        self._find, self._called = find, called
        self._waiting = 0
        self.runs: tuple[Run, ...] = ()

    @property
    def busy(self) -> bool:
        """Whether something is still being read."""
        return self._waiting > 0

    def refresh(self, then: Callable[[], object] | None = None) -> None:
        """Look which runs there are."""

        def take(runs: list[Run]) -> None:
            if tuple(runs) != self.runs:
                self.runs = tuple(runs)
                self.changed.emit()
            if then is not None:
                then()

        self._do(self._find, take, f"The earlier {self._called} could not be listed")

    def close(self) -> None:
        """Stop its thread."""
        self._background.close(drop=True)

    def _read(self, work: Callable[[], Done], then: Callable[[Done | str], object], failure: str) -> None:
        """Read something of a run; ``then`` gets it, or why it cannot be read."""

        def answer(found: Done | Message) -> None:
            then(found.text if isinstance(found, Message) else found)

        self._ask(work, answer, failure)

    def _change(
        self, work: Callable[[], None], failure: str, then: Callable[[], object] | None = None
    ) -> None:
        """Change something of a run, and list all anew."""
        self._do(work, lambda _done: None if then is None else then(), failure)
        self.refresh()

    def _do(self, work: Callable[[], Done], take: Callable[[Done], object], failure: str) -> None:
        def answer(done: Done | Message) -> None:
            if isinstance(done, Message):
                self._session.message.emit(done)
            else:
                take(done)

        self._ask(work, answer, failure)

    def _ask(self, work: Callable[[], Done], answer: Callable[[Done | Message], None], failure: str) -> None:
        def told(done: Done | Message) -> None:
            self._waiting -= 1
            answer(done)

        self._waiting += 1
        self._background.do(work, told, failure)


def delete_folders(title: str, folder: Path, *further: Path) -> None:
    """Delete a run's folder, and further ones where they are there.

    Raises
    ------
    SettingsError
        If it is going on, or cannot be deleted.
    """
    if Job(folder).folder.alive:
        raise SettingsError(f"{title} is still going on. Stop it first.")
    try:
        shutil.rmtree(folder)
        for other in further:
            if other.exists():
                shutil.rmtree(other)
    except OSError as error:
        raise SettingsError(f"{folder} cannot be deleted: {error.strerror or error}.") from None
