"""StyleGAN2 generators in the layout of rosinality's stylegan2-pytorch: ``.pt`` with the key ``g_ema``.

A generator opens in one of two spaces, z or w by rows (`latentlab.families.stylegan2`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.checkpoints.foreign.expect import Expected
from latentlab.checkpoints.foreign.importer import Imported
from latentlab.checkpoints.foreign.options import number, one_of
from latentlab.checkpoints.foreign.source import Source
from latentlab.checkpoints.foreign.stored import Derived, StoredTensor
from latentlab.checkpoints.recognise import read_bytes
from latentlab.errors import CheckpointError
from latentlab.spec import CheckpointConfig, ModelSpec

TITLE = "StyleGAN2 (rosinality)"
OPTIONS = {
    "space": "z (the default: one latent, to explore) or w (a row for each input, to search as PULSE does)",
    "truncation": "from 0 (the mean w) to 1 (the default: as drawn)",
}

MAPPING_RATE = 0.01
"""What the mapping's weights are multiplied by: the file does not tell, and the project has no other."""
NO_ENCODER = "it is a generator without an encoder: a picture's latent has to be searched for (Search)."
_DRAWN, _FITTED = 4096, 16384
_AT_ONCE = 1024
_SIGNS = ("conv1.conv.weight", "to_rgb1.conv.weight", "convs.0.conv.weight")
_NVIDIA = (b"dnnlib", b"torch_utils.persistence")
_SLOPE, _GAIN, _EPS = 0.2, 2.0**0.5, 1e-8
_MOST_SIZES, _MOST_LAYERS = 10, 64

Floats = NDArray[np.float32]
Tensors = dict[str, StoredTensor | Derived]


def recognise(source: Source) -> Imported | None:
    """Import a generator."""
    _refuse_nvidia(source)
    state = source.state
    if not any(name in state.tensors for name in _SIGNS):
        return None
    found = Expected(source.path, "a StyleGAN2 generator of rosinality's layout", state.tensors)
    style, widths = found.size("style.1.weight", 0, 2), _widths(found)
    rows = one_of(source, "space", ("z", "w")) == "w"
    truncation = number(source, "truncation", 1.0, 0.0, 1.0)
    missing: list[str] = []
    mapping = _mapping(found, style)
    tensors: Tensors = _synthesis(found, style, widths) | mapping | _noises(found, widths, missing)
    tensors["latent_avg"] = _average(source, style, mapping, missing)
    if rows:
        tensors |= {
            name: Derived("F32", (style,), tuple(mapping.values()), partial(_of_rows, which))
            for which, name in enumerate(("row_mean", "row_std"))
        }
    layers, inputs, size = len(mapping) // 2, 2 * len(widths), 4 << (len(widths) - 1)
    return Imported(
        format=TITLE,
        config=CheckpointConfig(
            kind="model",
            name=source.path.stem,
            model=ModelSpec(
                family="stylegan2",
                image_size=size,
                latent_shape=(inputs, style) if rows else (style,),
                cannot={"encode": NO_ENCODER},
            ),
            network={
                "style": style,
                "mapping": layers,
                "widths": widths,
                "mapping_rate": MAPPING_RATE,
                "truncation": truncation,
            },
        ),
        tensors=tensors,
        recognised=(
            *state.found,
            f"generator of {size} pixels with {inputs} rows of {style}; a mapping of {layers} layers",
            f"latents in {'w, a row for each input' if rows else 'z'}; truncation {truncation:g}",
        ),
        ignored=(*state.ignored, *(name for name in state.tensors if name not in tensors)),
        missing=tuple(missing),
        notes=(
            "the noise inputs are those of the file, so that a latent gives one picture",
            f"the mapping's rate is taken as {MAPPING_RATE}, which is the project's own",
        ),
    )


def _refuse_nvidia(source: Source) -> None:
    if source.head.startswith(b"\x80") and any(sign in read_bytes(source.path, 65536) for sign in _NVIDIA):
        raise CheckpointError(
            f"{source.path} is a pickle of NVIDIA's StyleGAN, which holds code; it was not opened. Convert "
            "it where that code is trusted, with convert_weight.py of rosinality's stylegan2-pytorch, and "
            "open the .pt file that it writes."
        )


def _widths(found: Expected) -> tuple[int, ...]:
    """Return the channels at 4, 8, 16... pixels."""
    colours = found.size("to_rgb1.conv.weight", 1, 5)
    if colours != 3:
        raise CheckpointError(
            f"{found.path} looks like {found.what}, but its pictures have {colours} channels instead of 3 "
            "(SWAGAN's wavelets have 12). Such generators cannot be opened."
        )
    sizes = 1 + found.count("to_rgbs.{}.conv.weight")
    if not 2 <= sizes <= _MOST_SIZES:
        raise CheckpointError(
            f"{found.path} looks like {found.what}, which has 2 to {_MOST_SIZES} sizes of pictures; it has "
            f"{sizes}. Choose the file that the training saved whole."
        )
    inner = [found.size(f"convs.{2 * place}.conv.weight", 1, 5) for place in range(sizes - 1)]
    return (found.size("input.input", 1, 4), *inner)


def _mapping(found: Expected, style: int) -> dict[str, StoredTensor]:
    """Return the mapping's weights and biases, in the order of its layers."""
    tensors, layers = {}, found.count("style.{}.weight", first=1)
    for layer in range(1, 1 + layers):
        tensors[f"style.{layer}.weight"] = found.tensor(f"style.{layer}.weight", style, style)
        tensors[f"style.{layer}.bias"] = found.tensor(f"style.{layer}.bias", style)
    if layers >= _MOST_LAYERS:
        raise CheckpointError(
            f"{found.path} looks like {found.what}, whose mapping has at most {_MOST_LAYERS} layers; it has "
            f"{layers:,}. Choose the file that the training saved."
        )
    return tensors


def _synthesis(found: Expected, style: int, widths: tuple[int, ...]) -> Tensors:
    shapes: dict[str, tuple[int, ...]] = {"input.input": (1, widths[0], 4, 4)}
    shapes |= _styled("conv1", widths[0], widths[0], style) | _to_rgb("to_rgb1", widths[0], style)
    for place, (before, width) in enumerate(pairwise(widths)):
        first, second = f"convs.{2 * place}", f"convs.{2 * place + 1}"
        shapes |= _styled(first, before, width, style) | _styled(second, width, width, style)
        shapes |= _to_rgb(f"to_rgbs.{place}", width, style)
        shapes |= {f"{first}.conv.blur.kernel": (4, 4), f"to_rgbs.{place}.upsample.kernel": (4, 4)}
    # A weight's five axes are four, after one of length 1.
    return {
        name: found.tensor(name, *shape).axes(1 if len(shape) == 5 else 0) for name, shape in shapes.items()
    }


def _styled(name: str, inputs: int, outputs: int, style: int) -> dict[str, tuple[int, ...]]:
    return {
        f"{name}.conv.weight": (1, outputs, inputs, 3, 3),
        f"{name}.conv.modulation.weight": (inputs, style),
        f"{name}.conv.modulation.bias": (inputs,),
        f"{name}.noise.weight": (1,),
        f"{name}.activate.bias": (outputs,),
    }


def _to_rgb(name: str, inputs: int, style: int) -> dict[str, tuple[int, ...]]:
    return {
        f"{name}.conv.weight": (1, 3, inputs, 1, 1),
        f"{name}.conv.modulation.weight": (inputs, style),
        f"{name}.conv.modulation.bias": (inputs,),
        f"{name}.bias": (1, 3, 1, 1),
    }


def _noises(found: Expected, widths: tuple[int, ...], missing: list[str]) -> Tensors:
    """Return the noise maps; those of files that were written before there were any are drawn."""
    tensors: Tensors = {}
    for place in range(2 * len(widths) - 1):
        name, side = f"noises.noise_{place}", 4 << ((place + 1) // 2)
        if name in found.tensors:
            tensors[name] = found.tensor(name, 1, 1, side, side)
        else:
            tensors[name] = Derived("F32", (1, 1, side, side), (), partial(_noise, place, side))
    if any(isinstance(tensor, Derived) for tensor in tensors.values()):
        missing.append("noise maps: drawn from a fixed seed")
    return tensors


def _noise(place: int, side: int) -> Floats:
    drawn: Floats = np.random.default_rng(place).standard_normal((1, 1, side, side), dtype=np.float32)
    return drawn


def _average(
    source: Source, style: int, mapping: dict[str, StoredTensor], missing: list[str]
) -> StoredTensor | Derived:
    """Return the mean w that stands beside the weights, or that of z drawn from a fixed seed."""
    tree: Any = source.torch_file.tree if source.torch_file is not None else {}
    given = tree.get("latent_avg") if isinstance(tree, dict) else None
    if isinstance(given, StoredTensor) and given.numel == style and not given.strides:
        return replace(given, shape=(style,))
    missing.append(f"latent_avg, the mean w: that of {_DRAWN:,} z drawn from a fixed seed")
    return Derived("F32", (style,), tuple(mapping.values()), _mean)


def _mean(*mapping: Floats) -> Floats:
    mean: Floats = np.asarray(_mapped(mapping, _DRAWN).mean(axis=0, dtype=np.float64), dtype=np.float32)
    return mean


def _of_rows(which: int, *mapping: Floats) -> Floats:
    """Return the mean (0) or the deviation (1) of LeakyReLU^-1(w)."""
    w = _mapped(mapping, _FITTED)
    before = np.where(w < 0.0, w / _SLOPE, w).astype(np.float64)
    found: Floats = np.asarray(before.std(axis=0) if which else before.mean(axis=0), dtype=np.float32)
    return found


def _mapped(mapping: tuple[Floats, ...], count: int) -> Floats:
    """Return the w ``[count, D]`` of z drawn from a fixed seed."""
    z = np.random.default_rng(0).standard_normal((count, mapping[0].shape[1]), dtype=np.float32)
    return np.concatenate(
        [_through(mapping, z[start : start + _AT_ONCE]) for start in range(0, count, _AT_ONCE)]
    )


def _through(mapping: tuple[Floats, ...], z: Floats) -> Floats:
    x = z / np.sqrt(np.square(z).mean(axis=1, keepdims=True) + _EPS)
    scale = MAPPING_RATE / np.sqrt(z.shape[1])
    for weight, bias in zip(mapping[::2], mapping[1::2], strict=True):
        x = x @ (weight.T * np.float32(scale)) + bias * np.float32(MAPPING_RATE)
        x = np.where(x < 0.0, _SLOPE * x, x) * np.float32(_GAIN)
    w: Floats = x.astype(np.float32)
    return w
