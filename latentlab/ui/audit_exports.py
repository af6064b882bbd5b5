"""Saves and copies what the Audit screen shows: charts, table of groups, figures, report, a program."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from latentlab.audit.files import GROUPS, HTML, PDF
from latentlab.audit.save_charts import save_charts
from latentlab.errors import SettingsError
from latentlab.session.audit_beside import FIRST, SECOND
from latentlab.session.audit_code import audit_code
from latentlab.session.audit_folder import StudyFound
from latentlab.session.audit_words import PERCEIVED
from latentlab.session.workspace import Workspace
from latentlab.session.writing import FileWriter
from latentlab.ui.screen_exports import ShownExports
from latentlab.ui.widgets.audit_columns import charts_picture
from latentlab.whole_file import whole_file, write_table

if TYPE_CHECKING:
    from latentlab.ui.screens.audit import AuditScreen

WIDTH = 1080
"""Width of an exported picture in pixels, before enlarging."""
NOTHING = "There are no results yet. Choose a study on the left, and start it."
NO_TABLE = "There is no table of groups yet: the study is not done."
NO_REPORT = "There is no report yet: it is written when the study is done."
NOT_ASKED = "What this study was asked is not known, so no program can be written."


class AuditExports(ShownExports):
    """Writes and copies; failures become messages. Everything is there already."""

    def __init__(self, workspace: Workspace, screen: AuditScreen, writer: FileWriter) -> None:
        super().__init__(workspace, writer, "The charts were", ("audit.png", "audit.pdf", "groups.csv"))
        self._screen = screen

    def figure(self, path: Path) -> None:
        """Save the charts as a figure for print: PDF or SVG, by the path's ending."""
        charts = [shown.chart for shown in self._screen.results.shown]
        if not charts:
            self._refuse(NOTHING)
            return
        self._writer.write(lambda: save_charts(path, charts), f"Saved as {path}.")

    def table(self, path: Path) -> None:
        """Save one row a group; of two studies those of both, with which one's each is."""
        studies = self._studies()
        files = [one.file(GROUPS) for one in studies]
        if not studies or not all(files):
            self._refuse(NO_TABLE if studies else NOTHING)
            return
        sources = [file for file in files if file is not None]

        def write() -> None:
            if len(sources) == 1:
                with whole_file(path) as part:
                    shutil.copyfile(sources[0], part)
            else:
                save_together(path, sources)

        self._writer.write(write, f"Saved as {path}.")

    def report(self, path: Path) -> None:
        """Save the report: HTML or PDF, by the path's ending."""
        studies = self._studies()
        found = studies[0].file(PDF if path.suffix.lower() == ".pdf" else HTML) if studies else None
        if found is None:
            self._refuse(NO_REPORT if studies else NOTHING)
            return

        def write() -> None:
            with whole_file(path) as part:
                shutil.copyfile(found, part)

        self._writer.write(write, f"Saved as {path}.")

    def copy_python(self) -> None:
        """Copy a program that does the study again."""
        request = self._screen.request
        if request is None:
            self._refuse(NOT_ASKED)
            return
        device = self._workspace.override.device or "auto"
        QApplication.clipboard().setText(audit_code(request, device))
        self._note("A Python program that does this study again was copied.")

    def _studies(self) -> tuple[StudyFound, ...]:
        return self._screen.results.studies

    def _image(self) -> QImage | None:
        results = self._screen.results
        if not results.shown:
            self._refuse(NOTHING)
            return None
        title = "     ".join(
            f"{letter}: {one.title}" if len(results.studies) > 1 else one.title
            for letter, one in zip((FIRST, SECOND), results.studies, strict=False)
        )
        return charts_picture(results.shown, WIDTH, title, self._caption(), results)

    def _caption(self) -> str:
        """Say of which weights it is, and what the labels are."""
        said = []
        for one in self._studies():
            checkpoint = one.record.get("checkpoint")
            sha256 = checkpoint.get("sha256") if isinstance(checkpoint, dict) else ""
            weights = f" (weights SHA-256 {str(sha256)[:12]}…)" if sha256 else ""
            of = f"{one.images:,} images of " if one.images else ""
            said.append(f"{of}{one.of}{weights}." if one.of else "")
        return " ".join([*filter(None, said), PERCEIVED])


def save_together(path: Path, sources: Sequence[Path]) -> None:
    """Write the tables of two studies as one, with a first column that says which one's a row is.

    Raises
    ------
    SettingsError
        If one cannot be read, or the table cannot be written.
    """
    rows: list[dict[str, str]] = []
    for letter, source in zip((FIRST, SECOND), sources, strict=False):
        try:
            with source.open(encoding="utf-8", newline="") as file:
                rows += [{"study": letter, **row} for row in csv.DictReader(file)]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise SettingsError(f"{source} cannot be read: {error}.") from None
    columns = list(dict.fromkeys(name for row in rows for name in row))
    write_table(path, columns, ([row.get(name, "") for name in columns] for row in rows))
