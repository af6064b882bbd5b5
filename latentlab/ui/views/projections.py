"""The projections view: the picture on every dataset that a cINN knows, live, and what each changes."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from latentlab.live.frames import Opened
from latentlab.operations.painting import Place
from latentlab.operations.projection_plan import (
    NOTE,
    ProjectionPlan,
    changes_of_all,
    is_known,
    norm_words,
    shortened,
)
from latentlab.session.document import Document
from latentlab.session.intents import Intents
from latentlab.session.projection import LiveProjected, LiveProjections, ProjectionMaker, take_projection
from latentlab.session.session import Change
from latentlab.session.workspace import Workspace
from latentlab.ui.theme import Theme
from latentlab.ui.views.analogy_page import AnalogyPage, judged_by
from latentlab.ui.widgets.picture_tiles import FRAME
from latentlab.ui.widgets.picture_view import bgrx
from latentlab.ui.widgets.projection_panel import ProjectionPanel
from latentlab.ui.widgets.projection_tiles import HINT, MOST_CHANGES, ProjectionTiles, TileWords

KEY = "projection"
RECONSTRUCTION, REFERENCE = "reconstruction", "reference"
NOTHING_CHANGES, NOTHING_LOST = "nothing else changes", "nothing differs from the input"


class ProjectionsPage(AnalogyPage):
    """Shows the picture's projections onto datasets, and sends what a person does with them.

    ``explore_asked`` is the wish to go on in Explore, ``resample_asked`` that for another random latent,
    ``draw_asked`` for that of a seed, ``camera_asked`` for a picture by the camera, ``save_asked`` that to
    save the input.
    """

    name = "projections"
    title = "Picture"
    explore_asked = Signal()
    resample_asked = Signal()
    draw_asked = Signal(int)
    camera_asked = Signal()
    save_asked = Signal()

    def __init__(
        self,
        workspace: Workspace,
        intents: Intents,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(workspace, intents, parent)
        self.maker = ProjectionMaker(workspace)
        self.live = LiveProjections(workspace, self.maker)
        self.panel = ProjectionPanel(theme)
        self.tiles = ProjectionTiles(theme)
        self._status = QLabel()
        self._note = QLabel(NOTE)
        for label in (self._status, self._note):
            label.setProperty("role", "caption")
            label.setWordWrap(True)
        self._note.setContentsMargins(FRAME, 0, 0, 0)
        self._lay_out()

        self.panel.wished.connect(intents.shelf.set_projection)
        session = workspace.session
        self.panel.pressed.connect(lambda: session.begin_gesture("Set the analogies", KEY))
        self.panel.moved.connect(lambda view: intents.shelf.set_projection(view, KEY))
        self.panel.released.connect(lambda: session.end_gesture(KEY))
        self.panel.resample_asked.connect(self.resample_asked)
        self.panel.draw_asked.connect(self.draw_asked)
        self._connect_canvas()
        self.tiles.chosen.connect(self.use)
        self.live.planned.connect(self._show_plan)
        self.live.arrived.connect(self._show_live)
        self._listen()

    def _lay_out(self) -> None:
        right = QVBoxLayout()
        right.setSpacing(8)
        right.addWidget(self._status)
        right.addWidget(self.tiles, 1)
        right.addWidget(self._note)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(16)
        whole.addWidget(self.panel)
        whole.addLayout(right, 1)

    def _connect_canvas(self) -> None:
        box, painting = self.panel.box, self._intents.painting
        canvas = box.canvas
        canvas.began.connect(self._begin_stroke)
        canvas.drawn.connect(painting.draw_to)
        canvas.taken.connect(painting.take_up)
        canvas.carried.connect(painting.carry_to)
        canvas.nudged.connect(painting.nudge)
        canvas.ended.connect(painting.end)
        box.reset_asked.connect(painting.reset)
        box.paint_toggled.connect(self.paint)
        box.save_asked.connect(self.save_asked)
        box.camera_asked.connect(self.camera_asked)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the canvas the room that there is."""
        super().resizeEvent(event)
        self.panel.set_room(event.size().width())

    # What the window asks

    @property
    def selected(self) -> int:
        """Which projection was pointed at last; before that the first that is no reconstruction."""
        plan = self.live.plan
        first = 1 if plan is not None and plan.own == 0 and len(plan.datasets) > 1 else 0
        return first if self.tiles.current is None else self.tiles.current

    @property
    def at_rest(self) -> bool:
        """Whether all that was asked for is shown."""
        return not self.live.waiting and (self.live.found is not None or self.live.settled_refusal)

    def set_smooth(self, smooth: bool) -> None:
        """Smooth between the pixels of all pictures, or show them as squares."""
        self.tiles.set_smooth(smooth)
        self.panel.input.smooth = smooth
        self.panel.input.update()

    def close_threads(self) -> None:
        """Stop what works in the background."""
        self.maker.close()

    def use(self, place: int) -> None:
        """Go on in Explore with a projection."""
        if self.live.found is None or not self._workspace.in_step:
            return
        take_projection(self._workspace.session, self.live.found, place)
        self.explore_asked.emit()

    def paint(self, wanted: bool) -> None:
        """Let a person paint on the input, or no more.

        Without one the picture of the latent on its own dataset becomes the input.
        """
        state, found = self._workspace.explore.state, self.live.found
        if wanted and state is not None and state.source is None and found is not None:
            own = found.plan.conditions[found.plan.own]
            pixels = found.pixels[found.plan.own][..., 2::-1]
            self._workspace.bring_pixels(pixels, state.origin, told=own, drawn=own, own=own)
        self.panel.set_painting(wanted)
        if wanted:
            self.panel.input.setFocus(Qt.FocusReason.OtherFocusReason)

    def _begin_stroke(self, place: Place) -> None:
        box = self.panel.box
        if box.tool == "brush" or box.tool == "eraser" or box.tool == "blur":
            self._intents.painting.begin(box.tool, place, box.canvas.brush, box.colour)

    # Showing

    def _activate(self, active: bool) -> None:
        self.live.active = active

    def _set_model(self, opened: Opened) -> None:
        datasets = opened.spec.datasets
        self.panel.set_datasets(datasets)
        self.panel.mode.set_has_mode(opened.spec.condition.has_mode)
        self.panel.judge.setText(judged_by(opened, "Changes as {} predicts them", "no changes are named"))
        self.tiles.set_names(datasets)

    def _follow(self, change: Change) -> None:
        state = change.after.explore
        if not self._active or state is None or self._model is None or not self._workspace.in_step:
            return
        if change.way in ("undo", "redo"):
            self.panel.input.forget_region()  # what was selected is elsewhere again
        before, view = change.before.shelf.projection, change.after.shelf.projection
        if state is not change.before.explore or view != before:
            self._show_view(change.after)

    def _show_view(self, document: Document) -> None:
        state = document.explore
        assert state is not None
        self.panel.show_view(document.shelf.projection)
        edited = state.source is not None and bool((state.latent != state.start).any())
        self.panel.edits.setVisible(edited)
        if state.seed is not None:
            self.panel.seed.setValue(state.seed)
        box, source = self.panel.box, state.source
        if source is None and box.painting:
            self.panel.set_painting(False)  # there is nothing to paint on any more
        shown = source is not None or self.live.found is not None
        box.show_source(source is not None, shown, source is not None and source.painted is not None)
        if source is not None:
            self.panel.show_input(bgrx(source.seen), "Input", source.title)
            box.show_colours_of(source.picture, source.seen)

    def _show_plan(self, plan: ProjectionPlan | str) -> None:
        if not self._active or self._model is None:
            return
        self._status.setVisible(isinstance(plan, str))
        if isinstance(plan, str):
            self._status.setText(plan)
        self.panel.show_dataset(*self._usual(plan))
        if self.live.found is None:
            self.tiles.show_nothing()
            self.panel.show_norm(None)

    def _usual(self, plan: ProjectionPlan | str) -> tuple[str, bool]:
        """Return what the dataset is where nobody chooses it, and whether there is a picture to encode."""
        state = self._workspace.explore.state
        encoded = state is not None and state.source is not None
        word = "auto" if encoded else "as in Explore"
        if not isinstance(plan, str) and plan.guessed:
            word = f"{word} ({plan.dataset})"
        return word, encoded

    def _show_live(self, found: LiveProjected) -> None:
        if not self._active or self._model is None:
            return
        size = found.latent.size
        self.panel.show_norm(found.norm, norm_words(found.norm, size), is_known(found.norm, size))
        self.tiles.show_frame(found.pixels, self._words(found))
        if found.source is None:
            state = self._workspace.explore.state
            self.panel.box.show_source(False, True, False)
            self.panel.show_input(
                found.pixels[found.plan.own], "Latent", "" if state is None else state.origin
            )

    def _words(self, found: LiveProjected) -> list[TileWords]:
        """Return what stands below each picture."""
        plan = found.plan
        saids = [found.said(k) for k in range(len(plan.datasets))]
        told = [self._comparable(plan.dataset, name) for name in plan.datasets]
        changed = changes_of_all(found.said_of_source, saids, plan.own, told)
        return [
            self._words_of(name, [_plain(line) for line in lines], k == plan.own, found)
            for k, (name, lines) in enumerate(zip(plan.datasets, changed, strict=True))
        ]

    def _words_of(self, name: str, lines: list[str], own: bool, found: LiveProjected) -> TileWords:
        role = "" if not own else REFERENCE if found.source is None else RECONSTRUCTION
        what, nothing = ("in the input", NOTHING_LOST) if own else ("on its own dataset", NOTHING_CHANGES)
        silent = not self._classes or role == REFERENCE  # nobody judges, or it is compared with itself
        quiet = [] if lines or silent else [nothing]
        shown = shortened(lines, MOST_CHANGES) or quiet
        listed = [f"Predicted otherwise than {what}:", *lines] if lines else []
        tip = "\n".join([f"{name}, {role}" if role else name, *listed, HINT])
        return TileWords(name, role, tuple(shown), min(len(lines), MOST_CHANGES), tip)


def _plain(change: str) -> str:
    """Write a change so that it needs little room: ``hair color: brown to black 91%``."""
    return change.replace(" (", " ").rstrip(")")
