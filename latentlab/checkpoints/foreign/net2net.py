"""CompVis' net2net: ``.ckpt`` of a conditional flow with its autoencoder (BigAE), or of the latter alone.

Recognised by ``flow.sub_layers.*`` and ``first_stage_model.*``; the autoencoder alone has no prefix. Shapes
tell all but two settings, which the YAML beside it does (a training writes it to ``configs/`` beside its
``checkpoints/``): whether the flow has an activation, and whether pictures are normalised.

Normalisations and spectral norms are folded into the layers that they belong to.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.checkpoints.foreign.expect import Expected
from latentlab.checkpoints.foreign.importer import Imported
from latentlab.checkpoints.foreign.net2net_layers import (
    Tensors,
    conditional_norm,
    conv_with_actnorm,
    last_norm,
    linear_with_norm,
    plain_layer,
    spectral_layer,
)
from latentlab.checkpoints.foreign.options import one_of
from latentlab.checkpoints.foreign.plain_pickle import shown
from latentlab.checkpoints.foreign.source import Source
from latentlab.checkpoints.foreign.stored import Derived
from latentlab.checkpoints.foreign.yaml_file import LARGEST_YAML, inner, read_yaml, text
from latentlab.checkpoints.recognise import read_bytes
from latentlab.errors import CheckpointError, SettingsError
from latentlab.spec import Attribute, CheckpointConfig, ConditionSchema, ModelSpec

TITLE = "net2net (CompVis)"
OPTIONS = {
    "datasets": "the datasets' names with commas, in the order of the labels",
    "activation": "none (the default without a YAML) or lrelu: that of the flow",
}

WITHIN = "first_stage_model."
NO_PRIOR = "its latents, without the flow on them, follow no simple prior. Start from a picture instead."
DATASETS = {
    "CCFQTrain": ("CelebA", "CelebA-HQ", "FFHQ"),
    "FacesHQAndAnimeTrain": ("photo", "anime"),
    "FacesHQAndPortraitsTrain": ("photo", "oil portrait"),
    "FFHQAndPortraitsTrain": ("photo", "oil portrait"),
}
"""What the labels of the project's own sets of pictures are, by the last name that the YAML gives."""
_PROJECT, _ACTIVATIONS = b"net2net.", ("none", "lrelu")
_FLOW, _RESNET, _OTHER = "flow.sub_layers.", "encoder.model.conv1.weight", "first_stage_model.autoencoder."


def recognise(source: Source) -> Imported | None:
    """Import a flow with its autoencoder, or the autoencoder."""
    state = source.state
    has_flow = any(name.startswith(_FLOW) for name in state.tensors)
    if not has_flow and _RESNET not in state.tensors:
        return None
    within = state.under(WITHIN) if has_flow else state
    if has_flow and _RESNET not in within.tensors:
        raise CheckpointError(
            f"{source.path} is a flow of net2net and lacks its autoencoder of the kind BigAE "
            f"({WITHIN}{_RESNET}): it cannot make pictures. Choose the checkpoint of a flow that was trained "
            "on images, saved whole."
        )
    yaml_path, settings = _settings(source)
    found = Expected(source.path, "net2net's autoencoder (BigAE)", within.tensors)
    normalised = _is_normalised(settings, has_flow)
    tensors, autoencoder = _autoencoder(found, normalised)
    network: dict[str, Any] = {"autoencoder": autoencoder}
    size = 4 << (len(autoencoder["widths"]) - 1)
    condition, missing = ConditionSchema(), list[str]()
    if has_flow:
        whole = Expected(source.path, "net2net's conditional flow", state.tensors)
        flow, network["flow"] = _flow(whole, autoencoder["latent"], _is_leaky(source, settings))
        tensors |= flow
        names = _datasets(source, settings, whole.size("flow.embedder.main.0.weight", 1, 2), missing)
        condition = ConditionSchema(attributes=(Attribute(name="dataset", classes=names),))
    if yaml_path is None:
        missing.append(
            "the YAML configuration: pictures are taken to be normalised as the original does"
            + (", the flow to have no activation" if has_flow else "")
        )
    used = _used(tensors)
    return Imported(
        format=TITLE,
        config=CheckpointConfig(
            kind="model",
            name=source.path.stem,
            model=ModelSpec(
                family="net2net",
                image_size=size,
                latent_shape=(autoencoder["latent"],),
                prior="standard_normal" if has_flow else "other",
                condition=condition,
                cannot={} if has_flow else {"sample": NO_PRIOR},
                projects=has_flow,
            ),
            network=network,
        ),
        tensors=tensors,
        recognised=(
            *state.found,
            *([f"configuration {yaml_path.name}"] if yaml_path else []),
            f"autoencoder of {size} pixels, latents of {autoencoder['latent']}"
            + (f"; flow of {_blocks(network['flow']['blocks'])}" if has_flow else ", without a flow"),
        ),
        ignored=(*state.ignored, *(name for name, one in state.tensors.items() if one.begin not in used)),
        missing=tuple(missing),
        notes=("normalisations and spectral norms are folded into the layers",),
    )


def _blocks(count: int) -> str:
    return f"{count} block{'' if count == 1 else 's'}"


def _used(tensors: Tensors) -> set[int]:
    """Return where the tensors that are read begin."""
    return {
        one.begin
        for each in tensors.values()
        for one in (each.inputs if isinstance(each, Derived) else (each,))
    }


# The configuration


def _settings(source: Source) -> tuple[Path | None, Mapping[str, Any]]:
    """Return the YAML beside the checkpoint, or in ``configs`` beside its folder, if there is one."""
    folders = (source.path.parent, source.path.parent.parent / "configs")
    for folder in folders:
        for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else []:
            # A folder may hold YAMLs of others, which do not have to be plain.
            if not path.is_file() or _PROJECT not in read_bytes(path, LARGEST_YAML):
                continue
            if text(found := read_yaml(path), "model", "target").startswith(_PROJECT.decode()):
                return path, found
    return None, {}


def _is_normalised(settings: Mapping[str, Any], has_flow: bool) -> bool:
    within = ("first_stage_config", "params") if has_flow else ()
    given = inner(settings, "model", "params", *within, "encoder_config", "params", "pre_process")
    return given is not False


def _is_leaky(source: Source, settings: Mapping[str, Any]) -> bool:
    params = inner(settings, "model", "params", "flow_config", "params")
    # Where a YAML does not name it, it is the project's default, which none of its own trainings kept.
    said = "none" if params is None else inner(params, "activation") or "lrelu"
    if "activation" not in source.options and said not in _ACTIVATIONS:
        raise CheckpointError(
            f"{source.path}: its YAML should name the flow's activation none or lrelu; it names "
            f"{shown(said)!r}. Such flows cannot be opened."
        )
    given = one_of(source, "activation", _ACTIVATIONS) if "activation" in source.options else said
    return bool(given == "lrelu")


def _datasets(source: Source, settings: Mapping[str, Any], count: int, missing: list[str]) -> tuple[str, ...]:
    """Return what the labels are called."""
    if "datasets" in source.options:
        names = tuple(name.strip() for name in source.options["datasets"].split(","))
        if len(names) != count or len(set(names)) < count or not all(names):
            raise SettingsError(f"The option datasets names {count} datasets here; it names {len(names)}.")
        return names
    target = text(settings, "data", "params", "train", "target")
    known = DATASETS.get(target.rpartition(".")[2], ())
    if len(known) == count:
        return known
    if count < 2 or count > 1000:
        raise CheckpointError(
            f"{source.path} is a flow of net2net with a condition of {count} entries; a choice among 2 or "
            "more datasets was expected. Other conditions cannot be opened."
        )
    missing.append("the names of the datasets: they are numbered (option datasets)")
    return tuple(f"dataset {number}" for number in range(count))


# The flow


def _flow(found: Expected, size: int, leaky: bool) -> tuple[Tensors, dict[str, Any]]:
    if any(name.startswith(("flow.conditioning_layers.", "cond_stage_model.")) for name in found.tensors):
        raise CheckpointError(
            f"{found.path} is a flow of net2net that is conditioned on pictures or captions by a network of "
            "its own (cond_stage_model); only those that are conditioned on a label can be opened."
        )
    blocks = found.count("flow.sub_layers.{}.norm_layer.loc")
    # A conditioner's linear layers stand at even places; the first and the last are not hidden ones.
    depth = max(0, found.count("flow.sub_layers.0.coupling.s.0.main.{}.weight", step=2) - 2)
    tensors, widths = _embedder(found)
    embedding = widths.pop()
    width = found.size("flow.sub_layers.0.coupling.s.0.main.0.weight", 0, 2)
    half = size // 2
    shapes = [(width, half + embedding), *[(width, width)] * depth, (half, width)]
    for place in range(blocks):
        theirs, ours = f"flow.sub_layers.{place}", f"flow.sub_layers.{place}"
        for name in ("loc", "scale"):
            stored = found.tensor(f"{theirs}.norm_layer.{name}", 1, size, 1, 1)
            tensors[f"{ours}.norm_layer.{name}"] = stored.axes(1, 2)
        tensors[f"{ours}.norm_layer.initialized"] = _flag()
        for kind in ("s", "t"):
            for which in (0, 1):
                for layer, shape in enumerate(shapes):
                    name = f"{theirs}.coupling.{kind}.{which}.main.{2 * layer}"
                    tensors[f"{name}.weight"] = found.tensor(f"{name}.weight", *shape)
                    tensors[f"{name}.bias"] = found.tensor(f"{name}.bias", shape[0])
        tensors |= _shuffle(found, f"{theirs}.shuffle", size)
    return tensors, {
        "blocks": blocks,
        "width": width,
        "depth": depth,
        "embedding": embedding,
        "embedder_widths": widths,
        "leaky": leaky,
    }


def _embedder(found: Expected) -> tuple[Tensors, list[int]]:
    """Return the embedding's layers, with their batch or activation normalisation folded in, and widths."""
    tensors: Tensors = {}
    widths: list[int] = []
    before = found.size("flow.embedder.main.0.weight", 1, 2)
    places = [
        place
        for place in range(64)
        if (one := found.tensors.get(f"flow.embedder.main.{place}.weight")) and len(one.shape) == 2
    ]
    for layer, place in enumerate(places):
        theirs = f"flow.embedder.main.{place}"
        width = found.size(f"{theirs}.weight", 0, 2)
        tensors |= linear_with_norm(
            found, theirs, f"flow.embedder.main.{place + 1}", f"flow.embedder.{2 * layer}", (width, before)
        )
        widths.append(width)
        before = width
    return tensors, widths


def _flag() -> Derived:
    return Derived("U8", (), (), lambda: np.ones((), np.uint8))


def _shuffle(found: Expected, name: str, size: int) -> Tensors:
    """Return a permutation and its inverse, which is computed, so that the two always fit."""
    stored = found.tensors.get(f"{name}.forward_shuffle_idx")
    if stored is None or stored.shape != (size,) or stored.dtype not in ("I64", "I32"):
        raise CheckpointError(
            f"{found.path} looks like {found.what}, whose {name}.forward_shuffle_idx should be a permutation "
            f"of {size} entries; it is {'missing' if stored is None else list(stored.shape)}. Choose the "
            "file that the training saved whole."
        )

    def order(given: NDArray[Any]) -> NDArray[np.int64]:
        if not np.array_equal(np.sort(given), np.arange(size)):
            raise CheckpointError(
                f"{found.path}: {name}.forward_shuffle_idx should be a permutation of {size} entries; "
                "entries are missing or stand twice. Copy the file again."
            )
        return given.astype(np.int64)

    def back(given: NDArray[Any]) -> NDArray[np.int64]:
        return np.argsort(order(given))

    return {
        f"{name}.forward_shuffle_idx": Derived("I64", (size,), (stored,), order),
        f"{name}.backward_shuffle_idx": Derived("I64", (size,), (stored,), back),
    }


# The autoencoder


def _autoencoder(found: Expected, normalised: bool) -> tuple[Tensors, dict[str, Any]]:
    encoder, shape = _resnet(found)
    latent = found.size("encoder.model.fc.sub_layers.0.weight", 0, 4) // 2
    decoder, other = _biggan(found, latent)
    tensors = {f"first_stage.encoder.{name}": one for name, one in encoder.items()}
    tensors |= {f"first_stage.decoder.{name}": one for name, one in decoder.items()}
    return tensors, {"latent": latent, "normalised": normalised} | shape | other


def _resnet(found: Expected) -> tuple[Tensors, dict[str, Any]]:
    if "encoder.model.in_ch_match.weight" in found.tensors:
        raise CheckpointError(
            f"{found.path} looks like {found.what} of pictures that have not 3 channels; only those of "
            "colour pictures can be opened. Choose another checkpoint."
        )
    model = "encoder.model"
    tensors = conv_with_actnorm(found, f"{model}.conv1", f"{model}.bn1", "stem")
    found.tensor(f"{model}.layer1.0.conv1.weight", None, None, None, None)  # else there is no stage at all
    bottleneck = f"{model}.layer1.0.conv3.weight" in found.tensors
    last = 3 if bottleneck else 2
    stages, middles, outputs = [], [], []
    for stage in range(1, 1 + found.count(f"{model}.layer{{}}.0.conv1.weight", first=1)):
        blocks = found.count(f"{model}.layer{stage}.{{}}.conv1.weight")
        for block in range(blocks):
            theirs, ours = f"{model}.layer{stage}.{block}", f"stages.{stage - 1}.{block}"
            for conv in range(1, last + 1):
                tensors |= conv_with_actnorm(
                    found, f"{theirs}.conv{conv}", f"{theirs}.bn{conv}", f"{ours}.conv{conv}"
                )
            if f"{theirs}.downsample.0.weight" in found.tensors:
                tensors |= conv_with_actnorm(
                    found, f"{theirs}.downsample.0", f"{theirs}.downsample.1", f"{ours}.shortcut"
                )
        stages.append(blocks)
        middles.append(found.size(f"{model}.layer{stage}.0.conv1.weight", 0, 4))
        outputs.append(found.size(f"{model}.layer{stage}.0.conv{last}.weight", 0, 4))
    head = found.tensor(f"{model}.fc.sub_layers.0.weight", None, outputs[-1], 1, 1)
    tensors["head.weight"] = head.axes(0, 2)
    tensors["head.bias"] = found.tensor(f"{model}.fc.sub_layers.0.bias", head.shape[0])
    return tensors, {
        "stem": found.size(f"{model}.conv1.weight", 0, 4),
        "stages": stages,
        "middles": middles,
        "outputs": outputs,
        "bottleneck": bottleneck,
    }


def _biggan(found: Expected, latent: int) -> tuple[Tensors, dict[str, Any]]:
    generator, classes_of = "decoder.decoder", "decoder.map_to_class_embedding.main"
    if any(name.startswith(f"{generator}.extra_linears.") for name in found.tensors):
        raise CheckpointError(
            f"{found.path} looks like {found.what} with extra latents (extra_z_dims), which cannot be opened."
        )
    tensors: Tensors = {}
    class_widths, before = [], latent
    for layer in range(found.count(f"{classes_of}.{{}}.weight", step=2)):
        width = found.size(f"{classes_of}.{2 * layer}.weight", 0, 2)
        tensors |= plain_layer(found, f"{classes_of}.{2 * layer}", f"to_classes.{2 * layer}", (width, before))
        class_widths.append(width)
        before = width
    classes = class_widths.pop() if class_widths else found.size(f"{classes_of}.0.weight", 0, 2)
    embedding = found.size(f"{generator}.linear.weight", 0, 2)
    tensors["class_embedding.weight"] = found.tensor(f"{generator}.linear.weight", embedding, classes)
    tensors |= spectral_layer(found, f"{generator}.G_linear", "first")
    blocks = found.count(f"{generator}.GBlock.{{}}.conv0.module.weight_bar")
    widths = [found.size(f"{generator}.G_linear.module.weight_bar", 0, 2) // 16]
    condition = found.size(f"{generator}.GBlock.0.HyperBN.gamma_embed.module.weight_bar", 1, 2)
    for block in range(blocks):
        theirs, ours = f"{generator}.GBlock.{block}", f"blocks.{block}"
        widths.append(found.size(f"{theirs}.conv0.module.weight_bar", 0, 4))
        for conv, other in (("conv0", "conv0"), ("conv1", "conv1"), ("conv_sc", "shortcut")):
            tensors |= spectral_layer(found, f"{theirs}.{conv}", f"{ours}.{other}")
        for norm, other in (("HyperBN", "norm0"), ("HyperBN_1", "norm1")):
            tensors |= conditional_norm(found, f"{theirs}.{norm}", f"{ours}.{other}", condition)
    for conv, other in (("theta", "theta"), ("phi", "phi"), ("g", "g"), ("o_conv", "out")):
        tensors |= spectral_layer(found, f"{generator}.attention.{conv}", f"attention.{other}")
    tensors["attention.gamma"] = found.tensor(f"{generator}.attention.gamma", 1)
    tensors |= last_norm(found, f"{generator}.ScaledCrossReplicaBN", widths[-1])
    tensors |= spectral_layer(found, f"{generator}.colorize", "colorize")
    return tensors, {
        "widths": widths,
        "code": condition - embedding,
        "classes": classes,
        "class_widths": class_widths,
        "class_embedding": embedding,
    }
