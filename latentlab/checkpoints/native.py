"""Native checkpoints: a folder with ``config.json``, ``model.safetensors`` and ``README.md``, or one file.

The folder is in the Hugging Face layout. A single ``.safetensors`` file whose metadata holds the
configuration (key ``latentlab_config``) opens too. Weights are only ever read by safetensors: nothing is
unpickled and no code from a checkpoint runs.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from latentlab.checkpoints.recognise import explain_foreign, read_bytes
from latentlab.errors import CheckpointError
from latentlab.paths import bundled_models
from latentlab.spec import CONFIG_VERSION, CheckpointConfig

if TYPE_CHECKING:
    import torch
    from torch import nn

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
METADATA_KEY = "latentlab_config"


@dataclass(frozen=True)
class Located:
    """A checkpoint on disk: the path given, its weights file and its validated configuration."""

    path: Path
    weights: Path
    config: CheckpointConfig

    def sha256(self) -> str:
        """Return the SHA-256 of the weights file, in hexadecimal."""
        with self.weights.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def card(self) -> str:
        """Return the model card's text, empty where there is none."""
        card = self.weights.parent / CARD
        return card.read_text(encoding="utf-8") if self.path.is_dir() and card.is_file() else ""


@dataclass(frozen=True)
class Checkpoint:
    """An opened checkpoint: where it lies, and its network in evaluation mode (float32)."""

    located: Located
    network: nn.Module

    @property
    def config(self) -> CheckpointConfig:
        """The checkpoint's configuration."""
        return self.located.config


def locate(name: str | Path) -> Located:
    """Find a checkpoint by bundled name or by path and read its configuration, without torch.

    Raises
    ------
    CheckpointError
        If there is none, or it is damaged, foreign or of another version.
    """
    path = Path(name)
    if not path.exists():
        models = bundled_models()
        if str(name) not in models:
            raise CheckpointError(
                f"There is no checkpoint {name}: neither a file or folder of that path nor one of the "
                f"bundled models ({', '.join(models) or 'none'})."
            )
        path = models[str(name)]
    if path.is_dir():
        if not (path / CONFIG).is_file():
            raise CheckpointError(
                f"The folder {path} is not a checkpoint: it has no {CONFIG}. Choose the folder that holds "
                f"{CONFIG} and {WEIGHTS}."
            )
        config = _parse(_text(path / CONFIG), path / CONFIG)
        weights = path / WEIGHTS
        if not weights.is_file():
            raise CheckpointError(f"The checkpoint {path} lacks its weights file {WEIGHTS}.")
        _header(weights)
        return Located(path, weights, config)
    if path.name == CONFIG:
        return locate(path.parent)
    metadata = _header(path).get("__metadata__", {})
    if METADATA_KEY not in metadata:
        if path.name == WEIGHTS and (path.parent / CONFIG).is_file():
            return locate(path.parent)
        raise CheckpointError(
            f"{path} holds tensors but no LatentLab configuration (metadata {METADATA_KEY!r}), so its network "
            f"is not known. Open the checkpoint's folder instead, with its {CONFIG}."
        )
    return Located(path, path, _parse(metadata[METADATA_KEY], path))


def load(name: str | Path) -> Checkpoint:
    """Open a checkpoint: build its family's network and fill in the weights, on the CPU in float32.

    Raises
    ------
    CheckpointError
        If it cannot be found or read, its tensors do not fit its configuration, or a weight is not a
        finite number.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    located = locate(name)
    with torch.device("meta"):
        network = _build(located)
    try:
        tensors = load_file(located.weights)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{located.weights} cannot be read ({error}). Download or copy it again."
        ) from None
    _check_tensors(located, network.state_dict(), tensors)
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, assign=True)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    network.eval().to(memory_format=torch.channels_last)
    return Checkpoint(located, network)


def save(
    folder: Path, network: nn.Module, config: CheckpointConfig, card: str = "", half: bool = False
) -> Path:
    """Write a native checkpoint's folder; ``half`` stores float16 weights.

    Raises
    ------
    CheckpointError
        If a weight is not finite, so that a failed training cannot replace a good file.
    """
    import torch
    from safetensors.torch import save_file

    tensors = {}
    for name, tensor in network.state_dict().items():
        tensor = tensor.detach().to("cpu", torch.float16 if half else torch.float32).contiguous()
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"Not saved: the tensor {name} holds numbers that are not finite.")
        tensors[name] = tensor
    folder.mkdir(parents=True, exist_ok=True)
    text = config.model_dump_json(indent=1, exclude_defaults=False)
    part = folder / f".{WEIGHTS}.part"
    save_file(tensors, part, metadata={"format": "pt", METADATA_KEY: text})
    part.replace(folder / WEIGHTS)
    (folder / CONFIG).write_text(text + "\n", encoding="utf-8")
    if card:
        (folder / CARD).write_text(card, encoding="utf-8")
    return folder


def _text(path: Path) -> str:
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        raise CheckpointError(f"{path} should be a JSON text in UTF-8; it is a binary file.") from None


def _parse(text: str, where: Path) -> CheckpointConfig:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise CheckpointError(
            f"{where} is not valid JSON (line {error.lineno}: {error.msg}). Download or copy it again."
        ) from None
    if not isinstance(data, dict) or "latentlab" not in data:
        raise CheckpointError(
            f"{where} is not a LatentLab configuration: it lacks the field 'latentlab' with the version."
        )
    if data["latentlab"] != CONFIG_VERSION:
        raise CheckpointError(
            f"{where} has configuration version {data['latentlab']!r}; this program reads version "
            f"{CONFIG_VERSION}. Update LatentLab, or convert the checkpoint with the program that wrote it."
        )
    try:
        return CheckpointConfig.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "configuration"
        raise CheckpointError(f"{where}: field {field}: {first['msg']}.") from None


def _header(path: Path) -> dict[str, Any]:
    """Read a safetensors header after making sure that the file is one, whole."""
    explain_foreign(path)
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header: dict[str, Any] = json.loads(file.read(length))
    data = max(
        (entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"), default=0
    )
    expected, found = 8 + length + data, path.stat().st_size
    if found < expected:
        raise CheckpointError(
            f"{path} is truncated: {expected:,} bytes expected, {found:,} found. Download or copy it again."
        )
    return header


def _build(located: Located) -> nn.Module:
    from latentlab.families import MODEL_FAMILIES, PREDICTOR_FAMILIES

    config = located.config
    family = config.spec.family
    known: Mapping[str, Any] = MODEL_FAMILIES if config.kind == "model" else PREDICTOR_FAMILIES
    if family not in known:
        raise CheckpointError(
            f"{located.path}: family {family!r} is unknown to this program; it knows {', '.join(known)}."
        )
    try:
        network: nn.Module = known[family](config.network, config.spec)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "network"
        raise CheckpointError(f"{located.path}: network field {field}: {first['msg']}.") from None
    return network


def _check_tensors(
    located: Located, expected: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]
) -> None:
    import torch

    missing, extra = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    if missing or extra:
        parts = [f"missing {', '.join(missing[:3])}"] if missing else []
        parts += [f"not expected {', '.join(extra[:3])}"] if extra else []
        raise CheckpointError(
            f"{located.weights} does not fit its configuration: {len(missing)} tensors missing and {len(extra)} "
            f"not expected ({'; '.join(parts)}). Weights and {CONFIG} are from different checkpoints."
        )
    for name, tensor in found.items():
        if tensor.shape != expected[name].shape:
            raise CheckpointError(
                f"{located.weights}: tensor {name} should have the shape {list(expected[name].shape)}; it has "
                f"{list(tensor.shape)}. Weights and {CONFIG} are from different checkpoints."
            )
        if not tensor.is_floating_point():
            raise CheckpointError(
                f"{located.weights}: tensor {name} should hold floats; it holds {tensor.dtype}."
            )
        if not math.isfinite(float(tensor.to(torch.float32).abs().max() if tensor.numel() else 0.0)):
            raise CheckpointError(
                f"{located.weights}: tensor {name} holds NaN or infinite numbers; the training that made it "
                f"failed. Use an earlier checkpoint of that training."
            )
