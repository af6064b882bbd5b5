"""A lesson's figure shown large: all its charts and what is found, beside them its sliders and formula."""

from __future__ import annotations

import html

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from latentlab.session.audit_beside import alone
from latentlab.session.lesson_figure import LessonFigure
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.audit_columns import AuditColumns
from latentlab.ui.widgets.form import WIDTH, controls_in_order, scrolled
from latentlab.ui.widgets.lesson_figure import DRAWING, FigureButtons
from latentlab.ui.widgets.lesson_sliders import ParameterRows

FOUND = "What is found"
NOT_SHOWN = "What this does not show"


class FigureView(QWidget):
    """Shows one figure at a time; ``list_asked`` is the wish to see all lessons instead."""

    list_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.figure: LessonFigure | None = None
        self.title, self.question = QLabel(), QLabel()
        self.every = QPushButton("All lessons")
        self.columns = AuditColumns(theme)
        self.rows = ParameterRows()
        self.buttons: FigureButtons | None = None
        self.found, self.about, self.formula, self.not_shown, self.sources = (QLabel() for _ in range(5))
        self._lay_out()
        self.every.clicked.connect(self.list_asked)
        self.rows.wished.connect(self._set)

    def _lay_out(self) -> None:
        self.title.setProperty("role", "name")
        self.question.setProperty("role", "caption")
        for label in (self.title, self.question):  # what is too long is cut off, not the window made wider
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.every.setToolTip("Show all lessons; the figure stays as it is set")
        names, head = QVBoxLayout(), QHBoxLayout()
        names.setSpacing(0)
        names.addWidget(self.title)
        names.addWidget(self.question)
        head.addLayout(names, 1)
        head.addWidget(self.every)
        inner = QWidget()
        inner.setObjectName("plain")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(8)
        flags = Qt.TextInteractionFlag
        column.addWidget(self.rows)
        self._place = QVBoxLayout()
        column.addLayout(self._place)
        for heading, label in (
            (FOUND, self.found),
            ("What is done", self.about),
            ("The truth", self.formula),
            (NOT_SHOWN, self.not_shown),
            ("From", self.sources),
        ):
            named = QLabel(heading)
            named.setProperty("role", "title")
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.RichText if label is self.found else Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(flags.TextSelectableByMouse)
            label.setProperty("role", "" if label is self.found else "caption")
            label.setAccessibleName(heading)
            column.addSpacing(4)
            column.addWidget(named)
            column.addWidget(label)
        column.addStretch(1)
        self.panel = panel = QFrame()
        panel.setObjectName("card")
        panel.setFixedWidth(WIDTH)
        within = QVBoxLayout(panel)
        within.setContentsMargins(16, 12, 8, 12)
        within.addWidget(scrolled(inner))
        below = QHBoxLayout()
        below.setSpacing(16)
        below.addWidget(panel)
        below.addWidget(self.columns, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addLayout(head)
        layout.addLayout(below, 1)

    @property
    def at_rest(self) -> bool:
        """Whether what is shown belongs to what is set."""
        return self.figure is None or self.figure.at_rest

    def show_one(self, figure: LessonFigure | None) -> None:
        """Show a figure, or none."""
        if figure is self.figure:
            return
        if self.figure is not None:
            self.figure.changed.disconnect(self._show, missing_ok=True)
        self.figure = figure
        if self.buttons is not None:
            self.buttons.setParent(None)
            self.buttons.deleteLater()
            self.buttons = None
        if figure is None or figure.experiment is None:
            return
        one = figure.experiment
        self.title.setText(one.title)
        self.question.setText(one.question)
        self.question.setToolTip(one.question)
        self.rows.show_parameters(one.parameters, figure.first, self._theme)
        self.buttons = FigureButtons(figure)
        self._place.addWidget(self.buttons)
        self.about.setText(one.about)
        self.formula.setText(one.formula)
        self.not_shown.setText(one.not_shown)
        self.sources.setText("\n".join(one.sources))
        self.columns.show_charts([])
        self.columns.verticalScrollBar().setValue(0)
        controls_in_order([self.every, *self.rows.controls, *self.buttons.controls])
        figure.changed.connect(self._show)
        self._show()

    def _set(self, name: str, value: float) -> None:
        if self.figure is not None:
            self.figure.set(name, value)

    def _show(self) -> None:
        figure = self.figure
        if figure is None or self.buttons is None:
            return
        self.rows.show_values(figure.values)
        self.buttons.show_figure()
        made = figure.made
        said = (figure.failure,) if figure.failure else (DRAWING,) if made is None else made.statements
        parts = (f'<p style="margin:0 0 6px 0">{html.escape(one)}</p>' for one in said)
        self.found.setText("".join(parts))
        self.found.setAccessibleDescription(" ".join(said))
        if made is not None:
            self.columns.show_charts([alone(chart) for chart in made.charts])
