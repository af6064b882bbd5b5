"""The attribute predictor: one residual network with a head for each attribute.

Its last hidden layer is the space of the Frechet distances, so it stands in no training loss of a
generative model. Probabilities are calibrated by one temperature per attribute (Guo et al. 2017).
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from latentlab.families.blocks import Blocks, DownPyramid, Width
from latentlab.spec import PredictorSpec, Record


class AttributeCNNConfig(Record):
    """The shape of the network: picture size, channels and blocks per stage, hidden features."""

    image_size: Annotated[int, Field(ge=16, le=1024)] = 64
    widths: tuple[Width, ...] = (32, 48, 96, 128)
    blocks: tuple[Blocks, ...] = (1, 1, 1, 1)
    hidden: Annotated[int, Field(ge=2, le=8192)] = 128

    @model_validator(mode="after")
    def _fits(self) -> AttributeCNNConfig:
        stages = len(self.widths)
        if not stages or len(self.blocks) != stages:
            raise ValueError("widths and blocks must have the same length, at least one")
        if self.image_size % (1 << stages):
            raise ValueError(f"image_size must be a multiple of {1 << stages}")
        return self


class AttributeCNN(nn.Module):
    """An `AttributePredictor`: pyramid, two linear layers' worth of hidden features, linear heads."""

    def __init__(self, config: AttributeCNNConfig, spec: PredictorSpec) -> None:
        super().__init__()
        self.config = config
        self.spec = spec
        side = config.image_size // 2 ** len(config.widths)
        self.pyramid = DownPyramid(config.widths, config.blocks)
        self.hidden = nn.Linear(config.widths[-1] * side**2, config.hidden)
        names = [attribute.name for attribute in spec.attributes]
        self._keys = {name: _head_key(name, position) for position, name in enumerate(names)}
        self.heads = nn.ModuleDict(
            {self._keys[a.name]: nn.Linear(config.hidden, a.width) for a in spec.attributes}
        )

    def features(self, images: Tensor) -> Tensor:
        """Return the last hidden layer ``[B, hidden]`` of images ``[B, 3, S, S]`` in [0, 1]."""
        return nn.functional.relu(self.hidden(self.pyramid(images * 2.0 - 1.0).flatten(1)))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return uncalibrated logits ``[B, classes]`` by attribute: the training pass."""
        return self.read(self.features(images))

    def read(self, features: Tensor) -> dict[str, Tensor]:
        """Return the heads' logits for features that have been computed already."""
        return {name: self.heads[key](features) for name, key in self._keys.items()}

    def predict(self, images: Tensor) -> dict[str, Tensor]:
        """Return calibrated probabilities ``[B, classes]`` by attribute."""
        return self.probabilities(self.features(images))

    def probabilities(self, features: Tensor) -> dict[str, Tensor]:
        """Return calibrated probabilities ``[B, classes]`` for features that have been computed already."""
        return {
            name: torch.softmax(logits.float() / self.spec.temperature.get(name, 1.0), dim=1)
            for name, logits in self.read(features).items()
        }


def _head_key(name: str, position: int) -> str:
    """Return a head's key in the weights: the attribute's name, or its place where torch cannot have that.

    Modules are attributes of their parent: a name with a dot, or one that a module has of its own (such as
    ``type``), cannot be a key. No name is kept that begins as the places do, so that keys always differ.
    """
    taken = "." in name or name.startswith("#") or hasattr(nn.ModuleDict(), name)
    return f"#{position}" if taken else name
