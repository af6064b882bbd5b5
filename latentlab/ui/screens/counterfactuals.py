"""The Counterfactuals screen: the same picture as another class, what changed, and what should not have."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from latentlab.errors import SettingsError
from latentlab.live.frames import Opened
from latentlab.operations.attribute_table import Probabilities
from latentlab.operations.counterfactual_plan import CounterfactualPlan, Targets, what_changed
from latentlab.operations.difference import difference_picture
from latentlab.operations.training_sets import held_out_sets
from latentlab.progress import Progress
from latentlab.session.counterfactual import (
    LiveCounterfactuals,
    LivePictures,
    PageMaker,
    chosen_attribute,
)
from latentlab.session.document import CounterfactualView
from latentlab.session.intents import Intents
from latentlab.session.session import Change
from latentlab.session.workspace import Workspace
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.attribute_card import AttributeCard
from latentlab.ui.widgets.bars_painter import label_of
from latentlab.ui.widgets.counterfactual_detail import CounterfactualDetail, Detail
from latentlab.ui.widgets.counterfactual_form import CounterfactualForm
from latentlab.ui.widgets.picture_grid import PictureGrid
from latentlab.ui.widgets.picture_view import bgrx

if TYPE_CHECKING:
    from latentlab.operations.counterfactual import CounterfactualPage, Counterfactuals

COLUMNS = 8
"""Pictures in a line of a page."""
PANEL = 392
BEGINNING = Progress("Opening the model")
BEING_MADE = "The page is being made."
KEY = "counterfactuals"
HINT = "Click to see what changed"
OWN = "* The class that the picture has now."
EXTRAPOLATION = "Extrapolation: a scale that training has not shown."


class CounterfactualsScreen(QWidget):
    """Shows the edited picture's counterfactuals live, or a page of a set's.

    ``explore_asked`` is the wish to go on in Explore.
    """

    name = "counterfactuals"
    title = "Counterfactuals"
    explore_asked = Signal()

    def __init__(
        self, workspace: Workspace, intents: Intents, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace, self._intents, self._theme = workspace, intents, theme
        self._model: Opened | None = None
        self._active = False
        self._selected: int | None = None
        self._targets: tuple[Targets, ...] = ()
        self._view: CounterfactualView | None = None
        self._take: Callable[[], None] | None = None  # goes on with what the detail shows
        self.live = LiveCounterfactuals(workspace)
        self.maker = PageMaker(workspace)
        self.grid = PictureGrid(theme, HINT)
        self.grid.setAccessibleName("Counterfactuals")
        self.form = CounterfactualForm(theme)
        self.detail = CounterfactualDetail(theme)
        self.attributes = AttributeCard(theme)
        self._status = QLabel()
        self._status.setProperty("role", "caption")
        self._status.setWordWrap(True)
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setFixedHeight(4)
        self._progress.setAccessibleName("Progress of the page")
        self._stop = QPushButton("Stop")
        self._again = QPushButton("Try again")
        self._lay_out()

        self.form.wished.connect(intents.shelf.set_counterfactual)
        session = workspace.session
        self.form.pressed.connect(lambda: session.begin_gesture("Set the counterfactuals", KEY))
        self.form.moved.connect(lambda view: intents.shelf.set_counterfactual(view, KEY))
        self.form.released.connect(lambda: session.end_gesture(KEY))
        self.live.planned.connect(self._show_plan)
        self.live.arrived.connect(self._show_live)
        self.maker.progressed.connect(self._show_progress)
        self.maker.found_page.connect(self._show_page)
        self.maker.stopped.connect(self._show_stopped)
        self.grid.chosen.connect(self.select)
        self.detail.use_asked.connect(self.use)
        self._stop.clicked.connect(self.maker.stop)
        self._again.clicked.connect(self._try_again)
        workspace.session.changed.connect(self._follow)
        workspace.model_changed.connect(self.show_document)
        workspace.busy_changed.connect(lambda _busy: self.setEnabled(workspace.in_step))

    def _lay_out(self) -> None:
        panel = QFrame()
        panel.setObjectName("card")
        panel.setFixedWidth(PANEL)
        inner = QWidget()
        inner.setObjectName("plain")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(12)
        column.addWidget(self.form)
        row = QHBoxLayout()
        row.addWidget(self._status, 1)
        row.addWidget(self._stop)
        row.addWidget(self._again)
        column.addLayout(row)
        column.addWidget(self._progress)
        column.addWidget(self.detail, 1)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(inner)
        layout = QVBoxLayout(panel)
        layout.setContentsMargins(16, 12, 8, 12)
        layout.addWidget(area)
        left = QVBoxLayout()
        left.setSpacing(10)
        left.addWidget(self.grid, 1)
        left.addWidget(self.attributes)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(16, 4, 16, 12)
        whole.setSpacing(16)
        whole.addLayout(left, 1)
        whole.addWidget(panel)
        self._idle("")

    # What the window asks

    @property
    def active(self) -> bool:
        """Whether the screen is looked at; only then is anything rendered."""
        return self._active

    @active.setter
    def active(self, active: bool) -> None:
        self._active = active
        if active:
            self.show_document()
        self.live.active = active

    @property
    def selected(self) -> int | None:
        """Which counterfactual is looked at: a cell of the plan, or a case of the page."""
        return self._selected

    @property
    def at_rest(self) -> bool:
        """Whether all that was asked for is shown."""
        if self._workspace.session.document.shelf.counterfactual.data:
            return not self.maker.busy
        return not self.live.waiting and (self.live.found is not None or bool(self.live.refusal))

    def set_smooth(self, smooth: bool) -> None:
        """Smooth between the pixels of all pictures, or show them as squares."""
        self.grid.set_smooth(smooth)
        self.detail.set_smooth(smooth)

    def close_threads(self) -> None:
        """Stop what works in the background."""
        self.maker.close()

    def show_document(self) -> None:
        """Show everything anew, if the screen is looked at."""
        opened = self._workspace.opened
        if not self._active or opened is None or not self._workspace.in_step:
            return
        if opened is not self._model:
            self._model = opened
            self.maker.stop()  # what is being made is another model's
            self._view = self._selected = None
            self.form.set_model(opened.spec.condition, held_out_sets(Path(opened.path)))
            self.attributes.set_predictor(opened.predictor, opened.predictor_name)
        self._show_view()

    def use(self) -> None:
        """Go on in Explore with the counterfactual that is looked at."""
        if self._take is None or not self._workspace.in_step:
            return
        self._take()
        self.explore_asked.emit()

    def _bring(self, case: Counterfactuals) -> None:
        """Bring in a page's picture, and tell encoder and decoder what they were told of it."""
        own, other = case.condition, case.items[0].condition
        told = own if case.side == "decoder" else other
        drawn = own if case.side == "encoder" else other
        self._workspace.bring_pixels(case.source, case.name, told, drawn, own)

    def select(self, cell: int) -> None:
        """Look at what a cell of the grid shows."""
        page = self._view is not None and bool(self._view.data)
        self._selected = self._case_of(cell) if page else self._cell_of(cell)
        if page:
            self._look_at_case()
        else:
            self._look_at_live()

    # Showing

    def _follow(self, change: Change) -> None:
        before, after = change.before.shelf.counterfactual, change.after.shelf.counterfactual
        if self._active and before != after and self._workspace.in_step:
            self._show_view()

    def _show_view(self) -> None:
        opened = self._workspace.opened
        assert opened is not None
        view, before = self._workspace.session.document.shelf.counterfactual, self._view
        self._view = view
        try:
            attribute = chosen_attribute(opened.spec.condition, view)
        except SettingsError as error:
            self.form.setEnabled(False)
            self._nothing(str(error))
            return
        self.form.setEnabled(True)
        self.form.show_view(view, attribute)
        if before is None or before.data != view.data:
            self._selected = None
            self._nothing(BEING_MADE if view.data else "")
        if view.data:
            self.maker.ask()
            if self.maker.page is not None:
                self._show_page(self.maker.page)
            elif self.maker.busy:
                self._nothing(BEING_MADE)  # what was shown is of other settings
                self._show_progress(BEGINNING)
            else:
                self._show_stopped(self.maker.failure)
        else:
            self.maker.stop()
            self._idle("")
            if before is not None and before.data:
                self.live.refresh()
            elif self.live.found is not None:
                self._show_live(self.live.found)  # such as with another threshold

    def _nothing(self, why: str) -> None:
        self._take = None
        self.grid.show_nothing(why)
        self.detail.show_nothing()
        self._show_bars({}, {}, {})
        self._idle("")

    def _show_bars(self, source: Probabilities, before: Probabilities, after: Probabilities) -> None:
        for role, title, said in (
            ("input", "Input", source),
            ("start", "Before", before),
            ("edited", "After", after),
        ):
            self.attributes.bars.show_series(role, title, said)

    # The edited picture's

    def _show_plan(self, plan: CounterfactualPlan | str) -> None:
        if not self._active or (self._view is not None and self._view.data):
            return
        if isinstance(plan, str):
            self._nothing(plan)
            return
        if plan.rows == 1:
            self.grid.set_shape(2, plan.columns, ("As", "Changed"), _labels(plan))
        else:
            down, across = (tuple(map(label_of, one)) for one in (plan.row_labels, plan.column_labels))
            self.grid.set_shape(plan.rows, plan.columns, down, across)
        if self._selected is None or self._targets != plan.targets:
            self._selected = next((k for k in range(len(plan.targets)) if k != plan.own), 0)
        self._targets = plan.targets
        self.grid.set_current(self._selected)

    def _show_live(self, found: LivePictures) -> None:
        if not self._active or self._view is None or self._view.data:
            return
        self._show_pictures(found, self._view.threshold)
        self._look_at_live()

    def _show_pictures(self, found: LivePictures, threshold: float) -> None:
        """Show the counterfactuals in the grid, and below a row of them what changed beyond the threshold."""
        pixels = found.pixels[:-1]
        if found.plan.rows == 1:
            edited = found.picture(-1)
            changed = [
                bgrx(difference_picture(edited, found.picture(k), threshold=threshold))
                for k in range(len(pixels))
            ]
            pixels = np.concatenate([pixels, np.stack(changed)])
        self.grid.show_frame(np.ascontiguousarray(pixels))

    def _look_at_live(self) -> None:
        found, opened, view, place = self.live.found, self._workspace.opened, self._view, self._selected
        if found is None or opened is None or view is None:
            return
        if place is None or place >= len(found.plan.targets):
            return
        self.grid.set_current(place)
        judge = opened.predictor
        classes = {} if judge is None else {one.name: one.classes for one in judge.attributes}
        targets = found.plan.targets[place]
        before, after = found.picture(-1), found.picture(place)
        change = what_changed(
            before, after, found.said(-1), found.said(place), classes, targets, view.threshold
        )
        notes = [EXTRAPOLATION] if found.plan.extrapolation[place] else []
        if found.plan.rows == 1 and found.plan.own is not None:
            notes.append(OWN)
        self.detail.show_detail(
            Detail(
                _title(targets, found.plan.scale),
                {"before": before, "after": after, "difference": change.difference},
                targets,
                change,
                classes,
                tuple(notes),
            )
        )
        step = f"Take the counterfactual {found.plan.names[place]}"
        self._take = partial(self._intents.condition.set, found.plan.conditions[place], step)
        self._show_bars({}, found.said(-1), found.said(place))

    def _cell_of(self, cell: int) -> int:
        plan = self.live.plan
        return cell if plan is None or plan.rows > 1 else cell % plan.columns

    # A page

    def _show_progress(self, done: Progress) -> None:
        self._status.setText(done.stage)
        self._progress.setRange(0, done.total)
        self._progress.setValue(done.done)
        self._progress.show()
        self._stop.show()
        self._again.hide()

    def _show_stopped(self, why: str) -> None:
        if self._active and self._view is not None and self._view.data:
            self._nothing(why)
            self._again.show()

    def _show_page(self, page: CounterfactualPage) -> None:
        if not self._active or self._view is None or not self._view.data:
            return
        left = f" {page.left_out} left out: their class is not known." if page.left_out else ""
        self._idle(f"{len(page.cases)} pictures of {self._view.data}.{left}")
        lines = -(-len(page.cases) // COLUMNS)
        self.grid.set_shape(2 * lines, COLUMNS, ("Before", "After") * lines)
        size = page.cases[0].source.shape[0]
        ground = self._theme.colour("window")
        blank = np.empty((size, size, 4), dtype=np.uint8)
        blank[:] = (ground.blue(), ground.green(), ground.red(), 255)
        cells = [blank] * (2 * lines * COLUMNS)
        for k, case in enumerate(page.cases):
            line, column = divmod(k, COLUMNS)
            cells[2 * line * COLUMNS + column] = bgrx(case.reconstruction)
            cells[(2 * line + 1) * COLUMNS + column] = bgrx(case.items[0].picture)
        self.grid.show_frame(np.stack(cells))
        if self._selected is None or self._selected >= len(page.cases):
            self._selected = 0
        self._look_at_case()

    def _look_at_case(self) -> None:
        page, opened, place = self.maker.page, self._workspace.opened, self._selected
        if page is None or opened is None or place is None or place >= len(page.cases):
            return
        line, column = divmod(place, COLUMNS)
        self.grid.set_current((2 * line + 1) * COLUMNS + column)
        case, item = page.cases[place], page.cases[place].items[0]
        judge = opened.predictor
        classes = {} if judge is None else {one.name: one.classes for one in judge.attributes}
        pictures = {
            "before": case.reconstruction,
            "after": item.picture,
            "difference": item.change.difference,
        }
        notes = [f"{case.name}, place {page.positions[place]} of the set"]
        if item.truth is not None:
            pictures |= {
                "true": item.truth.picture,
                "off": difference_picture(item.truth.picture, item.picture, threshold=case.threshold),
            }
            if item.truth.error_255 is not None:
                notes.append(
                    f"Error over the {item.truth.pixels:,} pixels that truly change: "
                    f"{item.truth.error_255:.1f} of 255; without the flip {item.truth.unflipped_255:.1f}"
                )
        if item.extrapolation:
            notes.append(EXTRAPOLATION)
        title = f"{_title(item.targets, case.plan.scale)}: {case.name}"
        self.detail.show_detail(Detail(title, pictures, item.targets, item.change, classes, tuple(notes)))
        self._take = partial(self._bring, case)
        self._show_bars(case.source_attributes, item.change.before, item.change.after)

    def _case_of(self, cell: int) -> int | None:
        page = self.maker.page
        row, column = divmod(cell, COLUMNS)
        place = (row // 2) * COLUMNS + column
        return place if page is not None and place < len(page.cases) else self._selected

    def _idle(self, text: str) -> None:
        self._status.setText(text)
        self._progress.hide()
        self._stop.hide()
        self._again.hide()

    def _try_again(self) -> None:
        self.maker.again()
        self._show_progress(BEGINNING)


def _labels(plan: CounterfactualPlan) -> list[str]:
    return [f"{label_of(label)}{'*' if k == plan.own else ''}" for k, label in enumerate(plan.column_labels)]


def _title(targets: Targets, scale: float) -> str:
    said = " and ".join(f"{label_of(name)} {label_of(label).lower()}" for name, label in targets.items())
    return said if scale == 1.0 else f"{said}, scale {scale:g}"
