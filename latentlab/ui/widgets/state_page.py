"""What stands in the middle where there is nothing to show: loading, nothing open, what failed, and why."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

WIDTH = 560


class StatePage(QWidget):
    """A headline, a sentence, a moving bar while something is under way, and what one can do.

    Parameters
    ----------
    action
        What the button does: open a checkpoint.
    open_bundled
        What the second button does; there is none where no model is bundled.
    """

    def __init__(
        self, action: QAction, open_bundled: Callable[[], object] | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._headline = QLabel()
        self._headline.setProperty("role", "headline")
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._progress = QProgressBar()
        self._progress.setRange(0, 0)
        self._progress.setTextVisible(False)
        self._progress.setFixedWidth(240)
        self._progress.setAccessibleName("Loading")
        self._button = QPushButton("Open checkpoint…")
        self._button.setProperty("role", "primary")
        self._button.clicked.connect(action.trigger)
        self._has_bundled = open_bundled is not None
        self._bundled = QPushButton("Open the bundled faces")
        if open_bundled is not None:
            self._bundled.clicked.connect(lambda _checked=False: open_bundled())
        column = QWidget()
        column.setFixedWidth(WIDTH)
        inside = QVBoxLayout(column)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(14)
        inside.addWidget(self._headline)
        inside.addWidget(self._text)
        inside.addWidget(self._progress, 0, Qt.AlignmentFlag.AlignHCenter)
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        buttons.addStretch(1)
        buttons.addWidget(self._button)
        buttons.addWidget(self._bundled)
        buttons.addStretch(1)
        inside.addLayout(buttons)
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        layout.addWidget(column, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)
        for label in (self._headline, self._text):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)

    def show_loading(self, name: str) -> None:
        """Say that torch and the model are being loaded."""
        self._show("Loading torch and the model…", name, loading=True)

    def show_empty(self, reason: str) -> None:
        """Say that nothing is open, why, and what to do."""
        self._show("No model is open", reason, loading=False)

    def show_failure(self, reason: str) -> None:
        """Say why the model could not be opened."""
        self._show("The model could not be opened", reason, loading=False)

    def show_reason(self, headline: str, reason: str) -> None:
        """Say what cannot be done with the open model, why, and what to do."""
        self._show(headline, reason, loading=False)

    @property
    def text(self) -> str:
        """Headline and sentence, as shown."""
        return f"{self._headline.text()}\n{self._text.text()}"

    def _show(self, headline: str, text: str, loading: bool) -> None:
        self._headline.setText(headline)
        self._text.setText(text)
        self._text.setMinimumHeight(max(0, self._text.heightForWidth(WIDTH)))
        self._progress.setVisible(loading)
        self._button.setVisible(not loading)
        self._bundled.setVisible(not loading and self._has_bundled)
