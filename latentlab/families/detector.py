"""The detector: a small convolutional network that says whether a picture shows a face.

The baseline of the debiasing study, and the encoder of its DB-VAE (`latentlab.families.dbvae`), after the
networks of Amini et al. 2019: four strided convolutions with n, 2n, 4n and 6n channels and a hidden layer.
Normalisation is over groups of channels (Wu & He 2018) where theirs is over the batch: what a picture is
taken for then depends neither on its neighbours, which resampling changes, nor on the network's mode.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from latentlab.spec import Attribute, PredictorSpec, Record

FACE = Attribute(name="face", classes=("no", "yes"), origin="constructed")
"""What a detector predicts."""
STAGES = 4
"""Each halves height and width."""
_GROUPS = 4


class DetectorConfig(Record):
    """The shape of the network: picture size, channels of the first stage (n), features of the hidden layer.

    ``threshold`` is the logit above which a picture is taken for a face; it is chosen on held-out pictures
    after the training, and takes part in nothing else.
    """

    image_size: Annotated[int, Field(ge=32, le=512)] = 64
    filters: Annotated[int, Field(ge=4, le=512, multiple_of=4)] = 12
    hidden: Annotated[int, Field(ge=2, le=8192)] = 512
    threshold: Annotated[float, Field(allow_inf_nan=False)] = 0.0

    @model_validator(mode="after")
    def _fits(self) -> DetectorConfig:
        if self.image_size % (1 << STAGES):
            raise ValueError(f"image_size must be a multiple of {1 << STAGES}")
        return self

    @property
    def side(self) -> int:
        """Width of the innermost feature map."""
        return self.image_size >> STAGES


class DetectorEncoder(nn.Module):
    """Images ``[B, 3, S, S]`` in [0, 1] to features ``[B, hidden]``."""

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        n = config.filters
        widths, kernels = (3, n, 2 * n, 4 * n, 6 * n), (5, 5, 3, 3)
        self.stages = nn.Sequential()
        for inside, outside, kernel in zip(widths, widths[1:], kernels, strict=False):
            self.stages.append(nn.Conv2d(inside, outside, kernel, stride=2, padding=kernel // 2))
            self.stages.append(nn.ReLU())
            self.stages.append(nn.GroupNorm(_GROUPS, outside))
        self.hidden = nn.Linear(6 * n * config.side**2, config.hidden)

    def forward(self, images: Tensor) -> Tensor:
        """Return the hidden layer's features."""
        return torch.relu(self.hidden(self.stages(images * 2.0 - 1.0).flatten(1)))


class Detector(nn.Module):
    """An `AttributePredictor` of one attribute, ``face``: no or yes."""

    def __init__(self, config: DetectorConfig, spec: PredictorSpec | None = None) -> None:
        super().__init__()
        self.config = config
        self.spec = spec or PredictorSpec(family="detector", image_size=config.image_size, attributes=(FACE,))
        self.encoder = DetectorEncoder(config)
        self.to_logit = nn.Linear(config.hidden, 1)

    def logit(self, images: Tensor) -> Tensor:
        """Return the logit of being a face, ``[B]``, of images ``[B, 3, S, S]`` in [0, 1]."""
        found: Tensor = self.to_logit(self.encoder(images))[:, 0]
        return found

    forward = logit

    def features(self, images: Tensor) -> Tensor:
        """Return the last hidden layer ``[B, hidden]``."""
        found: Tensor = self.encoder(images)
        return found

    def probabilities(self, features: Tensor) -> dict[str, Tensor]:
        """Return calibrated probabilities ``[B, 2]`` of no and yes: one half at the threshold."""
        logit = self.to_logit(features)[:, 0].float() - self.config.threshold
        yes = torch.sigmoid(logit / self.spec.temperature.get(FACE.name, 1.0))
        return {FACE.name: torch.stack([1.0 - yes, yes], dim=1)}

    def predict(self, images: Tensor) -> dict[str, Tensor]:
        """Return what `probabilities` does, for images in [0, 1]."""
        return self.probabilities(self.features(images))
