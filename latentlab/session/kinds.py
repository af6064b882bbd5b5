"""Tells checkpoints from pictures by their path, for what is dropped, pasted or named on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

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


def kind_of(path: Path) -> Literal["checkpoint", "picture"]:
    """Say what a path is taken for: folders and files of weights for checkpoints, all others for pictures."""
    if path.is_dir() or path.suffix.lower() in CHECKPOINT_SUFFIXES:
        return "checkpoint"
    return "picture"
