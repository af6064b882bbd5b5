"""The real window on the real tiny checkpoints, without a display."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from driver import Driver
from PIL import Image
from PySide6.QtWidgets import QApplication

from latentlab.data.pictures import read_picture, square_picture
from latentlab.paths import bundled
from latentlab.session.workspace import Workspace
from latentlab.ui.gui_thread import GuiThread
from latentlab.ui.main_window import MainWindow
from latentlab.ui.settings import Settings
from latentlab.ui.theme import Theme


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
        window.deleteLater()
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
