"""A training that a background process does: found where it goes on, begun on request, shown as it goes."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from latentlab.errors import SettingsError
from latentlab.jobs.train_job import TrainSettings, find_train_job, train_job
from latentlab.session.document import TrainView
from latentlab.session.followed import FollowedJob
from latentlab.session.job_follower import Following
from latentlab.session.train_folder import CONFIG, RUN, TrainFound, TrainReader, members_of
from latentlab.session.train_plan import of_job, problems, same_training, settings_of
from latentlab.session.workspace import Workspace

if TYPE_CHECKING:
    from latentlab.jobs.job import Job

FAILURE = "The training could not be followed"
GOES_ON = "Resume goes on from the last state that was saved."


@dataclass(frozen=True)
class TrainWanted:
    """Which training is wanted: where it writes, and what it is asked (None for what it was asked once)."""

    out: str
    settings: TrainSettings | None


class TrainWork(FollowedJob[TrainWanted]):
    """The training that is asked for, or an earlier one that is shown, as far as it has come.

    Attributes
    ----------
    found_training
        It has come further (`TrainFound`), or none is there any more (None).
    other
        Whether the folder holds another training than the one that is asked for.
    ended
        A training that was followed has ended; in words.
    """

    found_training = Signal(object)
    ended = Signal(str)
    found: TrainFound | None = None

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace, "train", "idle")
        self.other = False
        self._giving_up = False

    @property
    def view(self) -> TrainView:
        """How the screen is set."""
        return self._workspace.session.document.train

    def wish(self) -> TrainWanted | None:
        """Return the training as it is set; None where something is wrong with it."""
        view = self.view
        if view.shown:
            return TrainWanted(view.shown, None)
        if problems(view):
            return None
        settings = settings_of(view, self._workspace.override.device or "")
        return TrainWanted(settings.out, settings)

    def start(self, fresh: bool = False) -> None:
        """Begin the training, or go on with it; ``fresh`` begins anew what another left in the folder."""
        self.need()
        if self._wanted is not None and self.phase not in ("none", "running"):
            self._giving_up = False
            self._follow(partial(self._find, self._wanted, True, fresh), True, FAILURE)

    def give_up(self) -> None:
        """Stop it, and delete what is not finished of it."""
        if self._wanted is None or self.phase not in ("running", "stopped", "failed"):
            return
        self._giving_up = True
        if self.phase == "running":
            self.cancel()
        else:
            self._begin(self._wanted, start=False)

    def _begin(self, wanted: TrainWanted, start: bool) -> None:
        self._follow(partial(self._find, wanted, start, False), start, FAILURE)

    # On its own thread

    def _find(self, wanted: TrainWanted, start: bool, fresh: bool, following: Following) -> None:
        job = find_train_job(Path(wanted.out))
        asked = None if job is None else of_job(job.settings)
        if start:
            settings = wanted.settings or asked
            if settings is None:
                raise SettingsError(f"What was trained in {wanted.out} is not known any more.")
            job = train_job(replace(settings, fresh=fresh))
            asked = of_job(job.settings)
        if job is None or asked is None:
            following.tell(self._take_other, False)
            following.tell(self._set, "idle")
            return
        same = wanted.settings is None or same_training(asked, wanted.settings)
        reader = TrainReader(asked)
        state = job.poll()
        went_on = not state.over
        while not state.over:
            following.tell(self._show_state, state)
            newer = reader.newer()
            if newer is not None:
                following.tell(self._take, newer)
            if not following.wait(job):
                return
            state = job.poll()
        if self._giving_up and state.phase != "finished":
            drop_unfinished(asked, job)
            following.tell(self._take, None)
            following.tell(self._gave_up)
            return
        following.tell(self._take_other, not same)
        newer = reader.newer()
        if newer is not None and (same or went_on):
            following.tell(self._take, newer)
        phase, text = _ENDS[state.phase]
        if not same and not went_on:
            phase, text = "idle", ""
        following.tell(self._set, phase, text.format(message=state.message))
        if went_on:
            following.tell(self.ended.emit, text.format(message=state.message) or "The training is done.")

    # On the session's thread

    def _take(self, found: TrainFound | None) -> None:
        self.found = found
        self.found_training.emit(found)

    def _take_other(self, other: bool) -> None:
        if other != self.other:
            self.other = other
            self.changed.emit()

    def _gave_up(self) -> None:
        self._giving_up = False
        self._take_other(False)
        self._set("idle", "The training was given up; what was not finished was deleted.")


_ENDS = {
    "finished": ("ready", ""),
    "cancelled": ("stopped", ""),
    "failed": ("failed", "{message}"),
    "lost": ("failed", "{message} " + GOES_ON),
}


def drop_unfinished(settings: TrainSettings, job: Job | None = None) -> None:
    """Delete the states of trainings that have no checkpoint yet, and the job's folder.

    Nothing else in these folders is touched.
    """
    for member in members_of(settings):
        if (member.folder / CONFIG).is_file():
            continue
        shutil.rmtree(member.folder / RUN, ignore_errors=True)
        for folder in (member.folder, member.folder.parent, Path(settings.out)):
            with suppress(OSError):
                folder.rmdir()  # only where it is empty
    if job is not None and not job.folder.alive:
        shutil.rmtree(job.folder.path, ignore_errors=True)
