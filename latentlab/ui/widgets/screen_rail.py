"""The rail at the window's left: one button a screen."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

WIDTH, NARROW = 100, 48


class ScreenRail(QWidget):
    """Buttons for the actions that show the screens; the one whose screen is shown is pressed."""

    def __init__(self, actions: Sequence[tuple[str, QAction]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Screens")
        self.buttons: list[QToolButton] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 0, 8)
        layout.setSpacing(4)
        for title, action in actions:
            button = QToolButton()
            action.setIconText(title)
            button.setDefaultAction(action)
            button.setProperty("role", "screen")
            button.setAccessibleName(title)
            button.setIconSize(QSize(20, 20))
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self.buttons.append(button)
            layout.addWidget(button)
        layout.addStretch(1)
        self.set_narrow(False)

    def button(self, title: str) -> QToolButton:
        """Return the button of the screen of that title."""
        return next(button for button in self.buttons if button.accessibleName() == title)

    def set_narrow(self, narrow: bool) -> None:
        """Show the icons only, where the window has little room, or what they stand for too."""
        width, height = (NARROW, 40) if narrow else (WIDTH, 54)
        style = Qt.ToolButtonStyle
        self.setFixedWidth(width)
        for button in self.buttons:
            button.setToolButtonStyle(style.ToolButtonIconOnly if narrow else style.ToolButtonTextUnderIcon)
            button.setFixedSize(width - 8, height)
