"""What other projects' own code gave for weights that can be drawn again, and those weights.

A file in ``recorded/`` holds inputs and outputs of an original, and the names and shapes of its state dict.
The weights themselves are drawn here, as they were for the recording, so that the files stay small.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

FOLDER = Path(__file__).parent / "recorded"


class Recorded:
    """One original's recording: inputs and outputs by name, and the ``state`` that it had."""

    def __init__(self, name: str) -> None:
        with safe_open(FOLDER / f"{name}.safetensors", framework="pt") as file:
            self.tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            self.metadata = dict(file.metadata())
        self.state = draw(json.loads(self.metadata["shapes"]))

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]


def draw(shapes: Mapping[str, list[int]]) -> dict[str, Tensor]:
    """Draw a state dict of names and shapes, in their order."""
    rng = np.random.default_rng(7)
    return {name: torch.from_numpy(_drawn(name, tuple(shape), rng)) for name, shape in shapes.items()}


def _drawn(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    last = name.rpartition(".")[2]
    normal = rng.standard_normal(shape).astype(np.float32)
    if last == "initialized":
        return np.ones(shape, np.uint8)
    if last == "num_batches_tracked":
        return np.full(shape, 10, np.int64)
    if last == "forward_shuffle_idx":
        return np.random.default_rng(sum(map(ord, name))).permutation(shape[0])
    if last == "backward_shuffle_idx":
        forward = name.replace("backward", "forward")
        return np.argsort(np.random.default_rng(sum(map(ord, forward))).permutation(shape[0]))
    if last == "running_var":
        return (0.5 + normal**2).astype(np.float32)
    if last == "kernel":
        taps = np.array([1.0, 3.0, 3.0, 1.0], np.float32)
        return np.outer(taps, taps) / 16.0
    if last == "scale" or (last == "weight" and ("norm" in name.split(".")[-2] or len(shape) == 1)):
        return (1.0 + 0.2 * normal).astype(np.float32)
    if len(shape) < 2 or last in ("loc", "bias", "offset"):
        return (0.2 * normal).astype(np.float32)
    return (normal * weight_size(name, shape)).astype(np.float32)


def weight_size(name: str, shape: tuple[int, ...]) -> float:
    """Return the deviation of a weight: what keeps signals their size in the layer that it is of."""
    if name.startswith("style."):
        return 100.0  # stored by the mapping's rate
    if ".modulation." in name or (name.startswith(("conv1.", "convs.", "to_rgb")) and len(shape) == 5):
        return 1.0  # scaled when it is used
    if name.startswith(("noises.", "input.")):
        return 1.0
    return float(np.prod(shape[1:])) ** -0.5
