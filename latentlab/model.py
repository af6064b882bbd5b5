"""The one idea: every family is the same machine to everything above it.

A `LatentModel` maps images to latents and back under a condition; an `AttributePredictor` says which
attributes an image shows. Screens, searches, audits and the live renderer are written once, against
these two protocols. Images are float ``[B, 3, H, W]`` in [0, 1]; latents are float
``[B, *spec.latent_shape]``; conditions are float ``[B, C]`` with C = ``spec.condition.size``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from latentlab.spec import ModelSpec, PredictorSpec


@dataclass(frozen=True)
class Posterior:
    """What an encoder says of the latent: its mean and, where there is one, its log variance.

    Both are float ``[B, *latent_shape]``; ``logvar`` is log sigma^2 (natural logarithm).
    """

    mean: Tensor
    logvar: Tensor | None = None

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Draw z = mu + exp(logvar / 2) * eps, eps ~ N(0, I) (Kingma & Welling 2014, eq. 10)."""
        if self.logvar is None:
            return self.mean
        eps = torch.randn(self.mean.shape, generator=generator, dtype=self.mean.dtype, device="cpu")
        return self.mean + torch.exp(0.5 * self.logvar) * eps.to(self.mean.device)

    def kl(self) -> Tensor:
        """Return KL(q(z|x) || N(0, I)) per dimension in nats, ``[B, *latent_shape]`` (ibid., app. B)."""
        if self.logvar is None:
            raise ValueError("a posterior without a variance has no divergence from the prior")
        return 0.5 * (self.mean.square() + self.logvar.exp() - 1.0 - self.logvar)


@runtime_checkable
class LatentModel(Protocol):
    """Anything that maps images to latents and back under a condition."""

    @property
    def spec(self) -> ModelSpec:
        """What the model is and can do."""
        ...

    def encode(self, images: Tensor, condition: Tensor | None = None) -> Posterior:
        """Return the posterior of images float ``[B, 3, H, W]`` in [0, 1]."""
        ...

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return images float ``[B, 3, H, W]`` in [0, 1] for latents ``[B, *latent_shape]``."""
        ...

    def sample(self, n: int, condition: Tensor | None, generator: torch.Generator) -> Tensor:
        """Draw n latents from the prior, ``[n, *latent_shape]``."""
        ...


@runtime_checkable
class ProjectingModel(LatentModel, Protocol):
    """A `LatentModel` that projects between datasets (``spec.datasets``).

    Its z is an autoencoder's latent x, which knows no dataset, turned by a map under the dataset that can be
    undone.
    """

    def inner(self, images: Tensor) -> Tensor:
        """Return x ``[B, D]`` of images float ``[B, 3, H, W]`` in [0, 1]."""
        ...

    def to_latent(self, inner: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return z ``[B, D]`` of x under conditions ``[B, C]``, and log|det dz/dx| ``[B]``."""
        ...

    def to_inner(self, latents: Tensor, condition: Tensor) -> Tensor:
        """Return x ``[B, D]`` of z under conditions ``[B, C]``."""
        ...


@runtime_checkable
class AttributePredictor(Protocol):
    """Anything that says which attributes an image shows."""

    @property
    def spec(self) -> PredictorSpec:
        """What it predicts and how often it errs."""
        ...

    def predict(self, images: Tensor) -> dict[str, Tensor]:
        """Return calibrated probabilities float ``[B, classes]`` by attribute, for images in [0, 1]."""
        ...

    def features(self, images: Tensor) -> Tensor:
        """Return the last hidden layer, float ``[B, F]``: the space of the Frechet distances."""
        ...

    def probabilities(self, features: Tensor) -> dict[str, Tensor]:
        """Return what `predict` does, for features that have been computed already."""
        ...
