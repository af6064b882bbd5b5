"""What the samples are set by: rows, seeds, truncation, the mode; and what is predicted of one."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from latentlab.operations.sample_plan import LARGEST_SEED, MOST_ROWS
from latentlab.session.document import SamplesView
from latentlab.session.sample_intents import ALL_PINNED
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.condition_block import ValueRow
from latentlab.ui.widgets.form import WIDTH, caption, number_box, scrolled
from latentlab.ui.widgets.mode_block import ModeBlock
from latentlab.ui.widgets.sample_card import SampleCard

RESAMPLE_TIP = "Draw other z for all rows that are not pinned"
INPUT_TIP = "Encode the open picture as one of its dataset, and show it as the first row"
NO_INPUT_TIP = "No picture is open. Open, drop or paste one to have it as the first row."


class SamplePanel(QFrame):
    """Sends what is wished for; ``truncated`` comes while its slider is dragged, between the two ends.

    Attributes
    ----------
    mode
        The share of *keep*, which the other views have too.
    """

    rows_chosen = Signal(int)
    draw_asked = Signal(int)
    resample_asked = Signal()
    input_chosen = Signal(bool)
    truncated = Signal(float)
    pressed = Signal()
    released = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setFixedWidth(WIDTH)
        self.resample = QPushButton("Resample")
        tip = "The seed of the first row that is not pinned: type one and press Enter to draw from it on"
        self.seed = number_box("Seed of the first sample", tip, 0, LARGEST_SEED, 84)
        self.with_input = QCheckBox("Open picture first")
        self.rows = number_box("Rows of samples", "How many z are drawn, one a row", 1, MOST_ROWS, 48)
        self.truncation = ValueRow("Truncation of the samples", 0.0, 1.0, theme)
        self.truncation.spin.setRange(0.0, 1.0)
        self.truncation.setToolTip(
            "What every drawn z is multiplied by: less than 1 gives more usual pictures of less variety"
        )
        self.mode = ModeBlock(theme)
        self.card = SampleCard(theme)
        self.judge = QLabel()
        self.judge.setProperty("role", "caption")
        self.judge.setWordWrap(True)
        self._lay_out()
        self.rows.valueChanged.connect(self.rows_chosen)
        self.seed.lineEdit().returnPressed.connect(lambda: self.draw_asked.emit(self.seed.value()))
        self.resample.clicked.connect(self.resample_asked)
        self.with_input.clicked.connect(self._choose_input)
        self.truncation.moved.connect(lambda value: self.truncated.emit(round(value, 4)))
        self.truncation.pressed.connect(self.pressed)
        self.truncation.released.connect(self.released)
        self.truncation.reset_asked.connect(lambda: self.truncated.emit(1.0))

    def _lay_out(self) -> None:
        inner = QWidget()
        inner.setObjectName("plain")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 2, 6, 0)
        column.setSpacing(6)
        draw, rows = QHBoxLayout(), QHBoxLayout()
        for row in (draw, rows):
            row.setSpacing(8)
            column.addLayout(row)
        draw.addWidget(self.resample)
        draw.addStretch(1)
        draw.addWidget(caption("Seed", self.seed))
        draw.addWidget(self.seed)
        rows.addWidget(self.with_input)
        rows.addStretch(1)
        rows.addWidget(caption("Rows", self.rows))
        rows.addWidget(self.rows)
        column.addSpacing(2)
        self.truncation.row.insertWidget(0, caption("Truncation", self.truncation.slider))
        column.addWidget(self.truncation)
        column.addSpacing(4)
        column.addWidget(self.mode)
        column.addSpacing(8)
        line = QFrame()
        line.setObjectName("line")
        line.setFrameShape(QFrame.Shape.HLine)
        column.addWidget(line)
        column.addSpacing(2)
        column.addWidget(self.card)
        column.addStretch(1)
        column.addWidget(self.judge)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 10, 8, 12)
        layout.addWidget(scrolled(inner))

    @property
    def controls(self) -> list[QWidget]:
        """All controls in the order of the Tab key."""
        first: list[QWidget] = [self.resample, self.seed, self.with_input, self.rows]
        return [*first, self.truncation.slider, self.truncation.spin, *self.mode.controls]

    def show_view(self, view: SamplesView, keep: float, picture: str) -> None:
        """Show how the samples are set; ``picture`` is what the open picture is called, empty without one."""
        loose = [row for row in view.rows if not row.pinned]
        with QSignalBlocker(self.rows), QSignalBlocker(self.seed):
            self.rows.setValue(len(view.rows))
            self.seed.setValue((loose or view.rows)[0].seed)
        self.resample.setEnabled(bool(loose))
        self.resample.setToolTip(RESAMPLE_TIP if loose else ALL_PINNED)
        self.seed.setEnabled(bool(loose))
        self.with_input.setEnabled(bool(picture))
        self.with_input.setChecked(view.with_input and bool(picture))
        self.with_input.setToolTip(f"{INPUT_TIP}: {picture}" if picture else NO_INPUT_TIP)
        self.truncation.show_value(view.truncation, 1.0)
        self.mode.show_keep(keep)

    def _choose_input(self, wanted: bool) -> None:
        self.with_input.setChecked(not wanted)  # it stays as it is until the document has changed
        self.input_chosen.emit(wanted)
