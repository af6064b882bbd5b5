"""ONNX graphs with a short JSON that says what they are: a decoder, an encoder beside it, or a classifier.

The JSON is opened, or the folder in which it is called ``latentlab-onnx.json``::

    {"latentlab_onnx": 1, "image_size": 64, "latent_shape": [64],
     "decoder": {"file": "decoder.onnx", "latent": "z", "image": "picture", "range": [-1, 1]},
     "encoder": {"file": "encoder.onnx", "image": "picture", "mean": "mu", "logvar": "logvar"}}

A conditional decoder names its input ``condition``, and the JSON has ``condition``, a list of attributes with
their classes, in the order of the vector's entries. A JSON of a judge has instead of all this ``attributes``
and ``classifier`` with ``file``, ``image``, ``range``, ``outputs`` (by attribute) and whether they are
``logits``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from latentlab.checkpoints.foreign.importer import Imported
from latentlab.checkpoints.foreign.onnx_bytes import look_at_graph
from latentlab.checkpoints.foreign.plain_pickle import shown
from latentlab.checkpoints.foreign.source import Source, read_json
from latentlab.checkpoints.foreign.stored import ForeignFile, StoredTensor
from latentlab.checkpoints.recognise import LARGEST_TEXT, explain_false_start, first_fault, read_bytes
from latentlab.errors import CheckpointError
from latentlab.spec import (
    Attribute,
    CheckpointConfig,
    ConditionSchema,
    Confusion,
    LatentSummary,
    ModelSpec,
    PredictorSpec,
    Record,
)

TITLE = "ONNX graphs with a JSON"
OPTIONS: dict[str, str] = {}

DESCRIPTION = "latentlab-onnx.json"
KEY = "latentlab_onnx"
NO_ENCODER = "there is no ONNX graph of an encoder beside its decoder."
NO_GRADIENT = "no gradient passes through its ONNX graph, which a search would follow."
NO_PRIOR = "its description says of its latents' prior only that it is another than the standard normal."
_LARGEST_GRAPH = 2**31


class Described(Record):
    """The whole JSON; the graphs' parts are those of `latentlab.families.onnx_graph`, with ``file``."""

    latentlab_onnx: Literal[1]
    name: str = ""
    image_size: int = Field(ge=8, le=4096)
    latent_shape: tuple[int, ...] = ()
    prior: Literal["standard_normal", "other"] = "standard_normal"
    condition: tuple[Attribute, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    confusion: Mapping[str, Confusion] = Field(default_factory=dict)
    group_confusion: Mapping[str, Mapping[str, Confusion]] = Field(default_factory=dict)
    confusion_source: str = ""
    cannot: Mapping[str, str] = Field(default_factory=dict)
    latent_summary: LatentSummary | None = None
    cannot_show: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    decoder: Mapping[str, Any] | None = None
    encoder: Mapping[str, Any] | None = None
    classifier: Mapping[str, Any] | None = None

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Described:
        if (self.decoder is None) == (self.classifier is None):
            raise ValueError("it describes a decoder, or in another file of its own a classifier")
        if self.decoder is not None and not self.latent_shape:
            raise ValueError("latent_shape is missing: the shape of one latent, such as [64]")
        if self.classifier is not None and not self.attributes:
            raise ValueError("attributes are missing: those that the classifier judges, with their classes")
        return self


def recognise(source: Source) -> Imported | None:
    """Import the graphs that a JSON describes."""
    path = source.inside(DESCRIPTION) if source.is_folder else source.path
    if path is None or (not source.is_folder and not _is_description(source)):
        _explain_a_graph_alone(source)
        return None
    settings = read_json(path)
    if KEY not in settings:
        return None
    try:
        described = Described.model_validate_json(json.dumps(settings))
    except ValidationError as error:
        raise CheckpointError(first_fault(error, path)) from None
    graphs = {
        part: _graph(path, part, given)
        for part in ("decoder", "encoder", "classifier")
        if (given := getattr(described, part)) is not None
    }
    return Imported(
        format=TITLE,
        config=_config(described, graphs, path),
        tensors={f"{part}.graph": tensor for part, (_, tensor) in graphs.items()},
        recognised=tuple(f"{part}: {tensor.file.path.name}" for part, (_, tensor) in graphs.items()),
        notes=("onnxruntime runs it, on the processor only",),
        weights=next(iter(graphs.values()))[1].file.path,
    )


def _is_description(source: Source) -> bool:
    begins = source.head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"
    return begins and source.path.stat().st_size <= LARGEST_TEXT and KEY.encode() in read_bytes(source.path)


def _explain_a_graph_alone(source: Source) -> None:
    """Say of a graph without a description what it lacks; its bytes begin with its version."""
    if not source.is_folder and source.head[:1] == b"\x08" and source.path.suffix == ".onnx":
        raise CheckpointError(
            f"{source.path} is an ONNX graph, which does not say what its inputs mean. Open a JSON beside it "
            f'that does: {{"{KEY}": 1, "image_size": ..., "latent_shape": [...], "decoder": {{"file": '
            f'"{source.path.name}", "latent": ..., "image": ..., "range": [0, 1]}}}}.'
        )


def _graph(path: Path, part: str, given: Mapping[str, Any]) -> tuple[dict[str, Any], StoredTensor]:
    """Return a part's settings for the network, and the bytes of its graph."""
    name = given.get("file")
    if not isinstance(name, str) or Path(name).name != name or "\0" in name or not 0 < len(name) < 200:
        raise CheckpointError(
            f"{path}: field {part}.file should be the name of a file in the same folder; it is "
            f"{shown(name)!r}."
        )
    where = path.parent / name
    if not where.is_file():
        raise CheckpointError(f"{path} names {name}, which is not in its folder. Put the graph beside it.")
    file = ForeignFile.of(where)
    explain_false_start(where, read_bytes(where, 512))
    if file.size > _LARGEST_GRAPH:
        raise CheckpointError(
            f"{where} should be an ONNX graph of at most 2 GiB; it has {file.size:,} bytes. Larger graphs "
            "cannot be opened."
        )
    look_at_graph(where, file.read(0, file.size))
    settings = {key: value for key, value in given.items() if key != "file"}
    return settings | {"size": file.size}, StoredTensor(file, "U8", (file.size,), 0)


def _config(
    described: Described, graphs: Mapping[str, tuple[dict[str, Any], StoredTensor]], path: Path
) -> CheckpointConfig:
    network = {part: settings for part, (settings, _) in graphs.items()}
    name = described.name or path.parent.name if path.name == DESCRIPTION else described.name or path.stem
    if described.classifier is not None:
        return CheckpointConfig(
            kind="predictor",
            name=name,
            predictor=PredictorSpec(
                family="onnx",
                image_size=described.image_size,
                attributes=described.attributes,
                confusion=described.confusion,
                group_confusion=described.group_confusion,
                confusion_source=described.confusion_source,
            ),
            network=network,
        )
    cannot = {"search": NO_GRADIENT} | dict(described.cannot)
    if described.encoder is None:
        cannot.setdefault("encode", NO_ENCODER)
    if described.prior == "other":
        cannot.setdefault("sample", NO_PRIOR)
    return CheckpointConfig(
        kind="model",
        name=name,
        model=ModelSpec.model_validate(
            {
                "family": "onnx",
                "image_size": described.image_size,
                "latent_shape": described.latent_shape,
                "prior": described.prior,
                "condition": ConditionSchema(attributes=described.condition),
                "cannot": cannot,
                "latent_summary": described.latent_summary,
                "cannot_show": described.cannot_show,
            }
        ),
        network=network,
    )
