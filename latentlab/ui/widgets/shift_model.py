"""The table of shifts as Qt's views read it: all datasets side by side, or one with its shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from latentlab.session.many_table import Key, ShiftCell, ShiftTable, points
from latentlab.ui.widgets.bars_painter import label_of

CELL = int(Qt.ItemDataRole.UserRole)
"""The role of a cell (`ShiftCell`), None where there is none."""
KIND = CELL + 1
"""The role of what a column shows."""
FIRST = CELL + 2
"""The role of whether a row is the first of its attribute, or stands by itself."""

Index = QModelIndex | QPersistentModelIndex
_DISPLAY, _TIP = Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole
_ALIGN = Qt.ItemDataRole.TextAlignmentRole
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)


@dataclass(frozen=True)
class Column:
    """A column: what it shows, its heading, and what the heading's tool tip says."""

    kind: str
    title: str
    tip: str = ""
    dataset: str = ""


class ShiftModel(QAbstractTableModel):
    """Rows are classes; columns are datasets, or what there is to say of one."""

    def __init__(self) -> None:
        super().__init__()
        self.table: ShiftTable | None = None
        self.target, self.order = "", "attribute"
        self.rows: tuple[Key, ...] = ()
        self.columns: tuple[Column, ...] = ()

    def show_table(self, table: ShiftTable | None, target: str, order: str) -> None:
        """Show a table, of one dataset or (empty) of all, in an order."""
        self.beginResetModel()
        self.table, self.order = table, order
        self.target = target if table is not None and target in table.datasets else ""
        self.rows = () if table is None else table.ordered(self.target, order)
        self.columns = () if table is None else _columns(table, self.target)
        self.endResetModel()

    def cell(self, row: int, column: int) -> ShiftCell | None:
        """Return what a place shows; of one dataset each column belongs to its row's cell."""
        if self.table is None or not (0 <= row < len(self.rows) and 0 <= column < len(self.columns)):
            return None
        dataset = self.columns[column].dataset or self.target
        return self.table.cells.get((dataset, *self.rows[row])) if dataset else None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return how many classes there are."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Return what stands above a column."""
        if orientation != Qt.Orientation.Horizontal or section >= len(self.columns):
            return None
        column = self.columns[section]
        if role == _DISPLAY:
            return column.title
        if role == _TIP:
            return column.tip or None
        if role == _ALIGN:
            left = column.kind in ("attribute", "class")
            return _LEFT if left else _CENTRE if column.kind in ("shift", "heat") else _RIGHT
        return None

    def data(self, index: Index, role: int = 0) -> Any:
        """Return what a place says."""
        row, column = index.row(), self.columns[index.column()]
        cell = self.cell(row, index.column())
        if role == CELL:
            return cell
        if role == KIND:
            return column.kind
        if role == FIRST:
            return self.is_first(row)
        if role == _DISPLAY:
            return self._text(row, column, cell)
        if role == _TIP:
            unseen = cell is None and self._cannot_show(row, column)
            return unseen or self._tip(cell)
        if role == _ALIGN:
            left = column.kind in ("attribute", "class")
            return _LEFT if left else _CENTRE if column.kind in ("shift", "heat") else _RIGHT
        return None

    def is_first(self, row: int) -> bool:
        """Whether a row is the first of its attribute; one among rows of others always is."""
        return self.order == "shift" or row == 0 or self.rows[row][0] != self.rows[row - 1][0]

    def place_of(self, row: int) -> int:
        """Return which class of its attribute a row shows."""
        name, label = self.rows[row]
        assert self.table is not None
        return [key[1] for key in self.table.classes if key[0] == name].index(label)

    def _text(self, row: int, column: Column, cell: ShiftCell | None) -> str:
        name, label = self.rows[row]
        if column.kind == "attribute":
            return label_of(name) if self.is_first(row) else ""
        if column.kind == "class":
            return label_of(label)
        if cell is None:
            unseen = column.kind in ("heat", "shift") and self._cannot_show(row, column)
            return "–" if unseen else "own" if column.kind == "heat" else ""
        if column.kind in ("heat", "shift", "points"):
            text = points(cell.difference)
            return f"({text})" if cell.small else text
        if column.kind in ("first", "second"):
            value = cell.first if column.kind == "first" else cell.second
            return points(value) if self._is_bias else f"{100 * value:.1f}%"
        return self._of_attribute(row, column)

    def _cannot_show(self, row: int, column: Column) -> str:
        """Say that a dataset cannot show a row's attribute; empty where it can."""
        dataset, name = column.dataset or self.target, self.rows[row][0]
        if self.table is None or not dataset:
            return ""
        if name in self.table.cannot_show.get(dataset, ()):
            return f"{dataset} cannot show {label_of(name).lower()}"
        counted = any(key[0] == dataset for key in self.table.cells)
        return f"The pictures' own dataset cannot show {label_of(name).lower()}" if counted else ""

    def _of_attribute(self, row: int, column: Column) -> str:
        """Return what holds for an attribute as a whole, said once."""
        if not self.is_first(row) or self.table is None:
            return ""
        note = self.table.notes.get((self.target, self.rows[row][0]))
        if note is None:
            return ""
        if column.kind == "kept":
            return "" if note.kept is None else f"{100 * note.kept.value:.0f}%"
        return "–" if note.ratio is None else f"×{note.ratio:.2f}"

    @property
    def _is_bias(self) -> bool:
        return self.table is not None and self.table.shown == "bias"

    def _tip(self, cell: ShiftCell | None) -> str | None:
        if cell is None or self.table is None:
            return None
        what = f"{label_of(cell.attribute)}: {label_of(cell.label).lower()}, on {cell.dataset}"
        interval = f"{points(cell.low)} to {points(cell.high)}"
        if self._is_bias:
            lines = [
                what,
                f"Shift with keep {points(cell.first)} points, with follow {points(cell.second)}",
                f"Difference {points(cell.difference)} points (95%: {interval}), {cell.n:,} pictures",
            ]
        else:
            lines = [
                what,
                f"{100 * cell.first:.1f}% of the reconstructions, {100 * cell.second:.1f}% after",
                f"{points(cell.difference)} points (95%: {interval}), {cell.n:,} pictures",
            ]
            note = self.table.notes.get((cell.dataset, cell.attribute))
            if note is not None:
                lines += _note_lines(note.kept, note.before, note.after)
        if cell.small:
            lines.append("Few pictures are behind this.")
        return "\n".join(lines)


def _note_lines(kept: Any, before: float, after: float) -> list[str]:
    lines = [f"Entropy of the attribute {before:.2f} before, {after:.2f} after (nats)"]
    if kept is not None:
        low, high = 100 * kept.low, 100 * kept.high
        lines.insert(0, f"The attribute stays in {100 * kept.value:.1f}% ({low:.1f}% to {high:.1f}%)")
    return lines


def _columns(table: ShiftTable, target: str) -> tuple[Column, ...]:
    named = (Column("attribute", "Attribute", "Order by attribute"), Column("class", "Class"))
    if not target:
        return (*named, *(Column("heat", name, f"{name}, in points", name) for name in table.datasets))
    if table.shown == "bias":
        return (
            *named,
            Column("first", "Keep", "Shift with keep the content, in points"),
            Column("second", "Follow", "Shift with follow the dataset, in points"),
            Column("shift", "Follow − keep", "Order by size. The line is the 95% interval"),
            Column("points", "Points", "Order by size"),
        )
    return (
        *named,
        Column("first", "Before", "Share of the reconstructions"),
        Column("second", "After", "Share of the projections"),
        Column("shift", "Shift", "Order by size. The line is the 95% interval"),
        Column("points", "Points", "Order by size"),
        Column("kept", "Kept", "How often the attribute is predicted as in the reconstruction"),
        Column("ratio", "Entropy", "Entropy of the attribute after / before: below 1 diversity is lost"),
    )
