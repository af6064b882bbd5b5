"""GEOCROSS: how far the rows of a latent lie apart on the sphere (PULSE, Menon et al. 2020)."""

from __future__ import annotations

import torch
from torch import Tensor

_DIVISOR = 8.0  # the reference's own scale, beside a mean over pairs


def geocross(latents: Tensor) -> Tensor:
    """Return the mean squared geodesic distance between all pairs of rows, D theta^2 / 8, of each latent.

    theta_ij = 2 atan2(|v_i - v_j|, |v_i + v_j|) is the angle between rows of equal norm. It is 0 for a model
    with a single latent row.

    Parameters
    ----------
    latents
        ``[B, rows, D]``.

    Returns
    -------
    torch.Tensor
        ``[B]``, with a gradient also where rows are equal.
    """
    rows = latents.shape[1]
    if rows < 2:
        return latents.new_zeros(len(latents))
    one, other = torch.triu_indices(rows, rows, offset=1, device=latents.device)
    vi, vj = latents[:, one], latents[:, other]
    theta = 2.0 * torch.atan2(_norm(vi - vj), _norm(vi + vj))
    # The mean is over all rows^2 ordered pairs, those of a row with itself (theta = 0) among them.
    return latents.shape[2] * theta.square().sum(1) * 2.0 / rows**2 / _DIVISOR


def _norm(x: Tensor) -> Tensor:
    """Return the norm over the last axis; its gradient at 0 is 0, not NaN."""
    return (x.square().sum(-1) + 1e-12).sqrt()
