"""Recognise by its first bytes what a file is, and say so in words where it is not what it should be.

The usual false starts are a web page saved under the weights' name, a Git LFS pointer, an empty or
truncated file, and a pickle, which could run code and is never opened.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from latentlab.errors import CheckpointError


class NotSafetensorsError(CheckpointError):
    """A file of another kind than safetensors, and no false start either."""


LARGEST_TEXT = 4_000_000
"""The most bytes that a configuration may have, or the header of weights."""
PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""What pickles begin with."""
_LONGEST_FAULT = 200
_SENSIBLE = 1 << 40
"""The most bytes that the header of a safetensors file can say to have: other files say more."""
_WEB_PAGES = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")


def read_bytes(path: Path, count: int = -1) -> bytes:
    """Read a file (or its first ``count`` bytes), turning what can go wrong into a `CheckpointError`."""
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from None


def read_text(path: Path) -> str:
    """Read a configuration's text.

    Raises
    ------
    CheckpointError
        If it is empty, too large, something else than text, a web page or a Git LFS pointer.
    """
    content = read_bytes(path, LARGEST_TEXT + 1)
    if len(content) > LARGEST_TEXT:
        raise CheckpointError(
            f"{path} should be a configuration of at most {LARGEST_TEXT:,} bytes; it has more. "
            "Choose the folder that the training wrote."
        )
    explain_false_start(path, content[:512])
    _explain_pickle(path, content[:512])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CheckpointError(f"{path} should be a JSON text in UTF-8; it is a binary file.") from None


def read_tables(path: Path) -> tuple[int, int, dict[str, Any]]:
    """Return where the tensors of a safetensors file begin, its size, and its header's JSON.

    Raises
    ------
    CheckpointError
        If it is something else, with what was found and what to do.
    """
    head = read_bytes(path, 512)
    explain_false_start(path, head)
    _explain_pickle(path, head)
    length = int.from_bytes(head[:8], "little")
    try:
        size = path.stat().st_size
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from None
    if len(head) < 9 or head[8:9] != b"{" or length > _SENSIBLE:
        raise NotSafetensorsError(
            f"{path} is no checkpoint: its first bytes are {head[:8]!r}. Choose a checkpoint's folder, or "
            "its file of weights (.safetensors, .ckpt, .pt)."
        )
    if length > LARGEST_TEXT:
        raise CheckpointError(
            f"{path} should have a header of at most {LARGEST_TEXT:,} bytes; it says {length:,}. It holds "
            "more than a network; save the network's weights alone."
        )
    if size < 8 + length:
        raise CheckpointError(
            f"{path} is truncated: its header alone needs {8 + length:,} bytes, {size:,} found. "
            "Download or copy it again."
        )
    try:
        header = json.loads(read_bytes(path, 8 + length)[8:].decode(), object_pairs_hook=_each_once)
        ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
        expected = 8 + length + max((int(end) for end in ends), default=0)
    except _Twice as twice:
        raise CheckpointError(
            f"{path}: each name should stand once in its header; {_short(str(twice))!r} stands twice. "
            "Download it again from its source."
        ) from None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        raise CheckpointError(f"{path} has a damaged header. Download or copy it again.") from None
    if size < expected:
        raise CheckpointError(
            f"{path} is truncated: {expected:,} bytes expected, {size:,} found. Download or copy it again."
        )
    return 8 + length, size, header


class _Twice(Exception):  # noqa: N818 - it is told as an error by who hears it
    """A name that stands twice in an object of JSON."""


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice(next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1))
    return found


def first_fault(error: ValidationError, where: Path, before: str = "") -> str:
    """Say in one line where a configuration first departs from what is allowed, and how."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join([*([before] if before else []), *(str(part) for part in first["loc"])])
    return f"{where}: {f'field {_short(field)}: ' if field else ''}{_short(first['msg'])}."


def _short(text: str) -> str:
    """Return a text that may hold parts of a file as it may stand in a message: on one line, not too long."""
    clean = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text[: 2 * _LONGEST_FAULT])
    return clean if len(clean) <= _LONGEST_FAULT else f"{clean[: _LONGEST_FAULT - 3]}..."


def explain_false_start(path: Path, head: bytes) -> None:
    """Raise `CheckpointError` if a file that begins so is empty, a web page or a Git LFS pointer."""
    if not head:
        raise CheckpointError(f"{path} is empty (0 bytes). Download or copy it again.")
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_WEB_PAGES):
        raise CheckpointError(
            f"{path} is a web page, not a part of a checkpoint: the download saved the page about the file. "
            "Download the file itself."
        )
    if head.startswith(b"version https://git-lfs"):
        raise CheckpointError(
            f"{path} is a Git LFS pointer, not the file itself. Run 'git lfs pull' in its repository."
        )


def _explain_pickle(path: Path, head: bytes) -> None:
    if head.startswith((*PICKLES, b"PK\x03\x04")):
        raise NotSafetensorsError(
            f"{path} is a pickle or PyTorch archive, which can hold code; it was not opened. Save the "
            "weights as safetensors where they were made."
        )
