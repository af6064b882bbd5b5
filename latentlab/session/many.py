"""Many pictures, projected onto datasets by a background job: found where it was done, else on request.

Finding, loading, counting and following run on a thread of their own; a job goes on when the window is closed
and is found again when it is opened. What is there belongs to the settings and to the model's weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from latentlab.operations.projection_plan import AUTO, no_projection
from latentlab.session.background import Background
from latentlab.session.document import ManyView
from latentlab.session.followed import FollowedJob
from latentlab.session.job_follower import Following
from latentlab.session.kept_explorer import KeptExplorer, ModelKey
from latentlab.session.session import Message
from latentlab.session.workspace import Workspace
from latentlab.spec import ModelSpec, PredictorSpec

if TYPE_CHECKING:
    from latentlab.jobs.project_job import ProjectSettings
    from latentlab.operations.project_many import LoadedFolder
    from latentlab.operations.projection_examples import Changed, Example
    from latentlab.operations.projection_table import Composition, Shifts

KEEPS: Mapping[str, tuple[float, ...]] = {"follow": (0.0,), "keep": (1.0,), "both": (0.0, 1.0)}
"""The shares of *keep* of each mode."""
MODES = {0.0: "follow", 1.0: "keep"}
FAILURE = "The pictures could not be projected"


@dataclass(frozen=True)
class Wanted:
    """Which projections are wanted, of which model and judge; what is shown of them is no matter."""

    model: ModelKey
    view: ManyView
    onto: tuple[str, ...]

    @property
    def keeps(self) -> tuple[float, ...]:
        """The shares of *keep*."""
        return KEEPS[self.view.mode]


@dataclass(frozen=True, eq=False)
class ManyFound:
    """What is there of many pictures' projections.

    Parameters
    ----------
    wanted
        What was asked for.
    results
        The folder that holds it.
    folders, shifts
        By mode (``follow``, ``keep``): the pictures, and what is counted of them where a predictor judges.
    bias
        What differs between the modes.
    """

    wanted: Wanted
    results: Path
    folders: Mapping[str, LoadedFolder]
    shifts: Mapping[str, Shifts]
    bias: tuple[Composition, ...]

    @property
    def complete(self) -> bool:
        """Whether all that was asked for has been projected."""
        modes = [MODES[keep] for keep in self.wanted.keeps]
        return all(mode in self.folders and self.folders[mode].left == 0 for mode in modes)

    @property
    def unreadable(self) -> tuple[str, ...]:
        """The pictures that could not be read."""
        return tuple(dict.fromkeys(name for one in self.folders.values() for name in one.unreadable))

    @property
    def count(self) -> int:
        """How many pictures are projected at least in one mode."""
        return max((len(one.found) for one in self.folders.values()), default=0)

    def shown(self, view: ManyView) -> str:
        """Return what a view shows of it: a mode, or ``bias``; one of both modes while only that is there."""
        if view.mode != "both":
            return view.mode
        there = view.shown in self.folders or (view.shown == "bias" and self.bias)
        return view.shown if there or not self.folders else next(iter(self.folders))


class ManyData(FollowedJob[Wanted]):
    """The projections of many pictures, as far as they are there.

    Attributes
    ----------
    found_many
        Other results are there (`ManyFound`), or none any more (None).
    """

    found_many = Signal(object)
    found: ManyFound | None = None

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace, "many", "none")
        workspace.model_changed.connect(self._model_changed)

    @property
    def view(self) -> ManyView:
        """How it is set, in a mode that the model has: one without modes only follows the dataset."""
        view, opened = self._workspace.session.document.shelf.many, self._workspace.opened
        if opened is None or opened.spec.condition.has_mode:
            return view
        return replace(view, mode="follow", shown="follow")

    def wish(self) -> Wanted | None:
        """Return what is wanted as it is set; None where no pictures are chosen."""
        opened, view = self._workspace.opened, self.view
        key = ModelKey.of(self._workspace.session.document)
        if opened is None or key is None or not self._workspace.in_step:
            return None
        if no_projection(opened.spec, opened.name) or not (view.data or view.pictures):
            return None
        known = opened.spec.condition.attributes[0].classes
        usual = ManyView()
        asked = replace(view, shown=usual.shown, target=usual.target, sort=usual.sort)
        if asked.source not in known:
            asked = replace(asked, source="")
        return Wanted(key, asked, tuple(one for one in known if one in view.onto) or known)

    def _model_changed(self) -> None:
        if self._wanted is not None and self._wanted.model != ModelKey.of(self._workspace.session.document):
            self._follower.leave()
            self._wanted = None
            self._take(None)
            self._set("none")

    def _begin(self, wanted: Wanted, start: bool) -> None:
        opened = self._workspace.opened
        assert opened is not None
        self._follow(partial(self._find, wanted, opened.spec, opened.predictor, start), start, FAILURE)

    # On its own thread

    def _find(
        self,
        wanted: Wanted,
        spec: ModelSpec,
        judge: PredictorSpec | None,
        start: bool,
        following: Following,
    ) -> None:
        from latentlab.jobs.project_job import find_project_job, project_job

        settings = settings_of(wanted)
        job = project_job(settings, wanted.keeps) if start else find_project_job(settings)
        state = None if job is None else job.poll()
        while job is not None and state is not None and (start or not state.over):
            state = job.poll()
            if not state.over:
                following.tell(self._show_state, state)
            elif state.phase == "finished" and start and not _is_for(wanted, job.settings):
                job = project_job(settings, wanted.keeps)  # what went on was asked for in another mode
                state = job.poll()
            else:
                break
            if not following.wait(job):
                return
        found = load_many(wanted, settings, spec, judge)
        following.tell(self._take, found)
        if state is not None and state.phase in ("failed", "lost") and not (found and found.complete):
            following.tell(self._set, "failed", state.message)
        elif found is None:
            following.tell(self._set, "stopped" if start else "idle")
        else:
            following.tell(self._set, "ready" if found.complete else "stopped")

    # On the session's thread

    def _take(self, found: ManyFound | None) -> None:
        self.found = found
        self.found_many.emit(found)


class ExampleMaker:
    """Draws the examples of a cell of the table, on a thread of its own; only the newest wish is answered."""

    def __init__(self, workspace: Workspace) -> None:
        self._background = Background(workspace.rendering.post, "examples")
        self._explorer = KeptExplorer()
        self._newest = 0

    def make(
        self,
        found: ManyFound,
        judge: PredictorSpec,
        shown: str,
        cell: tuple[str, str, str],
        most: int,
        then: Callable[[tuple[int, list[Example]] | Message], None],
    ) -> None:
        """Draw the pictures whose class changed: ``cell`` is the dataset, the attribute and its class.

        ``then`` gets how many have changed, and at most ``most`` of them drawn.
        """
        self._newest += 1
        number = self._newest

        def make() -> tuple[int, list[Example]]:
            from latentlab.operations.projection_examples import draw_examples

            if number != self._newest:
                return 0, []  # another cell is looked at by now
            changed = changed_pictures(found, judge, shown, *cell)
            if not changed:
                return 0, []
            return len(changed), draw_examples(self._explorer.open(found.wanted.model), changed[:most])

        def answer(made: tuple[int, list[Example]] | Message) -> None:
            if number == self._newest:
                then(made)

        self._background.do(make, answer, "The examples could not be drawn")

    def drop(self) -> None:
        """Forget the wish."""
        self._newest += 1

    def close(self) -> None:
        """Stop the work and its thread."""
        self.drop()
        self._background.close(drop=True)


def settings_of(wanted: Wanted) -> ProjectSettings:
    """Return what the job is given; the judge's weights are read for their SHA-256."""
    from latentlab.checkpoints import locate
    from latentlab.data.catalog import full_name
    from latentlab.jobs.project_job import ProjectSettings

    model, view = wanted.model, wanted.view
    return ProjectSettings(
        model=model.path,
        sha256=model.sha256,
        predictor=model.predictor,
        judge=locate(model.predictor).sha256() if model.predictor else "",
        threads=model.threads,
        data=full_name(view.data) if view.data else "",
        pictures=() if view.data else view.pictures,
        source=view.source or AUTO,
        onto=wanted.onto,
        count=view.count,
        seed=view.seed,
        out=str(Path(view.out).expanduser().resolve()) if view.out else "",
    )


def load_many(
    wanted: Wanted, settings: ProjectSettings, spec: ModelSpec, judge: PredictorSpec | None
) -> ManyFound | None:
    """Return what there is of projections, and count; None where there is nothing yet."""
    from latentlab.operations.project_many import (
        folder_settings,
        load_projected,
        mode_folder,
        paired_shifts,
    )
    from latentlab.operations.projection_table import shifts

    folders = {}
    # A folder of somebody's own may hold the results of other pictures too.
    asked_for = settings.asked_for if settings.out else ""
    for keep in wanted.keeps:
        same = folder_settings(settings.sha256, settings.source, settings.onto, keep, settings.judge)
        found = load_projected(settings.results / mode_folder(keep), same, asked_for, spec.cannot_show)
        if found is not None and (found.found or found.unreadable):
            folders[MODES[keep]] = found
    if not folders:
        return None
    counted = {}
    bias: tuple[Composition, ...] = ()
    if judge is not None:
        counted = {
            mode: shifts(one.found, judge, schema=spec.condition)
            for mode, one in folders.items()
            if one.found
        }
        if {"follow", "keep"} <= set(folders):
            bias = paired_shifts(folders["follow"], folders["keep"], judge)
    return ManyFound(wanted, settings.results, folders, counted, bias)


def changed_pictures(
    found: ManyFound, judge: PredictorSpec, shown: str, dataset: str, attribute: str, label: str
) -> list[Changed]:
    """Return the pictures whose predicted class is what a cell of the table counts."""
    from latentlab.operations.project_many import paired
    from latentlab.operations.projection_examples import changed_by_composition, changed_by_projection

    if shown != "bias":
        folder = found.folders.get(shown)
        every = () if folder is None else folder.found
        return changed_by_projection(every, judge, dataset, attribute, label)
    if not {"follow", "keep"} <= set(found.folders):
        return []
    followed, kept = paired(found.folders["follow"], found.folders["keep"])
    return changed_by_composition(followed, kept, judge, dataset, attribute, label)


def _is_for(wanted: Wanted, settings: Mapping[str, object]) -> bool:
    """Whether a job projects in all the modes that are wanted."""
    keeps = settings.get("keeps")
    return isinstance(keeps, list) and set(wanted.keeps) <= set(keeps)
