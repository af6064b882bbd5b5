"""What a person gave to be opened, as an importer sees it: a file or a folder, read once and carefully."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from latentlab.checkpoints.foreign.state import State, choose_state
from latentlab.checkpoints.foreign.stored import ForeignFile, StoredTensor
from latentlab.checkpoints.foreign.torch_file import TorchFile, is_torch_file, read_torch_file
from latentlab.checkpoints.header import Header, read_header
from latentlab.checkpoints.recognise import NotSafetensorsError, read_bytes, read_text
from latentlab.errors import CheckpointError


@dataclass(frozen=True)
class Source:
    """A foreign checkpoint before it is known what it is.

    ``path`` is the file or the folder that was given. A file's neighbours are not looked at unless an
    importer asks for one (`beside`), such as the configuration that a training wrote. ``options`` are what a
    person says of it beside (`latentlab.checkpoints.foreign.options`).
    """

    path: Path
    options: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def is_folder(self) -> bool:
        """Whether a folder was given."""
        return self.path.is_dir()

    @cached_property
    def head(self) -> bytes:
        """The first 512 bytes of the file; empty for a folder."""
        return b"" if self.is_folder else read_bytes(self.path, 512)

    def inside(self, name: str) -> Path | None:
        """Return a folder's file of that name; None where there is none, or where a file was given."""
        path = self.path / name
        return path if self.is_folder and path.is_file() else None

    def beside(self, name: str) -> Path | None:
        """Return the file of that name in the folder that was given, or in that of the file."""
        path = (self.path if self.is_folder else self.path.parent) / name
        return path if path.is_file() else None

    @cached_property
    def torch_file(self) -> TorchFile | None:
        """What the file holds, where it is one that torch wrote; None for a folder or another file.

        Raises
        ------
        CheckpointError
            If it is one and cannot be read safely.
        """
        if self.is_folder or not is_torch_file(self.path):
            return None
        return read_torch_file(self.path)

    @cached_property
    def state(self) -> State:
        """The file's chosen state dict (`choose_state`); of no tensors for a folder or another file.

        A ``.safetensors`` file is one without containers.
        """
        if self.torch_file is not None:
            return choose_state(self.torch_file.tree)
        if not self.is_folder and self.head[8:9] == b"{":
            with suppress(NotSafetensorsError):  # a JSON may have that byte there too
                return choose_state(read_safetensors(self.path))
        return State({})


def read_safetensors(path: Path) -> dict[str, StoredTensor]:
    """Return the tensors of a ``.safetensors`` file by name.

    Raises
    ------
    CheckpointError
        If the file is something else, truncated or damaged.
    """
    return stored_tensors(ForeignFile.of(path), read_header(path))


def stored_tensors(file: ForeignFile, header: Header) -> dict[str, StoredTensor]:
    """Return the tensors of a ``.safetensors`` file by name, as its header says."""
    return {
        name: StoredTensor(file, entry.dtype, entry.shape, entry.begin)
        for name, entry in header.tensors.items()
    }


def read_json(path: Path) -> Mapping[str, Any]:
    """Return a JSON file's object.

    Raises
    ------
    CheckpointError
        If it is a false start, too large, no JSON, or not an object.
    """
    try:
        found = json.loads(read_text(path))
    except RecursionError:
        raise CheckpointError(f"{path} is nested too deeply for a configuration.") from None
    except ValueError as error:
        raise CheckpointError(f"{path} is not valid JSON ({error}). Download or copy it again.") from None
    if not isinstance(found, dict):
        raise CheckpointError(f"{path} should hold a JSON object; it holds a {type(found).__name__}.")
    return found
