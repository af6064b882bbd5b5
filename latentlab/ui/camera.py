"""The camera: whether it can be used here, its frames, and the way from a frame to a picture.

QtMultimedia is not among what LatentLab needs, so it is looked for when it is asked for, and imported only
when somebody opens the camera.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal, SignalInstance
from PySide6.QtGui import QImage

from latentlab.errors import SettingsError

MODULE = "PySide6.QtMultimedia"
MISSING = (
    "The camera needs the extra “camera”. Install it with pip install 'latentlab-desktop[camera]', and start "
    "LatentLab again."
)
NO_CAMERA = "No camera was found. Connect one, or close the program that uses it, and open this again."
REFUSED = "The system does not let LatentLab use the camera. Allow it in the system's privacy settings."


def missing() -> str:
    """Say why there can be no camera here; the empty string where QtMultimedia is installed."""
    try:
        return "" if find_spec(MODULE) is not None else MISSING
    except (ImportError, ValueError):
        return MISSING


class FrameSource(Protocol):
    """Gives pictures one after the other.

    Attributes
    ----------
    frame
        A picture has come (`QImage`).
    failed
        There are none, in words (`str`).
    """

    frame: SignalInstance
    failed: SignalInstance

    def start(self) -> None:
        """Begin; the answer is a frame or a failure."""

    def stop(self) -> None:
        """End, and let the camera go."""


class QtCamera(QObject):
    """The system's own camera; a `FrameSource`."""

    frame = Signal(QImage)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._parts: tuple[Any, ...] = ()
        self._wanted = False

    def start(self) -> None:
        """Ask for permission where the system wants that, and begin."""
        self._wanted = True
        app, permission = QCoreApplication.instance(), _permission()
        if app is None or permission is None:
            self._begin()
            return
        status = app.checkPermission(permission)
        if status == Qt.PermissionStatus.Undetermined:
            app.requestPermission(permission, self, self._answered)
        else:
            self._decide(status)

    def stop(self) -> None:
        """Let the camera go."""
        self._wanted = False
        parts, self._parts = self._parts, ()
        if parts:
            parts[0].stop()

    def _answered(self, permission: Any) -> None:
        self._decide(permission.status())

    def _decide(self, status: Qt.PermissionStatus) -> None:
        if status == Qt.PermissionStatus.Granted:
            self._begin()
        elif self._wanted:
            self.failed.emit(REFUSED)

    def _begin(self) -> None:
        if not self._wanted:
            return
        try:
            multimedia = importlib.import_module(MODULE)
        except ImportError as error:  # such as a library of the system's that it needs in its turn
            self.failed.emit(missing() or f"Qt's multimedia library cannot be loaded: {error}.")
            return
        device = multimedia.QMediaDevices.defaultVideoInput()
        if device.isNull():
            self.failed.emit(NO_CAMERA)
            return
        camera, session, sink = (
            multimedia.QCamera(device, self),
            multimedia.QMediaCaptureSession(self),
            multimedia.QVideoSink(self),
        )
        sink.videoFrameChanged.connect(self._take)
        camera.errorOccurred.connect(self._fail)
        session.setCamera(camera)
        session.setVideoSink(sink)
        self._parts = camera, session, sink
        camera.start()

    def _fail(self, _error: Any, text: str) -> None:
        if self._wanted:
            self.failed.emit(f"The camera failed: {text}")

    def _take(self, frame: Any) -> None:
        image = frame.toImage()
        if self._wanted and not image.isNull():
            self.frame.emit(image)


def _permission() -> Any:
    """Return what to ask the system for; None where Qt knows no such thing."""
    kind = getattr(importlib.import_module("PySide6.QtCore"), "QCameraPermission", None)
    return None if kind is None else kind()


def picture_of(image: QImage) -> NDArray[np.uint8]:
    """Return a frame as uint8 ``[H, W, 3]``, RGB, that shares nothing with it.

    Raises
    ------
    SettingsError
        If there is nothing in it.
    """
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    if plain.isNull() or not plain.width() or not plain.height():
        raise SettingsError("The camera gave no picture.")
    rows = np.frombuffer(plain.constBits(), dtype=np.uint8, count=plain.bytesPerLine() * plain.height())
    rows = rows.reshape(plain.height(), plain.bytesPerLine())[:, : 3 * plain.width()]
    return rows.reshape(plain.height(), plain.width(), 3).copy()
