"""What the camera sees, live; Capture takes it as a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPen, QTransform
from PySide6.QtWidgets import QCheckBox, QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from latentlab.ui.camera import FrameSource, picture_of
from latentlab.ui.theme import Theme

WAITING = "The camera is being started…"
MIRROR = QTransform().scale(-1.0, 1.0)
LIVE_TIP = "Take what is seen inside the square as the input (Enter)"


class LiveView(QWidget):
    """The newest frame; the square that the model will see is bright. Without a frame it says why."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.image: QImage | None = None
        self.text = WAITING
        self.setAccessibleName("Camera picture")
        self.setAccessibleDescription(WAITING)

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(560, 420)

    def minimumSizeHint(self) -> QSize:
        """Return the least size."""
        return QSize(280, 210)

    def show_image(self, image: QImage) -> None:
        """Show a frame."""
        self.image = image
        self.update()

    def show_text(self, text: str) -> None:
        """Show no frame, and say why."""
        self.image, self.text = None, text
        self.setAccessibleDescription(text)
        self.update()

    def picture_area(self) -> QRect:
        """Return where the frame is painted."""
        if self.image is None:
            return self.rect()
        size = self.image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        return QRect(
            (self.width() - size.width()) // 2,
            (self.height() - size.height()) // 2,
            size.width(),
            size.height(),
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the frame, dark outside the square."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("sunken"))
        area = self.picture_area()
        if self.image is None:
            painter.setPen(self._theme.colour("muted"))
            flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
            painter.drawText(area.adjusted(24, 24, -24, -24), flags, self.text)
            painter.end()
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(area, self.image)
        side = min(area.width(), area.height())
        square = QRect(area.center().x() - side // 2, area.center().y() - side // 2, side, side)
        shade = self._theme.colour("text")
        shade.setRgb(0, 0, 0, 130)
        painter.fillRect(QRect(area.left(), area.top(), square.left() - area.left(), area.height()), shade)
        right = square.right() + 1
        painter.fillRect(QRect(right, area.top(), area.right() + 1 - right, area.height()), shade)
        painter.setPen(QPen(self._theme.colour("accent"), 2))
        painter.drawRect(square.adjusted(1, 1, -1, -1))
        painter.end()


class CameraDialog(QDialog):
    """Shows frames until one is captured; `picture` is the answer, where the dialog was accepted.

    Parameters
    ----------
    source
        Where the frames come from; it runs while the dialog is open.
    """

    def __init__(self, source: FrameSource, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Camera")
        self.setModal(True)
        self._source = source
        self.picture: NDArray[np.uint8] | None = None
        self.view = LiveView(theme)
        self.mirror = QCheckBox("Mirrored")
        self.mirror.setToolTip("Left and right as in a mirror; the captured picture is as it is seen here")
        self.mirror.setChecked(True)
        self.capture = QPushButton("Capture")
        self.capture.setProperty("role", "primary")
        self.capture.setToolTip(LIVE_TIP)
        self.capture.setDefault(True)
        self.capture.setEnabled(False)
        self.capture.clicked.connect(self._capture)
        cancel = QPushButton("Cancel")
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.mirror)
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.capture)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addWidget(self.view, 1)
        layout.addLayout(buttons)
        source.frame.connect(self._show)
        source.failed.connect(self._fail)
        source.start()

    def done(self, result: int) -> None:
        """Close, and let the camera go."""
        self._source.stop()
        super().done(result)

    def _show(self, image: QImage) -> None:
        self.view.show_image(image.transformed(MIRROR) if self.mirror.isChecked() else image)
        self.capture.setEnabled(True)

    def _fail(self, text: str) -> None:
        self.capture.setEnabled(False)
        self.view.show_text(text)

    def _capture(self) -> None:
        if self.view.image is not None:
            self.picture = picture_of(self.view.image)
            self.accept()
