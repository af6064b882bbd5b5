"""The Analogies screen: what a cINN's datasets make of the same content, in views shown one at a time."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QStackedLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from latentlab.operations.projection_plan import no_projection
from latentlab.session.intents import Intents
from latentlab.session.workspace import Workspace
from latentlab.session.writing import FileWriter
from latentlab.ui import dialogs
from latentlab.ui.many_exports import ManyExports
from latentlab.ui.projection_exports import ProjectionExports
from latentlab.ui.sample_exports import SampleExports
from latentlab.ui.screen_exports import MadeExports, Renderings, ScreenExports
from latentlab.ui.theme import Theme
from latentlab.ui.views.analogy_page import AnalogyPage
from latentlab.ui.views.many import ManyPage
from latentlab.ui.views.projections import ProjectionsPage
from latentlab.ui.views.samples import SamplesPage
from latentlab.ui.widgets.state_page import StatePage


class AnalogiesScreen(QWidget):
    """Holds the views, of which one is looked at, and says why where the model has no datasets.

    ``explore_asked`` is the wish to go on in Explore; ``view_changed`` tells the view that is shown.

    Attributes
    ----------
    projections
        The picture on every dataset.
    samples
        The same z on every dataset.
    many
        Many pictures, projected in the background and counted.
    """

    name = "analogies"
    title = "Analogies"
    explore_asked = Signal()
    view_changed = Signal(str)

    def __init__(
        self,
        workspace: Workspace,
        intents: Intents,
        theme: Theme,
        open_checkpoint: QAction,
        writer: FileWriter,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._active = False
        self.projections = ProjectionsPage(workspace, intents, theme)
        self.projection_exports = ProjectionExports(workspace, self.projections, writer)
        self.samples = SamplesPage(workspace, intents, theme)
        self.sample_exports = SampleExports(workspace, self.samples, writer)
        self.many = ManyPage(workspace, intents, theme)
        self.many_exports = ManyExports(workspace, self.many, writer)
        self.empty = StatePage(open_checkpoint, None)
        self.tabs = QTabBar()
        self.tabs.setAccessibleName("Views")
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self._views: dict[str, AnalogyPage] = {}
        self._pages = QStackedWidget()
        for view in (self.projections, self.samples, self.many):
            self._views[view.name] = view
            self._pages.addWidget(view)
            self.tabs.addTab(view.title)
        self._work = QWidget()
        whole = QVBoxLayout(self._work)
        whole.setContentsMargins(16, 4, 16, 12)
        whole.setSpacing(10)
        whole.addWidget(self.tabs)
        whole.addWidget(self._pages, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._work)
        self._stack.addWidget(self.empty)

        self.projections.explore_asked.connect(self.explore_asked)
        self.samples.explore_asked.connect(self.explore_asked)
        self.samples.loop_asked.connect(self._export_loop)
        self.tabs.currentChanged.connect(lambda place: self.show_view(list(self._views)[place]))
        workspace.model_changed.connect(self.show_document)

    # What the window asks

    @property
    def view(self) -> str:
        """Which view is shown, by its name."""
        return list(self._views)[self._pages.currentIndex()]

    def show_view(self, name: str) -> None:
        """Show one of the views; what nobody looks at is not rendered."""
        place = list(self._views).index(name)
        self._pages.setCurrentIndex(place)
        self.tabs.setCurrentIndex(place)
        self._activate()
        self.view_changed.emit(name)

    @property
    def active(self) -> bool:
        """Whether the screen is looked at; only then is anything rendered."""
        return self._active

    @active.setter
    def active(self, active: bool) -> None:
        self._active = active
        self.show_document()
        self._activate()

    @property
    def at_rest(self) -> bool:
        """Whether all that was asked for is shown."""
        return self._stack.currentWidget() is self.empty or self._views[self.view].at_rest

    @property
    def exports(self) -> ScreenExports:
        """What the export and copy actions do in the view that is shown."""
        exports: dict[str, MadeExports] = {
            ProjectionsPage.name: self.projection_exports,
            SamplesPage.name: self.sample_exports,
            ManyPage.name: self.many_exports,
        }
        return exports[self.view].targets

    @property
    def renderings(self) -> tuple[Renderings, ...]:
        """What may still be rendered to be saved when the window is closed."""
        return (self.projection_exports, self.sample_exports, self.many_exports)

    def set_smooth(self, smooth: bool) -> None:
        """Smooth between the pixels of all pictures, or show them as squares."""
        for view in self._views.values():
            view.set_smooth(smooth)

    def close_threads(self) -> None:
        """Stop what works in the background."""
        for view in self._views.values():
            view.close_threads()

    def show_document(self) -> None:
        """Show everything anew, if the screen is looked at."""
        opened = self._workspace.opened
        if not self._active or opened is None or not self._workspace.in_step:
            return
        why = no_projection(opened.spec, opened.name)
        self._stack.setCurrentWidget(self.empty if why else self._work)
        if why:
            self.empty.show_reason("No analogies with this model", why)

    def _export_loop(self) -> None:
        path = dialogs.ask_target(self.window(), "strip.gif")
        if path is not None:
            self.sample_exports.loop(path, self.samples.fps)

    def _activate(self) -> None:
        for name, view in self._views.items():
            view.active = self._active and name == self.view
