"""What follows the open model's state while it is looked at: what grid, path, pins and probe share."""

from __future__ import annotations

from collections.abc import Iterable

from latentlab.operations.grid_plan import Along
from latentlab.operations.latents import ranking
from latentlab.session.document import AxisRef, Document, Explore, Shelf
from latentlab.session.session import Change
from latentlab.session.workspace import Workspace
from latentlab.spec import ModelSpec


class Follower:
    """Calls `refresh` when something that it shows has changed, while it is active and a model is open.

    What it shows is said by `watched`: the parts of a document that matter to it.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._active = False
        workspace.session.changed.connect(self._follow)
        workspace.rendering.attached.connect(self._attach)

    @property
    def active(self) -> bool:
        """Whether it is looked at; what nobody looks at is not rendered."""
        return self._active

    @active.setter
    def active(self, active: bool) -> None:
        if active != self._active:
            self._active = active
            if active and self.ready:
                self.refresh()

    @property
    def ready(self) -> bool:
        """Whether a model is open and rendered with, and there is a state to show."""
        return self._workspace.in_step and self._workspace.rendering.is_attached and self.state is not None

    @property
    def spec(self) -> ModelSpec:
        """The open model's specification; only while `ready`."""
        opened = self._workspace.opened
        assert opened is not None
        return opened.spec

    @property
    def state(self) -> Explore | None:
        """The Explore screen's state."""
        return self._workspace.session.document.explore

    @property
    def shelf(self) -> Shelf:
        """What was put aside for the open model."""
        return self._workspace.session.document.shelf

    def watched(self, document: Document) -> tuple[object, ...]:
        """Return the parts of a document that are shown."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Show the state as it is now."""
        raise NotImplementedError

    def axes(self, references: Iterable[AxisRef]) -> list[Along]:
        """Return what axes of a view stand for; those of directions that are gone are left out."""
        found: list[Along] = []
        for reference in references:
            if reference.direction:
                direction = self.shelf.direction(reference.direction)
                if direction is not None and len(direction.vector) == self.spec.latent_size:
                    found.append(direction)
            elif reference.dimension < 0:
                found.append(int(ranking(self.spec)[0]))
            elif reference.dimension < self.spec.latent_size:
                found.append(reference.dimension)
        return found

    def _follow(self, change: Change) -> None:
        if not self._active or not self.ready:
            return
        before, after = self.watched(change.before), self.watched(change.after)
        if any(old is not new for old, new in zip(before, after, strict=True)):
            self.refresh()

    def _attach(self, attached: bool) -> None:
        if attached and self._active and self.ready:
            self.refresh()
