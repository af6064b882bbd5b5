"""The names of net2net's tensors with the smallest shapes that fit together, for many quick openings."""

from __future__ import annotations

from itertools import pairwise

LATENT, CLASSES, EMBEDDING, CODE = 6, 4, 3, 2
_WIDTHS = (8, 4, 2)


def shapes() -> dict[str, list[int]]:
    """Return a flow of one block on an autoencoder of 16 pixels, whose ResNet has one block."""
    found: dict[str, list[int]] = {"flow.embedder.main.0.weight": [5, 2], "flow.embedder.main.0.bias": [5]}
    found |= {"flow.embedder.main.2.weight": [EMBEDDING, 5], "flow.embedder.main.2.bias": [EMBEDDING]}
    block, half = "flow.sub_layers.0", LATENT // 2
    found |= {f"{block}.norm_layer.{name}": [1, LATENT, 1, 1] for name in ("loc", "scale")}
    for network in ("s.0", "s.1", "t.0", "t.1"):
        for place, (outputs, inputs) in {0: (4, half + EMBEDDING), 2: (half, 4)}.items():
            name = f"{block}.coupling.{network}.main.{place}"
            found |= {f"{name}.weight": [outputs, inputs], f"{name}.bias": [outputs]}
    found |= {f"{block}.shuffle.{way}_shuffle_idx": [LATENT] for way in ("forward", "backward")}
    first = "first_stage_model."
    return found | {first + name: shape for name, shape in (_resnet() | _biggan()).items()}


def _resnet() -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    kernels = {"conv1": (4, 3, 7, "bn1"), "layer1.0.conv1": (4, 4, 3, "layer1.0.bn1")}
    kernels |= {"layer1.0.conv2": (4, 4, 3, "layer1.0.bn2")}
    for name, (outputs, inputs, side, norm) in kernels.items():
        found[f"encoder.model.{name}.weight"] = [outputs, inputs, side, side]
        found |= {f"encoder.model.{norm}.{part}": [1, outputs, 1, 1] for part in ("loc", "scale")}
    head = "encoder.model.fc.sub_layers.0"
    return found | {f"{head}.weight": [2 * LATENT, 4, 1, 1], f"{head}.bias": [2 * LATENT]}


def _biggan() -> dict[str, list[int]]:
    classes, generator = "decoder.map_to_class_embedding.main", "decoder.decoder"
    found = {f"{classes}.0.weight": [CLASSES, LATENT], f"{classes}.0.bias": [CLASSES]}
    found[f"{generator}.linear.weight"] = [EMBEDDING, CLASSES]
    found |= _spectral("G_linear", [16 * _WIDTHS[0], LATENT - 2 * CODE], bias=True)
    for block, (inputs, outputs) in enumerate(pairwise(_WIDTHS)):
        name = f"GBlock.{block}"
        found |= _spectral(f"{name}.conv0", [outputs, inputs, 3, 3], bias=True)
        found |= _spectral(f"{name}.conv1", [outputs, outputs, 3, 3], bias=True)
        found |= _spectral(f"{name}.conv_sc", [outputs, inputs, 1, 1], bias=True)
        for norm, width in (("HyperBN", inputs), ("HyperBN_1", outputs)):
            for part in ("gamma_embed", "beta_embed"):
                found |= _spectral(f"{name}.{norm}.{part}", [width, CODE + EMBEDDING])
            parts = ("running_mean", "running_var")
            found |= {f"{generator}.{name}.{norm}.bn.{part}": [width] for part in parts}
    width = _WIDTHS[-2]
    for part, shape in {
        "theta": [1, width],
        "phi": [1, width],
        "g": [2, width],
        "o_conv": [width, 2],
    }.items():
        found |= _spectral(f"attention.{part}", [*shape, 1, 1])
    found[f"{generator}.attention.gamma"] = [1]
    found |= {f"{generator}.ScaledCrossReplicaBN.{part}": [1, 2, 1, 1] for part in ("loc", "scale")}
    return found | _spectral("colorize", [3, 2, 3, 3], bias=True)


def _spectral(name: str, shape: list[int], bias: bool = False) -> dict[str, list[int]]:
    module = f"decoder.decoder.{name}.module"
    found = {f"{module}.weight_bar": shape, f"{module}.weight_u": [shape[0]]}
    return found | ({f"{module}.bias": [shape[0]]} if bias else {})
