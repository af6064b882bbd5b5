"""The Analogies screen's work: the picture's projections onto all datasets live, and settled for exports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from latentlab.errors import SettingsError
from latentlab.live.frames import Encoded, Failed, Frame
from latentlab.operations.attribute_table import Probabilities
from latentlab.operations.projection_plan import (
    AUTO,
    ProjectionPlan,
    judged_dataset,
    latent_norm,
    no_projection,
    projection_plan,
    told_dataset,
)
from latentlab.session.background import Background
from latentlab.session.batches import Batch
from latentlab.session.document import Document, Explore, ProjectionView, Source
from latentlab.session.explore import given
from latentlab.session.follower import Follower
from latentlab.session.kept_explorer import KeptExplorer, ModelKey
from latentlab.session.session import Message, Session
from latentlab.session.telling import answered
from latentlab.session.workspace import Workspace
from latentlab.spec import ConditionSchema

if TYPE_CHECKING:
    from latentlab.operations.project import Projected

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
        self._maker = maker
        self._batch = Batch(workspace.rendering, "projections")
        self._batch.arrived.connect(self._take)
        self._batch.failed.connect(lambda _failed: self._go_on())
        workspace.beside.encoded.connect(self._take_encoded)
        workspace.beside.failed.connect(self._fail)
        self._guessed: tuple[str, Source, str | Message] | None = None
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
        if self.found is not None and not _is_of(self.found, state):
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
        guess = dataset or self._guess(state)
        if isinstance(guess, Message):
            return guess.text
        return projection_plan(schema, guess, not dataset, view.keep) if guess else GUESSING

    def _guess(self, state: Explore) -> str | Message:
        """Return the dataset of the picture, or that the decoder is told; empty while it is being guessed."""
        opened = self._workspace.opened
        assert opened is not None
        schema = opened.spec.condition
        if state.source is None:
            assert state.condition is not None
            return told_dataset(schema, state.condition)
        encoded = state.source.encoded
        judged = judged_dataset(schema, encoded.source_attributes, opened.predictor)
        return judged or self._guess_by_likelihood(opened.sha256, state.source)

    def _guess_by_likelihood(self, sha256: str, source: Source) -> str | Message:
        """Return the dataset that a model guesses; empty while it does, which is once for a picture.

        A picture that is painted on is guessed anew after each stroke; the former guess holds until then.
        """
        known = self._guessed
        former = known if known is not None and known[0] == sha256 and known[1].is_of(source) else None
        if former is None or not (former[1].is_same(source) or source.pending):
            self._guessed = sha256, source, "" if former is None else former[2]
            self._maker.guess(source.seen, partial(self._have_guessed, sha256, source))
        assert self._guessed is not None
        return self._guessed[2]

    def _have_guessed(self, sha256: str, source: Source, answer: str | Message) -> None:
        known = self._guessed
        if known is not None and known[0] == sha256 and known[1].is_same(source):
            self._guessed = sha256, source, answer
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
        encoded = self._known(wish)
        if encoded is not None:
            self._render(replace(wish, encoded=encoded, latent=encoded.mean))
            return
        self._encoding = wish
        self._workspace.beside.ask(given(wish.source), wish.plan.told)

    def _known(self, wish: _Asked) -> Encoded | None:
        """Return the picture as it has been encoded already as is wished, if it has."""
        source, last = wish.source, self.found
        assert source is not None
        again = last is not None and last.source is not None and last.source.is_same(source)
        own = None if source.pending else source.encoded
        for encoded in (own, last.encoded if last is not None and again else None):
            if encoded is not None and np.array_equal(np.asarray(encoded.condition), wish.plan.told):
                return encoded
        return None

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
        document, opened = self._workspace.session.document, self._workspace.opened
        key, state = ModelKey.of(document), document.explore
        if key is None or state is None or opened is None:
            then(Message("error", NO_MODEL))
            return
        why = no_projection(opened.spec, opened.name)
        if why:
            then(Message("error", why))
            return
        view, schema = document.shelf.projection, opened.spec.condition
        self._background.do(
            partial(self._made, key, schema, state, view), then, "The projections could not be rendered"
        )

    def close(self) -> None:
        """Stop the work and its thread."""
        self._background.close(drop=True)

    def _made(
        self, key: ModelKey, schema: ConditionSchema, state: Explore, view: ProjectionView
    ) -> Projected:
        from latentlab.operations.project import project, project_latent

        explorer = self._explorer.open(key)
        if state.source is None:
            dataset = latent_dataset(schema, state, view)
            return project_latent(explorer, state.latent, dataset, keep=view.keep, name=state.origin)
        picture = state.source.seen
        dataset = chosen_dataset(schema, view) or AUTO
        return project(explorer, picture, source=dataset, keep=view.keep, name=state.origin)


def chosen_dataset(schema: ConditionSchema, view: ProjectionView) -> str:
    """Return the dataset that a view says, where the model knows it; else the empty string."""
    return view.dataset if view.dataset in schema.attributes[0].classes else ""


def latent_dataset(schema: ConditionSchema, state: Explore, view: ProjectionView) -> str:
    """Return the dataset with which a latent's pictures are compared: as chosen, or the decoder's."""
    if state.condition is None:
        raise SettingsError(NO_MODEL)
    return chosen_dataset(schema, view) or told_dataset(schema, state.condition)


def take_projection(session: Session, found: LiveProjected, place: int) -> None:
    """Let Explore go on with a projection: the picture as it was encoded for it, decoded as that dataset.

    Edits of the latent are not in the picture that is seen, so they are left behind.
    """
    state = session.document.explore
    if state is None or not _is_of(found, state) or not _is_newest(found, state):
        return
    condition = np.array(found.plan.conditions[place])
    condition.setflags(write=False)
    taken = replace(_encoded_so(state, found), condition=condition)
    if not _is_alike(taken, state):
        name = f"Take the projection onto {found.plan.datasets[place]}"
        session.change(name, replace(session.document, explore=taken))


def _encoded_so(state: Explore, found: LiveProjected) -> Explore:
    """Return a state that sets out from the picture as it was encoded for its projections."""
    if found.encoded is None or state.source is None:
        return state
    told = state if found.encoded is state.source.encoded else answered(state, found.encoded)
    return replace(told, latent=told.start, linked=False)


def _is_alike(one: Explore, other: Explore) -> bool:
    pairs = ((one.start, other.start), (one.latent, other.latent), (one.condition, other.condition))
    return one.linked == other.linked and all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in pairs)


def _is_of(found: LiveProjected, state: Explore) -> bool:
    """Whether projections are those of a state's picture; a latent's change with every move of it."""
    return _is_of_source(found.source, state)


def _is_newest(found: LiveProjected, state: Explore) -> bool:
    """Whether nothing has been painted since."""
    return found.source is None or state.source is None or found.source.is_same(state.source)


def _is_of_source(source: Source | None, state: Explore) -> bool:
    """Whether a picture is the state's; a painted one changes with every stroke, and remains the same one."""
    there = state.source
    return source is there if source is None or there is None else source.is_of(there)
