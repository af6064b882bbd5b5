"""The debiasing VAE (Amini et al. 2019): one encoder gives a class logit and a latent.

The encoder is the detector's (`latentlab.families.detector`) with 2 D + 1 outputs: the logit of being a
face, mu and log sigma^2. The decoder mirrors it. To everything above it is a VAE; its decision is stored
beside it as a detector's checkpoint, so that it can be read wherever a predictor can.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from latentlab.families.detector import Detector, DetectorConfig, DetectorEncoder
from latentlab.families.vae import LOGVAR_RANGE
from latentlab.model import Posterior
from latentlab.spec import ModelSpec


def reparameterise(mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    """Return z = mu + exp(1/2 log sigma^2) * eps.

    The half belongs to it: what the KL takes for a log variance must not be a log deviation here.
    """
    return mu + torch.exp(0.5 * logvar) * eps


class DBVAEConfig(DetectorConfig):
    """The shape of the network: that of the detector, and the entries of the latent (D)."""

    latent: Annotated[int, Field(ge=1, le=4096)] = 32


class DBVAE(nn.Module):
    """A `LatentModel` that also decides whether a picture shows a face; see the module's text."""

    def __init__(self, config: DBVAEConfig, spec: ModelSpec | None = None) -> None:
        super().__init__()
        self.config = config
        self.spec = spec or ModelSpec(
            family="dbvae", image_size=config.image_size, latent_shape=(config.latent,)
        )
        n = config.filters
        self.encoder = DetectorEncoder(config)
        self.to_outputs = nn.Linear(config.hidden, 1 + 2 * config.latent)
        self.from_latent = nn.Linear(config.latent, 6 * n * config.side**2)
        widths, kernels = (6 * n, 4 * n, 2 * n, n, 3), (3, 3, 5, 5)
        self.decoder = nn.Sequential()
        for inside, outside, kernel in zip(widths, widths[1:], kernels, strict=False):
            self.decoder.append(nn.ReLU())
            self.decoder.append(
                nn.ConvTranspose2d(inside, outside, kernel, stride=2, padding=kernel // 2, output_padding=1)
            )

    def read(self, images: Tensor) -> tuple[Tensor, Posterior]:
        """Return the logit of being a face ``[B]``, and the posterior of the latent ``[B, D]``."""
        outputs = self.to_outputs(self.encoder(images))
        mean, logvar = outputs[:, 1:].chunk(2, dim=1)
        return outputs[:, 0], Posterior(mean, logvar.clamp(*LOGVAR_RANGE))

    def logit(self, images: Tensor) -> Tensor:
        """Return the logit of being a face, ``[B]``, of images ``[B, 3, S, S]`` in [0, 1]."""
        return self.read(images)[0]

    def encode(self, images: Tensor, condition: Tensor | None = None) -> Posterior:
        """Return mu and log sigma^2, each ``[B, D]``, of images ``[B, 3, S, S]`` in [0, 1]."""
        return self.read(images)[1]

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return images ``[B, 3, S, S]`` in [0, 1] for latents ``[B, D]``."""
        side = self.config.side
        return torch.sigmoid(self.decoder(self.from_latent(latents).unflatten(1, (-1, side, side))))

    def sample(self, n: int, condition: Tensor | None, generator: torch.Generator) -> Tensor:
        """Draw n latents from N(0, I), ``[n, D]``, on the model's device."""
        z = torch.randn(n, self.config.latent, generator=generator, device="cpu")
        return z.to(self.from_latent.weight)

    def forward(self, images: Tensor, eps: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return logits ``[B]``, reconstructions, mu and log sigma^2 of all images: the training pass.

        ``eps`` is the noise of the reparameterisation, ``[B, D]``.
        """
        logit, posterior = self.read(images)
        assert posterior.logvar is not None
        z = reparameterise(posterior.mean, posterior.logvar, eps)
        return logit, self.decode(z), posterior.mean, posterior.logvar

    def detector(self) -> Detector:
        """Return the decision alone: a detector with copies of these weights."""
        plain = {name: value for name, value in self.config.model_dump().items() if name != "latent"}
        detector = Detector(DetectorConfig.model_validate(plain))
        detector.encoder.load_state_dict(self.encoder.state_dict())
        with torch.no_grad():
            detector.to_logit.weight.copy_(self.to_outputs.weight[:1])
            detector.to_logit.bias.copy_(self.to_outputs.bias[:1])
        return detector.to(self.to_outputs.weight).eval()
