"""Connects the panel beside the views with the session: dimensions, directions, pins and groups."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QInputDialog, QMenu, QWidget

from latentlab.errors import LatentLabError
from latentlab.session.document import AxisRef, Explore, Group, Pin, ProbeView, Shelf
from latentlab.session.find_directions import DirectionFinder
from latentlab.session.intents import Intents
from latentlab.session.session import Message
from latentlab.session.workspace import Workspace
from latentlab.ui.actions import Actions
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.bars_painter import label_of
from latentlab.ui.widgets.difference_dialog import DifferenceDialog
from latentlab.ui.widgets.direction_page import DirectionPage
from latentlab.ui.widgets.latent_panel import DIRECTIONS, PINS, LatentPanel
from latentlab.ui.widgets.pin_page import PinPage

COMPONENTS = 8
"""Principal components that are added at once."""


class ExplorePanel(QObject):
    """The panel, and what happens when its controls are used.

    Parameters
    ----------
    finder
        Finds directions in the encoded data.
    """

    def __init__(
        self,
        workspace: Workspace,
        intents: Intents,
        theme: Theme,
        actions: Actions,
        finder: DirectionFinder,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._intents, self._finder = workspace, intents, finder
        self._theme, self._actions = theme, actions
        self._add = QMenu()
        self._add.aboutToShow.connect(self._fill_add)
        self._sets = QMenu()
        self._sets.aboutToShow.connect(lambda: self._fill_sets(self._sets))
        self.directions = DirectionPage(
            theme,
            self._add,
            self._sets,
            actions["pin"],
            actions["orthogonalise"],
            actions["load_directions"],
            actions["save_directions"],
        )
        self.pins = PinPage(theme, actions["pin"], actions["group_pins"], actions["add_difference"])
        self.panel = LatentPanel(
            theme, actions["randomise"], actions["mutate"], actions["reset_all"], self.directions, self.pins
        )
        explore, along, shelf = intents.explore, intents.along, intents.shelf
        rows = self.panel.list
        rows.pressed.connect(explore.begin_move)
        rows.released.connect(lambda _dimension: explore.end_move())
        rows.moved.connect(explore.move)
        rows.reset_asked.connect(self._reset_dimension)
        rows.lock_asked.connect(lambda dimension, locked: shelf.lock([dimension], locked))
        page, condition = self.panel.condition, intents.condition
        page.pressed.connect(condition.begin)
        page.released.connect(condition.end)
        page.linked.connect(condition.link)
        page.told_as_seen.connect(condition.tell_as_seen)
        for signal, intent in (
            (page.chosen, condition.choose),
            (page.scaled, condition.scale),
            (page.weighed, condition.weigh),
            (page.flip_asked, condition.flip),
            (page.reset_asked, condition.reset),
            (page.told, condition.tell),
        ):
            signal.connect(partial(self._with_spec, intent))
        self.directions.pressed.connect(along.begin_move)
        self.directions.released.connect(lambda _name: along.end_move())
        self.directions.moved.connect(along.move)
        self.directions.asked.connect(self._ask_of_direction)
        self.pins.pin_asked.connect(self._ask_of_pin)
        self.pins.group_asked.connect(self._ask_of_group)
        self.pins.ticked.connect(shelf.tick_pin)
        self.pins.pin_renamed.connect(partial(self._rename, shelf.rename_pin))
        self.pins.group_renamed.connect(partial(self._rename, shelf.rename_group))
        self.panel.tabs.currentChanged.connect(lambda _page: self._show_offsets())
        finder.busy_changed.connect(self.directions.show_busy)

    def show_state(self, state: Explore, shelf: Shelf) -> None:
        """Show a state and what is on the shelf."""
        self.panel.show_state(state, shelf)
        self.directions.show_directions(shelf.directions, self._intents.along.offset)
        self.pins.show_shelf(shelf)

    # What the actions do

    def pin(self) -> None:
        """Pin the edited picture, and show the pins."""
        self._intents.shelf.pin()
        self.panel.show_page(PINS)

    def group_pins(self) -> None:
        """Make a group of the ticked pins."""
        self._try(self._intents.shelf.group_ticked_pins)

    def add_difference(self) -> None:
        """Let two pins or groups be chosen, and add the direction from one to the other."""
        opened, shelf = self._workspace.opened, self._workspace.session.document.shelf
        entries: list[Pin | Group] = [*shelf.pins, *shelf.groups]
        if opened is None or len(entries) < 2:
            self._refuse("A direction needs two pins or groups. Pin two pictures first.")
            return
        dialog = DifferenceDialog([one.name for one in entries], self.panel)
        try:
            if dialog.exec():
                first, second = (entries[place] for place in dialog.chosen)
                name = dialog.name
                self._try(lambda: self._intents.shelf.add_difference(opened.spec, first, second, name))
                self.panel.show_page(DIRECTIONS)
        finally:
            dialog.deleteLater()

    def orthogonalise(self) -> None:
        """Make each direction orthogonal to those before it."""
        self._try(self._finder.orthogonalise)

    # Directions

    def _fill_add(self) -> None:
        menu, finder = self._add, self._finder
        menu.clear()
        of_what = finder.of_what
        self._fill_sets(menu.addMenu(f"{COMPONENTS} principal components of"))
        attributes = finder.attributes
        below = menu.addMenu("Attribute")
        for one in attributes:
            action = below.addAction(label_of(one.name))
            name = one.name
            action.triggered.connect(
                lambda _checked=False, name=name: self._try(lambda: finder.find_attribute(name))
            )
        below.setEnabled(bool(attributes))
        if not attributes:
            below.setTitle(f"Attribute ({of_what} has no labels)" if of_what else "Attribute")
        menu.addSeparator()
        menu.addAction(self._actions["add_difference"])

    def _fill_sets(self, menu: QMenu) -> None:
        """Offer the sets whose principal components can be added."""
        menu.clear()
        for name in self._finder.sets:
            menu.addAction(name).triggered.connect(partial(self._find_components, name))

    def _find_components(self, data: str, _checked: bool = False) -> None:
        self._try(lambda: self._finder.find_components(COMPONENTS, data))

    def _ask_of_direction(self, name: str, ask: str) -> None:
        shelf, view = self._intents.shelf, self._workspace.session.document.shelf
        direction = view.direction(name)
        if direction is None:
            return
        if ask == "reset":
            self._workspace.session.end_gesture()
            self._intents.along.reset(name)
        elif ask == "remove":
            shelf.remove_direction(name)
        elif ask == "rename":
            new, given = QInputDialog.getText(self.panel, "Rename direction", "Name", text=name)
            if given:
                self._try(lambda: shelf.rename_direction(name, new.strip()))
        elif ask == "reach":
            reach, given = QInputDialog.getDouble(
                self.panel,
                "Range of the direction",
                f"{name}: sigma to either side",
                direction.reach,
                0.1,
                100,
                1,
            )
            if given:
                shelf.set_reach(name, reach)
        elif ask == "grid":
            axis = AxisRef(direction=name)
            axes = view.grid.axes if axis in view.grid.axes else (*view.grid.axes, axis)
            shelf.set_grid(type(view.grid)("strips", axes, view.grid.steps, view.grid.reach))
            self._actions["view_grid"].trigger()
        elif ask == "probe":
            shelf.set_probe(ProbeView(AxisRef(direction=name), view.probe.attribute))
            self._actions["view_probe"].trigger()

    def _show_offsets(self) -> None:
        directions = self._workspace.session.document.shelf.directions
        self.directions.show_directions(directions, self._intents.along.offset)

    # Pins and groups

    def _ask_of_pin(self, name: str, ask: str) -> None:
        shelf = self._intents.shelf
        if not name:
            return
        if ask == "go":
            shelf.go_to_pin(name)
        elif ask == "compare":
            shelf.compare_with("" if shelf.shelf.compared == name else name)
        elif ask in ("up", "down"):
            shelf.move_pin(name, -1 if ask == "up" else 1)
        elif ask == "remove":
            shelf.remove_pin(name)

    def _ask_of_group(self, name: str, ask: str) -> None:
        if ask == "go":
            self._intents.shelf.go_to_group(name)
        elif ask == "remove":
            self._intents.shelf.remove_group(name)

    def _rename(self, rename: Callable[[str, str], object], name: str, new: str) -> None:
        self._try(lambda: rename(name, new.strip()))
        self.pins.restore_names()

    def _reset_dimension(self, dimension: int) -> None:
        self._workspace.session.end_gesture()
        self._intents.explore.reset(dimension)

    def _with_spec(self, intent: Callable[..., object], *given: object) -> None:
        """Do something that needs to know the open model; while another one is on its way, nothing."""
        opened = self._workspace.opened
        if opened is not None and self._workspace.in_step:
            self._try(lambda: intent(opened.spec, *given))

    def _try(self, work: Callable[[], object]) -> None:
        try:
            work()
        except LatentLabError as error:
            self._refuse(str(error))

    def _refuse(self, text: str) -> None:
        self._workspace.session.message.emit(Message("error", text))
