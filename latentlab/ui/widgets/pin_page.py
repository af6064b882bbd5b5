"""The page of pins and groups: what was put aside, to go back to, compare with and travel between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QAction, QFont, QIcon, QKeyEvent, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QStyledItemDelegate,
    QVBoxLayout,
    QWidget,
)

from latentlab.session.document import Group, Pin, Shelf
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.buttons import text_button
from latentlab.ui.widgets.picture_view import image_of

SIDE = 56
NO_PINS = (
    "Pin a picture to come back to it, to compare with it, or to travel from it to another: with two pins "
    "ticked, a path between them stands under the picture."
)
PIN_ASKS = (
    ("go", "Go there"),
    ("compare", "Compare with it"),
    ("up", "Earlier on the path"),
    ("down", "Later on the path"),
    ("rename", "Rename"),
    ("remove", "Remove"),
)
GROUP_ASKS = (("go", "Go to its mean"), ("rename", "Rename"), ("remove", "Remove"))
_NAME = Qt.ItemDataRole.UserRole


class NameDelegate(QStyledItemDelegate):
    """Lets a name be typed while its entry changes: a picture that arrives must not set it back."""

    def setEditorData(self, editor: QWidget, index: QModelIndex | QPersistentModelIndex) -> None:
        """Show the name in the editor, unless another is being typed there."""
        if not (isinstance(editor, QLineEdit) and editor.isModified()):
            super().setEditorData(editor, index)


class ShelfList(QListWidget):
    """A list of small pictures with names that can be changed in place.

    Parameters
    ----------
    asks
        What its menu asks for: identifiers and texts.
    """

    asked = Signal(str, str)
    renamed = Signal(str, str)

    def __init__(self, title: str, asks: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._asks = asks
        self.setItemDelegate(NameDelegate(self))
        self.setAccessibleName(title)
        self.setIconSize(QSize(SIDE, SIDE))
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.EditKeyPressed | QAbstractItemView.EditTrigger.SelectedClicked
        )
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)
        self.itemDoubleClicked.connect(lambda item: self.asked.emit(item.data(_NAME), "go"))

    @property
    def current(self) -> str:
        """The name of the current entry, empty where there is none."""
        item = self.currentItem()
        return "" if item is None else str(item.data(_NAME))

    def show_entry(
        self, row: int, name: str, note: str, icon: QIcon, ticked: bool | None, strong: bool
    ) -> None:
        """Show an entry in a row, the next free one or another's.

        Entries change in place: the list may be told of a new name while its editor still holds the entry.

        Parameters
        ----------
        ticked
            None has no box.
        strong
            Marks the one that is compared with.
        """
        if row == self.count():
            self.addItem(QListWidgetItem())
        item = self.item(row)
        item.setIcon(icon)
        item.setText(name)
        item.setData(_NAME, name)
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable
        item.setFlags(flags if ticked is None else flags | Qt.ItemFlag.ItemIsUserCheckable)
        if ticked is not None:
            item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
        item.setToolTip(note)
        font = QFont(self.font())
        if strong:
            font.setWeight(QFont.Weight.DemiBold)
        item.setFont(font)

    def row_of(self, name: str) -> int:
        """Return the row of an entry, -1 where there is none."""
        rows = (row for row in range(self.count()) if self.item(row).data(_NAME) == name)
        return next(rows, -1)

    def leave(self, count: int) -> None:
        """Take away all entries after so many."""
        while self.count() > count:
            self.takeItem(count)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go there by Enter, remove by Delete; F2 renames, Space ticks."""
        if self.current and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.asked.emit(self.current, "go")
        elif self.current and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.asked.emit(self.current, "remove")
        else:
            super().keyPressEvent(event)

    def _show_menu(self, where: QPoint) -> None:
        if not self.count():
            return
        item = self.itemAt(where)
        item = item or self.currentItem()
        menu = QMenu(self)
        for ask, text in self._asks:
            action = menu.addAction(text)
            action.setData(ask)
        chosen = menu.exec(self.viewport().mapToGlobal(where))
        menu.deleteLater()
        if chosen is not None and chosen.data() == "rename":
            self.editItem(item)
        elif chosen is not None:
            self.asked.emit(item.data(_NAME), chosen.data())


class PinPage(QWidget):
    """Sends what a person does with pins and groups; shows what it is told.

    ``pin_asked`` and ``group_asked`` tell a name and one of the asks; ``ticked`` a pin's box.
    """

    pin_asked = Signal(str, str)
    group_asked = Signal(str, str)
    pin_renamed = Signal(str, str)
    group_renamed = Signal(str, str)
    ticked = Signal(str, bool)

    def __init__(
        self, theme: Theme, pin: QAction, group: QAction, difference: QAction, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[tuple[Pin, ...], tuple[Group, ...], str] = ((), (), "")
        self._pictures: dict[int, QIcon] = {}
        self.pins = ShelfList("Pins", PIN_ASKS)
        self.groups = ShelfList("Groups", GROUP_ASKS)
        self.pins.asked.connect(self.pin_asked)
        self.groups.asked.connect(self.group_asked)
        self.pins.itemChanged.connect(self._pin_changed)
        self.groups.itemChanged.connect(self._group_changed)
        self.pins.currentItemChanged.connect(lambda *_items: self._refresh_buttons())
        self._nothing = QLabel(NO_PINS)
        self._nothing.setProperty("role", "caption")
        self._nothing.setWordWrap(True)
        self._title = QLabel("Groups")
        self._title.setProperty("role", "title")
        self._go, self._compare = QPushButton("Go there"), QPushButton("Compare")
        self._go.setToolTip("Edit the picture of the chosen pin (Enter)")
        self._compare.setToolTip(
            "Let bars and difference compare with the chosen pin, or with the start again"
        )
        self._compare.setCheckable(True)
        self._go.clicked.connect(lambda: self.pin_asked.emit(self.pins.current, "go"))
        self._compare.clicked.connect(lambda: self.pin_asked.emit(self.pins.current, "compare"))
        top, below = QHBoxLayout(), QHBoxLayout()
        for row in (top, below):
            row.setContentsMargins(0, 0, 8, 0)
            row.setSpacing(8)
        top.addWidget(text_button(pin, "Pin"))
        top.addWidget(text_button(group, "Group"))
        top.addWidget(text_button(difference, "Direction"))
        top.addStretch(1)
        below.addWidget(self._go)
        below.addWidget(self._compare)
        below.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 8, 0)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self._nothing)
        layout.addWidget(self.pins, 3)
        layout.addLayout(below)
        layout.addWidget(self._title)
        layout.addWidget(self.groups, 1)
        layout.addStretch(0)
        self._list_them(Shelf())

    def show_shelf(self, shelf: Shelf) -> None:
        """Show the pins and groups of a shelf."""
        before = self._shown
        if shelf.pins is not before[0] or shelf.groups is not before[1] or shelf.compared != before[2]:
            self._list_them(shelf)

    def show_pictures(self, pixels: NDArray[np.uint8]) -> None:
        """Show a picture each, uint8 ``[n, S, S, 4]`` (BGRX): the pins', then the groups'."""
        pins, groups, _ = self._shown
        entries: list[Pin | Group] = [*pins, *groups]
        if len(entries) != len(pixels):
            return
        self._pictures = {id(_place(one)): _icon(pixels[k]) for k, one in enumerate(entries)}
        for k, one in enumerate(entries):
            holder, row = (self.pins, k) if k < len(pins) else (self.groups, k - len(pins))
            with QSignalBlocker(holder):
                holder.item(row).setIcon(self._pictures[id(_place(one))])

    def _list_them(self, shelf: Shelf) -> None:
        self._shown = shelf.pins, shelf.groups, shelf.compared
        blank = QPixmap(SIDE, SIDE)
        blank.fill(self._theme.colour("sunken"))
        for holder in (self.pins, self.groups):
            with QSignalBlocker(holder):
                chosen, before = holder.current, holder.currentRow()
                entries: tuple[Pin | Group, ...] = shelf.pins if holder is self.pins else shelf.groups
                holder.leave(len(entries))
                for row, one in enumerate(entries):
                    picture = self._pictures.get(id(_place(one)), QIcon(blank))
                    compared = isinstance(one, Pin) and one.name == shelf.compared
                    ticked = one.ticked if isinstance(one, Pin) else None
                    holder.show_entry(row, one.name, _note(one, compared), picture, ticked, compared)
                last, there = holder.count() - 1, holder.row_of(chosen)
                # The choice stays with its pin, where that is gone with its row.
                holder.setCurrentRow(there if there >= 0 else min(before, last) if before >= 0 else last)
        self._nothing.setVisible(not shelf.pins)
        self.pins.setVisible(bool(shelf.pins))
        for widget in (self._title, self.groups):
            widget.setVisible(bool(shelf.groups))
        self._refresh_buttons()

    def _refresh_buttons(self) -> None:
        here = self.pins.current
        self._go.setVisible(bool(self._shown[0]))
        self._compare.setVisible(bool(self._shown[0]))
        self._go.setEnabled(bool(here))
        self._compare.setEnabled(bool(here))
        self._compare.setChecked(bool(here) and here == self._shown[2])

    def _pin_changed(self, item: QListWidgetItem) -> None:
        name = str(item.data(_NAME))
        pin = next(one for one in self._shown[0] if one.name == name)
        ticked = item.checkState() == Qt.CheckState.Checked
        if ticked != pin.ticked:
            self.ticked.emit(name, ticked)
        elif item.text() != name:
            self.pin_renamed.emit(name, item.text())

    def _group_changed(self, item: QListWidgetItem) -> None:
        if item.text() != item.data(_NAME):
            self.group_renamed.emit(str(item.data(_NAME)), item.text())

    def restore_names(self) -> None:
        """Show the names as they are, after one that was typed could not be taken."""
        for holder in (self.pins, self.groups):
            with QSignalBlocker(holder):
                for row in range(holder.count()):
                    item = holder.item(row)
                    item.setText(str(item.data(_NAME)))


def _place(one: Pin | Group) -> NDArray[np.float32]:
    return one.latent if isinstance(one, Pin) else one.mean


def _note(one: Pin | Group, compared: bool) -> str:
    if isinstance(one, Pin):
        return f"{one.name}{': compared with' if compared else ''}\nDouble-click goes there; F2 renames"
    source = f" of {one.data}" if one.data else " pins"
    return f"{one.name}: the mean of {one.count:,}{source}"


def _icon(pixels: NDArray[np.uint8]) -> QIcon:
    whole = QPixmap.fromImage(image_of(np.ascontiguousarray(pixels)))
    side = 2 * SIDE  # sharp on a display of twice the pixels
    mode = Qt.TransformationMode.SmoothTransformation
    small = whole.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, mode)
    icon = QIcon(small)
    icon.addPixmap(small, QIcon.Mode.Selected)  # the choice must not tint the picture
    return icon
