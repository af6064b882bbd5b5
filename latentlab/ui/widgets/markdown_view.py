"""A stretch of Markdown within other things: as high as its text, without margins, frame and bars."""

from __future__ import annotations

import math
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QFont, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from latentlab.ui.theme import Theme
from latentlab.ui.widgets.markdown_page import MarkdownPage

_OTHER_FONT = (QEvent.Type.FontChange, QEvent.Type.ApplicationFontChange)


class MarkdownView(MarkdownPage):
    """Shows Markdown that scrolls with what lies around it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self._scale = 1.0
        self._plain: QFont | None = None
        super().__init__(theme, parent)
        self.setObjectName("plain")
        self.setUndoRedoEnabled(False)
        for set_policy in (self.setHorizontalScrollBarPolicy, self.setVerticalScrollBarPolicy):
            set_policy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.viewport().setAutoFillBackground(False)
        self.setAcceptDrops(False)  # files that are dropped are the window's

    def show_text(self, text: str, folder: Path | None = None) -> None:
        """Show Markdown, and become as high as it is."""
        self._plain = QFont(self._theme.font)
        self._plain.setPixelSize(round(self._plain.pixelSize() * self._scale))
        super().show_text(text, folder)
        self.document().setDefaultFont(self._plain)
        self.document().setDocumentMargin(0)
        last = self.document().lastBlock().blockFormat()
        last.setBottomMargin(0)
        cursor = self.textCursor()
        cursor.setPosition(self.document().lastBlock().position())
        cursor.setBlockFormat(last)
        linked = "](" in text or "://" in text
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if linked else Qt.FocusPolicy.ClickFocus)
        self._fit_height()

    def set_scale(self, scale: float) -> None:
        """Show the letters so much larger than the window's."""
        if scale != self._scale:
            self._scale = scale
            self._show_anew()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to what lies around."""
        event.ignore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Become as high as the text is at the new width."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit_height()

    def changeEvent(self, event: QEvent) -> None:
        """Keep the letters' size, which Qt takes from the widget's font, where that changes."""
        super().changeEvent(event)
        if event.type() in _OTHER_FONT and self._plain is not None:
            self.document().setDefaultFont(self._plain)
            self._fit_height()

    def sizeHint(self) -> QSize:
        """Return the size at a usual width."""
        return QSize(320, self.height())

    def minimumSizeHint(self) -> QSize:
        """Return the least size."""
        return QSize(80, 20)

    def _fit_height(self) -> None:
        self.setFixedHeight(max(1, math.ceil(self.document().size().height())))
