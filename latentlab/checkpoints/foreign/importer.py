"""The contract of an importer: one file that knows one foreign format.

An importer looks at a `Source` and returns

- None, where the contents are not of its format (it goes by contents, never by a file's name);
- an `Imported`: the native configuration and tensors that it makes of them;
- or raises `CheckpointError`, where they are of its format and cannot be used: which file, what was
  expected, what was found, what to do.

It is a module of this folder with the names of `Importer`, entered in `latentlab.checkpoints.foreign`.
It imports no torch, runs nothing, and reads no more than names, shapes and settings: numbers are read when
the network is filled. The network itself is a family in `latentlab.families`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from latentlab.checkpoints.foreign.source import Source
from latentlab.checkpoints.foreign.stored import Derived, StoredTensor
from latentlab.spec import CheckpointConfig


@dataclass(frozen=True)
class Imported:
    """What an importer made of a foreign checkpoint.

    Attributes
    ----------
    format
        The importer's `Importer.TITLE`.
    config
        The native configuration: family, network settings, specification with what it cannot do and why.
        ``config.training`` may hold plain facts that the file tells (``steps``, ``epochs``).
    tensors
        For every name of the family's ``state_dict`` the tensor that fills it, stored or computed.
    recognised
        In words: what was taken from where (`State.found` first, then what the shapes told).
    ignored
        Names in the file that are not needed (optimiser states, discriminators), as they stand there, and
        classes or functions that were not loaded.
    missing
        What the file lacks and what stands in for it, in words; empty where everything was there.
    notes
        What its owner should know: a value range, a fixed crop, a loss of precision.
    weights
        The file that holds the weights, where a folder was given; None for the file that was given.
    """

    format: str
    config: CheckpointConfig
    tensors: Mapping[str, StoredTensor | Derived]
    recognised: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    weights: Path | None = None


class Importer(Protocol):
    """A module that knows one format."""

    @property
    def TITLE(self) -> str:  # noqa: N802 - a module's constant
        """The format's name for people, with its project: ``PyTorch-VAE (AntixK)``."""
        ...

    @property
    def OPTIONS(self) -> Mapping[str, str]:  # noqa: N802
        """What a person may say of such a file (`Source.options`): the choices and the default, in words."""
        ...

    def recognise(self, source: Source) -> Imported | None:
        """Import a source of the format; None where it is of another.

        Raises
        ------
        CheckpointError
            If it is of the format and cannot be used.
        """
        ...
