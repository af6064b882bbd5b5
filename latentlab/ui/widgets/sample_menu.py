"""The bundled sample pictures to choose from, as pictures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QGridLayout, QLabel, QMenu, QToolButton, QWidget, QWidgetAction

from latentlab.session.sample_pictures import sample_pictures, sample_title

COLUMNS, SIDE = 4, 84


class SampleMenu(QMenu):
    """A menu that is a grid of pictures.

    Parameters
    ----------
    choose
        Called with the chosen picture's path and title.
    """

    def __init__(self, choose: Callable[[Path, str], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choose = choose
        grid = QWidget()
        layout = QGridLayout(grid)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        note = QLabel("Pictures that no bundled model was trained on")
        note.setProperty("role", "caption")
        layout.addWidget(note, 0, 0, 1, COLUMNS)
        self.buttons: list[QToolButton] = []
        for k, path in enumerate(sample_pictures()):
            title = sample_title(path)
            button = QToolButton()
            button.setIcon(QIcon(str(path)))
            button.setIconSize(QSize(SIDE, SIDE))
            button.setToolTip(title)
            button.setAccessibleName(title)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.clicked.connect(partial(self._take, path, title))
            layout.addWidget(button, 1 + k // COLUMNS, k % COLUMNS)
            self.buttons.append(button)
        action = QWidgetAction(self)
        action.setDefaultWidget(grid)
        self.addAction(action)

    def _take(self, path: Path, title: str, _checked: bool = False) -> None:
        self.close()
        self._choose(path, title)
