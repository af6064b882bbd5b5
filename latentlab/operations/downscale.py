"""Bicubic reduction that gives what Pillow's ``BICUBIC`` gives, as an operation with a gradient.

Keys' kernel with a = -0.5, widened by the factor so that nothing aliases; at the border the weights that fall
outside are left out and the others renormalised (Pillow's rule; the reference of PULSE reflects instead). As
Pillow does, rows are reduced first, then columns, and what overshoots [0, 1] is cut off after each; Pillow
also rounds to 8 bits after each, so that results differ by up to 1/255.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def bicubic_weights(size: int, side: int) -> Tensor:
    """Return the weights float64 ``[side, size]`` that reduce (or enlarge) a line of pixels."""
    every = torch.eye(size, dtype=torch.float64)[None, None]
    found: Tensor = F.interpolate(every, size=(side, size), mode="bicubic", antialias=True)[0, 0]
    return found


class Downscale:
    """Reduces images ``[B, C, H, W]`` in [0, 1] to ``[B, C, h, w]``.

    Parameters
    ----------
    size, side
        Height and width before and after, in pixels; one number for squares.
    """

    def __init__(self, size: int | tuple[int, int], side: int | tuple[int, int]) -> None:
        (height, width), (h, w) = (one if isinstance(one, tuple) else (one, one) for one in (size, side))
        self._down = bicubic_weights(height, h)
        self._across = self._down if (height, h) == (width, w) else bicubic_weights(width, w)
        self._ready: dict[tuple[torch.device, torch.dtype], tuple[Tensor, Tensor]] = {}

    def __call__(self, images: Tensor) -> Tensor:
        """Return the reduced images, differentiable wherever nothing overshoots."""
        kind = (images.device, images.dtype)
        if kind not in self._ready:
            self._ready[kind] = (
                self._down.to(device=images.device, dtype=images.dtype),
                self._across.T.to(device=images.device, dtype=images.dtype).contiguous(),
            )
        down, across = self._ready[kind]
        return torch.matmul(down, torch.matmul(images, across).clamp(0.0, 1.0)).clamp(0.0, 1.0)
