"""One attribute of the condition: its class, its scale, and on request the weight of every class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from latentlab import conditions
from latentlab.session.condition import HIGHEST, LOWEST
from latentlab.spec import Attribute, ConditionSchema
from latentlab.ui.icons import icon
from latentlab.ui.theme import Theme, numerals
from latentlab.ui.widgets.bars_painter import label_of
from latentlab.ui.widgets.boxes import ComboBox, DoubleSpinBox
from latentlab.ui.widgets.dimension_slider import DimensionSlider

STEP = 0.01
FARTHEST = 100.0
"""What can be typed; the sliders reach from `LOWEST` to `HIGHEST`."""
MIXTURE, NOTHING = "mixture", "not told"


class ValueRow(QWidget):
    """A slider with a spin box beside it."""

    moved = Signal(float)
    pressed = Signal()
    released = Signal()
    reset_asked = Signal()

    def __init__(
        self, name: str, low: float, high: float, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.slider = DimensionSlider(low, high, STEP, theme)
        self.slider.setSingleStep(5)
        self.slider.setPageStep(50)
        self.slider.setAccessibleName(name)
        self.slider.setAccessibleDescription("Arrow keys move it, Backspace resets it")
        self.spin = DoubleSpinBox()
        self.spin.setAccessibleName(f"{name}, value")
        self.spin.setDecimals(2)
        self.spin.setRange(-FARTHEST, FARTHEST)
        self.spin.setSingleStep(0.05)
        self.spin.setKeyboardTracking(False)
        self.spin.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.spin.setFont(numerals(self.spin.font()))
        self.spin.lineEdit().setAcceptDrops(False)  # files that are dropped are the window's
        self.spin.setFixedWidth(62)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(6)
        self.row.addWidget(self.slider, 1)
        self.row.addWidget(self.spin)
        self.slider.value_moved.connect(self.moved)
        self.slider.sliderPressed.connect(self.pressed)
        self.slider.sliderReleased.connect(self.released)
        self.slider.reset_asked.connect(self.reset_asked)
        self.spin.valueChanged.connect(self.moved)

    def show_value(self, value: float, start: float) -> None:
        """Show a value and the start's; tells nobody."""
        self.slider.show_value(value, start)
        with QSignalBlocker(self.spin):
            self.spin.setValue(value)


class ConditionBlock(QWidget):
    """The controls of one attribute; they hold no value of their own but what was last shown.

    ``chosen`` tells a class, ``scaled`` the scale, ``weighed`` a class and its weight; ``pressed`` and
    ``released`` are the two ends of a drag.
    """

    chosen = Signal(str)
    scaled = Signal(float)
    weighed = Signal(str, float)
    pressed = Signal()
    released = Signal()
    flip_asked = Signal()
    reset_asked = Signal()

    def __init__(self, attribute: Attribute, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.attribute, self._theme = attribute, theme
        self._changed = False
        name = label_of(attribute.name)
        self.setAccessibleName(name)
        title = QLabel(name)
        font = QFont(title.font())
        font.setWeight(QFont.Weight.Medium)
        title.setFont(font)
        self.classes = ComboBox()
        self.classes.setAccessibleName(f"Class of {name}")
        self.classes.setToolTip("What the decoder is told; the scale stays as it is")
        for label in attribute.classes:
            self.classes.addItem(label_of(label), label)
        self.note = QLabel()
        self.note.setProperty("role", "caption")
        self.note.setText("extrapolation")
        self.note.setToolTip(_beyond(attribute))
        self.mix = self._button(f"Mix the classes of {name}", "Mix: a weight for every class", checkable=True)
        self.flip = self._button(f"Flip {name}", _flip_tip(attribute))
        self.reset = self._button(f"Reset {name}", "Return to what it is at the start")
        self.scale = ValueRow(f"Scale of {name}", LOWEST, HIGHEST, theme)
        self.scale.setToolTip("Scale: 1 is as trained, 0 says nothing, 2 is twice as much")
        self.weights = {
            label: ValueRow(f"Weight of {name}: {label_of(label)}", -1.0, 2.0, theme)
            for label in attribute.classes
        }
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(title)
        top.addWidget(self.note)
        top.addStretch(1)
        for widget in (self.classes, self.mix, self.flip, self.reset):
            top.addWidget(widget)
        self._mixer = QWidget()
        mixing = QVBoxLayout(self._mixer)
        mixing.setContentsMargins(8, 0, 0, 0)
        mixing.setSpacing(2)
        for label, row in self.weights.items():
            caption = QLabel(label_of(label))
            caption.setProperty("role", "caption")
            caption.setFixedWidth(72)
            row.row.insertWidget(0, caption)
            mixing.addWidget(row)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self.scale)
        layout.addWidget(self._mixer)
        continuous = attribute.kind == "continuous"
        self.classes.setVisible(not continuous)
        self.mix.setVisible(not continuous)
        self._mixer.setVisible(False)

        self.classes.activated.connect(lambda _index: self.chosen.emit(self.classes.currentData()))
        self.mix.toggled.connect(self._mixer.setVisible)
        self.flip.clicked.connect(self.flip_asked)
        self.reset.clicked.connect(self.reset_asked)
        self._connect(self.scale)
        self.scale.moved.connect(self.scaled)
        for label, row in self.weights.items():
            self._connect(row)
            row.moved.connect(lambda value, label=label: self.weighed.emit(label, value))
        theme.changed.connect(self._draw_icons)
        self._draw_icons()

    @property
    def controls(self) -> list[QWidget]:
        """All controls in the order of the Tab key."""
        found: list[QWidget] = [self.classes, self.mix, self.flip, self.reset]
        for row in (self.scale, *self.weights.values()):
            found += [row.slider, row.spin]
        return found

    def show_condition(
        self, schema: ConditionSchema, condition: NDArray[np.float32], start: NDArray[np.float32]
    ) -> None:
        """Show what the decoder is told, ``[C]``, and what it is told at the start."""
        name = self.attribute.name
        weights, usual = (conditions.weights(schema, one, name) for one in (condition, start))
        self.scale.show_value(sum(weights.values()), sum(usual.values()))
        for label, row in self.weights.items():
            row.show_value(weights[label], usual[label])
        if self.attribute.classes:
            self._show_class(conditions.chosen(schema, condition, name), any(weights.values()))
        self.note.setVisible(conditions.extrapolates(schema, condition, name))
        changed = weights != usual
        if changed != self._changed:
            self._changed = changed
            self._draw_icons()
        self.reset.setEnabled(changed)

    def _show_class(self, found: tuple[str, float] | None, some: bool) -> None:
        with QSignalBlocker(self.classes):
            self.classes.setPlaceholderText(MIXTURE if some else NOTHING)
            self.classes.setCurrentIndex(-1 if found is None else self.classes.findData(found[0]))

    def _connect(self, row: ValueRow) -> None:
        row.pressed.connect(self.pressed)
        row.released.connect(self.released)
        row.reset_asked.connect(self.reset_asked)

    def _button(self, name: str, tip: str, checkable: bool = False) -> QToolButton:
        button = QToolButton()
        button.setCheckable(checkable)
        button.setAccessibleName(name)
        button.setToolTip(tip)
        button.setFixedSize(26, 26)
        button.setIconSize(QSize(15, 15))
        return button

    def _draw_icons(self) -> None:
        colour = self._theme.colour
        for button, name in ((self.mix, "mix"), (self.flip, "flip"), (self.reset, "reset")):
            button.setIcon(icon(name, colour("muted"), colour("line")))
        self.scale.slider.update()


def _beyond(attribute: Attribute) -> str:
    if attribute.span is None:
        return "More than training has shown: a weight below 0, or more than 1 in all"
    return f"More than training has shown: from {attribute.span[0]:g} to {attribute.span[1]:g}"


def _flip_tip(attribute: Attribute) -> str:
    if attribute.kind == "continuous":
        return "Flip: change the sign"
    if len(attribute.classes) == 2:
        return "Flip: exchange the two classes, scale and mixture stay"
    return "Flip: on to the next class, scale and mixture stay"
