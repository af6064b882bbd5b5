"""A lesson in the list of lessons: its title, what it is about, how long it takes."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from latentlab.session.lesson import Lesson
from latentlab.ui.widgets.form import set_look

HERE = "Open now"
PAD, LEAST = 16, 112


class LessonTile(QPushButton):
    """A button as large as what it says of its lesson."""

    def __init__(self, lesson: Lesson, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("lesson")
        self.lesson = lesson
        self.number, self.title, self.summary = QLabel(), QLabel(lesson.title), QLabel(lesson.summary)
        self.number.setProperty("role", "caption")
        self.title.setProperty("role", "name")
        self.summary.setProperty("role", "caption")
        column = QVBoxLayout(self)
        column.setContentsMargins(PAD, 12, PAD, 14)
        column.setSpacing(4)
        for label in (self.number, self.title, self.summary):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            column.addWidget(label)
        column.addStretch(1)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleDescription(lesson.summary)
        self.show_current(False)

    def show_current(self, current: bool) -> None:
        """Show whether it is the lesson that is open."""
        lesson = self.lesson
        minutes = lesson.length
        said = f"{lesson.order} · {minutes} · {len(lesson.steps)} steps"
        self.number.setText(f"{said} · {HERE}" if current else said)
        set_look(self, "current", "true" if current else "false")
        self.setAccessibleName(f"{lesson.title}, {minutes}" + (f", {HERE.lower()}" if current else ""))
        self.setToolTip("Go on with this lesson" if current else "Begin this lesson")

    def hasHeightForWidth(self) -> bool:
        """Return that its height follows from its width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height that its words take."""
        layout = self.layout()
        assert layout is not None
        return max(LEAST, layout.totalHeightForWidth(width))

    def sizeHint(self) -> QSize:
        """Return a usual size."""
        return QSize(300, self.heightForWidth(300))
