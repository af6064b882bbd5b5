"""The blocks that the families share: residual blocks without normalisation, and the two pyramids.

A residual branch is scaled by a learnt gain (De & Smith 2020, "SkipInit"), so that no statistic of the
batch is needed to train it: a picture's result never depends on its neighbours, and at batch 1 nothing
is computed that a convolution does not need.

Pictures enter and leave through 2 x 2 pixel (un)shuffling (Shi et al. 2016): the pyramids work at half
the picture's size with four times the channels, which CPUs do several times faster than few channels at
full size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

Width = Annotated[int, Field(ge=1, le=8192)]
"""Channels of a stage, as configurations may give them."""
Blocks = Annotated[int, Field(ge=0, le=64)]
"""Residual blocks of a stage, as configurations may give them."""


class ResidualBlock(nn.Module):
    """x + gain * conv(relu(conv(relu(x)))), two 3 x 3 convolutions on ``[B, channels, H, W]``.

    The gain multiplies the second convolution's weights, which is the same and touches far fewer numbers.
    ``gain`` is where it starts: at 0 the block begins as the identity; an optimiser of small steps, such
    as Adam, then needs thousands of them to open the branch, which a classifier can afford and a
    generator cannot.
    """

    def __init__(self, channels: int, gain: float = 0.0) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.gain = nn.Parameter(torch.full((), gain))

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output, of the input's shape."""
        inner = F.relu(self.conv1(F.relu(x)))
        weight, bias = self.folded()
        return x + F.conv2d(inner, weight, bias, padding=1)

    def folded(self) -> tuple[Tensor, Tensor]:
        """Return the second convolution's weight and bias with the gain multiplied in."""
        assert self.conv2.bias is not None
        return self.gain * self.conv2.weight, self.gain * self.conv2.bias


class Upsample(nn.Module):
    """Nearest-neighbour doubling of height and width."""

    def forward(self, x: Tensor) -> Tensor:
        """Return ``[B, C, 2H, 2W]``."""
        return doubled(x)


def doubled(x: Tensor) -> Tensor:
    """Return ``[B, C, 2H, 2W]``: every place stands for four."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


class DownPyramid(nn.Module):
    """Picture ``[B, 3, S, S]`` to features ``[B, widths[-1], S / 2^n, S / 2^n]``, n = len(widths).

    The first stage works at S / 2 on unshuffled pixels; each later one halves the size by a strided
    convolution. ``blocks[i]`` residual blocks stand at stage i.
    """

    def __init__(self, widths: tuple[int, ...], blocks: tuple[int, ...], gain: float = 0.0) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.PixelUnshuffle(2), nn.Conv2d(12, widths[0], 3, padding=1)]
        self._stages: dict[int, int] = {}
        for stage, width in enumerate(widths):
            if stage:
                layers += [nn.ReLU(), nn.Conv2d(widths[stage - 1], width, 3, stride=2, padding=1)]
            self._stages[len(layers)] = stage
            layers += [ResidualBlock(width, gain) for _ in range(blocks[stage])]
        self.layers = nn.Sequential(*layers, nn.ReLU())

    def forward(self, images: Tensor, maps: Sequence[Tensor] = ()) -> Tensor:
        """Return the features of images.

        Parameters
        ----------
        maps
            What is added where each stage begins, ``[B, widths[i], S / 2^(i + 1), S / 2^(i + 1)]``, from the
            finest to the coarsest; nothing by default.
        """
        return _with_maps(self.layers, self._stages, images, maps)

    def stages(self, images: Tensor) -> list[Tensor]:
        """Return what each residual block gives out, from the finest to the coarsest."""
        found = []
        for layer in self.layers:
            images = layer(images)
            if isinstance(layer, ResidualBlock):
                found.append(images)
        return found


class UpPyramid(nn.Module):
    """Features ``[B, widths[-1], s, s]`` to picture logits ``[B, 3, S, S]``: `DownPyramid` mirrored."""

    def __init__(self, widths: tuple[int, ...], blocks: tuple[int, ...], gain: float = 0.0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        self._stages: dict[int, int] = {}
        for stage in reversed(range(len(widths))):
            self._stages[len(layers)] = stage
            layers += [ResidualBlock(widths[stage], gain) for _ in range(blocks[stage])]
            if stage:
                layers += [nn.ReLU(), nn.Conv2d(widths[stage], widths[stage - 1], 3, padding=1), Upsample()]
        layers += [nn.ReLU(), nn.Conv2d(widths[0], 12, 3, padding=1), nn.PixelShuffle(2)]
        self.layers = nn.Sequential(*layers)

    def forward(self, features: Tensor, maps: Sequence[Tensor] = ()) -> Tensor:
        """Return the picture's logits, before the sigmoid; ``maps`` are as those of `DownPyramid`."""
        return _with_maps(self.layers, self._stages, features, maps)


def _with_maps(layers: nn.Sequential, stages: Mapping[int, int], x: Tensor, maps: Sequence[Tensor]) -> Tensor:
    """Run layers in order, adding a stage's map before the layer at which the stage begins."""
    for place, layer in enumerate(layers):
        if maps and place in stages:
            x = x + maps[stages[place]]
        x = layer(x)
    return x


def initialise(network: nn.Module) -> None:
    """Draw the convolutions after He et al. 2015, which keeps a ReLU network's signal its size."""
    for module in network.modules():
        # A network without numbers (its weights will be loaded) has nothing to draw, and drawing on
        # torch's meta device would import seconds' worth of its compiler.
        if isinstance(module, nn.Conv2d) and module.bias is not None and not module.weight.is_meta:
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
