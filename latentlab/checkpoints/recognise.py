"""Recognise by its first bytes what a file is, and say so in words where it is not weights.

The usual false starts are an HTML page saved under the weights' name, a Git LFS pointer, an empty or
truncated file, and a pickle, which could run code and is never opened.
"""

from __future__ import annotations

import json
from pathlib import Path

from latentlab.errors import CheckpointError

_LARGEST_HEADER = 100_000_000


def read_bytes(path: Path, count: int = -1) -> bytes:
    """Read a file (or its first bytes), turning what can go wrong into a `CheckpointError`."""
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from None


def explain_foreign(path: Path) -> None:
    """Return silently if the file begins as safetensors do; otherwise say what it is instead.

    Raises
    ------
    CheckpointError
        With what was found and what to do.
    """
    head = read_bytes(path, 512)
    text = head.lstrip().lower()
    if not head:
        raise CheckpointError(f"{path} is empty (0 bytes). Download or copy it again.")
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        raise CheckpointError(
            f"{path} is a web page, not weights: the download saved the page about the file. Download the "
            "file itself."
        )
    if head.startswith(b"version https://git-lfs"):
        raise CheckpointError(
            f"{path} is a Git LFS pointer, not the weights themselves. Run 'git lfs pull' in its repository."
        )
    if head.startswith(b"\x80") or head.startswith(b"PK\x03\x04"):
        raise CheckpointError(
            f"{path} is a pickle or PyTorch archive, which can hold code; it was not opened. Save the weights "
            "as safetensors where they were made."
        )
    length = int.from_bytes(head[:8], "little")
    size = path.stat().st_size
    if len(head) < 8 or head[8:9] != b"{" or length > _LARGEST_HEADER:
        raise CheckpointError(
            f"{path} is not a safetensors file: its first bytes are {head[:8]!r}. Choose a checkpoint's folder or "
            "its .safetensors file."
        )
    if size < 8 + length:
        raise CheckpointError(
            f"{path} is truncated: its header alone needs {8 + length:,} bytes, {size:,} found. "
            "Download or copy it again."
        )
    try:
        json.loads(read_bytes(path, 8 + length)[8:])
    except ValueError:
        raise CheckpointError(f"{path} has a damaged header. Download or copy it again.") from None
