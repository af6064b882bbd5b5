"""How a cINN decodes: a switch, follow the dataset or keep the content, and a slider between both."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from latentlab.ui.theme import Theme
from latentlab.ui.widgets.condition_block import ValueRow
from latentlab.ui.widgets.form import caption, switch

KEEP_TIP = "z is tied to the attributes that the datasets share: only the style shifts"
NO_MODE = "This model only follows the dataset: its z is tied to nothing that the datasets share"
FOLLOW_TIP = "z is only made as usual in each dataset: its composition shows too"

SHARE_TIP = "Between both: 1 keeps the content, 0 follows the dataset"


class ModeBlock(QWidget):
    """Sends the share of *keep* that is wished for; ``moved`` is the same while the slider is dragged.

    ``pressed`` and ``released`` are the two ends of a drag.
    """

    wished = Signal(float)
    moved = Signal(float)
    pressed = Signal()
    released = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keep, self._has_mode = 1.0, True
        self.follow = switch("Follow the dataset", FOLLOW_TIP)
        self.keep = switch("Keep the content", KEEP_TIP)
        self.share = ValueRow("Share of keep", 0.0, 1.0, theme)
        self.share.spin.setRange(0.0, 1.0)
        self.share.setToolTip(SHARE_TIP)
        modes = QHBoxLayout()
        modes.setSpacing(4)
        modes.addWidget(self.follow)
        modes.addWidget(self.keep)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(caption("Decoded so as to", self.share.slider))
        column.addLayout(modes)
        column.addWidget(self.share)
        self.follow.clicked.connect(lambda _checked: self._wish(0.0))
        self.keep.clicked.connect(lambda _checked: self._wish(1.0))
        self.share.reset_asked.connect(lambda: self._wish(1.0))
        self.share.moved.connect(lambda value: self.moved.emit(round(value, 4)))
        self.share.pressed.connect(self.pressed)
        self.share.released.connect(self.released)

    @property
    def controls(self) -> list[QWidget]:
        """All controls in the order of the Tab key."""
        return [self.follow, self.keep, self.share.slider, self.share.spin]

    def set_has_mode(self, has_mode: bool) -> None:
        """Offer both modes, or only to follow the dataset where a model has none."""
        self._has_mode = has_mode
        for part, tip in ((self.keep, KEEP_TIP), (self.share, SHARE_TIP)):
            part.setEnabled(has_mode)
            part.setToolTip(tip if has_mode else NO_MODE)
        self.show_keep(self._keep)

    def show_keep(self, keep: float) -> None:
        """Show the share of *keep*."""
        self._keep = keep
        keep = keep if self._has_mode else 0.0
        self.follow.setChecked(keep == 0.0)
        self.keep.setChecked(keep == 1.0)
        self.share.show_value(keep, 1.0)

    def _wish(self, keep: float) -> None:
        self.show_keep(self._keep)  # a switch that was clicked stays as it is until the document has changed
        self.wished.emit(keep)
