"""The page of named directions: add some, move along each, keep them in files."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from latentlab.operations.direction import Direction
from latentlab.operations.latent_brush import grid_of
from latentlab.spec import ModelSpec
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.buttons import menu_button, text_button
from latentlab.ui.widgets.direction_row import DirectionRow

NONE_YET = (
    "A direction moves many dimensions at once.\n\nAdd the principal components of the data, the direction "
    "of an attribute, or the way from one pin or group to another."
)

OF_A_GRID = (
    "A latent of this model is a grid of {channels} x {rows} x {columns} numbers, so one of them alone says "
    "little: explore it along directions.\n\nFind the principal components of a set of pictures first. With "
    "the brush below the pictures each direction can also be painted where you want it."
)


class DirectionPage(QWidget):
    """Sends what a person does with the directions; the signals are those of `DirectionRow`.

    Parameters
    ----------
    add, components
        The menus of what can be added, and of the sets whose principal components can be.
    like
        The action with which the menu's button is grey.
    orthogonalise, load, save
        Actions.
    """

    moved = Signal(str, float)
    pressed = Signal(str)
    released = Signal(str)
    asked = Signal(str, str)

    def __init__(
        self,
        theme: Theme,
        add: QMenu,
        components: QMenu,
        like: QAction,
        orthogonalise: QAction,
        load: QAction,
        save: QAction,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows: dict[str, DirectionRow] = {}
        self._shown: tuple[Direction, ...] = ()
        self._add = menu_button("Add", add, like, theme)
        self._add.setToolTip("Add principal components, attributes, or the way between pins or groups")
        self._busy = QLabel()
        self._busy.setProperty("role", "caption")
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setFixedHeight(4)
        self._progress.setAccessibleName("Progress of finding directions")
        self._nothing = QLabel(NONE_YET)
        self._nothing.setProperty("role", "caption")
        self._nothing.setWordWrap(True)
        self._find = menu_button("Find principal components of", components, like, theme)
        self._content = QWidget()
        self._content.setObjectName("plain")
        self._column = QVBoxLayout(self._content)
        self._column.setContentsMargins(0, 0, 4, 0)
        self._column.setSpacing(2)
        self._column.addStretch(1)
        self._area = QScrollArea()
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setAccessibleName("Directions")
        self._area.setWidget(self._content)
        top = QHBoxLayout()
        top.setContentsMargins(0, 0, 8, 0)
        top.setSpacing(8)
        top.addWidget(self._add)
        top.addWidget(text_button(orthogonalise, "Orthogonalise"))
        top.addStretch(1)
        top.addWidget(text_button(load, "Load"))
        self._save = text_button(save, "Save")
        top.addWidget(self._save)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self._busy)
        layout.addWidget(self._progress)
        layout.addWidget(self._nothing)
        finding = QHBoxLayout()
        finding.addWidget(self._find)
        finding.addStretch(1)
        layout.addLayout(finding)
        layout.addWidget(self._area, 1)
        self.show_busy("")

    def set_model(self, spec: ModelSpec) -> None:
        """Say what directions are for with this model."""
        grid = grid_of(spec)
        text = NONE_YET
        if grid is not None:
            text = OF_A_GRID.format(channels=grid[0], rows=grid[1], columns=grid[2])
        self._nothing.setText(text)

    def row(self, name: str) -> DirectionRow:
        """Return a direction's row, scrolled into view."""
        row = self._rows[name]
        self._area.ensureWidgetVisible(row)
        return row

    @property
    def names(self) -> list[str]:
        """The directions that are listed, from top to bottom."""
        return [one.name for one in self._shown]

    def show_directions(self, directions: tuple[Direction, ...], offset: Callable[[str], float]) -> None:
        """Show these directions, and how far the latent lies from the start along each."""
        if directions is not self._shown:
            self._list_them(directions)
        if self.isVisible():
            for name, row in self._rows.items():
                row.show_offset(offset(name))

    def show_busy(self, text: str, done: int = 0, total: int = 0) -> None:
        """Say what is being found, and how far it has come; the empty string for nothing."""
        self._busy.setText(text)
        self._busy.setVisible(bool(text))
        self._progress.setVisible(bool(text))
        self._progress.setRange(0, total)
        self._progress.setValue(done)

    def _list_them(self, directions: tuple[Direction, ...]) -> None:
        before, self._rows = self._rows, {}
        for place, one in enumerate(directions):
            row = before.get(one.name)
            if row is not None and row.direction is one:
                del before[one.name]
            else:
                row = self._made(one)
            self._column.insertWidget(place, row)
            self._rows[one.name] = row
        for old in before.values():
            self._drop(old)
        self._shown = directions
        self._nothing.setVisible(not directions)
        self._find.setVisible(not directions)
        before_it: QWidget = self._save
        for row in self._rows.values():
            for control in row.controls:
                QWidget.setTabOrder(before_it, control)
                before_it = control

    def _made(self, direction: Direction) -> DirectionRow:
        row = DirectionRow(direction, self._theme, self._content)
        row.moved.connect(self.moved)
        row.pressed.connect(self.pressed)
        row.released.connect(self.released)
        row.asked.connect(self.asked)
        return row

    def _drop(self, row: DirectionRow) -> None:
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()
