"""A study that a background job does: found where it was done, else on request, shown while it goes on.

Finding, reading and following run on a thread of their own; a job goes on when the window is closed and is
found again when it is opened. What is there belongs to what is asked and to the models' weights.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from latentlab.audit.study_plan import StudyRequest, study_of
from latentlab.errors import LatentLabError
from latentlab.operations.training_sets import held_out_sets
from latentlab.paths import bundled_models
from latentlab.session.audit_folder import StudyFound, absolute, read_study
from latentlab.session.document import AuditView
from latentlab.session.followed import FollowedJob
from latentlab.session.job_follower import Following
from latentlab.session.workspace import Workspace

if TYPE_CHECKING:
    from latentlab.jobs.audit_job import AuditSettings
    from latentlab.jobs.job import Job, JobState

FAILURE = "The study could not be done"
USUAL_DATA = "faces:train"
"""What is trained on where no set is chosen."""


@dataclass(frozen=True)
class Wanted:
    """Which study is wanted, with the open model in its place, and where its results go."""

    request: StudyRequest
    out: str
    device: str


class AuditData(FollowedJob[Wanted]):
    """The study that is asked for, as far as it has come.

    Attributes
    ----------
    found_study
        Other results are there (`StudyFound`), or none any more (None).
    """

    found_study = Signal(object)
    found: StudyFound | None = None

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace, "audit", "idle")
        self._predictors: dict[str, tuple[str, ...]] = {}
        self._held_out: dict[str, str] = {}

    @property
    def view(self) -> AuditView:
        """How the audit is set."""
        return self._workspace.session.document.audit

    def wish(self) -> Wanted | None:
        """Return the study as it is set; None where it is of the open model and none is open."""
        workspace, view = self._workspace, self.view
        asked, kind, opened = view.asked, study_of(view.asked.study), workspace.opened
        if "models" in kind.fields and not asked.models:
            if opened is None or not workspace.in_step:
                return None
            bundled = {str(path): name for name, path in bundled_models().items()}
            asked = replace(asked, models=(bundled.get(opened.path, opened.path),))
            if not asked.predictor and opened.predictor_name not in self._usual_predictors(opened.path):
                asked = replace(asked, predictor=opened.predictor_name)  # as everywhere else in the window
        if "data" in kind.fields and not asked.data and (asked.models or "models" not in kind.fields):
            asked = replace(asked, data=self._usual_data(asked) if "models" in kind.fields else USUAL_DATA)
        if not kind.several_models:
            asked = replace(asked, models=asked.models[:1])
        return Wanted(replace(asked, n=asked.n or kind.n), view.out, workspace.override.device or "auto")

    def _usual_data(self, asked: StudyRequest) -> str:
        """Return what was held out from a model for tests; empty where that is not known."""
        model = asked.models[0]
        if model not in self._held_out:
            self._held_out[model] = next(reversed(held_out_sets(Path(model))), "")
        return self._held_out[model]

    def _usual_predictors(self, path: str) -> tuple[str, ...]:
        """Return who goes with a model: who judges its pictures, and who is shown with it.

        The configuration is read once.
        """
        from latentlab.checkpoints import locate
        from latentlab.checkpoints.companion import fitting_predictor, shown_predictor

        if path not in self._predictors:
            try:
                located = locate(path)
                self._predictors[path] = (fitting_predictor(located.config), shown_predictor(located))
            except LatentLabError:
                self._predictors[path] = ("",)
        return self._predictors[path]

    def _begin(self, wanted: Wanted, start: bool) -> None:
        self._follow(partial(self._find, wanted, start), start, FAILURE)

    # On its own thread

    def _find(self, wanted: Wanted, start: bool, following: Following) -> None:
        from latentlab.jobs.audit_job import audit_job, find_audit_job

        settings = settings_of(wanted)
        job = audit_job(settings) if start else find_audit_job(settings)
        state = None if job is None else job.poll()
        so_far = SoFar(settings)
        while job is not None and state is not None and (start or not state.over):
            state = job.poll()
            if state.over:
                break
            following.tell(self._show_state, state)
            newer = so_far.newer()
            if newer is not None:
                following.tell(self._take, newer)
            if not following.wait(job):
                return
        found = finished(settings, job, state)
        if found is not None:
            following.tell(self._take, found)
            following.tell(self._set, "ready")
        elif state is not None and state.phase in ("failed", "lost"):
            following.tell(self._set, "failed", state.message)
        elif job is not None:
            newer = so_far.newer()
            if newer is not None:
                following.tell(self._take, newer)
            following.tell(self._set, "stopped")
        else:
            following.tell(self._set, "idle")

    # On the session's thread

    def _take(self, found: StudyFound | None) -> None:
        self.found = found
        self.found_study.emit(found)


class SoFar:
    """Reads what is known of a study that goes on, whenever there is more of it."""

    def __init__(self, settings: AuditSettings) -> None:
        from latentlab.jobs.audit_job import SO_FAR

        self._settings, self._folder = settings, settings.folder / SO_FAR
        self._when = 0.0

    def newer(self) -> StudyFound | None:
        """Return what is known, None where nothing is new; what is being written is left for later."""
        try:
            found = read_study(self._folder, self._settings.request, self._settings.results)
        except LatentLabError:
            return None
        if found.when <= self._when:
            return None
        self._when = found.when
        return found


def settings_of(wanted: Wanted) -> AuditSettings:
    """Return what the job is given; the weights of models and judges are read for their SHA-256.

    Raises
    ------
    CheckpointError
        If one of them cannot be found.
    """
    from latentlab.checkpoints import locate
    from latentlab.checkpoints.companion import fitting_predictor
    from latentlab.jobs.audit_job import AuditSettings

    request = absolute(wanted.request)
    names = list(request.models) if "models" in study_of(request.study).fields else []
    judges = [request.predictor or fitting_predictor(locate(name).config) for name in names]
    if not names and request.predictor:
        judges = [request.predictor]
    weights = {name: locate(name).sha256() for name in dict.fromkeys([*names, *judges]) if name}
    out = str(Path(wanted.out).expanduser().resolve()) if wanted.out else ""
    return AuditSettings(
        request, tuple(weights.get(name, "") for name in [*names, *judges]), wanted.device, out
    )


def finished(settings: AuditSettings, job: Job | None, state: JobState | None) -> StudyFound | None:
    """Return the results of a study that is done; None where it is not.

    A folder of somebody's own may hold another study; only the run itself says that this one is done.
    """
    if job is None or state is None or state.phase != "finished":
        return None
    return read_study(settings.results, settings.request)
