"""Buttons that stand for an action: grey when it is, with its icon and its tool tip."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QPushButton, QToolButton, QWidget

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


class PlayButton(QToolButton):
    """Plays or pauses something, and shows which of both a press does.

    Parameters
    ----------
    what
        What is played, as it goes on after the word Play; nothing where that is clear.
    """

    def __init__(self, theme: Theme, what: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._what = theme, what
        self.playing = False
        self.setIconSize(QSize(20, 20))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedHeight(36)
        theme.changed.connect(self._draw)
        self._draw()

    def show_playing(self, playing: bool) -> None:
        """Show whether it plays."""
        if playing != self.playing:
            self.playing = playing
            self._draw()

    def _draw(self) -> None:
        text, colour = "Pause" if self.playing else "Play", self._theme.colour
        self.setIcon(icon(text.lower(), colour("accent"), colour("faint")))
        self.setAccessibleName(f"{text} {self._what}".rstrip())
        self.setToolTip(f"{text} (Space)")


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
