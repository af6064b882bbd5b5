"""Everything that can be done, with its keys, in one list to search: type a few letters, press Enter."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QColor, QIcon, QKeyEvent, QKeySequence, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from latentlab.ui.icons import SIZE
from latentlab.ui.theme import Theme

HANDS = (
    "Sliders: drag, or press the left and right arrow keys; a double-click, Backspace or Delete returns one "
    "to the start. Tab goes from control to control."
)
_ACTION = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, eq=False)
class Command:
    """One thing to do: its menu's name and its action."""

    menu: str
    action: QAction


class CommandPalette(QDialog):
    """Lists commands; the one that is chosen is triggered when the dialog has closed."""

    def __init__(self, commands: list[Command], theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Commands and shortcuts")
        self.setModal(True)
        self.chosen: QAction | None = None
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search commands")
        self.search.setAccessibleName("Search commands")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.search.installEventFilter(self)
        self.list = QTreeWidget()
        self.list.setAccessibleName("Commands")
        self.list.setColumnCount(3)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setAllColumnsShowFocus(True)
        self.list.itemActivated.connect(self._choose)
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)
        for command in commands:
            self.list.addTopLevelItem(_item(command, theme))
        hint = QLabel(HANDS)
        hint.setProperty("role", "caption")
        hint.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 12)
        layout.setSpacing(10)
        layout.addWidget(self.search)
        layout.addWidget(self.list, 1)
        layout.addWidget(hint)
        self.resize(560, 520)
        self._filter("")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrow keys move in the list, and Enter choose, while the search has the focus."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
                self.list.event(event)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                if (item := self.list.currentItem()) is not None and not item.isHidden():
                    self._choose(item)
                return True
        return super().eventFilter(watched, event)

    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        first: QTreeWidgetItem | None = None
        for row in range(self.list.topLevelItemCount()):
            item = self.list.topLevelItem(row)
            assert item is not None
            content = " ".join(item.text(column) for column in range(3)).casefold()
            item.setHidden(not all(word in content for word in words))
            if first is None and not item.isHidden() and not item.isDisabled():
                first = item
        self.list.setCurrentItem(first)  # type: ignore[arg-type]  # None takes the choice away

    def _choose(self, item: QTreeWidgetItem) -> None:
        action = item.data(0, _ACTION)
        if isinstance(action, QAction) and action.isEnabled():
            self.chosen = action
            self.accept()


def _blank() -> QIcon:
    """Return an icon to see nothing of, so that titles stand below one another."""
    pixmap = QPixmap(SIZE, SIZE)
    pixmap.fill(Qt.GlobalColor.transparent)
    return QIcon(pixmap)


def _item(command: Command, theme: Theme) -> QTreeWidgetItem:
    action = command.action
    title = action.text().replace("&", "").rstrip("…")
    keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    item = QTreeWidgetItem([title, command.menu, keys])
    item.setIcon(0, action.icon() if not action.icon().isNull() else _blank())
    item.setData(0, _ACTION, action)
    item.setDisabled(not action.isEnabled())
    for column in range(3):
        item.setToolTip(column, action.toolTip())
    item.setForeground(1, QColor(theme.colours.muted))
    item.setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return item
