"""The Counterfactuals screen's work: those of the edited picture live, a set's page on its own thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from latentlab.errors import SettingsError
from latentlab.live.frames import Frame
from latentlab.operations.attribute_table import Probabilities
from latentlab.operations.counterfactual_plan import CounterfactualPlan, row, table
from latentlab.progress import Progress, Reporter
from latentlab.session.background import Background
from latentlab.session.batches import Batch
from latentlab.session.document import CounterfactualView, Document
from latentlab.session.follower import Follower
from latentlab.session.kept_explorer import KeptExplorer, ModelKey
from latentlab.session.session import Message
from latentlab.session.workspace import Workspace
from latentlab.spec import ConditionSchema

if TYPE_CHECKING:
    from latentlab.operations.counterfactual import CounterfactualPage, Counterfactuals, Sort
    from latentlab.operations.explore import Explorer

UNCONDITIONAL = (
    "The open model is unconditional: nothing is told to it that could be told otherwise. Open a conditional "
    "VAE, such as faces-cvae."
)
STOPPED = "The page was stopped."
NO_CLASSES = "Nothing that is told to the open model has classes, so there are none to go through."


def chosen_attribute(schema: ConditionSchema, view: CounterfactualView) -> str:
    """Return the attribute that is gone through: the view's, or the condition's first with classes.

    Raises
    ------
    SettingsError
        If the condition has none with classes.
    """
    names = [one.name for one in schema.attributes if one.classes]
    if not names:
        raise SettingsError(NO_CLASSES if schema.size else UNCONDITIONAL)
    return view.attribute if view.attribute in names else names[0]


def page_sort(view: CounterfactualView, judged: bool) -> Sort:
    """Return the order of a view's page: without a predictor there is only the set's."""
    return view.sort if judged else "set"


@dataclass(frozen=True, eq=False)
class LivePictures:
    """The edited picture and its counterfactuals as they were rendered together.

    Parameters
    ----------
    plan
        What the counterfactuals are.
    pixels
        Uint8 ``[B + 1, S, S, 4]``, BGRX: one a cell of the plan, and the edited picture as the last.
    attributes
        Their probabilities ``[B + 1, classes]`` by attribute; empty without a predictor.
    """

    plan: CounterfactualPlan
    pixels: NDArray[np.uint8]
    attributes: Mapping[str, NDArray[np.float32]]

    def picture(self, index: int) -> NDArray[np.uint8]:
        """Return one of the pictures, uint8 ``[S, S, 3]``, RGB; -1 is the edited one."""
        return np.ascontiguousarray(self.pixels[index][..., 2::-1])

    def said(self, index: int) -> Probabilities:
        """Return what the predictor says of one of the pictures."""
        return {name: rows[index] for name, rows in self.attributes.items()}


class LiveCounterfactuals(Follower):
    """Plans the edited picture's counterfactuals, and has them rendered live while one looks.

    Attributes
    ----------
    planned
        There is a plan (`CounterfactualPlan`), or none: then why, in words (`str`).
    arrived
        The pictures (`LivePictures`).
    """

    planned = Signal(object)
    arrived = Signal(LivePictures)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._batch = Batch(workspace.rendering, "counterfactuals")
        self._batch.arrived.connect(self._take)
        self._plans: dict[int, CounterfactualPlan] = {}
        self.plan: CounterfactualPlan | None = None
        self.refusal = ""
        self.found: LivePictures | None = None

    @property
    def waiting(self) -> bool:
        """Whether pictures of the newest plan are still to come."""
        return self._batch.waiting

    def watched(self, document: Document) -> tuple[object, ...]:
        """Return latent, condition and view."""
        explore = document.explore
        latent, condition = (None, None) if explore is None else (explore.latent, explore.condition)
        return latent, condition, document.shelf.counterfactual

    def refresh(self) -> None:
        """Plan and render the counterfactuals of the state as it is now."""
        state, view = self.state, self.shelf.counterfactual
        assert state is not None
        if view.data:
            return
        try:
            plan = planned(self.spec.condition, state.condition, view)
        except SettingsError as error:
            self.plan, self.refusal, self.found = None, str(error), None
            self._batch.drop()
            self.planned.emit(self.refusal)
            return
        if self.plan is None or self.plan.targets != plan.targets:
            self._batch.drop()  # pictures of the former plan would stand under the wrong labels
            self.found = None
        self.plan, self.refusal = plan, ""
        self.planned.emit(plan)
        assert state.condition is not None
        conditions = np.concatenate([plan.conditions, state.condition[None]])
        generation = self._batch.ask(np.repeat(state.latent[None], len(conditions), axis=0), conditions)
        if generation is not None:
            self._plans = {g: p for g, p in self._plans.items() if p.targets == plan.targets}
            self._plans[generation] = plan

    def _take(self, frame: Frame) -> None:
        plan = self._plans.pop(frame.generation, None)
        for generation in [g for g in self._plans if g < frame.generation]:
            del self._plans[generation]
        if plan is not None:
            self.found = LivePictures(plan, frame.pixels, dict(frame.attributes))
            self.arrived.emit(self.found)


def planned(
    schema: ConditionSchema, condition: NDArray[np.float32] | None, view: CounterfactualView
) -> CounterfactualPlan:
    """Return the plan of a view of a picture with this condition ``[C]``.

    Raises
    ------
    SettingsError
        If the condition has no attribute with classes.
    """
    attribute = chosen_attribute(schema, view)
    assert condition is not None
    names = [one.name for one in schema.attributes if one.classes]
    if view.second in names and view.second != attribute:
        return table(schema, condition, attribute, view.second, view.scale)
    return row(schema, condition, attribute, view.scale)


@dataclass(frozen=True)
class _Page:
    """What a page is made from."""

    model: ModelKey
    view: CounterfactualView

    def is_made_as(self, other: _Page) -> bool:
        """Whether it has the pictures of another; order and threshold are no matter of drawing."""
        view = replace(self.view, sort=other.view.sort, threshold=other.view.threshold)
        return self.model == other.model and view == other.view


def _arranged(page: CounterfactualPage, asked: _Page) -> CounterfactualPage:
    """Return a page's pictures in the order, and with the threshold, that are asked for."""
    from latentlab.operations.counterfactual import rearranged

    sort = page_sort(asked.view, page.explorer.predictor_spec is not None)
    return rearranged(page, sort, asked.view.threshold)


class PageMaker:
    """Makes a set's page of counterfactuals, and whatever else needs the model once more, on its thread.

    Attributes
    ----------
    progressed
        How far the page has come (`Progress`).
    found_page
        The page is there (`CounterfactualPage`).
    stopped
        There is none: why, in words.
    page, failure
        The page, and why there is none; neither while it is on its way.
    """

    progressed = Signal(Progress)
    found_page = Signal(object)
    stopped = Signal(str)

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._post = workspace.rendering.post
        self._background = Background(self._post, "counterfactuals")
        self._reporter = Reporter()
        self._asked: _Page | None = None
        self._explorer = KeptExplorer()
        self.page: CounterfactualPage | None = None
        self.failure = ""
        self.busy = False

    def ask(self) -> None:
        """Make the page that the view says, unless it is there or on its way."""
        asked = self._wanted()
        if asked is None or asked == self._asked:
            return
        page = self.page if self._asked is not None and asked.is_made_as(self._asked) else None
        self._asked, self.page, self.failure, self.busy = asked, page, "", True
        self._reporter.cancel()  # the one before it
        self._reporter = reporter = Reporter(lambda done: self._post(partial(self._report, asked, done)))

        def make() -> CounterfactualPage:
            return self._made(asked, reporter) if page is None else _arranged(page, asked)

        self._background.do(make, partial(self._have, asked), "The page could not be made")

    def stop(self) -> None:
        """Stop the page that is being made, if one is."""
        if self.busy:
            self._reporter.cancel()
            self._asked = None
            self._fail(STOPPED)

    def again(self) -> None:
        """Make the page anew, where it failed or was stopped."""
        self._asked = None
        self.ask()

    def make_row(self, then: Callable[[Counterfactuals | Message], None]) -> None:
        """Make the edited picture's counterfactuals settled, as they are now, and give them, or why not."""
        document = self._workspace.session.document
        state, view, wanted = document.explore, document.shelf.counterfactual, self._wanted(False)
        opened = self._workspace.opened
        if state is None or state.condition is None or wanted is None or opened is None:
            then(Message("error", UNCONDITIONAL))
            return
        latent, condition = np.array(state.latent), np.array(state.condition)
        source = None if state.source is None else state.source.seen
        attribute, name = chosen_attribute(opened.spec.condition, view), state.origin
        plan = planned(opened.spec.condition, condition, view)
        second = view.second if plan.rows > 1 else None

        def make() -> Counterfactuals:
            from latentlab.operations.counterfactual import counterfactuals_of_latent

            return counterfactuals_of_latent(
                self._opened(wanted),
                latent,
                condition,
                attribute,
                second,
                scale=view.scale,
                threshold=view.threshold,
                source=source,
                name=name,
            )

        self._background.do(make, then, "The counterfactuals could not be rendered")

    def close(self) -> None:
        """Stop the work and its thread."""
        self._reporter.cancel()
        self._background.close(drop=True)

    def _wanted(self, page: bool = True) -> _Page | None:
        document, opened = self._workspace.session.document, self._workspace.opened
        view = document.shelf.counterfactual
        model = ModelKey.of(document)
        if model is None or opened is None or (page and not view.data):
            return None
        if page and not opened.spec.condition.size:
            return None
        shown = replace(view, second="", attribute=self._attribute(view)) if page else view
        return _Page(model, shown)

    def _attribute(self, view: CounterfactualView) -> str:
        opened = self._workspace.opened
        assert opened is not None
        return chosen_attribute(opened.spec.condition, view)

    def _opened(self, asked: _Page) -> Explorer:
        """Return the model, opened once more for this thread; it is kept for the next time."""
        return self._explorer.open(asked.model)

    def _made(self, asked: _Page, reporter: Reporter) -> CounterfactualPage:
        from latentlab.data.catalog import open_set
        from latentlab.operations.counterfactual import counterfactual_page, page_positions

        view = asked.view
        reporter.raise_if_cancelled()
        explorer = self._opened(asked)
        images = open_set(view.data, explorer.spec.image_size, reporter)
        positions = page_positions(images, view.attribute, view.target, view.count, view.seed)
        sort = page_sort(view, explorer.predictor_spec is not None)
        return counterfactual_page(
            explorer,
            images,
            view.attribute,
            view.target,
            positions=positions,
            sort=sort,
            side=view.side,
            scale=view.scale,
            threshold=view.threshold,
            reporter=reporter,
        )

    def _report(self, asked: _Page, done: Progress) -> None:
        if asked is self._asked and self.busy:
            self.progressed.emit(done)

    def _have(self, asked: _Page, answer: CounterfactualPage | Message) -> None:
        if asked is not self._asked:
            return  # it was stopped, or another one is wanted now
        self.busy = False
        if isinstance(answer, Message):
            self._fail(answer.text)
        else:
            self.page = answer
            self.found_page.emit(answer)

    def _fail(self, why: str) -> None:
        self.busy, self.failure = False, why
        self.stopped.emit(why)
