"""Plays a search back: play, a slider over its frames, how far it is, how fast, and a button to export it."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from latentlab.ui.theme import Theme, numerals
from latentlab.ui.widgets.buttons import PlayButton, icon_button
from latentlab.ui.widgets.dimension_slider import DimensionSlider
from latentlab.ui.widgets.form import number_box

FPS, LEAST_FPS, MOST_FPS = 12, 1, 30
HOLD = 10
"""Frames for which the last one stays before it begins anew."""


class SearchPlayer(QWidget):
    """Says which frame is looked at: ``scrubbed`` tells its place.

    Parameters
    ----------
    export
        What the button at the end does.
    """

    scrubbed = Signal(int)

    def __init__(self, theme: Theme, export: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._count, self._held = 0, 0
        self.play = PlayButton(theme, "the search back")
        self.slider = DimensionSlider(0, 1, 1, theme)
        self.slider.setAccessibleName("Step of the search that is looked at")
        self.slider.setToolTip("Look at the search as it stood after a step; arrow keys go frame by frame")
        self.label = QLabel()
        self.label.setProperty("role", "caption")
        self.label.setFont(numerals(self.label.font()))
        self.label.setMinimumWidth(104)
        tip = "Frames a second, played and exported"
        self.speed = number_box("Speed", tip, LEAST_FPS, MOST_FPS, 64, " fps")
        self.speed.setValue(FPS)
        self.export = icon_button(export)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.play)
        row.addWidget(self.slider, 1)
        row.addWidget(self.label)
        row.addWidget(self.speed)
        row.addWidget(self.export)
        self._clock = QTimer(self)
        self._clock.timeout.connect(self._tick)
        self.play.clicked.connect(lambda: self.set_playing(not self.playing))
        self.slider.value_moved.connect(lambda value: self._scrub(round(value)))
        self.slider.sliderPressed.connect(lambda: self.set_playing(False))
        self.slider.reset_asked.connect(lambda: self._scrub(self._count - 1))
        self.speed.valueChanged.connect(lambda fps: self._clock.setInterval(round(1000 / fps)))
        self._clock.setInterval(round(1000 / FPS))
        self.show_frames(0)

    @property
    def playing(self) -> bool:
        """Whether it plays."""
        return self._clock.isActive()

    @property
    def place(self) -> int:
        """Which frame is looked at."""
        return self.slider.value()

    @property
    def fps(self) -> int:
        """Frames a second."""
        return self.speed.value()

    @property
    def controls(self) -> list[QWidget]:
        """All controls in the order of the Tab key."""
        return [self.play, self.slider, self.speed, self.export]

    def show_frames(self, count: int, place: int | None = None) -> None:
        """Have so many frames, of which one is looked at: the last without a place."""
        self._count = count
        last = max(0, count - 1)
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, max(1, last))
            self.slider.setSingleStep(1)
            self.slider.setPageStep(max(1, last // 10))
        self.slider.show_value(last if place is None else place, 0)
        for widget in (self.play, self.slider):
            widget.setEnabled(count > 1)
        if count < 2:
            self.set_playing(False)

    def show_step(self, text: str) -> None:
        """Say which step is looked at."""
        self.label.setText(text)
        self.slider.setAccessibleDescription(text)

    def set_playing(self, on: bool) -> None:
        """Play from where it is, from the beginning at the end; or pause."""
        on = on and self._count > 1
        if on and not self.playing:
            self._held = 0
            if self.place >= self._count - 1:
                self._show(0)
            self._clock.start()
        elif not on:
            self._clock.stop()
        self.play.show_playing(self.playing)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Play or pause by Space, wherever in the bar nothing else takes it."""
        if event.key() == Qt.Key.Key_Space and self.play.isEnabled() and not event.isAutoRepeat():
            self.set_playing(not self.playing)
        else:
            event.ignore()

    def _tick(self) -> None:
        if not self.isVisible():
            self.set_playing(False)
        elif self.place < self._count - 1:
            self._held = 0
            self._show(self.place + 1)
        else:
            self._held += 1
            if self._held >= HOLD:
                self._held = 0
                self._show(0)

    def _scrub(self, place: int) -> None:
        if self._count:
            self._show(min(max(0, place), self._count - 1))

    def _show(self, place: int) -> None:
        self.slider.show_value(place, 0)
        self.scrubbed.emit(place)
