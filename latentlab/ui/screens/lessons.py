"""The Lessons screen: all lessons as cards to choose from, or the figure of the open one, shown large."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from latentlab.session.lesson import Lesson
from latentlab.session.lesson_figure import LessonFigure
from latentlab.ui.theme import Theme
from latentlab.ui.views.lesson_figure import FigureView
from latentlab.ui.widgets.buttons import text_button
from latentlab.ui.widgets.form import caption, scrolled
from latentlab.ui.widgets.lesson_tile import LessonTile

TILE_LEAST, GAP, MOST_COLUMNS = 260, 12, 3
ABOUT = (
    "Guided tours on the real screens, a minute or two each: what to try, what to look for, a question "
    "before its answer, and what it does not show. What you have open comes back when a lesson is closed."
)
NOTHING = "This installation has no lessons. Open one of your own: a Markdown file."


class LessonsScreen(QWidget):
    """Lists lessons; ``lesson_chosen`` tells one that is to begin.

    Parameters
    ----------
    open_lesson, presenter
        The actions that open a lesson's file, and begin or end the presentation.
    """

    name = "lessons"
    title = "Lessons"
    lesson_chosen = Signal(Lesson)

    def __init__(
        self, theme: Theme, open_lesson: QAction, presenter: QAction, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.active = False
        self.tiles: list[LessonTile] = []
        self.lessons: tuple[Lesson, ...] = ()
        self._columns = 0
        self.figure = FigureView(theme)
        self.faults = caption("")
        self.faults.setProperty("role", "warning")
        self.faults.setWordWrap(True)
        self.faults.setTextFormat(Qt.TextFormat.PlainText)
        self.faults.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.faults.setAccessibleName("Lessons that cannot be shown")
        heading, about = QLabel("Lessons"), caption(ABOUT)
        heading.setProperty("role", "headline")
        about.setWordWrap(True)
        self.buttons = [text_button(open_lesson, "Open a lesson…"), text_button(presenter, "Presenter mode")]
        top = QHBoxLayout()
        top.addWidget(heading, 1)
        for button in self.buttons:
            top.addWidget(button)
        self._inner = QWidget()
        self._inner.setObjectName("plain")
        self._grid = QGridLayout()
        self._grid.setSpacing(GAP)
        column = QVBoxLayout(self._inner)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(GAP)
        column.addWidget(about)
        column.addLayout(self._grid)
        column.addWidget(self.faults)
        column.addStretch(1)
        page = QWidget()
        within = QVBoxLayout(page)
        within.setContentsMargins(0, 0, 0, 0)
        within.setSpacing(8)
        within.addLayout(top)
        self.area = scrolled(self._inner)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        within.addWidget(self.area, 1)
        self._pages = QStackedWidget()
        self._pages.addWidget(page)
        self._pages.addWidget(self.figure)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 4, 16, 12)
        layout.addWidget(self._pages)
        self.show_lessons((), ())

    @property
    def shows_figure(self) -> bool:
        """Whether a figure is shown in the place of the list."""
        return self._pages.currentWidget() is self.figure

    @property
    def at_rest(self) -> bool:
        """Whether what is shown belongs to what is set."""
        return not self.shows_figure or self.figure.at_rest

    def set_smooth(self, smooth: bool) -> None:
        """Do nothing: there are no pictures here."""

    def close_threads(self) -> None:
        """Do nothing: what works in the background is the guide's."""

    def show_lessons(self, lessons: Sequence[Lesson], faults: Sequence[str]) -> None:
        """List these, and say why others cannot be shown."""
        self.lessons = tuple(lessons)
        for tile in self.tiles:
            tile.setParent(None)
            tile.deleteLater()
        self.tiles = [LessonTile(lesson) for lesson in lessons]
        for tile in self.tiles:
            tile.clicked.connect(lambda _checked=False, tile=tile: self.lesson_chosen.emit(tile.lesson))
        said = [*faults, *([] if lessons or faults else [NOTHING])]
        self.faults.setText("\n\n".join(said))
        self.faults.setVisible(bool(said))
        self._columns = 0
        self._place()

    def show_current(self, lesson: Lesson | None) -> None:
        """Mark the lesson that is open."""
        for tile in self.tiles:
            tile.show_current(lesson is not None and tile.lesson.path == lesson.path)

    def show_figure(self, figure: LessonFigure | None) -> None:
        """Show a figure large, or the list."""
        self.figure.show_one(figure)
        self._pages.setCurrentIndex(0 if figure is None else 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the cards in as many columns as there is room for."""
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        room = self.width() - 32
        columns = max(1, min(MOST_COLUMNS, (room + GAP) // (TILE_LEAST + GAP)))
        if columns == self._columns:
            return
        self._columns = columns
        for column in range(MOST_COLUMNS):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)
        for place, tile in enumerate(self.tiles):
            self._grid.addWidget(tile, place // columns, place % columns)
