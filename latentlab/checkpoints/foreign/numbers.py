"""Read the numbers of a checkpoint, native or imported, and look at each of them; no torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from latentlab.checkpoints.foreign.importer import Imported
from latentlab.checkpoints.foreign.source import stored_tensors
from latentlab.checkpoints.foreign.stored import Array, ForeignFile
from latentlab.checkpoints.header import FLOATS, WHOLE, WHOLE_NAMES, Header, read_header
from latentlab.errors import CheckpointError

_EXPONENT = 0x7F80
_AT_ONCE = 1 << 20
"""Numbers that are looked at together."""


def native_numbers(weights: Path, header: Header) -> Iterator[tuple[str, str, Array]]:
    """Give the name, the type and the numbers (``BF16`` as uint16 bits) of each tensor of a native file.

    Parameters
    ----------
    header
        The file's, as it was when the checkpoint was found.

    Raises
    ------
    CheckpointError
        If the file cannot be read or changes meanwhile; naming the first tensor that is of no type that
        weights may have, or holds NaN or infinite numbers.
    """
    file = ForeignFile.of(weights)
    if read_header(weights) != header:
        raise file.changed()
    for name, stored in stored_tensors(file, header).items():
        whole = stored.dtype in WHOLE and name.rpartition(".")[2] in WHOLE_NAMES
        if not whole and stored.dtype not in FLOATS:
            raise CheckpointError(
                f"{weights}: tensor {name} should hold floating-point numbers; it holds {stored.dtype}."
            )
        numbers = stored.read()
        if not whole and not _finite(numbers.reshape(-1), stored.dtype):
            raise CheckpointError(
                f"{weights}: tensor {name} holds NaN or infinite numbers; the training that made it failed. "
                "Use an earlier checkpoint of that training."
            )
        yield name, stored.dtype, numbers


def check_numbers(imported: Imported, weights: Path) -> None:
    """Look at every number of what was imported; raises `CheckpointError` as `look_at` does."""
    for name, stored in imported.tensors.items():
        look_at(name, stored.dtype, stored.read(), weights)


def look_at(name: str, dtype: str, numbers: Array, weights: Path) -> None:
    """Raise `CheckpointError` if a tensor's numbers (``BF16`` as uint16 bits) are not all finite.

    Parameters
    ----------
    name, weights
        Its name and file, for the message.
    """
    if dtype in FLOATS and not _finite(numbers.reshape(-1), dtype):
        raise CheckpointError(
            f"{weights}: tensor {name} should hold finite numbers; it holds NaN or infinite ones; the "
            "training that made it failed. Use an earlier checkpoint of that training."
        )


def _finite(numbers: Array, dtype: str) -> bool:
    for start in range(0, len(numbers), _AT_ONCE):
        part = numbers[start : start + _AT_ONCE]
        if dtype == "BF16":
            if bool(((part & _EXPONENT) == _EXPONENT).any()):
                return False
        elif not bool(np.isfinite(part).all()):
            return False
    return True
