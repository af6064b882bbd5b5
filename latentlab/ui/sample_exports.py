"""Saves and copies what the samples view shows: settled pictures, a figure, a table, a loop, a program."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QApplication

from latentlab.operations.projection_plan import no_projection
from latentlab.session.projection import NO_MODEL
from latentlab.session.sample_code import sample_code
from latentlab.session.workspace import Workspace
from latentlab.session.writing import FileWriter
from latentlab.ui.screen_exports import MadeExports

if TYPE_CHECKING:
    from latentlab.operations.sample_grid import SampleGrid
    from latentlab.operations.series import Series
    from latentlab.ui.views.samples import SamplesPage

NOT_YET = "There are no samples yet. Wait until they are there."


class SampleExports(MadeExports):
    """Writes and copies; failures become messages. All is rendered settled first."""

    def __init__(self, workspace: Workspace, page: SamplesPage, writer: FileWriter) -> None:
        super().__init__(workspace, writer, "sample", ("sample.png", "samples.png", "samples.csv"))
        self._page = page

    def figure(self, path: Path) -> None:
        """Save the grid as one picture, with what is predicted otherwise below each sample."""

        def save(grid: SampleGrid) -> None:
            def write() -> None:
                from latentlab.data.contact_sheet import save_sheet
                from latentlab.operations.sample_figure import sample_figure

                save_sheet(path, np.array(sample_figure(grid)))

            self._writer.write(write, f"Saved as {path}.")

        self._all(save)

    def table(self, path: Path) -> None:
        """Save seed, dataset, |z| and predicted classes of all samples as CSV."""

        def save(grid: SampleGrid) -> None:
            def write() -> None:
                from latentlab.operations.row_table import save_rows
                from latentlab.operations.sample_figure import sample_rows

                save_rows(path, sample_rows(grid))

            self._writer.write(write, f"Saved as {path}.")

        self._all(save)

    def loop(self, path: Path, fps: float) -> None:
        """Save the strip as a loop that goes to and fro; the suffix says the format."""

        def save(series: Series) -> None:
            self._writer.write(partial(series.save_loop, path, fps, back=True), f"Saved as {path}.")

        self._begin()
        self._note("Rendering the pictures of the strip…")
        self._page.maker.make_strip(partial(self._have, save))

    def copy_python(self) -> None:
        """Copy a program that draws the samples again."""
        opened = self._workspace.opened
        why = NO_MODEL if opened is None else no_projection(opened.spec, opened.name)
        if why or opened is None:
            self._refuse(why)
            return
        document = self._workspace.session.document
        QApplication.clipboard().setText(sample_code(document, opened.spec.condition))
        self._note("A Python program that draws the samples again was copied.")

    def _chosen(self, take: Callable[[NDArray[np.uint8]], None]) -> None:
        cell = self._page.selected
        if cell is None:
            self._refuse(NOT_YET)
            return
        self._begin()
        self._page.maker.make_picture(cell, partial(self._have, take))

    def _all(self, take: Callable[[SampleGrid], None]) -> None:
        self._begin()
        self._page.maker.make_grid(partial(self._have, take))
