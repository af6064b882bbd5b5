"""What the Analogies screen is set by: the picture, its dataset, what is kept of it; and how usual it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStyle,
    QVBoxLayout,
    QWidget,
)

from latentlab.operations.sample_plan import LARGEST_SEED
from latentlab.session.document import ProjectionView
from latentlab.ui.theme import Theme, numerals
from latentlab.ui.widgets.boxes import ComboBox
from latentlab.ui.widgets.form import WIDTH, caption, number_box, scrolled, set_look
from latentlab.ui.widgets.input_box import InputBox
from latentlab.ui.widgets.mode_block import ModeBlock

PAINTING = (432, 640)
"""The least and the largest width while one paints, where the height suffices."""
SHARE = 0.35
"""Which share of the view's width the panel may have then."""
MARGINS = (16, 10, 8, 12)
BESIDE = 6
"""Pixels between what is in the panel and its scroll bar."""


class ProjectionPanel(QFrame):
    """Sends the view that is wished for; ``moved`` is the same while the slider is dragged.

    ``pressed`` and ``released`` are the two ends of a drag; ``resample_asked`` is the wish for the next
    random latent, ``draw_asked`` for that of a seed.
    """

    wished = Signal(ProjectionView)
    moved = Signal(ProjectionView)
    pressed = Signal()
    released = Signal()
    resample_asked = Signal()
    draw_asked = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setFixedWidth(WIDTH)
        self._view = ProjectionView()
        self._most, self._width = PAINTING[0], WIDTH
        self.box = InputBox(theme)
        self.input = self.box.canvas
        self.dataset = ComboBox()
        self.dataset.setAccessibleName("Dataset of the picture")
        self.dataset.setToolTip("The dataset as one of which the picture is encoded; correct the guess here")
        self.dataset.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.mode = ModeBlock(theme)
        self._dataset_caption = caption("", self.dataset)
        self._norm, self._known = QLabel(), QLabel()
        self._norm.setFont(numerals(self._norm.font()))
        self._norm.setToolTip("Its length over the square root of its size: 1 on average for what is known")
        self.edits = QLabel("What was edited in Explore is not in these pictures: the input is projected.")
        self.judge = QLabel()
        for label in (self._known, self.edits, self.judge):
            label.setProperty("role", "caption")
            label.setWordWrap(True)
        self.resample = QPushButton("Resample")
        self.resample.setToolTip("Draw a random z in the place of the picture; undo brings the picture back")
        tip = "The seed of the random z: type one and press Enter to draw it"
        self.seed = number_box("Seed of the random z", tip, 0, LARGEST_SEED, 84)
        self._lay_out()
        self.dataset.activated.connect(lambda _index: self._wish(dataset=self.dataset.currentData()))
        self.mode.wished.connect(lambda keep: self._wish(keep=keep))
        self.mode.moved.connect(lambda keep: self.moved.emit(replace(self._view, keep=keep)))
        self.mode.pressed.connect(self.pressed)
        self.mode.released.connect(self.released)
        self.resample.clicked.connect(self.resample_asked)
        self.seed.lineEdit().returnPressed.connect(lambda: self.draw_asked.emit(self.seed.value()))

    def _lay_out(self) -> None:
        inner = QWidget()
        inner.setObjectName("plain")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, BESIDE, 0)
        column.setSpacing(6)
        draw = QHBoxLayout()
        draw.setSpacing(8)
        draw.addWidget(self.resample)
        draw.addStretch(1)
        draw.addWidget(caption("Seed", self.seed))
        draw.addWidget(self.seed)
        column.addWidget(self.box, 10)
        column.addSpacing(4)
        column.addWidget(self._dataset_caption)
        column.addWidget(self.dataset)
        column.addSpacing(6)
        column.addWidget(self.mode)
        column.addSpacing(6)
        column.addWidget(self._norm)
        column.addWidget(self._known)
        column.addWidget(self.edits)
        column.addSpacing(6)
        column.addLayout(draw)
        column.addStretch(1)
        column.addWidget(self.judge)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*MARGINS)
        layout.addWidget(scrolled(inner))

    @property
    def controls(self) -> list[QWidget]:
        """All controls in the order of the Tab key."""
        return [*self.box.controls, self.dataset, *self.mode.controls, self.resample, self.seed]

    def set_painting(self, painting: bool) -> None:
        """Make room to paint in, or to look at the projections again."""
        self.box.set_painting(painting)
        self._fit()

    def set_wider(self, pixels: int) -> None:
        """Leave larger letters more room."""
        self._width = WIDTH + pixels
        self._fit()

    def set_room(self, width: int) -> None:
        """Say how wide the whole view is."""
        self._most = min(max(PAINTING[0], round(SHARE * width)), PAINTING[1])
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let the canvas take the room that there is."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if not self.box.painting:
            self.setFixedWidth(self._width)
            return
        left, top, right, bottom = MARGINS
        beside = left + right + BESIDE + self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        self.setFixedWidth(beside + self.box.fit(self._most - beside, self.height() - top - bottom))

    def set_datasets(self, names: Sequence[str]) -> None:
        """Offer these datasets."""
        with QSignalBlocker(self.dataset):
            self.dataset.clear()
            self.dataset.addItem("auto", "")
            for name in names:
                self.dataset.addItem(name, name)

    def show_view(self, view: ProjectionView) -> None:
        """Show how the screen is set."""
        self._view = view
        with QSignalBlocker(self.dataset):
            self.dataset.setCurrentIndex(max(0, self.dataset.findData(view.dataset)))
        self.mode.show_keep(view.keep)

    def show_dataset(self, usual: str, encoded: bool) -> None:
        """Say what the first entry stands for, and whether a picture is encoded as one of the dataset."""
        self.dataset.setItemText(0, usual)
        self._dataset_caption.setText("Encoded as" if encoded else "Compared with")

    def show_input(self, pixels: NDArray[np.uint8], title: str, name: str) -> None:
        """Show the picture that is projected, uint8 ``[S, S, 4]``, BGRX."""
        self.box.show_picture(pixels, title, name)

    def show_norm(self, norm: float | None, words: str = "", known: bool = True) -> None:
        """Show |z| / sqrt(D), what that means, and whether it is as usual; None for nothing yet."""
        self._norm.setText("|z| / √D" if norm is None else f"|z| / √D = {norm:,.2f}")
        self._known.setText(words)
        set_look(self._known, "role", "caption" if known else "warning")

    @property
    def said(self) -> str:
        """What is said of the latent, as shown."""
        return f"{self._norm.text()}, {self._known.text()}"

    def _wish(self, **changes: object) -> None:
        wanted = replace(self._view, **changes)  # type: ignore[arg-type]  # the callers name its own fields
        self.show_view(self._view)  # what was chosen stays as it is until the document has changed
        self.wished.emit(wanted)
