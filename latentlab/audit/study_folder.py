"""Where a study keeps what it has done: its settings, and a table with a row an image, longer as it runs.

A study that was interrupted goes on where it stopped; one with other settings needs another folder. Rows are
written a whole part at a time, so that a part that was cut off is done again.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from latentlab.audit.files import IMAGES as IMAGES
from latentlab.audit.files import SETTINGS as SETTINGS
from latentlab.errors import SettingsError
from latentlab.operations.explore import Explorer
from latentlab.progress import Progress, Reporter
from latentlab.whole_file import table_text, write_whole


class Parts:
    """Gives the rows of a study part by part: those that a folder kept, then new ones, which it keeps.

    Parameters
    ----------
    folder
        None keeps nothing.
    """

    def __init__(self, folder: StudyFolder | None) -> None:
        self._folder = folder
        self._before: Iterator[list[str]] = iter(()) if folder is None else folder.rows()
        self._given, self._kept = 0, False

    def next(self, names: Sequence[Sequence[str]], make: Callable[[], list[list[str]]]) -> list[list[str]]:
        """Return the next part's rows.

        Parameters
        ----------
        names
            What each of its rows begins with.
        make
            Makes the part where it was not kept.

        Raises
        ------
        SettingsError
            If the kept rows begin otherwise or cannot be read, or new ones cannot be written.
        """
        folder = self._folder
        self._given += len(names)
        self._kept = folder is not None and self._given <= folder.done
        if folder is None or not self._kept:
            rows = make()
            if folder is not None:
                folder.append(rows)
            return rows
        try:
            rows = list(islice(self._before, len(names)))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise SettingsError(f"{folder.images} cannot be read: {error}. Choose another folder.") from None
        alike = len(rows) == len(names) and all(
            len(row) == len(folder.columns) and row[: len(name)] == list(name)
            for row, name in zip(rows, names, strict=True)
        )
        if not alike:
            raise SettingsError(f"{folder.images} was changed. Choose another folder.")
        return rows

    def count(
        self,
        total: int,
        size: int,
        head: Callable[[int], Sequence[str]],
        make: Callable[[slice], list[list[str]]],
        count: Callable[[int, list[list[str]]], None],
        stage: str,
        reporter: Reporter,
        on_part: Callable[[], None],
    ) -> None:
        """Count all rows of a study with one an image, a part after the other.

        Parameters
        ----------
        total, size
            Images, and how many at most make a part.
        head
            Returns what an image's row begins with.
        make
            Makes the rows of a part of the images.
        count
            Is given each part's first image and its rows.
        stage
            What is told of how far it has come.
        on_part
            Called after each part.

        Raises
        ------
        SettingsError
            As `next`, or if kept rows cannot be counted.
        Cancelled
            If the reporter asked for it; what was written stays.
        """
        for start in range(0, total, size):
            reporter.raise_if_cancelled()
            part = slice(start, min(total, start + size))
            names = [head(image) for image in range(start, part.stop)]
            rows = self.next(names, partial(make, part))
            with self.counting():
                count(start, rows)
            on_part()
            reporter.report(Progress(stage, part.stop, total))

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Take rows that cannot be counted for changed ones: `SettingsError` says which file they are in.

        What is no class or no number was not written by a study; an error with rows just made is ours.
        """
        try:
            yield
        except (KeyError, ValueError) as error:
            if self._folder is None or not self._kept:
                raise
            raise SettingsError(
                f"{self._folder.images} was changed ({error}). Choose another folder."
            ) from error


@contextmanager
def on_device(explorers: Iterable[Explorer], device: torch.device) -> Iterator[None]:
    """Have models and their predictors on a device, and back on the CPU afterwards, where the others are."""
    networks = [
        cast(nn.Module, network)
        for one in explorers
        for network in (one.network, one.predictor)
        if network is not None
    ]
    try:
        for network in networks:
            network.to(device)
        yield
    finally:
        for network in networks:
            network.to("cpu")


def expect_free(path: Path) -> None:
    """Raise `SettingsError` where a folder holds files and no study."""
    if path.is_dir() and not (path / SETTINGS).exists() and any(path.iterdir()):
        raise SettingsError(f"{path} holds other files. Choose an empty folder, or that of the study.")


class StudyFolder:
    """A study's folder, made where there is none.

    Parameters
    ----------
    path
        The folder.
    settings
        All that the rows depend on, as plain values.
    columns
        Of the table of images.
    run, part
        Rows of one run (a model and a seed), and those that are written together: a run is whole parts and
        what is left.

    Raises
    ------
    SettingsError
        If the folder holds another study, or cannot be made or written, or two columns have one name, as
        where an attribute is called ``image``.
    """

    def __init__(
        self, path: Path, settings: Mapping[str, Any], columns: Sequence[str], run: int, part: int
    ) -> None:
        self.path, self.columns, self.run, self.part = path, tuple(columns), run, part
        wanted = json.loads(json.dumps(settings))
        twice = [name for name in self.columns if self.columns.count(name) > 1]
        if twice:
            raise SettingsError(
                f"The table of images has a column {twice[0]!r} of its own. Call the attribute or the model "
                "otherwise, or leave it out."
            )
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"The folder {path} cannot be made: {error.strerror or error}.") from None
        if (path / SETTINGS).exists():
            self._compare(wanted)
        else:
            expect_free(path)
            write_whole(path / SETTINGS, json.dumps(wanted, indent=1))
        self.done = self._cut()

    @property
    def images(self) -> Path:
        """The table with one row an image."""
        return self.path / IMAGES

    def rows(self) -> Iterator[list[str]]:
        """Give the rows that are there, in order."""
        if self.done:
            with self.images.open(encoding="utf-8", newline="") as file:
                reader = csv.reader(file)
                next(reader)
                yield from reader

    def append(self, rows: Sequence[Sequence[object]]) -> None:
        """Add the rows of one part."""
        text = table_text(self.columns, rows)
        try:
            with self.images.open("a", encoding="utf-8", newline="") as file:
                file.write(text if not self.done else text.partition("\n")[2])
        except OSError as error:
            raise SettingsError(f"{self.images} cannot be written: {error.strerror or error}.") from None
        self.done += len(rows)

    def _compare(self, wanted: Mapping[str, Any]) -> None:
        found: object = None
        with suppress(OSError, ValueError):
            found = json.loads((self.path / SETTINGS).read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise SettingsError(f"{self.path / SETTINGS} is damaged. Choose another folder, or delete it.")
        other = [name for name in {**found, **wanted} if found.get(name) != wanted.get(name)]
        if other:
            raise SettingsError(
                f"{self.path} holds a study with other settings: {other[0]} is {found.get(other[0])!r} "
                f"there, not {wanted.get(other[0])!r}. Choose another folder for this one."
            )

    def _cut(self) -> int:
        """Leave the table with whole parts only, and return how many rows it has."""
        if not self.images.exists():
            return 0
        place, kept, rows = 0, 0, 0
        try:
            with self.images.open("rb+") as file:
                head, wanted = file.readline(), table_text(self.columns, []).encode()
                if not wanted.startswith(head):  # one that was cut off is begun again
                    raise SettingsError(f"{self.images} has other columns. Choose another folder.")
                place = file.tell()
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    rows, place = rows + 1, place + len(line)
                    kept = place if self._whole(rows) == rows else kept
                file.truncate(kept)
        except OSError as error:
            raise SettingsError(f"{self.images} cannot be read: {error.strerror or error}.") from None
        return self._whole(rows)

    def _whole(self, rows: int) -> int:
        """Return how many of so many rows are whole parts."""
        done, rest = divmod(rows, self.run)
        return done * self.run + rest // self.part * self.part
