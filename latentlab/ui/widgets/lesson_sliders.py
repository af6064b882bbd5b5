"""The sliders of an experiment with known truth: a row a parameter, with a box for the exact value."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from latentlab.ui.theme import Theme
from latentlab.ui.widgets.boxes import DoubleSpinBox
from latentlab.ui.widgets.dimension_slider import DimensionSlider
from latentlab.ui.widgets.elided_label import ElidedLabel
from latentlab.ui.widgets.form import set_up_number

if TYPE_CHECKING:
    from latentlab.audit.experiments.experiment import Parameter

FINE = 0.02
"""Steps of a logarithmic slider, in decades."""
BOX = 84


class ParameterBox(DoubleSpinBox):
    """A parameter's value; a share is written in %, and zeros at the end are left out."""

    def __init__(self, one: Parameter) -> None:
        super().__init__()
        self.factor = 100.0 if one.unit == "share" else 1.0
        self._whole = one.whole
        step = _step(one) * self.factor
        self.setDecimals(0 if one.whole else max(0, -math.floor(math.log10(step) + 1e-9)) + 1)
        self.setRange(one.low * self.factor, one.high * self.factor)
        self.setSingleStep(step)
        self.setSuffix("%" if one.unit == "share" else "")
        self.setGroupSeparatorShown(one.whole)
        set_up_number(self, one.title, one.about)
        self.setFixedWidth(BOX)

    def textFromValue(self, value: float) -> str:
        """Write a number as short as it can be."""
        text = super().textFromValue(value)
        point = self.locale().decimalPoint()
        return text.rstrip("0").rstrip(point) if point in text else text


class ParameterRow(QWidget):
    """One parameter; ``wished`` tells the value that a person wants."""

    wished = Signal(float)

    def __init__(self, one: Parameter, first: float, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.one, self._first = one, first
        self.box = ParameterBox(one)
        self.title = ElidedLabel("caption")
        self.title.show_text(one.title)
        self.title.setBuddy(self.box)
        self.title.setToolTip(f"{one.title}: {one.about}")
        low, high, step = (
            (math.log10(one.low), math.log10(one.high), FINE) if one.log else (one.low, one.high, _step(one))
        )
        self.slider = DimensionSlider(low, high, step, theme)
        self.slider.setAccessibleName(f"{one.title}, {'logarithmic ' if one.log else ''}slider")
        self.slider.setToolTip(f"{one.about}\nA double click returns to {one.told(first)}")
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.title, 1)
        head.addWidget(self.box)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.slider)
        self.slider.value_moved.connect(lambda place: self._wish(10.0**place if one.log else place))
        self.slider.reset_asked.connect(lambda: self.wished.emit(first))
        self.box.valueChanged.connect(lambda value: self._wish(value / self.box.factor, exact=True))

    @property
    def controls(self) -> list[QWidget]:
        """What the Tab key reaches, in order."""
        return [self.box, self.slider]

    def show_value(self, value: float) -> None:
        """Show a value; tells nobody."""
        with QSignalBlocker(self.box):
            self.box.setValue(value * self.box.factor)
        place = math.log10 if self.one.log else float
        self.slider.show_value(place(value), place(self._first))
        self.slider.setAccessibleDescription(f"{self.one.told(value)}. {self.one.about}")

    def _wish(self, value: float, exact: bool = False) -> None:
        one = self.one
        if not exact:
            value = float(f"{value:.2g}") if one.log else round(value, 6)
        value = round(value) if one.whole else round(value, 9)
        self.wished.emit(min(one.high, max(one.low, value)))


class ParameterRows(QWidget):
    """All parameters of an experiment; ``wished`` tells the name of one and its value."""

    wished = Signal(str, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: dict[str, ParameterRow] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self.setAccessibleName("What can be changed")

    def show_parameters(
        self, parameters: Sequence[Parameter], first: Mapping[str, float], theme: Theme
    ) -> None:
        """Have a row for each of these, whose values were these at first."""
        for row in self.rows.values():
            row.setParent(None)
            row.deleteLater()
        self.rows = {one.name: ParameterRow(one, first[one.name], theme) for one in parameters}
        for name, row in self.rows.items():
            row.wished.connect(lambda value, name=name: self.wished.emit(name, value))
            self._column.addWidget(row)

    def show_values(self, values: Mapping[str, float]) -> None:
        """Show values by name."""
        for name, row in self.rows.items():
            row.show_value(values[name])

    @property
    def controls(self) -> list[QWidget]:
        """What the Tab key reaches, in order."""
        return [control for row in self.rows.values() for control in row.controls]


def _step(one: Parameter) -> float:
    """Return the finest difference of a slider: a power of ten, at least a fortieth of the range."""
    step = float(10.0 ** math.floor(math.log10((one.high - one.low) / 40.0)))
    return max(1.0, step) if one.whole else step
