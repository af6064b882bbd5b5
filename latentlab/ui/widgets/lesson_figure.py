"""A lesson's figure in its pane: the first chart, the sliders, what was found, and a way to see it large."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from latentlab.session.audit_beside import alone
from latentlab.session.lesson_figure import LessonFigure
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.audit_chart import AuditChart
from latentlab.ui.widgets.form import caption, set_look
from latentlab.ui.widgets.lesson_sliders import ParameterRows

DRAWING = "The figure is being drawn…"
LARGE = "It is shown large on the screen Lessons."
RESET_TIP = "Return to what the lesson sets"
AGAIN_TIP = "Draw everything that is random anew, with the next seed"


class FigureCard(QFrame):
    """Shows a figure, and sends what a person does with it.

    ``enlarge_asked`` is the wish to see it large, with all its charts (True), or here (False).
    """

    enlarge_asked = Signal(bool)

    def __init__(self, figure: LessonFigure, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._figure, self._theme = figure, theme
        self._large = False
        self.chart: AuditChart | None = None
        self.title, self.said = QLabel(), caption("")
        self.rows = ParameterRows()
        self.buttons = FigureButtons(figure)
        self.enlarge = QPushButton()
        self.title.setProperty("role", "title")
        self.title.setWordWrap(True)
        self.said.setWordWrap(True)
        self.said.setAccessibleName("What is found")
        flags = Qt.TextInteractionFlag
        self.said.setTextInteractionFlags(flags.TextSelectableByMouse)
        self.enlarge.clicked.connect(lambda: self.enlarge_asked.emit(not self._large))
        if figure.experiment is not None:
            self.title.setText(figure.experiment.question)
            self.rows.show_parameters(figure.experiment.parameters, figure.first, theme)
        self.rows.wished.connect(figure.set)
        self._place = QVBoxLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.title)
        column.addLayout(self._place)
        column.addWidget(self.rows)
        column.addWidget(self.buttons)
        column.addWidget(self.said)
        column.addWidget(self.enlarge)
        figure.changed.connect(self.show_figure)
        self.show_figure()

    @property
    def controls(self) -> list[QWidget]:
        """What the Tab key reaches, in order."""
        chart = [self.chart] if self.chart is not None else []
        return [*chart, *self.rows.controls, *self.buttons.controls, self.enlarge]

    def leave(self) -> None:
        """Stop following the figure."""
        self._figure.changed.disconnect(self.show_figure)

    def show_large(self, large: bool) -> None:
        """Say that the figure is shown large elsewhere, or show it here."""
        if large != self._large:
            self._large = large
            self.show_figure()

    def show_figure(self) -> None:
        """Show what is set and what has come of it."""
        figure, made, here = self._figure, self._figure.made, not self._large
        if figure.experiment is not None:
            self.rows.show_values(figure.values)
        self.buttons.show_figure()
        charts = () if made is None else made.charts
        if charts and here:
            shown = alone(charts[0])
            if self.chart is None:
                self.chart = AuditChart(shown, self._theme)
                self._place.addWidget(self.chart)
            else:
                self.chart.show_chart(shown)
        if self.chart is not None:
            self.chart.setVisible(here)
        self.rows.setVisible(here and figure.experiment is not None)
        self.buttons.setVisible(here and figure.experiment is not None)
        said = figure.failure or (DRAWING if made is None else "\n".join(made.statements[:2]))
        self.said.setText(said if here else LARGE)
        set_look(self.said, "role", "warning" if figure.failure else "caption")
        self.enlarge.setVisible(figure.experiment is not None)
        count = len(charts)
        all_of_it = f"Show large, with all {count} charts" if count > 1 else "Show large"
        self.enlarge.setText("Show here" if self._large else all_of_it)
        self.enlarge.setToolTip("Show it beside the lesson's text" if self._large else _LARGE_TIP)


class FigureButtons(QWidget):
    """Returns a figure to what the lesson sets, or draws it anew."""

    def __init__(self, figure: LessonFigure, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._figure = figure
        self.reset, self.again = QPushButton("Reset"), QPushButton("Draw again")
        self.reset.setToolTip(RESET_TIP)
        self.again.setToolTip(AGAIN_TIP)
        self.seed = caption("")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.reset)
        row.addWidget(self.again)
        row.addWidget(self.seed, 1)
        self.reset.clicked.connect(figure.reset)
        self.again.clicked.connect(figure.draw_again)
        self.show_figure()

    @property
    def controls(self) -> list[QWidget]:
        """What the Tab key reaches, in order."""
        return [self.reset, self.again]

    def show_figure(self) -> None:
        """Show the seed, and whether there is anything to reset."""
        self.seed.setText(f"seed {self._figure.seed}")
        self.reset.setEnabled(self._figure.edited)


_LARGE_TIP = "Show it on the whole screen, with its formula and what is found, to save or copy it"
