"""Write a checkpoint as ONNX graphs with the JSON that says what they are, for other programs and for ours.

What is written reads back (`latentlab.checkpoints.foreign.onnx_files`); before it is kept, onnxruntime runs
it beside the network that it was made of.
"""

from __future__ import annotations

import io
import json
import logging
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from latentlab.checkpoints.foreign.onnx_files import DESCRIPTION, KEY
from latentlab.checkpoints.native import Checkpoint
from latentlab.conditions import first_classes
from latentlab.errors import CheckpointError, SettingsError
from latentlab.families.onnx_graph import Graph
from latentlab.families.onnx_runner import INSTALL
from latentlab.model import AttributePredictor, LatentModel
from latentlab.spec import ModelSpec, PredictorSpec

WITHIN = 1e-4
"""By so much may a number that a graph gives differ from the network's."""
_ROWS = 2


@dataclass(frozen=True)
class Exported:
    """What was written: the folder, the largest difference of each graph, and what could not be."""

    folder: Path
    differences: Mapping[str, float]
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Part:
    """A graph to be made: a network, what it is given and what it gives, by name."""

    network: nn.Module
    inputs: Mapping[str, Tensor]
    outputs: tuple[str, ...]


class _Call(nn.Module):
    """A network whose forward pass is another's method."""

    def __init__(self, owner: nn.Module, call: Callable[..., tuple[Tensor, ...]]) -> None:
        super().__init__()
        self.owner, self._call = owner, call

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return self._call(*inputs)


def export_onnx(checkpoint: Checkpoint, folder: Path) -> Exported:
    """Write a model's decoder and encoder, or a predictor, into a folder.

    An encoder that has no form in ONNX (a flow that solves linear equations) is left out, and the JSON says
    why such a model cannot encode.

    Raises
    ------
    SettingsError
        If the checkpoint is of ONNX graphs already, or the extra "onnx" is not installed.
    CheckpointError
        If it has no form in ONNX, a graph gives other numbers, or the folder cannot be written.
    """
    config = checkpoint.config
    if config.spec.family == "onnx":
        raise SettingsError(f"{checkpoint.located.path} holds ONNX graphs already; copy them.")
    try:
        import onnx  # noqa: F401
        import onnxruntime  # type: ignore[import-untyped]  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError:
        raise SettingsError(INSTALL) from None
    parts = _of_model(checkpoint) if config.model else _of_predictor(checkpoint)
    description = _describe(checkpoint)
    differences, left_out = {}, {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=folder) as within:
            for name, part in parts.items():
                try:
                    graph = _graph(part)
                except Exception as error:  # whatever the exporter raises for what it does not know
                    if name != "encoder":
                        raise CheckpointError(
                            f"{checkpoint.located.path} has no form in ONNX: {_why(error)}. Its weights are "
                            "in its .safetensors file."
                        ) from None
                    reason = f"its encoder has no form in ONNX: {_why(error)}."
                    left_out[name] = reason
                    description["cannot"] = description.get("cannot", {}) | {"encode": reason}
                    continue
                differences[name] = _difference(part, graph, checkpoint.located.path, name)
                Path(within, f"{name}.onnx").write_bytes(graph)
                description[name] = _names(name, part, config.spec)
            Path(within, DESCRIPTION).write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")
            for file in sorted(Path(within).iterdir()):
                file.replace(folder / file.name)
    except OSError as error:
        raise CheckpointError(f"{folder} cannot be written: {error}.") from None
    return Exported(folder, differences, left_out)


def _of_model(checkpoint: Checkpoint) -> dict[str, _Part]:
    network = checkpoint.network
    model, spec = cast(LatentModel, network), checkpoint.config.model
    assert spec is not None
    condition = {}
    if spec.condition.size:
        condition["condition"] = torch.from_numpy(first_classes(spec.condition)).repeat(_ROWS, 1)
    draws = torch.Generator().manual_seed(0)
    latent = torch.randn(_ROWS, *spec.latent_shape, generator=draws)
    images = torch.rand(_ROWS, 3, spec.image_size, spec.image_size, generator=draws)
    parts = {
        "decoder": _Part(
            _Call(network, lambda *given: (model.decode(*given),)), {"latent": latent} | condition, ("image",)
        )
    }
    if "encode" not in spec.cannot:
        with torch.no_grad():
            spread = model.encode(images, *condition.values()).logvar is not None

        def encode(*given: Tensor) -> tuple[Tensor, ...]:
            posterior = model.encode(*given)
            return (posterior.mean,) if posterior.logvar is None else (posterior.mean, posterior.logvar)

        parts["encoder"] = _Part(
            _Call(network, encode), {"image": images} | condition, ("mean", "logvar")[: 1 + spread]
        )
    return parts


def _of_predictor(checkpoint: Checkpoint) -> dict[str, _Part]:
    network = checkpoint.network
    predictor, spec = cast(AttributePredictor, network), checkpoint.config.predictor
    assert spec is not None
    names = [attribute.name for attribute in spec.attributes]
    draws = torch.Generator().manual_seed(0)
    images = torch.rand(_ROWS, 3, spec.image_size, spec.image_size, generator=draws)

    def predict(*given: Tensor) -> tuple[Tensor, ...]:
        found = predictor.predict(*given)
        return tuple(found[name] for name in names)

    outputs = tuple(f"attribute_{place}" for place in range(len(names)))
    return {"classifier": _Part(_Call(network, predict), {"image": images}, outputs)}


def _graph(part: _Part) -> bytes:
    """Return a part's graph, whose number of rows is left open."""
    rows = torch.export.Dim("rows")
    with _quiet():
        program = torch.onnx.export(
            part.network.eval(),
            tuple(part.inputs.values()),
            input_names=list(part.inputs),
            output_names=list(part.outputs),
            dynamic_shapes=(({0: rows},) * len(part.inputs),),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    found: bytes = program.model_proto.SerializeToString()
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's progress and advice from the screen; what it raises is told."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), torch.no_grad():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _difference(part: _Part, content: bytes, path: Path, name: str) -> float:
    """Return by how much a graph's numbers differ from the network's, for all rows and for one."""
    graph = Graph(0)
    graph.graph = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    largest = 0.0
    for rows in (_ROWS, 1):
        inputs = {key: given[:rows] for key, given in part.inputs.items()}
        with torch.inference_mode():
            expected = part.network(*inputs.values())
            found = graph.run(inputs, list(part.outputs))
        for ours, theirs in zip(found, expected, strict=True):
            largest = max(largest, float((ours - theirs).abs().max() / theirs.abs().max().clamp_min(1.0)))
    if not largest <= WITHIN:
        raise CheckpointError(
            f"{path}: the ONNX graph of its {name} gives numbers that differ by {largest:.2g} from the "
            f"network's, more than {WITHIN:g}; nothing was written. Report it with the checkpoint."
        )
    return largest


def _describe(checkpoint: Checkpoint) -> dict[str, Any]:
    config = checkpoint.config
    found: dict[str, Any] = {KEY: 1, "name": checkpoint.located.name, "image_size": config.spec.image_size}
    if config.model is not None:
        spec = config.model.model_dump(mode="json", exclude_defaults=True)
        found |= {
            name: spec[name]
            for name in ("latent_shape", "prior", "latent_summary", "cannot_show")
            if name in spec
        }
        if "condition" in spec:
            found["condition"] = spec["condition"]["attributes"]
        found["cannot"] = {k: v for k, v in spec.get("cannot", {}).items() if k != "search"}
        return {name: value for name, value in found.items() if value != {}}
    assert config.predictor is not None
    judged = config.predictor.model_dump(mode="json", exclude_defaults=True)
    kept = ("attributes", "confusion", "group_confusion", "confusion_source")
    return found | {name: judged[name] for name in kept if name in judged}


def _names(name: str, part: _Part, spec: ModelSpec | PredictorSpec) -> dict[str, Any]:
    """Return what the JSON says of a graph."""
    found: dict[str, Any] = {"file": f"{name}.onnx", "image": "image", "range": [0.0, 1.0]}
    if "condition" in part.inputs:
        found["condition"] = "condition"
    if isinstance(spec, PredictorSpec):
        names = [attribute.name for attribute in spec.attributes]
        return found | {"outputs": dict(zip(names, part.outputs, strict=True))}
    if name == "decoder":
        return found | {"latent": "latent"}
    return found | {output: output for output in part.outputs}


def _why(error: BaseException) -> str:
    """Say why a network could not be written: the operation that ONNX does not have, if it was that."""
    told = f"{error} {error.__cause__}"
    if missing := re.search(r"aten[.:]+([a-z_]+)", told):
        return f"it has no operation for {missing[1]}"
    text = " ".join(re.sub(r"\x1b\[\d+m", "", str(error)).split()) or type(error).__name__
    return text if len(text) < 200 else f"{text[:197]}..."
