"""How work stands that is followed: looked for, begun on request, and shown as it comes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from psygnal import Signal

from latentlab.session.job_follower import Following, JobFollower
from latentlab.session.pace import Pace
from latentlab.session.workspace import Workspace

if TYPE_CHECKING:
    from latentlab.jobs.job import JobState

Phase = Literal["none", "looking", "idle", "making", "running", "ready", "stopped", "failed"]
"""Nothing is asked for; it is looked what is there; nothing is there; it is being made without being asked;
a job is at it; all is there; it was stopped, and some of it may be there; gone wrong."""


Wanted = TypeVar("Wanted")


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

    @property
    def following(self) -> Following | None:
        """The work that is followed; it can be cancelled also when other work is by then. None for none."""
        return self._follower.newest

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


class FollowedJob(Followed, Generic[Wanted]):
    """Work that is only begun when somebody asks for it; its pace is known.

    Whose work it is says what is wanted as things are set (`wish`), takes what is found (`_take`, None for
    nothing any more), and looks or begins (`_begin`, which calls `_follow`).

    Attributes
    ----------
    found
        What is there of what is wanted; None for nothing.
    """

    found: Any = None

    def __init__(self, workspace: Workspace, name: str, nothing: Phase) -> None:
        super().__init__(workspace, name, nothing)
        self._nothing = nothing
        self._wanted: Wanted | None = None
        self.pace = Pace()

    @property
    def wanted(self) -> Wanted | None:
        """What is asked for, as it is set; None where nothing can be."""
        return self._wanted

    def wish(self) -> Wanted | None:
        """Return what is wanted, as things are set now."""
        raise NotImplementedError

    def need(self) -> None:
        """Look what there is of what is set, and follow the work on it; nothing is begun."""
        wanted = self.wish()
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self._follower.leave()
        if self.found is not None:
            self._take(None)
        if wanted is None:
            self._set(self._nothing)
        else:
            self._begin(wanted, start=False)

    def look_again(self) -> None:
        """Look anew, such as after a run was deleted."""
        self._wanted = None
        self.need()

    def start(self) -> None:
        """Begin the work, or go on with it: what is done already is not done again."""
        self.need()
        if self._wanted is not None and self.phase not in ("none", "running"):
            self._begin(self._wanted, start=True)

    def _begin(self, wanted: Wanted, start: bool) -> None:
        raise NotImplementedError

    def _take(self, found: Any) -> None:
        raise NotImplementedError

    def _follow(self, find: Callable[[Following], None], start: bool, failure: str) -> None:
        """Look what there is, and ``start`` the work where that is wanted; ``find`` does it on its thread."""
        self.pace.forget()
        self._set("running" if start else "looking", "Starting" if start else "Looking for results")
        self._follower.begin(find, partial(self._set, "failed"), partial(self._set, "stopped"), failure)

    def _show_state(self, state: JobState) -> None:
        if state.total:
            self.pace.tell(state.done)
        self._set("running", state.stage or "Starting", state.done, state.total)
