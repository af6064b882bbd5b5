"""Latents and conditions as a model will see them, for trials and benchmarks."""

from __future__ import annotations

import torch
from torch import Tensor

from latentlab.spec import ModelSpec


def example(spec: ModelSpec, count: int, seed: int = 0, reach: float = 1.0) -> tuple[Tensor, ...]:
    """Return typical input of a model's decoder: latents, and conditions where it has some.

    Parameters
    ----------
    count
        Number B of rows.
    reach
        Multiplies the latents' spread.

    Returns
    -------
    tuple
        Float32 latents ``[B, *latent_shape]`` drawn from the prior (from the training images' mean and
        spread where the prior is another), and float32 conditions ``[B, C]`` with one class each.
    """
    generator = torch.Generator().manual_seed(seed)
    latents = reach * torch.randn(count, spec.latent_size, generator=generator)
    if spec.prior != "standard_normal" and spec.latent_summary is not None:
        latents = torch.tensor(spec.latent_summary.mean) + torch.tensor(spec.latent_summary.std) * latents
    latents = latents.reshape(count, *spec.latent_shape)
    if not spec.condition.size:
        return (latents,)
    condition = torch.zeros(count, spec.condition.size)
    for attribute in spec.condition.attributes:
        start = spec.condition.slice(attribute.name).start
        drawn = torch.randint(attribute.width, (count,), generator=generator)
        condition[torch.arange(count), start + drawn] = 1.0
    return latents, condition


def typical_and_far(spec: ModelSpec, count: int, seed: int = 0) -> tuple[Tensor, ...]:
    """Return input like `example`, every second row of which lies twice as far out, as edited latents do."""
    near, far = example(spec, count, seed), example(spec, count, seed + 1, reach=2.0)
    return tuple(torch.stack(pair, 1).flatten(0, 1)[:count] for pair in zip(near, far, strict=True))
