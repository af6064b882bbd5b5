"""The spatial autoencoder of latent diffusion (Rombach et al. 2022): pictures to grids of latents and back.

A convolutional pyramid of residual blocks with group normalisation and, at the innermost size, attention
between all cells. A latent is a grid ``[C, h, w]``, each cell of which describes a patch of the picture; it
is scale * (z - shift), so that its entries have about the deviation 1. It has no prior that could be drawn
from: the weight of the divergence in training is about 1e-6.

The names of the tensors are those of the library "diffusers", in whose layout most such weights are
published.
"""

from __future__ import annotations

import math
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from latentlab.families.blocks import Blocks, Width, doubled
from latentlab.families.signed import to_unit
from latentlab.model import Posterior
from latentlab.spec import ModelSpec, Record

LOGVAR_RANGE = (-30.0, 20.0)
"""The encoder's log variance is clamped to this range."""
_EPS = 1e-6


class AutoencoderKLConfig(Record):
    """The shape of the network; stages are listed from the finest to the coarsest in the encoder.

    ``inner`` are the channels between the two 1 x 1 convolutions and the pyramids, ``latent`` those of the
    latent. ``down_attention`` and ``up_attention`` say of each stage, in the order of the layers, whether
    attention follows its blocks. ``scale`` and ``shift`` are those of the latent.
    """

    widths: tuple[Width, ...] = (128, 256, 512, 512)
    blocks: Annotated[Blocks, Field(ge=1)] = 2
    latent: Annotated[int, Field(ge=1, le=1024)] = 4
    inner: Annotated[int, Field(ge=1, le=1024)] = 4
    groups: Annotated[int, Field(ge=1, le=1024)] = 32
    down_attention: tuple[bool, ...] = (False, False, False, False)
    up_attention: tuple[bool, ...] = (False, False, False, False)
    middle_attention: bool = True
    before_latent: bool = True
    after_latent: bool = True
    scale: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] = 1.0
    shift: Annotated[float, Field(allow_inf_nan=False)] = 0.0

    @model_validator(mode="after")
    def _fits(self) -> AutoencoderKLConfig:
        if not 1 <= len(self.widths) <= 8:
            raise ValueError("widths are those of 1 to 8 stages")
        if {len(self.down_attention), len(self.up_attention)} != {len(self.widths)}:
            raise ValueError("down_attention and up_attention have an entry for each stage")
        if any(width % self.groups for width in self.widths):
            raise ValueError(f"every width must be a multiple of the {self.groups} groups")
        if self.latent != self.inner and not (self.before_latent and self.after_latent):
            raise ValueError("without both convolutions at the latent it has as many channels as is inside")
        return self

    @property
    def patch(self) -> int:
        """Pixels of a side of the patch that a cell describes."""
        return int(1 << (len(self.widths) - 1))

    def spec(self, image_size: int) -> ModelSpec:
        """Return what an autoencoder of this shape is for pictures of a size, a multiple of `patch`."""
        side = image_size // self.patch
        return ModelSpec(
            family="autoencoder_kl",
            image_size=image_size,
            latent_shape=(self.latent, side, side),
            prior="other",
        )


class Residual(nn.Module):
    """x + conv(silu(norm(conv(silu(norm(x)))))), with a 1 x 1 convolution of x where the channels change."""

    def __init__(self, inputs: int, outputs: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, inputs, eps=_EPS)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2 = nn.GroupNorm(groups, outputs, eps=_EPS)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        """Return ``[B, outputs, H, W]``."""
        inner: Tensor = self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))
        return inner + (x if self.conv_shortcut is None else self.conv_shortcut(x))


class Attention(nn.Module):
    """x + attention of each cell to all cells, in one head."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.group_norm = nn.GroupNorm(groups, channels, eps=_EPS)
        self.to_q, self.to_k, self.to_v = (nn.Linear(channels, channels) for _ in range(3))
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the input's shape ``[B, C, H, W]``."""
        cells: Tensor = self.group_norm(x).flatten(2).transpose(1, 2).unsqueeze(1)
        found = F.scaled_dot_product_attention(self.to_q(cells), self.to_k(cells), self.to_v(cells))
        mixed: Tensor = self.to_out[0](found.squeeze(1))
        return x + mixed.transpose(1, 2).reshape(x.shape)


class Down(nn.Module):
    """Halves the size by a convolution; the edge is padded below and at the right only."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``[B, C, H / 2, W / 2]``."""
        found: Tensor = self.conv(F.pad(x, (0, 1, 0, 1)))
        return found


class Up(nn.Module):
    """Doubles the size by repeating cells, then a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``[B, C, 2 H, 2 W]``."""
        found: Tensor = self.conv(doubled(x))
        return found


class Stage(nn.Module):
    """Residual blocks, each followed by attention where the stage has it, and a change of size at the end."""

    def __init__(self, inputs: int, outputs: int, blocks: int, groups: int, attention: bool) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(
            Residual(outputs if place else inputs, outputs, groups) for place in range(blocks)
        )
        if attention:
            self.attentions = nn.ModuleList(Attention(outputs, groups) for _ in range(blocks))
        self.attention = attention

    def forward(self, x: Tensor) -> Tensor:
        """Return ``[B, outputs, H, W]``, of another size where one of `Down` and `Up` ends the stage."""
        for place, block in enumerate(self.resnets):
            x = block(x)
            if self.attention:
                x = self.attentions[place](x)
        for ends in ("downsamplers", "upsamplers"):
            if hasattr(self, ends):
                x = getattr(self, ends)[0](x)
        return x


class Middle(nn.Module):
    """Residual block, attention, residual block."""

    def __init__(self, channels: int, groups: int, attention: bool) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(Residual(channels, channels, groups) for _ in range(2))
        self.attentions = nn.ModuleList([Attention(channels, groups)] if attention else [])

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the input's shape."""
        x = self.resnets[0](x)
        for attention in self.attentions:
            x = attention(x)
        found: Tensor = self.resnets[1](x)
        return found


class Encoder(nn.Module):
    """Pictures ``[B, 3, H, W]`` in [-1, 1] to mean and log variance ``[B, 2 inner, h, w]``."""

    def __init__(self, config: AutoencoderKLConfig) -> None:
        super().__init__()
        widths, groups = config.widths, config.groups
        self.conv_in = nn.Conv2d(3, widths[0], 3, padding=1)
        before = (widths[0], *widths)
        self.down_blocks = nn.ModuleList(
            Stage(*pair, config.blocks, groups, attention)
            for pair, attention in zip(zip(before, widths, strict=False), config.down_attention, strict=True)
        )
        for stage, width in zip(self.down_blocks[:-1], widths, strict=False):
            stage.downsamplers = nn.ModuleList([Down(width)])
        self.mid_block = Middle(widths[-1], groups, config.middle_attention)
        self.conv_norm_out = nn.GroupNorm(groups, widths[-1], eps=_EPS)
        self.conv_out = nn.Conv2d(widths[-1], 2 * config.inner, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return mean and log variance, one after the other."""
        x = self.conv_in(x)
        for stage in self.down_blocks:
            x = stage(x)
        found: Tensor = self.conv_out(F.silu(self.conv_norm_out(self.mid_block(x))))
        return found


class Decoder(nn.Module):
    """Grids ``[B, inner, h, w]`` to pictures ``[B, 3, H, W]``, mostly in [-1, 1]."""

    def __init__(self, config: AutoencoderKLConfig) -> None:
        super().__init__()
        widths, groups = config.widths[::-1], config.groups
        self.conv_in = nn.Conv2d(config.inner, widths[0], 3, padding=1)
        self.mid_block = Middle(widths[0], groups, config.middle_attention)
        before = (widths[0], *widths)
        self.up_blocks = nn.ModuleList(
            Stage(*pair, config.blocks + 1, groups, attention)
            for pair, attention in zip(zip(before, widths, strict=False), config.up_attention, strict=True)
        )
        for stage, width in zip(self.up_blocks[:-1], widths, strict=False):
            stage.upsamplers = nn.ModuleList([Up(width)])
        self.conv_norm_out = nn.GroupNorm(groups, widths[-1], eps=_EPS)
        self.conv_out = nn.Conv2d(widths[-1], 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return pictures."""
        x = self.mid_block(self.conv_in(x))
        for stage in self.up_blocks:
            x = stage(x)
        found: Tensor = self.conv_out(F.silu(self.conv_norm_out(x)))
        return found


class AutoencoderKL(nn.Module):
    """A `LatentModel` whose latents are grids; see the module's text.

    Its settings and its specification are compared when it is made, and every layer follows from them, so it
    needs no trial: all its weights would be gone through for it.
    """

    def __init__(self, config: AutoencoderKLConfig, spec: ModelSpec) -> None:
        super().__init__()
        self.config, self.spec = config, spec
        self.needs_no_trial = True
        expected = config.spec(spec.image_size).latent_shape
        if spec.image_size % config.patch or spec.latent_shape != expected:
            raise ValueError(
                f"for pictures of {spec.image_size} pixels, which must be a multiple of {config.patch}, the "
                f"latent has the shape {list(expected)}, not {list(spec.latent_shape)}"
            )
        self.encoder, self.decoder = Encoder(config), Decoder(config)
        inner, latent = config.inner, config.latent
        self.quant_conv = nn.Conv2d(2 * inner, 2 * latent, 1) if config.before_latent else nn.Identity()
        self.post_quant_conv = nn.Conv2d(latent, inner, 1) if config.after_latent else nn.Identity()

    def encode(self, images: Tensor, condition: Tensor | None = None) -> Posterior:
        """Return mean and log variance, each ``[B, C, h, w]``, of images ``[B, 3, H, W]`` in [0, 1]."""
        mean, logvar = self.quant_conv(self.encoder(images * 2.0 - 1.0)).chunk(2, dim=1)
        scale = self.config.scale
        return Posterior(
            scale * (mean - self.config.shift), logvar.clamp(*LOGVAR_RANGE) + 2.0 * math.log(scale)
        )

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return images ``[B, 3, H, W]`` in [0, 1] for latents ``[B, C, h, w]``."""
        z = latents / self.config.scale + self.config.shift
        return to_unit(self.decoder(self.post_quant_conv(z)))

    def sample(self, n: int, condition: Tensor | None, generator: torch.Generator) -> Tensor:
        """Refuse: there is no prior to draw from."""
        raise NotImplementedError(self.spec.cannot.get("sample", "it has no prior."))
