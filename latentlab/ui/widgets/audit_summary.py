"""What can and cannot be concluded from a study, in its own sentences; a long one is folded."""

from __future__ import annotations

import html
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

HEADING = "What can and cannot be concluded"
FIRST, LAST = 4, 2
"""Sentences of a folded summary: what was found, and at its end whose labels they are and what nobody is."""


class AuditSummary(QFrame):
    """A card with the sentences; they can be marked and copied.

    One of many sentences is folded until somebody wants all, so that the charts below are seen.
    """

    unfolded = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._sentences: tuple[str, ...] = ()
        self.heading, self.words, self.all = QLabel(), QLabel(), QToolButton()
        self.all.setCheckable(True)
        self.all.setProperty("role", "switch")
        self.all.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.all.toggled.connect(lambda _on: self._show())
        self.all.toggled.connect(lambda _on: self.unfolded.emit())
        self.heading.setProperty("role", "title")
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.RichText)
        flags = Qt.TextInteractionFlag
        self.words.setTextInteractionFlags(flags.TextSelectableByMouse | flags.TextSelectableByKeyboard)
        self.words.setAccessibleName(HEADING)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(6)
        head = QHBoxLayout()
        head.addWidget(self.heading, 1)
        head.addWidget(self.all)
        layout.addLayout(head)
        layout.addWidget(self.words)
        layout.addStretch(1)

    def show_sentences(self, heading: str, sentences: Sequence[str]) -> None:
        """Show sentences below a heading."""
        self.heading.setText(heading)
        self._sentences = tuple(sentences)
        self._show()

    def _show(self) -> None:
        every = self._sentences
        long = len(every) > FIRST + LAST + 1
        self.all.setVisible(long)
        self.all.setText("Show fewer" if self.all.isChecked() else f"Show all {len(every)}")
        self.all.setToolTip("Show every sentence of the summary, or the first and last alone")
        folded = long and not self.all.isChecked()
        shown = (*every[:FIRST], "\u2026", *every[-LAST:]) if folded else every
        parts = (f'<p style="margin:0 0 5px 0">{html.escape(one)}</p>' for one in shown)
        self.words.setText("".join(parts))
        self.words.setAccessibleDescription(" ".join(every))

    def height_for(self, width: int) -> int:
        """Return the height that it takes in a width."""
        layout = self.layout()
        assert layout is not None
        return layout.totalHeightForWidth(width)
