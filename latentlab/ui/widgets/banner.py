"""A message in the window that stands in nobody's way: an error or a note, to be closed when read."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from latentlab.session.session import Message
from latentlab.ui.icons import icon
from latentlab.ui.theme import Theme

NOTE_MILLISECONDS = 8000
"""How long a note stays; an error stays until it is closed or something is done."""


class Banner(QFrame):
    """Shows one message at a time, the newest."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._message: Message | None = None
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
        self._close = QToolButton()
        self._close.setAccessibleName("Close the message")
        self._close.setToolTip("Close the message")
        self._close.clicked.connect(self.dismiss)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 8, 8, 8)
        layout.setSpacing(10)
        layout.addWidget(self._icon)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._copy)
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
        """Show a message in the place of the one before; a note does not replace an error."""
        showing_error = self._message is not None and self._message.kind == "error"
        if message.kind == "note" and showing_error:
            return
        self._message = message
        self._text.setText(message.text)
        self._copy.setVisible(message.kind == "error")
        self.setProperty("kind", message.kind)
        self.setAccessibleName("Error" if message.kind == "error" else "Note")
        self.setAccessibleDescription(message.text)
        self.style().unpolish(self)
        self.style().polish(self)
        self._draw()
        self.show()
        if message.kind == "note":
            self._timer.start(NOTE_MILLISECONDS)
        else:
            self._timer.stop()

    def dismiss(self) -> None:
        """Close the message."""
        self._message = None
        self._timer.stop()
        self.hide()

    def _copy_details(self) -> None:
        if self._message is not None:
            text = "\n\n".join(part for part in (self._message.text, self._message.details) if part)
            QApplication.clipboard().setText(text)

    def _draw(self) -> None:
        kind = "note" if self._message is None else self._message.kind
        drawing = icon(kind, self._theme.colour(kind))
        self._icon.setPixmap(drawing.pixmap(QSize(20, 20)))
        self._close.setIcon(icon("close", self._theme.colour("muted")))
