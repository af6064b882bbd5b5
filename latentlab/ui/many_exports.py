"""Saves and copies what the view of many pictures shows: the table, an example, a program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QApplication

from latentlab.operations.projection_plan import NOTE, mode_words
from latentlab.session.many import ManyFound
from latentlab.session.many_code import many_code
from latentlab.session.workspace import Workspace
from latentlab.session.writing import FileWriter
from latentlab.ui.screen_exports import MadeExports

if TYPE_CHECKING:
    from latentlab.ui.views.many import ManyPage

WIDTH = 1080
"""Width of an exported table in pixels, before enlarging."""
NOTHING = "There are no projections yet. Choose pictures on the left, and project them."
NO_EXAMPLE = "No example is shown. Choose a cell of the table whose class changes."
NO_TABLE = "There is no table yet: nothing of these pictures has been counted."


class ManyExports(MadeExports):
    """Writes and copies; failures become messages. Everything is there already, settled."""

    def __init__(self, workspace: Workspace, page: ManyPage, writer: FileWriter) -> None:
        super().__init__(workspace, writer, "example", ("example.png", "shifts.png", "shifts.csv"))
        self._page = page

    def figure(self, path: Path) -> None:
        """Save the table as it is shown, with all its rows."""
        found, page = self._page.data.found, self._page
        if found is None or page.table is None:
            self._refuse(NO_TABLE)
            return
        image = page.shifts.picture(WIDTH, self._title(found), self._caption(found))
        self._save_image(image, path)

    def table(self, path: Path) -> None:
        """Save one row per dataset, attribute and class, and beside it one per picture and dataset."""
        found, opened = self._page.data.found, self._workspace.opened
        if found is None or opened is None:
            self._refuse(NOTHING)
            return
        beside = path.with_name(f"{path.stem}-pictures{path.suffix}")
        judge = opened.predictor

        def write() -> None:
            from latentlab.operations.projection_table import composition_rows, projection_rows, shift_rows
            from latentlab.operations.row_table import save_rows

            groups = [
                {"mode": mode, **row} for mode, shifts in found.shifts.items() for row in shift_rows(shifts)
            ]
            if shown == "bias":
                groups = composition_rows(found.bias)
            if groups:
                save_rows(path, groups)
            pictures = [
                row for folder in found.folders.values() for row in projection_rows(folder.found, judge)
            ]
            save_rows(beside if groups else path, pictures)

        shown = found.shown(self._page.view)
        counted = bool(found.bias if shown == "bias" else found.shifts)
        where = f"{path} and {beside.name}" if counted else f"{path}"
        self._writer.write(write, f"Saved as {where}.")

    def copy_python(self) -> None:
        """Copy a program that projects the pictures again and writes the tables."""
        wanted = self._page.data.wanted
        if wanted is None:
            self._refuse(NOTHING)
            return
        QApplication.clipboard().setText(many_code(self._workspace.session.document, wanted))
        self._note("A Python program that projects these pictures again was copied.")

    def _chosen(self, take: Callable[[NDArray[np.uint8]], None]) -> None:
        example = self._page.example
        if example is None:
            self._refuse(NO_EXAMPLE)
        else:
            take(example.pictures[1])

    def _title(self, found: ManyFound) -> str:
        view, table = self._page.view, self._page.table
        shown = found.shown(view)
        target = self._page.shifts.shifts.target
        what = "Composition bias" if shown == "bias" else f"Shifts, {mode_words(float(shown == 'keep'))}"
        assert table is not None
        return f"{what}: {target}" if target else what

    def _caption(self, found: ManyFound) -> str:
        """Say of which pictures and model it is, who judged, and what else is to be known."""
        opened, page = self._workspace.opened, self._page
        assert opened is not None
        view = page.view
        what = view.data or f"{len(view.pictures)} chosen pictures"
        return " ".join(
            [
                f"{found.count:,} pictures of {what}, projected by {opened.name} (weights SHA-256 "
                f"{opened.sha256[:12]}…).",
                page.form.judge.text(),
                page.legend.text(),
                NOTE,
            ]
        )
