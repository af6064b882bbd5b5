"""Tells what a path holds, for what is dropped, pasted or named on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from latentlab.session.audit_folder import is_study

Kind = Literal["checkpoint", "picture", "session", "directions", "latent", "study", "lesson"]

CHECKPOINT_SUFFIXES = (
    ".safetensors",
    ".json",
    ".ckpt",
    ".pt",
    ".pth",
    ".bin",
    ".pkl",
    ".pickle",
    ".onnx",
    ".npz",
)
"""What files of weights are called; most of them cannot be opened, and the error says what to do."""
JSON_KINDS: dict[str, Kind] = {
    "latentlab-session": "session",
    "latentlab-directions": "directions",
    "latentlab-latent": "latent",
}
"""What the program's own JSON files say of themselves near their beginning."""
LESSON_SUFFIX = ".md"
_BEGINNING = 400


def kind_of(path: Path) -> Kind:
    """Say what a path is taken for.

    The program's own JSON files say themselves what they are, and so do the folders of studies; other folders
    and files of weights are taken for checkpoints, Markdown files for lessons, all others for pictures.
    """
    if path.is_dir() and is_study(path):
        return "study"
    if path.suffix.lower() == ".json" and path.is_file():
        for format_name, kind in JSON_KINDS.items():
            if f'"{format_name}"' in _beginning(path):
                return kind
    if path.is_dir() or path.suffix.lower() in CHECKPOINT_SUFFIXES:
        return "checkpoint"
    return "lesson" if path.suffix.lower() == LESSON_SUFFIX else "picture"


def _beginning(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_BEGINNING).decode("utf-8", errors="replace")
    except OSError:
        return ""
