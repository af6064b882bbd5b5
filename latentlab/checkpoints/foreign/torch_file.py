"""The restricted reader: what a file of ``torch.save`` holds, as plain containers with `StoredTensor`.

Both of torch's formats are read: the zip archive of today and the row of pickles of before 1.6. Everything
in a file that is neither a plain value, a container nor a tensor becomes a placeholder
(`latentlab.checkpoints.foreign.plain_pickle`) and is listed. An archive's members are read where they lie;
nothing is decompressed and nothing is written, whatever their names are.
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.checkpoints.foreign.archive import EMPTY, MEMBER, Archive
from latentlab.checkpoints.foreign.plain_pickle import (
    LARGEST_PICKLE,
    Global,
    Handler,
    Inert,
    PlainPickle,
    shown,
)
from latentlab.checkpoints.foreign.stored import NUMBERS, ForeignFile, StoredTensor
from latentlab.checkpoints.recognise import PICKLES, explain_false_start, read_bytes
from latentlab.errors import CheckpointError

MOST_DIMENSIONS = 16
_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_REUSE = 4
"""How many times over a file's tensors may use its bytes: tied weights share them, tricks do endlessly."""
_SPARE = 1_000_000

STORAGES = {
    "torch.DoubleStorage": "F64",
    "torch.FloatStorage": "F32",
    "torch.HalfStorage": "F16",
    "torch.BFloat16Storage": "BF16",
    "torch.LongStorage": "I64",
    "torch.IntStorage": "I32",
    "torch.ShortStorage": "I16",
    "torch.CharStorage": "I8",
    "torch.ByteStorage": "U8",
    "torch.BoolStorage": "BOOL",
}
DTYPES = {
    "torch.float64": "F64",
    "torch.float32": "F32",
    "torch.float16": "F16",
    "torch.bfloat16": "BF16",
    "torch.int64": "I64",
    "torch.int32": "I32",
    "torch.int16": "I16",
    "torch.int8": "I8",
    "torch.uint8": "U8",
    "torch.bool": "BOOL",
}
_UNTYPED = ("torch.storage.UntypedStorage", "torch.UntypedStorage")
_HARMLESS = frozenset({*STORAGES, *DTYPES, *_UNTYPED, "torch.nn.parameter.Parameter"})
"""Globals that are named in every torch file and say no more than a type."""


@dataclass(frozen=True)
class TorchFile:
    """What a torch file holds.

    ``tree`` is made of None, bool, int, float, str, bytes, list, tuple, dict, `StoredTensor`, `Global` and
    `Inert`. ``inert`` are the names of the classes and functions that were not loaded, with how often each
    is named. ``legacy`` says that it is of the format before torch 1.6.
    """

    file: ForeignFile
    tree: object
    inert: Mapping[str, int]
    legacy: bool


@dataclass(frozen=True)
class _Storage:
    """Where a storage's numbers lie; its type is empty where the tensor says it."""

    dtype: str
    begin: int
    size_bytes: int


def is_torch_file(path: Path) -> bool:
    """Say whether a file begins as those of ``torch.save`` (or any zip archive or pickle) do."""
    return read_bytes(path, 4).startswith((MEMBER, EMPTY, *PICKLES))


def read_torch_file(path: Path) -> TorchFile:
    """Read a ``.pt``, ``.pth`` or ``.ckpt`` file without running anything of it.

    Raises
    ------
    CheckpointError
        If it is something else, truncated or damaged, asks for more than its size can hold, or is of a kind
        that holds code.
    """
    explain_false_start(path, read_bytes(path, 512))
    file = ForeignFile.of(path)
    head = file.read(0, min(4, file.size))
    if head == EMPTY:
        raise CheckpointError(f"{path} is a zip archive with nothing in it. Download or copy it again.")
    return _read_zip(file) if head == MEMBER else _read_legacy(file)


class _Tensors:
    """Makes `StoredTensor` of what a pickle says, with all of it within the file; keeps count."""

    def __init__(self, file: ForeignFile) -> None:
        self._file = file
        self._left = _REUSE * file.size + _SPARE

    def handlers(self) -> dict[str, Handler]:
        """Return what stands in for the calls that torch's files are made of."""
        utils = "torch._utils._rebuild_"
        return {
            f"{utils}tensor": lambda a: self._rebuilt(*_exactly(a, 4)),
            f"{utils}tensor_v2": lambda a: self._rebuilt(*_exactly(a, 4)),
            f"{utils}tensor_v3": self._typed,
            f"{utils}parameter": lambda a: _exactly(a, 1)[0],
            f"{utils}parameter_with_state": lambda a: _exactly(a, 1)[0],
            "torch._tensor._rebuild_from_type_v2": self._from_type,
            "torch.Size": lambda a: tuple(_exactly(a, 1)[0]),
            "collections.OrderedDict": partial(_mapping, 0),
            "collections.defaultdict": partial(_mapping, 1),
            **{
                f"{b}.{k}": _entries
                for b in ("builtins", "__builtin__")
                for k in ("set", "frozenset", "list")
            },
        }

    def _from_type(self, arguments: tuple[Any, ...]) -> object:
        function, _, inner = _exactly(arguments, 3)
        handler = self.handlers().get(function.name) if isinstance(function, Global) else None
        if handler is None or handler == self._from_type or not isinstance(inner, tuple):
            return Inert("torch._tensor._rebuild_from_type_v2", arguments)
        return handler(inner)

    def _typed(self, arguments: tuple[Any, ...]) -> object:
        """Rebuild a tensor whose type stands beside the storage, which has none."""
        storage, offset, size, stride, _, _, dtype = _exactly(arguments, 7)
        return self._rebuilt(storage, offset, size, stride, dtype)

    def _rebuilt(
        self, storage: object, offset: object, size: object, stride: object, dtype: object = None
    ) -> object:
        if not isinstance(storage, _Storage):
            return Inert("tensor")
        kind = storage.dtype or (DTYPES.get(dtype.name, "") if isinstance(dtype, Global) else "")
        if not kind:
            return Inert("tensor of a type that is not read")
        shape, strides = _wholes(size, "shape"), _wholes(stride, "strides")
        (start,) = _wholes((offset,), "offset")
        if len(shape) != len(strides) or len(shape) > MOST_DIMENSIONS:
            raise ValueError(f"a tensor of shape {shown(list(shape))} with strides {shown(list(strides))}")
        width, numel = np.dtype(NUMBERS[kind]).itemsize, math.prod(shape)
        steps = zip(shape, strides, strict=True)
        span = 1 + sum((n - 1) * step for n, step in steps) if numel else 0
        if numel > span or (start + span) * width > storage.size_bytes:
            raise ValueError(
                f"a tensor of shape {shown(list(shape))} in a storage of {storage.size_bytes:,} bytes"
            )
        self._left -= span * width
        if self._left < 0:
            raise ValueError(
                f"tensors that use the file's {self._file.size:,} bytes more than {_REUSE} times"
            )
        begin = storage.begin + start * width
        return StoredTensor(self._file, kind, shape, begin, () if _contiguous(shape, strides) else strides)


def _read_zip(file: ForeignFile) -> TorchFile:
    archive = Archive(file)
    pickles = [name for name in archive.names() if name == "data.pkl" or name.endswith("/data.pkl")]
    if not pickles:
        raise CheckpointError(
            f"{file.path} is a zip archive, but not one of torch: it has no data.pkl; it has "
            f"{', '.join(map(shown, archive.names()[:3])) or 'nothing'}. Unpack it outside, and open the "
            "checkpoint within."
        )
    name = min(pickles, key=len)
    root = name.removesuffix("data.pkl")
    if f"{root}constants.pkl" in archive or any(one.startswith(f"{root}code/") for one in archive.names()):
        raise CheckpointError(
            f"{file.path} is a TorchScript program, which is code; a state dict was expected. It was not "
            "opened. Save the network's state_dict() where it was made."
        )
    if f"{root}byteorder" in archive and (order := archive.read(f"{root}byteorder", 64)) != b"little":
        raise CheckpointError(
            f"{file.path} should hold little-endian numbers; its byte order is {shown(order)}. "
            "Save it again on another machine."
        )

    def storage(identifier: object) -> object:
        kind, key, numel, _ = _identified(identifier)
        member = f"{root}data/{key}"
        if member not in archive:
            raise ValueError(f"a storage {shown(key)} that the archive lacks")
        begin, size = archive.place(member)
        return _storage(kind, begin, numel, size)

    machine = PlainPickle(file.path, _Tensors(file).handlers(), storage)
    tree = machine.run(io.BytesIO(archive.read(name, LARGEST_PICKLE)))
    return TorchFile(file, tree, _listed(machine.globals), legacy=False)


def _read_legacy(file: ForeignFile) -> TorchFile:
    """Read the row of pickles that torch wrote before 1.6: numbers' places are only known after the tree."""
    stream = io.BytesIO(file.read(0, min(file.size, LARGEST_PICKLE)))

    def nothing(identifier: object) -> object:
        raise ValueError(f"a reference to {shown(identifier)}")

    def plain() -> object:
        return PlainPickle(file.path, {}, nothing).run(stream)

    if _plain_or_none(plain) != _MAGIC:
        raise _not_of_torch(file)
    if (version := plain()) != _PROTOCOL:
        raise CheckpointError(
            f"{file.path} should be of torch's protocol {_PROTOCOL}; it says {shown(version)}."
        )
    system = plain()
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise CheckpointError(
            f"{file.path} should hold little-endian numbers; it says {shown(system)}. Save it "
            "again on another machine."
        )
    start = stream.tell()
    wanted: dict[str, tuple[str, int]] = {}

    def noted(identifier: object) -> object:
        kind, key, numel, _ = _identified(identifier)
        if wanted.setdefault(key, (kind, numel)) != (kind, numel):
            raise ValueError(f"a storage {shown(key)} of two kinds")
        return None

    PlainPickle(file.path, _Tensors(file).handlers(), noted).run(stream)
    keys = plain()
    texts = [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []
    if not isinstance(keys, list) or len(set(texts)) != len(keys):
        raise CheckpointError(f"{file.path} is damaged: the list of its storages is none. Download it again.")
    places: dict[str, _Storage] = {}
    at = stream.tell()
    for key in texts:
        if key not in wanted:
            raise CheckpointError(
                f"{file.path} is damaged: a tensor of its storage {shown(key)} was expected, none found. "
                "Download or copy it again."
            )
        kind, numel = wanted[key]
        (found,) = struct.unpack("<q", file.read(at, 8))
        width = np.dtype(NUMBERS[kind]).itemsize if kind in NUMBERS else 1
        if found != numel or at + 8 + numel * width > file.size:
            raise CheckpointError(
                f"{file.path} is truncated or damaged: its storage {shown(key)} should have {numel:,} "
                f"numbers within {file.size:,} bytes; it says {found:,}. Download or copy it again."
            )
        places[key] = _Storage(kind if kind in NUMBERS else "", at + 8, numel * width)
        at += 8 + numel * width

    def storage(identifier: object) -> object:
        kind, key, _, view = _identified(identifier)
        if key not in places:
            raise ValueError(f"a storage {shown(key)} that the file lacks")
        if view is None:
            return places[key]
        _, offset, count = _wholes((0, *_exactly(view, 3)[1:]), "view")
        root, width = places[key], np.dtype(NUMBERS.get(kind, "u1")).itemsize
        if (offset + count) * width > root.size_bytes:
            raise ValueError(f"a view of {count:,} numbers in a storage of {root.size_bytes:,} bytes")
        return _Storage(root.dtype, root.begin + offset * width, count * width)

    stream.seek(start)
    machine = PlainPickle(file.path, _Tensors(file).handlers(), storage)
    return TorchFile(file, machine.run(stream), _listed(machine.globals), legacy=True)


def _not_of_torch(file: ForeignFile) -> CheckpointError:
    head = file.read(0, min(file.size, 1_000_000))
    if b"torch_utils.persistence" in head or b"dnnlib" in head:
        return CheckpointError(
            f"{file.path} is a pickle of NVIDIA's StyleGAN programs, which holds code; a state dict was "
            "expected, and it was not opened. Convert it outside with rosinality/stylegan2-pytorch "
            "(convert_weight.py), and open the .pt file that it writes."
        )
    return CheckpointError(
        f"{file.path} is a pickle of Python objects, which can hold code; a file of torch.save was expected, "
        "and it was not opened. Save the network's state_dict() with torch or safetensors where it was made."
    )


def _plain_or_none(read: Any) -> object:
    """Return what a reading gives; None where it is malformed."""
    try:
        return read()
    except CheckpointError:
        return None


def _identified(identifier: object) -> tuple[str, str, int, object]:
    """Return a storage's type, key, length and view from a persistent identifier of torch."""
    if not isinstance(identifier, tuple) or len(identifier) not in (5, 6) or identifier[0] != "storage":
        raise ValueError(f"a reference to {shown(identifier)}")
    kind, key, numel = identifier[1], identifier[2], identifier[4]
    if not isinstance(kind, Global) or not isinstance(key, str):
        raise ValueError(f"a storage of {shown(kind)}")
    (count,) = _wholes((numel,), "length")
    return STORAGES.get(kind.name, kind.name), key, count, identifier[5] if len(identifier) == 6 else None


def _storage(kind: str, begin: int, numel: int, size: int) -> _Storage | Inert:
    """Return a storage in a member of so many bytes; a placeholder where its type is not read."""
    if kind not in NUMBERS and kind not in _UNTYPED:
        return Inert(kind)
    needed = numel * (np.dtype(NUMBERS[kind]).itemsize if kind in NUMBERS else 1)
    if needed > size:
        raise ValueError(f"a storage of {needed:,} bytes in a member of {size:,}")
    return _Storage(kind if kind in NUMBERS else "", begin, needed)


def _exactly(value: object, count: int) -> tuple[Any, ...]:
    """Return the first entries of a tuple that has at least so many."""
    if not isinstance(value, tuple) or len(value) < count:
        raise ValueError(f"a call with too few arguments, {count} were expected")
    return value[:count]


def _wholes(values: object, what: str) -> tuple[int, ...]:
    if not isinstance(values, tuple | list) or len(values) > MOST_DIMENSIONS:
        raise ValueError(f"a tensor whose {what} is {shown(values)}")
    if any(type(value) is not int or not 0 <= value < 1 << 48 for value in values):
        raise ValueError(f"a tensor whose {what} is {shown(values)}")
    return tuple(values)


def _contiguous(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    expected = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size > 1 and stride != expected:
            return False
        expected *= size
    return True


def _mapping(before: int, arguments: tuple[Any, ...]) -> object:
    """Return a dict of pairs, which stand after so many other arguments."""
    given = arguments[before] if len(arguments) > before else ()
    if isinstance(given, dict):
        return given
    if not isinstance(given, list | tuple) or not all(
        isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str) for pair in given
    ):
        raise ValueError("a dict of something else than pairs")
    found = {pair[0]: pair[1] for pair in given}
    if len(found) < len(given):
        raise ValueError("a dict that holds a name twice")
    return found


def _entries(arguments: tuple[Any, ...]) -> object:
    found = arguments[0] if arguments else []
    if not isinstance(found, list | tuple):
        raise ValueError("a set of something else than entries")
    return list(found)


def _listed(names: Mapping[str, int]) -> dict[str, int]:
    return {shown(name): count for name, count in sorted(names.items()) if name not in _HARMLESS}
