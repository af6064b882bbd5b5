"""The autoencoder of CompVis' net2net ("BigAE"): a ResNet to a vector, BigGAN from a vector.

Its normalisations and spectral norms are folded into the convolutions and linear layers when a checkpoint is
read (`latentlab.checkpoints.foreign.net2net`), so that what stands here are plain layers (He et al. 2016;
Brock et al. 2019). The ResNet is given pictures that are normalised as ImageNet's *twice*, as in the
original.
"""

from __future__ import annotations

import itertools
from typing import Annotated, cast

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from latentlab.families.blocks import Width, doubled
from latentlab.families.signed import to_unit
from latentlab.model import Posterior
from latentlab.spec import Record

LOGVAR_RANGE = (-30.0, 10.0)
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_SLOPE = 0.01

Count = Annotated[int, Field(ge=1, le=64)]


class BigAEConfig(Record):
    """The shapes of both halves.

    ``stem``, ``stages``, ``middles`` and ``outputs`` are the ResNet's: channels after its first convolution,
    blocks of each stage, channels within and after the blocks of each stage; ``bottleneck`` blocks have three
    convolutions. ``widths`` are BigGAN's channels from 4 x 4 pixels on, ``code`` the entries of the latent
    that each of its blocks is given, ``classes`` the soft classes that a latent is mapped to through
    ``class_widths``, and ``class_embedding`` what stands for them.
    """

    latent: Annotated[int, Field(ge=2, le=8192)]
    normalised: bool = True
    stem: Width
    stages: Annotated[tuple[Count, ...], Field(max_length=16)]
    middles: tuple[Width, ...]
    outputs: tuple[Width, ...]
    bottleneck: bool = True
    widths: tuple[Width, ...]
    code: Width
    classes: Width
    class_widths: Annotated[tuple[Width, ...], Field(max_length=64)]
    class_embedding: Width

    @model_validator(mode="after")
    def _fits(self) -> BigAEConfig:
        if not len(self.stages) == len(self.middles) == len(self.outputs) > 0:
            raise ValueError("stages, middles and outputs have an entry for each stage")
        if not 3 <= len(self.widths) <= 10:
            raise ValueError("widths are those at 4, 8, ... pixels: 3 to 10 of them")
        if self.first_code < 1:
            raise ValueError(f"a latent has more than {self.code} entries for each of the decoder's blocks")
        return self

    @property
    def image_size(self) -> int:
        """Pixels of a side."""
        return int(4 << (len(self.widths) - 1))

    @property
    def first_code(self) -> int:
        """Entries of the latent with which the decoder begins."""
        return self.latent - self.code * (len(self.widths) - 1)


class ResBlock(nn.Module):
    """Two convolutions of 3 x 3, or in a bottleneck 1 x 1, 3 x 3 and 1 x 1, beside a short cut; then ReLU."""

    def __init__(self, inputs: int, middle: int, outputs: int, stride: int, bottleneck: bool) -> None:
        super().__init__()
        if bottleneck:
            self.conv1 = nn.Conv2d(inputs, middle, 1)
            self.conv2 = nn.Conv2d(middle, middle, 3, stride=stride, padding=1)
            self.conv3 = nn.Conv2d(middle, outputs, 1)
        else:
            self.conv1 = nn.Conv2d(inputs, middle, 3, stride=stride, padding=1)
            self.conv2 = nn.Conv2d(middle, outputs, 3, padding=1)
        self.bottleneck = bottleneck
        changes = stride != 1 or inputs != outputs
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=stride) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        """Return ``[B, outputs, H / stride, W / stride]``."""
        inner = self.conv2(F.relu(self.conv1(x)))
        if self.bottleneck:
            inner = self.conv3(F.relu(inner))
        return F.relu(inner + (x if self.shortcut is None else self.shortcut(x)))


class ResNetEncoder(nn.Module):
    """Pictures ``[B, 3, S, S]`` in [0, 1] to mean and log variance ``[B, 2 D]``."""

    def __init__(self, config: BigAEConfig) -> None:
        super().__init__()
        self.normalised = config.normalised
        self.stem = nn.Conv2d(3, config.stem, 7, stride=2, padding=3)
        self.stages = nn.ModuleList()
        before = config.stem
        shapes = zip(config.stages, config.middles, config.outputs, strict=True)
        for place, (blocks, middle, outputs) in enumerate(shapes):
            stage = []
            for block in range(blocks):
                stride = 2 if place and not block else 1
                stage.append(ResBlock(before, middle, outputs, stride, config.bottleneck))
                before = outputs
            self.stages.append(nn.Sequential(*stage))
        self.head = nn.Linear(before, 2 * config.latent)

    def forward(self, images: Tensor) -> Tensor:
        """Return mean and log variance, one after the other."""
        if self.normalised:
            mean, std = images.new_tensor(_MEAN)[:, None, None], images.new_tensor(_STD)[:, None, None]
            x = (images - mean) / std
            x = (0.5 * (x + 1.0) - mean) / std
        else:
            x = images * 2.0 - 1.0
        x = F.max_pool2d(F.relu(self.stem(x)), 3, stride=2, padding=1)
        for stage in self.stages:
            x = stage(x)
        found: Tensor = self.head(x.mean(dim=(2, 3)))
        return found


class Conditional(nn.Module):
    """x * scale(c) + shift(c): a normalisation whose statistics and gains are folded into two layers."""

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.scale, self.shift = nn.Linear(condition, channels), nn.Linear(condition, channels)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """Return a tensor of the input's shape ``[B, C, H, W]``."""
        scale, shift = cast(Tensor, self.scale(c)), cast(Tensor, self.shift(c))
        return x * scale[:, :, None, None] + shift[:, :, None, None]


class UpBlock(nn.Module):
    """BigGAN's block: doubles the size, under a condition ``[B, code + class_embedding]``."""

    def __init__(self, inputs: int, outputs: int, condition: int) -> None:
        super().__init__()
        self.norm0, self.norm1 = Conditional(inputs, condition), Conditional(outputs, condition)
        self.conv0 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.conv1 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """Return ``[B, outputs, 2 H, 2 W]``."""
        inner: Tensor = self.conv1(F.relu(self.norm1(self.conv0(doubled(F.relu(self.norm0(x, c)))), c)))
        # A convolution of 1 x 1 gives the same before the doubling, on a quarter of the pixels.
        return inner + doubled(self.shortcut(x))


class SelfAttention(nn.Module):
    """x + gamma * what each place takes from a pooled map (Zhang et al. 2019)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        few, half = max(1, channels // 8), max(1, channels // 2)
        self.theta, self.phi = (nn.Conv2d(channels, few, 1, bias=False) for _ in range(2))
        self.g = nn.Conv2d(channels, half, 1, bias=False)
        self.out = nn.Conv2d(half, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the input's shape."""
        query = self.theta(x).flatten(2).transpose(1, 2)
        key = F.max_pool2d(self.phi(x), 2).flatten(2)
        value = F.max_pool2d(self.g(x), 2).flatten(2).transpose(1, 2)
        taken = torch.softmax(query @ key, dim=2) @ value
        shape = (x.shape[0], -1, x.shape[2], x.shape[3])
        found: Tensor = self.out(taken.transpose(1, 2).reshape(shape))
        return x + self.gamma * found


class BigGANDecoder(nn.Module):
    """Latents ``[B, D]`` to pictures ``[B, 3, S, S]`` in [-1, 1]."""

    def __init__(self, config: BigAEConfig) -> None:
        super().__init__()
        widths = config.widths
        layers: list[nn.Module] = []
        before = config.latent
        for width in config.class_widths:
            layers += [nn.Linear(before, width), nn.LeakyReLU(_SLOPE)]
            before = width
        self.to_classes = nn.Sequential(*layers, nn.Linear(before, config.classes))
        self.class_embedding = nn.Linear(config.classes, config.class_embedding, bias=False)
        self.first = nn.Linear(config.first_code, 16 * widths[0])
        self.codes = [config.first_code] + [config.code] * (len(widths) - 1)
        condition = config.code + config.class_embedding
        self.blocks = nn.ModuleList(
            UpBlock(inputs, outputs, condition) for inputs, outputs in itertools.pairwise(widths)
        )
        self.attention = SelfAttention(widths[-2])
        self.last_scale = nn.Parameter(torch.ones(widths[-1]))
        self.last_shift = nn.Parameter(torch.zeros(widths[-1]))
        self.colorize = nn.Conv2d(widths[-1], 3, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        """Return pictures."""
        classes = self.class_embedding(torch.softmax(self.to_classes(z), dim=1))
        codes = torch.split(z, self.codes, dim=1)
        x = self.first(codes[0]).unflatten(1, (4, 4, -1)).permute(0, 3, 1, 2)
        for place, block in enumerate(self.blocks):
            if place == len(self.blocks) - 1:
                x = self.attention(x)
            x = block(x, torch.cat([codes[place + 1], classes], dim=1))
        x = F.relu(x * self.last_scale[:, None, None] + self.last_shift[:, None, None])
        return torch.tanh(self.colorize(x))


class BigAE(nn.Module):
    """Both halves; see the module's text."""

    def __init__(self, config: BigAEConfig) -> None:
        super().__init__()
        self.encoder, self.decoder = ResNetEncoder(config), BigGANDecoder(config)

    def encode(self, images: Tensor) -> Posterior:
        """Return mean and log variance, each ``[B, D]``, of images in [0, 1]."""
        mean, logvar = self.encoder(images).chunk(2, dim=1)
        return Posterior(mean, logvar.clamp(*LOGVAR_RANGE))

    def decode(self, z: Tensor) -> Tensor:
        """Return images ``[B, 3, S, S]`` in [0, 1] for ``[B, D]``."""
        return to_unit(self.decoder(z))
