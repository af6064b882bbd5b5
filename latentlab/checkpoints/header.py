"""What a safetensors file says of itself before any tensor is read; no torch.

The header is checked whole by safetensors' own reader, so that whatever passes here can be mapped into
memory; `check_finite` looks at the numbers themselves.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from latentlab.checkpoints.recognise import read_tables
from latentlab.errors import CheckpointError

FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
"""The types of numbers that weights may have, with what NumPy reads them as (bfloat16 as raw bits)."""

WHOLE = ("I64", "U8")
"""The types of whole numbers."""
WHOLE_NAMES = frozenset(
    {"forward_shuffle_idx", "backward_shuffle_idx", "initialized", "num_batches_tracked", "graph"}
)
"""The last part of the names of tensors that hold whole numbers: a flow's permutations and flags, a
normalisation's counters, a graph's bytes."""

_BF16_EXPONENT = 0x7F80


@dataclass(frozen=True)
class TensorEntry:
    """One tensor's type (``F32``), its shape, and the bytes of the file that hold it."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


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
                end=start + entry["data_offsets"][1],
            )
            for name, entry in entries.items()
            if name != "__metadata__"
        },
    )


def check_finite(path: Path, header: Header) -> None:
    """Look at every number of a file.

    Raises
    ------
    CheckpointError
        Naming the first tensor that is of no type that weights may have, or holds NaN or infinite numbers.
    """
    if not any(entry.end > entry.begin for entry in header.tensors.values()):
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for name, entry in header.tensors.items():
            if entry.dtype in WHOLE and name.rpartition(".")[2] in WHOLE_NAMES:
                continue
            if entry.dtype not in FLOATS:
                raise CheckpointError(
                    f"{path}: tensor {name} should hold floating-point numbers; it holds {entry.dtype}."
                )
            if not _finite(content[entry.begin : entry.end], entry.dtype):
                raise CheckpointError(
                    f"{path}: tensor {name} holds NaN or infinite numbers; the training that made it failed. "
                    "Use an earlier checkpoint of that training."
                )


def _finite(numbers: bytes, dtype: str) -> bool:
    if dtype == "BF16":
        bits = np.frombuffer(numbers, dtype="<u2")
        return not bool(((bits & _BF16_EXPONENT) == _BF16_EXPONENT).any())
    return bool(np.isfinite(np.frombuffer(numbers, dtype=FLOATS[dtype])).all())
