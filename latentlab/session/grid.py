"""The grid of traversals, in step with the edited latent."""

from __future__ import annotations

from psygnal import Signal

from latentlab.errors import SettingsError
from latentlab.live.frames import Frame
from latentlab.operations.grid_plan import GridPlan, plane, strips
from latentlab.operations.latent_brush import grid_of
from latentlab.session.batches import Batch
from latentlab.session.document import Document, GridView
from latentlab.session.follower import Follower
from latentlab.session.workspace import Workspace
from latentlab.spec import ModelSpec

GRID = (
    "A latent of this model is itself a grid, of which one entry alone says little. Find its principal "
    "components under Directions; they are shown here then."
)


class Grid(Follower):
    """Plans the grid anew whenever the latent or the view changes, and has it rendered live.

    Attributes
    ----------
    planned
        The plan has changed (`GridPlan`), or there is none: then why, in words (`str`).
    arrived
        Its pictures (`Frame`), in the order of the plan's latents.
    plan, refusal
        The newest plan; where it is None, why there is none.
    """

    planned = Signal(object)
    arrived = Signal(Frame)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._batch = Batch(workspace.rendering, "grid", judged=False)
        self._batch.arrived.connect(self.arrived)
        self.plan: GridPlan | None = None
        self.refusal = ""

    @property
    def waiting(self) -> bool:
        """Whether pictures of the newest plan are still to come."""
        return self._batch.waiting

    def watched(self, document: Document) -> tuple[object, ...]:
        """Return the latent, the directions, the locks and the view."""
        explore, shelf = document.explore, document.shelf
        latent = None if explore is None else explore.latent
        condition = None if explore is None else explore.condition
        return latent, condition, shelf.directions, shelf.locked, shelf.grid

    def refresh(self) -> None:
        """Plan and render the grid of the state as it is now."""
        state = self.state
        assert state is not None
        try:
            plan = self._planned(self.spec, self.shelf.grid)
        except SettingsError as error:
            self.plan, self.refusal = None, str(error)
            self._batch.drop()
            self.planned.emit(self.refusal)
            return
        if self.plan is None or plan.names != self.plan.names:
            self._batch.drop()  # pictures of the former layout would stand beside the wrong labels
        self.plan = plan
        self.planned.emit(plan)
        self._batch.ask(plan.latents, state.condition)

    def _planned(self, spec: ModelSpec, view: GridView) -> GridPlan:
        assert self.state is not None
        latent, axes = self.state.latent, self.axes(view.axes)
        if not axes and grid_of(spec) is not None:
            raise SettingsError(GRID)
        reach, locked = view.reach or None, self.shelf.locked
        if view.kind == "plane":
            if len(axes) < 2:
                raise SettingsError("A plane needs two axes. Choose two dimensions or directions.")
            return plane(spec, latent, axes[0], axes[1], view.steps, reach=reach, locked=locked)
        return strips(spec, latent, axes, view.steps, reach=reach, locked=locked)
