"""The card of predicted attributes: the chart, and what such predictions are and are not."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QLabel, QSizePolicy, QVBoxLayout, QWidget

from latentlab.operations.attribute_table import origin_note
from latentlab.session.document import Explore
from latentlab.spec import PredictorSpec
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.attribute_bars import AttributeBars, BarsArea, Legend

MARGIN, APART = 16, 26
"""Around the chart, and between title and legend, in pixels."""


class AttributeCard(QFrame):
    """Title, chart, and the note on what the attributes are."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        title = QLabel("Predicted attributes")
        title.setProperty("role", "title")
        self.bars = AttributeBars(theme)
        self._area = BarsArea(self.bars)
        self._legend = Legend(self.bars, theme)
        self._note = QLabel()
        self._note.setProperty("role", "caption")
        self._note.setWordWrap(True)
        self._title, self._heading = title, QBoxLayout(QBoxLayout.Direction.LeftToRight)
        heading = self._heading
        heading.setSpacing(APART)
        heading.addWidget(title)
        heading.addWidget(self._legend, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, 12, MARGIN, 12)
        layout.setSpacing(8)
        layout.addLayout(heading)
        layout.addSpacing(2)
        layout.addWidget(self._area)
        layout.addWidget(self._note)
        self.bars.series_changed.connect(self._place_legend)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the legend beside the title, or below it where there is too little room."""
        super().resizeEvent(event)
        self._place_legend()

    def _place_legend(self) -> None:
        room = self.width() - 2 * MARGIN - self._title.sizeHint().width() - APART
        ways, beside = QBoxLayout.Direction, self._legend.wanted <= room
        self._heading.setDirection(ways.LeftToRight if beside else ways.TopToBottom)
        self._heading.setSpacing(APART if beside else 4)

    def set_predictor(self, spec: PredictorSpec | None, name: str) -> None:
        """Show this predictor's attributes, or say that none fits the model."""
        self.bars.set_predictor(spec)
        self._area.setVisible(spec is not None)
        if spec is None:
            self._legend.set_source("")
            self._note.setText("No attribute predictor fits this model, so nothing is predicted.")
            return
        self._legend.set_source(f"by {Path(name).name}")
        errors = "“errs”: on held-out pictures."
        self._note.setText(f"{origin_note(spec)} {errors}" if spec.confusion else origin_note(spec))

    def show_start(self, state: Explore) -> None:
        """Show the bars of the input and its reconstruction, or none where there is no input."""
        source = state.source
        if source is None:
            self.bars.show_series("input", "Input", None)
            self.bars.show_series("start", "Start", None)
        else:
            self.bars.show_series("input", "Input", source.encoded.source_attributes)
            self.bars.show_series("start", "Reconstruction", source.encoded.reconstruction_attributes)
