"""The panel of latent dimensions: randomise, mutate and reset above, the list of sliders below."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDoubleSpinBox, QFrame, QHBoxLayout, QLabel, QSpinBox, QVBoxLayout, QWidget

from latentlab.operations.latents import ranges, ranking
from latentlab.session.document import Explore
from latentlab.spec import ModelSpec
from latentlab.ui.theme import Theme, numerals
from latentlab.ui.widgets.buttons import text_button
from latentlab.ui.widgets.dimension_list import DimensionList
from latentlab.ui.widgets.dimension_row import DimensionInfo

LARGEST_SEED = 2**31 - 1


class DimensionPanel(QFrame):
    """Sends what a person does with the dimensions; shows what it is told.

    Parameters
    ----------
    randomise, mutate, reset_all
        The actions that the buttons stand for.
    """

    draw_asked = Signal()

    def __init__(
        self,
        theme: Theme,
        randomise: QAction,
        mutate: QAction,
        reset_all: QAction,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        title = QLabel("Latent dimensions")
        title.setProperty("role", "title")
        self._caption = QLabel()
        self._caption.setProperty("role", "caption")
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
        self.list = DimensionList(theme)
        self._start: NDArray[np.float32] | None = None

        heading = QHBoxLayout()
        heading.addWidget(title)
        heading.addStretch(1)
        heading.addWidget(self._caption)
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
        for row in (heading, buttons, drawing):
            row.setContentsMargins(0, 0, 8, 0)
            layout.addLayout(row)
        layout.addWidget(self.list, 1)
        order = (self._randomise, self._mutate, self._reset, self.seed, self.truncation)
        for first, second in pairwise(order):
            QWidget.setTabOrder(first, second)

    def set_model(self, spec: ModelSpec) -> None:
        """Show this model's dimensions, those that do most first."""
        count = spec.latent_size
        ranked = spec.latent_summary is not None
        self._caption.setText(f"{count}, strongest first" if ranked else f"{count}, in order")
        self._caption.setToolTip(
            "Ranked by how far the encoder moves each dimension from the prior (Kullback-Leibler "
            "divergence, mean over the training pictures)"
            if ranked
            else "The checkpoint does not say what its dimensions carry"
        )
        self.list.set_dimensions(dimension_infos(spec))

    def show_state(self, state: Explore) -> None:
        """Show the values and the seed of a state."""
        self.list.show_latent(state.latent, state.start)
        if state.seed is not None and state.start is not self._start:
            self.seed.setValue(state.seed)
            self.truncation.setValue(state.truncation)
        self._start = state.start


def dimension_infos(spec: ModelSpec) -> list[DimensionInfo]:
    """Describe a model's dimensions in the order in which they are listed."""
    reach = ranges(spec)
    summary = spec.latent_summary
    strongest = max(summary.kl) if summary is not None else 0.0
    infos = []
    for k in ranking(spec).tolist():
        weight, tip = None, f"Dimension {k}"
        if summary is not None:
            weight = float(np.clip(summary.kl[k] / strongest, 0.0, 1.0)) if strongest > 0 else 0.0
            tip = (
                f"Dimension {k}: carries {summary.kl[k]:.2f} nats; over the training pictures its mean is "
                f"{summary.mean[k]:.2f} and its spread {summary.std[k]:.2f}"
            )
        infos.append(DimensionInfo(k, float(reach.low[k]), float(reach.high[k]), weight, tip))
    return infos
