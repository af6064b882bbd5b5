"""The VAE of linear layers: a picture as one row, a hidden layer, and back (Kingma & Welling 2014).

Its tensors have the names that they have in pythae (clementchadebec/benchmark_VAE), whose saved folders fill
it. Without a variance it is a plain autoencoder. Pictures of one channel are grey.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from latentlab.model import Posterior
from latentlab.spec import ModelSpec, Record

_MOST_PIXELS = 1 << 22


class MLPVAEConfig(Record):
    """The shape of the network: picture size and channels, hidden and latent entries, variance or none."""

    image_size: Annotated[int, Field(ge=8, le=1024)] = 28
    channels: Annotated[int, Field(ge=1, le=3)] = 1
    hidden: Annotated[int, Field(ge=1, le=8192)] = 512
    latent: Annotated[int, Field(ge=1, le=4096)] = 10
    variance: bool = True

    @model_validator(mode="after")
    def _fits(self) -> MLPVAEConfig:
        if self.channels == 2 or self.numbers > _MOST_PIXELS:
            raise ValueError(f"a picture has 1 or 3 channels and at most {_MOST_PIXELS:,} numbers")
        return self

    @property
    def numbers(self) -> int:
        """Numbers of a picture."""
        return self.channels * self.image_size**2


class MLPVAE(nn.Module):
    """A `LatentModel` with an encoder and a decoder; see the module's text.

    Raises
    ------
    ValueError
        If the specification says another picture or latent than the configuration.
    """

    def __init__(self, config: MLPVAEConfig, spec: ModelSpec) -> None:
        super().__init__()
        if (spec.image_size, spec.latent_shape) != (config.image_size, (config.latent,)):
            raise ValueError("image_size or latent_shape do not fit the network")
        self.config, self.spec = config, spec
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    def encode(self, images: Tensor, condition: Tensor | None = None) -> Posterior:
        """Return mu ``[B, D]``, with log sigma^2 where there is one, of images ``[B, 3, S, S]`` in [0, 1]."""
        posterior: Posterior = self.encoder(
            images if self.config.channels == 3 else images.mean(1, keepdim=True)
        )
        return posterior

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return images ``[B, 3, S, S]`` in [0, 1] for latents ``[B, D]``."""
        pictures: Tensor = self.decoder(latents)
        return pictures if self.config.channels == 3 else torch.cat([pictures] * 3, dim=1)

    def sample(self, n: int, condition: Tensor | None, generator: torch.Generator) -> Tensor:
        """Draw n latents from N(0, I), ``[n, D]``, on the model's device."""
        z = torch.randn(n, self.config.latent, generator=generator, device="cpu")
        return z.to(self.encoder.embedding.weight)


class Encoder(nn.Module):
    """Pictures to the posterior, through one hidden layer."""

    def __init__(self, config: MLPVAEConfig) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Sequential(nn.Linear(config.numbers, config.hidden), nn.ReLU()))
        self.embedding = nn.Linear(config.hidden, config.latent)
        self.log_var = nn.Linear(config.hidden, config.latent) if config.variance else None

    def forward(self, pictures: Tensor) -> Posterior:
        """Return the posterior of pictures ``[B, channels, S, S]``."""
        hidden = self.layers(pictures.flatten(1))
        return Posterior(self.embedding(hidden), None if self.log_var is None else self.log_var(hidden))


class Decoder(nn.Module):
    """Latents to pictures, through one hidden layer."""

    def __init__(self, config: MLPVAEConfig) -> None:
        super().__init__()
        self.shape = (config.channels, config.image_size, config.image_size)
        self.layers = nn.Sequential(
            nn.Sequential(nn.Linear(config.latent, config.hidden), nn.ReLU()),
            nn.Sequential(nn.Linear(config.hidden, config.numbers), nn.Sigmoid()),
        )

    def forward(self, latents: Tensor) -> Tensor:
        """Return pictures ``[B, channels, S, S]`` in [0, 1]."""
        found: Tensor = self.layers(latents)
        return found.reshape(-1, *self.shape)
