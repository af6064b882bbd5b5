"""StyleGAN2's generator (Karras et al. 2020), in plain torch: mapping z -> w, synthesis of w's rows.

Each convolution is *modulated*: a style s = A w scales its input's channels, and its output is divided by
the length that the scaled weights would have ("demodulation", eq. 3), here on the data rather than on the
weights, which is the same and lets a batch share one convolution. Every second convolution doubles the size,
followed by a binomial blur; pictures of all sizes are added up through the same blur (fig. 7, "output
skips").

A latent is a point of one of two spaces, which the specification's latent shape tells:

- z, ``[D]``: the generator's own input. All rows of the synthesis get the same w.
- w, ``[rows, D]``: a row for each of the synthesis' inputs, as PULSE searches them (Menon et al. 2020, sec.
  3.3): w = LeakyReLU(mean + std * row), where mean and deviation are those of LeakyReLU^-1 of the mapped
  normal z, so that every entry of a row is near standard normal.

In both every w is moved towards the mean w by the truncation (1: not at all).

Noise inputs are fixed: they are stored with the weights, so that a latent gives one picture.
"""

from __future__ import annotations

import itertools
import math
from typing import Annotated, cast

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from latentlab.families.blocks import Width
from latentlab.families.signed import to_unit
from latentlab.model import Posterior
from latentlab.spec import ModelSpec, Record

SLOPE = 0.2
GAIN = math.sqrt(2.0)
"""What follows every LeakyReLU, so that it keeps a normal signal's size."""
TAPS = (1.0, 3.0, 3.0, 1.0)
"""The blur's filter in each direction, before it is divided by its sum."""
_EPS = 1e-8


class StyleGAN2Config(Record):
    """The shape of the generator, and its truncation.

    ``widths`` are the channels at 4, 8, 16... pixels. ``mapping_rate`` is what the mapping's weights were
    multiplied by in training (``lr_mlp``), and so are when they are used.
    """

    style: Annotated[int, Field(ge=1, le=4096)] = 512
    mapping: Annotated[int, Field(ge=0, le=64)] = 8
    widths: tuple[Width, ...] = (512, 512, 512, 512, 512, 256, 128)
    mapping_rate: Annotated[float, Field(gt=0.0)] = 0.01
    truncation: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0

    @model_validator(mode="after")
    def _fits(self) -> StyleGAN2Config:
        if not 2 <= len(self.widths) <= 10:
            raise ValueError("widths are those at 4, 8, ... pixels: 2 to 10 of them")
        return self

    @property
    def image_size(self) -> int:
        """Pixels of a side."""
        return int(4 << (len(self.widths) - 1))

    @property
    def rows(self) -> int:
        """Inputs of the synthesis that take a w each: 18 at 1024 pixels."""
        return 2 * len(self.widths)


class Scaled(nn.Module):
    """A linear layer whose weights are stored larger than they are, and scaled when used."""

    def __init__(self, inputs: int, outputs: int, rate: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.scale, self.rate = rate / math.sqrt(inputs), rate

    def forward(self, x: Tensor) -> Tensor:
        """Return ``[B, outputs]``."""
        return F.linear(x, self.weight * self.scale, self.bias * self.rate)


class MappingLayer(Scaled):
    """A scaled linear layer with its activation."""

    def forward(self, x: Tensor) -> Tensor:
        """Return ``[B, outputs]``."""
        return F.leaky_relu(super().forward(x), SLOPE) * GAIN


class PixelNorm(nn.Module):
    """x / sqrt(mean x^2): a latent is brought to the length sqrt(D)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the input's shape ``[B, D]``."""
        return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + _EPS)


class Blur(nn.Module):
    """The blur's filter, stored with the weights ``[4, 4]``; it sums to 4, for 3 of 4 entries were 0."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        # Numbers are multiplied, not tensors: on the meta device, where networks are built to be filled,
        # that would load torch's compiler.
        whole = sum(TAPS) ** 2 / 4.0
        self.register_buffer(
            "kernel", torch.tensor([[one * other / whole for one in TAPS] for other in TAPS])
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return ``[B, C, 2 H, 2 W]`` of what a convolution doubled to ``[B, C, 2 H + 1, 2 W + 1]``."""
        channels = x.shape[1]
        return F.conv2d(x, self.kernel.flip(0, 1).expand(channels, 1, -1, -1), padding=1, groups=channels)


class Doubling(Blur):
    """Doubles a picture: zeros between its pixels, then the blur."""

    def forward(self, x: Tensor) -> Tensor:
        """Return ``[B, 3, 2 H, 2 W]``."""
        return F.conv_transpose2d(x, self.kernel.expand(3, 1, -1, -1), stride=2, padding=1, groups=3)


class Modulated(nn.Module):
    """A convolution whose input's channels are scaled by a style; see the module's text."""

    def __init__(self, inputs: int, outputs: int, side: int, style: int, up: bool, demodulate: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, inputs, side, side))
        self.modulation = Scaled(style, inputs)
        self.blur = Blur() if up else None
        self.demodulate, self.padding = demodulate, side // 2
        self.scale = 1.0 / math.sqrt(inputs * side**2)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Return ``[B, outputs, H, W]``, of twice the size where it doubles, for w ``[B, style]``."""
        style = self.modulation(w)
        weight = self.weight * self.scale
        x = x * style[:, :, None, None]
        if self.blur is not None:
            x = self.blur(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2))
        else:
            x = F.conv2d(x, weight, padding=self.padding)
        if self.demodulate:
            lengths = F.linear(style.square(), weight.square().sum(dim=(2, 3)))
            x = x * torch.rsqrt(lengths + _EPS)[:, :, None, None]
        return x


class Noise(nn.Module):
    """x + weight * noise, one map for all channels."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """Return a tensor of the input's shape; the noise is ``[1, 1, H, W]``."""
        return x + self.weight * noise


class Activate(nn.Module):
    """LeakyReLU(x + bias) * sqrt(2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the input's shape."""
        return F.leaky_relu(x + self.bias[:, None, None], SLOPE) * GAIN


class StyledConv(nn.Module):
    """Modulated convolution of 3 x 3, noise, activation."""

    def __init__(self, inputs: int, outputs: int, style: int, up: bool = False) -> None:
        super().__init__()
        self.conv = Modulated(inputs, outputs, 3, style, up, demodulate=True)
        self.noise = Noise()
        self.activate = Activate(outputs)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        """Return ``[B, outputs, H, W]``."""
        found: Tensor = self.activate(self.noise(self.conv(x, w), noise))
        return found


class ToRGB(nn.Module):
    """Modulated convolution of 1 x 1 to a picture, added to the doubled picture of the size before."""

    def __init__(self, inputs: int, style: int, first: bool = False) -> None:
        super().__init__()
        self.upsample = None if first else Doubling()
        self.conv = Modulated(inputs, 3, 1, style, up=False, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))

    def forward(self, x: Tensor, w: Tensor, before: Tensor | None = None) -> Tensor:
        """Return ``[B, 3, H, W]``."""
        picture: Tensor = self.conv(x, w) + self.bias
        return picture if before is None or self.upsample is None else picture + self.upsample(before)


class Constant(nn.Module):
    """The learnt features of 4 x 4 pixels with which every picture begins."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.input = nn.Parameter(torch.zeros(1, channels, 4, 4))


class StyleGAN2(nn.Module):
    """A `LatentModel` without an encoder; see the module's text."""

    latent_avg: Tensor
    row_mean: Tensor
    row_std: Tensor

    def __init__(self, config: StyleGAN2Config, spec: ModelSpec) -> None:
        super().__init__()
        self.config, self.spec = config, spec
        size, widths = config.style, config.widths
        self.by_rows = len(spec.latent_shape) > 1
        shape = (config.rows, size) if self.by_rows else (size,)
        if spec.image_size != config.image_size or spec.latent_shape != shape:
            raise ValueError(
                f"its pictures have {config.image_size} pixels, its latents the shape [{size}] or "
                f"[{config.rows}, {size}]"
            )
        layers = [MappingLayer(size, size, config.mapping_rate) for _ in range(config.mapping)]
        self.style = nn.Sequential(PixelNorm(), *layers)
        self.input = Constant(widths[0])
        self.conv1 = StyledConv(widths[0], widths[0], size)
        self.to_rgb1 = ToRGB(widths[0], size, first=True)
        self.convs, self.to_rgbs = nn.ModuleList(), nn.ModuleList()
        for before, width in itertools.pairwise(widths):
            self.convs.extend([StyledConv(before, width, size, up=True), StyledConv(width, width, size)])
            self.to_rgbs.append(ToRGB(width, size))
        self.noises = nn.Module()
        for place in range(1 + len(self.convs)):
            side = 4 << ((place + 1) // 2)
            self.noises.register_buffer(f"noise_{place}", torch.zeros(1, 1, side, side))
        self.register_buffer("latent_avg", torch.zeros(size))
        if self.by_rows:
            self.register_buffer("row_mean", torch.zeros(size))
            self.register_buffer("row_std", torch.ones(size))

    def encode(self, images: Tensor, condition: Tensor | None = None) -> Posterior:
        """Refuse: there is no encoder."""
        raise NotImplementedError(self.spec.cannot.get("encode", "it has no encoder."))

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return images ``[B, 3, S, S]`` in [0, 1] for latents ``[B, D]`` or ``[B, rows, D]``."""
        if self.by_rows:
            w = F.leaky_relu(self.row_mean + self.row_std * latents, SLOPE)
        else:
            w = self.style(latents).unsqueeze(1).expand(-1, self.config.rows, -1)
        if self.config.truncation < 1.0:
            w = self.latent_avg + self.config.truncation * (w - self.latent_avg)
        return to_unit(self.synthesise(w))

    def synthesise(self, w: Tensor) -> Tensor:
        """Return pictures ``[B, 3, S, S]``, mostly in [-1, 1], of styles ``[B, rows, D]``."""
        features = self.conv1(self.input.input.expand(w.shape[0], -1, -1, -1), w[:, 0], self._noise(0))
        picture: Tensor = self.to_rgb1(features, w[:, 1])
        for place, to_rgb in enumerate(self.to_rgbs):
            row = 2 * place + 1
            features = self.convs[2 * place](features, w[:, row], self._noise(row))
            features = self.convs[2 * place + 1](features, w[:, row + 1], self._noise(row + 1))
            picture = to_rgb(features, w[:, row + 2], picture)
        return picture

    def sample(self, n: int, condition: Tensor | None, generator: torch.Generator) -> Tensor:
        """Draw n latents as the generator's own: z from N(0, I), or the rows of the w of such a z."""
        z = torch.randn(n, self.config.style, generator=generator, device="cpu").to(self.latent_avg)
        if not self.by_rows:
            return z
        w = self.style(z)
        rows = (torch.where(w < 0.0, w / SLOPE, w) - self.row_mean) / self.row_std
        return rows.unsqueeze(1).expand(-1, self.config.rows, -1).contiguous()

    def _noise(self, place: int) -> Tensor:
        return cast(Tensor, getattr(self.noises, f"noise_{place}"))
