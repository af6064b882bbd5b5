"""One named direction: its name and how well it is known, a slider in sigma, a spin box, a menu."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QFont
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from latentlab.operations.direction import Direction
from latentlab.ui.icons import icon
from latentlab.ui.theme import Theme, numerals
from latentlab.ui.widgets.dimension_slider import DimensionSlider

STEP = 0.01
NEARLY = 0.5 * STEP
"""Offsets smaller than this are shown, and taken, as none."""
ASKS = (
    ("rename", "Rename…"),
    ("reach", "Range…"),
    ("grid", "Show as a strip in the grid"),
    ("probe", "Probe along it"),
    ("remove", "Remove"),
)
"""What the menu of a direction asks for."""


class Elided(QLabel):
    """A label that shortens its text where there is no room, and shows all of it as its tool tip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_text(self, text: str) -> None:
        """Show a text."""
        self._whole = text
        self._fit()

    def resizeEvent(self, event: object) -> None:
        """Shorten anew."""
        self._fit()

    def _fit(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideMiddle, self.width()))


class DirectionRow(QWidget):
    """The controls of one direction; it holds no value of its own but what it was last shown.

    ``asked`` tells the name and one of `ASKS`, or ``reset``.
    """

    moved = Signal(str, float)
    pressed = Signal(str)
    released = Signal(str)
    asked = Signal(str, str)

    def __init__(self, direction: Direction, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.direction = direction
        self._theme = theme
        self._name = direction.name
        name = direction.name
        self.setAccessibleName(f"Direction {name}")
        self.setToolTip(_tip(direction))
        title = Elided()
        font = QFont(title.font())
        font.setWeight(QFont.Weight.Medium)
        title.setFont(font)
        title.show_text(name)
        known = QLabel("" if direction.accuracy is None else f"{100 * direction.accuracy:.0f}% held out")
        known.setProperty("role", "caption")
        self.slider = DimensionSlider(-direction.reach, direction.reach, STEP, theme)
        self.slider.setAccessibleName(f"Direction {name}")
        self.slider.setAccessibleDescription("In sigma; arrow keys move it, Backspace resets it")
        self.spin = QDoubleSpinBox()
        self.spin.setAccessibleName(f"Direction {name}, sigma")
        self.spin.setDecimals(2)
        self.spin.setRange(-10 * direction.reach, 10 * direction.reach)
        self.spin.setSingleStep(0.1)
        self.spin.setSuffix(" σ")
        self.spin.setKeyboardTracking(False)
        self.spin.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.spin.setFont(numerals(self.spin.font()))
        self.spin.lineEdit().setAcceptDrops(False)
        self.spin.setFixedWidth(76)
        self.reset = _button(f"Reset {name}", "Go back along it to the start")
        self.more = _button(f"More for {name}", "Rename, range, strip, probe, remove")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.more)
        for ask, text in ASKS:
            action = QAction(text, menu)
            action.triggered.connect(lambda _checked=False, ask=ask: self.asked.emit(self._name, ask))
            menu.addAction(action)
        self.more.setMenu(menu)

        head, row = QHBoxLayout(), QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(title, 1)
        head.addWidget(known)
        head.addWidget(self.more)
        row.setSpacing(6)
        row.addWidget(self.slider, 1)
        row.addWidget(self.spin)
        row.addWidget(self.reset)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 4, 6)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addLayout(row)
        self.slider.value_moved.connect(lambda value: self.moved.emit(self._name, value))
        self.slider.sliderPressed.connect(lambda: self.pressed.emit(self._name))
        self.slider.sliderReleased.connect(lambda: self.released.emit(self._name))
        self.slider.reset_asked.connect(lambda: self.asked.emit(self._name, "reset"))
        self.spin.valueChanged.connect(lambda value: self.moved.emit(self._name, value))
        self.reset.clicked.connect(lambda: self.asked.emit(self._name, "reset"))
        theme.changed.connect(self._draw)
        self._draw()

    @property
    def controls(self) -> tuple[QWidget, ...]:
        """The controls, as the Tab key reaches them."""
        return self.more, self.slider, self.spin, self.reset

    def show_offset(self, sigmas: float) -> None:
        """Show how far the latent lies from the start; Reset is grey where it does not."""
        there = sigmas if abs(sigmas) >= NEARLY else 0.0
        self.slider.show_value(there, 0.0)
        blocked = self.spin.blockSignals(True)
        self.spin.setValue(there)
        self.spin.blockSignals(blocked)
        self.reset.setEnabled(there != 0.0)

    def _draw(self) -> None:
        muted, line = self._theme.colour("muted"), self._theme.colour("line")
        self.reset.setIcon(icon("reset", muted, line))
        self.more.setIcon(icon("more", muted, line))
        self.slider.update()


def _button(name: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setAccessibleName(name)
    button.setToolTip(tip)
    button.setFixedSize(26, 26)
    button.setIconSize(QSize(15, 15))
    return button


def _tip(direction: Direction) -> str:
    lines = [direction.name, direction.origin, f"sigma {direction.sigma:.3f}"]
    if direction.accuracy is not None:
        lines.append(
            f"The probe is right on {100 * direction.accuracy:.1f}% of images it was not fitted on, balanced "
            "over both sides; 50% is chance."
        )
    return "\n".join(line for line in lines if line)
