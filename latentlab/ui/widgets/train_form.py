"""What a training is asked: the recipe, its own fields, where it writes; and how it stands."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from latentlab.session.document import TrainView
from latentlab.session.train_faces import FacesFound
from latentlab.session.train_plan import RECIPES, values_of
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.audit_fields import SetField
from latentlab.ui.widgets.boxes import ComboBox
from latentlab.ui.widgets.fields_form import FieldsForm
from latentlab.ui.widgets.form import MoreButton, caption
from latentlab.ui.widgets.train_fields import CheckpointField, RatiosField, make_field

OUT_TIP = "Where checkpoints and the run are written; empty keeps them among the program's own"
PAUSE_TIP = "Stop it for now; its state is saved, and Resume goes on from there"
GIVE_UP_TIP = "Stop it, and delete what is not finished of it"


class TrainForm(FieldsForm):
    """Sends what is wished for, and the wishes to begin, pause and give up.

    ``recipe_chosen`` tells a recipe's name; ``give_up_asked`` is the wish to end it for good.
    """

    recipe_chosen = Signal(str)
    give_up_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Start", "training", OUT_TIP, parent)
        self._theme, self._view = theme, TrainView()
        self.recipe = ComboBox()
        self.recipe.setAccessibleName("Recipe")
        self.recipe.setToolTip("What is trained")
        for name, one in RECIPES.items():
            self.recipe.addItem(one.title, name)
        self.purpose = caption("")
        self.purpose.setWordWrap(True)
        self.more = MoreButton("Show the network's shape, weights of the losses, rate, batch and threads")
        self.give_up = QPushButton("Cancel…")
        self.give_up.setToolTip(GIVE_UP_TIP)
        self.stop.setText("Pause")
        self.stop.setToolTip(PAUSE_TIP)
        self._lay_out()
        self.recipe.activated.connect(lambda _row: self._choose())
        self.give_up.clicked.connect(self.give_up_asked)

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
        further = QWidget()
        self._further_asked = QVBoxLayout(further)
        self._further_asked.setContentsMargins(0, 0, 0, 0)
        self._further_asked.setSpacing(4)
        column.addWidget(further)
        self._add_results(column)
        column.addStretch(1)
        self._put_together(inner, self._buttons(self.give_up))
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.more.fold(further, self.area)

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
        columns = {True: self._further_asked, False: self._asked}
        fields = ((one.name, make_field(one, self._theme), columns[one.further]) for one in recipe.fields)
        self._build(recipe.name, fields)
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

    def _choose(self) -> None:
        chosen = self.recipe.currentData()
        with QSignalBlocker(self.recipe):
            self.recipe.setCurrentIndex(self.recipe.findData(self._view.recipe))
        self.recipe_chosen.emit(chosen)
