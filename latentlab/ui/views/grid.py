"""The grid view: strips along several axes or the plane of two, live; a click goes to a picture."""

from __future__ import annotations

import operator
from dataclasses import replace
from itertools import zip_longest

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from latentlab.live.frames import Frame
from latentlab.operations.grid_plan import GridPlan
from latentlab.operations.latents import ranking
from latentlab.session.document import AxisRef, GridView
from latentlab.session.grid import Grid
from latentlab.session.intents import Intents
from latentlab.session.session import Message
from latentlab.session.workspace import Workspace
from latentlab.ui.theme import Theme, numerals
from latentlab.ui.widgets.axis_choice import AxesChoice, AxisChoice
from latentlab.ui.widgets.form import caption
from latentlab.ui.widgets.picture_grid import PictureGrid

MOST_STEPS = 21


class GridPage(QWidget):
    """The grid; ``controls`` stand beside the views' tabs.

    Parameters
    ----------
    intents
        What a person can do with the session.
    """

    def __init__(
        self, workspace: Workspace, intents: Intents, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace, self._intents = workspace, intents
        self.follower = Grid(workspace)
        self._shown: tuple[object, ...] = ()
        self.grid = PictureGrid(theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.grid)
        self.controls = QWidget()
        self._kind = QComboBox()
        self._kind.addItem("Strips", "strips")
        self._kind.addItem("Plane", "plane")
        self._kind.setAccessibleName("Kind of grid")
        self._kind.setToolTip("Strips: one axis a row. Plane: one axis across, one down")
        self._axes = AxesChoice("Rows of the grid")
        self._across, self._down = AxisChoice("Across the plane"), AxisChoice("Down the plane")
        self._steps = QSpinBox()
        self._steps.setRange(2, MOST_STEPS)
        self._steps.setAccessibleName("Pictures along each axis")
        self._steps.setToolTip("Pictures along each axis")
        self._reach = QDoubleSpinBox()
        self._reach.setRange(0.0, 20.0)
        self._reach.setSingleStep(0.5)
        self._reach.setDecimals(1)
        self._reach.setSuffix(" σ")
        self._reach.setSpecialValueText("own")
        self._reach.setAccessibleName("How far directions are followed")
        self._reach.setToolTip("How far directions go to either side, in sigma; “own”: each its own range")
        for box in (self._steps, self._reach):
            box.setKeyboardTracking(False)
            box.setFont(numerals(box.font()))
            box.setFixedWidth(60)
        row = QHBoxLayout(self.controls)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for widget in (
            self._kind,
            self._axes,
            self._across,
            self._down,
            caption("Steps", self._steps),
            self._steps,
            caption("Reach", self._reach),
            self._reach,
        ):
            row.addWidget(widget)
        self._kind.activated.connect(lambda _index: self._choose_kind(self._kind.currentData()))
        self._axes.chosen.connect(lambda axes: self._set(axes=axes))
        self._axes.refused.connect(self._refuse)
        line = self._axes.lineEdit()
        assert line is not None
        line.editingFinished.connect(self._show_anew)
        self._across.chosen.connect(lambda axis: self._choose_axis(0, axis))
        self._down.chosen.connect(lambda axis: self._choose_axis(1, axis))
        self._steps.valueChanged.connect(lambda steps: self._set(steps=steps))
        self._reach.valueChanged.connect(lambda reach: self._set(reach=reach))
        self.follower.planned.connect(self._show_plan)
        self.follower.arrived.connect(self._show_frame)
        self.grid.chosen.connect(self._go_to)
        self.grid.pin_asked.connect(self._pin)

    def show_document(self) -> None:
        """Show how the grid is set."""
        opened, view = self._workspace.opened, self._view
        if opened is None:
            return
        directions = self._workspace.session.document.shelf.directions
        shown = (opened, view, directions)
        if len(shown) == len(self._shown) and all(map(operator.is_, shown, self._shown)):
            return  # the boxes are filled anew only when something else is to stand in them
        self._shown = shown
        plane = view.kind == "plane"
        with QSignalBlocker(self._kind):
            self._kind.setCurrentIndex(int(plane))
        self._axes.setVisible(not plane)
        self._across.setVisible(plane)
        self._down.setVisible(plane)
        self._axes.show_axes(opened.spec, directions, view.axes)
        for choice, axis in zip_longest((self._across, self._down), view.axes[:2]):
            choice.show_axes(opened.spec, directions)
            choice.show_choice(axis)
        with QSignalBlocker(self._steps), QSignalBlocker(self._reach):
            self._steps.setValue(view.steps)
            self._reach.setValue(view.reach)

    @property
    def _view(self) -> GridView:
        return self._workspace.session.document.shelf.grid

    def _set(self, **changed: object) -> None:
        self._intents.shelf.set_grid(replace(self._view, **changed))  # type: ignore[arg-type]

    def _choose_kind(self, kind: str) -> None:
        axes = self._view.axes
        if kind == "plane" and len(axes) != 2 and self._workspace.opened is not None:
            strongest = ranking(self._workspace.opened.spec)[:2].tolist()
            spare = [AxisRef(k) for k in strongest if AxisRef(k) not in axes]
            axes = (*axes[:2], *spare)[:2]
        self._set(kind=kind, axes=axes)

    def _choose_axis(self, place: int, axis: AxisRef) -> None:
        axes = [*self._view.axes[:2], AxisRef(), AxisRef()][:2]
        if axes[1 - place] == axis:  # the other one takes the place of the one that is given up
            axes[1 - place] = axes[place]
        axes[place] = axis
        self._set(axes=tuple(axes))

    def _show_anew(self) -> None:
        """Let what was typed and not taken give way to what the grid shows, when one leaves it."""
        line = self._axes.lineEdit()
        if line is not None and not line.hasFocus():
            self._shown = ()
            self.show_document()

    def _refuse(self, text: str) -> None:
        self._workspace.session.message.emit(Message("error", text))

    def _show_plan(self, plan: GridPlan | str) -> None:
        if isinstance(plan, str):
            self.grid.show_nothing(plan)
            return
        self.grid.set_shape(plan.rows, plan.columns, plan.row_labels, plan.column_labels)
        state = self._workspace.explore.state
        self.grid.set_current(None if state is None else plan.index_of(state.latent))

    def _show_frame(self, frame: Frame) -> None:
        plan = self.follower.plan
        if plan is not None and len(frame.pixels) == plan.rows * plan.columns:
            self.grid.show_frame(frame.pixels, frame.generation)

    def _go_to(self, index: int) -> None:
        plan = self.follower.plan
        if plan is not None and index < len(plan.latents):
            self._intents.go_along(plan.latents[index], f"Go to {plan.names[index]}")

    def _pin(self, index: int) -> None:
        plan = self.follower.plan
        if plan is not None and index < len(plan.latents):
            self._intents.shelf.pin(plan.latents[index])
