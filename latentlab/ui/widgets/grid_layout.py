"""Where the pictures and the labels of a grid stand."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QSize

GAP = 2
"""Between two pictures, and around all of them: frames of cells are painted there."""
LEAST_SIDE = 8

_APART = 8
_LABEL_LEAST, _LABEL_MOST = 48, 160


@dataclass(frozen=True)
class GridLayout:
    """Where the cells and the labels of a grid stand.

    Parameters
    ----------
    side
        Of a cell, in pixels.
    area
        All cells with the gap around them.
    left, top
        Width of the row labels and height of the column labels.
    apart
        By how many pixels columns stand further apart than rows do.
    """

    rows: int
    columns: int
    side: int
    area: QRect
    left: int
    top: int
    apart: int = 0

    def cell(self, index: int) -> QRect:
        """Return the square of a cell."""
        row, column = divmod(index, self.columns)
        x = self.area.left() + GAP + column * self.across + self.apart // 2
        y = self.area.top() + GAP + row * self.pitch
        return QRect(x, y, self.side, self.side)

    def row_label(self, row: int) -> QRect:
        """Return where the label of a row stands."""
        y = self.cell(row * self.columns).top()
        return QRect(self.area.left() - self.left, y, max(0, self.left - _APART), self.side)

    def column_label(self, column: int, over: int = 1) -> QRect:
        """Return where the label of a column stands, which may be as wide as ``over`` columns."""
        middle = self.cell(column).center().x()
        width = over * self.across - GAP
        return QRect(middle - width // 2, self.area.top() - self.top, width, self.top)

    def index_at(self, point: QPoint) -> int | None:
        """Return the cell at a point; the gap after a cell belongs to it."""
        if not self.area.contains(point):
            return None
        column = (point.x() - self.area.left() - GAP) // self.across
        row = (point.y() - self.area.top() - GAP) // self.pitch
        inside = 0 <= column < self.columns and 0 <= row < self.rows
        return row * self.columns + column if inside else None

    @property
    def pitch(self) -> int:
        """From one row to the next."""
        return self.side + GAP

    @property
    def across(self) -> int:
        """From one column to the next."""
        return self.pitch + self.apart


def lay_out(size: QSize, rows: int, columns: int, longest: int, top: int, widest: int = 0) -> GridLayout:
    """Place a grid in the middle of the room, its square cells as large as they can be.

    Parameters
    ----------
    longest
        Width of the longest row label; 0 without labels. Labels give way to the pictures.
    top
        Height of the column labels.
    widest
        Width of the widest column label: so far apart stand the columns where the pictures leave the room.
    """
    rows, columns = max(1, rows), max(1, columns)
    most = max(_LABEL_LEAST, min(_LABEL_MOST, size.width() // 4))
    left = min(longest + _APART, most) if longest else 0
    wide = (size.width() - left - GAP) // columns - GAP
    high = (size.height() - top - GAP) // rows - GAP
    side = max(LEAST_SIDE, min(wide, high))
    spare = (size.width() - left - GAP) // columns - side - GAP
    apart = max(0, min(widest - side, spare))
    width, height = columns * (side + GAP + apart) + GAP, rows * (side + GAP) + GAP
    if longest:  # what the pictures leave over, the labels may have
        left = min(longest + _APART, max(left, size.width() - width))
    area = QRect((size.width() - left - width) // 2 + left, (size.height() - top - height) // 2 + top, 0, 0)
    return GridLayout(rows, columns, side, QRect(area.topLeft(), QSize(width, height)), left, top, apart)
