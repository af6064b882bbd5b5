"""What can and cannot be concluded from a study, in its own sentences."""

from __future__ import annotations

import html
from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

HEADING = "What can and cannot be concluded"


class AuditSummary(QFrame):
    """A card with the sentences; they can be marked and copied."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.heading, self.words = QLabel(), QLabel()
        self.heading.setProperty("role", "title")
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.RichText)
        flags = Qt.TextInteractionFlag
        self.words.setTextInteractionFlags(flags.TextSelectableByMouse | flags.TextSelectableByKeyboard)
        self.words.setAccessibleName(HEADING)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(6)
        layout.addWidget(self.heading)
        layout.addWidget(self.words)
        layout.addStretch(1)

    def show_sentences(self, heading: str, sentences: Sequence[str]) -> None:
        """Show sentences below a heading."""
        self.heading.setText(heading)
        parts = (f'<p style="margin:0 0 5px 0">{html.escape(one)}</p>' for one in sentences)
        self.words.setText("".join(parts))
        self.words.setAccessibleDescription(" ".join(sentences))

    def height_for(self, width: int) -> int:
        """Return the height that it takes in a width."""
        layout = self.layout()
        assert layout is not None
        return layout.totalHeightForWidth(width)
