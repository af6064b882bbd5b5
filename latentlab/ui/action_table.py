"""Menus and shortcuts, as one table: what there is to do, where it stands, its keys, what may hinder it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from latentlab.session.workspace import Workspace

Hindrance = Callable[[Workspace], str]
"""Says why something cannot be done now, as a sentence; the empty string when it can."""


def nothing(_workspace: Workspace) -> str:
    """Return that nothing stands in the way at any time."""
    return ""


def no_model(workspace: Workspace) -> str:
    """Say that a model must be open and ready."""
    return "" if workspace.in_step else "No model is open."


def no_encoder(workspace: Workspace) -> str:
    """Say why the open model cannot encode pictures, where it cannot."""
    return "" if workspace.opened is None else workspace.opened.spec.cannot.get("encode", "")


def no_prior(workspace: Workspace) -> str:
    """Say why nothing can be drawn from the open model's prior, where it cannot."""
    if not workspace.in_step or workspace.opened is None:
        return "No model is open."
    spec = workspace.opened.spec
    known = spec.prior == "standard_normal"
    return spec.cannot.get("sample", "" if known else "The model's prior is not standard normal.")


def no_predictor(workspace: Workspace) -> str:
    """Say that no attributes are predicted, where none are."""
    if not workspace.in_step or workspace.opened is None:
        return "No model is open."
    return "" if workspace.opened.predictor is not None else "No attribute predictor fits this model."


def not_edited(workspace: Workspace) -> str:
    """Say that there is nothing to reset, where there is nothing."""
    state = workspace.session.document.explore
    edited = workspace.in_step and state is not None and state.edited
    return "" if edited else "Every dimension is at its start."


def nothing_done(workspace: Workspace) -> str:
    """Say that there is no step to take back, where there is none."""
    return "" if workspace.session.history.undo_name is not None else "Nothing has been done yet."


def nothing_undone(workspace: Workspace) -> str:
    """Say that there is no step to repeat, where there is none."""
    return "" if workspace.session.history.redo_name is not None else "Nothing has been undone."


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
    hindrance
        Why it cannot be done now; it is grey then, and the tool tip says so.
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
    hindrance: Hindrance = nothing
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
        hindrance=no_encoder,
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
        hindrance=no_model,
        separated=True,
    ),
    ActionSpec(
        "export_figure",
        FILE,
        "Export &figure…",
        "Ctrl+Shift+S",
        "",
        "Save the three pictures and the attribute bars as one PNG",
        hindrance=no_model,
    ),
    ActionSpec(
        "export_table",
        FILE,
        "Export attribute &table…",
        "Ctrl+T",
        "",
        "Save the predicted attributes of the three pictures as CSV",
        hindrance=no_predictor,
    ),
    ActionSpec("quit", FILE, "&Quit", "Ctrl+Q", separated=True),
    ActionSpec("undo", EDIT, "&Undo", "Ctrl+Z", "undo", hindrance=nothing_done, naming=_undo_title),
    ActionSpec("redo", EDIT, "&Redo", "Ctrl+Shift+Z", "redo", hindrance=nothing_undone, naming=_redo_title),
    ActionSpec(
        "copy_picture",
        EDIT,
        "&Copy picture",
        "Ctrl+C",
        "copy",
        "Copy the edited picture, rendered in float32",
        hindrance=no_model,
        separated=True,
    ),
    ActionSpec(
        "copy_python",
        EDIT,
        "Copy as P&ython",
        "Ctrl+Shift+C",
        "python",
        "Copy a program that makes the edited picture again, the same to the bit",
        hindrance=no_model,
    ),
    ActionSpec(
        "copy_latent",
        EDIT,
        "Copy &latent",
        "Ctrl+Alt+C",
        "",
        "Copy the edited latent as text, to paste it here or in another window",
        hindrance=no_model,
    ),
    ActionSpec(
        "paste",
        EDIT,
        "&Paste",
        "Ctrl+V",
        "",
        "Bring in the picture, file or latent in the clipboard",
    ),
    ActionSpec(
        "randomise",
        LATENT,
        "&Randomise",
        "Ctrl+R",
        "dice",
        "Set out from a random latent of the next seed",
        hindrance=no_prior,
    ),
    ActionSpec(
        "mutate",
        LATENT,
        "&Mutate",
        "Ctrl+M",
        "mutate",
        "Take a small random step from the latent as it is",
        hindrance=no_model,
    ),
    ActionSpec(
        "reset_all",
        LATENT,
        "Reset &all",
        "Ctrl+0",
        "reset",
        "Return every dimension to the start",
        hindrance=not_edited,
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
    ActionSpec(
        "commands",
        HELP,
        "&Commands and shortcuts…",
        "F1",
        tip="Search everything that can be done, and see its keys",
    ),
    ActionSpec("about", HELP, "&About LatentLab", icon="note"),
)
