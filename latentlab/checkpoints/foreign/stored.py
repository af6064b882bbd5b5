"""Tensors that lie in a foreign file: what they are and where, without their numbers; no torch.

A tensor's numbers are read when they are asked for, each straight from its place, so that opening needs
little more memory than the network. They are not mapped into memory: a file that is cut short while it is
mapped would end the program.
"""

from __future__ import annotations

import math
import mmap
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.checkpoints.header import FLOATS
from latentlab.errors import CheckpointError

NUMBERS = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "<i1",
    "U8": "<u1",
    "BOOL": "|b1",
}
"""The types of numbers that can be read, with what NumPy reads them as (bfloat16 as raw bits)."""

_LARGE = 1 << 20

Array = NDArray[Any]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class ForeignFile:
    """A file as it was when it was opened: whatever is read of it later must be of the same one."""

    path: Path
    size: int
    stamp: tuple[int, int, int]

    @classmethod
    def of(cls, path: Path) -> ForeignFile:
        """Look at a file.

        Raises
        ------
        CheckpointError
            If it is none, or cannot be read.
        """
        try:
            found = path.stat()
            if not path.is_file():
                raise CheckpointError(f"{path} should be a file; it is a folder or a device. Choose a file.")
        except OSError as error:
            raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from None
        return cls(path, found.st_size, (found.st_dev, found.st_ino, found.st_mtime_ns))

    def read(self, begin: int, count: int) -> bytes:
        """Return ``count`` bytes from ``begin``; raises what `read_array` does."""
        return self.read_array(begin, count).tobytes()

    def read_array(self, begin: int, count: int) -> Bytes:
        """Return ``count`` bytes from ``begin`` as an array, uint8 ``[count]``.

        Raises
        ------
        CheckpointError
            If the file ends before, cannot be read, or is not the one that was opened.
        """
        if begin < 0 or count < 0 or begin + count > self.size:
            raise CheckpointError(
                f"{self.path} is truncated or damaged: bytes {begin:,} to {begin + count:,} are expected; "
                f"it has {self.size:,}. Download or copy it again."
            )
        content = _room(count)
        try:
            with self.path.open("rb", buffering=0) as file:
                self._expect_the_same(os.fstat(file.fileno()))
                file.seek(begin)
                view, done = content.data, 0
                while done < count:
                    more = file.readinto(view[done:])
                    if not more:
                        break
                    done += more
                self._expect_the_same(os.fstat(file.fileno()))
        except OSError as error:
            raise CheckpointError(f"{self.path} cannot be read: {error.strerror}.") from None
        if done < count:
            raise self.changed()
        return content

    def _expect_the_same(self, found: os.stat_result) -> None:
        if (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size) != (*self.stamp, self.size):
            raise self.changed()

    def changed(self) -> CheckpointError:
        """Return the error that says that the file is another than the one that was opened."""
        return CheckpointError(
            f"{self.path} was expected to stay as it is while it is read; it has changed. "
            "Wait until it has been written or copied, and open it again."
        )


@dataclass(frozen=True)
class StoredTensor:
    """One tensor in a file: its type (``F32``), its shape, and where its numbers lie.

    ``begin`` is the first number's byte in the file. ``strides`` counts numbers, as torch does; empty for
    numbers that lie one after another. That all of them are within the file has been made sure of.
    """

    file: ForeignFile
    dtype: str
    shape: tuple[int, ...]
    begin: int
    strides: tuple[int, ...] = ()

    @property
    def numel(self) -> int:
        """How many numbers there are."""
        return math.prod(self.shape)

    def read(self) -> Array:
        """Return the numbers, of the shape, in the file's type (``BF16`` as uint16 bits).

        Raises
        ------
        CheckpointError
            If the file cannot be read or has changed since it was opened.
        """
        kind = np.dtype(NUMBERS[self.dtype])
        if not self.numel:
            return np.zeros(self.shape, kind)
        contiguous = not self.strides
        span = (
            self.numel
            if contiguous
            else 1 + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))
        )
        flat = self.file.read_array(self.begin, span * kind.itemsize).view(kind)
        if contiguous:
            return flat.reshape(self.shape)
        steps = tuple(stride * kind.itemsize for stride in self.strides)
        return np.ascontiguousarray(np.lib.stride_tricks.as_strided(flat, self.shape, steps))

    def floats(self) -> Array:
        """Return the numbers as float32 where they are floating-point ones, else as they are."""
        return as_floats(self.read(), self.dtype)

    def axes(self, first: int, end: int | None = None) -> StoredTensor:
        """Return the same numbers with some of the axes; the others are of length 1."""
        part = slice(first, end)
        return replace(self, shape=self.shape[part], strides=self.strides[part])


@dataclass(frozen=True)
class Derived:
    """A tensor that is computed from stored ones, such as a weight with its normalisation folded in.

    ``make`` is given each input's `StoredTensor.floats` and returns the array of the shape; it is stored in
    the type that ``dtype`` says (``F16`` where the inputs came so).
    """

    dtype: str
    shape: tuple[int, ...]
    inputs: tuple[StoredTensor, ...]
    make: Callable[..., Array]

    @property
    def numel(self) -> int:
        """How many numbers there are."""
        return math.prod(self.shape)

    def read(self) -> Array:
        """Return the numbers in the type (``BF16`` as uint16 bits).

        Raises
        ------
        CheckpointError
            If a file cannot be read or has changed since it was opened.
        """
        with np.errstate(all="ignore"):  # what is not finite is found where it is used
            found = np.asarray(self.make(*(each.floats() for each in self.inputs)))
        if found.shape != self.shape:
            raise AssertionError(f"an importer says the shape {self.shape} and gives {found.shape}")
        if self.dtype == "BF16":
            return _to_bfloat16(found)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(found, dtype=NUMBERS[self.dtype], order="C")

    def floats(self) -> Array:
        """Return the numbers as float32 where they are floating-point ones, else as they are."""
        return as_floats(self.read(), self.dtype)


def _room(count: int) -> Bytes:
    """Return memory for so many bytes, uint8 ``[count]``.

    NumPy asks for large memory in huge pages, which a system that has run for long has to put together first:
    that can take longer than the reading. Where the system can, large memory is had ready at once instead.
    """
    if count < _LARGE or not hasattr(mmap, "MAP_POPULATE"):
        return np.empty(count, np.uint8)
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE
    try:
        return np.frombuffer(mmap.mmap(-1, count, flags=flags), np.uint8)
    except OSError:  # so much at once cannot be had
        raise CheckpointError(
            f"The weights need {count:,} bytes of memory; they could not be had. Close other programs."
        ) from None


def as_floats(numbers: Array, dtype: str) -> Array:
    """Return numbers that were read as one type as float32; whole numbers stay as they are."""
    if dtype == "BF16":
        return (numbers.astype(np.uint32) << 16).view(np.float32)
    if dtype not in FLOATS:
        return numbers
    with np.errstate(over="ignore", invalid="ignore"):
        return numbers.astype(np.float32, copy=False)


def _to_bfloat16(numbers: Array) -> Array:
    """Return the bits of bfloat16 numbers, rounded to nearest even."""
    bits = np.ascontiguousarray(numbers, dtype=np.float32).view(np.uint32)
    rounded = bits + 0x7FFF + ((bits >> 16) & 1)
    # A NaN's bits could carry over into the sign; it keeps its upper half.
    return np.where(np.isnan(numbers), bits >> 16, rounded >> 16).astype("<u2")
