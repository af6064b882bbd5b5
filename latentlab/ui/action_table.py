"""Menus and shortcuts, as one table: what there is to do, where it stands, its keys, what may hinder it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from latentlab.session.workspace import Workspace
from latentlab.ui.hindrances import (
    Hindrance,
    no_camera,
    no_card,
    no_directions,
    no_encoder,
    no_grid,
    no_model,
    no_predictor,
    no_prior,
    no_projection,
    no_search,
    no_source,
    no_ticked_pin,
    no_two_directions,
    no_two_pins,
    no_two_places,
    not_edited,
    nothing,
    nothing_done,
    nothing_painted,
    nothing_undone,
    only_audit,
    only_search,
    unconditional,
)


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
    in_view
        What hinders it instead while a view is shown, by the view's name.
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
    in_view: Mapping[str, Hindrance] = field(default_factory=dict)
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


_SHOWN: Mapping[str, Hindrance] = {
    "analogies": no_projection,
    "search": no_search,
    "train": nothing,
    "lessons": nothing,
}
"""What hinders it that what a screen shows is saved or copied, where it is not the edited picture."""
FILE, EDIT, LATENT, VIEW, LESSON = "&File", "&Edit", "&Latent", "&View", "Less&on"
SETTINGS, HELP = "&Settings", "&Help"

TABLE: tuple[ActionSpec | SubmenuSpec, ...] = (
    ActionSpec(
        "screen_start",
        FILE,
        "Start pa&ge",
        "Alt+Home",
        "start",
        "Recent sessions, lessons, the bundled models, and the way to open your own",
        checkable=True,
    ),
    ActionSpec(
        "open_checkpoint",
        FILE,
        "&Open checkpoint…",
        "Ctrl+O",
        "model",
        "Open a model: its config.json or .safetensors file, or another program's .ckpt, .pt or .onnx",
        separated=True,
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
        in_view={"search": no_search},
        separated=True,
    ),
    SubmenuSpec("samples", FILE, "&Sample pictures"),
    ActionSpec(
        "camera",
        FILE,
        "C&amera…",
        icon="camera",
        tip="Take a picture with the camera; the model encodes it",
        hindrance=no_camera,
    ),
    ActionSpec(
        "export_picture",
        FILE,
        "&Export picture…",
        "Ctrl+S",
        "export",
        "Save the edited picture as PNG, rendered in float32",
        hindrance=no_model,
        in_view={**_SHOWN, "audit": no_model},
        separated=True,
    ),
    ActionSpec(
        "export_input",
        FILE,
        "Export i&nput…",
        tip="Save the input as the model sees it, with what was painted, as PNG",
        hindrance=no_source,
    ),
    ActionSpec(
        "export_figure",
        FILE,
        "Export &figure…",
        "Ctrl+Shift+S",
        "",
        "Save what is shown as one PNG: pictures and bars, grid, chart, map, counterfactuals or analogies; "
        "an audit's charts as PDF or SVG, a search as PNG, PDF or SVG",
        hindrance=no_model,
        in_view={**_SHOWN, "probe": no_predictor},
    ),
    ActionSpec(
        "export_table",
        FILE,
        "Export &table…",
        "Ctrl+T",
        "",
        "Save the numbers of the view that is shown as CSV",
        hindrance=no_predictor,
        in_view={**_SHOWN, "map": no_model, "counterfactuals": unconditional, "audit": no_model},
    ),
    ActionSpec(
        "export_report",
        FILE,
        "Export repor&t…",
        "Ctrl+Shift+T",
        "",
        "Save the report of the audit that is shown as HTML or PDF",
        hindrance=only_audit,
        in_view={"audit": no_model},
    ),
    ActionSpec(
        "export_loop",
        FILE,
        "Export &loop…",
        "Ctrl+L",
        "loop",
        "Save the path through the ticked pins, or a search played back, as GIF, WebP, APNG or MP4",
        hindrance=no_two_pins,
        in_view={"search": no_search},
    ),
    ActionSpec(
        "export_set",
        FILE,
        "Export found se&t…",
        tip="Save all that a search found into a folder: a picture each, a sheet, a table and the record",
        hindrance=only_search,
        in_view={"search": no_search},
    ),
    ActionSpec(
        "open_session",
        FILE,
        "Open sess&ion…",
        "Ctrl+Alt+O",
        "",
        "Open a session that was saved: model, picture, latent, pins and directions",
        separated=True,
    ),
    ActionSpec(
        "save_session",
        FILE,
        "Save session &as…",
        "Ctrl+Alt+S",
        "",
        "Save all that is set, to come back to it or pass it on",
        hindrance=no_model,
    ),
    ActionSpec(
        "reopen_session",
        FILE,
        "Reopen &last session",
        tip="Come back to what was open when the program was last closed",
    ),
    ActionSpec(
        "recover_session",
        FILE,
        "Reco&ver session",
        tip="Come back to what was open when the program ended without being closed",
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
        in_view=_SHOWN,
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
        in_view=_SHOWN,
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
        "crop",
        EDIT,
        "C&rop picture…",
        "Ctrl+Shift+X",
        "",
        "Choose which square of your picture the model sees",
        hindrance=no_source,
        separated=True,
    ),
    ActionSpec(
        "paint",
        EDIT,
        "Paint on the &input",
        "Ctrl+B",
        "brush",
        "Paint, erase, move and blur on the input of the analogies, and see what becomes of it",
        hindrance=no_projection,
    ),
    ActionSpec(
        "reset_input",
        EDIT,
        "Reset i&nput",
        tip="Return to the picture as it was before anything was painted on it",
        hindrance=nothing_painted,
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
        "paint_latent",
        LATENT,
        "Pa&int on the latent",
        "Ctrl+Alt+B",
        "brush",
        "Paint on the edited picture: directions, channels and pins apply where the brush goes",
        hindrance=no_grid,
    ),
    ActionSpec(
        "reset_all",
        LATENT,
        "Reset &all",
        "Ctrl+0",
        "reset",
        "Return every dimension, and the condition, to the start",
        hindrance=not_edited,
    ),
    ActionSpec(
        "pin",
        LATENT,
        "&Pin",
        "Ctrl+P",
        "pin",
        "Put the edited picture aside, to come back to, compare with or travel to",
        hindrance=no_model,
        separated=True,
    ),
    ActionSpec(
        "play_path",
        LATENT,
        "Play the pat&h",
        "Ctrl+Space",
        "play",
        "Travel through the ticked pins, again and again",
        hindrance=no_two_pins,
    ),
    ActionSpec(
        "search",
        LATENT,
        "Searc&h",
        "Ctrl+Shift+Return",
        "",
        "Search for latents whose pictures, reduced, look like the small picture; or hold the search",
        hindrance=no_search,
    ),
    ActionSpec(
        "draw_small",
        LATENT,
        "Dra&w a small picture",
        "Ctrl+Shift+B",
        "",
        "Draw the small picture that is searched for, pixel by pixel",
        hindrance=no_search,
    ),
    ActionSpec(
        "group_pins",
        LATENT,
        "&Group ticked pins",
        "Ctrl+G",
        "",
        "Make a group of the ticked pins; its mean can be the end of a direction",
        hindrance=no_ticked_pin,
    ),
    ActionSpec(
        "add_difference",
        LATENT,
        "Direction &between pins…",
        "Ctrl+D",
        "",
        "Add the direction from one pin or group to another",
        hindrance=no_two_places,
        separated=True,
    ),
    ActionSpec(
        "orthogonalise",
        LATENT,
        "&Orthogonalise directions",
        tip="Make each direction orthogonal to those above it, so that moving along one leaves them alone",
        hindrance=no_two_directions,
    ),
    ActionSpec(
        "load_directions",
        LATENT,
        "&Load directions…",
        tip="Add the directions of a file to the list",
        hindrance=no_model,
    ),
    ActionSpec(
        "save_directions",
        LATENT,
        "&Save directions…",
        tip="Save all directions, with their names and ranges, as JSON",
        hindrance=no_directions,
    ),
    ActionSpec(
        "screen_explore",
        VIEW,
        "E&xplore",
        "Ctrl+Alt+1",
        "explore",
        "Change latent and condition, and see what becomes of the picture",
        checkable=True,
    ),
    ActionSpec(
        "screen_counterfactuals",
        VIEW,
        "Co&unterfactuals",
        "Ctrl+Alt+2",
        "counterfactuals",
        "The same picture as another class: what changed, and what should not have",
        hindrance=unconditional,
        checkable=True,
    ),
    ActionSpec(
        "screen_analogies",
        VIEW,
        "&Analogies",
        "Ctrl+Alt+3",
        "analogies",
        "The same picture on every dataset that a cINN knows, and what changes with each",
        checkable=True,
    ),
    ActionSpec(
        "screen_audit",
        VIEW,
        "Au&dit",
        "Ctrl+Alt+4",
        "audit",
        "What a model does to groups: studies with intervals, corrections and tests",
        checkable=True,
    ),
    ActionSpec(
        "screen_search",
        VIEW,
        "S&earch",
        "Ctrl+Alt+5",
        "search",
        "Imaginary pictures that look, reduced, like a small one: a set, not a person",
        checkable=True,
    ),
    ActionSpec(
        "screen_train",
        VIEW,
        "Trai&n",
        "Ctrl+Alt+6",
        "train",
        "Train and debias: every recipe, live, in the background",
        checkable=True,
    ),
    ActionSpec(
        "screen_lessons",
        VIEW,
        "&Lessons",
        "Ctrl+Alt+7",
        "lessons",
        "Guided tours on the real screens, for a class or for oneself",
        checkable=True,
    ),
    ActionSpec("view_picture", VIEW, "P&icture", "Alt+1", "picture", "Show the pictures", separated=True),
    ActionSpec(
        "view_grid", VIEW, "&Grid", "Alt+2", "grid", "Show what dimensions and directions do, side by side"
    ),
    ActionSpec(
        "view_probe", VIEW, "P&robe", "Alt+3", "probe", "Show how attributes change along a direction"
    ),
    ActionSpec("view_map", VIEW, "&Map", "Alt+4", "map", "Show the encoded data as a map"),
    ActionSpec(
        "side_by_side",
        VIEW,
        "&Side by side",
        "Ctrl+1",
        "compare",
        "Show input, reconstruction and edited picture at the same size",
        checkable=True,
        separated=True,
    ),
    ActionSpec(
        "difference",
        VIEW,
        "&Difference",
        "Ctrl+3",
        "difference",
        "Show where the edited picture differs from the start, or from the pin that is compared with",
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
    ActionSpec(
        "zoom_in", VIEW, "Zoom i&n", "Ctrl++", tip="Enlarge the pictures (or turn the wheel over one)"
    ),
    ActionSpec("zoom_out", VIEW, "Zoom ou&t", "Ctrl+-", tip="Show more of the pictures"),
    ActionSpec("zoom_whole", VIEW, "&Whole picture", "Ctrl+9", tip="Show the whole pictures again"),
    ActionSpec(
        "presenter",
        VIEW,
        "P&resenter mode",
        "F5",
        "presenter",
        "Large letters and a bare window, for a class; Page Down and Page Up go through a lesson",
        checkable=True,
        separated=True,
    ),
    ActionSpec(
        "panels",
        VIEW,
        "Panels besid&e the pictures",
        "F6",
        tip="Show the panels in which things are set, or leave their room to the pictures",
        checkable=True,
    ),
    SubmenuSpec("theme", VIEW, "&Theme", separated=True),
    ActionSpec(
        "open_lesson",
        LESSON,
        "&Open lesson…",
        tip="Open a lesson of your own: a Markdown file, as Help describes it",
    ),
    ActionSpec(
        "lesson_next",
        LESSON,
        "&Next step",
        "Alt+PgDown",
        "next",
        "Go on to the next step of the lesson",
        separated=True,
    ),
    ActionSpec(
        "lesson_back", LESSON, "Step &before", "Alt+PgUp", "back", "Go back to the step before of the lesson"
    ),
    ActionSpec(
        "lesson_answer",
        LESSON,
        "Show the &answer",
        "Alt+Return",
        tip="Show the next answer that is covered; cover all where none is",
    ),
    ActionSpec(
        "lesson_again",
        LESSON,
        "&Set the screen again",
        "Ctrl+Alt+R",
        "reset",
        "Set the screen again as this step of the lesson has it, whatever was tried",
    ),
    ActionSpec(
        "lesson_reset",
        LESSON,
        "Begin the lesson ane&w",
        "Ctrl+Alt+Home",
        tip="Go to the first step with all answers covered, as for the next class",
    ),
    ActionSpec(
        "lesson_fold",
        LESSON,
        "&Fold the lesson",
        "Ctrl+Alt+L",
        "fold",
        "Fold the lesson to a strip below the screen, or show it in full",
        checkable=True,
    ),
    ActionSpec(
        "lesson_close",
        LESSON,
        "&Close the lesson",
        "Ctrl+Alt+W",
        "close",
        "Close the lesson; what was open before it comes back",
    ),
    SubmenuSpec("device", SETTINGS, "&Device"),
    SubmenuSpec("precision", SETTINGS, "&Precision of live frames"),
    SubmenuSpec("threads", SETTINGS, "&Threads"),
    ActionSpec(
        "help",
        HELP,
        "&Help",
        "F1",
        "help",
        "What the screens do, all keys, the words, and every model's card, to search",
    ),
    ActionSpec(
        "commands",
        HELP,
        "&Commands…",
        "Ctrl+Shift+P",
        tip="Search everything that can be done, and do it",
    ),
    ActionSpec(
        "model_card",
        HELP,
        "&Model card",
        tip="Read the card of the model that is open: what it is for, and how it does in each group",
        hindrance=no_card,
    ),
    ActionSpec("about", HELP, "&About LatentLab", icon="note"),
)
