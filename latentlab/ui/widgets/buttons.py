"""Buttons that stand for an action: grey when it is, with its icon and its tool tip."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QPushButton, QToolButton

from latentlab.ui.icons import icon
from latentlab.ui.theme import Theme


def text_button(action: QAction, text: str) -> QPushButton:
    """Return a button with a text of its own, shorter than the menu's."""
    button = QPushButton(text)

    def follow() -> None:
        button.setEnabled(action.isEnabled())
        button.setIcon(action.icon())
        button.setToolTip(action.toolTip())

    action.changed.connect(follow)
    button.clicked.connect(action.trigger)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    follow()
    return button


def icon_button(action: QAction) -> QToolButton:
    """Return a button that shows the action's icon alone."""
    button = QToolButton()
    button.setDefaultAction(action)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    button.setIconSize(QSize(18, 18))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setAccessibleName(action.text().replace("&", "").rstrip("…"))
    return button


def menu_button(text: str, menu: QMenu, like: QAction, theme: Theme) -> QPushButton:
    """Return a button that opens a menu, grey when ``like`` is."""
    button = QPushButton(text)
    button.setMenu(menu)
    button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # its arrow stands behind the text

    def draw() -> None:
        button.setIcon(icon("down", theme.colour("muted"), theme.colour("faint")))

    theme.changed.connect(draw)
    draw()
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button.setAccessibleName(text)
    button.setEnabled(like.isEnabled())
    like.changed.connect(lambda: button.setEnabled(like.isEnabled()))
    return button
