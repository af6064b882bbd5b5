"""Open a checkpoint of the kind that is needed, and find the predictor that goes with a model."""

from __future__ import annotations

from pathlib import Path

from latentlab.checkpoints.native import Checkpoint, Located, load_located, locate
from latentlab.errors import CheckpointError
from latentlab.paths import bundled_models
from latentlab.progress import Reporter
from latentlab.spec import CheckpointConfig

FACES_PREDICTOR, AVATARS_PREDICTOR = "faces-attributes", "avatars-attributes"
"""The bundled predictors for models that were trained on the bundled faces and on avatars."""
OWN_PREDICTOR = "detector"
"""The folder in a model's checkpoint with what the model itself decides, as a predictor (a DB-VAE's)."""


def load_model(name: str | Path, reporter: Reporter | None = None) -> Checkpoint:
    """Open a model; ``reporter`` is as in `latentlab.checkpoints.native.load_located`.

    Raises
    ------
    CheckpointError
        If it cannot be opened or is a predictor.
    """
    located = locate(name)
    if located.config.kind != "model":
        raise CheckpointError(
            f"{name} is an attribute predictor, not a model: it cannot draw pictures. Open a model first, "
            "and then this checkpoint (or give it with --predictor) to judge that model's pictures."
        )
    return load_located(located, reporter)


def load_predictor(name: str | Path) -> Checkpoint:
    """Open an attribute predictor.

    Raises
    ------
    CheckpointError
        If it cannot be opened or is a model.
    """
    located = locate(name)
    if located.config.kind != "predictor":
        raise CheckpointError(
            f"{name} is a model, not an attribute predictor. Choose a predictor's checkpoint."
        )
    return load_located(located)


def own_predictor(located: Located) -> str:
    """Return the path of the predictor that lies in a model's own folder, or the empty string."""
    place = located.path / OWN_PREDICTOR
    return str(place) if located.foreign is None and (place / "config.json").is_file() else ""


def shown_predictor(located: Located) -> str:
    """Return the predictor that is opened with a model where none is named, or the empty string.

    A model that decides something itself is shown with its own decision; others with `fitting_predictor`,
    which is also who judges the people in any model's pictures (``evaluate``, ``audit``).
    """
    return own_predictor(located) or fitting_predictor(located.config)


def fitting_predictor(config: CheckpointConfig) -> str:
    """Return the bundled predictor that goes with a model, or the empty string.

    It is the one that the model's own record names (``training.predictor``), else the usual one of the set
    that it was trained on (`usual_predictor`).
    """
    named = str(config.training.get("predictor", ""))
    if named in bundled_models():
        return named
    return usual_predictor(str(config.training.get("data", "")), "styles" in config.training)


def usual_predictor(data: str, avatars: bool = False) -> str:
    """Return the bundled predictor of models that are trained on a set, or the empty string.

    Parameters
    ----------
    avatars
        Whether a set of another name holds avatars.
    """
    bundled = bundled_models()
    if avatars or data.startswith("avatars"):
        return AVATARS_PREDICTOR if AVATARS_PREDICTOR in bundled else ""
    return FACES_PREDICTOR if data.startswith("faces") and FACES_PREDICTOR in bundled else ""
