"""What a training is asked: the recipe, its own fields, where it writes; and how it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtWidgets import QPushButton, QToolButton, QVBoxLayout, QWidget

from latentlab.session.document import TrainView
from latentlab.session.train_faces import FacesFound
from latentlab.session.train_plan import RECIPES, Recipe, values_of
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.audit_fields import Field, SetField
from latentlab.ui.widgets.boxes import ComboBox
from latentlab.ui.widgets.form import caption
from latentlab.ui.widgets.train_fields import CheckpointField, RatiosField, make_field
from latentlab.ui.widgets.work_form import WorkForm

OUT_TIP = "Where checkpoints and the run are written; empty keeps them among the program's own"
PAUSE_TIP = "Stop it for now; its state is saved, and Resume goes on from there"
GIVE_UP_TIP = "Stop it, and delete what is not finished of it"


class TrainForm(WorkForm):
    """Sends what is wished for, and the wishes to begin, pause and give up.

    ``recipe_chosen`` tells a recipe's name, ``wished`` a field and its value; ``folder_asked`` is the wish
    for a dialog about a field or about ``out``; ``give_up_asked`` the wish to end it for good.
    """

    recipe_chosen = Signal(str)
    wished = Signal(str, object)
    folder_asked = Signal(str)
    give_up_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Start", "training", OUT_TIP, parent)
        self._theme, self._view = theme, TrainView()
        self.fields: dict[str, Field] = {}
        self._built = ""
        self.recipe = ComboBox()
        self.recipe.setAccessibleName("Recipe")
        self.recipe.setToolTip("What is trained")
        for name, one in RECIPES.items():
            self.recipe.addItem(one.title, name)
        self.purpose = caption("")
        self.purpose.setWordWrap(True)
        self.more = QToolButton()
        self.more.setText("More settings")
        self.more.setCheckable(True)
        self.more.setToolTip("Show the network's shape, weights of the losses, rate, batch and threads")
        self.more.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.give_up = QPushButton("Cancel…")
        self.give_up.setToolTip(GIVE_UP_TIP)
        self.stop.setText("Pause")
        self.stop.setToolTip(PAUSE_TIP)
        self._lay_out()
        self.recipe.activated.connect(lambda _row: self._choose())
        self.browse.clicked.connect(lambda: self.folder_asked.emit("out"))
        self.give_up.clicked.connect(self.give_up_asked)
        self.more.toggled.connect(self._show_more)
        self._show_more(False)

    def _lay_out(self) -> None:
        inner = QWidget()
        inner.setObjectName("plain")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(4)
        column.addWidget(caption("Recipe", self.recipe))
        column.addWidget(self.recipe)
        column.addWidget(self.purpose)
        column.addSpacing(6)
        self._asked = QVBoxLayout()
        self._asked.setSpacing(4)
        column.addLayout(self._asked)
        column.addWidget(self.more)
        self._further = QWidget()
        self._further_asked = QVBoxLayout(self._further)
        self._further_asked.setContentsMargins(0, 0, 0, 0)
        self._further_asked.setSpacing(4)
        column.addWidget(self._further)
        self._add_results(column)
        column.addStretch(1)
        self._area = self._put_together(inner, self.give_up)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    @property
    def controls(self) -> list[QWidget]:
        """All controls in the order of the Tab key."""
        recipe = RECIPES[self._view.recipe]
        first = [c for one in recipe.fields if not one.further for c in self.fields[one.name].controls]
        later = [c for one in recipe.fields if one.further for c in self.fields[one.name].controls]
        ends = [self.out, self.browse, self.start, self.stop, self.give_up]
        return [self.recipe, *first, self.more, *later, *ends]

    def show_view(self, view: TrainView) -> None:
        """Show how it is set."""
        self._view = view
        recipe = RECIPES[view.recipe]
        self._build(recipe)
        with QSignalBlocker(self.recipe):
            self.recipe.setCurrentIndex(self.recipe.findData(view.recipe))
        self.purpose.setText(recipe.purpose)
        values = values_of(view)
        for one in recipe.fields:
            field = self.fields[one.name]
            field.show_value(values[one.name])  # type: ignore[attr-defined]  # each field's own type
            field.setVisible(not one.when or values["budget"] == one.when)
        self.show_out(view.out)

    def offer(
        self, sets: Mapping[str, str], models: Mapping[str, str], predictors: Mapping[str, str]
    ) -> None:
        """Offer sets, and checkpoints by what they are."""
        offers = {"features": predictors, "start": models, "autoencoder": models}
        for name, field in self.fields.items():
            if isinstance(field, CheckpointField):
                field.offer(offers.get(name, models))
            elif isinstance(field, SetField):
                field.offer(sets)

    def show_faces(self, found: FacesFound, waiting: bool) -> None:
        """Show the counts of faces that come of the shares."""
        field = self.fields.get("ratios")
        if isinstance(field, RatiosField) and field.show_found(found, waiting):
            self._order()

    def show_problems(self, wrong: Mapping[str, str]) -> None:
        """Mark what cannot be used, each field with its reason."""
        for name, field in self.fields.items():
            field.show_reason(wrong.get(name, ""))

    @property
    def unread(self) -> bool:
        """Whether something cannot be had, such as more faces of a group than there are."""
        return any(field.unread for field in self.fields.values())

    def _build(self, recipe: Recipe) -> None:
        """Make the controls of a recipe's fields."""
        if recipe.name == self._built:
            return
        self._built = recipe.name
        for field in self.fields.values():
            field.setParent(None)
            field.deleteLater()
        self.fields = {}
        for one in recipe.fields:
            field = make_field(one, self._theme)
            field.wished.connect(lambda value, name=one.name: self._take(name, value))
            field.folder_asked.connect(lambda name=one.name: self.folder_asked.emit(name))
            (self._further_asked if one.further else self._asked).addWidget(field)
            self.fields[one.name] = field
        self._order()
        self._area.verticalScrollBar().setValue(0)

    def _order(self) -> None:
        before: QWidget | None = None
        for control in self.controls:
            if before is not None:
                QWidget.setTabOrder(before, control)
            before = control

    def _choose(self) -> None:
        chosen = self.recipe.currentData()
        with QSignalBlocker(self.recipe):
            self.recipe.setCurrentIndex(self.recipe.findData(self._view.recipe))
        self.recipe_chosen.emit(chosen)

    def _take(self, name: str, value: Any) -> None:
        self.wished.emit(name, value)

    def _show_more(self, more: bool) -> None:
        self._further.setVisible(more)
        self.more.setArrowType(Qt.ArrowType.DownArrow if more else Qt.ArrowType.RightArrow)
        if more:  # what has been opened is to be seen
            QTimer.singleShot(0, self, lambda: self._area.ensureWidgetVisible(self._further, 0, 0))
