"""The grid of samples: one z a row with a pin at its head, one dataset a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QMouseEvent
from PySide6.QtWidgets import QToolButton, QWidget

from latentlab.ui.icons import icon
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.picture_grid import PictureGrid

HINT = "Click or Enter: go on with it in Explore. Ctrl+click or Ctrl+Enter: pin its row"
BUTTON = 24
PIN_TIP = "Keep this row when others are drawn"
_ROW_TIP = "Click to show this row in the strip below"


@dataclass(frozen=True)
class RowHead:
    """What stands before a row: its label, and whether it is pinned; None where it cannot be."""

    label: str
    pinned: bool | None = None


class SampleSheet(PictureGrid):
    """`PictureGrid` with a pin before each row's label, and every column's label elided in its own room.

    ``pin_toggled`` tells a row and whether it is to be pinned, ``row_chosen`` a row whose label was clicked.
    """

    pin_toggled = Signal(int, bool)
    row_chosen = Signal(int)
    head = BUTTON + 4
    spread = True
    elided = Qt.TextElideMode.ElideRight

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self.pins: list[QToolButton] = []
        self._heads: tuple[RowHead, ...] = ()
        self._words: Sequence[Sequence[str]] = ()
        self._tips: tuple[str, ...] = ()
        super().__init__(theme, HINT, parent)
        self.setAccessibleName("Samples: one z a row, one dataset a column")
        theme.changed.connect(self._draw_pins)

    def show_shape(self, heads: Sequence[RowHead], columns: Sequence[str], tips: Sequence[str]) -> None:
        """Show these rows and columns from the next frame on; ``tips`` say the columns in full."""
        self._tips = tuple(tips)
        self.set_shape(len(heads), len(columns), [one.label for one in heads], columns)
        self.show_heads(heads)

    def show_heads(self, heads: Sequence[RowHead]) -> None:
        """Show what is pinned, where the rows are still as many."""
        if len(heads) != self._rows:
            return
        self._heads = tuple(heads)
        while len(self.pins) < len(heads):
            self._add_pin(len(self.pins))
        for button, head in zip(self.pins, heads, strict=False):
            button.setChecked(bool(head.pinned))
            button.setAccessibleName(f"{'Unpin' if head.pinned else 'Pin'} {head.label}")
        self._place_pins()
        self._draw_pins()

    def show_words(self, words: Sequence[Sequence[str]]) -> None:
        """Say of each cell what is predicted otherwise in it."""
        self._words = words
        self._describe()

    def show_nothing(self, reason: str) -> None:
        """Show no pictures, and say why."""
        super().show_nothing(reason)
        self._place_pins()

    def name_of(self, index: int) -> str:
        """Return the row's label and the column's name in full."""
        row, column = divmod(index, max(1, self._columns))
        names = [*self._row_labels[row : row + 1], *self._tips[column : column + 1]]
        return ", ".join(names) or super().name_of(index)

    def tip_at(self, point: QPoint) -> str:
        """Return what is under a point in full: a picture and what changes in it, a row or a column."""
        index = self.index_at(point)
        if index is not None:
            words = self._words[index] if index < len(self._words) else ()
            return "\n".join([self.name_of(index), *words, HINT])
        row = self._row_at(point)
        if row is not None:
            return f"{self._row_labels[row]}\n{_ROW_TIP}"
        for column, tip in enumerate(self._tips[: self._columns]):
            if self._layout.column_label(column).contains(point):
                return tip
        return ""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of a cell, or choose the row whose label is pressed."""
        row = self._row_at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and row is not None:
            self.row_chosen.emit(row)
        else:
            super().mousePressEvent(event)

    def _row_at(self, point: QPoint) -> int | None:
        rows = range(self._rows if self._cells is not None else 0)
        return next((row for row in rows if self._layout.row_label(row).contains(point)), None)

    def _add_pin(self, row: int) -> None:
        button = QToolButton(self)
        button.setCheckable(True)
        button.setFixedSize(BUTTON, BUTTON)
        button.setIconSize(QSize(14, 14))
        button.setToolTip(PIN_TIP)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.clicked.connect(lambda pinned: self._toggle(row, pinned))
        QWidget.setTabOrder(self.pins[-1] if self.pins else self, button)
        self.pins.append(button)

    def _toggle(self, row: int, pinned: bool) -> None:
        self.pins[row].setChecked(not pinned)  # it stays as it is until the document has changed
        self.pin_toggled.emit(row, pinned)

    def _place_pins(self) -> None:
        there = self._cells is not None or (self._rows > 0 and not self._empty)
        for row, button in enumerate(self.pins):
            shown = there and row < len(self._heads) and self._heads[row].pinned is not None
            button.setVisible(shown and row < self._rows)
            if button.isVisibleTo(self):
                place = self._layout.row_label(row)
                middle = place.center().y() - BUTTON // 2
                button.setGeometry(QRect(max(0, place.left()), middle, BUTTON, BUTTON))

    def _draw_pins(self) -> None:
        colour = self._theme.colour
        for button in self.pins:
            shade = colour("accent" if button.isChecked() else "faint")
            button.setIcon(icon("pin", shade, colour("line")))

    def _lay_out(self) -> None:
        super()._lay_out()
        self._place_pins()

    def _columns_a_label(self, metrics: QFontMetrics) -> int:
        return 1

    def _describe(self) -> None:
        super()._describe()
        if self._cells is not None and self._reached < len(self._words):
            said = [self.accessibleDescription(), *self._words[self._reached]]
            self.setAccessibleDescription("; ".join(said))
