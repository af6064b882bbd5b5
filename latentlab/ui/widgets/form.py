"""What panels beside a view are made of: captions, numbers, switches, and the area that scrolls."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QLabel,
    QLayout,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from latentlab.ui.theme import numerals
from latentlab.ui.widgets.boxes import ComboBox, DoubleSpinBox, SpinBox

WIDTH = 316
"""Width of a panel, in pixels."""


def caption(text: str, buddy: QWidget | None = None) -> QLabel:
    """Return a quiet label, for a control where one is given."""
    label = QLabel(text)
    label.setProperty("role", "caption")
    if buddy is not None:
        label.setBuddy(buddy)
    return label


def number_box(name: str, tip: str, least: int, most: int, width: int, unit: str = "") -> SpinBox:
    """Return a box for a whole number; a width of 0 is as wide as there is room."""
    box = SpinBox()
    box.setRange(least, most)
    box.setSuffix(unit)
    set_up_number(box, name, tip)
    if width:
        box.setFixedWidth(width)
    return box


def decimal_box(
    name: str, tip: str, least: float, most: float, decimals: int, step: float, special: str = ""
) -> DoubleSpinBox:
    """Return a box for a number with decimals; the least one may be written as words."""
    box = DoubleSpinBox()
    box.setDecimals(decimals)
    box.setRange(least, most)
    box.setSingleStep(step)
    set_up_number(box, name, tip)
    if special:
        box.setSpecialValueText(special)
    return box


def set_look(widget: QWidget, name: str, value: str) -> None:
    """Give a widget another property that the style sheet asks for, and let it look so at once."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def set_up_number(box: SpinBox | DoubleSpinBox, name: str, tip: str) -> None:
    """Let a box for a number tell of a change once it has been typed to its end, and look like all."""
    box.setAccessibleName(name)
    box.setToolTip(tip)
    box.setKeyboardTracking(False)
    box.setFont(numerals(box.font()))
    box.setAlignment(Qt.AlignmentFlag.AlignRight)
    box.lineEdit().setAcceptDrops(False)  # files that are dropped are the window's


def choice_box(name: str, tip: str) -> ComboBox:
    """Return a box to choose from, as wide as there is room, however long what it offers."""
    box = ComboBox()
    box.setAccessibleName(name)
    box.setToolTip(tip)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(12)
    return box


def switch(text: str, tip: str) -> QToolButton:
    """Return a button that stays pressed, one of several side by side."""
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setCheckable(True)
    button.setAccessibleName(text)
    button.setProperty("role", "switch")
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button


class MoreButton(QToolButton):
    """Shows further settings, or hides them."""

    def __init__(self, tip: str) -> None:
        super().__init__()
        self.setText("More settings")
        self.setCheckable(True)
        self.setToolTip(tip)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)

    def fold(self, further: QWidget, area: QScrollArea) -> None:
        """Show and hide these, which stand in an area that scrolls; they are hidden at first."""

        def show(more: bool) -> None:
            further.setVisible(more)
            self.setArrowType(Qt.ArrowType.DownArrow if more else Qt.ArrowType.RightArrow)
            if more:  # what has been opened is to be seen
                QTimer.singleShot(0, self, lambda: area.ensureWidgetVisible(further, 0, 0))

        self.toggled.connect(show)
        show(False)


def card(inner: QWidget | QLayout) -> QFrame:
    """Return a card around a widget or a layout."""
    frame = QFrame()
    frame.setObjectName("card")
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(12, 8, 12, 8)
    if isinstance(inner, QWidget):
        layout.addWidget(inner)
    else:
        layout.addLayout(inner)
    return frame


def controls_in_order(controls: Iterable[QWidget]) -> None:
    """Let the Tab key go through controls in this order."""
    for one, other in pairwise(controls):
        QWidget.setTabOrder(one, other)


def scrolled(inner: QWidget) -> QScrollArea:
    """Return an area without a frame in which a widget scrolls up and down where there is too little room."""
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(inner)
    return area
