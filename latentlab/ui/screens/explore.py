"""The Explore screen: the views of what is open, what a predictor sees in it, and where it is changed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from latentlab.errors import SettingsError
from latentlab.live.frames import Frame, Opened
from latentlab.operations.attribute_table import Probabilities
from latentlab.session.document import Explore, Shelf
from latentlab.session.intents import Intents
from latentlab.session.picture_change import PictureChange
from latentlab.session.pins import PinPictures
from latentlab.session.session import Change, Message
from latentlab.session.workspace import Workspace
from latentlab.ui.actions import Actions
from latentlab.ui.screens.comparison import Comparison, picture_of
from latentlab.ui.screens.explore_panel import ExplorePanel
from latentlab.ui.theme import Theme
from latentlab.ui.views.grid import GridPage
from latentlab.ui.views.map import MapPage
from latentlab.ui.views.picture import PicturePage
from latentlab.ui.views.probe import ProbePage
from latentlab.ui.widgets.attribute_card import AttributeCard
from latentlab.ui.widgets.picture_view import PictureView, bgrx

if TYPE_CHECKING:
    from latentlab.operations.latent_map import LatentMap

REST_MILLISECONDS = 250
"""How long the controls rest before the settled frame is asked for."""

LATER_MILLISECONDS = 50
"""A drag's numbers are told after the frame has been painted, at the latest after this time."""

PANEL_LEAST, PANEL_MOST, MARGIN = 372, 460, 16
ASIDE = 200
"""Width of the edited picture beside a view that does not show it."""

VIEWS = ("picture", "grid", "probe", "map")


class ExploreScreen(QWidget):
    """Shows the workspace's Explore state and sends what a person does with it.

    ``painted`` tells a frame's generation once both its picture and its bars have been painted.
    ``timed`` tells of a live frame the milliseconds that the worker took and those from the request to
    that moment. ``view_changed`` tells which of `VIEWS` is shown.
    """

    name = "explore"
    title = "Explore"
    painted = Signal(int)
    timed = Signal(float, float)
    view_changed = Signal(str)

    def __init__(
        self, workspace: Workspace, theme: Theme, actions: Actions, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace, self._theme = workspace, theme
        self._model: Opened | None = None
        self._shown: Explore | None = None
        self._shelf: Shelf | None = None
        self._frame: Frame | None = None
        self._data: LatentMap | None = None
        self._looked_at = True
        self._announced = 0
        self._mutations = 0
        self.intents = Intents(workspace)
        self._pins = PinPictures(workspace)
        self._change = PictureChange(workspace)
        self.picture = PicturePage(workspace, self.intents, theme, actions["export_loop"])
        self.grid = GridPage(workspace, self.intents, theme)
        self.probe = ProbePage(workspace, self.intents, theme)
        self.map = MapPage(workspace, self.intents, theme)
        self.stage = self.picture.stage
        self.aside = PictureView("Edited", "edited", theme)
        self.aside.setFixedWidth(ASIDE)
        self.attributes = AttributeCard(theme)
        self.comparison = Comparison(self.stage, self.attributes.bars)
        self.explore_panel = ExplorePanel(workspace, self.intents, theme, actions, self.map.finder)
        self.panel = self.explore_panel.panel
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MILLISECONDS)
        self._rest.timeout.connect(workspace.rendering.settle)
        self._missed = False
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._show_later)
        self._lay_out()

        self.picture.stage.zoom_changed.connect(lambda _zoom: actions.refresh())
        self.panel.draw_asked.connect(lambda: self.draw(self.panel.seed.value()))
        self.panel.dimensions.measure_asked.connect(self._change.measure)
        self.stage.edited.painted.connect(self._have_painted)
        self.aside.painted.connect(self._have_painted)
        self.attributes.bars.painted.connect(self._have_painted)
        self.map.data.changed.connect(self._use_map)
        self.map.data.found_map.connect(self._use_map)
        self._change.measured.connect(self.panel.dimensions.show_change)
        self._pins.arrived.connect(self._show_pins)
        self._pins.active = True
        workspace.session.changed.connect(self._follow)
        workspace.model_changed.connect(self.show_document)
        workspace.busy_changed.connect(self._show_busy)
        workspace.rendering.edited.connect(self._show_frame)
        workspace.rendering.started.connect(self._show_start_frame)
        self.show_view("picture")

    def _lay_out(self) -> None:
        self.tabs = QTabBar()
        self.tabs.setAccessibleName("Views")
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.setUsesScrollButtons(False)
        self._stack, self._controls = QStackedWidget(), QHBoxLayout()
        self._pages: dict[str, PicturePage | GridPage | ProbePage | MapPage]
        self._pages = {"picture": self.picture, "grid": self.grid, "probe": self.probe, "map": self.map}
        for view, page in self._pages.items():
            self.tabs.addTab(view.capitalize())
            self._stack.addWidget(page)
            self._controls.addWidget(page.controls)
            page.controls.hide()
        self.tabs.currentChanged.connect(lambda place: self.show_view(VIEWS[place]))
        self._head, middle, left = QGridLayout(), QHBoxLayout(), QVBoxLayout()
        self._head.setVerticalSpacing(0)
        self._head.setColumnStretch(1, 1)
        self._head.addWidget(self.tabs, 0, 0)
        self._head.addLayout(self._controls, 0, 2)
        middle.setSpacing(16)
        middle.addWidget(self._stack, 1)
        middle.addWidget(self.aside)
        left.setSpacing(10)
        left.addLayout(self._head)
        left.addLayout(middle, 1)
        left.addWidget(self.attributes)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(MARGIN, 4, MARGIN, 12)
        layout.setSpacing(MARGIN)
        layout.addLayout(left, 7)
        self.panel.setMinimumWidth(PANEL_LEAST)
        self.panel.setMaximumWidth(PANEL_MOST)
        layout.addWidget(self.panel, 3)

    # Views

    @property
    def view(self) -> str:
        """Which of `VIEWS` is shown."""
        return VIEWS[self._stack.currentIndex()]

    def show_view(self, view: str) -> None:
        """Show one of `VIEWS`; what nobody looks at is not rendered."""
        place = VIEWS.index(view)
        self._stack.setCurrentIndex(place)
        for name, page in self._pages.items():
            page.controls.setVisible(name == view)
        self.tabs.setCurrentIndex(place)
        self._place_controls()
        self.aside.setVisible(view != "picture")
        if view != "picture":
            self.picture.play(False)
        self._activate()
        self._pages[view].show_document()
        if self._frame is not None:
            self._edited.show_frame(self._frame.pixels[0], self._frame.generation)
        self.view_changed.emit(view)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put a view's controls beside the tabs, or below them where there is no room."""
        super().resizeEvent(event)
        self._place_controls()

    def _place_controls(self) -> None:
        room = self.width() - 3 * MARGIN - PANEL_LEAST
        controls = self._pages[self.view].controls.minimumSizeHint().width()
        wide = room >= self.tabs.sizeHint().width() + self._head.horizontalSpacing() + controls
        self._head.removeItem(self._controls)
        if wide:
            self._head.addLayout(self._controls, 0, 2)
        else:
            self._head.addLayout(self._controls, 1, 0, 1, 3, Qt.AlignmentFlag.AlignLeft)

    @property
    def looked_at(self) -> bool:
        """Whether this is the screen that is shown; the views of another are not rendered."""
        return self._looked_at

    @looked_at.setter
    def looked_at(self, looked_at: bool) -> None:
        self._looked_at = looked_at
        if not looked_at:
            self.picture.play(False)
        self._activate()

    def _activate(self) -> None:
        for name, page in self._pages.items():
            page.follower.active = self._looked_at and name == self.view

    @property
    def _edited(self) -> PictureView:
        """Where the edited picture is seen."""
        return self.stage.edited if self.view == "picture" else self.aside

    @property
    def frame(self) -> Frame | None:
        """The newest frame of the edited picture."""
        return self._frame

    @property
    def at_rest(self) -> bool:
        """Whether all that belongs to the state is shown: start and settled edited picture."""
        frame = self._frame
        return (
            frame is not None
            and frame is self._workspace.rendering.settled_frame
            and self._announced == frame.generation
            and self.stage.start.pixels is not None
            and not self._later.isActive()
            and not self._workspace.busy
            and not (self.view == "probe" and self.probe.follower.waiting)
        )

    def set_smooth(self, smooth: bool) -> None:
        """Smooth between the pixels of all pictures, or show them as squares."""
        self.stage.set_smooth(smooth)
        self.grid.grid.set_smooth(smooth)
        self.aside.smooth = smooth
        self.aside.update()

    # Intents that need more than the session

    def play_path(self) -> None:
        """Play the path through the ticked pins, or stop playing it."""
        self.show_view("picture")
        self.picture.play(not self.picture.playing)

    def crop(self) -> None:
        """Let the square of the picture be chosen that the model sees."""
        state, opened = self._workspace.explore.state, self._workspace.opened
        if state is None or state.source is None or opened is None:
            return
        from latentlab.ui.widgets.crop_dialog import CropDialog  # it needs Pillow, the window does not

        source = state.source
        dialog = CropDialog(source.picture, source.crop, opened.spec.image_size, self._theme, self)
        try:
            if dialog.exec():
                self._workspace.crop(dialog.crop)
        finally:
            dialog.deleteLater()

    def randomise(self) -> None:
        """Set out from the next seed's draw (the seed in the box, if it has not been drawn yet)."""
        state = self._workspace.explore.state
        seed = self.panel.seed.value()
        drawn = state is not None and state.seed == seed and state.truncation == self.panel.truncation.value()
        self.draw(seed + 1 if drawn else seed)

    def mutate(self) -> None:
        """Take a small random step from the latent as it is."""
        if self._workspace.in_step and self._workspace.opened is not None:
            self._mutations += 1
            self._workspace.explore.mutate(self._workspace.opened.spec, self._mutations)

    def draw(self, seed: int) -> None:
        """Set out from a random draw of that seed."""
        if not self._workspace.in_step or self._workspace.opened is None:
            return
        try:
            truncation = self.panel.truncation.value()
            self._workspace.explore.randomise(self._workspace.opened.spec, seed, truncation)
        except SettingsError as error:
            self._workspace.session.message.emit(Message("error", str(error)))

    def close_threads(self) -> None:
        """Stop what works in the background for the views."""
        self.picture.play(False)
        self.map.finder.close()
        self.map.data.close()

    # Showing

    def show_document(self) -> None:
        """Show everything anew: another model, or its first state."""
        state, opened = self._workspace.explore.state, self._workspace.opened
        if state is None or opened is None or not self._workspace.in_step:
            return
        if opened is not self._model:
            self._model = opened
            self._frame = None
            self.comparison.forget()
            self.panel.set_model(opened.spec)
            self.attributes.set_predictor(opened.predictor, opened.predictor_name)
        self._shown = self._shelf = None
        self._show_state(state)

    def series(self) -> Mapping[str, Probabilities]:
        """Return the probabilities that are shown, by picture: input, start and edited where there are."""
        return {one.colour: one.probabilities for one in self.attributes.bars.series}

    def _follow(self, change: Change) -> None:
        state = change.after.explore
        if state is None or not self._workspace.in_step:
            return
        if change.way != "move":
            self._show_state(state)
        else:
            # The renderer has been asked and waits for the interpreter: what can be told later is.
            self._rest.start()
            if not self._later.isActive():
                self._later.start(LATER_MILLISECONDS)

    def _show_later(self) -> None:
        state = self._workspace.explore.state
        # While a model is being opened nothing is shown; where that fails, the old one's numbers are due.
        self._missed = not self._workspace.in_step
        if state is not None and not self._missed:
            self._show_state(state)

    def _show_state(self, state: Explore) -> None:
        self._later.stop()
        before, self._shown = self._shown, state
        shelf, self._shelf = self._shelf, self._workspace.session.document.shelf
        self.explore_panel.show_state(state, self._shelf)
        new_start = before is None or before.start is not state.start or before.source is not state.source
        if new_start:
            self._show_start(state)
        if (
            new_start
            or shelf is None
            or shelf.compared != self._shelf.compared
            or shelf.pins is not self._shelf.pins
        ):
            self._show_comparison()
        self._pages[self.view].show_document()
        self._rest.start()

    def _show_start(self, state: Explore) -> None:
        stage, source = self.stage, state.source
        self.comparison.start_frame = None
        if source is not None:
            stage.input.set_caption("Input", source.title)
            stage.input.show_frame(bgrx(source.seen))
            stage.start.set_caption("Reconstruction")
            stage.start.show_frame(source.encoded.reconstruction)
            return
        stage.input.set_caption("Input")
        cannot = "" if self._model is None else self._model.spec.cannot.get("encode", "")
        why = cannot[:1].upper() + cannot[1:]  # a reason goes on after a colon elsewhere
        stage.input.show_nothing(why or "No picture was brought in.\nOpen, drop or paste one.")
        stage.start.set_caption("Start", state.origin)
        stage.start.show_nothing("")

    def _show_start_frame(self, frame: Frame) -> None:
        if self._shown is not None and self._shown.source is None:
            self.comparison.start_frame = frame
            self.stage.start.show_frame(frame.pixels[0])
            self._show_comparison()

    def _show_pins(self, frame: Frame) -> None:
        self.comparison.take_pins(frame, self._workspace.session.document.shelf.pins)
        self.panel.pins.show_pictures(frame.pixels)
        self._show_comparison()

    def _use_map(self, _found: object = None) -> None:
        """Let the probe's mean be that of the encoded data, where they are there."""
        before, self._data = self._data, self.map.data.found
        if self._data is None:
            self.probe.follower.use_data("", None)
        elif before is None or not self._data.same_latents(before):
            opened = self._workspace.opened
            told = None if opened is None else self._data.conditions(opened.spec.condition)
            self.probe.follower.use_data(self._data.info.data, self._data.latents, told)

    def _show_comparison(self) -> None:
        if self._shown is not None and self._shelf is not None:
            self.comparison.show(self._shown, self._shelf)

    def _show_frame(self, frame: Frame) -> None:
        """Show a frame's picture and its bars; both are painted in the next paint of the window."""
        self._frame = frame
        self.stage.show_edited(frame.pixels[0], frame.generation)
        if self.view != "picture":
            self.aside.show_frame(frame.pixels[0], frame.generation)
        if frame.attributes:
            self.attributes.bars.show_frame(picture_of(frame, 0)[1], frame.generation)
        if frame.settled:
            self.attributes.bars.describe()
        else:
            self._rest.start()

    def _have_painted(self, generation: int) -> None:
        frame = self._frame
        if frame is None or generation != frame.generation or generation == self._announced:
            return
        bars = self.attributes.bars
        if frame.attributes and bars.isVisible() and bars.painted_generation != generation:
            return
        if self._edited.painted_generation != generation:
            return
        self._announced = generation
        if self._later.isActive():
            self._later.start(0)
        asked = self._workspace.rendering.asked_at(generation)
        if asked is not None and not frame.settled:
            self.timed.emit(frame.render_ms, 1000.0 * (time.perf_counter() - asked))
        self.painted.emit(generation)

    def _show_busy(self, _busy: str) -> None:
        for part in (self.panel, self._stack, self._pages[self.view].controls):
            part.setEnabled(self._workspace.in_step)
        if self._later.isActive() or self._missed:
            self._show_later()
