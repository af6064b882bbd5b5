"""How probable an attribute's classes are along an axis: this picture's curves and those of a set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from latentlab.ui.theme import LIGHT, Colours, Theme
from latentlab.ui.widgets.bars_painter import label_of
from latentlab.ui.widgets.probe_card import paint_cursor, values_at
from latentlab.ui.widgets.probe_painter import paint_curves, paint_ground, paint_mean
from latentlab.ui.widgets.probe_plot import Curves, Plot, Probe, SetMean, lay_out

MARGIN = 16
"""Around the exported picture."""


class ProbeChart(QWidget):
    """Curves over an axis; the pointer or the arrow keys read them, a click or Enter goes there.

    The cursor stands at the positions that were computed, never between them, so that what it says is
    what was predicted. ``went_to`` tells the position.
    """

    painted = Signal(int)
    went_to = Signal(float)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._probe = Probe()
        self._empty = ""
        self._cursor: int | None = None
        self._pressed = False
        self._ground: QPixmap | None = None
        self._generation = 0
        self.painted_generation = 0
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Probability along an axis")
        theme.changed.connect(self._forget_ground)

    # What is shown

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(560, 280)

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which the curves can be read."""
        return QSize(260, 160)

    @property
    def probe(self) -> Probe:
        """What is shown."""
        return self._probe

    @property
    def cursor_position(self) -> float | None:
        """Where the cursor reads the curves; None where it does not."""
        return None if self._cursor is None else float(self._probe.positions[self._cursor])

    def set_axis(self, title: str, positions: NDArray[np.float32], unit: str = "") -> None:
        """Put that along x, float32 ``[m]``, rising; takes curves and mean away where they do not fit."""
        rising = np.asarray(positions, dtype=np.float32)
        same = title == self._probe.axis and np.array_equal(rising, self._probe.positions)
        self._probe = replace(self._probe, axis=title, unit=unit, positions=rising)
        if not same:
            self._forget_curves()
        self._name()

    def set_attribute(self, name: str, classes: Sequence[str]) -> None:
        """Show this attribute from now on; takes the curves and the mean of another away."""
        if (name, tuple(classes)) != (self._probe.attribute, self._probe.classes):
            self._probe = replace(self._probe, attribute=name, classes=tuple(classes))
            self._forget_curves()
        self._name()

    def show_curve(self, probabilities: Curves, generation: int = 0) -> None:
        """Show this picture's probabilities, float32 ``[m, classes]``; `painted` then tells the generation.

        Those that fit neither the axis nor the attribute any more come too late, and are left out.
        """
        if probabilities.shape == (len(self._probe.positions), len(self._probe.classes)):
            first = self._probe.curve is None
            self._probe = replace(self._probe, curve=np.asarray(probabilities, dtype=np.float32))
            self._generation, self._empty = generation, ""
            if first:
                self._ground = None
            self.update()

    def show_mean(
        self,
        mean: Curves | None,
        low: Curves | None = None,
        high: Curves | None = None,
        count: int = 0,
        positions: NDArray[np.float32] | None = None,
    ) -> None:
        """Show a set's mean, its 25th and 75th percentile, each float32 ``[n, classes]``, or None.

        Those that do not fit any more are left out.

        Parameters
        ----------
        count
            Of how many pictures.
        positions
            Where they were computed, float32 ``[n]``, rising; where this picture's are without.
        """
        shown = None
        if mean is not None and low is not None and high is not None:
            at = self._probe.positions if positions is None else np.asarray(positions, dtype=np.float32)
            if any(one.shape != (len(at), len(self._probe.classes)) for one in (mean, low, high)):
                return
            shown = SetMean(at, mean, low, high, count)
        self._probe = replace(self._probe, mean=shown, computed=None)
        self._forget_ground()

    def show_mean_progress(self, done: int, total: int) -> None:
        """Say how far the set's mean is; `show_mean` ends it."""
        self._probe = replace(self._probe, mean=None, computed=(done, total))
        self._forget_ground()

    def set_mean_of(self, text: str) -> None:
        """Say what the mean is taken of, such as "images of faces:train"."""
        if text != self._probe.of_what:
            self._probe = replace(self._probe, of_what=text)
            self._forget_ground()

    def show_nothing(self, reason: str) -> None:
        """Show no curves, and say why."""
        self._empty, self._generation = reason, 0
        self._forget_curves()
        self.setAccessibleDescription(reason)

    def set_position(self, x: float | None) -> None:
        """Show where the present latent is on the axis."""
        if x != self._probe.here:
            self._probe = replace(self._probe, here=x)
            self.update()

    def picture(self, width: int, height: int, scale: int = 2, probe: Probe | None = None) -> QImage:
        """Draw the chart on white, ``scale`` times as many pixels as that wide and high.

        ``probe`` is drawn in the place of what is shown.
        """
        probe = self._probe if probe is None else probe
        image = QImage(width * scale, height * scale, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(scale)
        image.fill(Qt.GlobalColor.white)
        painter = QPainter(image)
        painter.translate(MARGIN, MARGIN)
        plot = lay_out(QSizeF(width - 2 * MARGIN, height - 2 * MARGIN), probe, self.font())
        paint_ground(painter, plot, probe, LIGHT, self.font())
        paint_mean(painter, plot, probe, dark=False)
        paint_curves(painter, plot, probe, LIGHT, False, self.font())
        painter.end()
        return image

    def describe(self) -> None:
        """Tell assistive programs the values at the cursor, or where there is none at the present latent."""
        probe = self._probe
        index = self._cursor if self._cursor is not None else self._nearest(probe.here)
        if index is None or (probe.curve is None and probe.mean is None):
            self.setAccessibleDescription(self._empty)
            return
        parts = []
        for _, name, own, mean in values_at(probe, index):
            texts = [own, f"mean {mean}" if mean else ""]
            parts.append(f"{name} {', '.join(text for text in texts if text)}")
        place = probe.place(float(probe.positions[index]))
        self.setAccessibleDescription(f"At {place}: {'; '.join(parts)}")

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint what stays from a picture of it; the curves, the present place and the cursor anew."""
        painter = QPainter(self)
        painter.setFont(self.font())
        if not self._probe.classes or not self._probe.positions.size or self._empty:
            painter.fillRect(self.rect(), self._theme.colour("surface"))
            painter.setPen(self._theme.colour("muted"))
            flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
            painter.drawText(self.rect().adjusted(16, 8, -16, -8), flags, self._empty)
            painter.end()
            return
        plot, colours, dark = self.plot(), self._theme.colours, self._theme.dark
        if self._ground is None or self._ground.devicePixelRatioF() != self.devicePixelRatioF():
            self._ground = self._paint_ground(plot, colours, dark)
        painter.drawPixmap(0, 0, self._ground)
        paint_curves(painter, plot, self._probe, colours, dark, self.font())
        if self._cursor is not None:
            paint_cursor(painter, plot, self._probe, self._cursor, colours, dark, self.font())
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self._theme.colour("accent"), 1))
            painter.drawRect(plot.area.toAlignedRect())
        painter.end()
        if self._probe.curve is not None:
            self.painted_generation = self._generation
            self.painted.emit(self._generation)

    def plot(self) -> Plot:
        """Return where the curves are."""
        return lay_out(QSizeF(self.size()), self._probe, self.font())

    def _paint_ground(self, plot: Plot, colours: Colours, dark: bool) -> QPixmap:
        scale = self.devicePixelRatioF()
        ground = QPixmap(self.size() * scale)
        ground.setDevicePixelRatio(scale)
        ground.fill(self._theme.colour("surface"))
        painter = QPainter(ground)
        paint_ground(painter, plot, self._probe, colours, self.font())
        paint_mean(painter, plot, self._probe, dark)
        painter.end()
        return ground

    # Mouse and keys

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read the curves under the pointer."""
        self._move_cursor(self._index_at(event))

    def leaveEvent(self, event: QEvent) -> None:
        """Read nothing."""
        self._move_cursor(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take note of a press on the curves; releasing the button goes there."""
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self._pressed = self._index_at(event) is not None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Go where the pointer is."""
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        index, pressed = self._index_at(event), self._pressed
        self._pressed = False
        if pressed and index is not None:
            self._move_cursor(index)
            self.went_to.emit(float(self._probe.positions[index]))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the cursor by arrows, page keys, Home and End; Enter goes there, Escape puts it away."""
        last = len(self._probe.positions) - 1
        if not self._readable:
            event.ignore()
            return
        here = self._cursor if self._cursor is not None else self._nearest(self._probe.here)
        at = here if here is not None else last // 2
        far = max(1, last // 10)
        places = {
            Qt.Key.Key_Left: at - 1,
            Qt.Key.Key_Right: at + 1,
            Qt.Key.Key_PageDown: at - far,
            Qt.Key.Key_PageUp: at + far,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }
        key = Qt.Key(event.key())
        if key in places:
            self._move_cursor(min(last, max(0, places[key])))
            self.describe()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._cursor is not None:
            self.went_to.emit(float(self._probe.positions[self._cursor]))
        elif key == Qt.Key.Key_Escape and self._cursor is not None:
            self._move_cursor(None)
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that the keys work here."""
        self.describe()
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Put the cursor away."""
        self._move_cursor(None)
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the chart out anew."""
        self._forget_ground()

    def changeEvent(self, event: QEvent) -> None:
        """Lay the chart out anew when the font changes."""
        if event.type() == QEvent.Type.FontChange:
            self._forget_ground()
        super().changeEvent(event)

    # Within

    @property
    def _readable(self) -> bool:
        return self._probe.curve is not None or self._probe.mean is not None

    def _index_at(self, event: QMouseEvent) -> int | None:
        """Return the position under the pointer, on the curves or a little beside them."""
        plot, at = self.plot(), event.position()
        if not self._readable or not plot.area.adjusted(-8, -8, 8, 8).contains(at):
            return None
        return self._nearest(plot.position_at(at.x()))

    def _nearest(self, x: float | None) -> int | None:
        positions = self._probe.positions
        return None if x is None or not positions.size else int(np.abs(positions - x).argmin())

    def _move_cursor(self, index: int | None) -> None:
        if index != self._cursor:
            self._cursor = index
            if index is None:
                self.unsetCursor()
            else:
                self.setCursor(Qt.CursorShape.PointingHandCursor)
            self.update()

    def _forget_curves(self) -> None:
        self._probe = replace(self._probe, curve=None, mean=None, computed=None)
        self._cursor = None
        self._forget_ground()

    def _forget_ground(self) -> None:
        self._ground = None
        self.update()

    def _name(self) -> None:
        probe = self._probe
        if probe.attribute and probe.axis:
            self.setAccessibleName(f"Probability of {label_of(probe.attribute)} along {probe.axis}")
        self._forget_ground()
