"""What a person can do with the settings of the screen "Train and debias"; each a named step."""

from __future__ import annotations

from dataclasses import replace

from latentlab.session.document import TrainValue, TrainView
from latentlab.session.session import Session
from latentlab.session.train_plan import RECIPES, key_of, value_of


class TrainIntents:
    """Changes which training is asked for, and which ones are shown."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def view(self) -> TrainView:
        """How the screen is set now."""
        return self._session.document.train

    def set(self, view: TrainView, name: str = "Set the training", key: str | None = None) -> None:
        """Ask for another training, or show something else."""
        if view != self.view:
            self._session.change(name, replace(self._session.document, train=view), key)

    def ask(self, field: str, value: TrainValue, key: str | None = None) -> None:
        """Set a field; the training that is asked for is shown instead of an earlier one."""
        view = self.view
        if value_of(view, field) != value:
            title = RECIPES[view.recipe].field(field).title
            values = {**view.values, key_of(view.recipe, field): value}
            name = f"Set {title.split(',')[0].lower()}"
            self.set(replace(view, values=values, shown=""), name, key)

    def choose_recipe(self, recipe: str) -> None:
        """Train by another recipe; what both are asked stays."""
        if recipe in RECIPES and recipe != self.view.recipe:
            self.set(replace(self.view, recipe=recipe, shown=""), f"Choose {RECIPES[recipe].title}")

    def show(self, out: str) -> None:
        """Show an earlier training; the empty string for the one that is asked for."""
        self.set(replace(self.view, shown=out), "Show another training")

    def put_beside(self, out: str) -> None:
        """Show another training beside the one that is shown; the empty string for none."""
        name = "Compare trainings" if out else "Compare no trainings"
        self.set(replace(self.view, beside=out), name)
