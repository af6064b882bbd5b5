"""The real window on the real tiny checkpoints, without a display."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from compiled_once import compiled_once
from driver import Driver
from PIL import Image
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QColor, QPixmap
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from latentlab.data.pictures import read_picture, square_picture
from latentlab.paths import bundled
from latentlab.session import job_follower
from latentlab.session.workspace import Workspace
from latentlab.ui import icons
from latentlab.ui.gui_thread import GuiThread
from latentlab.ui.main_window import MainWindow
from latentlab.ui.screens import explore
from latentlab.ui.settings import Settings
from latentlab.ui.theme import Theme


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Delete at once what a test leaves of its windows and themes.

    Every style sheet set later is laid on all widgets that there are, and a theme, a menu without a parent
    or a widget that waits for its deletion keeps a whole window in memory.
    """
    yield
    app = QApplication.instance()
    if app is None:
        return
    for left in (*app.topLevelWidgets(), *app.findChildren(Theme)):
        if isValid(left) and (isinstance(left, Theme) or left.parent() is None):
            left.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture(scope="session")
def drawn() -> Iterator[Callable[[str, int, int], QPixmap]]:
    """Draws each icon once in each colour and size: a window has a hundred of them."""
    plain = icons._pixmap
    drawn = functools.cache(lambda drawing, rgba, scale: plain(drawing, QColor.fromRgba(rgba), scale))
    yield drawn
    drawn.cache_clear()


@pytest.fixture(autouse=True)
def no_waste(monkeypatch: pytest.MonkeyPatch, drawn: Callable[[str, int, int], QPixmap]) -> Iterator[None]:
    """Draw an icon and compile a network once for all tests, rest shortly, ask often how a job stands."""
    monkeypatch.setattr(icons, "_pixmap", lambda drawing, colour, scale: drawn(drawing, colour.rgba(), scale))
    monkeypatch.setattr(explore, "REST_MILLISECONDS", 50)  # nearly every test waits for the settled frame
    monkeypatch.setattr(job_follower, "POLL_SECONDS", 0.05)
    with compiled_once():
        yield


@pytest.fixture
def make_window(qtbot, qapp: QApplication) -> Iterator[Callable[..., MainWindow]]:
    made: list[tuple[MainWindow, GuiThread]] = []

    def make(keep: bool = False) -> MainWindow:
        gui = GuiThread()
        window = MainWindow(Workspace(gui.post), Theme(qapp), Settings(keep))
        if not keep:
            window.resize(1280, 800)
        window.show()
        qtbot.waitExposed(window)
        made.append((window, gui))
        return window

    yield make
    for window, _gui in made:
        window.close()
    qapp.clipboard().clear()
    qapp.processEvents()


@pytest.fixture(scope="session")
def small_faces() -> list[np.ndarray]:
    """The bundled sample faces at the tiny model's size, each uint8 [32, 32, 3]."""
    return [
        square_picture(read_picture(path).pixels, 32)
        for path in sorted(bundled("resources", "samples").glob("*.png"))
    ]


@pytest.fixture
def face(tmp_path: Path, small_faces) -> Path:
    path = tmp_path / "face.png"
    Image.fromarray(small_faces[2]).save(path)
    return path


@pytest.fixture
def driver(qtbot, make_window, tiny_model_folder, tiny_predictor_folder, face) -> Driver:
    """The window with the tiny model and a face, at rest."""
    driver = Driver(qtbot, make_window())
    driver.workspace.open_checkpoint(str(tiny_model_folder), str(tiny_predictor_folder))
    driver.workspace.bring_file(face)
    driver.rest()
    return driver


@pytest.fixture
def told(qtbot, make_window, tiny_cvae_folder, tiny_predictor_folder, face) -> Driver:
    """The window with the tiny conditional model and a face, at rest."""
    driver = Driver(qtbot, make_window())
    driver.workspace.open_checkpoint(str(tiny_cvae_folder), str(tiny_predictor_folder))
    driver.workspace.bring_file(face)
    driver.rest()
    return driver
