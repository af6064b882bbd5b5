"""CompVis' net2net: the conditional flow of Rombach, Esser and Ommer 2020 on the latents of its autoencoder.

The layers are those of `latentlab.families.flow`, without its first and last layer, with the original's
embedding of the condition, and where a training asked for it a LeakyReLU in every block. Without a flow it is
the autoencoder alone, whose latents are then its own.
"""

from __future__ import annotations

import math
from typing import Annotated, cast

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from latentlab.families.big_ae import BigAE, BigAEConfig
from latentlab.families.blocks import Width
from latentlab.families.flow import SLOPE, FlowBlock, FlowConfig
from latentlab.model import Posterior
from latentlab.spec import ModelSpec, Record

LEAK = 0.9
"""What the flow's own LeakyReLU multiplies negative entries by, where there is one."""


class Net2NetFlowConfig(Record):
    """The shape of the flow: blocks, the networks in them, and the widths of the condition's embedding."""

    blocks: Annotated[int, Field(ge=1, le=64)]
    width: Annotated[int, Field(ge=1, le=4096)]
    depth: Annotated[int, Field(ge=0, le=8)]
    embedding: Annotated[int, Field(ge=1, le=1024)]
    embedder_widths: Annotated[tuple[Width, ...], Field(max_length=64)]
    leaky: bool = False


class Net2NetConfig(Record):
    """The shapes of the autoencoder and of the flow, if there is one."""

    autoencoder: BigAEConfig
    flow: Net2NetFlowConfig | None = None


class ConditionFlow(nn.Module):
    """x = the autoencoder's latent to z, standard normal under every condition, and back."""

    def __init__(self, size: int, classes: int, config: Net2NetFlowConfig) -> None:
        super().__init__()
        self.leaky = config.leaky
        layers: list[nn.Module] = []
        before = classes
        for width in config.embedder_widths:
            layers += [nn.Linear(before, width), nn.LeakyReLU(SLOPE)]
            before = width
        self.embedder = nn.Sequential(*layers, nn.Linear(before, config.embedding))
        shape = FlowConfig(
            blocks=config.blocks, width=config.width, depth=config.depth, embedding=config.embedding
        )
        self.sub_layers = nn.ModuleList(FlowBlock(size, shape) for _ in range(config.blocks))

    def forward(self, x: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return z ``[B, D]`` of latents under conditions ``[B, K]``, and log|det dz/dx| ``[B]``.

        The original counts nothing for the LeakyReLU, which makes no difference to z.
        """
        e, log_det = self.embedder(weights), x.new_zeros(len(x))
        for block in self._blocks():
            x, of_norm = block.norm_layer(x)
            if self.leaky:
                log_det = log_det + math.log(LEAK) * (x < 0.0).to(x).sum(1)
                x = F.leaky_relu(x, LEAK)
            x, of_coupling = block.coupling(x, e)
            x, log_det = block.shuffle(x), log_det + of_norm + of_coupling
        return x, log_det

    def inverse(self, z: Tensor, weights: Tensor) -> Tensor:
        """Return latents ``[B, D]`` of z."""
        e = self.embedder(weights)
        for block in reversed(self._blocks()):
            z = block.coupling.inverse(block.shuffle.inverse(z), e)
            if self.leaky:
                z = F.leaky_relu(z, 1.0 / LEAK)
            z = block.norm_layer.inverse(z)
        return z

    def _blocks(self) -> list[FlowBlock]:
        return [cast(FlowBlock, block) for block in self.sub_layers]


class Net2Net(nn.Module):
    """A `LatentModel` whose latent is the flow's z under a dataset, or the autoencoder's own."""

    def __init__(self, config: Net2NetConfig, spec: ModelSpec) -> None:
        super().__init__()
        self.config, self.spec = config, spec
        size = config.autoencoder.latent
        if spec.image_size != config.autoencoder.image_size or spec.latent_shape != (size,):
            raise ValueError(
                f"its pictures have {config.autoencoder.image_size} pixels, its latents the shape [{size}]"
            )
        if (config.flow is None) != (spec.condition.size == 0):
            raise ValueError("a flow has a condition, and an autoencoder alone has none")
        self.first_stage = BigAE(config.autoencoder)
        self.flow = None if config.flow is None else ConditionFlow(size, spec.condition.size, config.flow)

    def encode(self, images: Tensor, condition: Tensor | None = None) -> Posterior:
        """Return z ``[B, D]``, without variance, of images in [0, 1] under conditions ``[B, K]``.

        Of the autoencoder alone, its mean and log variance.
        """
        if self.flow is None:
            return self.first_stage.encode(images)
        return Posterior(self.to_latent(self.inner(images), _given(condition))[0])

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return images ``[B, 3, S, S]`` in [0, 1] for latents ``[B, D]`` under conditions ``[B, K]``."""
        if self.flow is not None:
            latents = self.to_inner(latents, _given(condition))
        return self.first_stage.decode(latents)

    def inner(self, images: Tensor) -> Tensor:
        """Return the autoencoder's latents ``[B, D]`` of images in [0, 1]."""
        return self.first_stage.encode(images).mean

    def to_latent(self, inner: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return z ``[B, D]`` of those under conditions ``[B, K]``, and log|det dz/dx| ``[B]``."""
        found: tuple[Tensor, Tensor] = self._turned()(inner, condition)
        return found

    def to_inner(self, latents: Tensor, condition: Tensor) -> Tensor:
        """Return the autoencoder's latents ``[B, D]`` of z under conditions ``[B, K]``."""
        return self._turned().inverse(latents, condition)

    def _turned(self) -> ConditionFlow:
        if self.flow is None:
            raise ValueError("the autoencoder alone has no datasets")
        return self.flow

    def sample(self, n: int, condition: Tensor | None, generator: torch.Generator) -> Tensor:
        """Draw n latents from N(0, I), which holds for every condition: ``[n, D]``."""
        if "sample" in self.spec.cannot:
            raise NotImplementedError(self.spec.cannot["sample"])
        z = torch.randn(n, self.config.autoencoder.latent, generator=generator)
        return z.to(self.first_stage.decoder.last_scale)


def _given(condition: Tensor | None) -> Tensor:
    if condition is None:
        raise ValueError("this model needs a condition: the dataset")
    return condition
