"""Checkpoints, native and foreign: find one, open one, write a native one.

A native one is a folder with ``config.json``, ``model.safetensors`` and ``README.md``, in the Hugging Face
layout. A single ``.safetensors`` file whose metadata holds the configuration (key ``latentlab_config``) opens
too, and so does what other programs wrote, where an importer knows it (`latentlab.checkpoints.foreign`).
Nothing is ever unpickled and no code from a checkpoint runs.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from latentlab.checkpoints.foreign import Imported, header_of, import_foreign
from latentlab.checkpoints.foreign.numbers import native_numbers
from latentlab.checkpoints.foreign.onnx_bytes import look_at_graph
from latentlab.checkpoints.foreign.plain_pickle import shown as in_a_message
from latentlab.checkpoints.header import Header, read_header
from latentlab.checkpoints.recognise import NotSafetensorsError, first_fault, read_bytes, read_text
from latentlab.errors import CheckpointError
from latentlab.paths import bundled_models
from latentlab.progress import Progress, Reporter
from latentlab.spec import CONFIG_VERSION, CheckpointConfig

if TYPE_CHECKING:
    from torch import Tensor, nn

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
METADATA_KEY = "latentlab_config"
_WEIGHTS_ENDINGS = (".ckpt", ".pt", ".pth", ".safetensors", ".bin", ".onnx")
_MOST_NAMED = 1000


@dataclass(frozen=True)
class Located:
    """A checkpoint on disk: the path given, its weights file and header, its validated configuration.

    ``foreign`` is what an importer made of another program's checkpoint; None for a native one.
    """

    path: Path
    weights: Path
    config: CheckpointConfig
    header: Header
    foreign: Imported | None = None

    @property
    def name(self) -> str:
        """What to call it: the configuration's name, or the folder's or file's."""
        return self.config.name or self.path.stem

    def sha256(self) -> str:
        """Return the SHA-256 of the weights file, in hexadecimal; the file is read once."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        try:
            with self.weights.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise CheckpointError(f"{self.weights} cannot be read: {error.strerror}.") from None

    def expect(self, sha256: str) -> None:
        """Raise `CheckpointError` if the weights have another SHA-256; an empty one is not looked at."""
        if sha256 and self.sha256() != sha256:
            raise CheckpointError(
                f"{self.weights} has other weights than expected (SHA-256 {self.sha256()[:12]} instead of "
                f"{sha256[:12]}), so its pictures would differ. Open the checkpoint that was used."
            )

    def card(self) -> str:
        """Return the model card's text, empty where there is none (a single file has none)."""
        card = self.path / CARD
        return read_bytes(card).decode("utf-8", errors="replace") if card.is_file() else ""


@dataclass(frozen=True)
class Checkpoint:
    """An opened checkpoint: where it lies, and its network in evaluation mode (float32)."""

    located: Located
    network: nn.Module

    @property
    def config(self) -> CheckpointConfig:
        """The checkpoint's configuration."""
        return self.located.config


def locate(name: str | Path, options: Mapping[str, str] | None = None) -> Located:
    """Find a checkpoint by bundled name or by path and read its configuration, without torch.

    Parameters
    ----------
    options
        What a person says of a foreign checkpoint that its file does not tell; see `import_foreign`.

    Raises
    ------
    CheckpointError
        If there is none, or it is damaged, of no known format or of another version.
    """
    path = _find(name)
    try:
        return _located(path)
    except _NotNativeError as error:
        found = import_foreign(path, options or {})
        if found is None and path.suffix == ".json":  # a configuration stands for the folder that it lies in
            found = import_foreign(path.parent, options or {})
        if found is None:
            raise CheckpointError(str(error)) from None
        return Located(path, found.weights or path, found.config, header_of(found), found)


class _NotNativeError(CheckpointError):
    """A path that holds no native checkpoint; a foreign one it may be."""


def _located(path: Path) -> Located:
    if path.name == CONFIG:
        path = path.parent
    if path.is_dir():
        if not (path / CONFIG).is_file():
            raise _NotNativeError(
                f"The folder {path} is not a checkpoint: it has no {CONFIG}; it {_held(path)}. Choose the "
                f"folder that holds {CONFIG} and {WEIGHTS}, or a file of weights."
            )
        config = _parse(read_text(path / CONFIG), path / CONFIG)
        weights = path / WEIGHTS
        if not weights.is_file():
            raise CheckpointError(
                f"The checkpoint {path} lacks its weights file {WEIGHTS}. Copy or download it again."
            )
        return Located(path, weights, config, read_header(weights))
    try:
        header = read_header(path)
    except NotSafetensorsError as error:
        raise _NotNativeError(str(error)) from None
    if METADATA_KEY in header.metadata:
        return Located(path, path, _parse(header.metadata[METADATA_KEY], path), header)
    if path.name == WEIGHTS and (path.parent / CONFIG).is_file():
        return _located(path.parent)
    raise _NotNativeError(
        f"{path} holds tensors but no LatentLab configuration (metadata {METADATA_KEY!r}), so its network "
        f"is not known. Open the checkpoint's folder instead, with its {CONFIG}."
    )


def _held(folder: Path) -> str:
    """Say what a folder holds, its files of weights first."""
    try:
        names = sorted(one.name for one in islice(folder.iterdir(), _MOST_NAMED))
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    names.sort(key=lambda name: not name.endswith(_WEIGHTS_ENDINGS))
    shown = ", ".join(map(in_a_message, names[:3]))
    return f"holds {shown}{', ...' if len(names) > 3 else ''}" if names else "is empty"


def load(name: str | Path) -> Checkpoint:
    """Open a checkpoint: build its family's network and fill in the weights, on the CPU in float32.

    Raises
    ------
    CheckpointError
        If it cannot be found or read, its tensors do not fit its configuration, or a weight is not a
        finite number.
    """
    return load_located(locate(name))


def load_located(located: Located, reporter: Reporter | None = None) -> Checkpoint:
    """Open a checkpoint that has been located; see `load`.

    Parameters
    ----------
    reporter
        Is told how much of a foreign one's weights has been read, in bytes, and can stop the reading.

    Raises
    ------
    CheckpointError
        As `load`.
    Cancelled
        If the reporter asked for it.
    """
    import torch

    from latentlab.checkpoints.fit import build, check_tensors, try_out

    network = build(located.config, located.path)
    check_tensors(network, located.header, located.weights)
    network.load_state_dict(_filling(located, reporter or Reporter()), assign=True)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    network.eval()
    if located.foreign is None:
        network.to(memory_format=torch.channels_last)
    try_out(network, located.config, located.path)
    return Checkpoint(located, network)


def _filling(located: Located, reporter: Reporter) -> dict[str, Tensor]:
    """Return what fills a checkpoint's network, with its numbers looked at, in float32."""
    import torch

    from latentlab.checkpoints.foreign.fill import as_tensor, tensors_of

    found: dict[str, Tensor] = {}
    if located.foreign is not None:
        whole = 4 * sum(one.numel for one in located.foreign.tensors.values())
        done = 0
        for name, tensor in tensors_of(located.foreign, located.weights, torch.float32):
            found[name] = tensor
            done += 4 * tensor.numel()
            reporter.raise_if_cancelled()
            reporter.report(Progress("Reading the weights", done, whole))
        return found
    for name, dtype, numbers in native_numbers(located.weights, located.header):
        if name.endswith(".graph"):
            look_at_graph(located.weights, numbers.tobytes())
        tensor = as_tensor(numbers, dtype)
        found[name] = tensor.float() if tensor.is_floating_point() else tensor
    return found


def save(
    folder: Path, network: nn.Module, config: CheckpointConfig, card: str = "", half: bool = False
) -> Path:
    """Write a native checkpoint's folder; ``half`` stores float16 weights.

    Each file appears whole or not at all, and the weights carry the configuration in their metadata, so
    that the one file opens by itself too. The same weights and configuration give the same bytes. A card
    that lies there stays unless a new one is given.

    Raises
    ------
    CheckpointError
        If a weight is not finite, so that a failed training cannot replace a good file, or if the folder
        cannot be written.
    """
    import torch

    tensors = {}
    for name, tensor in network.state_dict().items():
        kind = (torch.float16 if half else torch.float32) if tensor.is_floating_point() else tensor.dtype
        tensor = tensor.detach().to("cpu", kind).contiguous()
        if not torch.isfinite(tensor).all():
            raise CheckpointError(
                f"{folder} was not written: the tensor {name} holds numbers that are not finite"
                f"{' in float16' if half else ''}. Train again with a lower learning rate."
            )
        tensors[name] = tensor
    return write(folder, tensors, config, card)


def write(folder: Path, tensors: Mapping[str, Tensor], config: CheckpointConfig, card: str = "") -> Path:
    """Write a native checkpoint's folder from tensors as they are, which have been looked at; see `save`.

    Raises
    ------
    CheckpointError
        If the folder cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    text = config.model_dump_json(indent=1)
    contents = {CONFIG: text + "\n"} | ({CARD: card} if card else {})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=folder) as part:
            save_file(dict(tensors), Path(part, WEIGHTS), metadata={METADATA_KEY: text})
            for file, content in contents.items():
                Path(part, file).write_text(content, encoding="utf-8")
            # Safetensors gives its files to their owner only, whatever the umask says.
            Path(part, WEIGHTS).chmod(Path(part, CONFIG).stat().st_mode)
            for file in (WEIGHTS, *contents):
                Path(part, file).replace(folder / file)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{folder} cannot be written: {error}.") from None
    return folder


def _find(name: str | Path) -> Path:
    path = Path(name)
    try:
        if path.is_file() or path.is_dir():
            return path
        if path.exists():
            raise CheckpointError(f"{name} should be a file or a folder; it is a device or a pipe.")
    except OSError as error:
        raise CheckpointError(f"{name} cannot be read: {error.strerror}.") from None
    models = bundled_models()
    if str(name) not in models:
        raise CheckpointError(
            f"There is no checkpoint {name}: neither a file or folder of that path nor one of the "
            f"bundled models ({', '.join(models) or 'none'})."
        )
    return models[str(name)]


def _parse(text: str, where: Path) -> CheckpointConfig:
    try:
        data = json.loads(text)
    except RecursionError:
        raise CheckpointError(f"{where} is nested too deeply for a configuration.") from None
    except ValueError as error:  # a number of thousands of digits is none that is of JSON alone
        raise CheckpointError(f"{where} is not valid JSON ({error}). Download or copy it again.") from None
    if not isinstance(data, dict) or "latentlab" not in data:
        raise _NotNativeError(
            f"{where} is not a LatentLab configuration: it lacks the field 'latentlab' with the version. "
            "Choose a checkpoint that LatentLab wrote."
        )
    if data["latentlab"] != CONFIG_VERSION:
        raise CheckpointError(
            f"{where} has configuration version {data['latentlab']!r}; this program reads version "
            f"{CONFIG_VERSION}. Update LatentLab, or convert the checkpoint with the program that wrote it."
        )
    try:
        return CheckpointConfig.model_validate(data)
    except ValidationError as error:
        raise CheckpointError(first_fault(error, where)) from None
