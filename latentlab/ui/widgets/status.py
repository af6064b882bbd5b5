"""The status bar: what is being done, where and how frames are rendered, and how long they take."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QLabel, QStatusBar, QToolButton, QWidget

from latentlab.device import DeviceChoice
from latentlab.ui.theme import numerals

REFRESH_MILLISECONDS = 200


class Status(QStatusBar):
    """Times are written a few times a second, not with every frame."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._busy = QLabel()
        self._busy.setAccessibleName("What is being done")
        self._device = QLabel()
        self._device.setAccessibleName("Device, precision and threads")
        self._device.setToolTip("Where and how live frames are rendered; change it in the Settings menu")
        self._render = QLabel()
        self._render.setAccessibleName("Render time")
        self._render.setToolTip("The worker's time for the last frame: decoder, predictor, conversion")
        self._frame = QLabel()
        self._frame.setAccessibleName("Frame time")
        self._frame.setToolTip("From the move of a control to the painted picture and bars")
        for label in (self._render, self._frame):
            label.setFont(numerals(label.font()))
        self.stop = QToolButton()
        self.stop.setText("Stop")
        self.stop.setAccessibleName("Stop opening the model")
        self.stop.setToolTip("Want no more of the model that is being opened; what is open stays")
        self.stop.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.stop.hide()
        self.addWidget(self._busy)
        self.addWidget(self.stop)
        for label in (self._device, self._render, self._frame):
            self.addPermanentWidget(label)
        self._times: tuple[float, float] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REFRESH_MILLISECONDS)
        self._timer.timeout.connect(self.write_times)

    def show_busy(self, text: str, stoppable: bool = False) -> None:
        """Say what is being waited for, and whether that can be stopped; the empty string for nothing."""
        self._busy.setText(f"{text}…" if text else "")
        self.stop.setVisible(stoppable)

    def show_choice(self, choice: DeviceChoice | None) -> None:
        """Show where and how live frames are rendered."""
        if choice is None:
            self._device.setText("")
            return
        plural = "thread" if choice.threads == 1 else "threads"
        self._device.setText(f"{choice.device} · {choice.precision} · {choice.threads} {plural}")

    def show_times(self, render_ms: float, frame_ms: float) -> None:
        """Show a frame's times, soon."""
        self._times = (render_ms, frame_ms)
        if not self._timer.isActive():
            self._timer.start()

    def write_times(self) -> None:
        """Write the last frame's times now."""
        if self._times is not None:
            self._render.setText(f"render {self._times[0]:.1f} ms")
            self._frame.setText(f"frame {self._times[1]:.1f} ms")
