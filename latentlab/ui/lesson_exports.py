"""Saves and copies what the Lessons screen shows: a figure with known truth, or the list of lessons."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from latentlab.session.audit_beside import alone
from latentlab.session.lesson_code import lessons_code
from latentlab.session.lesson_figure import LessonFigure
from latentlab.session.workspace import Workspace
from latentlab.session.writing import FileWriter
from latentlab.ui.screen_exports import ShownExports
from latentlab.ui.screens.lessons import LessonsScreen
from latentlab.ui.widgets.audit_columns import charts_picture
from latentlab.whole_file import write_table

WIDTH = 1080
"""Width of an exported picture in pixels, before enlarging."""
NO_FIGURE = "No figure is shown. Show that of a lesson's step large first; the other screens save their own."
HEADER = ("order", "name", "title", "minutes", "steps", "questions", "needs", "summary")


class LessonExports(ShownExports):
    """Writes and copies; failures become messages. Everything is there already."""

    def __init__(self, workspace: Workspace, screen: LessonsScreen, writer: FileWriter) -> None:
        names = "lesson.png", "lesson.pdf", "lesson.csv"
        super().__init__(workspace, writer, "What is shown of the lesson was", names)
        self._screen = screen

    def figure(self, path: Path) -> None:
        """Save the charts as a figure for print: PDF or SVG, by the path's ending."""
        shown = self._figure
        made = None if shown is None else shown.made
        if made is None:
            self._refuse(NO_FIGURE)
            return

        def write() -> None:
            from latentlab.audit.experiments.save import save_figure_of

            save_figure_of(path, made)

        self._writer.write(write, f"Saved as {path}.")

    def table(self, path: Path) -> None:
        """Save the numbers of the figure; of the list, one row a lesson."""
        shown = self._figure
        if shown is not None and shown.made is not None:
            rows = shown.made.rows
            header = tuple(rows[0]) if rows else ()
            lines = [tuple("" if value is None else value for value in row.values()) for row in rows]
        else:
            header = HEADER
            lines = [
                (
                    one.order,
                    one.name,
                    one.title,
                    one.minutes,
                    len(one.steps),
                    sum(len(step.questions) for step in one.steps),
                    " ".join(one.needs),
                    one.summary,
                )
                for one in self._screen.lessons
            ]
        self._writer.write(lambda: write_table(path, header, lines), f"Saved as {path}.")

    def copy_python(self) -> None:
        """Copy a program that draws the figure again; of the list, one that reads all lessons."""
        shown = self._figure
        if shown is not None and shown.experiment is not None:
            from latentlab.audit.experiments.code import experiment_code

            text = experiment_code(shown.experiment.name, shown.values, shown.seed)
            said = "A Python program that draws this figure again was copied."
        else:
            text, said = lessons_code(), "A Python program that reads all lessons was copied."
        QApplication.clipboard().setText(text)
        self._note(said)

    @property
    def _figure(self) -> LessonFigure | None:
        return self._screen.figure.figure if self._screen.shows_figure else None

    def _image(self) -> QImage | None:
        shown = self._figure
        if shown is None:
            return self._screen.grab().toImage()
        if shown.made is None or shown.experiment is None:
            self._refuse(shown.failure or NO_FIGURE)
            return None
        one, made = shown.experiment, shown.made
        values = ", ".join(
            f"{part.title.lower()} {part.told(made.values[part.name])}" for part in one.parameters
        )
        caption = " ".join([*made.statements, f"{values}; seed {made.seed}.".capitalize(), made.not_shown])
        return charts_picture(
            [alone(chart) for chart in made.charts], WIDTH, one.title, caption, self._screen
        )
