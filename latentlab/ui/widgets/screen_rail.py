"""The rail at the window's left: one button a screen."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

WIDTH = 100


class ScreenRail(QWidget):
    """Buttons for the actions that show the screens; the one whose screen is shown is pressed."""

    def __init__(self, actions: Sequence[tuple[str, QAction]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Screens")
        self.setFixedWidth(WIDTH)
        self.buttons: list[QToolButton] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 0, 8)
        layout.setSpacing(4)
        for title, action in actions:
            button = QToolButton()
            action.setIconText(title)
            button.setDefaultAction(action)
            button.setProperty("role", "screen")
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setIconSize(QSize(20, 20))
            button.setFixedSize(WIDTH - 8, 54)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self.buttons.append(button)
            layout.addWidget(button)
        layout.addStretch(1)
