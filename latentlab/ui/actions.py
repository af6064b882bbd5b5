"""The table of actions as Qt actions: menus and buttons show the same ones, kept in step with the workspace.

The window and its screens bring a handler for each identifier, so text, icon, keys and what hinders an
action are said in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from latentlab.session.workspace import Workspace
from latentlab.ui.action_table import TABLE, ActionSpec
from latentlab.ui.icons import icon
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.command_palette import Command


class Actions:
    """The table as Qt actions, kept in step with the workspace.

    Parameters
    ----------
    parent
        The window they belong to; shortcuts work within it.
    handlers
        What to call, by identifier; every action of the table needs one.
    """

    def __init__(
        self,
        parent: QWidget,
        workspace: Workspace,
        theme: Theme,
        handlers: Mapping[str, Callable[[], object]],
    ) -> None:
        self._workspace = workspace
        self._theme = theme
        self._specs = {spec.id: spec for spec in TABLE if isinstance(spec, ActionSpec)}
        self._actions: dict[str, QAction] = {}
        self._view = ""
        self._said: dict[str, tuple[str, str]] = {}
        self._hinders: dict[str, str] = {}
        self.submenus: dict[str, QMenu] = {}
        for spec in self._specs.values():
            action = QAction(spec.title, parent)
            action.setObjectName(spec.id)
            action.setCheckable(spec.checkable)
            if spec.keys:
                action.setShortcut(QKeySequence(spec.keys))
            handler = handlers[spec.id]
            action.triggered.connect(lambda _checked=False, handler=handler: handler())
            parent.addAction(action)
            self._actions[spec.id] = action
        theme.changed.connect(self._draw_icons)
        self._draw_icons()
        self.refresh()

    def __getitem__(self, identifier: str) -> QAction:
        return self._actions[identifier]

    def fill(self, bar: QMenuBar) -> None:
        """Build the menus of the menu bar from the table."""
        menus: dict[str, QMenu] = {}
        for spec in TABLE:
            menu = menus.get(spec.menu)
            if menu is None:
                menu = menus[spec.menu] = bar.addMenu(spec.menu)
                menu.setToolTipsVisible(True)
            if spec.separated:
                menu.addSeparator()
            if isinstance(spec, ActionSpec):
                menu.addAction(self._actions[spec.id])
            else:
                self.submenus[spec.id] = menu.addMenu(spec.title)

    def commands(self) -> list[Command]:
        """Return all actions with their menus' names, in the order of the table."""
        return [
            Command(spec.menu.replace("&", ""), self._actions[identifier])
            for identifier, spec in self._specs.items()
            if identifier != "commands"
        ]

    def show_view(self, view: str) -> None:
        """Enable what can be done in a view, which is shown from now on."""
        self._view = view
        self.refresh()

    def hinder(self, reasons: Mapping[str, str]) -> None:
        """Say what hinders actions besides the workspace's state, by identifier; empty for nothing."""
        self._hinders.update(reasons)
        self.refresh()

    def refresh(self) -> None:
        """Enable what can be done now, and name undo and redo."""
        for identifier, action in self._actions.items():
            spec = self._specs[identifier]
            hindrance = spec.in_view.get(self._view, spec.hindrance)(self._workspace)
            hindrance = hindrance or self._hinders.get(identifier, "")
            title = spec.naming(self._workspace) if spec.naming is not None else spec.title
            if self._said.get(identifier) == (hindrance, title):
                continue
            self._said[identifier] = (hindrance, title)
            action.setEnabled(not hindrance)
            action.setText(title)
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            tip = spec.tip or action.text().replace("&", "").rstrip("…")
            lines = [f"{tip} ({keys})" if keys else tip, *([hindrance] if hindrance else [])]
            action.setToolTip("\n".join(lines))
            action.setStatusTip(spec.tip)

    def _draw_icons(self) -> None:
        for identifier, action in self._actions.items():
            name = self._specs[identifier].icon
            if name:
                action.setIcon(icon(name, self._theme.colour("text"), self._theme.colour("faint")))
