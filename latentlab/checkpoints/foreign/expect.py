"""Look tensors up by name and shape, and say what is wrong where they are not as expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from latentlab.checkpoints.foreign.plain_pickle import shown
from latentlab.checkpoints.foreign.stored import StoredTensor
from latentlab.checkpoints.header import FLOATS
from latentlab.errors import CheckpointError


@dataclass(frozen=True)
class Expected:
    """The tensors of a file that was recognised as ``what``, such as "a StyleGAN2 generator"."""

    path: Path
    what: str
    tensors: Mapping[str, StoredTensor]

    def tensor(self, name: str, *shape: int | None) -> StoredTensor:
        """Return the tensor of a name.

        Parameters
        ----------
        shape
            The length of each axis; None where any is right.

        Raises
        ------
        CheckpointError
            If there is none, it is of another shape, or holds no floating-point numbers.
        """
        found = self.tensors.get(name)
        if found is None:
            raise CheckpointError(
                f"{self.path} looks like {self.what} and lacks its tensor {name}: it holds a part of one, or "
                "another version. Choose the file that the training saved whole."
            )
        fits = len(found.shape) == len(shape) and all(
            length in (wanted, None) or wanted is None
            for length, wanted in zip(found.shape, shape, strict=True)
        )
        if not fits or not all(found.shape):
            wanted_shape = ", ".join("any" if wanted is None else str(wanted) for wanted in shape)
            raise CheckpointError(
                f"{self.path} looks like {self.what}, whose tensor {name} should have the shape "
                f"[{wanted_shape}]; it has {shown(found.shape)}. It is of another version, or damaged: "
                "choose the file that the training saved."
            )
        if found.dtype not in FLOATS:
            raise CheckpointError(
                f"{self.path}: tensor {name} should hold floating-point numbers; it holds {found.dtype}. "
                "Save the weights before they are quantised."
            )
        return found

    def size(self, name: str, axis: int, dimensions: int) -> int:
        """Return the length of a tensor's axis, of a tensor of so many dimensions."""
        return self.tensor(name, *[None] * dimensions).shape[axis]

    def count(self, pattern: str, first: int = 0, step: int = 1) -> int:
        """Return how many tensors there are in a row of names: of ``first``, ``first + step``, ..."""
        number = 0
        while pattern.format(first + step * number) in self.tensors:
            number += 1
        return number
