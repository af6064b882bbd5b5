"""What a safetensors file says of itself before any tensor is read; no torch.

The header is checked whole: every number of every tensor lies in the file, each byte of which is of one
tensor. Nothing of it is mapped into memory, as safetensors' own reader does: a file that is cut short
meanwhile would end the program. `latentlab.checkpoints.foreign.numbers` looks at the numbers themselves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

_WIDTHS = {"BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "U16": 2, "I16": 2, "F16": 2, "BF16": 2}
_WIDTHS |= {"U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8, "C64": 8}
"""How many bytes a number has, by the types that such files have."""
_MOST_DIMENSIONS = 16


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
        """How many weights the file holds: numbers that are not whole ones."""
        return sum(math.prod(one.shape) for one in self.tensors.values() if one.dtype in FLOATS)


def read_header(path: Path) -> Header:
    """Read and check the header of a safetensors file.

    Raises
    ------
    CheckpointError
        If the file is something else, truncated or damaged.
    """
    start, size, entries = read_tables(path)
    metadata = entries.pop("__metadata__", None)
    metadata = {} if metadata is None else metadata
    try:
        _check(metadata, entries, size - start)
    except ValueError as error:
        raise CheckpointError(f"{path} has a damaged header ({error}). Download or copy it again.") from None
    return Header(
        metadata,
        {
            name: TensorEntry(entry["dtype"], tuple(entry["shape"]), start + entry["data_offsets"][0])
            for name, entry in entries.items()
        },
    )


def _check(metadata: Any, entries: Mapping[str, Any], size: int) -> None:
    """Raise ValueError unless the tensors fill the bytes behind the header one after another."""
    if not isinstance(metadata, dict) or not all(isinstance(one, str) for one in metadata.values()):
        raise ValueError("its metadata is not of texts")
    places = []
    for entry in entries.values():
        kind, shape, place = (entry.get(name) for name in ("dtype", "shape", "data_offsets"))
        if not isinstance(kind, str) or kind not in _WIDTHS:
            raise ValueError("a tensor of a type that is not known")
        if not _are_lengths(shape) or not _are_lengths(place) or len(place) != 2:
            raise ValueError("a tensor whose shape or place is none")
        if math.prod(shape) * _WIDTHS[kind] != place[1] - place[0]:
            raise ValueError("a tensor with more or fewer bytes than its shape has")
        places.append(place)
    last = 0
    for begin, end in sorted(places):
        if begin != last:
            raise ValueError("bytes that are of two tensors or of none")
        last = end
    if last != size:
        raise ValueError(f"the tensors should have {size:,} bytes; they have {last:,}")


def _are_lengths(values: Any) -> bool:
    return (
        isinstance(values, list)
        and len(values) <= _MOST_DIMENSIONS
        and all(type(value) is int and 0 <= value < 1 << 48 for value in values)
    )
