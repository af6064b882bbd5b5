"""Folders of diffusers' ``AutoencoderKL``: ``config.json`` with ``diffusion_pytorch_model.safetensors``.

A pipeline's folder opens by its part ``vae``. The network is our own: diffusers' import alone takes longer
than opening the file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentlab.checkpoints.foreign.expect import Expected
from latentlab.checkpoints.foreign.importer import Imported
from latentlab.checkpoints.foreign.kl_grid import OPTIONS, Grid, grid_config, ignored, in_todays_names, told
from latentlab.checkpoints.foreign.plain_pickle import shown
from latentlab.checkpoints.foreign.source import Source, read_json
from latentlab.errors import CheckpointError

__all__ = ["OPTIONS", "TITLE", "recognise"]

TITLE = "AutoencoderKL (diffusers)"

CLASS = "AutoencoderKL"
_SIGN = "encoder.down_blocks.0.resnets.0.conv1.weight"
_NAMES = (
    "diffusion_pytorch_model.safetensors",
    "diffusion_pytorch_model.fp16.safetensors",
    "diffusion_pytorch_model.bin",
    "diffusion_pytorch_model.fp16.bin",
)
_BLOCKS = {
    "down_block_types": ("DownEncoderBlock2D", "AttnDownEncoderBlock2D"),
    "up_block_types": ("UpDecoderBlock2D", "AttnUpDecoderBlock2D"),
}
_SHARDS = "diffusion_pytorch_model.safetensors.index.json"


def recognise(source: Source) -> Imported | None:
    """Import a folder, or the file of weights in it."""
    config = source.inside("vae/config.json") or source.beside("config.json")
    if config is None and _SIGN in source.state.tensors:
        raise CheckpointError(
            f"{source.path} holds the weights of diffusers' {CLASS}; its config.json was expected beside it, "
            "which says what the latents are multiplied by, and there is none. Copy the whole folder."
        )
    if config is None or not (source.is_folder or _SIGN in source.state.tensors):
        return None
    settings = read_json(config)
    name = settings.get("_class_name")
    if name is None:
        return None
    if name != CLASS:
        raise CheckpointError(
            f"{config} should be of diffusers' {CLASS}; it is of {shown(name)}, which cannot be opened. "
            f"Choose the folder of an {CLASS}, such as a pipeline's part vae."
        )
    weights = _weights(config.parent) if source.is_folder else source.path
    state = (Source(weights) if source.is_folder else source).state
    found = Expected(weights, f"diffusers' {CLASS}", in_todays_names(state.tensors))
    grid = _grid(settings, config)
    native = grid_config(source, source.path.stem, found, grid)
    return Imported(
        format=TITLE,
        config=native,
        tensors=found.tensors,
        recognised=(f"{config.name}: {CLASS}", *state.found, told(native)),
        ignored=ignored(state),
        notes=_notes(settings, native.spec.image_size, grid.trained_on),
        weights=weights,
    )


def _weights(folder: Path) -> Path:
    for name in _NAMES:
        if (folder / name).is_file():
            return folder / name
    if (folder / _SHARDS).is_file():
        raise CheckpointError(
            f"{folder} holds its weights in several files ({_SHARDS}). Save it again in one, with "
            "save_pretrained(..., max_shard_size='10GB')."
        )
    raise CheckpointError(
        f"The folder {folder} is diffusers' {CLASS} and lacks its weights: {_NAMES[0]} was expected. Copy or "
        "download it again."
    )


def _grid(settings: Mapping[str, Any], where: Path) -> Grid:
    if (activation := settings.get("act_fn", "silu")) not in ("silu", "swish"):
        raise CheckpointError(
            f"{where}: act_fn should be 'silu'; it is {shown(activation)!r}. Such networks cannot be opened."
        )
    for name, known in _BLOCKS.items():
        given = settings.get(name, known[:1])
        strange = [one for one in given if one not in known] if isinstance(given, list | tuple) else [given]
        if strange:
            raise CheckpointError(
                f"{where}: {name} should name {' and '.join(known)}; it names {shown(strange[0])!r}. Such "
                "networks cannot be opened."
            )
    size = settings.get("sample_size", 32)
    side = size[0] if isinstance(size, list) and size else size
    return Grid(
        groups=int(_number(settings, "norm_num_groups", 32, where, least=1)),
        scale=_number(settings, "scaling_factor", 0.18215, where, least=1e-6),
        shift=_number(settings, "shift_factor", 0.0, where),
        trained_on=int(_number({"sample_size": side}, "sample_size", 32, where, least=1)),
    )


def _number(
    settings: Mapping[str, Any], name: str, default: float, where: Path, least: float = -math.inf
) -> float:
    found = settings.get(name)
    if found is None:
        return default
    if isinstance(found, bool) or not isinstance(found, int | float) or not least <= found < 1e6:
        raise CheckpointError(
            f"{where}: {name} should be a number{'' if least == -math.inf else f' of {least:g} or more'}; it "
            f"is {shown(found)!r}. Copy or download the configuration again."
        )
    return float(found)


def _notes(settings: Mapping[str, Any], size: int, trained_on: int) -> tuple[str, ...]:
    notes = []
    if trained_on > size:
        notes.append(
            f"it was trained on {trained_on} px and is opened at {size} px, which a processor can follow; "
            "the option image_size says otherwise"
        )
    if settings.get("latents_mean") is not None or settings.get("latents_std") is not None:
        notes.append("latents_mean and latents_std of the configuration are not applied to the latents")
    return tuple(notes)
