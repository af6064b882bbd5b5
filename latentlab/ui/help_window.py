"""Help: pages on the left, to search, and the page that is read on the right."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QFont, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from latentlab.session.help_pages import HelpPage, card_page, help_pages, search
from latentlab.ui.actions import Actions
from latentlab.ui.help_keys import keys_text
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.markdown_page import MarkdownPage

SIZE = QSize(980, 700)
"""Of the window, where the one it belongs to is not smaller."""
_PAGE = Qt.ItemDataRole.UserRole


class HelpWindow(QDialog):
    """Stays open beside the window it belongs to."""

    def __init__(self, actions: Actions, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Help")
        self.setModal(False)
        self.pages: tuple[HelpPage, ...] = help_pages(keys_text())
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search all pages")
        self.search.setAccessibleName("Search all pages")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._look)
        self.search.installEventFilter(self)
        self.found = QLabel()
        self.found.setProperty("role", "caption")
        self.found.setWordWrap(True)
        self.list = QTreeWidget()
        self.list.setAccessibleName("Pages")
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setItemsExpandable(False)
        self.list.setIndentation(10)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.currentItemChanged.connect(self._read)
        self.page = MarkdownPage(theme)
        self.page.page_asked.connect(self.show_page)
        side = QWidget()
        left = QVBoxLayout(side)
        left.setContentsMargins(12, 12, 6, 12)
        left.setSpacing(8)
        left.addWidget(self.search)
        left.addWidget(self.list, 1)
        left.addWidget(self.found)
        splitter = QSplitter()
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(side)
        splitter.addWidget(self.page)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([250, 730])
        side.setMinimumWidth(190)
        self.page.setMinimumWidth(360)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(splitter)
        room = SIZE if parent is None else parent.size()
        self.resize(SIZE.boundedTo(room))
        find = QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self)
        find.activated.connect(self._to_search)
        self._actions = actions
        self._fill(self.pages)

    @property
    def shown(self) -> HelpPage | None:
        """The page that is read."""
        item = self.list.currentItem()
        return None if item is None else item.data(0, _PAGE)

    def show_page(self, name: str) -> None:
        """Show a page by what it is asked for by, the first one where there is none of that name."""
        self.search.clear()
        items = self._items()
        there = (item for item in items if item.data(0, _PAGE).id == name)
        self.list.setCurrentItem(next(there, items[0]))
        self._come()

    def show_card(self, folder: Path, name: str) -> None:
        """Show the card of a model, also of one that is not bundled."""
        page = card_page(folder, name)
        if all(one.text != page.text for one in self.pages):
            self.pages = (*(one for one in self.pages if one.id != page.id), page)
            self._fill(self.pages)
        self.show_page(page.id)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrow keys move in the list, and Enter go to the next place, from the search."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
                self.list.event(event)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.page.go_on(bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
                return True
        return super().eventFilter(watched, event)

    # Within

    def _come(self) -> None:
        self.show()
        self.raise_()
        self.activateWindow()
        self._to_search()

    def _to_search(self) -> None:
        self.search.setFocus()
        self.search.selectAll()

    def _items(self) -> list[QTreeWidgetItem]:
        tops = (self.list.topLevelItem(row) for row in range(self.list.topLevelItemCount()))
        pages = (top.child(row) for top in tops if top is not None for row in range(top.childCount()))
        return [page for page in pages if page is not None]

    def _fill(self, pages: tuple[HelpPage, ...]) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        sections: dict[str, QTreeWidgetItem] = {}
        for page in pages:
            if page.section not in sections:
                top = QTreeWidgetItem([page.section])
                top.setFlags(Qt.ItemFlag.ItemIsEnabled)
                font = self.list.font()
                font.setWeight(QFont.Weight.DemiBold)
                top.setFont(0, font)
                self.list.addTopLevelItem(top)
                sections[page.section] = top
            item = QTreeWidgetItem([page.title])
            item.setData(0, _PAGE, page)
            item.setToolTip(0, page.title)
            sections[page.section].addChild(item)
        self.list.expandAll()
        self.list.blockSignals(False)

    def _look(self, text: str) -> None:
        """Show the pages that hold the words; the page that is read stays while none answers them better."""
        before, words = self.shown, text.casefold().split()
        found = search(self.pages, text) if text.strip() else self.pages
        self._fill(found)
        items = self._items()
        good = not words or (
            before is not None and bool(found) and before.rank(words) == found[0].rank(words)
        )
        stays = next((item for item in items if good and item.data(0, _PAGE) is before), None)
        first = next((item for item in items if found and item.data(0, _PAGE) is found[0]), None)
        self.page.mark(text)
        if items:
            self.list.setCurrentItem(stays or first or items[0])
        self._tell(text, len(found))
        if text.strip() and not self.page.go_to(text.strip()):
            self.page.moveCursor(self.page.textCursor().MoveOperation.Start)
            self.page.go_on()

    def _tell(self, text: str, pages: int) -> None:
        if not text.strip():
            self.found.setText("")
        elif not pages:
            self.found.setText("No page holds these words.")
        else:
            words = "1 page" if pages == 1 else f"{pages} pages"
            self.found.setText(f"{words}. Enter goes to the next place.")

    def _read(self, item: QTreeWidgetItem | None, _before: object = None) -> None:
        page = None if item is None else item.data(0, _PAGE)
        if page is not None:
            self.page.show_text(page.text, page.folder)
