"""A batch of pictures in rows and columns with labels: where one can go, at one glance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from latentlab.ui.theme import Theme
from latentlab.ui.widgets.bars_painter import small_font
from latentlab.ui.widgets.grid_layout import GAP, lay_out
from latentlab.ui.widgets.picture_cells import PictureCells
from latentlab.ui.widgets.tips import answered_tip

HINT = "Click to go there, Ctrl+click to pin it"

_MIDDLE = Qt.TextElideMode.ElideMiddle
_RIGHT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)
_TO_PIN = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


class PictureGrid(QWidget):
    """Pictures in rows and columns; it says which of them is pointed at, chosen, or to be pinned.

    ``hovered`` tells the cell under the pointer or the one that the arrow keys reached, -1 for none.
    A click, Enter or Space chooses; with Ctrl or Shift they ask for a pin. A menu is the owner's: the
    menu key's event comes at the keyboard's cell, so that `index_at` of its position is right for both.
    """

    painted = Signal(int)
    hovered = Signal(int)
    chosen = Signal(int)
    pin_asked = Signal(int)
    head = 0
    """Room before the label of each row, in pixels, for what a subclass has there."""
    spread = False
    """Whether columns stand as far apart as their labels are wide, where the pictures leave the room."""
    elided = Qt.TextElideMode.ElideMiddle
    """Where the labels of columns are shortened."""

    def __init__(self, theme: Theme, hint: str = HINT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._hint = theme, hint
        self._rows = self._columns = 0
        self._row_labels: tuple[str, ...] = ()
        self._column_labels: tuple[str, ...] = ()
        self._cells: PictureCells | None = None
        self._empty = ""
        self._generation = 0
        self.painted_generation = 0
        self.smooth = True
        self._current: int | None = None
        self._under: int | None = None
        self._pressed: int | None = None
        self._reached = 0
        self._by_keys = False
        self._layout = lay_out(QSize(), 1, 1, 0, 0)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Grid of pictures")
        theme.changed.connect(self.update)

    # What is shown

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(480, 480)

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which the pictures can be made out."""
        return QSize(160, 160)

    @property
    def pixels(self) -> NDArray[np.uint8] | None:
        """What is shown, uint8 ``[B, S, S, 4]``, BGRX; None without pictures."""
        return None if self._cells is None else self._cells.pixels

    @property
    def keyboard_cell(self) -> int | None:
        """The cell that the keys reached; None without pictures."""
        return self._reached if self._cells is not None else None

    def set_shape(
        self, rows: int, columns: int, row_labels: Sequence[str] = (), column_labels: Sequence[str] = ()
    ) -> None:
        """Show that many rows and columns with these labels from the next frame on.

        Pictures of another shape are taken away: they would stand under the wrong labels.
        """
        labels = tuple(row_labels), tuple(column_labels)
        alike = (rows, columns) == (self._rows, self._columns)
        if alike and labels == (self._row_labels, self._column_labels):
            return
        if not alike:
            self._rows, self._columns = rows, columns
            self._cells, self._empty, self._generation = None, "", 0
            self._current = self._pressed = None
            self._reached = min(self._reached, max(0, rows * columns - 1))
            self._point_at(None)
        self._row_labels, self._column_labels = labels
        self._lay_out()

    def show_frame(self, pixels: NDArray[np.uint8], generation: int = 0) -> None:
        """Show uint8 ``[B, S, S, 4]``, BGRX, row by row, at the next paint; `painted` tells which."""
        first = self._cells is None
        self._cells = PictureCells(pixels)
        self._generation = generation
        if first:
            self._describe()
            self.update()
        else:
            self.update(self._layout.area)

    def show_nothing(self, reason: str) -> None:
        """Show no pictures, and say why."""
        self._cells, self._empty, self._generation = None, reason, 0
        self._point_at(None)
        self.setAccessibleDescription(reason)
        self.update()

    def set_current(self, index: int | None) -> None:
        """Frame the cell that is the present latent, or none."""
        if index != self._current:
            before, self._current = self._current, index
            self._update_cells(before, index)

    def set_smooth(self, smooth: bool) -> None:
        """Smooth between the pixels, or show them as squares."""
        if smooth != self.smooth:
            self.smooth = smooth
            self.update()

    def index_at(self, point: QPoint) -> int | None:
        """Return the cell at a point of the widget; None beside the cells or without pictures."""
        return self._layout.index_at(point) if self._cells is not None else None

    def cell_area(self, index: int) -> QRect:
        """Return the square in which a picture is painted."""
        return self._layout.cell(index)

    def name_of(self, index: int) -> str:
        """Return a cell's labels, that of its row first; its number where there are none."""
        row, column = divmod(index, max(1, self._columns))
        labels = [*self._row_labels[row : row + 1], *self._column_labels[column : column + 1]]
        return ", ".join(label for label in labels if label) or f"Picture {index + 1}"

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint what the region needs, nothing twice: during a drag that is the cells alone."""
        painter = QPainter(self)
        painter.setFont(self.font())
        if self._cells is None and (self._empty or not self._rows):
            self._paint_nothing(painter)
            painter.end()
            return
        region, area = event.region(), self._layout.area
        self._paint_gaps(painter, area)
        if not area.contains(region.boundingRect()):
            self._paint_around(painter, area)
        for index in range(self._rows * self._columns):
            cell = self._layout.cell(index)
            if region.intersects(cell):
                if self._cells is not None and index < len(self._cells):
                    self._cells.paint(painter, index, cell, self.smooth)
                else:
                    painter.fillRect(cell, self._theme.colour("sunken"))
        if self._cells is not None:
            self._paint_frames(painter)
        painter.end()
        if self._cells is not None:
            self.painted_generation = self._generation
            self.painted.emit(self._generation)

    def _paint_nothing(self, painter: QPainter) -> None:
        painter.fillRect(self.rect(), self._theme.colour("window"))
        area = self.rect().adjusted(GAP, GAP, -GAP, -GAP)
        painter.fillRect(area, self._theme.colour("sunken"))
        painter.setPen(self._theme.colour("line"))
        painter.drawRect(area.adjusted(0, 0, -1, -1))
        painter.setPen(self._theme.colour("muted"))
        flags = _CENTRE | int(Qt.TextFlag.TextWordWrap)
        painter.drawText(area.adjusted(12, 12, -12, -12), flags, self._empty)

    def _paint_gaps(self, painter: QPainter, area: QRect) -> None:
        ground, pitch, apart = self._theme.colour("window"), self._layout.pitch, self._layout.apart
        for column in range(self._columns + 1):
            left = area.left() + column * self._layout.across - (apart - apart // 2)
            painter.fillRect(QRect(left, area.top(), GAP + apart, area.height()) & area, ground)
        for row in range(self._rows + 1):
            painter.fillRect(QRect(area.left(), area.top() + row * pitch, area.width(), GAP), ground)

    def _paint_around(self, painter: QPainter, area: QRect) -> None:
        ground, all_ = self._theme.colour("window"), self.rect()
        painter.fillRect(QRect(0, 0, all_.width(), area.top()), ground)
        painter.fillRect(QRect(0, area.bottom() + 1, all_.width(), all_.bottom() - area.bottom()), ground)
        painter.fillRect(QRect(0, area.top(), area.left(), area.height()), ground)
        right = area.right() + 1
        painter.fillRect(QRect(right, area.top(), all_.width() - right, area.height()), ground)
        font = small_font(self.font())
        metrics = QFontMetrics(font)
        painter.setFont(font)
        row_now, column_now = divmod(self._marked(), self._columns) if self._columns else (-1, -1)
        for row, label in enumerate(self._row_labels[: self._rows]):
            place = self._layout.row_label(row).adjusted(self.head, 0, 0, 0)
            painter.setPen(self._label_colour(row == row_now))
            painter.drawText(place, _RIGHT, metrics.elidedText(label, _MIDDLE, place.width()))
        if self._layout.top:
            over = self._columns_a_label(metrics)
            for column, label in enumerate(self._column_labels[: self._columns]):
                if column % over == 0:
                    place = self._layout.column_label(column, over)
                    painter.setPen(self._label_colour(column == column_now))
                    painter.drawText(place, _CENTRE, metrics.elidedText(label, self.elided, place.width()))

    def _paint_frames(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        if self._under is not None and self._under != self._current:
            self._frame(painter, self._under, GAP, 0, self._theme.colour("muted"))
        if self._current is not None and self._current < self._rows * self._columns:
            self._frame(painter, self._current, GAP, 1, self._theme.colour("accent"))
        if self.hasFocus() and self._by_keys:
            self._frame(painter, self._reached, -2, 1, self._theme.colour("surface"))
            self._frame(painter, self._reached, -3, 2, self._theme.colour("text"))

    def _frame(self, painter: QPainter, index: int, outside: int, inside: int, colour: QColor) -> None:
        """Paint a frame from ``outside`` pixels around a cell to ``inside`` pixels within it."""
        outer = self._layout.cell(index).adjusted(-outside, -outside, outside, outside)
        width = outside + inside if outside >= 0 else inside
        painter.fillRect(QRect(outer.left(), outer.top(), outer.width(), width), colour)
        painter.fillRect(QRect(outer.left(), outer.bottom() + 1 - width, outer.width(), width), colour)
        painter.fillRect(QRect(outer.left(), outer.top(), width, outer.height()), colour)
        painter.fillRect(QRect(outer.right() + 1 - width, outer.top(), width, outer.height()), colour)

    def _label_colour(self, marked: bool) -> QColor:
        return self._theme.colour("text" if marked else "muted")

    def _columns_a_label(self, metrics: QFontMetrics) -> int:
        """Return how many columns share the room of one label, so that short labels stay whole."""
        longest = max((metrics.horizontalAdvance(label) for label in self._column_labels), default=0)
        over = -(-(longest + 6) // self._layout.across)
        return over if 1 <= over <= 4 else 1

    # Mouse and keys

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Mark the cell under the pointer."""
        self._point_at(self.index_at(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        """Mark no cell."""
        self._point_at(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of a cell; it is chosen when the button is released over it."""
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self._pressed = self.index_at(event.position().toPoint())
        if self._pressed is not None:
            self._by_keys = False
            self._reach(self._pressed)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Choose the cell, or ask for a pin of it."""
        pressed, self._pressed = self._pressed, None
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
        elif pressed is not None and pressed == self.index_at(event.position().toPoint()):
            self._take(pressed, event.modifiers())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Take the second of two quick clicks as a click, but pin nothing twice."""
        if not event.modifiers() & _TO_PIN:
            self.mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move by arrows, Home, End (in the row) and page keys (in the column); Enter or Space chooses."""
        key, last = Qt.Key(event.key()), self._rows * self._columns - 1
        row, column = divmod(self._reached, max(1, self._columns))
        places = {
            Qt.Key.Key_Left: (row, column - 1),
            Qt.Key.Key_Right: (row, column + 1),
            Qt.Key.Key_Up: (row - 1, column),
            Qt.Key.Key_Down: (row + 1, column),
            Qt.Key.Key_Home: (row, 0),
            Qt.Key.Key_End: (row, self._columns - 1),
            Qt.Key.Key_PageUp: (0, column),
            Qt.Key.Key_PageDown: (self._rows - 1, column),
        }
        if self._cells is None or last < 0:
            event.ignore()
        elif key in places:
            self._by_keys = True
            row, column = places[key]
            if 0 <= row < self._rows and 0 <= column < self._columns:
                self._reach(row * self._columns + column)
                self._point_at(self._reached)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._take(self._reached, event.modifiers())
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Begin at the present latent, where the focus came by a key."""
        self._by_keys = event.reason() != Qt.FocusReason.MouseFocusReason
        if self._current is not None and self._by_keys:
            self._reach(self._current)
        self._update_cells(self._reached)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the keyboard's frame away."""
        self._update_cells(self._reached)

    def inputMethodQuery(self, query: Qt.InputMethodQuery) -> object:
        """Say where the keyboard's cell is: there the menu key opens a menu."""
        if query == Qt.InputMethodQuery.ImCursorRectangle and self._cells is not None:
            return self._layout.cell(self._reached)
        return super().inputMethodQuery(query)

    def event(self, event: QEvent) -> bool:
        """Show labels in full, and what a click does."""
        return answered_tip(self, event, self.tip_at) or super().event(event)

    def tip_at(self, point: QPoint) -> str:
        """Return what the tool tip says at a point."""
        index = self.index_at(point)
        if index is not None:
            return f"{self.name_of(index)}\n{self._hint}"
        for row, label in enumerate(self._row_labels[: self._rows]):
            if self._layout.row_label(row).contains(point):
                return label
        for column, label in enumerate(self._column_labels[: self._columns]):
            if self._layout.column_label(column).contains(point):
                return label
        return ""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the cells anew."""
        self._lay_out()

    def changeEvent(self, event: QEvent) -> None:
        """Place the cells anew when the font changes."""
        if event.type() == QEvent.Type.FontChange:
            self._lay_out()
        super().changeEvent(event)

    # Within

    def _take(self, index: int, modifiers: Qt.KeyboardModifier) -> None:
        (self.pin_asked if modifiers & _TO_PIN else self.chosen).emit(index)

    def _reach(self, index: int) -> None:
        before, self._reached = self._reached, index
        self._update_cells(before, index)
        self._describe()

    def _describe(self) -> None:
        """Tell assistive programs which cell the keys reached."""
        index, total = self._reached, self._rows * self._columns
        here = "the present picture, " if index == self._current else ""
        self.setAccessibleDescription(f"{self.name_of(index)}, {here}{index + 1} of {total}")

    def _point_at(self, index: int | None) -> None:
        if index != self._under:
            before, self._under = self._under, index
            self._update_cells(before, index)
            self.setCursor(Qt.CursorShape.ArrowCursor if index is None else Qt.CursorShape.PointingHandCursor)
            self.hovered.emit(-1 if index is None else index)

    def _marked(self) -> int:
        """Return the cell whose labels stand out; -1 for none."""
        if self._under is not None:
            return self._under
        if self.hasFocus() and self._by_keys and self._cells is not None:
            return self._reached
        return -1 if self._current is None else self._current

    def _update_cells(self, *indices: int | None) -> None:
        """Paint these cells with their frames, and the labels, anew."""
        for index in indices:
            if index is not None:
                self.update(self._layout.cell(index).adjusted(-GAP, -GAP, GAP, GAP))
        area, left, top = self._layout.area, self._layout.left, self._layout.top
        if left:
            self.update(QRect(area.left() - left, area.top(), left, area.height()))
        if top:
            self.update(QRect(area.left() - 40, area.top() - top, area.width() + 80, top))

    def _lay_out(self) -> None:
        metrics = QFontMetrics(small_font(self.font()))
        widths = [metrics.horizontalAdvance(label) + 4 for label in self._row_labels if label]
        longest = max(widths, default=0) + self.head
        top = metrics.height() + 4 if any(self._column_labels) else 0
        labels = self._column_labels if self.spread else ()
        widest = max((metrics.horizontalAdvance(label) + 8 for label in labels), default=0)
        self._layout = lay_out(self.size(), self._rows, self._columns, longest, top, widest)
        self.update()
