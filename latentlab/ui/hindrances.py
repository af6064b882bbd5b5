"""Why something cannot be done now, in words: what stands in the way of the actions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from latentlab.operations import projection_plan
from latentlab.operations.latent_brush import grid_of
from latentlab.session import search_wanted
from latentlab.session.workspace import Workspace
from latentlab.ui import camera

Hindrance = Callable[[Workspace], str]
"""Says why something cannot be done now, as a sentence; the empty string when it can."""


def nothing(_workspace: Workspace) -> str:
    """Return that nothing stands in the way at any time."""
    return ""


def only_audit(workspace: Workspace) -> str:
    """Say that only the Audit screen has a report."""
    return no_model(workspace) or "Only the Audit screen has a report."


def only_search(workspace: Workspace) -> str:
    """Say that only the Search screen has a found set."""
    return no_model(workspace) or "Only the Search screen has a found set."


def no_search(workspace: Workspace) -> str:
    """Say why nothing can be searched for with the open model, where nothing can."""
    if not workspace.in_step or workspace.opened is None:
        return no_model(workspace)
    return search_wanted.no_search(workspace.opened.spec, workspace.opened.name)


def no_model(workspace: Workspace) -> str:
    """Say that a model must be open and ready."""
    if workspace.in_step:
        return ""
    opening = workspace.opened is not None or workspace.phase == "loading"
    return "The model is being opened." if opening else "No model is open."


def no_encoder(workspace: Workspace) -> str:
    """Say why the open model cannot encode pictures, where it cannot."""
    return "" if workspace.opened is None else workspace.opened.spec.cannot.get("encode", "")


def no_grid(workspace: Workspace) -> str:
    """Say that the open model's latent is no grid to paint on, where it is none."""
    if not workspace.in_step or workspace.opened is None:
        return no_model(workspace)
    return "" if grid_of(workspace.opened.spec) else "The open model's latent is no grid to paint on."


def unconditional(workspace: Workspace) -> str:
    """Say that the open model knows no condition, where it does not."""
    if not workspace.in_step or workspace.opened is None:
        return "No model is open."
    return "" if workspace.opened.spec.condition.size else "The open model is unconditional."


def no_projection(workspace: Workspace) -> str:
    """Say that the open model does not project onto datasets, where it does not."""
    if not workspace.in_step or workspace.opened is None:
        return no_model(workspace)
    return projection_plan.no_projection(workspace.opened.spec, workspace.opened.name)


def no_prior(workspace: Workspace) -> str:
    """Say why nothing can be drawn from the open model's prior, where it cannot."""
    if not workspace.in_step or workspace.opened is None:
        return no_model(workspace)
    spec = workspace.opened.spec
    known = spec.prior == "standard_normal"
    return spec.cannot.get("sample", "" if known else "The model's prior is not standard normal.")


def no_predictor(workspace: Workspace) -> str:
    """Say that no attributes are predicted, where none are."""
    if not workspace.in_step or workspace.opened is None:
        return no_model(workspace)
    return "" if workspace.opened.predictor is not None else "No attribute predictor fits this model."


def no_source(workspace: Workspace) -> str:
    """Say that no picture was brought in, so that there is none to crop."""
    state = workspace.session.document.explore
    there = workspace.in_step and state is not None and state.source is not None
    return "" if there else "No picture was brought in."


def nothing_painted(workspace: Workspace) -> str:
    """Say that nothing was painted on the input, so that there is nothing to reset."""
    state = workspace.session.document.explore
    source = None if state is None or not workspace.in_step else state.source
    return "" if source is not None and source.painted is not None else "Nothing was painted on the input."


def no_camera(workspace: Workspace) -> str:
    """Say why no picture can be taken, where none can."""
    return camera.missing() or no_encoder(workspace)


def no_card(workspace: Workspace) -> str:
    """Say that the open model has no card, where it has none."""
    if workspace.opened is None:
        return "No model is open."
    folder = Path(workspace.opened.path)
    return "" if (folder / "README.md").is_file() else "No model card lies beside the open model."


def no_two_pins(workspace: Workspace) -> str:
    """Say that a path needs two ticked pins."""
    ticked = [pin for pin in workspace.session.document.shelf.pins if pin.ticked]
    return "" if workspace.in_step and len(ticked) > 1 else "Pin two pictures and tick them first."


def no_two_places(workspace: Workspace) -> str:
    """Say that a direction needs two pins or groups."""
    shelf = workspace.session.document.shelf
    there = workspace.in_step and len(shelf.pins) + len(shelf.groups) > 1
    return "" if there else "Pin two pictures or make two groups first."


def no_ticked_pin(workspace: Workspace) -> str:
    """Say that a group needs a ticked pin."""
    ticked = any(pin.ticked for pin in workspace.session.document.shelf.pins)
    return "" if workspace.in_step and ticked else "No pin is ticked."


def no_directions(workspace: Workspace) -> str:
    """Say that there are no directions."""
    there = workspace.in_step and bool(workspace.session.document.shelf.directions)
    return "" if there else "There are no directions yet."


def no_two_directions(workspace: Workspace) -> str:
    """Say that there are not two directions to make orthogonal."""
    there = workspace.in_step and len(workspace.session.document.shelf.directions) > 1
    return "" if there else "There are no two directions yet."


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
