"""Folders that pythae saved (clementchadebec/benchmark_VAE), with the library's own encoder and decoder.

``model_config.json`` names the model; ``model.pt`` holds its weights. Where a training brought networks of
its own, the folder has them as pickled code (``encoder.pkl``, ``decoder.pkl``), which is never opened.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentlab.checkpoints.foreign.expect import Expected
from latentlab.checkpoints.foreign.importer import Imported
from latentlab.checkpoints.foreign.plain_pickle import shown
from latentlab.checkpoints.foreign.source import Source, read_json
from latentlab.checkpoints.foreign.state import choose_state
from latentlab.checkpoints.foreign.torch_file import read_torch_file
from latentlab.errors import CheckpointError
from latentlab.spec import CheckpointConfig, ModelSpec

TITLE = "pythae (clementchadebec/benchmark_VAE)"
OPTIONS: Mapping[str, str] = {}

CONFIG, WEIGHTS = "model_config.json", "model.pt"
_SIGN = "decoder.layers.0.0.weight"
_PICKLED = ("encoder.pkl", "decoder.pkl")
_WHAT = "a pythae model with the library's own networks"
_STANDARD = frozenset(
    {"VAEConfig", "BetaVAEConfig", "DisentangledBetaVAEConfig", "BetaTCVAEConfig", "FactorVAEConfig"}
    | {"INFOVAE_MMD_Config", "MSSSIM_VAEConfig", "IWAEConfig", "MIWAEConfig", "PIWAEConfig", "CIWAEConfig"}
    | {"VAEGANConfig", "Adversarial_AE_Config", "HVAEConfig"}
)
"""Models with a variance whose prior is standard normal."""
_OTHER_PRIOR = {
    "VAMPConfig": "its prior of pseudo-inputs is not used: samples are drawn from a standard normal",
    "RHVAEConfig": "its metric of the latent space is not used: samples are drawn from a standard normal",
}
_WITHOUT_VARIANCE = frozenset({"AEConfig", "RAE_L2_Config", "RAE_GP_Config", "WAE_MMD_Config"})
_REFUSED = {
    "VAE_IAF_Config": "its latents go through a flow",
    "VAE_LinNF_Config": "its latents go through a flow",
    "SVAEConfig": "its latents lie on a sphere",
    "PoincareVAEConfig": "its latents lie in a hyperbolic space",
    "VQVAEConfig": "its latents are entries of a code book",
    "HRQVAEConfig": "its latents are entries of a code book",
}


def recognise(source: Source) -> Imported | None:
    """Import a folder with a picture model of pythae."""
    path = source.beside(CONFIG)
    if path is None and {_SIGN, "encoder.embedding.weight"} <= source.state.tensors.keys():
        raise CheckpointError(
            f"{source.path} holds {_WHAT}; its {CONFIG} was expected beside it, and there is none. Copy the "
            "whole folder."
        )
    if path is None or not (source.is_folder or _SIGN in source.state.tensors):
        return None
    settings = read_json(path)
    name = settings.get("name")
    if not isinstance(name, str) or "latent_dim" not in settings or "input_dim" not in settings:
        return None
    _refuse_code(path.parent, settings)
    if name in _REFUSED:
        raise CheckpointError(
            f"{path} should be of a model with plain vectors as latents; it is of {name}: {_REFUSED[name]}, "
            "which cannot be explored here."
        )
    variance = name in _STANDARD or name in _OTHER_PRIOR
    if not variance and name not in _WITHOUT_VARIANCE:
        raise CheckpointError(
            f"{path} names the model {shown(name)!r}, which is not known; known are "
            f"{', '.join(sorted({*_STANDARD, *_OTHER_PRIOR, *_WITHOUT_VARIANCE}))}."
        )
    channels, size = _picture(path, settings["input_dim"])
    weights = source.inside(WEIGHTS) if source.is_folder else source.path
    if weights is None:
        raise CheckpointError(f"The folder {source.path} has {CONFIG} and lacks {WEIGHTS}. Copy it again.")
    opened = read_torch_file(weights) if source.is_folder else None
    state = source.state if opened is None else choose_state(opened.tree)
    found = Expected(weights, _WHAT, state.tensors)
    hidden, latent = (
        found.size("encoder.layers.0.0.weight", 0, 2),
        found.size("encoder.embedding.weight", 0, 2),
    )
    numbers = channels * size**2
    shapes: dict[str, tuple[int, ...]] = {
        "encoder.layers.0.0.weight": (hidden, numbers),
        "encoder.layers.0.0.bias": (hidden,),
        "encoder.embedding.weight": (latent, hidden),
        "encoder.embedding.bias": (latent,),
        "decoder.layers.0.0.weight": (hidden, latent),
        "decoder.layers.0.0.bias": (hidden,),
        "decoder.layers.1.0.weight": (numbers, hidden),
        "decoder.layers.1.0.bias": (numbers,),
    }
    if variance:
        shapes |= {"encoder.log_var.weight": (latent, hidden), "encoder.log_var.bias": (latent,)}
    tensors = {key: found.tensor(key, *shape) for key, shape in shapes.items()}
    plain = not variance and name != "WAE_MMD_Config"
    missing = [_OTHER_PRIOR[name]] if name in _OTHER_PRIOR else []
    notes = ["its pictures are grey: colours are averaged"] if channels == 1 else []
    return Imported(
        format=TITLE,
        config=CheckpointConfig(
            kind="model",
            model=ModelSpec(
                family="mlp_vae",
                image_size=size,
                latent_shape=(latent,),
                prior="other" if plain or missing else "standard_normal",
                cannot={"sample": "it is an autoencoder without a prior to draw from."} if plain else {},
            ),
            network={
                "image_size": size,
                "channels": channels,
                "hidden": hidden,
                "latent": latent,
                "variance": variance,
            },
        ),
        tensors=tensors,
        recognised=(
            *state.found,
            f"{name.removesuffix('Config').rstrip('_')}: linear layers, {size} px of {channels} channels, "
            f"{hidden} hidden and {latent} latent entries",
        ),
        ignored=(
            *state.ignored,
            *(key for key in state.tensors if key not in tensors),
            *(f"{each} (class or function, not loaded)" for each in (opened.inert if opened else ())),
        ),
        missing=tuple(missing),
        notes=tuple(notes),
        weights=weights,
    )


def _refuse_code(folder: Path, settings: Mapping[str, Any]) -> None:
    there = [name for name in _PICKLED if (folder / name).is_file()]
    custom = [k for k in ("encoder", "decoder") if settings.get(f"uses_default_{k}", True) is not True]
    if there or custom:
        what = (
            f"it has {' and '.join(there)}" if there else f"its {' and '.join(custom)} are its training's own"
        )
        raise CheckpointError(
            f"{folder} should be a pythae folder with the library's own networks; {what}, which is "
            "pickled code and was not opened. Export the decoder and the encoder as ONNX where that code is "
            "trusted, and open the folder with these."
        )


def _picture(path: Path, given: object) -> tuple[int, int]:
    """Return channels and size of a picture, from ``input_dim`` (channels, height, width)."""
    whole = isinstance(given, list) and all(type(entry) is int and entry > 0 for entry in given)
    if (
        not isinstance(given, list)
        or not whole
        or len(given) != 3
        or given[0] not in (1, 3)
        or given[1] != given[2]
        or not 8 <= given[1] <= 1024
    ):
        raise CheckpointError(
            f"{path}: input_dim should be [1 or 3, S, S] with S from 8 to 1024; found {shown(given)}."
        )
    if math.prod(given) > 1 << 22:
        raise CheckpointError(f"{path}: input_dim should have at most {1 << 22:,} numbers; found {given}.")
    return given[0], given[1]
