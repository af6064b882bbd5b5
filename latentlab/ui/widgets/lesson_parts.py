"""What a lesson's step is made of besides its figure: text, what to try and look for, a question first."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from latentlab.session.lesson import Hint, Question
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.markdown_view import MarkdownView

HEADINGS = {"try": "Try", "look": "Look for"}
SHOW, HIDE = "Show the answer", "Hide the answer"


class HintCard(QFrame):
    """What to try, or what to look for."""

    def __init__(self, hint: Hint, folder: Path, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(hint.kind)
        self.heading = QLabel(HEADINGS[hint.kind])
        self.heading.setProperty("role", "title")
        self.text = MarkdownView(theme)
        self.text.show_text(hint.text, folder)
        self.text.setAccessibleName(HEADINGS[hint.kind])
        _column(self, self.heading, self.text)

    @property
    def views(self) -> list[MarkdownView]:
        """The texts."""
        return [self.text]


class QuestionCard(QFrame):
    """A question; its answer is shown once somebody asks for it.

    ``answer_asked`` is the wish to see the answer (True) or not.
    """

    answer_asked = Signal(bool)

    def __init__(self, question: Question, folder: Path, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("question")
        self.heading = QLabel("Question")
        self.heading.setProperty("role", "title")
        self.text, self.answer = MarkdownView(theme), MarkdownView(theme)
        self.text.show_text(question.question, folder)
        self.text.setAccessibleName("Question")
        self.answer.show_text(question.answer, folder)
        self.answer.setAccessibleName("Answer")
        self.button = QPushButton()
        self.button.setToolTip("Answer for yourself first, then compare (Alt+Return)")
        self.button.clicked.connect(lambda: self.answer_asked.emit(self.answer.isHidden()))
        column = _column(self, self.heading, self.text, self.answer)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        self.show_answer(False)

    @property
    def views(self) -> list[MarkdownView]:
        """The texts."""
        return [self.text, self.answer]

    def show_answer(self, shown: bool) -> None:
        """Show the answer, or hide it."""
        self.answer.setVisible(shown)
        self.button.setText(HIDE if shown else SHOW)


def _column(card: QFrame, *widgets: QWidget) -> QVBoxLayout:
    column = QVBoxLayout(card)
    column.setContentsMargins(12, 8, 12, 10)
    column.setSpacing(6)
    for widget in widgets:
        column.addWidget(widget)
    return column
