"""What the Counterfactuals screen is set by: of what, which classes, how far, and what counts as changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QSpinBox, QWidget

from latentlab.session.condition import HIGHEST, LOWEST
from latentlab.session.document import CounterfactualView
from latentlab.spec import ConditionSchema
from latentlab.ui.theme import Theme, numerals
from latentlab.ui.widgets.bars_painter import label_of
from latentlab.ui.widgets.boxes import SpinBox
from latentlab.ui.widgets.condition_block import ValueRow
from latentlab.ui.widgets.form import choice_box

THIS_PICTURE, NONE, OTHER = "The edited picture", "nothing", "the next class"
SIDES = (("decoder", "decoder"), ("encoder", "encoder"), ("both", "both"))
SORTS = (("effect", "effect"), ("leakage", "leakage"), ("set", "place in the set"))
MOST = 512


class CounterfactualForm(QWidget):
    """Sends the view that is wished for; ``moved`` is the same while a slider is dragged.

    ``pressed`` and ``released`` are the two ends of a drag.
    """

    wished = Signal(CounterfactualView)
    moved = Signal(CounterfactualView)
    pressed = Signal()
    released = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = CounterfactualView()
        self._schema = ConditionSchema()
        self._data = choice_box(
            "Of what", "The edited picture, or a page of a set's pictures; type another set"
        )
        self._data.setEditable(True)
        self._data.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        line = self._data.lineEdit()
        assert line is not None
        line.setAcceptDrops(False)
        self._attribute = choice_box("Attribute", "Whose classes are gone through")
        self._second = choice_box(
            "Second attribute", "With a second attribute: a table of the classes of both"
        )
        self._target = choice_box("Target", "The class that every picture is drawn as")
        self._side = choice_box("Who is told", "Which side of the model is told the other class")
        self._sort = choice_box("Order", "Most effect or most leakage first, or as they stand in the set")
        for box, choices in ((self._side, SIDES), (self._sort, SORTS)):
            for value, text in choices:
                box.addItem(text, value)
        self._count, self._seed = _spin("Pictures", 1, MOST), _spin("Seed", 0, 2**31 - 1)
        self._count.setToolTip("How many pictures of the set")
        self._seed.setToolTip("Chooses which pictures of the set")
        self.scale = ValueRow("Scale of the class", LOWEST, HIGHEST, theme)
        self.scale.setToolTip("What the class is multiplied by: 1 is as trained, beyond it is extrapolation")
        self.threshold = ValueRow("Threshold of the difference", 0.0, 64.0, theme)
        self.threshold.spin.setRange(0.0, 255.0)
        self.threshold.spin.setDecimals(0)
        self.threshold.setToolTip("Pixels that differ by less, of 255, count as unchanged")
        self._captions: dict[QWidget, QLabel] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)
        numbers = QWidget()
        row = QHBoxLayout(numbers)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        seed = QLabel("seed")
        seed.setProperty("role", "caption")
        row.addWidget(self._count)
        row.addWidget(seed)
        row.addWidget(self._seed)
        row.addStretch(1)
        self._numbers = numbers
        for text, widget in (
            ("Of", self._data),
            ("Attribute", self._attribute),
            ("And", self._second),
            ("As", self._target),
            ("Told to", self._side),
            ("Scale", self.scale),
            ("Threshold", self.threshold),
            ("Order by", self._sort),
            ("Pictures", numbers),
        ):
            self._add(text, widget)
        self._data.activated.connect(lambda _index: self._take_data())
        line.editingFinished.connect(self._take_data)
        for box, name in (
            (self._attribute, "attribute"),
            (self._second, "second"),
            (self._target, "target"),
            (self._side, "side"),
            (self._sort, "sort"),
        ):
            box.activated.connect(lambda _index, box=box, name=name: self._wish(name, box.currentData()))
        self._count.valueChanged.connect(lambda value: self._wish("count", value))
        self._seed.valueChanged.connect(lambda value: self._wish("seed", value))
        for row_of, name, usual in ((self.scale, "scale", 1.0), (self.threshold, "threshold", 8.0)):
            row_of.moved.connect(lambda value, name=name: self.moved.emit(self._with(name, value)))
            row_of.pressed.connect(self.pressed)
            row_of.released.connect(self.released)
            row_of.reset_asked.connect(lambda name=name, usual=usual: self._wish(name, usual))

    @property
    def controls(self) -> list[QWidget]:
        """All controls in the order of the Tab key."""
        return [
            self._data,
            self._attribute,
            self._second,
            self._target,
            self._side,
            self.scale.slider,
            self.scale.spin,
            self.threshold.slider,
            self.threshold.spin,
            self._sort,
            self._count,
            self._seed,
        ]

    def set_model(self, schema: ConditionSchema, sets: Sequence[str]) -> None:
        """Offer the attributes of this condition, and these sets."""
        self._schema = schema
        names = [one.name for one in schema.attributes if one.classes]
        with QSignalBlocker(self._attribute), QSignalBlocker(self._second), QSignalBlocker(self._data):
            for box in (self._attribute, self._second, self._data):
                box.clear()
            self._second.addItem(NONE, "")
            for name in names:
                self._attribute.addItem(label_of(name), name)
                self._second.addItem(label_of(name), name)
            self._data.addItem(THIS_PICTURE, "")
            for name in sets:
                self._data.addItem(name, name)

    def show_view(self, view: CounterfactualView, attribute: str) -> None:
        """Show how the screen is set; ``attribute`` is the one that is gone through."""
        self._view = view
        boxes = (self._attribute, self._second, self._target, self._side, self._sort)
        blockers = [QSignalBlocker(box) for box in (*boxes, self._count, self._seed, self._data)]
        line = self._data.lineEdit()
        assert line is not None
        if not (line.hasFocus() and line.isModified()):
            self._show_data()
        self._target.clear()
        self._target.addItem(OTHER, "other")
        for one in self._schema.attributes:
            if one.name == attribute:
                for label in one.classes:
                    self._target.addItem(label_of(label), label)
        for box, value in zip(
            boxes, (attribute, view.second, view.target, view.side, view.sort), strict=True
        ):
            box.setCurrentIndex(max(0, box.findData(value)))
        self._count.setValue(view.count)
        self._seed.setValue(view.seed)
        del blockers
        self.scale.show_value(view.scale, 1.0)
        self.threshold.show_value(view.threshold, 8.0)
        page = bool(view.data)
        for widget in (self._target, self._side, self._sort, self._numbers):
            self._set_visible(widget, page)
        self._set_visible(self._second, not page)

    def _show_data(self) -> None:
        place = self._data.findData(self._view.data)
        self._data.setCurrentIndex(place)
        if place < 0:
            self._data.setEditText(self._view.data)
        line = self._data.lineEdit()
        assert line is not None
        line.setCursorPosition(0)

    def _take_data(self) -> None:
        line = self._data.lineEdit()
        assert line is not None
        line.setModified(False)
        text = self._data.currentText().strip()
        place = self._data.findText(text)
        data = self._data.itemData(place) if place >= 0 else text
        if data != self._view.data:
            self._wish("data", data)
        else:
            self._show_data()

    def _wish(self, name: str, value: object) -> None:
        self.wished.emit(self._with(name, value))

    def _with(self, name: str, value: object) -> CounterfactualView:
        changes: dict[str, Any] = {name: value}
        if name == "attribute":  # the former one's class is not one of its
            changes |= {"target": "other", "second": "" if value == self._view.second else self._view.second}
        return replace(self._view, **changes)

    def _add(self, text: str, widget: QWidget) -> None:
        caption = QLabel(text)
        caption.setProperty("role", "caption")
        caption.setBuddy(widget)
        place = self._grid.rowCount()
        self._grid.addWidget(caption, place, 0)
        self._grid.addWidget(widget, place, 1)
        self._captions[widget] = caption

    def _set_visible(self, widget: QWidget, visible: bool) -> None:
        widget.setVisible(visible)
        self._captions[widget].setVisible(visible)


def _spin(name: str, low: int, high: int) -> QSpinBox:
    spin = SpinBox()
    spin.setRange(low, high)
    spin.setAccessibleName(name)
    spin.setKeyboardTracking(False)
    spin.setFont(numerals(spin.font()))
    spin.setAlignment(Qt.AlignmentFlag.AlignRight)
    spin.setFixedWidth(72)
    spin.lineEdit().setAcceptDrops(False)
    return spin
