"""The panel of latent dimensions: randomise and reset above, the list of sliders below."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSpinBox, QVBoxLayout, QWidget

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
    randomise, reset_all
        The actions that the buttons stand for.
    """

    seed_chosen = Signal(int)

    def __init__(
        self, theme: Theme, randomise: QAction, reset_all: QAction, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        title = QLabel("Latent dimensions")
        title.setProperty("role", "title")
        self._caption = QLabel()
        self._caption.setProperty("role", "caption")
        self._reset = text_button(reset_all, "Reset all")
        self._randomise = text_button(randomise, "Randomise")
        self.seed = QSpinBox()
        self.seed.setRange(0, LARGEST_SEED)
        self.seed.setKeyboardTracking(False)
        self.seed.setAccessibleName("Seed of the random latent")
        self.seed.setToolTip("The seed of the random latent: type one and press Enter to draw it")
        self.seed.setFont(numerals(self.seed.font()))
        self.seed.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.seed.lineEdit().setAcceptDrops(False)  # files that are dropped are the window's
        self.seed.setFixedWidth(84)
        self.seed.lineEdit().returnPressed.connect(lambda: self.seed_chosen.emit(self.seed.value()))
        seed_label = QLabel("Seed")
        seed_label.setProperty("role", "caption")
        seed_label.setBuddy(self.seed)
        self.list = DimensionList(theme)

        heading = QHBoxLayout()
        heading.addWidget(title)
        heading.addStretch(1)
        heading.addWidget(self._caption)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._randomise)
        buttons.addWidget(seed_label)
        buttons.addWidget(self.seed)
        buttons.addStretch(1)
        buttons.addWidget(self._reset)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 8, 8)
        layout.setSpacing(10)
        for row in (heading, buttons):
            row.setContentsMargins(0, 0, 8, 0)
            layout.addLayout(row)
        layout.addWidget(self.list, 1)
        QWidget.setTabOrder(self._randomise, self.seed)
        QWidget.setTabOrder(self.seed, self._reset)

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
        if state.seed is not None and state.seed != self.seed.value():
            self.seed.setValue(state.seed)


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
