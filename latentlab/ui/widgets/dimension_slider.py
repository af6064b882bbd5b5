"""The slider of one latent dimension: its track shows where the start is and how far one has gone from it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSlider, QWidget

from latentlab.ui.theme import Theme

_RADIUS = 7
_TRACK = 4


class DimensionSlider(QSlider):
    """A slider over values low .. high in steps of ``step``.

    A press anywhere takes the handle there; a double click asks for the start's value; the wheel works
    only while the slider has the focus, so that scrolling a list moves no slider.

    Parameters
    ----------
    low, high
        The range, in the dimension's own units.
    step
        The finest difference.
    """

    value_moved = Signal(float)
    reset_asked = Signal()

    def __init__(
        self, low: float, high: float, step: float, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._step, self._theme = step, theme
        self._start = 0.0
        self._grabbed_at = 0.0
        self.set_span(low, high, step)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.valueChanged.connect(lambda ticks: self.value_moved.emit(ticks * self._step))

    def set_span(self, low: float, high: float, step: float) -> None:
        """Have another range, and another finest difference."""
        self._step = step
        self.setRange(round(low / step), round(high / step))
        self.setSingleStep(max(1, (self.maximum() - self.minimum()) // 120))
        self.setPageStep(max(1, (self.maximum() - self.minimum()) // 12))

    def show_value(self, value: float, start: float) -> None:
        """Show a value and the start's; tells nobody."""
        blocked = self.blockSignals(True)
        self.setValue(round(min(max(value / self._step, self.minimum()), self.maximum())))
        self.blockSignals(blocked)
        if start != self._start:
            self._start = start
        self.update()

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(160, 24)

    def minimumSizeHint(self) -> QSize:
        """Return the least size."""
        return QSize(60, 24)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to drag: the handle where it was taken, or a press on the track, to which it jumps."""
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        off = event.position().x() - self._x_of(self.value())
        self._grabbed_at = off if abs(off) <= _RADIUS + 2 else 0.0
        self.setSliderDown(True)
        if not self._grabbed_at:
            self.setValue(self._ticks_at(event.position().x()))
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer."""
        if self.isSliderDown():
            self.setValue(self._ticks_at(event.position().x() - self._grabbed_at))
            event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag."""
        if event.button() == Qt.MouseButton.LeftButton and self.isSliderDown():
            self.setSliderDown(False)
            event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ask for the start's value."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.reset_asked.emit()
            event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move by arrow and page keys; Backspace or Delete asks for the start's value."""
        if event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete):
            self.reset_asked.emit()
            return
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            # The list's rows lie above one another: up and down belong to it.
            event.ignore()
            return
        super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Move only while the slider has the focus."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the track, the way gone from the start, the start's mark and the handle."""
        colour = self._theme.colour
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        middle = self.height() / 2
        left, right = float(_RADIUS + 1), float(self.width() - _RADIUS - 1)
        here, start = self._x_of(self.value()), self._x_of(self._start / self._step)
        painter.setBrush(colour("line"))
        painter.drawRoundedRect(QRectF(left, middle - _TRACK / 2, right - left, _TRACK), 2, 2)
        enabled = self.isEnabled()
        painter.setBrush(colour("accent") if enabled else colour("faint"))
        painter.drawRect(QRectF(min(here, start), middle - _TRACK / 2, abs(here - start), _TRACK))
        painter.setBrush(colour("faint"))
        painter.drawRoundedRect(QRectF(start - 1, middle - 6, 2, 12), 1, 1)
        if self.hasFocus():
            ring = QColor(colour("accent"))
            ring.setAlpha(70)
            painter.setBrush(ring)
            painter.drawEllipse(QPointF(here, middle), _RADIUS + 4, _RADIUS + 4)
        painter.setPen(colour("accent") if enabled else colour("faint"))
        held = enabled and (self.isSliderDown() or self.underMouse() or abs(here - start) > 0.5)
        painter.setBrush(colour("accent") if held else colour("surface"))
        painter.drawEllipse(QPointF(here, middle), _RADIUS - 1, _RADIUS - 1)
        painter.end()

    def _x_of(self, ticks: float) -> float:
        span = max(1, self.maximum() - self.minimum())
        share = min(1.0, max(0.0, (ticks - self.minimum()) / span))
        return _RADIUS + 1 + share * (self.width() - 2 * _RADIUS - 2)

    def _ticks_at(self, x: float) -> int:
        share = (x - _RADIUS - 1) / max(1, self.width() - 2 * _RADIUS - 2)
        return round(self.minimum() + min(1.0, max(0.0, share)) * (self.maximum() - self.minimum()))
