"""Cards in rows, as many beside one another as there is room for."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

GAP = 12


class CardGrid(QWidget):
    """Lays out widgets of one height; its own height follows from its width.

    Parameters
    ----------
    least
        The least width of a card, in pixels.
    most
        How many stand in a row at most.
    rows
        How many rows are shown at most; cards that would stand below are hidden. All without it.
    """

    def __init__(self, least: int, most: int, rows: int | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._least, self._most, self._rows = least, most, rows
        self.cards: list[QWidget] = []

    def show_cards(self, cards: Sequence[QWidget]) -> None:
        """Show these instead of those before."""
        for card in self.cards:
            card.setParent(None)
            card.deleteLater()
        self.cards = list(cards)
        for card in self.cards:
            card.setParent(self)
        self._place()

    def sizeHint(self) -> QSize:
        """Return the size that all cards take."""
        return QSize(self._least, self.minimumHeight())

    def columns(self, width: int) -> int:
        """Return how many cards stand beside one another in a width."""
        return max(1, min(self._most, (width + GAP) // (self._least + GAP)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the cards anew."""
        super().resizeEvent(event)
        self._place()

    def changeEvent(self, event: QEvent) -> None:
        """Place the cards anew where the text has another size."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._place()

    def _place(self) -> None:
        columns = self.columns(self.width())
        width = (self.width() - (columns - 1) * GAP) // columns
        height = self.cards[0].height() if self.cards else 0
        for k, card in enumerate(self.cards):
            row, column = divmod(k, columns)
            card.setVisible(self._rows is None or row < self._rows)
            card.setGeometry(column * (width + GAP), row * (height + GAP), width, height)
        rows = -(-len(self.cards) // columns)
        rows = rows if self._rows is None else min(rows, self._rows)
        self.setFixedHeight(max(0, rows * (height + GAP) - GAP))
