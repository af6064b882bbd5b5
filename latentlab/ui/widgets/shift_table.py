"""The table of shifts: cells coloured by their shift, or a line for each interval; painted for files too."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from latentlab.session.many_table import ShiftCell, ShiftTable
from latentlab.ui.theme import DARK, LIGHT, Colours, Theme, numerals
from latentlab.ui.widgets.bars_painter import small_font, strong_font
from latentlab.ui.widgets.class_colours import class_colour
from latentlab.ui.widgets.shift_model import CELL, FIRST, KIND, ShiftModel

ROW, HEAD, DOT = 24, 28, 9
SCALE = 2
"""By how much an exported table is enlarged."""
STRONGEST = 0.62
"""How opaque the strongest colour of a cell is."""
WIDTHS = {"first": 58, "second": 58, "points": 60, "kept": 52, "ratio": 60}
CHART_LEAST, HEAT_LEAST, PAD = 72, 52, 6


class ShiftPainter:
    """Paints one place of the table."""

    def __init__(self, model: ShiftModel, font: QFont) -> None:
        self._model = model
        self.font = numerals(font)
        self.strong = strong_font(self.font)
        self.small = small_font(font)

    def paint(self, painter: QPainter, area: QRect, row: int, column: int, colours: Colours) -> None:
        """Paint ground, mark and words of a place."""
        model = self._model
        index = model.index(row, column)
        kind, cell = index.data(KIND), index.data(CELL)
        if kind == "heat" and cell is not None:
            painter.fillRect(area.adjusted(1, 1, -1, -1), self.heat(cell, colours))
        if index.data(FIRST) and model.order != "shift" and row:
            painter.setPen(QColor(colours.line))
            painter.drawLine(area.topLeft(), area.topRight())
        inside = area.adjusted(PAD, 0, -PAD, 0)
        if kind == "shift":
            if cell is not None:
                self._interval(painter, inside, cell, colours)
            return
        if kind == "class":
            self._dot(painter, inside, model.place_of(row), colours)
            inside.setLeft(inside.left() + DOT + 7)
        clear = cell is not None and cell.clear
        marked = kind in ("heat", "points")
        muted = kind == "attribute" or (marked and not clear) or (kind == "heat" and cell is None)
        font = self.strong if marked and clear else self.font
        painter.setFont(font)
        painter.setPen(QColor(colours.muted if muted else colours.text))
        text = QFontMetrics(font).elidedText(
            str(index.data() or ""), Qt.TextElideMode.ElideRight, inside.width()
        )
        painter.drawText(inside, index.data(int(Qt.ItemDataRole.TextAlignmentRole)), text)

    def heat(self, cell: ShiftCell, colours: Colours) -> QColor:
        """Return the ground of a cell: the more, the larger the shift; one of few pictures has none."""
        colour = QColor(colours.lighter if cell.difference > 0 else colours.darker)
        table = self._model.table
        strength = 0.0 if table is None or cell.small else min(1.0, abs(cell.difference) / table.largest)
        colour.setAlphaF(STRONGEST * strength)
        return colour

    def _interval(self, painter: QPainter, area: QRect, cell: ShiftCell, colours: Colours) -> None:
        """Paint the shift as a dot on an axis with 0 in its middle, and its interval as a line."""
        table = self._model.table
        assert table is not None
        middle, half = area.center().x() + 0.5, area.width() / 2.0 - 5.0
        y = area.center().y() + 0.5

        def x_of(value: float) -> float:
            return float(middle + half * max(-1.0, min(1.0, value / table.largest)))

        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(colours.line), 1))
        painter.drawLine(QPointF(middle, area.top()), QPointF(middle, area.bottom() + 1))
        colour = QColor(class_colour(cell.place, colours is DARK))
        if cell.small:
            colour.setAlphaF(0.45)
        bar = QColor(colour)
        bar.setAlphaF(0.3 * colour.alphaF())
        painter.fillRect(
            QRectF(QPointF(middle, y - 4), QPointF(x_of(cell.difference), y + 4)).normalized(), bar
        )
        painter.setPen(QPen(colour, 2))
        painter.drawLine(QPointF(x_of(cell.low), y), QPointF(x_of(cell.high), y))
        painter.setBrush(colour if cell.clear else QColor(colours.surface))
        painter.drawEllipse(QPointF(x_of(cell.difference), y), 4, 4)
        painter.restore()

    def _dot(self, painter: QPainter, area: QRect, place: int, colours: Colours) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(class_colour(place, colours is DARK)))
        painter.drawEllipse(QRectF(area.left(), area.center().y() - DOT / 2 + 0.5, DOT, DOT))
        painter.restore()


class _Delegate(QStyledItemDelegate):
    def __init__(self, painter: Callable[[], ShiftPainter], theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._painter, self._theme = painter, theme

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        colours = self._theme.colours
        area: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        if state & QStyle.StateFlag.State_Selected and index.data(KIND) != "heat":
            painter.fillRect(area, QColor(colours.accent_soft))
        self._painter().paint(painter, area, index.row(), index.column(), colours)
        if state & QStyle.StateFlag.State_Selected and index.data(KIND) == "heat":
            painter.setPen(QPen(QColor(colours.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(area.adjusted(1, 1, -1, -1))
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(60, ROW)


class ShiftTableView(QTableView):
    """Shows the table; a cell is chosen by pointer and arrow keys.

    ``chosen`` tells the cell (`ShiftCell`); ``sort_asked`` the order that a heading stands for.
    """

    chosen = Signal(object)
    sort_asked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.shifts = ShiftModel()
        self.setModel(self.shifts)
        self.setItemDelegate(_Delegate(lambda: ShiftPainter(self.shifts, self.font()), theme, self))
        self.setAccessibleName("Shifts")
        self.setShowGrid(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW)
        self.verticalHeader().setMinimumSectionSize(ROW)
        head = self.horizontalHeader()
        head.setFixedHeight(HEAD)
        head.setMinimumSectionSize(24)
        head.setSectionsClickable(True)
        head.setHighlightSections(False)
        head.setTextElideMode(Qt.TextElideMode.ElideRight)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        head.sectionClicked.connect(self._sort_by)
        theme.changed.connect(self.viewport().update)

    def show_table(self, table: ShiftTable | None, target: str, order: str) -> None:
        """Show a table; the cell that was chosen stays so where it is there still."""
        before = self.current
        self.shifts.show_table(table, target, order)
        whole = bool(self.shifts.target)
        behaviour = QAbstractItemView.SelectionBehavior
        self.setSelectionBehavior(behaviour.SelectRows if whole else behaviour.SelectItems)
        self._lay_out()
        if before is not None:
            self.choose(before.dataset, before.attribute, before.label)

    @property
    def current(self) -> ShiftCell | None:
        """The cell that is chosen."""
        index = self.currentIndex()
        return self.shifts.cell(index.row(), index.column()) if index.isValid() else None

    def choose(self, dataset: str, attribute: str, label: str) -> None:
        """Choose a cell, if it is there."""
        model = self.shifts
        if (attribute, label) not in model.rows:
            return
        row = model.rows.index((attribute, label))
        for column in range(len(model.columns)):
            cell = model.cell(row, column)
            if cell is not None and cell.dataset == dataset:
                self.setCurrentIndex(model.index(row, column))
                return

    def picture(self, width: int, title: str, caption: str) -> QImage:
        """Return the whole table as a picture on white, with a title above and words below."""
        model, painter_of = self.shifts, ShiftPainter(self.shifts, self.font())
        margin = 24
        widths = self._widths(width - 2 * margin)
        small = small_font(self.font())
        words = QFontMetrics(small).boundingRect(
            QRect(0, 0, width - 2 * margin, 10_000), int(Qt.TextFlag.TextWordWrap), caption
        )
        top = margin + 30
        height = top + HEAD + ROW * len(model.rows) + 16 + words.height() + margin
        image = QImage(width * SCALE, height * SCALE, QImage.Format.Format_RGB32)
        image.fill(QColor("white"))
        painter = QPainter(image)
        painter.scale(SCALE, SCALE)
        painter.setFont(painter_of.strong)
        painter.setPen(QColor(LIGHT.text))
        painter.drawText(QRect(margin, margin - 4, width - 2 * margin, 26), 0, title)
        left = margin
        for column, room in enumerate(widths):
            painter.setFont(small)
            painter.setPen(QColor(LIGHT.muted))
            head = QRect(left + PAD, top, room - 2 * PAD, HEAD)
            align = model.headerData(
                column, Qt.Orientation.Horizontal, int(Qt.ItemDataRole.TextAlignmentRole)
            )
            text = str(model.headerData(column, Qt.Orientation.Horizontal, 0))
            painter.drawText(
                head,
                align,
                QFontMetrics(small).elidedText(text, Qt.TextElideMode.ElideRight, head.width()),
            )
            for row in range(len(model.rows)):
                area = QRect(left, top + HEAD + row * ROW, room, ROW)
                painter_of.paint(painter, area, row, column, LIGHT)
            left += room
        painter.setPen(QColor(LIGHT.line))
        painter.drawLine(margin, top + HEAD, left, top + HEAD)
        painter.setFont(small)
        painter.setPen(QColor(LIGHT.muted))
        below = QRect(margin, height - margin - words.height(), width - 2 * margin, words.height() + 4)
        painter.drawText(below, int(Qt.TextFlag.TextWordWrap), caption)
        painter.end()
        return image

    # Qt's own

    def currentChanged(
        self, current: QModelIndex | QPersistentModelIndex, previous: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Tell which cell is chosen."""
        super().currentChanged(current, previous)
        cell = self.shifts.cell(current.row(), current.column()) if current.isValid() else None
        if cell is not None:
            self.chosen.emit(cell)

    def resizeEvent(self, event: object) -> None:
        """Spread the columns anew."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._lay_out()

    def changeEvent(self, event: QEvent) -> None:
        """Spread the columns anew with another font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._lay_out()

    def _sort_by(self, column: int) -> None:
        kind = self.shifts.columns[column].kind
        self.sort_asked.emit("attribute" if kind in ("attribute", "class") else "shift")

    def _lay_out(self) -> None:
        for column, room in enumerate(self._widths(self.viewport().width())):
            self.setColumnWidth(column, room)

    def _widths(self, room: int) -> list[int]:
        """Return the width of each column: words as wide as they are, the rest for shifts."""
        model, metrics = self.shifts, QFontMetrics(numerals(self.font()))
        fixed: dict[str, int] = dict(WIDTHS)
        for kind, texts, more in (
            ("attribute", [model.index(k, 0).data() for k in range(len(model.rows))], 0),
            ("class", [model.index(k, 1).data() for k in range(len(model.rows))], DOT + 7),
        ):
            widest = max((metrics.horizontalAdvance(str(text)) for text in texts), default=0)
            fixed[kind] = min(150, max(68, widest + more + 2 * PAD + 4))
        kinds = [column.kind for column in model.columns]
        left = room - sum(fixed.get(kind, 0) for kind in kinds)
        open_ones = [kind for kind in kinds if kind not in fixed]
        if not open_ones:
            return [fixed[kind] for kind in kinds]
        least = CHART_LEAST if "shift" in open_ones else HEAT_LEAST
        each = max(least, left // len(open_ones))
        return [fixed.get(kind, each) for kind in kinds]
