"""Saves and copies what the Counterfactuals screen shows: settled pictures, a figure, a table, a program."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QApplication

from latentlab.session.counterfactual import chosen_attribute
from latentlab.session.counterfactual_code import counterfactual_code
from latentlab.session.workspace import Workspace
from latentlab.session.writing import FileWriter
from latentlab.ui.screen_exports import MadeExports

if TYPE_CHECKING:
    from latentlab.operations.counterfactual import CounterfactualPage, Counterfactuals
    from latentlab.ui.screens.counterfactuals import CounterfactualsScreen

NOT_YET = "There are no counterfactuals yet. Wait until they are there, or choose a picture."


class CounterfactualExports(MadeExports):
    """Writes and copies; failures become messages.

    What is exported of the edited picture is rendered settled first; a page is settled already.
    """

    def __init__(self, workspace: Workspace, screen: CounterfactualsScreen, writer: FileWriter) -> None:
        names = "counterfactual.png", "counterfactuals.png", "counterfactuals.csv"
        super().__init__(workspace, writer, "counterfactual", names)
        self._screen = screen

    def figure(self, path: Path) -> None:
        """Save all that is shown as one picture: before, counterfactuals, differences, and the truth."""

        def save(found: Counterfactuals | CounterfactualPage) -> None:
            def write() -> None:
                from latentlab.data.contact_sheet import save_sheet
                from latentlab.operations.counterfactual_figure import figure

                save_sheet(path, np.array(figure(found)))

            self._writer.write(write, f"Saved as {path}.")

        self._all(save)

    def table(self, path: Path) -> None:
        """Save the numbers of all that is shown as CSV."""

        def save(found: Counterfactuals | CounterfactualPage) -> None:
            from latentlab.operations.counterfactual_table import counterfactual_rows
            from latentlab.operations.row_table import save_rows

            rows = counterfactual_rows(found)
            self._writer.write(partial(save_rows, path, rows), f"Saved as {path}.")

        self._all(save)

    def copy_python(self) -> None:
        """Copy a program that makes what is shown again."""
        document, opened = self._workspace.session.document, self._workspace.opened
        if opened is None or not opened.spec.condition.size:
            self._refuse(NOT_YET)
            return
        attribute = chosen_attribute(opened.spec.condition, document.shelf.counterfactual)
        QApplication.clipboard().setText(counterfactual_code(document, attribute))
        self._note("A Python program that makes the counterfactuals again was copied.")

    def _chosen(self, take: Callable[[NDArray[np.uint8]], None]) -> None:
        place = self._screen.selected

        def have(found: Counterfactuals | CounterfactualPage) -> None:
            from latentlab.operations.counterfactual import Counterfactuals

            if place is None:
                self._refuse(NOT_YET)
            elif isinstance(found, Counterfactuals):
                take(found.items[place].picture)
            else:
                take(found.cases[place].items[0].picture)

        self._all(have)

    def _all(self, take: Callable[[Counterfactuals | CounterfactualPage], None]) -> None:
        if not self._workspace.session.document.shelf.counterfactual.data:
            self._begin()
            self._screen.maker.make_row(partial(self._have, take))
        elif self._screen.maker.page is not None:
            take(self._screen.maker.page)
        else:
            self._refuse(NOT_YET)
