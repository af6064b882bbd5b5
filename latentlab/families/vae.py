"""The variational autoencoder (Kingma & Welling 2014): q(z|x) = N(mu, sigma^2), p(z) = N(0, I).

A convolutional residual encoder gives mu and log sigma^2, a mirrored decoder the picture. The latent is
a vector of D entries, the condition is empty.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from latentlab.families.blocks import Blocks, DownPyramid, UpPyramid, Width, initialise
from latentlab.model import Posterior
from latentlab.spec import ModelSpec, Record

LOGVAR_RANGE = (-10.0, 4.0)
"""The encoder's log variance is clamped to this range (version 1 of the family)."""


INITIAL_GAIN = 0.5
"""Where the gains of the residual branches start."""


class VAEConfig(Record):
    """The shape of the network: picture size, latent entries, channels and blocks per stage.

    Stage i works at ``image_size / 2^(i + 1)``; the last stage must be at least 2 pixels wide.
    """

    image_size: Annotated[int, Field(ge=16, le=1024)] = 64
    latent: Annotated[int, Field(ge=1, le=4096)] = 64
    encoder_widths: tuple[Width, ...] = (32, 64, 128, 256)
    encoder_blocks: tuple[Blocks, ...] = (1, 1, 1, 1)
    decoder_widths: tuple[Width, ...] = (64, 96, 192, 256)
    decoder_blocks: tuple[Blocks, ...] = (1, 1, 1, 1)

    @model_validator(mode="after")
    def _fits(self) -> VAEConfig:
        stages = len(self.encoder_widths)
        others = (self.encoder_blocks, self.decoder_widths, self.decoder_blocks)
        if not stages or any(len(other) != stages for other in others):
            raise ValueError("the widths and blocks of encoder and decoder must have the same length")
        if self.image_size % 2**stages or self.image_size < 2 ** (stages + 1):
            raise ValueError(
                f"image_size must be a multiple of {2**stages}, and at least {2 ** (stages + 1)}"
            )
        return self

    @property
    def side(self) -> int:
        """Width of the innermost feature map."""
        return self.image_size // (1 << len(self.encoder_widths))


class VAE(nn.Module):
    """A `LatentModel` with an encoder and a decoder; see the module's text."""

    def __init__(self, config: VAEConfig, spec: ModelSpec | None = None) -> None:
        super().__init__()
        self.config = config
        self.spec = spec or ModelSpec(
            family="vae", image_size=config.image_size, latent_shape=(config.latent,)
        )
        cells = config.side**2
        self.encoder = DownPyramid(config.encoder_widths, config.encoder_blocks, INITIAL_GAIN)
        self.to_posterior = nn.Linear(config.encoder_widths[-1] * cells, 2 * config.latent)
        self.from_latent = nn.Linear(config.latent, config.decoder_widths[-1] * cells)
        self.decoder = UpPyramid(config.decoder_widths, config.decoder_blocks, INITIAL_GAIN)
        initialise(self)

    def encode(self, images: Tensor, condition: Tensor | None = None) -> Posterior:
        """Return mu and log sigma^2, each ``[B, D]``, of images ``[B, 3, S, S]`` in [0, 1]."""
        mean, logvar = self.to_posterior(self.encoder(images * 2.0 - 1.0).flatten(1)).chunk(2, dim=1)
        return Posterior(mean, logvar.clamp(*LOGVAR_RANGE))

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return images ``[B, 3, S, S]`` in [0, 1] for latents ``[B, D]``."""
        side = self.config.side
        features = self.from_latent(latents).unflatten(1, (side, side, -1)).permute(0, 3, 1, 2)
        return torch.sigmoid(self.decoder(features))

    def sample(self, n: int, condition: Tensor | None, generator: torch.Generator) -> Tensor:
        """Draw n latents from N(0, I), ``[n, D]``, on the model's device."""
        parameter = self.from_latent.weight
        z = torch.randn(n, self.config.latent, generator=generator, device="cpu")
        return z.to(parameter)

    def forward(
        self, images: Tensor, eps: Tensor, prior: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Decode the posterior's samples and latents of the prior together: the training pass.

        Parameters
        ----------
        images
            ``[B, 3, S, S]`` in [0, 1].
        eps
            The noise of the reparameterisation, ``[B, D]``.
        prior
            Latents drawn from the prior, ``[P, D]``; none by default.

        Returns
        -------
        tuple
            Reconstructions ``[B, 3, S, S]``, pictures of the prior's latents ``[P, 3, S, S]``, and
            the posterior's mean and log variance, each ``[B, D]``.
        """
        posterior = self.encode(images)
        assert posterior.logvar is not None
        z = posterior.mean + torch.exp(0.5 * posterior.logvar) * eps
        pictures = self.decode(z if prior is None else torch.cat([z, prior]))
        return pictures[: len(z)], pictures[len(z) :], posterior.mean, posterior.logvar
