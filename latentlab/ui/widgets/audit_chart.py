"""A study's chart as a widget: a tip with exact numbers, keys among the marks, a click shows the images."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from latentlab.session.audit_beside import Shown
from latentlab.session.audit_words import mark_words
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.audit_painter import paint_chart
from latentlab.ui.widgets.audit_plot import Plot, lay_out
from latentlab.ui.widgets.tips import answered_tip

HINT = "Click to see the images behind it"
_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)
_BY_KEYS = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)


class AuditChart(QFrame):
    """Paints a chart; ``chosen`` tells the place of the mark that was clicked."""

    chosen = Signal(int)

    def __init__(self, shown: Shown, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.shown, self._theme = shown, theme
        self._plot: Plot | None = None
        self._current: int | None = None
        self._pointed: int | None = None
        self._reached = 0
        self._by_keys = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(shown.chart.title)
        theme.changed.connect(self.update)
        self._describe()

    @property
    def current(self) -> int | None:
        """The mark whose images are shown."""
        return self._current

    def set_current(self, mark: int | None) -> None:
        """Mark the one whose images are shown, or none."""
        if mark != self._current:
            self._current = mark
            if mark is not None:
                self._reached = mark
            self._describe()
            self.update()

    def show_chart(self, shown: Shown) -> None:
        """Show another chart in its place, such as more of the same."""
        self.shown, self._plot = shown, None
        self._reached = min(self._reached, max(0, len(shown.chart.marks) - 1))
        if self._current is not None and self._current >= len(shown.chart.marks):
            self._current = None
        self._pointed = None
        self.setAccessibleName(shown.chart.title)
        self._describe()
        self.updateGeometry()
        self.update()

    def height_for(self, width: int) -> int:
        """Return the height that the chart takes in a width, in pixels."""
        return math.ceil(lay_out(self.shown, width, self.font()).height)

    def sizeHint(self) -> QSize:
        """Return the size that it takes at a usual width."""
        return QSize(480, self.height_for(480))

    def hasHeightForWidth(self) -> bool:
        """Return that its height follows from its width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height that the chart takes in a width."""
        return self.height_for(width)

    @property
    def plot(self) -> Plot:
        """Where everything stands now."""
        if self._plot is None or self._plot.width != self.width():
            self._plot = lay_out(self.shown, self.width(), self.font())
        return self._plot

    def mark_area(self, mark: int) -> QRectF:
        """Return the area of a mark."""
        return self.plot.marks[mark]

    def tip_at(self, point: QPoint) -> str:
        """Return what the tool tip says at a point."""
        mark = self.plot.mark_at(QPointF(point))
        if mark is None:
            return ""
        return "\n".join([*self._words(mark), *([HINT] if self._has_images(mark) else [])])

    # Qt's own

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the card, and the chart on it."""
        super().paintEvent(event)
        painter = QPainter(self)
        plot, colours = self.plot, self._theme.colours
        paint_chart(painter, plot, self.shown, colours, self.font(), self._current, self._pointed)
        if self.hasFocus() and self._by_keys and self._reached < len(plot.marks):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self._theme.colour("text"), 2))
            painter.drawRoundedRect(plot.marks[self._reached].adjusted(-3, -1, 3, 1), 4, 4)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place everything anew."""
        self._plot = None
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Place everything anew with another font."""
        if event.type() == QEvent.Type.FontChange:
            self._plot = None
            self.updateGeometry()
        super().changeEvent(event)

    def event(self, event: QEvent) -> bool:
        """Show the exact numbers of a mark."""
        return answered_tip(self, event, self.tip_at) or super().event(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Mark what lies under the pointer."""
        self._point_at(self.plot.mark_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        """Mark nothing."""
        self._point_at(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the mark under the pointer."""
        mark = self.plot.mark_at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or mark is None:
            event.ignore()
            return
        self._by_keys = False
        self._reach(mark)
        self._choose(mark)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move among the marks by arrows, Home and End; Enter or Space shows the images."""
        key, last = Qt.Key(event.key()), len(self.shown.chart.marks) - 1
        if last < 0:
            event.ignore()
        elif key in _ARROWS:
            self._by_keys = True
            there = self.plot.neighbour(self._reached, key)
            if there == self._reached:
                event.ignore()  # such as at the last row: what lies around scrolls
            self._reach(there)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._by_keys = True
            self._reach(0 if key == Qt.Key.Key_Home else last)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._choose(self._reached)
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show which mark the keys are at, where the focus came by one."""
        self._by_keys = event.reason() in _BY_KEYS
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the keyboard's frame away."""
        super().focusOutEvent(event)
        self.update()

    # Within

    def _choose(self, mark: int) -> None:
        if self._has_images(mark):
            self.chosen.emit(mark)

    def _has_images(self, mark: int) -> bool:
        origin = self.shown.origins[mark]
        return origin is not None and bool(origin[1].images)

    def _words(self, mark: int) -> list[str]:
        return mark_words(self.shown.chart, self.shown.chart.marks[mark], self.shown.differences.get(mark))

    def _reach(self, mark: int) -> None:
        self._reached = mark
        self._describe()
        self.update()

    def _describe(self) -> None:
        """Tell assistive programs which mark the keys are at."""
        count = len(self.shown.chart.marks)
        if count:
            words = ". ".join(self._words(self._reached))
            self.setAccessibleDescription(f"{words}. {self._reached + 1} of {count}")

    def _point_at(self, mark: int | None) -> None:
        if mark != self._pointed:
            self._pointed = mark
            hand = mark is not None and self._has_images(mark)
            self.setCursor(Qt.CursorShape.PointingHandCursor if hand else Qt.CursorShape.ArrowCursor)
            self.update()
