"""The Analogies screen's samples: the same z on every dataset live, and settled for exports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from latentlab.errors import SettingsError
from latentlab.live.frames import Failed, Frame
from latentlab.operations.attribute_table import Probabilities
from latentlab.operations.projection_plan import AUTO, no_projection, projection_condition
from latentlab.operations.sample_plan import Sample, draw_samples
from latentlab.session.batches import Batch
from latentlab.session.document import Document, Explore, Shelf, Source
from latentlab.session.follower import Follower
from latentlab.session.projection import GUESSING, NO_MODEL, NOT_ENCODED, ProjectionMaker, chosen_dataset
from latentlab.session.rendering import Rendering
from latentlab.session.sample_input import SampleInput
from latentlab.session.sample_scene import (
    Cell,
    SampleInputRow,
    Scene,
    StripPlan,
    blend_of,
    column_blend,
    dataset_of,
    sample_of,
    scene_of,
)
from latentlab.session.session import Message
from latentlab.session.workspace import Workspace

if TYPE_CHECKING:
    from latentlab.operations.explore import Explorer
    from latentlab.operations.sample_grid import SampleGrid
    from latentlab.operations.series import Series

FAILED = "The samples could not be rendered."

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class LiveSampled:
    """Samples as they were rendered together.

    Parameters
    ----------
    scene
        What they are.
    grid, blend
        Frames ``[R K]`` of the datasets row by row, and ``[R]`` of the blend; None without one.
    strip, here
        Frames ``[N]`` of the strip and ``[1]`` of where one stands on it; None without a strip. During a drag
        the strip may be that of an earlier state, or not there yet.
    """

    scene: Scene
    grid: Frame
    blend: Frame | None
    strip: Frame | None
    here: Frame | None

    @property
    def pixels(self) -> Pixels:
        """Uint8 ``[R K, S, S, 4]``, BGRX, row by row, with the blend as each row's last."""
        return _joined(self.grid.pixels, None if self.blend is None else self.blend.pixels, self._rows)

    def said(self, row: int, column: int) -> Probabilities:
        """Return what the predictor says of one picture; empty without one."""
        columns = len(self.scene.plan.columns)
        if self.blend is not None and column == columns - 1:
            return _said(self.blend.attributes, row)
        return _said(self.grid.attributes, row * (len(self.grid.pixels) // self._rows) + column)

    @property
    def _rows(self) -> int:
        return len(self.scene.plan.samples)


class _Part:
    """One batch of the samples: rendered when what it shows has changed, and told when it is there."""

    def __init__(self, rendering: Rendering, channel: str, answered: Callable[[], None]) -> None:
        self._batch = Batch(rendering, channel)
        self._batch.arrived.connect(self._take)
        self._batch.failed.connect(self._fail)
        self._answered = answered
        self._asked: tuple[int, NDArray[np.float32], NDArray[np.float32]] | None = None
        self._shown: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
        self.frame: Frame | None = None
        self.failed = False

    @property
    def waiting(self) -> bool:
        return self._asked is not None

    def shows(self, latents: NDArray[np.float32], conditions: NDArray[np.float32]) -> bool:
        shown = self._shown
        if self.frame is None or shown is None:
            return False
        return np.array_equal(shown[0], latents) and np.array_equal(shown[1], conditions)

    def ask(self, latents: NDArray[np.float32], conditions: NDArray[np.float32]) -> None:
        if self.shows(latents, conditions):
            return
        generation = self._batch.ask(latents, conditions)
        if generation is not None:
            self._asked = generation, latents, conditions

    def forget(self) -> None:
        self._batch.drop()
        self._asked = self._shown = self.frame = None

    def _take(self, frame: Frame) -> None:
        if self._asked is not None and frame.generation == self._asked[0]:
            self._shown, self.frame, self._asked = self._asked[1:], frame, None
            self._answered()

    def _fail(self, _failed: Failed) -> None:
        if self._asked is not None:
            self._asked = self._shown = self.frame = None
            self.failed = True
            self._answered()


class LiveSamples(Follower):
    """Has the samples rendered live: one state of the settings after the other, each whole.

    While a slider moves, a state that has been begun is finished, and the newest follows. The strip comes
    after the grid, when nothing newer is waiting.

    Attributes
    ----------
    arrived
        The pictures (`LiveSampled`).
    refused
        There are none: why, in words.
    found, refusal
        The newest pictures; where there are none, and will be none, why.
    """

    arrived = Signal(LiveSampled)
    refused = Signal(str)

    def __init__(self, workspace: Workspace, maker: ProjectionMaker) -> None:
        super().__init__(workspace)
        self._input = SampleInput(workspace, maker)
        self._input.known.connect(self._have_input)
        rendering = workspace.rendering
        self._grid, self._blend, self._strip, self._here = (
            _Part(rendering, f"samples {name}", self._go_on) for name in ("grid", "blend", "strip", "here")
        )
        self._wanted = False
        self._rendering: Scene | None = None
        self._strip_of: StripPlan | None = None  # what the strip's frame shows, or will
        self.found: LiveSampled | None = None
        self.refusal = ""

    @property
    def waiting(self) -> bool:
        """Whether pictures of the newest settings are still to come."""
        return self._wanted or self._rendering is not None or self.refusal == GUESSING

    @property
    def settled_refusal(self) -> bool:
        """Whether there is nothing to show, and that will stay so."""
        return bool(self.refusal) and self.refusal != GUESSING

    def watched(self, document: Document) -> tuple[object, ...]:
        """Return the settings, the picture where it is a row, and the pins."""
        shelf, state = document.shelf, document.explore
        source = None if state is None else _row_source(state, shelf)
        return shelf.samples, shelf.projection, source, shelf.pins

    def refresh(self) -> None:
        """Render the samples as they are set now."""
        self._wanted = True
        self._go_on()

    def cell(self, row: int, column: int) -> Cell | None:
        """Return one picture of the grid that is shown; None where there is none."""
        found = self.found
        if found is None or not (0 <= row < len(found.scene.plan.samples)):
            return None
        return found.scene.cell(row, column) if 0 <= column < len(found.scene.plan.columns) else None

    def _attach(self, attached: bool) -> None:
        if not attached:  # what there is and is on its way belongs to the model that is left
            self._forget()
            self._input.forget()
        super()._attach(attached)

    def _forget(self) -> None:
        for part in self._parts:
            part.forget()
        self._rendering, self._wanted, self.found, self.refusal = None, False, None, ""

    @property
    def _parts(self) -> tuple[_Part, ...]:
        return self._grid, self._blend, self._strip, self._here

    def _have_input(self) -> None:
        if self._active and self.ready:
            self.refresh()

    def _go_on(self) -> None:
        """Show what has been rendered, and begin with the newest settings."""
        if any(part.waiting for part in self._parts):
            return
        if self._rendering is not None:
            self._show(self._rendering)
            if self._rendering is not None:
                return  # the strip is being rendered
        if not self._wanted or not self._active or not self.ready:
            return
        found = self._input_row()
        if isinstance(found, str):
            if found:
                self._refuse(found)
            return  # else it is being encoded
        self._wanted = False
        try:
            scene = scene_of(self.spec, self.shelf, found)
        except SettingsError as error:
            self._refuse(str(error))
            return
        self.refusal = ""
        self._rendering = scene
        self._ask(scene)

    def _ask(self, scene: Scene) -> None:
        latents = np.stack([one.latent for one in scene.plan.samples])
        conditions = np.stack([one.condition for one in scene.plan.columns])
        count = len(conditions) - scene.blended
        self._grid.ask(np.repeat(latents, count, axis=0), np.tile(conditions[:count], (len(latents), 1)))
        if scene.blended:
            self._blend.ask(latents, np.repeat(conditions[-1:], len(latents), axis=0))
        if not isinstance(scene.strip, str):
            here = scene.strip.here
            self._here.ask(here.sample.latent[None], here.condition[None])
        self._go_on()  # where nothing but words has changed

    def _show(self, scene: Scene) -> None:
        """Show what has been rendered of a state, and go on with its strip where that is to be done."""
        self._rendering = None
        grid, strip = self._grid.frame, scene.strip
        blend = self._blend.frame if scene.blended else None
        here = None if isinstance(strip, str) else self._here.frame
        missing = (scene.blended and blend is None) or (not isinstance(strip, str) and here is None)
        if grid is None or missing or self._strip.failed:
            self._strip.failed = False
            self.found, self.refusal = None, FAILED
            self.refused.emit(FAILED)
            return
        frame = None if isinstance(strip, str) else self._strip_frame(strip)
        self.found = LiveSampled(scene, grid, blend, frame, here)
        self.arrived.emit(self.found)
        if isinstance(strip, str) or self._wanted:
            return
        if not self._strip.shows(strip.latents, strip.conditions):
            self._rendering, self._strip_of = scene, strip
            self._strip.ask(strip.latents, strip.conditions)
            if not self._strip.waiting:  # nobody renders any more
                self._rendering = None

    def _strip_frame(self, strip: StripPlan) -> Frame | None:
        """Return the strip's pictures, or during a drag those of an earlier state, of the same kind."""
        frame, of = self._strip.frame, self._strip_of
        alike = frame is not None and of is not None and of.kind == strip.kind
        return frame if alike and of is not None and len(of.latents) == len(strip.latents) else None

    def _refuse(self, why: str) -> None:
        for part in self._parts:
            part.forget()
        self._wanted, self.found, self.refusal = False, None, why
        self.refused.emit(why)

    def _input_row(self) -> SampleInputRow | str | None:
        """Return the first row's picture, None without; or why it is not there, empty while it is encoded."""
        state, opened = self.state, self._workspace.opened
        if opened is None or state is None:
            return NO_MODEL
        why = no_projection(opened.spec, opened.name)
        if why or state.source is None or not self.shelf.samples.with_input:
            return why or None
        dataset = self._input.dataset(opened, state.source, self.shelf.projection)
        if isinstance(dataset, Message):
            return dataset.text
        if not dataset:
            return GUESSING
        told = projection_condition(opened.spec.condition, dataset, self.shelf.projection.keep)
        return self._encoded(state.source, told)

    def _encoded(self, source: Source, told: NDArray[np.float32]) -> SampleInputRow | str:
        encoded = self._input.encoded(source, told)
        if encoded is not None:
            return SampleInputRow(source, encoded)
        if self._input.failed:
            self._input.failed = False
            return NOT_ENCODED
        if not self._input.waits_for(source, told):
            self._input.ask(source, told)
        return ""


class SampleMaker(ProjectionMaker):
    """Draws the samples settled, for exports, on a thread of its own; the input is encoded anew there."""

    def make_grid(self, then: Callable[[SampleGrid | Message], None]) -> None:
        """Draw the grid as it is set now, and give it, or why not."""
        self._do(_grid, then, "The samples could not be rendered")

    def make_strip(self, then: Callable[[Series | Message], None]) -> None:
        """Draw the strip as it is set now, and give it, or why not."""
        self._do(_strip, then, "The strip could not be rendered")

    def make_picture(self, cell: Cell, then: Callable[[Pixels | Message], None]) -> None:
        """Draw one picture, and give it as uint8 ``[S, S, 3]``, RGB, or why not."""

        def drawn(explorer: Explorer, _state: Explore, _shelf: Shelf) -> Pixels:
            return explorer.picture(cell.sample.latent, cell.condition)

        self._do(drawn, then, "The picture could not be rendered")


def _grid(explorer: Explorer, state: Explore, shelf: Shelf) -> SampleGrid:
    from latentlab.operations.sample_grid import sample_grid

    blend = column_blend(explorer.spec.condition, shelf.samples.strip)
    samples = _samples(explorer, shelf, _row_source(state, shelf))
    return sample_grid(explorer, samples, keep=shelf.projection.keep, blend=blend)


def _strip(explorer: Explorer, state: Explore, shelf: Shelf) -> Series:
    from latentlab.operations.sample_grid import blend_series, way_series

    strip, schema, keep = shelf.samples.strip, explorer.spec.condition, shelf.projection.keep
    source = _row_source(state, shelf)
    samples = _samples(explorer, shelf, source)
    start = sample_of(strip.start, shelf, samples, source is not None)
    if strip.kind == "blend":
        pair = blend_of(schema, strip)
        return blend_series(explorer, start, pair.first, pair.second, keep=keep)
    end = sample_of(strip.end, shelf, samples, source is not None)
    dataset = dataset_of(schema, strip)
    return way_series(explorer, start, end, dataset, steps=strip.steps, kind=strip.path, keep=keep)


def _row_source(state: Explore, shelf: Shelf) -> Source | None:
    """Return the picture that is the first row; None without one."""
    return state.source if shelf.samples.with_input else None


def _samples(explorer: Explorer, shelf: Shelf, source: Source | None) -> tuple[Sample, ...]:
    """Return the rows as they are set, with that of a picture first."""
    from latentlab.operations.sample_grid import input_sample

    view = shelf.samples
    drawn = draw_samples(explorer.spec, [row.seed for row in view.rows], view.truncation)
    if source is None:
        return drawn
    dataset = chosen_dataset(explorer.spec.condition, shelf.projection) or AUTO
    picture, keep = source.seen, shelf.projection.keep
    return (input_sample(explorer, picture, source=dataset, keep=keep, name=source.title), *drawn)


def _joined(grid: Pixels, blend: Pixels | None, rows: int) -> Pixels:
    if blend is None:
        return grid
    split = grid.reshape(rows, -1, *grid.shape[1:])
    joined: Pixels = np.concatenate([split, blend[:, None]], axis=1)
    return joined.reshape(-1, *grid.shape[1:])


def _said(attributes: Mapping[str, NDArray[np.float32]], index: int) -> Probabilities:
    return {name: rows[index] for name, rows in attributes.items()}
