"""The Analogies screen's work: the picture's projections onto all datasets live, and settled for exports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from latentlab.errors import SettingsError
from latentlab.live.frames import Encoded, Failed, Frame
from latentlab.operations.attribute_table import Probabilities
from latentlab.operations.projection_plan import (
    AUTO,
    ProjectionPlan,
    latent_norm,
    no_projection,
    projection_plan,
    told_dataset,
)
from latentlab.session.background import Background
from latentlab.session.batches import Batch
from latentlab.session.dataset_guess import DatasetGuess
from latentlab.session.document import Document, Explore, ProjectionView, Shelf, Source
from latentlab.session.explore import given
from latentlab.session.follower import Follower
from latentlab.session.kept_explorer import KeptExplorer, ModelKey
from latentlab.session.session import Message, Session
from latentlab.session.telling import answered
from latentlab.session.workspace import Workspace
from latentlab.spec import ConditionSchema

if TYPE_CHECKING:
    from latentlab.operations.explore import Explorer
    from latentlab.operations.project import Projected

Made = TypeVar("Made")

GUESSING = "The dataset of the picture is being guessed."
NOT_ENCODED = "The picture could not be encoded."
NO_MODEL = "No model is open. Open a checkpoint first."


@dataclass(frozen=True, eq=False)
class LiveProjected:
    """A picture's projections as they were rendered together.

    Parameters
    ----------
    plan
        What they are.
    source
        The picture; None for a latent that was not made from one.
    latent
        z, float32 ``[*latent_shape]``.
    encoded
        What the encoder made of the picture; None without one.
    pixels
        Uint8 ``[K, S, S, 4]``, BGRX: one a dataset.
    attributes
        Their probabilities ``[K, classes]`` by attribute; empty without a predictor.
    """

    plan: ProjectionPlan
    source: Source | None
    latent: NDArray[np.float32]
    encoded: Encoded | None
    pixels: NDArray[np.uint8]
    attributes: Mapping[str, NDArray[np.float32]]

    def said(self, index: int) -> Probabilities:
        """Return what the predictor says of one of the pictures."""
        return {name: rows[index] for name, rows in self.attributes.items()}

    @property
    def said_of_source(self) -> Probabilities:
        """What the predictor says of the picture; without one, of the projection onto its own dataset."""
        return self.said(self.plan.own) if self.encoded is None else self.encoded.source_attributes

    @property
    def norm(self) -> float:
        """|z| / sqrt(D)."""
        return latent_norm(self.latent)


@dataclass(frozen=True, eq=False)
class _Asked:
    """What is being encoded, or rendered: then the latent is known."""

    plan: ProjectionPlan
    source: Source | None
    latent: NDArray[np.float32]
    encoded: Encoded | None = None


class LiveProjections(Follower):
    """Plans the projections of the picture (or of a latent without one), and has them rendered live.

    The picture is encoded as one of its dataset, in the mode that is set, and then decoded as one of each:
    during a drag one state after the other goes this way whole, and the newest follows.

    Attributes
    ----------
    planned
        There is a plan (`ProjectionPlan`), or none: then why, in words (`str`).
    arrived
        The pictures (`LiveProjected`).
    """

    planned = Signal(object)
    arrived = Signal(LiveProjected)

    def __init__(self, workspace: Workspace, maker: ProjectionMaker) -> None:
        super().__init__(workspace)
        self._guess = DatasetGuess(maker, self._have_guessed)
        self._batch = Batch(workspace.rendering, "projections")
        self._batch.arrived.connect(self._take)
        self._batch.failed.connect(lambda _failed: self._go_on())
        workspace.beside.encoded.connect(self._take_encoded)
        workspace.beside.failed.connect(self._fail)
        self._wish: _Asked | None = None
        self._encoding: _Asked | None = None
        self._rendering: tuple[int, _Asked] | None = None
        self.plan: ProjectionPlan | None = None
        self.refusal = ""
        self.found: LiveProjected | None = None

    @property
    def waiting(self) -> bool:
        """Whether pictures of the newest plan are still to come."""
        on_its_way = self._wish is not None or self._workspace.beside.waiting or self._batch.waiting
        return on_its_way or self._workspace.painted.waiting

    @property
    def settled_refusal(self) -> bool:
        """Whether there is nothing to show, and that will stay so."""
        return bool(self.refusal) and self.refusal != GUESSING

    def watched(self, document: Document) -> tuple[object, ...]:
        """Return picture or latent, the dataset of the latter, and view."""
        state, view = document.explore, document.shelf.projection
        if state is None or state.source is not None:
            return None if state is None else state.source, None, None, view
        return None, state.latent, state.condition, view

    def refresh(self) -> None:
        """Plan and render the projections of the state as it is now."""
        state, plan = self.state, self._planned()
        assert state is not None
        if self.found is not None and not _is_of_source(self.found.source, state):
            self._batch.drop()  # the pictures of another one would stand beside this
            self.found = None
        if isinstance(plan, str):
            self._give_up(plan)
            return
        self.plan, self.refusal = plan, ""
        self.planned.emit(plan)
        self._wish = _Asked(plan, state.source, state.latent)
        self._go_on()

    def _give_up(self, why: str) -> None:
        self._batch.drop()
        self._wish = self._encoding = self.plan = self.found = None
        self.refusal = why
        self.planned.emit(why)

    def _planned(self) -> ProjectionPlan | str:
        """Return the plan of the state as it is now, or why there is none."""
        opened, state, view = self._workspace.opened, self.state, self.shelf.projection
        if opened is None or state is None:
            return NO_MODEL
        why = no_projection(opened.spec, opened.name)
        if why:
            return why
        schema = opened.spec.condition
        dataset = chosen_dataset(schema, view)
        guess: str | Message = dataset
        if not dataset and state.source is not None:
            guess = self._guess.of(opened, state.source)
        elif not dataset:
            assert state.condition is not None
            guess = told_dataset(schema, state.condition)
        if isinstance(guess, Message):
            return guess.text
        return projection_plan(schema, guess, not dataset, view.keep) if guess else GUESSING

    def _have_guessed(self) -> None:
        if self.active and self.ready:
            self.refresh()

    def _attach(self, attached: bool) -> None:
        if not attached:  # what there is and is on its way belongs to the model that is left
            self._wish = self._encoding = self._rendering = self.plan = self.found = None
            self.refusal = ""
        super()._attach(attached)

    def _go_on(self) -> None:
        """Begin with the newest wish as soon as what has been begun is shown."""
        if self._wish is None or self._workspace.beside.waiting or self._batch.waiting:
            return
        wish, self._wish = self._wish, None
        if wish.source is None:
            self._render(wish)
            return
        last, known = self.found, None
        if last is not None and last.source is not None and last.encoded is not None:
            known = last.source, last.encoded
        encoded = known_encoding(wish.source, wish.plan.told, known)
        if encoded is not None:
            self._render(replace(wish, encoded=encoded, latent=encoded.mean))
            return
        self._encoding = wish
        self._workspace.beside.ask(given(wish.source), wish.plan.told)

    def _take_encoded(self, encoded: Encoded) -> None:
        wish, self._encoding = self._encoding, None
        if wish is not None and self.state is not None and _is_of_source(wish.source, self.state):
            self._render(replace(wish, encoded=encoded, latent=encoded.mean))
        else:
            self._go_on()

    def _fail(self, _failed: Failed) -> None:
        if self._encoding is not None:
            self._give_up(NOT_ENCODED)

    def _render(self, wish: _Asked) -> None:
        plan = wish.plan
        latent = wish.latent.reshape(self.spec.latent_shape)
        generation = self._batch.ask(np.repeat(latent[None], len(plan.conditions), axis=0), plan.conditions)
        if generation is not None:
            self._rendering = generation, wish

    def _take(self, frame: Frame) -> None:
        if self._rendering is not None and self._rendering[0] == frame.generation:
            wish, self._rendering = self._rendering[1], None
            self.found = LiveProjected(
                wish.plan, wish.source, wish.latent, wish.encoded, frame.pixels, dict(frame.attributes)
            )
            self.arrived.emit(self.found)
        self._go_on()


class ProjectionMaker:
    """Projects settled, for exports, and guesses datasets by likelihood, on a thread of its own."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._background = Background(workspace.rendering.post, "projections")
        self._explorer = KeptExplorer()

    def guess(self, picture: NDArray[np.uint8], then: Callable[[str | Message], None]) -> None:
        """Guess the dataset of a picture uint8 ``[S, S, 3]``, and give it, or why not."""
        key = ModelKey.of(self._workspace.session.document)
        if key is None:
            then(Message("error", NO_MODEL))
            return

        def guess() -> str:
            from latentlab.operations.project import guess_dataset

            return guess_dataset(self._explorer.open(key), picture)

        self._background.do(guess, then, "The dataset could not be guessed")

    def make(self, then: Callable[[Projected | Message], None]) -> None:
        """Make the projections settled, as they are set now, and give them, or why not."""
        self._do(_projected, then, "The projections could not be rendered")

    def close(self) -> None:
        """Stop the work and its thread."""
        self._background.close(drop=True)

    def _do(
        self,
        made: Callable[[Explorer, Explore, Shelf], Made],
        then: Callable[[Made | Message], None],
        failure: str,
    ) -> None:
        """Make something of the model and what is set now, and give it, or why not."""
        document, opened = self._workspace.session.document, self._workspace.opened
        key, state = ModelKey.of(document), document.explore
        if key is None or state is None or opened is None:
            then(Message("error", NO_MODEL))
            return
        why = no_projection(opened.spec, opened.name)
        if why:
            then(Message("error", why))
            return
        shelf = document.shelf
        self._background.do(lambda: made(self._explorer.open(key), state, shelf), then, failure)


def _projected(explorer: Explorer, state: Explore, shelf: Shelf) -> Projected:
    from latentlab.operations.project import project, project_latent

    schema, view = explorer.spec.condition, shelf.projection
    if state.source is None:
        dataset = latent_dataset(schema, state, view)
        return project_latent(explorer, state.latent, dataset, keep=view.keep, name=state.origin)
    picture = state.source.seen
    dataset = chosen_dataset(schema, view) or AUTO
    return project(explorer, picture, source=dataset, keep=view.keep, name=state.origin)


def known_encoding(
    source: Source, told: NDArray[np.float32], last: tuple[Source, Encoded] | None
) -> Encoded | None:
    """Return a picture as it has been encoded under a condition ``[C]`` already, if it has.

    It may be in the document so, or be the ``last`` one that was encoded for the view.
    """
    own = None if source.pending else source.encoded
    again = last[1] if last is not None and last[0].is_same(source) else None
    for encoded in (own, again):
        if encoded is not None and np.array_equal(np.asarray(encoded.condition), told):
            return encoded
    return None


def chosen_dataset(schema: ConditionSchema, view: ProjectionView) -> str:
    """Return the dataset that a view says, where the model knows it; else the empty string."""
    return view.dataset if view.dataset in schema.attributes[0].classes else ""


def latent_dataset(schema: ConditionSchema, state: Explore, view: ProjectionView) -> str:
    """Return the dataset with which a latent's pictures are compared: as chosen, or the decoder's."""
    if state.condition is None:
        raise SettingsError(NO_MODEL)
    return chosen_dataset(schema, view) or told_dataset(schema, state.condition)


def take_projection(session: Session, found: LiveProjected, place: int) -> None:
    """Let Explore go on with a projection."""
    plan = found.plan
    take_encoded(session, found.source, found.encoded, plan.datasets[place], plan.conditions[place])


def take_encoded(
    session: Session,
    source: Source | None,
    encoded: Encoded | None,
    dataset: str,
    condition: NDArray[np.float32],
) -> None:
    """Let Explore go on with the picture as it was encoded for a view, decoded as a dataset.

    Where there is no picture, it is the latent that goes on. Edits of the latent are not in the picture that
    is seen, so they are left behind.
    """
    state = session.document.explore
    if state is None or not _is_of_source(source, state) or not _is_newest(source, state):
        return
    condition = np.array(condition)
    condition.setflags(write=False)
    taken = replace(_encoded_so(state, encoded), condition=condition)
    if taken.linked != state.linked or not taken.is_alike(state):
        name = f"Take the projection onto {dataset}"
        session.change(name, replace(session.document, explore=taken))


def _encoded_so(state: Explore, encoded: Encoded | None) -> Explore:
    """Return a state that sets out from the picture as it was encoded for a view."""
    if encoded is None or state.source is None:
        return state
    told = state if encoded is state.source.encoded else answered(state, encoded)
    return replace(told, latent=told.start, linked=False)


def _is_newest(source: Source | None, state: Explore) -> bool:
    """Whether nothing has been painted since."""
    return source is None or state.source is None or source.is_same(state.source)


def _is_of_source(source: Source | None, state: Explore) -> bool:
    """Whether a picture is the state's; a painted one changes with every stroke, and remains the same one.

    Without a picture it is the latent, whose projections change with every move of it.
    """
    there = state.source
    return source is there if source is None or there is None else source.is_of(there)
