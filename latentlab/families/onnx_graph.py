"""Models and predictors whose networks are ONNX graphs, run by onnxruntime on the processor.

Each graph runs in a process of its own (`latentlab.families.onnx_runner`). The graphs' bytes are the tensors:
so a native checkpoint holds them like any weights. No gradient passes through a graph, so that such a model
cannot be searched.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from latentlab.errors import SettingsError
from latentlab.families.onnx_runner import Array, Runner, TooMuchMemoryError
from latentlab.model import Posterior
from latentlab.spec import ModelSpec, PredictorSpec, Record

NO_GRADIENT = "no gradient passes through its ONNX graph, which a search would follow."

Range = tuple[Annotated[float, Field(allow_inf_nan=False)], Annotated[float, Field(allow_inf_nan=False)]]


class GraphConfig(Record):
    """One graph: how many bytes it has, and what its inputs and outputs are called.

    ``range`` are the values of black and white in its pictures.
    """

    size: Annotated[int, Field(ge=1)]
    image: Annotated[str, Field(min_length=1)] = "image"
    range: Range = (0.0, 1.0)

    @model_validator(mode="after")
    def _black_is_not_white(self) -> GraphConfig:
        if self.range[0] >= self.range[1]:
            raise ValueError("range is the value of black and then that of white, which is larger")
        return self


class DecoderGraph(GraphConfig):
    """A graph from latents ``[B, *latent_shape]``, and conditions ``[B, C]``, to ``[B, 3, S, S]``."""

    latent: Annotated[str, Field(min_length=1)] = "latent"
    condition: str = ""


class EncoderGraph(GraphConfig):
    """A graph from pictures (and conditions) to latents: their mean and, where it has one, log variance."""

    mean: Annotated[str, Field(min_length=1)] = "mean"
    logvar: str = ""
    condition: str = ""


class ClassifierGraph(GraphConfig):
    """A graph from pictures to logits or probabilities ``[B, classes]``, an output for each attribute."""

    outputs: Mapping[str, str] = Field(default_factory=dict)
    logits: bool = False


class ONNXModelConfig(Record):
    """The graphs of a model."""

    decoder: DecoderGraph
    encoder: EncoderGraph | None = None


class ONNXPredictorConfig(Record):
    """The graph of a predictor."""

    classifier: ClassifierGraph


class Graph(nn.Module):
    """A graph's bytes, and the process that runs them, which begins when it is first run.

    Copies run in the same one.
    """

    graph: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("graph", torch.zeros(size, dtype=torch.uint8))
        self._runners: list[Runner] = []
        self._lock = threading.Lock()

    def run(self, inputs: Mapping[str, Tensor], outputs: list[str]) -> list[Tensor]:
        """Return outputs by name, float32 on the device of the inputs.

        Raises
        ------
        CheckpointError
            If onnxruntime is not installed, or cannot read or run the graph with these names, or it takes
            too long or too much memory.
        """
        runner = self._runner()
        device = next(iter(inputs.values())).device
        feed = {name: np.ascontiguousarray(one.detach().float().cpu()) for name, one in inputs.items()}
        rows = len(next(iter(feed.values())))
        found: list[list[Array]] = []
        if rows == 1 or not runner.one_at_a_time:
            try:
                found = [runner.run(feed, outputs)]
            except TooMuchMemoryError:
                if rows == 1:
                    raise
        if not found:
            parts = [{name: one[row : row + 1] for name, one in feed.items()} for row in range(rows)]
            found = [self._runner().run(part, outputs) for part in parts]
        return [torch.from_numpy(np.concatenate(each)).to(device) for each in zip(*found, strict=True)]

    def interrupt(self) -> None:
        """End what is being run, from another thread; it is begun anew when it is asked again."""
        for runner in tuple(self._runners):
            runner.interrupt()

    def _runner(self) -> Runner:
        with self._lock:
            if not self._runners or not self._runners[-1].alive:
                self._runners[:] = [Runner(self.graph.detach().cpu().numpy(), torch.get_num_threads())]
            return self._runners[-1]

    def __deepcopy__(self, memo: dict[int, Any]) -> Graph:
        copied = Graph(0)
        copied.graph = copy.deepcopy(self.graph, memo)
        copied._runners, copied._lock = self._runners, self._lock
        return copied.train(self.training)


class ONNXModel(nn.Module):
    """A `LatentModel` of graphs; see the module's text."""

    def __init__(self, config: ONNXModelConfig, spec: ModelSpec) -> None:
        super().__init__()
        self.config, self.spec = config, spec
        if config.encoder is None and "encode" not in spec.cannot:
            raise ValueError("without a graph of an encoder the specification must say why it cannot encode")
        if spec.condition.size and not config.decoder.condition:
            raise ValueError("a conditional model's decoder has an input for the condition")
        self.decoder = Graph(config.decoder.size)
        self.encoder = None if config.encoder is None else Graph(config.encoder.size)

    def encode(self, images: Tensor, condition: Tensor | None = None) -> Posterior:
        """Return mean and, where the graph gives one, log variance, each ``[B, *latent_shape]``."""
        graph = self.config.encoder
        if graph is None or self.encoder is None:
            raise NotImplementedError(self.spec.cannot.get("encode", "it has no encoder."))
        low, high = graph.range
        inputs = {graph.image: low + (high - low) * images} | _given(graph.condition, condition)
        found = self.encoder.run(inputs, [graph.mean, *([graph.logvar] if graph.logvar else [])])
        return Posterior(*found)

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return images ``[B, 3, S, S]`` in [0, 1] for latents ``[B, *latent_shape]``.

        Raises
        ------
        SettingsError
            If a gradient is asked for.
        """
        if torch.is_grad_enabled() and latents.requires_grad:
            raise SettingsError(f"This model cannot be searched: {NO_GRADIENT}")
        graph = self.config.decoder
        low, high = graph.range
        found = self.decoder.run({graph.latent: latents} | _given(graph.condition, condition), [graph.image])
        pictures = ((found[0] - low) / (high - low)).clamp(0.0, 1.0)
        return pictures.expand(-1, 3, -1, -1) if pictures.shape[1] == 1 else pictures

    def sample(self, n: int, condition: Tensor | None, generator: torch.Generator) -> Tensor:
        """Draw n latents from N(0, I), ``[n, *latent_shape]``."""
        if "sample" in self.spec.cannot:
            raise NotImplementedError(self.spec.cannot["sample"])
        return torch.randn(n, *self.spec.latent_shape, generator=generator).to(self.decoder.graph.device)


class ONNXPredictor(nn.Module):
    """An `AttributePredictor` of a graph; its features are the logarithms of the probabilities."""

    def __init__(self, config: ONNXPredictorConfig, spec: PredictorSpec) -> None:
        super().__init__()
        self.config, self.spec = config, spec
        if set(config.classifier.outputs) != {attribute.name for attribute in spec.attributes}:
            raise ValueError("the classifier has an output for each attribute")
        self.classifier = Graph(config.classifier.size)

    def predict(self, images: Tensor) -> dict[str, Tensor]:
        """Return calibrated probabilities float ``[B, classes]`` by attribute, for images in [0, 1]."""
        return self.probabilities(self.features(images))

    def features(self, images: Tensor) -> Tensor:
        """Return the logits (or logarithms of probabilities) of all attributes ``[B, F]``."""
        graph = self.config.classifier
        low, high = graph.range
        names = [graph.outputs[attribute.name] for attribute in self.spec.attributes]
        found = self.classifier.run({graph.image: low + (high - low) * images}, names)
        joined = torch.cat(found, dim=1)
        return joined if graph.logits else joined.clamp_min(1e-12).log()

    def probabilities(self, features: Tensor) -> dict[str, Tensor]:
        """Return what `predict` does, for features that have been computed already."""
        widths = [attribute.width for attribute in self.spec.attributes]
        parts = torch.split(features.float(), widths, dim=1)
        return {
            attribute.name: torch.softmax(part / self.spec.temperature.get(attribute.name, 1.0), dim=1)
            for attribute, part in zip(self.spec.attributes, parts, strict=True)
        }


def _given(name: str, condition: Tensor | None) -> dict[str, Tensor]:
    if not name:
        return {}
    if condition is None:
        raise ValueError("this model needs a condition")
    return {name: condition}
