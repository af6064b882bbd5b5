"""Menus and shortcuts, as one table: what there is to do, where it stands, its keys, when it can be done.

The window and its screens bring a handler for each identifier; toolbar buttons and menus show the same
`QAction`, so text, icon, keys and whether it is enabled are said in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from latentlab.session.workspace import Workspace
from latentlab.ui.icons import icon
from latentlab.ui.theme import Theme

When = Callable[[Workspace], bool]


def always(_workspace: Workspace) -> bool:
    """Return that it can be done at any time."""
    return True


def model_open(workspace: Workspace) -> bool:
    """Whether a model is open and ready."""
    return workspace.in_step


def can_encode(workspace: Workspace) -> bool:
    """Whether the open model can encode pictures."""
    return workspace.opened is None or "encode" not in workspace.opened.spec.cannot


def can_draw(workspace: Workspace) -> bool:
    """Whether the open model's prior can be drawn from."""
    if not workspace.in_step or workspace.opened is None:
        return False
    spec = workspace.opened.spec
    return spec.prior == "standard_normal" and "sample" not in spec.cannot


def has_predictor(workspace: Workspace) -> bool:
    """Whether attributes are predicted."""
    return workspace.in_step and workspace.opened is not None and workspace.opened.predictor is not None


def is_edited(workspace: Workspace) -> bool:
    """Whether there is anything to reset."""
    state = workspace.session.document.explore
    return workspace.in_step and state is not None and state.edited


def can_undo(workspace: Workspace) -> bool:
    """Whether there is a step to take back."""
    return workspace.session.history.undo_name is not None


def can_redo(workspace: Workspace) -> bool:
    """Whether there is a step to repeat."""
    return workspace.session.history.redo_name is not None


def _undo_title(workspace: Workspace) -> str:
    name = workspace.session.history.undo_name
    return "Undo" if name is None else f"Undo {name}"


def _redo_title(workspace: Workspace) -> str:
    name = workspace.session.history.redo_name
    return "Redo" if name is None else f"Redo {name}"


@dataclass(frozen=True)
class ActionSpec:
    """One thing to do.

    Parameters
    ----------
    id
        What handlers and tests call it.
    menu, title
        Where it stands and what it says; a title of an action with ``naming`` is replaced as it goes.
    keys
        The shortcut, in portable text.
    icon
        A file in ``resources/icons``.
    tip
        What the tool tip and the status bar say.
    when
        Whether it can be done now.
    separated
        Whether a line stands before it in the menu.
    checkable
        Whether it is a choice that is on or off.
    """

    id: str
    menu: str
    title: str
    keys: str = ""
    icon: str = ""
    tip: str = ""
    when: When = always
    naming: Callable[[Workspace], str] | None = None
    separated: bool = False
    checkable: bool = False


@dataclass(frozen=True)
class SubmenuSpec:
    """A submenu whose entries the window fills in."""

    id: str
    menu: str
    title: str
    separated: bool = False


FILE, EDIT, LATENT, VIEW, SETTINGS, HELP = "&File", "&Edit", "&Latent", "&View", "&Settings", "&Help"

TABLE: tuple[ActionSpec | SubmenuSpec, ...] = (
    ActionSpec(
        "open_checkpoint",
        FILE,
        "&Open checkpoint…",
        "Ctrl+O",
        "model",
        "Open a model: a checkpoint's config.json or .safetensors file",
    ),
    SubmenuSpec("bundled", FILE, "&Bundled models"),
    SubmenuSpec("recent", FILE, "Open &Recent"),
    ActionSpec(
        "open_picture",
        FILE,
        "Open &picture…",
        "Ctrl+Shift+O",
        "picture",
        "Bring in a picture of your own; the model encodes it",
        when=can_encode,
        separated=True,
    ),
    SubmenuSpec("samples", FILE, "&Sample pictures"),
    ActionSpec(
        "export_picture",
        FILE,
        "&Export picture…",
        "Ctrl+S",
        "export",
        "Save the edited picture as PNG, rendered in float32",
        when=model_open,
        separated=True,
    ),
    ActionSpec(
        "export_figure",
        FILE,
        "Export &figure…",
        "Ctrl+Shift+S",
        "",
        "Save the three pictures and the attribute bars as one PNG",
        when=model_open,
    ),
    ActionSpec(
        "export_table",
        FILE,
        "Export attribute &table…",
        "Ctrl+T",
        "",
        "Save the predicted attributes of the three pictures as CSV",
        when=has_predictor,
    ),
    ActionSpec("quit", FILE, "&Quit", "Ctrl+Q", separated=True),
    ActionSpec("undo", EDIT, "&Undo", "Ctrl+Z", "undo", when=can_undo, naming=_undo_title),
    ActionSpec("redo", EDIT, "&Redo", "Ctrl+Shift+Z", "redo", when=can_redo, naming=_redo_title),
    ActionSpec(
        "copy_picture",
        EDIT,
        "&Copy picture",
        "Ctrl+C",
        "copy",
        "Copy the edited picture, rendered in float32",
        when=model_open,
        separated=True,
    ),
    ActionSpec(
        "copy_python",
        EDIT,
        "Copy as P&ython",
        "Ctrl+Shift+C",
        "python",
        "Copy a program that makes the edited picture again, the same to the bit",
        when=model_open,
    ),
    ActionSpec(
        "paste_picture",
        EDIT,
        "&Paste picture",
        "Ctrl+V",
        "",
        "Bring in the picture in the clipboard",
        when=can_encode,
    ),
    ActionSpec(
        "randomise",
        LATENT,
        "&Randomise",
        "Ctrl+R",
        "dice",
        "Set out from a random latent of the next seed",
        when=can_draw,
    ),
    ActionSpec(
        "reset_all",
        LATENT,
        "Reset &all",
        "Ctrl+0",
        "reset",
        "Return every dimension to the start",
        when=is_edited,
    ),
    ActionSpec(
        "side_by_side",
        VIEW,
        "&Side by side",
        "Ctrl+1",
        "compare",
        "Show input, reconstruction and edited picture at the same size",
        checkable=True,
    ),
    ActionSpec(
        "show_pixels",
        VIEW,
        "Show &pixels",
        "Ctrl+2",
        "pixels",
        "Show the model's own pixels as squares instead of smoothing between them",
        checkable=True,
    ),
    SubmenuSpec("theme", VIEW, "&Theme", separated=True),
    SubmenuSpec("device", SETTINGS, "&Device"),
    SubmenuSpec("precision", SETTINGS, "&Precision of live frames"),
    SubmenuSpec("threads", SETTINGS, "&Threads"),
    ActionSpec("about", HELP, "&About LatentLab", icon="note"),
)


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

    def refresh(self) -> None:
        """Enable what can be done now, and name undo and redo."""
        for identifier, action in self._actions.items():
            spec = self._specs[identifier]
            action.setEnabled(spec.when(self._workspace))
            if spec.naming is not None:
                action.setText(spec.naming(self._workspace))
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            tip = spec.tip or action.text().replace("&", "").rstrip("…")
            action.setToolTip(f"{tip} ({keys})" if keys else tip)
            action.setStatusTip(spec.tip)

    def _draw_icons(self) -> None:
        for identifier, action in self._actions.items():
            name = self._specs[identifier].icon
            if name:
                action.setIcon(icon(name, self._theme.colour("text"), self._theme.colour("faint")))
