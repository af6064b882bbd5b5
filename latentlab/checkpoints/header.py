"""What a safetensors file says of itself before any tensor is read; no torch.

The header is checked whole by safetensors' own reader; `latentlab.checkpoints.foreign.numbers` looks at the
numbers themselves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from latentlab.checkpoints.recognise import read_tables
from latentlab.errors import CheckpointError

FLOATS = ("F64", "F32", "F16", "BF16")
"""The types of numbers that weights may have."""
WHOLE = ("I64", "U8")
"""The types of whole numbers."""
WHOLE_NAMES = frozenset(
    {"forward_shuffle_idx", "backward_shuffle_idx", "initialized", "num_batches_tracked", "graph"}
)
"""The last part of the names of tensors that hold whole numbers: a flow's permutations and flags, a
normalisation's counters, a graph's bytes."""


@dataclass(frozen=True)
class TensorEntry:
    """One tensor's type (``F32``), its shape, and the byte of the file where it begins."""

    dtype: str
    shape: tuple[int, ...]
    begin: int


@dataclass(frozen=True)
class Header:
    """A file's metadata, and its tensors by name."""

    metadata: Mapping[str, str]
    tensors: Mapping[str, TensorEntry]

    @property
    def parameters(self) -> int:
        """How many numbers the file holds."""
        return sum(math.prod(entry.shape) for entry in self.tensors.values())


def read_header(path: Path) -> Header:
    """Read and check the header of a safetensors file.

    Raises
    ------
    CheckpointError
        If the file is something else, truncated or damaged.
    """
    start, entries = read_tables(path)
    try:
        with safe_open(path, framework="np") as file:
            metadata = dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} has a damaged header ({error}). Download or copy it again.") from None
    return Header(
        metadata,
        {
            name: TensorEntry(
                dtype=entry["dtype"],
                shape=tuple(entry["shape"]),
                begin=start + entry["data_offsets"][0],
            )
            for name, entry in entries.items()
            if name != "__metadata__"
        },
    )
