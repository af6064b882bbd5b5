"""Ways to spoil a good checkpoint, shared by the tests of bad ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

CONFIG, WEIGHTS = "config.json", "model.safetensors"


def change_config(folder: Path, **changes: object) -> Path:
    """Change dotted fields of a checkpoint's configuration; None removes one."""
    path = folder / CONFIG
    config = json.loads(path.read_text())
    for dotted, value in changes.items():
        *parents, last = dotted.split("__")
        record = config
        for parent in parents:
            record = record[parent]
        if value is None:
            del record[last]
        else:
            record[last] = value
    path.write_text(json.dumps(config))
    return folder


def change_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> Path:
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / WEIGHTS)
    return folder
