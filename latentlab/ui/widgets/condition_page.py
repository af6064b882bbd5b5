"""The page of the condition: what the decoder is told, attribute by attribute, and what the encoder was."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from latentlab import conditions
from latentlab.session.document import Explore
from latentlab.spec import ConditionSchema, ModelSpec
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.bars_painter import label_of
from latentlab.ui.widgets.boxes import ComboBox
from latentlab.ui.widgets.condition_block import MIXTURE, NOTHING, ConditionBlock

UNCONDITIONAL = (
    "This model is unconditional: nothing is told to its encoder or decoder, so there is nothing to scale, "
    "flip or mix. A conditional VAE has these controls."
)
NO_PICTURE = "There is no picture that the encoder could be told something of. Open one first."


class ConditionPage(QWidget):
    """Sends what a person does with the condition; shows what it is told.

    The first argument of a signal is the attribute's name. ``told`` tells a class ("" for nothing) for the
    encoder, ``told_as_seen`` the wish that it is what the predictor sees, ``linked`` whether it follows the
    decoder's.
    """

    chosen = Signal(str, str)
    scaled = Signal(str, float)
    weighed = Signal(str, str, float)
    pressed = Signal(str)
    released = Signal(str)
    flip_asked = Signal(str)
    reset_asked = Signal(str)
    told = Signal(str, str)
    told_as_seen = Signal()
    linked = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._schema = ConditionSchema()
        self.blocks: dict[str, ConditionBlock] = {}
        self.encoder: dict[str, QComboBox] = {}
        self._told_widgets: list[QWidget] = []
        self._nothing = QLabel(UNCONDITIONAL)
        self._nothing.setProperty("role", "caption")
        self._nothing.setWordWrap(True)
        self._content = QWidget()
        self._content.setObjectName("plain")
        self._column = QVBoxLayout(self._content)
        self._column.setContentsMargins(0, 0, 4, 0)
        self._column.setSpacing(10)
        self._column.addStretch(1)
        self._area = QScrollArea()
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setAccessibleName("Condition")
        self._area.setWidget(self._content)
        self._told = QWidget()
        self.link = QCheckBox("Linked")
        self.link.setToolTip(
            "Tell the encoder what the decoder is told, whenever that changes; going along a path unlinks"
        )
        self.as_seen = QPushButton("As predicted")
        self.as_seen.setToolTip(
            "Tell the encoder what the predictor sees in the input; where it is linked, the decoder too"
        )
        self._grid = QGridLayout()
        self._lay_out_encoder()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._nothing)
        layout.addWidget(self._area, 1)
        layout.addWidget(self._told)
        self.link.clicked.connect(self.linked)
        self.as_seen.clicked.connect(self.told_as_seen)

    def _lay_out_encoder(self) -> None:
        title = QLabel("Encoder")
        title.setProperty("role", "caption")
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(title)
        top.addStretch(1)
        top.addWidget(self.link)
        top.addWidget(self.as_seen)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnStretch(3, 1)
        layout = QVBoxLayout(self._told)
        layout.setContentsMargins(0, 0, 8, 0)
        layout.setSpacing(6)
        layout.addLayout(top)
        layout.addLayout(self._grid)

    def set_model(self, spec: ModelSpec) -> None:
        """Show this model's attributes."""
        conditional = bool(spec.condition.size)
        self._nothing.setVisible(not conditional)
        self._area.setVisible(conditional)
        self._told.setVisible(conditional)
        if spec.condition == self._schema:
            return
        self._schema = spec.condition
        for block in self.blocks.values():
            self._column.removeWidget(block)
            block.hide()
            block.deleteLater()
        for widget in self._told_widgets:
            self._grid.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self.blocks, self.encoder, self._told_widgets = {}, {}, []
        for place, attribute in enumerate(spec.condition.attributes):
            block = self.blocks[attribute.name] = self._block(place)
            self._column.insertWidget(place, block)
            if attribute.classes:
                self._add_told(len(self.encoder), attribute.name, attribute.classes)
        before: QWidget = self
        every = [control for block in self.blocks.values() for control in block.controls]
        for control in (*every, self.link, self.as_seen, *self.encoder.values()):
            QWidget.setTabOrder(before, control)
            before = control

    def show_state(self, state: Explore) -> None:
        """Show a state's condition, and what the encoder was told."""
        condition, start = state.condition, state.start_condition
        if condition is None or not self._schema.size:
            return
        usual = condition if start is None else start
        told = usual if state.told is None else state.told
        for block in self.blocks.values():
            block.show_condition(self._schema, condition, usual)
        there = state.source is not None
        with QSignalBlocker(self.link):
            self.link.setChecked(state.linked)
        self.link.setEnabled(there)
        self.as_seen.setEnabled(there)
        tip = "" if there else NO_PICTURE
        for name, box in self.encoder.items():
            box.setEnabled(there and not state.linked)
            box.setToolTip(tip or "What the encoder was told of the picture; another class encodes it again")
            found = conditions.chosen(self._schema, told, name)
            some = bool(np.any(told[self._schema.slice(name)]))
            with QSignalBlocker(box):
                box.setItemText(0, MIXTURE if some and found is None else NOTHING)
                box.setCurrentIndex(0 if found is None or not there else box.findData(found[0]))

    def _block(self, place: int) -> ConditionBlock:
        attribute = self._schema.attributes[place]
        name = attribute.name
        block = ConditionBlock(attribute, self._theme, self._content)
        block.chosen.connect(lambda label: self.chosen.emit(name, label))
        block.scaled.connect(lambda scale: self.scaled.emit(name, scale))
        block.weighed.connect(lambda label, weight: self.weighed.emit(name, label, weight))
        block.pressed.connect(lambda: self.pressed.emit(name))
        block.released.connect(lambda: self.released.emit(name))
        block.flip_asked.connect(lambda: self.flip_asked.emit(name))
        block.reset_asked.connect(lambda: self.reset_asked.emit(name))
        return block

    def _add_told(self, place: int, name: str, classes: tuple[str, ...]) -> None:
        caption = QLabel(label_of(name))
        caption.setProperty("role", "caption")
        box = ComboBox()
        box.setAccessibleName(f"The encoder was told {label_of(name)}")
        box.addItem(NOTHING, "")
        for label in classes:
            box.addItem(label_of(label), label)
        caption.setBuddy(box)
        box.activated.connect(lambda _index: self.told.emit(name, box.currentData()))
        self._grid.addWidget(caption, place // 2, 2 * (place % 2))
        self._grid.addWidget(box, place // 2, 2 * (place % 2) + 1)
        self.encoder[name] = box
        self._told_widgets += [caption, box]
