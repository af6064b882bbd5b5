"""The main window: menus, header, messages, the screens, the status bar. It connects them and passes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMainWindow,
    QMessageBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from latentlab.live.frames import Opened
from latentlab.paths import bundled_models
from latentlab.session.sample_pictures import sample_pictures, sample_title
from latentlab.session.session import Change, Message
from latentlab.session.workspace import Workspace
from latentlab.session.writing import FileWriter
from latentlab.ui import camera, dialogs, incoming, menus
from latentlab.ui.about import AboutDialog
from latentlab.ui.actions import Actions
from latentlab.ui.audit_exports import AuditExports
from latentlab.ui.counterfactual_exports import CounterfactualExports
from latentlab.ui.exports import Exports
from latentlab.ui.help_window import HelpWindow
from latentlab.ui.icons import application_icon
from latentlab.ui.lesson_exports import LessonExports
from latentlab.ui.lesson_guide import LessonGuide
from latentlab.ui.screen_exports import ScreenExports
from latentlab.ui.screens.analogies import AnalogiesScreen
from latentlab.ui.screens.audit import AuditScreen
from latentlab.ui.screens.counterfactuals import CounterfactualsScreen
from latentlab.ui.screens.explore import LATER_MILLISECONDS, VIEWS, ExploreScreen
from latentlab.ui.screens.lessons import LessonsScreen
from latentlab.ui.screens.search import SearchScreen
from latentlab.ui.screens.start import StartScreen
from latentlab.ui.screens.train import TrainScreen, ask_to_leave_training, title_of_work
from latentlab.ui.search_exports import SearchExports
from latentlab.ui.sessions import Sessions
from latentlab.ui.settings import Settings
from latentlab.ui.theme import SCHEMES, Scheme, Theme
from latentlab.ui.train_exports import TrainExports
from latentlab.ui.widgets.banner import Banner
from latentlab.ui.widgets.camera_dialog import CameraDialog
from latentlab.ui.widgets.command_palette import CommandPalette
from latentlab.ui.widgets.header import Header
from latentlab.ui.widgets.sample_menu import SampleMenu
from latentlab.ui.widgets.screen_rail import ScreenRail
from latentlab.ui.widgets.state_page import StatePage
from latentlab.ui.widgets.status import Status

NARROW = 1100
"""The width below which the rail of screens shows icons only."""
WAYS = ("side_by_side", "show_pixels", "difference")
"""The ways of looking at the pictures that are remembered."""
FIGURES = {"picture": "figure", "grid": "grid", "probe": "probe", "map": "map"}
TABLES = {"picture": "attributes", "grid": "grid", "probe": "probe", "map": "map"}
"""What the exports of each view are called at first."""


class MainWindow(QMainWindow):
    """One window on one workspace.

    ``first_painted`` is emitted once, after the window has been painted for the first time.
    """

    first_painted = Signal()

    def __init__(self, workspace: Workspace, theme: Theme, settings: Settings) -> None:
        super().__init__()
        self.workspace, self.theme, self.settings = workspace, theme, settings
        self._painted = False
        self._leaving: QMessageBox | None = None
        self._leaving_training: QMessageBox | None = None
        self._may_leave_training = False
        self._opening_path = ""
        self._then_screen = ("", "")
        self._before_start = ExploreScreen.name
        self._help: HelpWindow | None = None
        self.begun = False
        self.setWindowTitle("LatentLab")
        self.setWindowIcon(application_icon())
        self.setAcceptDrops(True)
        self.setMinimumSize(960, 620)
        self.resize(1280, 800)

        self.actions_table = Actions(self, workspace, theme, self._handlers())
        self._refresh_later = QTimer(self)
        self._refresh_later.setSingleShot(True)
        self._refresh_later.setInterval(LATER_MILLISECONDS)
        self._refresh_later.timeout.connect(self.actions_table.refresh)
        self.actions_table.fill(self.menuBar())
        self.header = Header(self.actions_table, SampleMenu(self._bring_sample), theme)
        self.state_page = StatePage(
            self.actions_table["open_checkpoint"],
            partial(self._open_bundled, menus.DEFAULT_MODEL) if menus.has_default_model() else None,
        )
        self._writer = FileWriter(workspace.rendering.post, workspace.session.message.emit)
        self.start = StartScreen(
            self.actions_table, menus.bundled_to_begin_with(), workspace.rendering.post, theme
        )
        self.explore = ExploreScreen(workspace, theme, self.actions_table)
        self.counterfactuals = CounterfactualsScreen(workspace, self.explore.intents, theme)
        self.analogies = AnalogiesScreen(
            workspace, self.explore.intents, theme, self.actions_table["open_checkpoint"], self._writer
        )
        self.audit = AuditScreen(workspace, self.explore.intents, theme)
        needed = ("crop", "export_loop", "export_set", "open_checkpoint")
        self.search = SearchScreen(
            workspace, self.explore.intents, theme, {name: self.actions_table[name] for name in needed}
        )
        self.train = TrainScreen(workspace, self.explore.intents, theme)
        self.lessons = LessonsScreen(
            theme, self.actions_table["open_lesson"], self.actions_table["presenter"]
        )
        every = (
            self.start,
            self.explore,
            self.counterfactuals,
            self.analogies,
            self.audit,
            self.search,
            self.train,
            self.lessons,
        )
        self.screens: dict[
            str,
            StartScreen
            | ExploreScreen
            | CounterfactualsScreen
            | AnalogiesScreen
            | AuditScreen
            | SearchScreen
            | TrainScreen
            | LessonsScreen,
        ] = {one.name: one for one in every}
        self.screen_name = ExploreScreen.name
        self.exports = Exports(
            workspace, self.explore, self._writer, lambda: not self._checked("show_pixels")
        )
        self.counterfactual_exports = CounterfactualExports(workspace, self.counterfactuals, self._writer)
        self.audit_exports = AuditExports(workspace, self.audit, self._writer)
        self.search_exports = SearchExports(workspace, self.search, self._writer)
        self.train_exports = TrainExports(workspace, self.train, self._writer)
        self.lesson_exports = LessonExports(workspace, self.lessons, self._writer)
        self._all_exports = (
            self.exports,
            self.counterfactual_exports,
            *self.analogies.renderings,
            self.audit_exports,
            self.search_exports,
            self.train_exports,
            self.lesson_exports,
        )
        self.status = Status()
        self.setStatusBar(self.status)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.state_page)
        for one in self.screens.values():
            self._stack.addWidget(one)
        centre = QWidget()
        layout = QVBoxLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.rail = ScreenRail([(one.title, self._screen_action(name)) for name, one in self.screens.items()])
        below = QHBoxLayout()
        below.setSpacing(0)
        below.addWidget(self.rail)
        self.guide = LessonGuide(self, self._stack)
        below.addWidget(self.guide.frame, 1)
        layout.addWidget(self.header)
        layout.addLayout(below, 1)
        self.setCentralWidget(centre)
        self.banner = Banner(theme, centre)
        self.sessions = Sessions(workspace, self.explore, self.banner, settings, self)

        self._fill_submenus()
        self._restore()
        self.show_screen(self.screen_name)
        session = workspace.session
        session.changed.connect(self._follow)
        session.history_changed.connect(self.actions_table.refresh)
        session.message.connect(self._show_message)
        workspace.phase_changed.connect(self._show_phase)
        workspace.model_changed.connect(self._show_model)
        workspace.choice_changed.connect(self._show_choice)
        workspace.busy_changed.connect(self._show_busy)
        workspace.session_saved.connect(lambda path, _document: self._remember(path))
        for exports in self._all_exports:
            exports.rendered.connect(self._have_rendered)
        self.explore.timed.connect(self.status.show_times)
        self.status.stop.clicked.connect(workspace.stop_opening)
        self.explore.view_changed.connect(lambda _view: self._tell_view())
        self.explore.intents.audit.folder_brought.connect(self._show_study)
        for screen in (self.counterfactuals, self.analogies, self.audit, self.search, self.train):
            screen.explore_asked.connect(lambda: self.show_screen(ExploreScreen.name))
        self.train.audit_asked.connect(lambda: self.show_screen(AuditScreen.name))
        self.train.model_asked.connect(lambda folder: self.open_path(Path(folder)))
        self.explore.intents.lesson_brought.connect(lambda path: self.guide.open(str(path)))
        self.guide.taken_changed.connect(self._place_rail)
        self.first_painted.connect(self.train.look_for_running)
        self.first_painted.connect(self.guide.prepare_later)
        self.start.begin_asked.connect(
            lambda: self._begin_with_model(menus.DEFAULT_MODEL, ExploreScreen.name)
        )
        self.start.model_chosen.connect(self._begin_with_model)
        self.start.card_asked.connect(lambda name: self.show_help(f"model:{name}"))
        self.start.recent_chosen.connect(self._open_recent)
        self.start.forget_asked.connect(self._forget_recent)
        self.start.show_lessons(self.lessons.lessons)
        self.start.lesson_chosen.connect(self.guide.open)
        self.start.lessons_asked.connect(lambda: self.show_screen(LessonsScreen.name))
        self.analogies.projections.resample_asked.connect(self.actions_table["randomise"].trigger)
        self.analogies.projections.draw_asked.connect(self.explore.draw)
        self.analogies.projections.camera_asked.connect(self.actions_table["camera"].trigger)
        self.analogies.projections.save_asked.connect(self.actions_table["export_input"].trigger)
        self._show_phase(workspace.phase)

    def open_path(self, path: Path) -> None:
        """Open what a path holds, and remember it among the recent files."""
        self.banner.dismiss()
        self._leave_start()
        if path.exists():
            self._remember(path)
        incoming.take_path(path, self.workspace, self.explore.intents)

    def begin(
        self,
        checkpoint: str | None,
        picture: Path | None,
        predictor: str | None = None,
        hints: bool = True,
    ) -> None:
        """Open the first checkpoint and picture; None for the bundled ones, where there are any.

        ``predictor`` is as in `latentlab.live.opening.load_pair`; without ``hints`` the first ones wait.
        """
        hints = hints and not self._on_start
        self.begun = True
        names = menus.bundled_names()
        chosen = checkpoint or (menus.DEFAULT_MODEL if menus.DEFAULT_MODEL in names else None)
        chosen = chosen or next(iter(names), None)
        if chosen is None:
            self.state_page.show_empty(
                "This installation has no bundled models. Open a checkpoint of your own with the button "
                "below, or drop its folder here."
            )
            if self.sessions.begin(recover=True, hints=hints):
                self._leave_start()
            return
        first = picture or menus.sample_for(chosen)
        self._opening_path = chosen
        self.workspace.open_checkpoint(chosen, predictor)
        if first is not None:
            self.workspace.bring_file(first, "" if picture else sample_title(first))
        # What a crash left behind is shown where it was worked on, not on the start page.
        if self.sessions.begin(recover=checkpoint is None and picture is None, hints=hints):
            self._leave_start()

    def begin_with_study(self, folder: Path, predictor: str | None = None) -> None:
        """Open the bundled model, and show the results of a study first."""
        self.begin(None, None, predictor)
        self._show_study(folder)

    def begin_with_lesson(self, lesson: str, step: int, predictor: str | None = None) -> None:
        """Open the bundled model, and a lesson (a bundled one's name, or its file) at a step, from 0."""
        self.begin(None, None, predictor, hints=False)
        self.guide.open(lesson, step)

    def begin_with_session(self, path: Path) -> None:
        """Open a saved session first, in place of the bundled model."""
        self.begun = True
        self.open_path(path)

    # Handlers of the actions

    def _handlers(self) -> dict[str, Callable[[], object]]:
        session = self.workspace.session
        return {
            "open_checkpoint": lambda: self._ask(dialogs.ask_checkpoint),
            "open_picture": lambda: self._ask(dialogs.ask_picture),
            "camera": self._take_picture,
            "export_picture": lambda: self._ask_target(*self._here.picture),
            "export_input": lambda: self._ask_target("input.png", self.exports.input),
            "export_figure": lambda: self._ask_target(*self._here.figure),
            "export_table": lambda: self._ask_target(*self._here.table),
            "export_report": lambda: self._ask_target("audit.html", self.audit_exports.report),
            "export_loop": self._export_loop,
            "open_session": lambda: self._ask(dialogs.ask_session),
            "save_session": self._save_session,
            "reopen_session": self._reopen_last,
            "recover_session": self._recover,
            "quit": self.close,
            "undo": session.undo,
            "redo": session.redo,
            "copy_picture": lambda: self._here.copy_picture(),
            "copy_python": lambda: self._here.copy_python(),
            "copy_latent": lambda: self.exports.copy_latent(),
            "paste": self.paste,
            "crop": lambda: self.explore.crop(),
            "paint": self._paint,
            "paint_latent": self._paint_latent,
            "reset_input": lambda: self.explore.intents.painting.reset(),
            "randomise": lambda: self.explore.randomise(),
            "mutate": lambda: self.explore.mutate(),
            "reset_all": self.workspace.explore.reset_all,
            "pin": lambda: self.explore.explore_panel.pin(),
            "play_path": self._play_path,
            "group_pins": lambda: self.explore.explore_panel.group_pins(),
            "add_difference": lambda: self.explore.explore_panel.add_difference(),
            "orthogonalise": lambda: self.explore.explore_panel.orthogonalise(),
            "load_directions": lambda: self._ask(dialogs.ask_directions),
            "save_directions": lambda: self._ask_target("directions.json", self.exports.directions),
            "screen_start": lambda: self.show_screen(StartScreen.name),
            "screen_explore": lambda: self.show_screen(ExploreScreen.name),
            "screen_counterfactuals": lambda: self.show_screen(CounterfactualsScreen.name),
            "screen_analogies": lambda: self.show_screen(AnalogiesScreen.name),
            "screen_audit": lambda: self.show_screen(AuditScreen.name),
            "screen_search": lambda: self.show_screen(SearchScreen.name),
            "screen_train": lambda: self.show_screen(TrainScreen.name),
            "screen_lessons": lambda: self.show_screen(LessonsScreen.name),
            "open_lesson": lambda: self.guide.open_file(),
            "lesson_next": lambda: self.guide.next(),
            "lesson_back": lambda: self.guide.lessons.back(),
            "lesson_answer": lambda: self.guide.answer(),
            "lesson_again": lambda: self.guide.lessons.again(),
            "lesson_reset": lambda: self.guide.reset(),
            "lesson_fold": lambda: self.guide.fold(self._checked("lesson_fold")),
            "lesson_close": lambda: self.guide.lessons.close(),
            "presenter": lambda: self.guide.presenter.present(self._checked("presenter")),
            "panels": lambda: self.guide.presenter.show_panels(self._checked("panels")),
            "search": self._search,
            "draw_small": self._draw_small,
            "export_set": self._export_set,
            **{f"view_{view}": partial(self._show_view, view) for view in VIEWS},
            "side_by_side": self._show_ways,
            "show_pixels": self._show_ways,
            "difference": self._show_ways,
            "zoom_in": lambda: self.explore.stage.zoom_by(1.0),
            "zoom_out": lambda: self.explore.stage.zoom_by(-1.0),
            "zoom_whole": lambda: self.explore.stage.show_whole(),
            "help": self.show_help,
            "commands": self.show_commands,
            "model_card": lambda: self.show_help("model:"),
            "about": self._show_about,
        }

    def show_help(self, page: str = "") -> None:
        """Show a page of Help (`latentlab.session.help_pages`); that of the screen looked at by default.

        ``model:`` alone is the card of the model that is open.
        """
        if self._help is None:
            self._help = HelpWindow(self.actions_table, self.theme, self)
        opened = self.workspace.opened
        if page == "model:" and opened is not None:
            self._help.show_card(Path(opened.path), opened.name)
        else:
            self._help.show_page(page or self.screen_name)

    def _show_about(self) -> None:
        dialog = AboutDialog(self.theme, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def show_commands(self) -> None:
        """Let a command be searched and chosen."""
        palette = CommandPalette(self.actions_table.commands(), self.theme, self)
        try:
            palette.exec()
        finally:
            palette.deleteLater()
        if palette.chosen is not None:
            palette.chosen.trigger()

    def paste(self) -> None:
        """Bring in what the clipboard holds."""
        self.banner.dismiss()
        data = QApplication.clipboard().mimeData()
        if incoming.take(data, self.workspace, self.explore.intents, "pasted picture") is None:
            self.status.showMessage("The clipboard holds no picture, file or latent.", 4000)
        else:
            self._leave_start()

    def _paint(self) -> None:
        """Paint on the input of the analogies, or stop painting there."""
        projections = self.analogies.projections
        here = self.screen_name == AnalogiesScreen.name and self.analogies.view == projections.name
        self.show_screen(AnalogiesScreen.name)
        self.analogies.show_view(projections.name)
        projections.paint(not (here and projections.panel.box.painting))

    def _paint_latent(self) -> None:
        """Paint on the edited picture's latent, or stop painting there."""
        self._show_view("picture")
        self.explore.picture.paint(not self.explore.stage.edited.painting)

    def _take_picture(self) -> None:
        """Bring in a picture by the camera."""
        source = camera.QtCamera(self)
        dialog = CameraDialog(source, self.theme, self)
        try:
            if dialog.exec() and dialog.picture is not None:
                self.banner.dismiss()
                self.workspace.bring_pixels(dialog.picture, "camera")
        finally:
            dialog.deleteLater()
            source.deleteLater()

    def _ask(self, ask: Callable[[QWidget], Path | None]) -> None:
        path = ask(self)
        if path is not None:
            self.open_path(path)

    def _ask_target(self, name: str, write: Callable[[Path], object]) -> None:
        path = dialogs.ask_target(self, name)
        if path is not None:
            write(path)

    def _explore_exports(self) -> ScreenExports:
        view, exports = self.explore.view, self.exports
        return ScreenExports(
            ("edited.png", exports.picture),
            (f"{FIGURES[view]}.png", lambda path: exports.figure(path, view, self.font())),
            (f"{TABLES[view]}.csv", lambda path: exports.table(path, view)),
            exports.copy_picture,
            lambda: exports.copy_python(view),
        )

    @property
    def _here(self) -> ScreenExports:
        """What the export and copy actions do on the screen that is shown."""
        if self.screen_name == AnalogiesScreen.name:
            return self.analogies.exports
        if self.screen_name == AuditScreen.name:
            return self.audit_exports.targets
        if self.screen_name == SearchScreen.name:
            return self.search_exports.targets
        if self.screen_name == TrainScreen.name:
            return self.train_exports.targets
        if self.screen_name == LessonsScreen.name:
            return self.lesson_exports.targets
        on_explore = self.screen_name in (ExploreScreen.name, StartScreen.name)
        return self._explore_exports() if on_explore else self.counterfactual_exports.targets

    def _search(self) -> None:
        """Show the search and begin, hold or go on with it."""
        self.show_screen(SearchScreen.name)
        self.search.start_or_go_on()

    def _draw_small(self) -> None:
        """Draw the small picture that is searched for, or stop drawing it."""
        here = self.screen_name == SearchScreen.name
        self.show_screen(SearchScreen.name)
        self.search.draw(not (here and self.search.drawing))

    def _export_set(self) -> None:
        folder = dialogs.ask_folder(self, "Folder for the found set")
        if folder is not None:
            self.search_exports.set(folder)

    def _export_loop(self) -> None:
        if self.screen_name == SearchScreen.name:
            self._ask_target("search.gif", lambda path: self.search_exports.loop(path, self.search.fps))
            return
        self._ask_target("loop.gif", lambda path: self.exports.loop(path, self.explore.picture.fps))

    def _save_session(self) -> None:
        self._ask_target("session.json", self.sessions.save)

    def show_screen(self, name: str) -> None:
        """Show one of the screens; what nobody looks at is not rendered."""
        if name == StartScreen.name:
            self.start.show_recent(self.settings.recent(), self.sessions.last)
        else:
            self._before_start, self._then_screen = name, ("", "")
        self.screen_name = name
        self.guide.presenter.arrange()
        for one in self.screens:
            self._screen_action(one).setChecked(one == name)
        self._show_page()
        self.explore.looked_at = name == ExploreScreen.name
        self._activate()
        self._tell_view()
        if name == ExploreScreen.name and self.guide.lessons.lesson is None:
            self.sessions.give_hints()

    def _show_page(self) -> None:
        """Show the screen, or that no model is open; a training needs none."""
        needless = self.screen_name in (StartScreen.name, TrainScreen.name, LessonsScreen.name)
        there = needless or self.workspace.phase == "ready"
        self._stack.setCurrentWidget(self.screens[self.screen_name] if there else self.state_page)

    def _show_study(self, folder: Path) -> None:
        """Show the results that a study's folder holds."""
        self.show_screen(AuditScreen.name)
        self.audit.show_folder(folder)

    def _activate(self) -> None:
        """Let the screen that is looked at, and no other, be rendered."""
        ready = self.workspace.phase == "ready"
        for screen in (self.counterfactuals, self.analogies, self.audit, self.search):
            screen.active = ready and screen.name == self.screen_name
        self.train.active = self.screen_name == TrainScreen.name

    def _tell_view(self) -> None:
        """Let the actions know what is looked at: a view of the Explore screen, or another screen."""
        on_explore = self.screen_name in (ExploreScreen.name, StartScreen.name)
        self.actions_table.show_view(self.explore.view if on_explore else self.screen_name)

    @property
    def has_header(self) -> bool:
        """Whether what is open stands above the screen that is looked at."""
        return self.screen_name != StartScreen.name

    @property
    def at_rest(self) -> bool:
        """Whether the screen that is looked at shows all that belongs to the state."""
        still = self.workspace.in_step and not self.workspace.busy and self.guide.at_rest
        return still and self.screens[self.screen_name].at_rest

    def _screen_action(self, name: str) -> QAction:
        return self.actions_table[f"screen_{name}"]

    def _show_view(self, view: str) -> None:
        self.show_screen(ExploreScreen.name)
        self.explore.show_view(view)

    def _play_path(self) -> None:
        self.show_screen(ExploreScreen.name)
        self.explore.play_path()

    def _show_ways(self) -> None:
        self.explore.stage.set_side_by_side(self._checked("side_by_side"))
        for screen in self.screens.values():
            screen.set_smooth(not self._checked("show_pixels"))
        self.explore.stage.set_difference(self._checked("difference"))
        for name in WAYS:
            self.settings.set_flag(name, self._checked(name))

    def _checked(self, name: str) -> bool:
        return self.actions_table[name].isChecked()

    # The start page

    @property
    def _on_start(self) -> bool:
        return self.screen_name == StartScreen.name

    def _leave_start(self) -> None:
        """Show the screen that was looked at before the start page: something comes to be seen there."""
        if self._on_start:
            self.show_screen(self._before_start)

    def _begin_with_model(self, name: str, screen: str) -> None:
        """Open a bundled model, unless it is open, and show the screen on which it shows what it is for."""
        opened, folder = self.workspace.opened, bundled_models().get(name)
        if opened is not None and self.workspace.in_step and Path(opened.path) == folder:
            self.show_screen(screen)
        elif self.workspace.phase == "loading":
            if self._opening_path != name:
                self._open_bundled(name)
            self.show_screen(screen)
        elif opened is None:
            self._open_bundled(name)
            self.show_screen(screen)
        else:  # a screen that the model open until then cannot serve would not show
            self._then_screen = str(folder), screen
            self._open_bundled(name, stay=True)

    def _open_recent(self, path: Path) -> None:
        if path == self.sessions.last:
            self._reopen_last()
        else:
            self.open_path(path)

    def _forget_recent(self, paths: list[str]) -> None:
        self.settings.forget_recent(paths)
        self._fill_recent()
        self.start.show_recent(self.settings.recent(), self.sessions.last)

    def _reopen_last(self) -> None:
        self._leave_start()
        self.sessions.reopen_last()

    def _recover(self) -> None:
        self._leave_start()
        self.sessions.recover()

    # Submenus

    def _fill_submenus(self) -> None:
        submenus, override = self.actions_table.submenus, self.workspace.override
        menus.fill_bundled(submenus["bundled"], self._open_bundled)
        menus.fill_samples(submenus["samples"], self._bring_sample)
        self._fill_recent()
        self._theme_actions = menus.fill_choice(
            submenus["theme"],
            [(scheme.capitalize(), scheme) for scheme in SCHEMES],
            self.theme.scheme,
            self._choose_scheme,
        )
        for name, choices, current in (
            ("device", menus.DEVICES, override.device),
            ("precision", menus.PRECISIONS, override.precision),
            ("threads", menus.thread_choices(), override.threads),
        ):
            menus.fill_choice(submenus[name], choices, current, partial(self._override, name))

    def _remember(self, path: Path) -> None:
        """Put a file at the head of the recent ones."""
        self.settings.add_recent(str(path.resolve()))
        self._fill_recent()

    def _fill_recent(self) -> None:
        menus.fill_recent(
            self.actions_table.submenus["recent"], self.settings.recent(), self.open_path, self._clear_recent
        )

    def _clear_recent(self) -> None:
        self.settings.clear_recent()
        self._fill_recent()

    def _bring_sample(self, path: Path, name: str) -> None:
        self.banner.dismiss()
        self._leave_start()
        self.workspace.bring_file(path, name)

    def _open_bundled(self, name: str, stay: bool = False) -> None:
        self.banner.dismiss()
        if not stay:
            self._leave_start()
        self._opening_path = name
        self.workspace.open_checkpoint(name)
        state, sample = self.workspace.explore.state, menus.sample_for(name)
        source = None if state is None else state.source
        known = {sample_title(path): path for path in sample_pictures()}
        former = None if source is None or source.painted is not None else known.get(source.name)
        # A sample gives way to one that the model knows; a picture of one's own stays.
        if sample is not None and former is not None and _kind(former) != _kind(sample):
            self.workspace.bring_file(sample, sample_title(sample))

    def _choose_scheme(self, scheme: Scheme) -> None:
        self.theme.choose(scheme)
        self.settings.scheme = scheme

    def _override(self, what: str, value: str | int | None) -> None:
        changed: dict[str, Any] = {what: value}
        self.workspace.override_device(replace(self.workspace.override, **changed))

    # What the workspace tells

    def _follow(self, change: Change) -> None:
        if change.way != "move":
            self.actions_table.refresh()
        elif not self._refresh_later.isActive():
            self._refresh_later.start()

    def _show_phase(self, phase: str) -> None:
        # No control has the focus until a person gives it to one.
        if not self._on_start:
            self._stack.setFocus()
        self._show_page()
        if phase == "ready":
            self._activate()
        elif phase == "failed":
            self.state_page.show_failure(self.workspace.reason)
        elif phase == "loading":
            self.state_page.show_loading(self._opening_path)
        else:
            self.state_page.show_empty("")
        self.actions_table.refresh()

    def _show_message(self, message: Message) -> None:
        # What the page in the middle says already is not said twice.
        if self.workspace.phase != "failed" or message.text != self.workspace.reason or message.details:
            self.banner.show_message(message)

    def _show_model(self) -> None:
        opened: Opened | None = self.workspace.opened
        self.header.show_model(opened)
        unconditional = opened is not None and not opened.spec.condition.size
        if self.screen_name == CounterfactualsScreen.name and unconditional:
            self.show_screen(ExploreScreen.name)
        self.setWindowTitle("LatentLab" if opened is None else f"{opened.name} — LatentLab")
        if opened is not None and self._on_start and self._then_screen[0] == opened.path:
            self.show_screen(self._then_screen[1])
        self.actions_table.refresh()

    def _show_choice(self) -> None:
        self.status.show_choice(self.workspace.choice)

    def _show_busy(self, text: str) -> None:
        self.status.show_busy(text, self.workspace.can_stop_opening)
        self.actions_table.refresh()

    def _have_rendered(self, whole: bool) -> None:
        """Close the window if that waits for exports, unless one has failed: a person should read so."""
        asked, self._leaving = self._leaving, None
        if asked is not None:
            asked.close()
            asked.deleteLater()
            if whole:
                self.close()

    def _answer_leaving(self, leave: bool) -> None:
        if self._leaving is not None and leave:
            self.close()
        elif self._leaving is not None:
            self._leaving.deleteLater()
            self._leaving = None

    def _answer_leaving_training(self, answer: int) -> None:
        """Close the window, and leave the training running or have it stopped; or keep the window open."""
        box, self._leaving_training = self._leaving_training, None
        if box is not None:
            box.deleteLater()
        if answer == QMessageBox.StandardButton.Cancel.value:
            return
        if answer == QMessageBox.StandardButton.No.value:
            self.train.stop_and_leave()
        self._may_leave_training = True
        self.close()

    # The window's own events

    def _restore(self) -> None:
        geometry = self.settings.geometry
        if geometry is not None:
            self.restoreGeometry(geometry)
        self.theme.choose(self.settings.scheme)
        for name in WAYS:
            self.actions_table[name].setChecked(self.settings.flag(name))
        self._show_ways()
        for action, scheme in zip(self._theme_actions, SCHEMES, strict=True):
            action.setChecked(scheme == self.theme.scheme)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint, and tell once that the window has been painted."""
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self.first_painted.emit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the screens the room that there is."""
        super().resizeEvent(event)
        self._place_rail()

    def _place_rail(self) -> None:
        """Let the rail show icons only where the screens, beside a lesson, have little room."""
        self.rail.set_narrow(self.width() - self.guide.frame.taken < NARROW)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept checkpoints and pictures."""
        if incoming.accepts(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Bring in what was dropped."""
        self.banner.dismiss()
        path = incoming.take(event.mimeData(), self.workspace, self.explore.intents, "dropped picture")
        if path is not None:
            self._leave_start()
            event.acceptProposedAction()
            if path:
                self._remember(Path(path))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember the window's place and stop all threads, after what is to be saved has been rendered."""
        rendering = any(exports.rendering for exports in self._all_exports)
        if rendering and self._leaving is None:
            self._leaving = dialogs.ask_to_leave(self, self._answer_leaving)
            event.ignore()
            return
        if self.train.going_on and not self._may_leave_training:
            self._leaving_training = ask_to_leave_training(self, title_of_work(self.train.work))
            self._leaving_training.finished.connect(self._answer_leaving_training)
            self._leaving_training.open()
            event.ignore()
            return
        self.settings.geometry = self.saveGeometry()
        self.sessions.close()
        self.guide.close()
        for screen in self.screens.values():
            screen.close_threads()
        self._writer.close()
        self.workspace.close()
        super().closeEvent(event)


def _kind(sample: Path) -> str:
    """Return what a sample picture shows: ``face`` or ``avatar``."""
    return sample.stem.partition("-")[0]
