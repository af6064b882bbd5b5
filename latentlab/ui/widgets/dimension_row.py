"""One latent dimension: its number, what it carries, a slider, a spin box and a reset button."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from latentlab.ui.icons import icon
from latentlab.ui.theme import Theme, numerals
from latentlab.ui.widgets.boxes import DoubleSpinBox
from latentlab.ui.widgets.dimension_slider import DimensionSlider

HEIGHT = 34


@dataclass(frozen=True)
class DimensionInfo:
    """What a row says of its dimension.

    Parameters
    ----------
    index
        Its position in the flattened latent, from 0.
    low, high
        The slider's range.
    weight
        What it carries, as a share of the strongest dimension's, in [0, 1]; None where not known.
    tip
        The tool tip.
    """

    index: int
    low: float
    high: float
    weight: float | None = None
    tip: str = ""

    @property
    def step(self) -> float:
        """The finest difference: a power of ten, about a thousandth of the range."""
        return float(10.0 ** math.floor(math.log10((self.high - self.low) / 300)))

    @property
    def decimals(self) -> int:
        """Digits after the point that show one step."""
        return max(0, -round(math.log10(self.step)))


class WeightMark(QLabel):
    """A short line whose length says how much a dimension carries."""

    def __init__(self, weight: float | None, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._weight, self._theme = weight, theme
        self.setFixedSize(QSize(34, 3))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the line on its track."""
        if self._weight is None:
            return
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("sunken"))
        painter.drawRect(self.rect())
        painter.setBrush(self._theme.colour("faint"))
        painter.drawRect(QRectF(0, 0, self.width() * self._weight, self.height()))
        painter.end()


class DimensionRow(QWidget):
    """The controls of one dimension; it holds no value of its own but what it was last shown.

    ``moved`` tells the dimension and its value, ``pressed`` and ``released`` the two ends of a drag,
    ``reset_asked`` the wish to return to the start, ``lock_asked`` to keep it as it is (True) or not.
    """

    moved = Signal(int, float)
    pressed = Signal(int)
    released = Signal(int)
    reset_asked = Signal(int)
    lock_asked = Signal(int, bool)

    def __init__(self, info: DimensionInfo, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.info = info
        self._theme = theme
        self._changed = True
        self._locked = False
        name = f"Dimension {info.index}"
        self.setToolTip(info.tip)
        self.setAccessibleName(name)

        number = QLabel(f"z {info.index}")
        font = numerals(number.font())
        font.setWeight(QFont.Weight.Medium)
        number.setFont(font)
        self._number = number
        mark = WeightMark(info.weight, theme)
        labels = QVBoxLayout()
        labels.setSpacing(2)
        labels.setContentsMargins(0, 5, 0, 5)
        labels.addWidget(number)
        labels.addWidget(mark)

        self.slider = DimensionSlider(info.low, info.high, info.step, theme)
        self.slider.setAccessibleName(name)
        self.slider.setAccessibleDescription("Arrow keys move it, Backspace resets it")
        self.spin = DoubleSpinBox()
        self.spin.setAccessibleName(f"{name}, value")
        self.spin.setDecimals(info.decimals)
        reach = 4 * max(abs(info.low), abs(info.high))
        self.spin.setRange(-reach, reach)
        self.spin.setSingleStep(self.slider.singleStep() * info.step)
        self.spin.setKeyboardTracking(False)
        self.spin.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.spin.setFont(numerals(self.spin.font()))
        self.spin.lineEdit().setAcceptDrops(False)  # files that are dropped are the window's
        self.spin.setFixedWidth(62)
        self.reset = QToolButton()
        self.reset.setAccessibleName(f"Reset dimension {info.index}")
        self.reset.setToolTip("Return to the start (double-click the slider)")
        self.reset.setFixedSize(26, 26)
        self.reset.setIconSize(QSize(15, 15))

        self.lock = QToolButton()
        self.lock.setCheckable(True)
        self.lock.setAccessibleName(f"Lock dimension {info.index}")
        self.lock.setToolTip("Lock: Randomise, Mutate, Reset all and directions leave it as it is")
        self.lock.setFixedSize(22, 26)
        self.lock.setIconSize(QSize(13, 13))

        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.lock)
        layout.addLayout(labels)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.spin)
        layout.addWidget(self.reset)

        index = info.index
        self.slider.value_moved.connect(lambda value: self.moved.emit(index, value))
        self.slider.sliderPressed.connect(lambda: self.pressed.emit(index))
        self.slider.sliderReleased.connect(lambda: self.released.emit(index))
        self.slider.reset_asked.connect(lambda: self.reset_asked.emit(index))
        self.spin.valueChanged.connect(lambda value: self.moved.emit(index, value))
        self.reset.clicked.connect(lambda: self.reset_asked.emit(index))
        self.lock.clicked.connect(lambda locked: self.lock_asked.emit(index, locked))
        theme.changed.connect(self._draw_icon)
        self._draw_icon()

    def show_value(self, value: float, start: float) -> None:
        """Show a value and the start's; Reset is grey where they are the same."""
        self.slider.show_value(value, start)
        blocked = self.spin.blockSignals(True)
        self.spin.setValue(value)
        self.spin.blockSignals(blocked)
        changed = value != start
        if changed != self._changed:
            self._changed = changed
            self.reset.setEnabled(changed and not self._locked)

    def show_locked(self, locked: bool) -> None:
        """Show that it is kept as it is: nothing can be moved then."""
        if locked == self._locked:
            return
        self._locked = locked
        self.lock.setChecked(locked)
        self.slider.setEnabled(not locked)
        self.spin.setEnabled(not locked)
        self.reset.setEnabled(self._changed and not locked)
        self._draw_icon()

    def _draw_icon(self) -> None:
        colour = self._theme.colour
        self.reset.setIcon(icon("reset", colour("muted"), colour("line")))
        self.lock.setIcon(
            icon("lock" if self._locked else "unlock", colour("text" if self._locked else "line"))
        )
        self.slider.update()
