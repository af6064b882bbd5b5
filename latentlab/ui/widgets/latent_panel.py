"""The panel beside the pictures: randomise, mutate and reset above; the ways to change the latent below."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from latentlab.operations.latent_brush import grid_of
from latentlab.operations.sample_plan import LARGEST_SEED
from latentlab.session.document import Explore, Shelf
from latentlab.spec import ModelSpec
from latentlab.ui.theme import Theme, numerals
from latentlab.ui.widgets.buttons import text_button
from latentlab.ui.widgets.condition_page import UNCONDITIONAL, ConditionPage
from latentlab.ui.widgets.dimension_list import DimensionList
from latentlab.ui.widgets.dimension_page import DimensionPage
from latentlab.ui.widgets.direction_page import DirectionPage
from latentlab.ui.widgets.pin_page import PinPage

DIMENSIONS, CONDITION, DIRECTIONS, PINS = range(4)
"""The pages, in their order."""


class LatentPanel(QFrame):
    """Where latent and condition are changed: at random, by dimension, class, direction or pin.

    Parameters
    ----------
    randomise, mutate, reset_all
        The actions that the buttons stand for.
    directions, pins
        The last two pages.
    """

    draw_asked = Signal()

    def __init__(
        self,
        theme: Theme,
        randomise: QAction,
        mutate: QAction,
        reset_all: QAction,
        directions: DirectionPage,
        pins: PinPage,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._reset = text_button(reset_all, "Reset all")
        self._randomise = text_button(randomise, "Randomise")
        self._mutate = text_button(mutate, "Mutate")
        self.seed = QSpinBox()
        self.seed.setRange(0, LARGEST_SEED)
        self.seed.setAccessibleName("Seed of the random latent")
        self.seed.setToolTip("The seed of the random latent: type one and press Enter to draw it")
        self.seed.setFont(numerals(self.seed.font()))
        self.seed.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.seed.setFixedWidth(84)
        self.truncation = QDoubleSpinBox()
        self.truncation.setRange(0.0, 1.0)
        self.truncation.setSingleStep(0.1)
        self.truncation.setValue(1.0)
        self.truncation.setAccessibleName("Truncation of the random latent")
        self.truncation.setToolTip(
            "Truncation: random latents are multiplied by it. Less than 1 gives more usual pictures of less "
            "variety, and fewer of what is rare; press Enter to draw"
        )
        self.truncation.setFont(numerals(self.truncation.font()))
        self.truncation.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.truncation.setFixedWidth(64)
        for box in (self.seed, self.truncation):
            box.setKeyboardTracking(False)
            box.lineEdit().setAcceptDrops(False)  # files that are dropped are the window's
            box.lineEdit().returnPressed.connect(self.draw_asked)
        seed_label, truncation_label = QLabel("Seed"), QLabel("Truncation")
        for label, buddy in ((seed_label, self.seed), (truncation_label, self.truncation)):
            label.setProperty("role", "caption")
            label.setBuddy(buddy)
        self.dimensions, self.directions, self.pins = DimensionPage(theme), directions, pins
        self.condition = ConditionPage(theme)
        self.tabs = QTabBar()
        self.tabs.setAccessibleName("Ways to change the latent")
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self._pages = QStackedWidget()
        for title, page in zip(
            ("Dimensions", "Condition", "Directions", "Pins"),
            (self.dimensions, self.condition, directions, pins),
            strict=True,
        ):
            self.tabs.addTab(title)
            self._pages.addWidget(page)
        self.tabs.currentChanged.connect(self._pages.setCurrentIndex)
        self._start: NDArray[np.float32] | None = None

        drawing, buttons = QHBoxLayout(), QHBoxLayout()
        for row in (drawing, buttons):
            row.setSpacing(8)
        drawing.addWidget(seed_label)
        drawing.addWidget(self.seed)
        drawing.addSpacing(8)
        drawing.addWidget(truncation_label)
        drawing.addWidget(self.truncation)
        drawing.addStretch(1)
        buttons.addWidget(self._randomise)
        buttons.addWidget(self._mutate)
        buttons.addStretch(1)
        buttons.addWidget(self._reset)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 8, 8)
        layout.setSpacing(10)
        for row in (buttons, drawing):
            row.setContentsMargins(0, 0, 8, 0)
            layout.addLayout(row)
        layout.addWidget(self.tabs)
        layout.addWidget(self._pages, 1)
        order = (self._randomise, self._mutate, self._reset, self.seed, self.truncation, self.tabs)
        for first, second in pairwise(order):
            QWidget.setTabOrder(first, second)

    @property
    def list(self) -> DimensionList:
        """The list of dimensions."""
        return self.dimensions.list

    def show_page(self, page: int) -> None:
        """Bring a page to the front."""
        self.tabs.setCurrentIndex(page)

    def set_model(self, spec: ModelSpec) -> None:
        """Show this model's dimensions, those that do most first, and its condition, where it has one."""
        self.dimensions.set_model(spec)
        self.condition.set_model(spec)
        self.directions.set_model(spec)
        if grid_of(spec) is not None and self.tabs.currentIndex() == DIMENSIONS:
            self.tabs.setCurrentIndex(DIRECTIONS)
        conditional = bool(spec.condition.size)
        if not conditional and self.tabs.currentIndex() == CONDITION:
            self.tabs.setCurrentIndex(DIMENSIONS)
        self.tabs.setTabEnabled(CONDITION, conditional)
        self.tabs.setTabToolTip(CONDITION, "" if conditional else UNCONDITIONAL)

    def show_state(self, state: Explore, shelf: Shelf) -> None:
        """Show the values and the seed of a state, and what is locked."""
        self.dimensions.show_state(state, shelf)
        self.condition.show_state(state)
        if state.seed is not None and state.start is not self._start:
            self.seed.setValue(state.seed)
            self.truncation.setValue(state.truncation)
        self._start = state.start
