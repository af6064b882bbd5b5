"""The spatial autoencoder of latent diffusion, from tensors in the names of diffusers, whoever wrote them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from latentlab.checkpoints.foreign.expect import Expected
from latentlab.checkpoints.foreign.options import whole
from latentlab.checkpoints.foreign.source import Source
from latentlab.checkpoints.foreign.state import State
from latentlab.checkpoints.foreign.stored import StoredTensor
from latentlab.errors import CheckpointError, SettingsError
from latentlab.spec import CheckpointConfig, ModelSpec

OPTIONS = {"image_size": "pixels of a side (the default: what it was trained on, at most 256)"}
USUAL_SIZE = 256
"""Larger pictures take a processor many seconds each; the option says otherwise."""
_MOST_CELLS = 64
"""Cells of a side of the largest grid that has attention: its work grows with their fourth power."""
_LARGEST = 1024
NO_PRIOR = (
    "its latents are grids that no simple prior describes; a diffusion model would be needed to draw them. "
    "Start from a picture instead."
)
_PARTS = ("encoder.", "decoder.", "quant_conv.", "post_quant_conv.")
_OLD = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


@dataclass(frozen=True)
class Grid:
    """What the tensors do not tell: how they are normalised, what the latent is multiplied by."""

    groups: int = 32
    scale: float = 1.0
    shift: float = 0.0
    trained_on: int = USUAL_SIZE


def in_todays_names(tensors: Mapping[str, StoredTensor]) -> dict[str, StoredTensor]:
    """Return tensors under the names that diffusers has given them since 2023, others left out."""
    found = {}
    for name, tensor in tensors.items():
        parts = name.split(".")
        if "attentions" in parts[:-2] and parts[-2] in _OLD:
            name = ".".join([*parts[:-2], _OLD[parts[-2]], parts[-1]])
        if name.startswith(_PARTS):
            found[name] = _as_linear(name, tensor)
    return found


def from_compvis(tensors: Mapping[str, StoredTensor]) -> dict[str, StoredTensor]:
    """Return tensors of CompVis' names under those of diffusers, others left out."""
    stages = 1 + max((int(name.split(".")[2]) for name in tensors if _is_stage(name)), default=0)
    found = {}
    for name, tensor in tensors.items():
        if name.startswith(_PARTS):
            new = _renamed(name, stages)
            found[new] = _as_linear(new, tensor)
    return found


def _is_stage(name: str) -> bool:
    return re.match(r"(encoder\.down|decoder\.up)\.\d{1,2}\.", name) is not None


_RENAMES = (
    (r"\.down\.(\d{1,2})\.", r".down_blocks.\1."),
    (r"\.block\.(\d{1,2})\.", r".resnets.\1."),
    (r"\.attn\.(\d{1,2})\.", r".attentions.\1."),
    (r"\.mid\.block_1\.", ".mid_block.resnets.0."),
    (r"\.mid\.block_2\.", ".mid_block.resnets.1."),
    (r"\.mid\.attn_1\.", ".mid_block.attentions.0."),
    (r"\.downsample\.", ".downsamplers.0."),
    (r"\.upsample\.", ".upsamplers.0."),
    (r"\.nin_shortcut\.", ".conv_shortcut."),
    (r"coder\.norm_out\.", "coder.conv_norm_out."),
)
_ATTENTION = {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}


def _renamed(name: str, stages: int) -> str:
    """Return the name of diffusers; CompVis counts the decoder's stages from the finest."""
    if up := re.match(r"decoder\.up\.(\d{1,2})\.", name):
        name = f"decoder.up_blocks.{stages - 1 - int(up[1])}.{name[up.end() :]}"
    for pattern, new in _RENAMES:
        name = re.sub(pattern, new, name)
    parts = name.split(".")
    if "attentions" in parts[:-2] and parts[-2] in _ATTENTION:
        name = ".".join([*parts[:-2], _ATTENTION[parts[-2]], parts[-1]])
    return name


def _as_linear(name: str, tensor: StoredTensor) -> StoredTensor:
    """Return an attention's 1 x 1 convolution as the matrix that it is."""
    if ".to_" not in name or tensor.shape[2:] != (1, 1):
        return tensor
    return tensor.axes(0, 2)


def grid_config(source: Source, name: str, found: Expected, grid: Grid) -> CheckpointConfig:
    """Return the native configuration that shapes and settings tell.

    Raises
    ------
    CheckpointError
        If a tensor that tells a width is missing or of another shape.
    SettingsError
        If the picture size that was asked for does not fit.
    """
    stages = found.count("encoder.down_blocks.{}.resnets.0.conv1.weight")
    widths = tuple(found.size(f"encoder.down_blocks.{n}.resnets.0.conv1.weight", 0, 4) for n in range(stages))
    for end, axis in (("encoder.conv_in.weight", 1), ("decoder.conv_out.weight", 0)):
        if (colours := found.size(end, axis, 4)) != 3:
            raise CheckpointError(
                f"{found.path} looks like {found.what} of pictures with {colours} channels; only those of "
                "colour pictures, with 3, can be opened. Choose another checkpoint."
            )
    inner = found.size("encoder.conv_out.weight", 0, 4) // 2
    before, after = "quant_conv.weight" in found.tensors, "post_quant_conv.weight" in found.tensors
    latent = found.size("post_quant_conv.weight", 1, 4) if after else inner
    patch = 1 << max(0, stages - 1)
    down, up = (
        tuple(f"{part}.{n}.attentions.0.to_q.weight" in found.tensors for n in range(stages))
        for part in ("encoder.down_blocks", "decoder.up_blocks")
    )
    middle = "encoder.mid_block.attentions.0.to_q.weight" in found.tensors
    halvings = [n for n in range(stages) if down[n] or up[stages - 1 - n] or (middle and n == stages - 1)]
    most = min(USUAL_SIZE, _MOST_CELLS << halvings[0] if halvings else USUAL_SIZE)
    size = _picture_size(source, patch, min(grid.trained_on, most))
    return CheckpointConfig(
        kind="model",
        name=name,
        model=ModelSpec(
            family="autoencoder_kl",
            image_size=size,
            latent_shape=(latent, size // patch, size // patch),
            prior="other",
            cannot={"sample": NO_PRIOR},
        ),
        network={
            "widths": widths,
            "blocks": found.count("encoder.down_blocks.0.resnets.{}.conv1.weight"),
            "latent": latent,
            "inner": inner,
            "groups": grid.groups,
            "down_attention": down,
            "up_attention": up,
            "middle_attention": middle,
            "before_latent": before,
            "after_latent": after,
            "scale": grid.scale,
            "shift": grid.shift,
        },
    )


def _picture_size(source: Source, patch: int, wished: int) -> int:
    usual = max(patch * max(1, wished // patch), 8)
    size = whole(source, "image_size", usual, 8, _LARGEST)
    if size % patch:
        raise SettingsError(f"The option image_size is a multiple of {patch} here; {size} was given.")
    return size


def ignored(state: State) -> tuple[str, ...]:
    """Return the names in a file that are of no part of the autoencoder."""
    return (*state.ignored, *(name for name in state.tensors if not name.startswith(_PARTS)))


def told(config: CheckpointConfig) -> str:
    """Say what the shapes told."""
    assert config.model is not None
    channels, side, _ = config.model.latent_shape
    return (
        f"spatial autoencoder: pictures of {config.model.image_size} px to {channels} x {side} x {side}, "
        f"latents times {config.network['scale']:g}"
    )
