"""Saves and copies what the Search screen shows: a picture, figure, table, the set, a loop, a program."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QApplication

from latentlab.operations.search_events import SearchStep
from latentlab.operations.search_plan import NOTE
from latentlab.session.search_code import search_code
from latentlab.session.search_work import SearchFound
from latentlab.session.shelf import free_name
from latentlab.session.workspace import Workspace
from latentlab.session.writing import FileWriter
from latentlab.ui.screen_exports import NamedExports
from latentlab.ui.screens.search import SearchScreen
from latentlab.ui.widgets.picture_view import bgrx, image_of
from latentlab.whole_file import whole_file, write_whole

NOTHING = "Nothing was found yet. Search first."
NO_PROGRAM = "There is nothing to search for yet: open a picture, or draw a small one."
INCHES = 9.0
CHART_INCHES = 2.6


class SearchExports(NamedExports):
    """Writes and copies; failures become messages. Everything is there already, decoded in float32.

    All of it says what it is (`latentlab.operations.search_plan.NOTE`).
    """

    def __init__(self, workspace: Workspace, screen: SearchScreen, writer: FileWriter) -> None:
        super().__init__(workspace, writer, ("found.png", "search.png", "search.csv"))
        self._screen = screen

    def picture(self, path: Path) -> None:
        """Save the restart that is looked at, at the model's own size."""

        def save(pixels: NDArray[np.uint8]) -> None:
            from latentlab.operations.search_figure import save_picture

            self._writer.write(partial(save_picture, path, pixels), f"Saved as {path}. {_LINE}")

        self._chosen(save)

    def copy_picture(self) -> None:
        """Copy the restart that is looked at."""

        def copy(pixels: NDArray[np.uint8]) -> None:
            image = image_of(bgrx(pixels)).copy()
            image.setText("Description", NOTE)
            QApplication.clipboard().setImage(image)
            self._note(f"The picture was copied. {_LINE}")

        self._chosen(copy)

    def figure(self, path: Path) -> None:
        """Save target and all restarts as a sheet; PDF and SVG have the distances by step below it."""
        found = self._found()
        if found is not None:
            self._writer.write(partial(save_search_figure, path, found), f"Saved as {path}.")

    def table(self, path: Path) -> None:
        """Save a row a restart as CSV, or all that is known as JSON, by the path's ending."""
        found = self._found()
        if found is not None:
            self._writer.write(partial(save_search_table, path, found), f"Saved as {path}.")

    def loop(self, path: Path, fps: float) -> None:
        """Save the search played back; the path's ending says the format."""
        found = self._screen.found
        if found is None or not found.frames:
            self._refuse(NOTHING)
            return
        self._note("Rendering the loop…")
        self._writer.write(partial(save_search_loop, path, found, fps), f"Saved as {path}.")

    def set(self, folder: Path) -> None:
        """Save the set into a folder: a picture a restart, the target, a sheet, a table and the record."""
        found = self._found()
        if found is None:
            return
        try:
            names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        except OSError:
            names = set()  # writing says what is wrong with it
        if names:  # nothing that is there is mixed with it or lost
            folder = folder / free_name(f"{Path(found.wanted.target.name).stem or 'picture'} found", names)
        self._writer.write(partial(save_search_set, folder, found), f"Saved in {folder}. {_LINE}")

    def copy_python(self) -> None:
        """Copy a program that finds the same set again; before a search one that makes it."""
        document, found, screen = self._workspace.session.document, self._screen.found, self._screen
        wanted, prepared = screen.wanted, screen.targets.found
        if found is not None and found.found is not None:
            text = search_code(document, found.wanted, found.prepared, found.legs)
        elif wanted is not None and prepared is not None:
            text = search_code(document, wanted, prepared, ())
        else:
            self._refuse(NO_PROGRAM)
            return
        QApplication.clipboard().setText(text)
        self._note(f"A Python program that finds this set again was copied. {_LINE}")

    def _found(self) -> SearchFound | None:
        """Return what was found; a message says so where nothing was."""
        found = self._screen.found
        if found is None or found.found is None:
            self._refuse(NOTHING)
            return None
        return found

    def _chosen(self, take: Callable[[NDArray[np.uint8]], None]) -> None:
        found = self._found()
        if found is not None and found.found is not None:
            take(found.found.restarts[self._screen.chosen].pixels)


_LINE = f"{NOTE[:1].upper()}{NOTE[1:]}."


def save_search_figure(path: Path, found: SearchFound) -> None:
    """Save the sheet of a search; as PDF or SVG with a chart of the distances.

    Raises
    ------
    SettingsError
        If it cannot be written.
    """
    from latentlab.operations.search_figure import save_picture, search_figure

    assert found.found is not None
    sheet = np.array(search_figure(found.found))
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("pdf", "svg"):
        save_picture(path, sheet)
        return
    from matplotlib.figure import Figure

    height, width = sheet.shape[:2]
    above = INCHES * height / width
    figure = Figure(figsize=(INCHES, above + CHART_INCHES))
    whole = above + CHART_INCHES
    picture = figure.add_axes((0.0, CHART_INCHES / whole, 1.0, above / whole))
    picture.imshow(sheet, interpolation="none")
    picture.set_axis_off()
    chart = figure.add_axes((0.09, 0.62 / whole, 0.88, (CHART_INCHES - 1.0) / whole))
    chart.semilogy(found.trace.steps, found.trace.distances, color="#5d6575", linewidth=0.7, alpha=0.7)
    if found.found.sampling is None:
        chart.axhline(found.found.eps.value, color="#b3261e", linewidth=1.0, linestyle="--")
        chart.set_title(f"Mean squared error by step; dashed: eps = {found.found.eps.value:.3g}", fontsize=9)
    else:
        chart.set_title("Mean squared error of the chains by step", fontsize=9)
    chart.set_xlabel(f"step · {NOTE}", fontsize=8)
    chart.tick_params(labelsize=7)
    told = {"pdf": {"Title": NOTE, "Subject": NOTE}, "svg": {"Title": NOTE, "Description": NOTE}}[kind]
    with whole_file(path) as part:
        figure.savefig(part, format=kind, metadata=told, dpi=200)


def save_search_table(path: Path, found: SearchFound) -> None:
    """Save a row a restart as CSV, or the record as JSON; raises `SettingsError` if it cannot be written."""
    from latentlab.operations.row_table import save_rows
    from latentlab.operations.search_table import search_rows

    assert found.found is not None
    record = found.found.record()
    if path.suffix.lower() == ".json":
        write_whole(path, json.dumps(record, indent=1))
    else:
        save_rows(path, search_rows([record], found.found.predictor))


def save_search_loop(path: Path, found: SearchFound, fps: float) -> None:
    """Save a search played back; raises `SettingsError` if it cannot be written."""
    from latentlab.operations.search_figure import SearchLoop

    posterior = found.wanted.view.posterior
    eps = None if posterior else found.prepared.eps.value
    loop = SearchLoop(found.prepared.target.shown(), found.wanted.steps, eps)
    count = len(found.frames[0].pictures)
    for frame in found.frames:
        if len(frame.pictures) == count:  # the kept draws of a posterior are more than its chains
            loop.add(
                SearchStep(
                    frame.step, frame.steps, frame.distances, frame.best, frame.statuses, frame.pictures
                )
            )
    loop.save(path, fps)


def save_search_set(folder: Path, found: SearchFound) -> None:
    """Save a set into a folder; raises `SettingsError` if it cannot be written."""
    from latentlab.operations.search_many import REPORT, TABLE, write_pictures

    assert found.found is not None
    write_pictures(folder, found.found)
    save_search_table(folder / TABLE, found)
    save_search_table(folder / REPORT, found)
