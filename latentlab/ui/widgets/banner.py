"""A message over the window's foot: an error, a note, or a question; nothing moves to make room for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from latentlab.session.session import Message
from latentlab.ui.icons import icon
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.form import set_look

NOTE_MILLISECONDS = 8000
"""How long a note stays; an error stays until it is closed or something is done."""


WIDEST, EDGE = 760, 16
"""How wide the banner becomes, and how far it stays from the edges, in pixels."""


@dataclass(frozen=True)
class Question:
    """What is asked, and what its buttons do; ``closed`` is called when it is closed without an answer."""

    text: str
    label: str
    answer: Callable[[], object]
    closed: Callable[[], object] | None = None
    other: tuple[str, Callable[[], object]] | None = None


class Banner(QFrame):
    """Shows one message at a time, the newest; an error or question stays until it is closed or answered.

    What comes over a question does not answer it: it is shown again as soon as there is room.

    Parameters
    ----------
    over
        The widget over whose foot it floats.
    """

    def __init__(self, theme: Theme, over: QWidget) -> None:
        super().__init__(over)
        self._theme, self._over = theme, over
        self._message: Message | None = None
        self._asked: Question | None = None
        self._waiting: list[Question] = []
        over.installEventFilter(self)
        self.setObjectName("banner")
        self._icon = QLabel()
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._copy = QPushButton("Copy details")
        self._copy.setToolTip("Copy the whole message, with what the program noted about it")
        self._copy.clicked.connect(self._copy_details)
        self._do = QPushButton()
        self._do.setProperty("role", "primary")
        self._do.clicked.connect(self._agree)
        self._other = QPushButton()
        self._other.clicked.connect(self._do_other)
        self._close = QToolButton()
        self._close.setAccessibleName("Close the message")
        self._close.setToolTip("Close the message")
        self._close.clicked.connect(self._decline)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 8, 8, 8)
        layout.setSpacing(10)
        layout.addWidget(self._icon)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._copy)
        layout.addWidget(self._other)
        layout.addWidget(self._do)
        layout.addWidget(self._close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.dismiss)
        theme.changed.connect(self._draw)
        self.hide()

    @property
    def message(self) -> Message | None:
        """What is shown, None while nothing is."""
        return self._message

    def show_message(self, message: Message) -> None:
        """Show a message in the place of the one before; a note does not replace an error or a question."""
        standing = self._asked is not None or (self._message is not None and self._message.kind == "error")
        if message.kind == "note" and standing:
            return
        self._show(message)
        if message.kind == "note":
            self._timer.start(NOTE_MILLISECONDS)

    def ask(
        self,
        text: str,
        label: str,
        answer: Callable[[], object],
        closed: Callable[[], object] | None = None,
        other: tuple[str, Callable[[], object]] | None = None,
    ) -> None:
        """Ask something that need not be answered now.

        Parameters
        ----------
        label, answer
            What the button says that does it, and what it does.
        closed
            Called when the question is closed without an answer.
        other
            What a second button says and does.
        """
        self._ask(Question(text, label, answer, closed, other))

    @property
    def asking(self) -> bool:
        """Whether a question is shown."""
        return self._asked is not None

    def _ask(self, question: Question) -> None:
        self._waiting = [*(one for one in self._waiting if one.text != question.text), question]
        self._show(Message("note", question.text))
        self._asked = question
        self._do.setText(question.label)
        self._do.show()
        if question.other is not None:
            self._other.setText(question.other[0])
            self._other.show()
        self._place()

    def _show(self, message: Message) -> None:
        self._timer.stop()
        self._message = message
        self._asked = None
        self._do.hide()
        self._other.hide()
        self._text.setText(message.text)
        self._copy.setVisible(message.kind == "error")
        set_look(self, "kind", message.kind)
        self.setAccessibleName("Error" if message.kind == "error" else "Note")
        self.setAccessibleDescription(message.text)
        self._draw()
        self.show()
        self._place()
        self.raise_()

    def dismiss(self) -> None:
        """Close the message, unless it is a question."""
        if self._asked is None and self._message is not None:
            self._end()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay at the foot of the widget."""
        if watched is self._over and event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        room = self._over.rect().adjusted(EDGE, EDGE, -EDGE, -EDGE)
        width = min(WIDEST, room.width())
        height = min(room.height(), max(self.heightForWidth(width), self.minimumSizeHint().height()))
        left = room.left() + (room.width() - width) // 2
        self.setGeometry(left, room.bottom() - height + 1, width, height)

    def _end(self) -> Question | None:
        """Take away what is shown, and return the question that it was; one that waits is shown again."""
        question, self._asked, self._message = self._asked, None, None
        self._timer.stop()
        self.hide()
        if question is not None:
            self._waiting.remove(question)
        if self._waiting:
            self._ask(self._waiting[-1])
        return question

    def _agree(self) -> None:
        question = self._end()
        if question is not None:
            question.answer()

    def _do_other(self) -> None:
        question = self._end()
        if question is not None and question.other is not None:
            question.other[1]()

    def _decline(self) -> None:
        question = self._end()
        if question is not None and question.closed is not None:
            question.closed()

    def _copy_details(self) -> None:
        if self._message is not None:
            text = "\n\n".join(part for part in (self._message.text, self._message.details) if part)
            QApplication.clipboard().setText(text)

    def _draw(self) -> None:
        kind = "note" if self._message is None else self._message.kind
        drawing = icon(kind, self._theme.colour(kind))
        self._icon.setPixmap(drawing.pixmap(QSize(20, 20)))
        self._close.setIcon(icon("close", self._theme.colour("muted")))
