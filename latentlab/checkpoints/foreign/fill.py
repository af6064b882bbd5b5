"""Read the numbers of what was imported, one tensor after another, and look at each of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from latentlab.checkpoints.foreign.importer import Imported
from latentlab.checkpoints.foreign.numbers import look_at
from latentlab.checkpoints.foreign.stored import Array, Derived, StoredTensor
from latentlab.errors import CheckpointError


def tensors_of(
    imported: Imported, weights: Path, precision: torch.dtype | None = None
) -> Iterator[tuple[str, Tensor]]:
    """Give each tensor by its native name, on the CPU, in the memory that it was read into.

    It is not laid out anew, as a native one is: that takes as long as the reading.

    Parameters
    ----------
    weights
        The file, for messages.
    precision
        The type of floating-point numbers; None leaves those of the file, but float64 becomes float32.

    Raises
    ------
    CheckpointError
        If a file cannot be read or has changed, or a tensor holds NaN or infinite numbers.
    """
    for name, stored in imported.tensors.items():
        yield name, _tensor(name, stored, weights, precision)


def as_tensor(numbers: Array, dtype: str) -> Tensor:
    """Return numbers that were read as a type as the tensor that they are, in the same memory."""
    tensor = torch.from_numpy(numbers)
    return tensor.view(torch.bfloat16) if dtype == "BF16" else tensor


def _tensor(
    name: str, stored: StoredTensor | Derived, weights: Path, precision: torch.dtype | None
) -> Tensor:
    numbers = stored.read()
    tensor = as_tensor(numbers, stored.dtype)
    if not tensor.is_floating_point():
        return tensor
    # A sum that is finite is of finite numbers; one that is not is looked into.
    if not math.isfinite(tensor.sum(dtype=torch.float32).item()):
        look_at(name, stored.dtype, numbers, weights)
    tensor = tensor.to(precision or (torch.float32 if tensor.dtype == torch.float64 else tensor.dtype))
    if stored.dtype == "F64" and not torch.isfinite(tensor).all():
        raise CheckpointError(
            f"{weights}: tensor {name} should hold numbers of float32; it holds larger ones. "
            "Save it in float32."
        )
    return tensor
