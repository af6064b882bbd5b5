"""How work stands that is followed: looked for, begun on request, and shown as it comes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal

from psygnal import Signal

from latentlab.session.job_follower import Following, JobFollower
from latentlab.session.pace import Pace
from latentlab.session.workspace import Workspace

if TYPE_CHECKING:
    from latentlab.jobs.job import JobState

Phase = Literal["none", "looking", "idle", "making", "running", "ready", "stopped", "failed"]
"""Nothing is asked for; it is looked what is there; nothing is there; it is being made without being asked;
a job is at it; all is there; it was stopped, and some of it may be there; gone wrong."""


class Followed:
    """Work of a workspace that is followed on a thread of its own, which nobody waits for.

    Attributes
    ----------
    changed
        Phase, progress or message have changed.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace, name: str, phase: Phase) -> None:
        self._workspace = workspace
        self._follower = JobFollower(workspace.rendering.post, name)
        self.phase = phase
        self.message = ""
        self.done = self.total = 0

    def cancel(self) -> None:
        """Stop the work; what it has finished is kept."""
        self._follower.cancel()

    def close(self) -> None:
        """Stop following; a job that is running goes on."""
        self._follower.close()

    def _set(self, phase: Phase, text: str = "", done: int = 0, total: int = 0) -> None:
        before = self.phase, self.message, self.done, self.total
        self.phase, self.message, self.done, self.total = phase, text, done, total
        if before != (phase, text, done, total):
            self.changed.emit()


class FollowedJob(Followed):
    """Work that is only begun when somebody asks for it; its pace is known."""

    def __init__(self, workspace: Workspace, name: str, phase: Phase) -> None:
        super().__init__(workspace, name, phase)
        self.pace = Pace()

    def _follow(self, find: Callable[[Following], None], start: bool, failure: str) -> None:
        """Look what there is, and ``start`` the work where that is wanted; ``find`` does it on its thread."""
        self.pace.forget()
        self._set("running" if start else "looking", "Starting" if start else "Looking for results")
        self._follower.begin(find, partial(self._set, "failed"), partial(self._set, "stopped"), failure)

    def _show_state(self, state: JobState) -> None:
        if state.total:
            self.pace.tell(state.done)
        self._set("running", state.stage or "Starting", state.done, state.total)
