"""The encoded data of the open model: found where they were encoded before, else made by a background job.

Finding, loading and following run on a thread of their own; the map shows what is there so far, and a job
goes on when the window is closed and is found again when it is opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from latentlab.progress import Progress, Reporter
from latentlab.session.followed import Followed
from latentlab.session.job_follower import Following
from latentlab.session.session import Change, Message
from latentlab.session.workspace import Workspace

if TYPE_CHECKING:
    from latentlab.data.image_set import ImageSet
    from latentlab.jobs.job import Job
    from latentlab.operations.latent_map import LatentMap

SEED = 0
STOPPED = "Stopped. What was done is kept."
CHANGED = "{data} was changed while its images were being encoded. Try again when it is complete."

Kept = tuple["LatentMap", "ImageSet"]
"""A map, and the set that it is of."""


@dataclass(frozen=True)
class Wanted:
    """Which map is wanted: of which weights, set and rows, and whether with t-SNE."""

    path: str
    sha256: str
    data: str
    count: int
    tsne: bool
    image_size: int


class MapData(Followed):
    """The map of the open model, as far as it is there.

    Attributes
    ----------
    found_map
        Another map, or more of it, is there (`LatentMap`).
    """

    found_map = Signal(object)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace, "map", "none")
        self._wanted: Wanted | None = None
        self._usual = "", ""
        self.found: LatentMap | None = None
        self.images: ImageSet | None = None
        workspace.session.changed.connect(self._follow)
        workspace.model_changed.connect(self._model_changed)

    @property
    def data(self) -> str:
        """The set that is shown: the one that was chosen, else the one the model was trained on."""
        chosen = self._workspace.session.document.shelf.map.data
        opened = self._workspace.opened
        if chosen or opened is None:
            return chosen
        if opened.sha256 != self._usual[0]:
            from latentlab.operations.training_sets import usual_data

            self._usual = opened.sha256, usual_data(Path(opened.path))
        return self._usual[1]

    def need(self) -> None:
        """See to it that the map that the view asks for is there, or on its way.

        What was stopped or has failed is not begun again: that is for a person to ask (`try_again`).
        """
        wanted = self._wish()
        if wanted is None or wanted == self._wanted:
            return
        self._follower.leave()
        other = self._wanted is None or (wanted.sha256, wanted.data, wanted.count) != (
            self._wanted.sha256,
            self._wanted.data,
            self._wanted.count,
        )
        self._wanted = wanted
        if other:
            self.found = self.images = None
        if self.found is not None and (not wanted.tsne or self.found.has_tsne):
            self._set("ready")
        else:
            self._begin(wanted)

    def _begin(self, wanted: Wanted) -> None:
        self._set("looking", "Looking for the encoded data")
        self._follower.begin(
            partial(self._find, wanted),
            self._fail,
            partial(self._set, "stopped", STOPPED),
            "The encoded data could not be made",
        )

    def try_again(self) -> None:
        """Begin anew what was stopped or has failed; see to it that the map is on its way in any case."""
        wanted = self._wish()
        if wanted is not None and wanted == self._wanted and self.phase in ("failed", "stopped"):
            self._begin(wanted)
        else:
            self.need()

    def _wish(self) -> Wanted | None:
        from latentlab.data.catalog import full_name

        opened, data = self._workspace.opened, self.data
        if opened is None or not self._workspace.in_step or not data or "encode" in opened.spec.cannot:
            return None
        view = self._workspace.session.document.shelf.map
        size = opened.spec.image_size
        return Wanted(opened.path, opened.sha256, full_name(data), view.count, view.layout == "tsne", size)

    def _follow(self, change: Change) -> None:
        if self._wanted is not None and change.before.shelf.map != change.after.shelf.map:
            self.need()

    def _model_changed(self) -> None:
        opened = self._workspace.opened
        if self._wanted is not None and (opened is None or opened.sha256 != self._wanted.sha256):
            self._follower.leave()
            self._wanted = self.found = self.images = None
            self._set("none")

    # On its own thread

    def _find(self, wanted: Wanted, following: Following) -> None:
        from latentlab.operations.map_file import find_map

        reporter = following.reporter(self._show_reading)  # a folder's pictures, which may be many
        path = find_map(wanted.sha256, wanted.data, wanted.count, SEED)
        kept = None if path is None else _kept(wanted, path, None, reporter)
        if kept is not None:
            following.tell(self._take, *kept)
            if not wanted.tsne or kept[0].has_tsne:
                following.tell(self._set, "ready")
                return
        self._follow_job(wanted, kept, following, reporter)

    def _follow_job(
        self, wanted: Wanted, kept: Kept | None, following: Following, reporter: Reporter
    ) -> None:
        """Have the map made, and show what there is of it, until it is there."""
        from latentlab.jobs.map_job import map_job

        def begin() -> tuple[Job, Path]:
            return map_job(wanted.path, wanted.sha256, wanted.data, wanted.count, SEED, wanted.tsne)

        job, out = begin()
        seen = _written(out)  # what is there already is taken, damaged, or of the set as it was
        while following.wait(job):
            state = job.poll()
            written = _written(out)
            if written > seen or (state.phase == "finished" and kept is None):
                seen, kept = written, _kept(wanted, out, kept, reporter)
                if kept is not None:
                    following.tell(self._take, *kept)
            if not state.over:
                following.tell(self._set, "making", state.stage or "Starting", state.done, state.total)
            elif state.phase == "finished" and kept is None:
                following.tell(self._fail, CHANGED.format(data=wanted.data))
                return
            elif state.phase == "finished" and wanted.tsne and not job.settings.get("tsne"):
                job, out = begin()  # what went on was asked for without it
            elif state.phase == "finished":
                following.tell(self._set, "ready")
                return
            elif state.phase == "cancelled":
                following.tell(self._set, "stopped", STOPPED)
                return
            else:
                following.tell(self._fail, state.message)
                return

    # On the session's thread

    def _show_reading(self, event: Progress) -> None:
        self._set("making", event.stage, event.done, event.total)

    def _take(self, found: LatentMap, images: ImageSet) -> None:
        self.found, self.images = found, images
        self.found_map.emit(found)

    def _fail(self, text: str) -> None:
        self._set("failed", text)
        if self.found is not None:  # what is shown does not say it
            self._workspace.session.message.emit(Message("error", f"The map was not finished: {text}"))


def _kept(wanted: Wanted, path: Path, before: Kept | None, reporter: Reporter) -> Kept | None:
    """Return the map of a file with the set as it is now; None if it is the map of the set as it was."""
    from latentlab.data.catalog import open_set
    from latentlab.operations.map_file import load_map
    from latentlab.operations.map_rows import is_map_of

    found = load_map(path)
    if before is not None and found.same_latents(before[0]):
        return found, before[1]
    images = open_set(wanted.data, wanted.image_size, reporter)
    return (found, images) if is_map_of(found, images) else None


def _written(path: Path) -> float:
    return path.stat().st_mtime if path.is_file() else 0.0


def group_of(found: LatentMap, chosen: NDArray[np.bool_]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the mean latent of chosen rows ``[n]`` and these rows' numbers in the set."""
    mean = found.latents[chosen].mean(0, dtype=np.float64)
    return np.asarray(mean, dtype=np.float32), np.asarray(found.rows[chosen], dtype=np.int64)
