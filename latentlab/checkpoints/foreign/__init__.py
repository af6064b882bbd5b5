"""Open checkpoints that other programs wrote, without running anything that is in them.

`import_foreign` asks each importer in turn; `latentlab.checkpoints.foreign.importer` says what one is.
Adding a format is one file here and one entry in `IMPORTERS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from latentlab.checkpoints.foreign import (
    compvis_kl,
    diffusers_kl,
    net2net,
    onnx_files,
    pythae,
    pytorch_vae,
    stylegan2,
)
from latentlab.checkpoints.foreign.importer import Imported, Importer
from latentlab.checkpoints.foreign.plain_pickle import shown, walk
from latentlab.checkpoints.foreign.source import Source
from latentlab.checkpoints.foreign.stored import StoredTensor
from latentlab.checkpoints.header import Header, TensorEntry
from latentlab.checkpoints.recognise import first_fault
from latentlab.errors import CheckpointError, SettingsError

__all__ = ["IMPORTERS", "Imported", "Importer", "header_of", "import_foreign"]

EMPTY: Mapping[str, str] = MappingProxyType({})
IMPORTERS: tuple[Importer, ...] = (
    onnx_files,
    pytorch_vae,
    pythae,
    stylegan2,
    diffusers_kl,
    compvis_kl,
    net2net,
)
"""The importers, in the order in which they are asked."""


def import_foreign(path: Path, options: Mapping[str, str] = EMPTY) -> Imported | None:
    """Recognise a foreign checkpoint, without torch; None where it is neither of a known format nor torch's.

    Parameters
    ----------
    options
        What a person says of it that the file does not tell, by name (`Importer.OPTIONS`).

    Raises
    ------
    CheckpointError
        If it cannot be read safely, holds tensors of no known format, or is of a format and cannot be used.
    SettingsError
        If its format has no option of a name, or an option another value.
    """
    source = Source(path, options)
    for importer in IMPORTERS:
        try:
            found = importer.recognise(source)
        except ValidationError as error:
            raise CheckpointError(first_fault(error, path)) from None
        if found is None:
            continue
        if unknown := sorted(set(options) - set(importer.OPTIONS)):
            known = "; ".join(f"{name}: {what}" for name, what in importer.OPTIONS.items()) or "none"
            raise SettingsError(
                f"{path} is of {importer.TITLE}, which has no option {unknown[0]}; it has {known}."
            )
        inert = source.torch_file.inert if source.torch_file else {}
        named = tuple(f"{name} (class or function, not loaded)" for name in inert)
        return replace(found, ignored=(*found.ignored, *named))
    if source.torch_file is None and not source.state.tensors:
        return None
    raise _unknown(source)


def header_of(imported: Imported) -> Header:
    """Return the header that a native file of the same tensors would have, without places in a file."""
    return Header({}, {name: TensorEntry(one.dtype, one.shape, 0) for name, one in imported.tensors.items()})


def _unknown(source: Source) -> CheckpointError:
    known = "; ".join(importer.TITLE for importer in IMPORTERS)
    names, notes = list(source.state.tensors), ""
    if names:
        first = ", ".join(map(shown, names[:3])) + (", ..." if len(names) > 3 else "")
        what = f"{len(names)} tensor{'' if len(names) == 1 else 's'} ({first})"
    else:
        assert source.torch_file is not None
        tree = source.torch_file.tree
        tensors = [where for where, value in walk(tree) if isinstance(value, StoredTensor)]
        keys = list(tree)[:6] if isinstance(tree, dict) else []
        inner = f"a dict with the keys {', '.join(map(shown, keys))}" if keys else shown(tree)
        what = f"{inner}, and no state dict"
        if tensors and all("optim" in where for where in tensors):
            what += ": only an optimiser's state, without the network's weights"
    if source.torch_file is not None and source.torch_file.inert:
        inert = list(source.torch_file.inert)
        notes = f" Classes in it were not loaded: {', '.join(inert[:3])}{', ...' if len(inert) > 3 else ''}."
    return CheckpointError(
        f"{source.path} should be a checkpoint of a known format ({known}); it holds {what}.{notes} "
        "Convert it to one of these where it was made."
    )
