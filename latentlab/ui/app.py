"""Starts the window: the application, the theme, the workspace; and ends them."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QMessageLogContext, QSize, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from latentlab.errors import LatentLabError
from latentlab.live.frames import DeviceOverride
from latentlab.session.kinds import kind_of
from latentlab.session.workspace import Workspace
from latentlab.ui.crash import CrashGuard
from latentlab.ui.gui_thread import GuiThread
from latentlab.ui.icons import application_icon
from latentlab.ui.main_window import MainWindow
from latentlab.ui.screens.analogies import AnalogiesScreen
from latentlab.ui.screens.audit import AuditScreen
from latentlab.ui.screens.counterfactuals import CounterfactualsScreen
from latentlab.ui.screens.explore import ExploreScreen
from latentlab.ui.screens.lessons import LessonsScreen
from latentlab.ui.screens.search import SearchScreen
from latentlab.ui.screens.start import StartScreen
from latentlab.ui.screens.train import TrainScreen
from latentlab.ui.settings import Settings
from latentlab.ui.theme import Scheme, Theme

SCREENS = tuple(
    one.name
    for one in (
        StartScreen,
        ExploreScreen,
        CounterfactualsScreen,
        AnalogiesScreen,
        AuditScreen,
        SearchScreen,
        TrainScreen,
        LessonsScreen,
    )
)
"""The screens by name."""


@dataclass(frozen=True)
class WindowOptions:
    """What the window is started with.

    Parameters
    ----------
    path
        A checkpoint (also by bundled name), a picture, a session or a study's folder to open; the bundled
        model without it.
    predictor
        An attribute predictor to judge with; None for the one that goes with the model, "" for none.
    override
        A wish about device, precision and threads.
    screenshot
        A file: the window is rendered into it, without a display, and the program ends.
    screen
        Which screen to show; without it the start page where nothing else is to be shown, else Explore.
    scheme
        Light or dark; without it as remembered, else as the system has it.
    size
        Width and height in pixels.
    lesson, step
        A lesson (a bundled one's name, or its file) to open, and at which of its steps, from 0.
    presenter
        Whether to begin in presenter mode.
    """

    path: str | None = None
    predictor: str | None = None
    override: DeviceOverride = field(default_factory=DeviceOverride)
    screenshot: Path | None = None
    screen: str | None = None
    scheme: Scheme | None = None
    size: tuple[int, int] | None = None
    lesson: str | None = None
    step: int = 0
    presenter: bool = False


def run(options: WindowOptions) -> int:
    """Show the window until it is closed (or take its picture), and return the exit status.

    Raises
    ------
    LatentLabError
        If there is no display to show it on.
    """
    if not _has_display():
        if options.screenshot is None and "QT_QPA_PLATFORM" not in os.environ:
            raise LatentLabError(
                "There is no display to show the window on (DISPLAY and WAYLAND_DISPLAY are not set). Start "
                "it from a desktop, or save a picture of it with --screenshot FILE."
            )
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if options.screenshot is not None:
        qInstallMessageHandler(_without_platform_notes)
    app = application()
    gui = GuiThread()
    window = create_window(app, gui, options)
    guard = CrashGuard(window, gui.post)
    guard.install()
    try:
        if options.screenshot is not None:
            from latentlab.ui.screenshot import take

            return take(window, options.screenshot)
        window.show()
        return app.exec()
    finally:
        guard.remove()
        window.workspace.close()
        window.deleteLater()
        app.processEvents()


def application() -> QApplication:
    """Return the application, made if there is none yet."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(sys.argv[:1])
    app.setApplicationName("LatentLab")
    app.setDesktopFileName("org.latentlab.LatentLab")
    app.setWindowIcon(application_icon())
    return app


def create_window(app: QApplication, gui: GuiThread, options: WindowOptions) -> MainWindow:
    """Make the window, not yet shown; it opens its model as soon as it has been painted."""
    workspace = Workspace(gui.post, options.override)
    window = MainWindow(workspace, Theme(app), Settings(keep=options.screenshot is None))
    if options.scheme is not None:
        window.theme.choose(options.scheme)
    if options.size is not None:
        window.resize(QSize(*options.size))
    window.show_screen(options.screen or _first_screen(options))
    if options.presenter:
        window.guide.presenter.present(True)
    path = None if options.path is None else Path(options.path)
    if path is not None and path.exists() and kind_of(path) == "session":
        window.first_painted.connect(lambda: window.begin_with_session(path))
        return window
    if path is not None and path.exists() and kind_of(path) == "study":
        window.first_painted.connect(lambda: window.begin_with_study(path, options.predictor))
        return window
    checkpoint, picture = _what_to_open(options.path)
    lesson, step = options.lesson, options.step
    if lesson is not None:
        window.first_painted.connect(lambda: window.begin_with_lesson(lesson, step, options.predictor))
        return window
    window.first_painted.connect(lambda: window.begin(checkpoint, picture, options.predictor))
    return window


def _first_screen(options: WindowOptions) -> str:
    """Return what to begin with; a picture that is taken of nothing in particular shows the sliders."""
    nothing = options.path is None and options.screenshot is None and options.lesson is None
    return StartScreen.name if nothing else ExploreScreen.name


def _what_to_open(path: str | None) -> tuple[str | None, Path | None]:
    if path is None:
        return None, None
    if Path(path).exists() and kind_of(Path(path)) == "picture":
        return None, Path(path)
    return path, None


def _without_platform_notes(_kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
    """Pass Qt's messages on to standard error, but for what the offscreen platform cannot do."""
    if not text.startswith("This plugin does not support"):
        print(text, file=sys.stderr)


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
