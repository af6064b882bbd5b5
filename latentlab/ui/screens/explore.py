"""The Explore screen: sliders for the latent, the pictures, and what a predictor sees in them."""

from __future__ import annotations

import time
from collections.abc import Mapping

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from latentlab.errors import SettingsError
from latentlab.live.frames import Frame, Opened
from latentlab.operations.attribute_table import Probabilities
from latentlab.session.document import Explore
from latentlab.session.session import Change, Message
from latentlab.session.workspace import Workspace
from latentlab.ui.actions import Actions
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.attribute_card import AttributeCard
from latentlab.ui.widgets.dimension_panel import DimensionPanel
from latentlab.ui.widgets.picture_stage import PictureStage
from latentlab.ui.widgets.picture_view import bgrx

REST_MILLISECONDS = 250
"""How long the controls rest before the settled frame is asked for."""

LATER_MILLISECONDS = 50
"""A drag's numbers are told after the frame has been painted, at the latest after this time."""

PANEL_LEAST, PANEL_MOST = 384, 440


class ExploreScreen(QWidget):
    """Shows the workspace's Explore state and sends what a person does with it.

    ``painted`` tells a frame's generation once both its picture and its bars have been painted.
    ``timed`` tells of a live frame the milliseconds that the worker took and those from the request to
    that moment.
    """

    name = "explore"
    title = "Explore"
    painted = Signal(int)
    timed = Signal(float, float)

    def __init__(
        self, workspace: Workspace, theme: Theme, actions: Actions, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._model: Opened | None = None
        self._shown: Explore | None = None
        self._frame: Frame | None = None
        self._announced = 0
        self._mutations = 0
        self.stage = PictureStage(theme)
        self.attributes = AttributeCard(theme)
        self.panel = DimensionPanel(theme, actions["randomise"], actions["mutate"], actions["reset_all"])
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MILLISECONDS)
        self._rest.timeout.connect(workspace.rendering.settle)
        self._missed = False
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._show_later)

        left = QVBoxLayout()
        left.setSpacing(12)
        left.addWidget(self.stage, 1)
        left.addWidget(self.attributes)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 4, 16, 12)
        layout.setSpacing(16)
        layout.addLayout(left, 2)
        self.panel.setMinimumWidth(PANEL_LEAST)
        self.panel.setMaximumWidth(PANEL_MOST)
        layout.addWidget(self.panel, 1)

        intents = workspace.explore
        dimensions = self.panel.list
        dimensions.pressed.connect(intents.begin_move)
        dimensions.released.connect(lambda _dimension: intents.end_move())
        dimensions.moved.connect(intents.move)
        dimensions.reset_asked.connect(self._reset_dimension)
        self.panel.draw_asked.connect(lambda: self.draw(self.panel.seed.value()))
        self.stage.edited.painted.connect(self._have_painted)
        self.attributes.bars.painted.connect(self._have_painted)
        workspace.session.changed.connect(self._follow)
        workspace.model_changed.connect(self.show_document)
        workspace.busy_changed.connect(self._show_busy)
        workspace.rendering.edited.connect(self._show_frame)
        workspace.rendering.started.connect(self._show_start_frame)

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
        )

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

    def show_document(self) -> None:
        """Show everything anew: another model, or its first state."""
        state, opened = self._workspace.explore.state, self._workspace.opened
        if state is None or opened is None or not self._workspace.in_step:
            return
        if opened is not self._model:
            self._model = opened
            self._frame = None
            self.panel.set_model(opened.spec)
            self.attributes.set_predictor(opened.predictor, opened.predictor_name)
        self._shown = None
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
        self.panel.show_state(state)
        if before is None or before.start is not state.start or before.source is not state.source:
            self._show_start(state)
        self._rest.start()

    def _show_start(self, state: Explore) -> None:
        stage, source = self.stage, state.source
        self.attributes.show_start(state)
        if source is not None:
            stage.input.set_caption("Input", source.name)
            stage.input.show_frame(bgrx(source.encoded.source))
            stage.start.set_caption("Reconstruction")
            stage.start.show_frame(source.encoded.reconstruction)
            return
        stage.input.set_caption("Input")
        stage.input.show_nothing("No picture was brought in.\nOpen, drop or paste one.")
        stage.start.set_caption("Start", state.origin)
        stage.start.show_nothing("")

    def _show_start_frame(self, frame: Frame) -> None:
        if self._shown is not None and self._shown.source is None:
            self.stage.start.show_frame(frame.pixels[0])
            self.attributes.bars.show_series("start", "Start", _first(frame.attributes))

    def _show_frame(self, frame: Frame) -> None:
        """Show a frame's picture and its bars; both are painted in the next paint of the window."""
        self._frame = frame
        self.stage.edited.show_frame(frame.pixels[0], frame.generation)
        if frame.attributes:
            self.attributes.bars.show_frame(_first(frame.attributes), frame.generation)
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
        if self.stage.edited.painted_generation != generation:
            return
        self._announced = generation
        if self._later.isActive():
            self._later.start(0)
        asked = self._workspace.rendering.asked_at(generation)
        if asked is not None and not frame.settled:
            self.timed.emit(frame.render_ms, 1000.0 * (time.perf_counter() - asked))
        self.painted.emit(generation)

    def _reset_dimension(self, dimension: int) -> None:
        self._workspace.session.end_gesture()
        self._workspace.explore.reset(dimension)

    def _show_busy(self, _busy: str) -> None:
        self.panel.setEnabled(self._workspace.in_step)
        if self._later.isActive() or self._missed:
            self._show_later()


def _first(attributes: Probabilities) -> Probabilities:
    """Return the first image's probabilities of a batch ``[B, classes]`` by attribute."""
    return {name: values[0] for name, values in attributes.items()}
