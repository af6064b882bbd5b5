"""The bar of the brush on a latent that is a grid: paint or not, with what, how much, how large, how soft."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from latentlab.operations.painting import Brush
from latentlab.session.latent_brush import InkRef
from latentlab.ui.icons import icon
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.boxes import DoubleSpinBox
from latentlab.ui.widgets.dimension_slider import DimensionSlider
from latentlab.ui.widgets.form import caption, choice_box, number_box, set_up_number

MOST_SIGMA, FIRST_SIGMA = 10.0, 3.0
"""Deviations that a brush adds where it covers wholly: at most to either side, and at first."""
FIRST_SHARE = 100.0
SHARE_OF_SIDE = 4
"""Of the picture's side, the brush at first, as its inverse."""
SOFT = 50
TIP = (
    "Paint with the mouse on the edited picture: what is chosen here applies where the brush goes. Arrow "
    "keys move the brush, Space paints, [ and ] change its size, E erases"
)
PARTS = {"direction": "", "pin": "Pin: ", "channel": "", "start": ""}


class BrushBar(QFrame):
    """Says what a stroke brings; the strokes themselves are the canvas's.

    ``painting_toggled`` and ``eraser_toggled`` tell whether one wants to, ``brush_changed`` another brush.
    """

    painting_toggled = Signal(bool)
    eraser_toggled = Signal(bool)
    brush_changed = Signal(Brush)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[object, ...] = ()
        self._amounts = {False: FIRST_SIGMA, True: FIRST_SHARE}
        self._side = 0
        self.setObjectName("card")
        self.setAccessibleName("Brush on the latent")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.toggle = _tool("Paint on the latent", TIP)
        self.toggle.setText("Paint")
        self.toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.eraser = _tool("Erase", "Erase: bring the start back under the brush (E)")
        tip = (
            "A direction or a channel is added where the brush goes; a pin's latent or the start is mixed in"
        )
        self.inks = choice_box("What the brush brings", tip)
        self.slider = DimensionSlider(-MOST_SIGMA, MOST_SIGMA, 0.1, theme)
        self.slider.setAccessibleName("Strength")
        self.slider.setMinimumWidth(70)
        self.strength = DoubleSpinBox()
        set_up_number(self.strength, "Strength, value", "")
        self.size_box = number_box(
            "Brush size", "Across, in pixels of the picture ([ and ])", 2, 64, 0, " px"
        )
        self.size_box.setValue(16)
        tip = "From a sharp edge to one that is soft as far as the middle"
        self.soft = number_box("Softness", tip, 0, 100, 0, " %")
        self.soft.setValue(SOFT)
        for box in (self.size_box, self.soft):
            box.valueChanged.connect(lambda _value: self.brush_changed.emit(self.brush))
        self._lay_out()
        self.toggle.clicked.connect(self.painting_toggled)
        self.eraser.clicked.connect(self._erase)
        self.inks.currentIndexChanged.connect(lambda _row: self._show_amount())
        self.slider.value_moved.connect(self._set_amount)
        self.strength.valueChanged.connect(self._set_amount)
        self.slider.reset_asked.connect(self._reset_amount)
        theme.changed.connect(self._draw_icons)
        self._draw_icons()
        self._show_amount()
        self.show_painting(False)

    def _lay_out(self) -> None:
        first, second = QHBoxLayout(), QHBoxLayout()
        for row in (first, second):
            row.setSpacing(8)
        first.addWidget(self.toggle)
        first.addWidget(self.inks, 1)
        first.addWidget(self.eraser)
        for text, box in (("Strength", self.slider), ("Size", self.size_box), ("Softness", self.soft)):
            second.addWidget(caption(text, box))
            second.addWidget(box, 1 if box is self.slider else 0)
            if box is self.slider:
                second.addWidget(self.strength)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 8)
        layout.setSpacing(6)
        layout.addLayout(first)
        layout.addLayout(second)

    # What it says

    @property
    def ink(self) -> InkRef | None:
        """What the brush brings."""
        ink = self.inks.currentData()
        return ink if isinstance(ink, InkRef) else None

    @property
    def erases(self) -> bool:
        """Whether the brush brings the start back."""
        return self.eraser.isChecked()

    @property
    def amount(self) -> float:
        """How much of it: deviations, or a share from 0 to 1."""
        return self.strength.value() / 100.0 if self._mixes else self.strength.value()

    @property
    def brush(self) -> Brush:
        """The brush, in pixels of the picture."""
        return Brush(self.size_box.value() / 2, 1.0 - self.soft.value() / 100.0)

    @property
    def _mixes(self) -> bool:
        return self.ink is not None and self.ink.mixes

    # Showing

    def show_inks(self, inks: Sequence[InkRef], side: int) -> None:
        """Offer what can be painted with on a picture of so many pixels a side."""
        if side != self._side:
            self._side = side
            with QSignalBlocker(self.size_box):
                self.size_box.setRange(2, side)
                self.size_box.setValue(max(2, side // SHARE_OF_SIDE))
            self.brush_changed.emit(self.brush)
        shown = tuple(inks)
        if shown == self._shown:
            return
        chosen, first = self.ink, not self._shown
        new = [one for one in shown if one not in self._shown and one.kind == "direction"]
        self._shown = shown
        with QSignalBlocker(self.inks):
            self.inks.clear()
            for before, one in zip((None, *shown), shown, strict=False):
                if before is not None and before.kind != one.kind:
                    self.inks.insertSeparator(self.inks.count())
                self.inks.addItem(f"{PARTS[one.kind]}{one.title}", one)
            if new and (first or chosen is None or chosen.kind == "channel"):
                chosen = new[0]  # what was just found is what one wants to paint with
            places = (k for k in range(self.inks.count()) if chosen and self.inks.itemData(k) == chosen)
            self.inks.setCurrentIndex(next(places, 0))
        self._show_amount()

    def show_painting(self, painting: bool) -> None:
        """Show whether one paints."""
        self.toggle.setChecked(painting)
        for part in (self.inks, self.eraser, self.slider, self.strength, self.size_box, self.soft):
            part.setEnabled(painting)
        self._show_erasing()

    def change_size(self, step: int) -> None:
        """Make the brush larger or smaller by about a tenth, at least by a pixel."""
        value = self.size_box.value()
        self.size_box.setValue(value + step * max(1, round(value / 10)))

    def choose_tool(self, tool: str) -> None:
        """Take a tool that a key asked for: the brush or the eraser."""
        if tool in ("brush", "eraser"):
            self.eraser.setChecked(tool == "eraser")
            self._erase(tool == "eraser")

    def _erase(self, on: bool) -> None:
        self._show_erasing()
        self.eraser_toggled.emit(on)

    def _show_erasing(self) -> None:
        """Let what the eraser does not heed be grey."""
        on = self.toggle.isChecked() and not self.erases
        for part in (self.inks, self.slider, self.strength):
            part.setEnabled(on)

    def _show_amount(self) -> None:
        mixes = self._mixes
        with QSignalBlocker(self.strength), QSignalBlocker(self.slider):
            high = 100.0 if mixes else MOST_SIGMA
            low, step = (0.0, 1.0) if mixes else (-MOST_SIGMA, 0.1)
            self.strength.setDecimals(0 if mixes else 1)
            self.strength.setRange(low, high)
            self.strength.setSingleStep(step)
            self.strength.setSuffix(" %" if mixes else " σ")
            self.slider.set_span(low, high, step)
            self.strength.setValue(self._amounts[mixes])
        self.slider.show_value(self.strength.value(), self._first)

    @property
    def _first(self) -> float:
        return FIRST_SHARE if self._mixes else FIRST_SIGMA

    def _reset_amount(self) -> None:
        self._set_amount(self._first)

    def _set_amount(self, value: float) -> None:
        self._amounts[self._mixes] = value
        with QSignalBlocker(self.strength):
            self.strength.setValue(value)
        self.slider.show_value(self.strength.value(), self._first)

    def _draw_icons(self) -> None:
        colour = self._theme.colour
        for button, name in ((self.toggle, "brush"), (self.eraser, "eraser")):
            button.setIcon(icon(name, colour("text"), colour("faint")))


def _tool(name: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setCheckable(True)
    button.setAccessibleName(name)
    button.setToolTip(tip)
    button.setIconSize(QSize(18, 18))
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button
