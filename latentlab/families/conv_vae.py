"""The plain convolutional VAE: strided convolutions with batch normalisation, down to 2 x 2 and up again.

The network that most first VAEs of 64 px pictures are (after DCGAN, Radford et al. 2016), unconditional or
conditional: there the encoder sees the labels as one more channel of the picture, the decoder beside z. Its
tensors have the names that they have in AntixK/PyTorch-VAE, whose checkpoints fill it. Batch normalisation
is always that of evaluation, by the statistics of the training.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from latentlab.families.blocks import Width
from latentlab.families.signed import to_unit
from latentlab.model import Posterior
from latentlab.spec import ModelSpec, Record

SIDE = 2
"""Width of the innermost feature map."""
_MOST_ACTIVATIONS = 1 << 28


class ConvVAEConfig(Record):
    """The shape of the network: latent entries, channels per stage, labels of the condition.

    ``values`` says what the network's pictures are: in [0, 1] (``unit``), or in [-1, 1] (``signed``).
    """

    latent: Annotated[int, Field(ge=1, le=4096)] = 128
    widths: Annotated[tuple[Width, ...], Field(min_length=2, max_length=9)] = (32, 64, 128, 256, 512)
    labels: Annotated[int, Field(ge=0, le=1000)] = 0
    values: Literal["unit", "signed"] = "unit"

    @property
    def image_size(self) -> int:
        """Width of a picture in pixels."""
        return SIDE << len(self.widths)

    @model_validator(mode="after")
    def _fits(self) -> ConvVAEConfig:
        sides = [self.image_size >> stage for stage in range(len(self.widths))]
        if max(width * side**2 for width, side in zip(self.widths, sides, strict=True)) > _MOST_ACTIVATIONS:
            raise ValueError(f"its features of a picture should be {_MOST_ACTIVATIONS:,} numbers at most")
        return self


class ConvVAE(nn.Module):
    """A `LatentModel` with an encoder and a decoder; see the module's text.

    Raises
    ------
    ValueError
        If the specification says another picture, latent or condition than the configuration.
    """

    def __init__(self, config: ConvVAEConfig, spec: ModelSpec) -> None:
        super().__init__()
        found = (spec.image_size, spec.latent_shape, spec.condition.size)
        if found != (config.image_size, (config.latent,), config.labels):
            raise ValueError(
                f"image_size, latent_shape and the condition's size {found} do not fit the network"
            )
        self.config, self.spec = config, spec
        if config.labels:
            self.embed_class = nn.Linear(config.labels, config.image_size**2)
            self.embed_data = nn.Conv2d(3, 3, 1)
        widths = config.widths
        inputs = (4 if config.labels else 3, *widths)
        self.encoder = nn.Sequential(
            *(
                _stage(nn.Conv2d(i, o, 3, stride=2, padding=1), o)
                for i, o in zip(inputs, widths, strict=False)
            )
        )
        cells = widths[-1] * SIDE**2
        self.fc_mu = nn.Linear(cells, config.latent)
        self.fc_var = nn.Linear(cells, config.latent)
        self.decoder_input = nn.Linear(config.latent + config.labels, cells)
        back = widths[::-1]
        self.decoder = nn.Sequential(*(_stage(_doubling(i, o), o) for i, o in pairwise(back)))
        self.final_layer = nn.Sequential(
            *_stage(_doubling(widths[0], widths[0]), widths[0]), nn.Conv2d(widths[0], 3, 3, padding=1)
        )

    def encode(self, images: Tensor, condition: Tensor | None = None) -> Posterior:
        """Return mu and log sigma^2, each ``[B, D]``, of images ``[B, 3, S, S]`` in [0, 1]."""
        x = images if self.config.values == "unit" else images * 2.0 - 1.0
        if self.config.labels:
            size = self.config.image_size
            plane = self.embed_class(_given(condition)).unflatten(1, (1, size, size))
            x = torch.cat([self.embed_data(x), plane], dim=1)
        features = self.encoder(x).flatten(1)
        return Posterior(self.fc_mu(features), self.fc_var(features))

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return images ``[B, 3, S, S]`` in [0, 1] for latents ``[B, D]``."""
        given = torch.cat([latents, _given(condition)], dim=1) if self.config.labels else latents
        features = self.decoder_input(given).unflatten(1, (-1, SIDE, SIDE))
        pictures = torch.tanh(self.final_layer(self.decoder(features)))
        return to_unit(pictures * 2.0 - 1.0 if self.config.values == "unit" else pictures)

    def sample(self, n: int, condition: Tensor | None, generator: torch.Generator) -> Tensor:
        """Draw n latents from N(0, I), ``[n, D]``, on the model's device."""
        z = torch.randn(n, self.config.latent, generator=generator, device="cpu")
        return z.to(self.fc_mu.weight)


def _given(condition: Tensor | None) -> Tensor:
    if condition is None:
        raise ValueError("a conditional model needs a condition")
    return condition


def _doubling(inputs: int, outputs: int) -> nn.Module:
    """Return the transposed convolution that doubles height and width."""
    return nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1)


def _stage(convolution: nn.Module, width: int) -> nn.Sequential:
    return nn.Sequential(convolution, nn.BatchNorm2d(width), nn.LeakyReLU(0.01))
