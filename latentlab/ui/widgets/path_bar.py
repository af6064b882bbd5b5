"""The transport bar of a path through the pins: play, speed, the strip, how the path goes, export."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from latentlab.ui.theme import Theme, numerals
from latentlab.ui.widgets.buttons import PlayButton, icon_button
from latentlab.ui.widgets.film_strip import FilmStrip

NO_PATH = "Pin two pictures to travel between them: Ctrl+P"
KINDS = {"spherical": "Spherical", "linear": "Linear"}
LEAST_FPS, MOST_FPS = 1, 60
LEAST_STEPS, MOST_STEPS = 2, 240
HEIGHT = 96


class PathBar(QFrame):
    """Shows a path and sends what a person wants of it; the playing itself is the owner's.

    ``play_toggled`` tells whether it should play; `show_playing` says that it does. Space plays and
    pauses from the strip too.

    Parameters
    ----------
    export
        What the button at the end does.
    """

    play_toggled = Signal(bool)
    speed_chosen = Signal(int)
    kind_chosen = Signal(str)
    steps_chosen = Signal(int)
    closed_chosen = Signal(bool)

    def __init__(self, theme: Theme, export: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setAccessibleName("Path")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(HEIGHT)

        self.play = PlayButton(theme)
        self.speed = _spin(LEAST_FPS, MOST_FPS, " fps", "Speed", "Pictures a second")
        self.strip = FilmStrip(theme)
        self.kind = QComboBox()
        for value, text in KINDS.items():
            self.kind.addItem(text, value)
        self.kind.setAccessibleName("How the path goes")
        self.kind.setToolTip("Spherical: around the origin, through likely latents. Linear: straight.")
        self.steps = _spin(LEAST_STEPS, MOST_STEPS, "", "Steps", "Pictures from one pin to the next")
        self.closed = QCheckBox("Loop")
        self.closed.setToolTip("Return from the last pin to the first")
        self.export = icon_button(export)

        before = QVBoxLayout()
        before.setSpacing(4)
        before.addWidget(self.play)
        before.addWidget(self.speed)
        name = QLabel("Steps")
        name.setBuddy(self.steps)
        after = QGridLayout()
        after.setHorizontalSpacing(8)
        after.setVerticalSpacing(4)
        after.addWidget(self.kind, 0, 0, 1, 2)
        after.addWidget(self.export, 0, 2, Qt.AlignmentFlag.AlignRight)
        after.addWidget(name, 1, 0)
        after.addWidget(self.steps, 1, 1)
        after.addWidget(self.closed, 1, 2)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 8)
        layout.setSpacing(12)
        layout.addLayout(before)
        layout.addWidget(self.strip, 1)
        layout.addLayout(after)

        self.play.clicked.connect(self._toggle)
        self.speed.valueChanged.connect(self.speed_chosen)
        self.kind.activated.connect(lambda _row: self.kind_chosen.emit(self.kind.currentData()))
        self.steps.valueChanged.connect(self.steps_chosen)
        self.closed.clicked.connect(self.closed_chosen)
        self.show_nothing()

    def minimumSizeHint(self) -> QSize:
        """Return the least size."""
        return QSize(480, HEIGHT)

    @property
    def playing(self) -> bool:
        """Whether it shows that it plays."""
        return self.play.playing

    def show_path(self, kind: str, steps: int, closed: bool) -> None:
        """Show how the path goes: ``spherical`` or ``linear``, its pictures, whether it returns."""
        self.kind.setCurrentIndex(max(0, self.kind.findData(kind)))
        _show(self.steps, steps)
        self.closed.setChecked(closed)

    def show_speed(self, fps: int) -> None:
        """Show how many pictures a second it plays."""
        _show(self.speed, fps)

    def show_frame(self, pixels: NDArray[np.uint8], generation: int = 0) -> None:
        """Show the path's pictures, uint8 ``[B, S, S, 4]``, BGRX."""
        self.strip.show_frame(pixels, generation)
        self.strip.setEnabled(True)
        self.play.setEnabled(True)

    def show_nothing(self, reason: str = NO_PATH) -> None:
        """Show that there is no path, and say why; there is nothing to play then."""
        self.strip.show_nothing(reason)
        self.strip.setEnabled(False)
        self.play.setEnabled(False)

    def show_position(self, position: float) -> None:
        """Put the playhead there, 0 to 1."""
        self.strip.show_position(position)

    def show_playing(self, playing: bool) -> None:
        """Show whether it plays."""
        self.play.show_playing(playing)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Play or pause by Space, wherever in the bar nothing else takes it."""
        if event.key() == Qt.Key.Key_Space and self.play.isEnabled() and not event.isAutoRepeat():
            self._toggle()
        else:
            event.ignore()

    def _toggle(self) -> None:
        self.play_toggled.emit(not self.play.playing)


def _spin(least: int, most: int, unit: str, name: str, tip: str) -> QSpinBox:
    spin = QSpinBox()
    spin.setRange(least, most)
    spin.setSuffix(unit)
    spin.setAccessibleName(name)
    spin.setToolTip(tip)
    spin.setKeyboardTracking(False)
    spin.setAlignment(Qt.AlignmentFlag.AlignRight)
    spin.setFont(numerals(spin.font()))
    spin.lineEdit().setAcceptDrops(False)  # files that are dropped are the window's
    spin.setFixedWidth(64 if unit else 48)
    return spin


def _show(spin: QSpinBox, value: int) -> None:
    blocked = spin.blockSignals(True)
    spin.setValue(value)
    spin.blockSignals(blocked)
