"""Latents and conditions as a model will see them, for trials and benchmarks."""

from __future__ import annotations

import torch
from torch import Tensor

from latentlab.spec import ModelSpec

FARTHEST = 3.0
"""How far conditions are scaled to either side, as far as the window's sliders go."""
_UNKNOWN = 0.125  # share of far rows of which an attribute is not told


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
        spread where the prior is another), and float32 conditions ``[B, C]``: one class of each attribute,
        and of a continuous one a standard-normal number, for the schema does not know its range.
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
        where = spec.condition.slice(attribute.name)
        if attribute.kind == "continuous":
            condition[:, where] = torch.randn(count, 1, generator=generator)
            continue
        drawn = torch.randint(attribute.width, (count,), generator=generator)
        condition[torch.arange(count), where.start + drawn] = 1.0
    return latents, condition


def typical_and_far(spec: ModelSpec, count: int, seed: int = 0) -> tuple[Tensor, ...]:
    """Return input like `example`, every second row of which is as far out as what one edits.

    Its latent lies twice as far out, and every attribute of its condition has a scale of its own: from minus
    to plus `FARTHEST`, the first of these rows at both ends, and now and then 0.
    """
    near, far = example(spec, count, seed), example(spec, count, seed + 1, reach=2.0)
    if spec.condition.size:
        far = far[0], _scaled(spec, far[1], seed)
    return tuple(torch.stack(pair, 1).flatten(0, 1)[:count] for pair in zip(near, far, strict=True))


def _scaled(spec: ModelSpec, conditions: Tensor, seed: int) -> Tensor:
    """Return conditions ``[B, C]`` with each attribute scaled, a continuous one set."""
    generator = torch.Generator().manual_seed(seed + 2)
    found, count = conditions.clone(), len(conditions)
    for attribute in spec.condition.attributes:
        scales = FARTHEST * (2.0 * torch.rand(count, 1, generator=generator) - 1.0)
        scales[torch.rand(count, 1, generator=generator) < _UNKNOWN] = 0.0
        scales[:2] = torch.tensor([[FARTHEST], [-FARTHEST]])[:count]
        where = spec.condition.slice(attribute.name)
        found[:, where] = scales if attribute.kind == "continuous" else scales * conditions[:, where]
    return found
