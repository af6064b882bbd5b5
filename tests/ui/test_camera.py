"""The camera without one: what is said where it is missing, its frames as pictures, and the dialog."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest
from driver import Driver
from hands import LEFT, answer
from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtGui import QColor, QImage

from latentlab.errors import SettingsError
from latentlab.ui import camera
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.camera_dialog import WAITING, CameraDialog


class FakeCamera(QObject):
    """Frames that a test sends."""

    frame = Signal(QImage)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.running = False

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False


def frame(width: int = 61, height: int = 40, form: QImage.Format = QImage.Format.Format_RGB32) -> QImage:
    """Return a frame whose left half is red; its width makes the rows end in the midst of a word."""
    image = QImage(width, height, form)
    image.fill(QColor(20, 40, 200))
    for x in range(width // 2):
        for y in range(height):
            image.setPixelColor(x, y, QColor(220, 30, 10))
    return image


@pytest.fixture
def dialog(qtbot, qapp):
    source = FakeCamera()
    dialog = CameraDialog(source, Theme(qapp))
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


@pytest.mark.parametrize(
    "form", [QImage.Format.Format_RGB32, QImage.Format.Format_RGB888, QImage.Format.Format_BGR888]
)
def test_a_frame_becomes_a_picture(form) -> None:
    image = frame(form=form)
    picture = camera.picture_of(image)
    assert picture.shape == (40, 61, 3)
    assert (picture[:, :30] == (220, 30, 10)).all()
    assert (picture[:, 30:] == (20, 40, 200)).all()
    image.fill(QColor(0, 0, 0))
    assert (picture[:, :30] == (220, 30, 10)).all(), "it shares nothing with the frame"
    with pytest.raises(SettingsError):
        camera.picture_of(QImage())


def test_without_the_package_the_window_says_what_to_install(qtbot, make_window, monkeypatch) -> None:
    monkeypatch.setattr(camera, "find_spec", lambda _name: None)
    assert "latentlab-desktop[camera]" in camera.missing()
    window = make_window()
    action, button = window.actions_table["camera"], window.analogies.projections.panel.box.camera
    for one in (action, button):
        assert not one.isEnabled()
        assert "latentlab-desktop[camera]" in one.toolTip()


def test_with_the_package_it_can_be_opened(monkeypatch) -> None:
    monkeypatch.setattr(camera, "find_spec", lambda name: name)
    assert camera.missing() == ""

    def broken(_name: str) -> None:
        raise ImportError

    monkeypatch.setattr(camera, "find_spec", broken)
    assert camera.missing() == camera.MISSING


def test_what_is_captured_is_what_is_seen(dialog, qtbot) -> None:
    assert dialog._source.running
    assert not dialog.capture.isEnabled()
    assert dialog.view.text == WAITING
    dialog._source.frame.emit(frame())
    assert dialog.capture.isEnabled()
    area = dialog.view.picture_area()
    shown = dialog.view.grab().toImage()
    middle = area.center().y()
    assert shown.pixelColor(area.center().x() + area.width() // 8, middle).red() > 200, "mirrored"
    dialog.mirror.setChecked(False)
    dialog._source.frame.emit(frame())
    shown = dialog.view.grab().toImage()
    assert shown.pixelColor(area.center().x() - area.width() // 8, middle).red() > 200
    left = shown.pixelColor(QPoint(area.left() + 3, middle))
    assert left.red() < 150, "what the model does not see is dark"
    qtbot.mouseClick(dialog.capture, LEFT)
    assert dialog.result() == 1
    assert not dialog._source.running
    np.testing.assert_array_equal(dialog.picture, camera.picture_of(frame()))


def test_a_camera_that_fails_says_why(dialog, qtbot) -> None:
    dialog._source.frame.emit(frame())
    dialog._source.failed.emit(camera.REFUSED)
    assert not dialog.capture.isEnabled()
    assert dialog.view.image is None
    assert dialog.view.accessibleDescription() == camera.REFUSED
    dialog.view.grab()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.picture is None
    assert not dialog._source.running


class _Device:
    def __init__(self, there: bool) -> None:
        self.there = there

    def isNull(self) -> bool:
        return not self.there


class _Part(QObject):
    errorOccurred = Signal(object, str)  # noqa: N815
    videoFrameChanged = Signal(object)  # noqa: N815

    def __init__(self, *given: object) -> None:
        super().__init__(given[-1])
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")

    def stop(self) -> None:
        self.calls.append("stop")

    def setCamera(self, part: object) -> None:
        self.camera = part

    def setVideoSink(self, part: object) -> None:
        self.sink = part


class _Frame:
    def toImage(self) -> QImage:
        return frame()


def multimedia(there: bool) -> types.SimpleNamespace:
    """Stand in for QtMultimedia, which the tests do not need."""
    devices = types.SimpleNamespace(defaultVideoInput=lambda: _Device(there))
    return types.SimpleNamespace(
        QMediaDevices=devices, QCamera=_Part, QMediaCaptureSession=_Part, QVideoSink=_Part
    )


@pytest.fixture
def qt_camera(qapp, monkeypatch):
    monkeypatch.setattr(camera, "_permission", lambda: None)
    found = camera.QtCamera()
    yield found
    found.stop()


def told(source: camera.QtCamera) -> tuple[list[QImage], list[str]]:
    frames: list[QImage] = []
    failures: list[str] = []
    source.frame.connect(frames.append)
    source.failed.connect(failures.append)
    return frames, failures


def test_where_no_camera_is_connected_that_is_said(qt_camera, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, camera.MODULE, multimedia(there=False))
    frames, failures = told(qt_camera)
    qt_camera.start()
    assert failures == [camera.NO_CAMERA]
    assert frames == []


def test_frames_come_until_it_is_stopped_and_its_failures_are_said(qt_camera, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, camera.MODULE, multimedia(there=True))
    frames, failures = told(qt_camera)
    qt_camera.start()
    part, session, sink = qt_camera._parts
    assert part.calls == ["start"]
    assert (session.camera, session.sink) == (part, sink)
    sink.videoFrameChanged.emit(_Frame())
    assert len(frames) == 1
    part.errorOccurred.emit(None, "unplugged")
    assert failures == ["The camera failed: unplugged"]
    qt_camera.stop()
    assert part.calls == ["start", "stop"]
    sink.videoFrameChanged.emit(_Frame())
    assert len(frames) == 1


def test_a_package_that_is_broken_is_said(qt_camera, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, camera.MODULE, None)
    _, failures = told(qt_camera)
    monkeypatch.setattr(camera, "find_spec", lambda _name: None)
    qt_camera.start()
    assert failures == [camera.MISSING]
    monkeypatch.setattr(camera, "find_spec", lambda name: name)
    qt_camera.start()
    assert failures[1].startswith("Qt's multimedia library cannot be loaded: ")


@pytest.mark.parametrize("granted", [True, False])
def test_permission_is_asked_for_where_it_is_not_given(qapp, monkeypatch, granted: bool) -> None:
    monkeypatch.setitem(sys.modules, camera.MODULE, multimedia(there=True))
    status = Qt.PermissionStatus.Granted if granted else Qt.PermissionStatus.Denied
    asked: list[object] = []

    class App:
        def checkPermission(self, _permission: object) -> Qt.PermissionStatus:
            return Qt.PermissionStatus.Undetermined

        def requestPermission(self, permission, _context, answered) -> None:
            asked.append(permission)
            answered(types.SimpleNamespace(status=lambda: status))

    monkeypatch.setattr(camera, "QCoreApplication", types.SimpleNamespace(instance=App))
    source = camera.QtCamera()
    _, failures = told(source)
    source.start()
    assert len(asked) == 1
    assert bool(source._parts) is granted
    assert failures == ([] if granted else [camera.REFUSED])
    source.stop()


def test_the_captured_picture_is_brought_in(
    qtbot, make_window, monkeypatch, tiny_cinn_folder, tiny_judge_folder
) -> None:
    monkeypatch.setattr(camera, "find_spec", lambda name: name)
    monkeypatch.setattr(camera, "QtCamera", FakeCamera)
    driver = Driver(qtbot, make_window())
    driver.workspace.open_checkpoint(str(tiny_cinn_folder), str(tiny_judge_folder))
    driver.rest()
    driver.window.show_screen("analogies")
    driver.window.actions_table.refresh()

    def capture(dialog: CameraDialog) -> None:
        dialog.mirror.setChecked(False)
        dialog._source.frame.emit(frame())
        qtbot.mouseClick(dialog.capture, LEFT)

    answer(CameraDialog, capture)
    qtbot.mouseClick(driver.window.analogies.projections.panel.box.camera, LEFT)
    driver.wait(lambda: driver.workspace.explore.state.source is not None)
    source = driver.workspace.explore.state.source
    assert source.name == "camera"
    np.testing.assert_array_equal(source.picture, camera.picture_of(frame()))
    assert driver.undo_name == "Open picture camera"
    before = driver.workspace.session.document
    answer(CameraDialog, lambda dialog: dialog.reject())
    driver.window.actions_table["camera"].trigger()
    assert driver.workspace.session.document is before
    driver.wait(lambda: driver.window.analogies.at_rest)
