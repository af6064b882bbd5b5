"""What panels beside a view are made of: captions, numbers, switches, and the area that scrolls."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFrame, QLabel, QScrollArea, QSizePolicy, QToolButton, QWidget

from latentlab.ui.theme import numerals
from latentlab.ui.widgets.boxes import ComboBox, SpinBox

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
    """Return a box for a whole number, which tells of a change once it has been typed to its end."""
    box = SpinBox()
    box.setRange(least, most)
    box.setSuffix(unit)
    box.setAccessibleName(name)
    box.setToolTip(tip)
    box.setKeyboardTracking(False)
    box.setFont(numerals(box.font()))
    box.setAlignment(Qt.AlignmentFlag.AlignRight)
    box.setFixedWidth(width)
    box.lineEdit().setAcceptDrops(False)  # files that are dropped are the window's
    return box


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


def scrolled(inner: QWidget) -> QScrollArea:
    """Return an area without a frame in which a widget scrolls up and down where there is too little room."""
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(inner)
    return area
