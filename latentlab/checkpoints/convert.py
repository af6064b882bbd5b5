"""Write a foreign checkpoint as a native one, with a card that says where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from latentlab.checkpoints.describe import ignored_words
from latentlab.checkpoints.native import Located, load_located, locate, write
from latentlab.errors import SettingsError
from latentlab.spec import CheckpointConfig


def convert(source: str | Path, folder: Path, options: Mapping[str, str] | None = None) -> Located:
    """Convert a checkpoint and return where the native one lies.

    The network is built and tried out first. Weights keep the precision that they have in the file (float64
    becomes float32), so that nothing is lost and nothing grows.

    Parameters
    ----------
    folder
        The native checkpoint's folder, which must not hold one yet.
    options
        What a person says of it that its file does not tell, by name.

    Raises
    ------
    CheckpointError
        If it cannot be opened, or the folder cannot be written.
    SettingsError
        If it is native already, the folder holds a checkpoint, or an option is not known.
    """
    from latentlab.checkpoints.foreign.fill import tensors_of

    located = locate(source, options)
    if located.foreign is None:
        raise SettingsError(
            f"{located.path} is a checkpoint of LatentLab already: nothing is to be converted."
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(
            f"{folder} should be a new or an empty folder; it holds something. Choose another."
        )
    load_located(located)
    config = _with_origin(located)
    tensors = dict(tensors_of(located.foreign, located.weights))
    write(folder, tensors, config, _card(located))
    return locate(folder)


def _with_origin(located: Located) -> CheckpointConfig:
    foreign = located.foreign
    assert foreign is not None
    origin = {
        "converted_from": located.weights.name,
        "format": foreign.format,
        "sha256": located.sha256(),
    }
    return located.config.model_copy(
        update={"name": located.name, "training": {**located.config.training, **origin}}
    )


def _card(located: Located) -> str:
    foreign = located.foreign
    assert foreign is not None
    spec = located.config.spec
    parts = {
        "Recognised": foreign.recognised,
        "Not used": tuple(ignored_words(foreign.ignored).splitlines()),
        "Missing": foreign.missing,
        "To know": foreign.notes,
        "Cannot": tuple(
            f"{what}: {why}"
            for what, why in (located.config.model.cannot if located.config.model else {}).items()
        ),
    }
    lines = [
        "---",
        "library_name: latentlab",
        "tags:",
        "- latent-space",
        f"- {spec.family}",
        "---",
        "",
        f"# {located.name}",
        "",
        f"Converted from `{located.weights.name}`, a checkpoint of {foreign.format}, by `latentlab convert`; "
        "the weights are those of that file.",
        "",
        f"SHA-256 of the file: `{located.sha256()}`",
        "",
        "Who made it, of which pictures and under which licence, the file does not tell; ask its source.",
    ]
    for title, entries in parts.items():
        if entries:
            lines += ["", f"## {title}", "", *(f"- {entry}" for entry in entries)]
    return "\n".join(lines) + "\n"
