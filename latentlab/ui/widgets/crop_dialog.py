"""Which square of a picture the model sees: a guide to choose it, with a preview at the model's size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from latentlab.ui.theme import Theme, numerals
from latentlab.ui.widgets.crop_preview import CropPreview
from latentlab.ui.widgets.crop_square import Square
from latentlab.ui.widgets.crop_view import CropView, reduced
from latentlab.ui.widgets.picture_view import CAPTION, PictureView, bgrx

PREVIEW = 208
HANDS = (
    "Drag the square or its corners; the wheel, + and - change its size. Arrow keys move it, with Shift by "
    "1 px; Home takes the largest."
)


class CropDialog(QDialog):
    """Asks for a square; `crop` is the answer, where the dialog was accepted.

    Parameters
    ----------
    picture
        The whole picture, uint8 ``[H, W, 3]``, RGB.
    crop
        The square to begin with (left, top, side, in pixels); None for the largest in the centre.
    image_size
        The model's height and width.
    """

    def __init__(
        self,
        picture: NDArray[np.uint8],
        crop: tuple[int, int, int] | None,
        image_size: int,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Choose the square")
        self.setModal(True)
        height, width = picture.shape[:2]
        self._size = image_size
        self._square = Square.of(crop, width, height)
        overview = reduced(picture)
        self._preview = CropPreview(picture, overview, image_size, self)
        self.exact = False

        self.view = CropView(overview, self._square, theme)
        self.view.asked.connect(self._show)
        self.seen = PictureView("Model's view", "input", theme)
        self.seen.set_caption("Model's view", f"{image_size} × {image_size} px")
        self.seen.setFixedSize(PREVIEW, PREVIEW + CAPTION)
        self._preview.ready.connect(self._show_preview)
        self.left = self._spin("Left", width - 1)
        self.top = self._spin("Top", height - 1)
        self.side = self._spin("Side", self._square.most)
        self.side.setMinimum(self._square.least)
        self.left.valueChanged.connect(lambda value: self._show(self._square.at(value, self._square.top)))
        self.top.valueChanged.connect(lambda value: self._show(self._square.at(self._square.left, value)))
        self.side.valueChanged.connect(lambda value: self._show(self._square.with_side(value)))
        self.guides = QCheckBox("Guides: thirds, and where a face usually stands")
        self.guides.setChecked(True)
        self.guides.toggled.connect(self.view.set_guides)
        self.note = _caption()
        self._lay_out(width, height)
        self._show(self._square)
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def crop(self) -> tuple[int, int, int]:
        """The square that is shown: left edge, top edge and side, in the picture's pixels."""
        return self._square.crop

    def done(self, result: int) -> None:
        """Close; nothing goes on behind it."""
        self._preview.end()
        super().done(result)

    def _lay_out(self, width: int, height: int) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(12)
        form.setVerticalSpacing(8)
        for label, spin in (("Left", self.left), ("Top", self.top), ("Side", self.side)):
            form.addRow(label, spin)
        size = _caption()
        size.setText(f"The picture has {width:,} × {height:,} pixels.")
        column = QVBoxLayout()
        column.setSpacing(16)
        column.addWidget(self.seen)
        column.addLayout(form)
        column.addWidget(size)
        column.addWidget(self.note)
        column.addStretch(1)

        largest = QPushButton("Largest square")
        largest.setToolTip("The largest square, in the centre (Home)")
        largest.clicked.connect(lambda: self._show(Square.largest(width, height)))
        cancel = QPushButton("Cancel")
        cancel.clicked.connect(self.reject)
        use = QPushButton("Use this square")
        use.setProperty("role", "primary")
        use.setDefault(True)
        use.clicked.connect(self.accept)
        for button in (largest, cancel):
            button.setAutoDefault(False)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(largest)
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(use)

        hands = _caption()
        hands.setText(HANDS)
        main = QHBoxLayout()
        main.setSpacing(16)
        main.addWidget(self.view, 1)
        main.addLayout(column)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addLayout(main, 1)
        layout.addWidget(self.guides)
        layout.addWidget(hands)
        layout.addLayout(buttons)
        self.resize(880, 640)

    def _spin(self, name: str, most: int) -> QSpinBox:
        spin = QSpinBox()
        spin.setRange(0, most)
        spin.setSuffix(" px")
        spin.setKeyboardTracking(False)
        spin.setAlignment(Qt.AlignmentFlag.AlignRight)
        spin.setFont(numerals(spin.font()))
        spin.setAccessibleName(f"{name}, in pixels")
        return spin

    def _show(self, square: object) -> None:
        """Show a square everywhere: on the picture, in numbers, and as the model sees it."""
        assert isinstance(square, Square)
        self._square, self.exact = square, False
        self.view.show_square(square)
        for spin, value, most in (
            (self.left, square.left, square.width - square.side),
            (self.top, square.top, square.height - square.side),
            (self.side, square.side, square.most),
        ):
            with QSignalBlocker(spin):
                spin.setMaximum(most)
                spin.setValue(value)
        short = square.side < self._size
        self.note.setText(
            f"The square has fewer pixels than the model sees; it is enlarged {self._size / square.side:.1f} "
            "times, which blurs it."
            if short
            else ""
        )
        self._preview.show(square)

    def _show_preview(self, pixels: NDArray[np.uint8], exact: bool) -> None:
        self.exact = exact
        self.seen.show_frame(bgrx(pixels))


def _caption() -> QLabel:
    label = QLabel()
    label.setProperty("role", "caption")
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label
