"""The conditional INN on an autoencoder's latents: it projects a picture onto another dataset.

x* = D(tau^-1(tau(E(x)|y)|y*)): the latent of x is made what it has in common with all datasets, and that is
decoded as the dataset y* has it.

After Rombach, Esser and Ommer 2020. A `VAE` is the autoencoder; a `ConditionalFlow` maps its latents to z,
standard normal under every condition. The condition is the dataset y and the *mode*: *follow* (the flow has
only learnt how likely each dataset's latents are, so composition and style both shift) and *keep* (z is tied
to the attributes that the datasets share, so only style shifts). A condition between the modes lies between
the two projections.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from latentlab.families.flow import ConditionalFlow, FlowConfig
from latentlab.families.vae import VAE, VAEConfig
from latentlab.model import Posterior
from latentlab.spec import MODE, ModelSpec, Record

ROUND_TRIP = 1e-4
"""The largest error of an entry, through the flow and back in float32, with which a checkpoint opens."""
LEAST_STRETCH = 1e-4
"""The least that the first and the last layer may leave of a direction."""


class CINNConfig(Record):
    """The shapes of the autoencoder and of the flow on its latents."""

    autoencoder: VAEConfig = VAEConfig()
    flow: FlowConfig = Field(default_factory=FlowConfig)


class CINN(nn.Module):
    """A `LatentModel` whose latent z is the flow's, with the condition (dataset, mode).

    Raises
    ------
    ValueError
        If the specification's condition is not a dataset and the mode.
    """

    def __init__(self, config: CINNConfig, spec: ModelSpec) -> None:
        super().__init__()
        attributes = spec.condition.attributes
        if [a.kind for a in attributes] != ["categorical"] * 2 or (
            attributes[1].name,
            attributes[1].classes,
        ) != (MODE.name, MODE.classes):
            raise ValueError("the condition of a cINN is a dataset with classes, and the mode")
        self.config = config
        self.spec = spec
        self.datasets = len(attributes[0].classes)
        self.autoencoder = VAE(config.autoencoder)
        self.flow = ConditionalFlow(config.autoencoder.latent, self.datasets * len(MODE.classes), config.flow)

    def weights(self, condition: Tensor) -> Tensor:
        """Return the flow's weights ``[B, 2 K]`` of conditions ``[B, K + 2]``: dataset times mode."""
        dataset, mode = condition[:, : self.datasets], condition[:, self.datasets :]
        return (dataset.unsqueeze(2) * mode.unsqueeze(1)).flatten(1)

    def inner(self, images: Tensor) -> Tensor:
        """Return the autoencoder's latents ``[B, D]`` of images in [0, 1]."""
        return self.autoencoder.encode(images).mean

    def to_latent(self, inner: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return z ``[B, D]`` of those under conditions ``[B, C]``, and log|det dz/dx| ``[B]``."""
        found: tuple[Tensor, Tensor] = self.flow(inner, self.weights(condition))
        return found

    def to_inner(self, latents: Tensor, condition: Tensor) -> Tensor:
        """Return the autoencoder's latents ``[B, D]`` of z under conditions ``[B, C]``."""
        return self.flow.inverse(latents, self.weights(condition))

    def encode(self, images: Tensor, condition: Tensor | None = None) -> Posterior:
        """Return z ``[B, D]``, without variance, of images in [0, 1] under conditions ``[B, C]``."""
        return Posterior(self.to_latent(self.inner(images), _given(condition))[0])

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return images ``[B, 3, S, S]`` in [0, 1] for z ``[B, D]`` under conditions ``[B, C]``."""
        return self.autoencoder.decode(self.to_inner(latents, _given(condition)))

    def verify(self) -> None:
        """Make sure that the flow can be turned back: what a checkpoint must show when it is opened.

        Raises
        ------
        ValueError
            If a permutation is none, the normalisation was never initialised, or a latent that goes through
            the flow and back under some dataset and mode does not return to within `ROUND_TRIP`.
        """
        for place, block in enumerate(self.flow.blocks()):
            shuffle = block.shuffle
            order = torch.arange(self.flow.size)
            if not torch.equal(shuffle.forward_shuffle_idx.sort().values, order) or not torch.equal(
                shuffle.forward_shuffle_idx[shuffle.backward_shuffle_idx], order
            ):
                raise ValueError(f"the permutation of block {place} is none")
            if not block.norm_layer.initialized:
                raise ValueError(f"the normalisation of block {place} was never initialised")
        for name, layer in (("first", self.flow.affine), ("last", self.flow.whitening)):
            least = 1.0 if layer is None else float(torch.linalg.svdvals(layer.matrix.detach()).min())
            if not least >= LEAST_STRETCH:
                raise ValueError(
                    f"its {name} layer shrinks a direction to {least:.2g}, which cannot be undone"
                )
        weights = torch.eye(self.flow.embedder.in_features)
        z = torch.randn(len(weights), self.flow.size, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            error = self.round_trip(self.flow.inverse(z, weights), weights)
        if not float(error.max()) <= ROUND_TRIP:
            raise ValueError(f"its round trip errs by {float(error.max()):.2g}, more than {ROUND_TRIP:g}")

    def round_trip(self, latents: Tensor, weights: Tensor) -> Tensor:
        """Return the error of latents ``[B, D]`` that went through the flow and back, ``[B]``.

        The largest difference of an entry; ``weights`` are the flow's, ``[B, 2 K]``.
        """
        z, _ = self.flow(latents, weights)
        return (self.flow.inverse(z, weights) - latents).abs().amax(dim=1)

    def sample(self, n: int, condition: Tensor | None, generator: torch.Generator) -> Tensor:
        """Draw n latents from N(0, I), which holds for every condition: ``[n, D]``."""
        return self.autoencoder.sample(n, None, generator)


def _given(condition: Tensor | None) -> Tensor:
    if condition is None:
        raise ValueError("a cINN needs a condition: the dataset and the mode")
    return condition
