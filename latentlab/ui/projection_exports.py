"""Saves and copies what the projections view shows: settled pictures, a figure, a table, a program."""

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
from latentlab.session.projection_code import projection_code
from latentlab.session.workspace import Workspace
from latentlab.session.writing import FileWriter
from latentlab.ui.screen_exports import MadeExports

if TYPE_CHECKING:
    from latentlab.operations.project import Projected
    from latentlab.ui.views.projections import ProjectionsPage


class ProjectionExports(MadeExports):
    """Writes and copies; failures become messages. All is rendered settled first."""

    def __init__(self, workspace: Workspace, page: ProjectionsPage, writer: FileWriter) -> None:
        super().__init__(workspace, writer, "projection", ("analogy.png", "analogies.png", "analogies.csv"))
        self._page = page

    def figure(self, path: Path) -> None:
        """Save the input and all projections as one picture, with what changed below each."""
        opened = self._workspace.opened

        def save(found: Projected) -> None:
            def write() -> None:
                from latentlab.data.contact_sheet import save_sheet
                from latentlab.operations.projection_figure import projection_figure

                assert opened is not None
                domain = opened.spec.condition.attributes[0].name
                save_sheet(path, np.array(projection_figure(found, opened.predictor, domain)))

            self._writer.write(write, f"Saved as {path}.")

        self._all(save)

    def table(self, path: Path) -> None:
        """Save |z|, round trip and predicted classes of all projections as CSV."""
        opened = self._workspace.opened

        def save(found: Projected) -> None:
            def write() -> None:
                from latentlab.operations.projection_table import projection_rows
                from latentlab.operations.row_table import save_rows

                assert opened is not None
                save_rows(path, projection_rows([found], opened.predictor))

            self._writer.write(write, f"Saved as {path}.")

        self._all(save)

    def copy_python(self) -> None:
        """Copy a program that makes the projections again."""
        opened = self._workspace.opened
        why = NO_MODEL if opened is None else no_projection(opened.spec, opened.name)
        if why or opened is None:
            self._refuse(why)
            return
        document = self._workspace.session.document
        QApplication.clipboard().setText(projection_code(document, opened.spec.condition))
        self._note("A Python program that makes the projections again was copied.")

    def _chosen(self, take: Callable[[NDArray[np.uint8]], None]) -> None:
        place = self._page.selected
        self._all(lambda found: take(found.items[place].picture))

    def _all(self, take: Callable[[Projected], None]) -> None:
        self._begin()
        self._page.maker.make(partial(self._have, take))
