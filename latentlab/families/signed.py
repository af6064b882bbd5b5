"""Pictures in [-1, 1], as other projects' networks take and give them."""

from __future__ import annotations

import torch
from torch import Tensor


def to_unit(pictures: Tensor) -> Tensor:
    """Return pictures of [-1, 1] in [0, 1], cut off there.

    While gradients are asked for, what is cut off passes them: a search would otherwise never move a pixel
    back that has left the range.
    """
    pictures = 0.5 * pictures + 0.5
    cut = pictures.clamp(0.0, 1.0)
    if torch.is_grad_enabled() and pictures.requires_grad:
        return pictures + (cut - pictures).detach()
    return cut
