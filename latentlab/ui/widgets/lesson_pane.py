"""The lesson beside the screen that it drives: where one is in it, what is said, and how to go on."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from latentlab.session.lesson import Hint, Lesson, Question, Text
from latentlab.session.lesson_figure import LessonFigure
from latentlab.ui.icons import icon
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.buttons import icon_button
from latentlab.ui.widgets.elided_label import ElidedLabel
from latentlab.ui.widgets.form import caption, controls_in_order, scrolled, set_look
from latentlab.ui.widgets.lesson_figure import FigureCard
from latentlab.ui.widgets.lesson_parts import HintCard, QuestionCard
from latentlab.ui.widgets.markdown_view import MarkdownView

SETTING = "The screen is being set…"
NEXT, LAST = "Next", "Finish"
LAST_TIP = "Close the lesson; what you had before comes back"


class LessonPane(QFrame):
    """Shows a step of a lesson and sends what a person does with it.

    ``step_asked`` tells the place of a step, ``answer_asked`` the number of a question in its step and
    whether its answer should be seen, ``enlarge_asked`` whether the figure should be seen large.

    Parameters
    ----------
    actions
        The window's actions by name: ``lesson_next``, ``lesson_back``, ``lesson_again``, ``lesson_fold``,
        ``lesson_close`` and ``presenter``.
    """

    step_asked = Signal(int)
    answer_asked = Signal(int, bool)
    enlarge_asked = Signal(bool)

    def __init__(self, actions: Mapping[str, QAction], theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setAccessibleName("Lesson")
        self._theme, self._actions = theme, actions
        self._shown: tuple[Lesson, int] | None = None
        self._scale = 1.0
        self.questions: list[QuestionCard] = []
        self.figures: list[FigureCard] = []
        self._views: list[MarkdownView] = []
        self.lesson, self.title, self.said = ElidedLabel("caption"), QLabel(), caption("")
        self.steps = QPushButton()
        self.progress, self.busy = QProgressBar(), QProgressBar()
        self.back, self.next = QPushButton("Back"), QPushButton(NEXT)
        self._menu = QMenu(self)
        self._body = QWidget()
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self.title.setProperty("role", "headline")
        self.title.setWordWrap(True)
        self.said.setWordWrap(True)
        self.said.setAccessibleName("How the step stands")
        self.steps.setMenu(self._menu)
        self.steps.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # its arrow stands behind the text
        self.steps.setToolTip("Go to another step")
        for bar, name in ((self.progress, "Steps done"), (self.busy, "Setting the screen")):
            bar.setTextVisible(False)
            bar.setAccessibleName(name)
        self.busy.setRange(0, 0)
        self.next.setProperty("role", "primary")
        head, foot = QHBoxLayout(), QHBoxLayout()
        head.setSpacing(2)
        head.addWidget(self.lesson, 1)
        names = ("lesson_again", "presenter", "lesson_fold", "lesson_close")
        self.tools: list[QToolButton] = [icon_button(self._actions[name]) for name in names]
        for button in self.tools:
            head.addWidget(button)
        foot.setSpacing(8)
        foot.addWidget(self.steps)
        foot.addStretch(1)
        foot.addWidget(self.back)
        foot.addWidget(self.next)
        self._column = QVBoxLayout(self._body)
        self._column.setContentsMargins(0, 0, 8, 0)
        self._column.setSpacing(12)
        self._body.setObjectName("plain")
        self.area = scrolled(self._body)
        self.area.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.area.setAccessibleName("What the step says")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 8, 8, 12)
        layout.setSpacing(8)
        layout.addLayout(head)
        done = QHBoxLayout()
        done.setContentsMargins(0, 0, 8, 0)
        done.addWidget(self.progress)
        layout.addLayout(done)
        layout.addWidget(self.area, 1)
        layout.addWidget(self.busy)
        layout.addWidget(self.said)
        foot.setContentsMargins(0, 0, 8, 0)
        layout.addLayout(foot)

    def _connect(self) -> None:
        self.next.clicked.connect(self._go_on)
        self.back.clicked.connect(self._actions["lesson_back"].trigger)
        self._theme.changed.connect(self._draw)
        self._draw()

    # What the window asks

    @property
    def controls(self) -> list[QWidget]:
        """What the Tab key reaches, in order."""
        inside: list[QWidget] = []
        for place in range(self._column.count()):
            item = self._column.itemAt(place)
            widget = None if item is None else item.widget()
            if isinstance(widget, QuestionCard):
                inside.append(widget.button)
            elif isinstance(widget, FigureCard):
                inside += widget.controls
        return [*self.tools, self.area, *inside, self.steps, self.back, self.next]

    def set_scale(self, scale: float) -> None:
        """Show the lesson's own text so much larger than the window's."""
        self._scale = scale
        for view in self._views:
            view.set_scale(scale)

    def show_step(self, lesson: Lesson, place: int, figures: Mapping[int, LessonFigure]) -> None:
        """Show a step; the figures are by their place among its parts."""
        if self._shown == (lesson, place):
            return
        other = self._shown is None or self._shown[0] is not lesson
        self._shown = lesson, place
        self._clear()
        step, folder, count = lesson.steps[place], lesson.path.parent, len(lesson.steps)
        self.lesson.show_text(lesson.title)
        self.progress.setRange(0, count)
        self.progress.setValue(place + 1)
        self.steps.setText(f"Step {place + 1} of {count}")
        if other:
            self._fill_menu(lesson)
        for number, action in enumerate(self._menu.actions()):
            action.setChecked(number == place)
        self.title.setText(step.title)
        self._column.addWidget(self.title)
        parts = [Text(lesson.introduction)] if place == 0 and lesson.introduction else []
        for number, part in enumerate([*parts, *step.parts], -len(parts)):
            widget: QWidget
            if isinstance(part, Text):
                widget = view = MarkdownView(self._theme)
                view.show_text(part.text, folder)
                view.setAccessibleName(step.title)
                self._add_views(view)
            elif isinstance(part, Hint):
                widget = hint = HintCard(part, folder, self._theme)
                self._add_views(*hint.views)
            elif isinstance(part, Question):
                widget = card = QuestionCard(part, folder, self._theme)
                asked = len(self.questions)
                card.answer_asked.connect(lambda shown, asked=asked: self.answer_asked.emit(asked, shown))
                self.questions.append(card)
                self._add_views(*card.views)
            else:
                widget = figure = FigureCard(figures[number], self._theme)
                figure.enlarge_asked.connect(self.enlarge_asked)
                self.figures.append(figure)
            self._column.addWidget(widget)
        self._column.addStretch(1)
        last = place + 1 == count
        self.next.setText(LAST if last else NEXT)
        self.next.setToolTip(LAST_TIP if last else self._actions["lesson_next"].toolTip())
        self.back.setEnabled(place > 0)
        self.back.setToolTip(self._actions["lesson_back"].toolTip())
        controls_in_order(self.controls)
        self.area.verticalScrollBar().setValue(0)

    def show_state(self, underway: bool, failure: str, answers: frozenset[int], large: bool) -> None:
        """Show how the step stands, which answers are seen, and whether its figure is shown large."""
        self.busy.setVisible(underway)
        self.said.setText(failure or (SETTING if underway else ""))
        set_look(self.said, "role", "warning" if failure else "caption")
        self.said.setVisible(bool(failure) or underway)
        for number, question in enumerate(self.questions):
            hidden = question.answer.isHidden()
            question.show_answer(number in answers)
            if hidden and number in answers:  # what has been uncovered is to be seen
                QTimer.singleShot(0, question, lambda card=question: self._reveal(card))
        for figure in self.figures:
            figure.show_large(large)

    def show_nothing(self) -> None:
        """Show no lesson."""
        self._shown = None
        self._clear()

    # Within

    def _reveal(self, card: QuestionCard) -> None:
        self.area.ensureWidgetVisible(card, 0, 0)

    def _go_on(self) -> None:
        last = self._shown is not None and self._shown[1] + 1 == len(self._shown[0].steps)
        self._actions["lesson_close" if last else "lesson_next"].trigger()

    def _add_views(self, *views: MarkdownView) -> None:
        for view in views:
            view.set_scale(self._scale)
            self._views.append(view)

    def _fill_menu(self, lesson: Lesson) -> None:
        self._menu.clear()
        for number, step in enumerate(lesson.steps):
            action = self._menu.addAction(f"{number + 1}  {step.title}".replace("&", "&&"))
            action.setCheckable(True)
            action.triggered.connect(lambda _checked=False, number=number: self.step_asked.emit(number))

    def _clear(self) -> None:
        for figure in self.figures:
            figure.leave()
        self.questions, self.figures, self._views = [], [], []
        while self._column.count():
            item = self._column.takeAt(0)
            widget = None if item is None else item.widget()
            if widget is not None and widget is not self.title:
                widget.hide()
                widget.setParent(None)
                widget.deleteLater()

    def _draw(self) -> None:
        colour = self._theme.colour
        self.steps.setIcon(icon("down", colour("muted"), colour("faint")))


class LessonBar(QFrame):
    """What stands for a lesson while it is folded away: where one is in it, and how to go on."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setAccessibleName("Lesson, folded")
        self.where = ElidedLabel("title")
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 4, 8, 4)
        row.setSpacing(6)
        row.addWidget(self.where, 1)
        self.buttons = []
        for name in ("lesson_back", "lesson_next", "lesson_fold", "lesson_close"):
            button = icon_button(actions[name])
            self.buttons.append(button)
            row.addWidget(button)

    def show_step(self, lesson: Lesson, place: int) -> None:
        """Show where one is."""
        step = lesson.steps[place]
        self.where.show_text(f"{lesson.title} · step {place + 1} of {len(lesson.steps)}: {step.title}")

    def sizeHint(self) -> QSize:
        """Return a low strip."""
        return QSize(600, max(42, super().sizeHint().height()))
