"""What the Search screen is set by: the picture, how it is reduced and searched for; how the work stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from latentlab.operations.search_plan import MOST_RESTARTS, MOST_STEPS
from latentlab.session.document import SearchView
from latentlab.session.search_wanted import factor_of, factors, is_projecting
from latentlab.spec import MODE, ConditionSchema, ModelSpec
from latentlab.ui.theme import Theme, numerals
from latentlab.ui.widgets.bars_painter import label_of
from latentlab.ui.widgets.boxes import ComboBox, DoubleSpinBox, SpinBox
from latentlab.ui.widgets.form import (
    MoreButton,
    caption,
    choice_box,
    controls_in_order,
    decimal_box,
    number_box,
    switch,
)
from latentlab.ui.widgets.search_input import SearchInput
from latentlab.ui.widgets.work_form import StartForm

LARGEST = 2**31 - 1 - MOST_RESTARTS
FREE, AS_IN_EXPLORE = "searched for too", "as in Explore"
GIVEN = (("auto", "by its size"), ("full", "a whole picture"), ("small", "the small picture itself"))
LOSSES = (("l2", "squared (L2)"), ("l1", "absolute (L1)"), ("map", "log posterior (MAP)"))
OPTIMISERS = (("adam", "Adam"), ("lbfgs", "L-BFGS"))
PRECISIONS = (("float32", "float32"), ("bfloat16", "bfloat16"))
SEARCH_TIP = "Look for the latents whose pictures come nearest, from several starts"
POSTERIOR_TIP = "Sample what the small picture may show, in the proportions in which it is probable"
AGAIN_TIP = "Begin anew as soon as the picture or a setting changes"


class SearchForm(StartForm):
    """Sends the view that is wished for, and the wishes to begin, hold, stop and go on.

    ``factor_wished`` is another factor, ``more_asked`` the wish for so many more steps.
    """

    wished = Signal(SearchView)
    factor_wished = Signal(int)
    hold_asked = Signal(bool)
    more_asked = Signal(int)

    def __init__(self, theme: Theme, crop: QAction, parent: QWidget | None = None) -> None:
        super().__init__("Search", "search", parent)
        self._view = SearchView()
        self._schema = ConditionSchema()
        self.input = SearchInput(theme, crop)
        self.factor = choice_box("Reduced by", "By which factor height and width are reduced (bicubic)")
        self.colour = switch("Colour", "Compare the three colours")
        self.luminance = switch("Luminance", "Compare the brightness alone (ITU-R 601)")
        tip = "How unsure the exposure is: standard deviation of its logarithm; it is searched for too"
        self.exposure = decimal_box("Unknown exposure", tip, 0.0, 2.0, 2, 0.05, "known")
        self.given = choice_box("The picture is", "Whether it is reduced, or is the small picture itself")
        self.search = switch("Search", SEARCH_TIP)
        self.posterior = switch("Posterior", POSTERIOR_TIP)
        self.restarts = number_box("Restarts", "From how many seeds is searched", 1, MOST_RESTARTS, 62)
        self.steps = number_box("Steps", "", 1, MOST_STEPS, 76)
        self.seed = number_box("Seed", "The first restart's seed; the others follow", 0, LARGEST, 84)
        self.conditions: dict[str, ComboBox] = {}
        tip = "The distance under which a restart has succeeded (mean squared error)"
        self.eps = decimal_box("eps", tip, 0.0, 1.0, 6, 1e-4, "the model's own")
        self.loss = choice_box("Loss", "What is made small; MAP weighs the prior too and has no eps")
        self.optimiser = choice_box("Optimiser", "Adam with the published schedule, or L-BFGS")
        self.rate = decimal_box("Rate", "Length of the steps", 0.01, 10.0, 2, 0.1)
        self.precision = choice_box("Precision", "Of the search's own pictures; what it finds is float32")
        tip = "Standard deviation of the noise on each number of the small picture"
        self.sigma = decimal_box("Noise", tip, 0.0, 1.0, 4, 0.005, "root of eps")
        tip = "At which temperature the chains begin; it falls to 1 during the warm-up"
        self.temperature = decimal_box("First temperature", tip, 1.0, 1e6, 0, 10.0)
        self.leaps = number_box("Leaps", "Leapfrog steps of a proposal; 1 is Langevin's", 1, 64, 62)
        self._numbers: Mapping[str, SpinBox | DoubleSpinBox] = {
            "exposure": self.exposure,
            "restarts": self.restarts,
            "steps": self.steps,
            "seed": self.seed,
            "eps": self.eps,
            "rate": self.rate,
            "sigma": self.sigma,
            "temperature": self.temperature,
            "leaps": self.leaps,
        }
        self._choices = {
            "given": self.given,
            "loss": self.loss,
            "optimiser": self.optimiser,
            "precision": self.precision,
        }
        for name, choices in (
            ("given", GIVEN),
            ("loss", LOSSES),
            ("optimiser", OPTIMISERS),
            ("precision", PRECISIONS),
        ):
            for value, text in choices:
                self._choices[name].addItem(text, value)
        self.more_settings = MoreButton("Show eps, loss, optimiser, noise and precision")
        self.start.setToolTip("Search for the small picture, from the first step (Ctrl+Shift+Return)")
        self.hold = QPushButton("Pause")
        self.hold.setToolTip("Hold the search where it is, or let it go on")
        self.stop.setToolTip("Stop the search; what is nearest until now is kept")
        self.go_on = QPushButton("Continue with")
        self.go_on.setToolTip("Go on from where the restarts stand; the nearest until now stays")
        self.more = number_box("More steps", "How many more steps", 1, MOST_STEPS, 76)
        self.again = QCheckBox("Search again on every change")
        self.again.setToolTip(AGAIN_TIP)
        self.status.setFont(numerals(self.status.font()))
        self._captions: dict[QWidget, QLabel] = {}
        self._lay_out()
        self._connect()
        controls_in_order(self.controls)

    # Layout

    def _lay_out(self) -> None:
        inner = QWidget()
        inner.setObjectName("plain")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(8)
        column.addWidget(self.input)
        reduce = _grid()
        self._row(reduce, "Reduced by", self.factor)
        kinds = _beside(self.colour, self.luminance)
        self._row(reduce, "Compared in", kinds)
        self._row(reduce, "Exposure", self.exposure)
        column.addLayout(reduce)
        column.addWidget(_beside(self.search, self.posterior))
        numbers = QGridLayout()
        numbers.setHorizontalSpacing(8)
        numbers.setVerticalSpacing(2)
        self._counts = caption("Restarts", self.restarts)
        for k, (label, box) in enumerate(
            (
                (self._counts, self.restarts),
                (caption("Steps", self.steps), self.steps),
                (caption("Seed", self.seed), self.seed),
            )
        ):
            numbers.addWidget(label, 0, k)
            numbers.addWidget(box, 1, k)
        numbers.setColumnStretch(3, 1)
        column.addLayout(numbers)
        self._told = QWidget()
        self._told_grid = _grid(self._told)
        column.addWidget(self._told)
        column.addWidget(self.more_settings)
        further = QWidget()
        grid = _grid(further)
        for text, widget in (
            ("eps", self.eps),
            ("Loss", self.loss),
            ("Optimiser", self.optimiser),
            ("Rate", self.rate),
            ("Precision", self.precision),
            ("Noise", self.sigma),
            ("First temperature", self.temperature),
            ("Leaps", self.leaps),
            ("The picture is", self.given),
        ):
            self._row(grid, text, widget)
        column.addWidget(further)
        column.addStretch(1)
        buttons = QHBoxLayout()
        for button, share in ((self.start, 2), (self.hold, 1), (self.stop, 1)):
            buttons.addWidget(button, share)
        self._going = QWidget()
        row = QHBoxLayout(self._going)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.go_on, 1)
        row.addWidget(self.more)
        row.addWidget(caption("more steps", self.more))
        self._put_together(inner, buttons, self._going, self.again)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.more_settings.fold(further, self.area)

    def _row(self, grid: QGridLayout, text: str, widget: QWidget) -> None:
        place = grid.rowCount()
        label = caption(text, widget)
        grid.addWidget(label, place, 0)
        grid.addWidget(widget, place, 1)
        self._captions[widget] = label

    def _connect(self) -> None:
        self.factor.activated.connect(lambda _row: self.factor_wished.emit(self.factor.currentData()))
        for button, name, value in (
            (self.colour, "kind", "colour"),
            (self.luminance, "kind", "luminance"),
            (self.search, "posterior", False),
            (self.posterior, "posterior", True),
        ):
            button.clicked.connect(lambda _checked, name=name, value=value: self._wish(name, value))
        for name, box in (*self._numbers.items(), ("more", self.more)):
            box.valueChanged.connect(lambda value, name=name: self._wish(name, value))
        for name, choice in self._choices.items():
            choice.activated.connect(
                lambda _row, name=name, choice=choice: self._wish(name, choice.currentData())
            )
        self.hold.clicked.connect(lambda: self.hold_asked.emit(self.hold.text() == "Pause"))
        self.go_on.clicked.connect(lambda: self.more_asked.emit(self.more.value()))

    # What the screen asks

    @property
    def controls(self) -> list[QWidget]:
        """All controls in the order of the Tab key."""
        return [
            *self.input.controls,
            self.factor,
            self.colour,
            self.luminance,
            self.exposure,
            self.search,
            self.posterior,
            self.restarts,
            self.steps,
            self.seed,
            *self.conditions.values(),
            self.more_settings,
            self.eps,
            self.loss,
            self.optimiser,
            self.rate,
            self.precision,
            self.sigma,
            self.temperature,
            self.leaps,
            self.given,
            self.start,
            self.hold,
            self.stop,
            self.go_on,
            self.more,
            self.again,
        ]

    def set_model(self, spec: ModelSpec) -> None:
        """Offer the factors and the condition of this model."""
        self._schema = spec.condition
        with QSignalBlocker(self.factor):
            self.factor.clear()
            for factor in factors(spec.image_size):
                side = spec.image_size // factor
                self.factor.addItem(f"{factor}, to {side} × {side} px", factor)
        for box in self.conditions.values():
            label = self._captions.pop(box)
            for widget in (label, box):
                self._told_grid.removeWidget(widget)
                widget.setParent(None)
                widget.deleteLater()
        self.conditions = {}
        projecting = is_projecting(spec.condition)
        for one in spec.condition.attributes:
            if one.kind != "categorical" or one.name == MODE.name:
                continue
            box = choice_box(f"Condition: {label_of(one.name)}", "What the model is told")
            box.addItem(AS_IN_EXPLORE if projecting else FREE, "")
            for label_name in one.classes:
                box.addItem(label_of(label_name), label_name)
            box.activated.connect(lambda _row, name=one.name: self._fix(name))
            self._row(self._told_grid, label_of(one.name), box)
            self.conditions[one.name] = box
        self._told.setVisible(bool(self.conditions))
        controls_in_order((self.seed, *self.conditions.values(), self.more_settings))

    def show_view(self, view: SearchView, image_size: int) -> None:
        """Show how the screen is set."""
        self._view = view
        blockers = [
            QSignalBlocker(box) for box in self.controls if isinstance(box, (QAbstractSpinBox, QComboBox))
        ]
        self.factor.setCurrentIndex(self.factor.findData(factor_of(view, image_size)))
        for name, choice in self._choices.items():
            choice.setCurrentIndex(max(0, choice.findData(getattr(view, name))))
        for name, number in (*self._numbers.items(), ("more", self.more)):
            number.setValue(getattr(view, name))
        fixed = dict(view.fixed)
        for name, classes in self.conditions.items():
            classes.setCurrentIndex(max(0, classes.findData(fixed.get(name, ""))))
        del blockers
        self.colour.setChecked(view.kind == "colour")
        self.luminance.setChecked(view.kind == "luminance")
        self.search.setChecked(not view.posterior)
        self.posterior.setChecked(view.posterior)
        self._counts.setText("Chains" if view.posterior else "Restarts")
        self.restarts.setToolTip(
            "How many chains are drawn side by side" if view.posterior else "From how many seeds is searched"
        )
        self.steps.setToolTip(
            "Proposals of each chain; the first half of them warm it up"
            if view.posterior
            else "Steps of each restart, unless it is under eps sooner"
        )
        searching: tuple[QWidget, ...] = (self.loss, self.optimiser, self.rate, self.precision)
        sampling: tuple[QWidget, ...] = (self.temperature, self.leaps)
        for widget in (*searching, *sampling):
            self._set_visible(widget, (widget in sampling) == view.posterior)
        self._set_visible(self.sigma, view.posterior or view.loss == "map")
        self._set_visible(self.given, view.own is None or not view.own.small)

    def show_work(
        self, text: str, *, underway: bool, paused: bool, done: int, total: int, can_go_on: bool, ready: bool
    ) -> None:
        """Say how the work stands, and offer what can be done now.

        ``total`` is 0 where it is not known how long it takes.
        """
        self.show_progress(text, done, total, underway)
        self.start.setEnabled(ready)
        self.start.setText("Search anew" if underway else "Sample" if self._view.posterior else "Search")
        self.hold.setVisible(underway)
        self.hold.setText("Resume" if paused else "Pause")
        self.stop.setVisible(underway)
        self._going.setVisible(can_go_on and not underway)

    # Wishes

    def _fix(self, name: str) -> None:
        fixed = {one: label for one, label in self._view.fixed if one != name}
        label = self.conditions[name].currentData()
        if label:
            fixed[name] = label
        self._wish("fixed", tuple(sorted(fixed.items())))

    def _wish(self, name: str, value: object) -> None:
        changes: dict[str, Any] = {name: value}
        view = self._view
        # A switch that was clicked stays as it is until the document has changed.
        self.colour.setChecked(view.kind == "colour")
        self.luminance.setChecked(view.kind == "luminance")
        self.search.setChecked(not view.posterior)
        self.posterior.setChecked(view.posterior)
        self.wished.emit(replace(view, **changes))

    def _set_visible(self, widget: QWidget, visible: bool) -> None:
        widget.setVisible(visible)
        self._captions[widget].setVisible(visible)


def _grid(parent: QWidget | None = None) -> QGridLayout:
    grid = QGridLayout() if parent is None else QGridLayout(parent)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(8)
    grid.setVerticalSpacing(6)
    grid.setColumnStretch(1, 1)
    return grid


def _beside(*widgets: QWidget) -> QWidget:
    both = QWidget()
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(6)
    for widget in widgets:
        row.addWidget(widget, 1)
    return both
