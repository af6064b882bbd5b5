"""Loss of quality, so that detection is hard: few pixels, blur, low contrast and noise, at random.

A face far away, out of focus and in bad light shows little of its features, and a detector then goes by what
it has seen most: that is where it errs unequally. Every picture is degraded anew each time it is drawn, so
that a rare face which is drawn often is never twice the same; held-out pictures are degraded once, by a seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from latentlab.errors import SettingsError


@dataclass(frozen=True)
class Degradation:
    """How bad pictures are: ranges from which each picture's own values are drawn evenly.

    Parameters
    ----------
    sides
        To how many pixels of height and width it is reduced, before it is enlarged again, smoothly.
    contrast
        By what its contrast is multiplied; its mean grey is then put anywhere that leaves it in [0, 1].
    noise
        Standard deviation of Gaussian noise in each channel, on the scale [0, 1].
    """

    sides: tuple[int, ...] = (7, 9, 11, 14, 18)
    contrast: tuple[float, float] = (0.25, 0.85)
    noise: tuple[float, float] = (0.02, 0.1)

    def __post_init__(self) -> None:
        if any(side < 2 for side in self.sides):
            raise SettingsError(f"Pictures are reduced to 2 pixels or more, not {min(self.sides)}.")
        if not 0.0 < self.contrast[0] <= self.contrast[1] <= 1.0:
            raise SettingsError(f"The contrast is a range within 0 to 1, not {self.contrast}.")
        if not 0.0 <= self.noise[0] <= self.noise[1] <= 1.0:
            raise SettingsError(f"The noise is a range within 0 to 1, not {self.noise}.")

    def apply(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return images ``[B, 3, S, S]`` in [0, 1], each degraded for itself.

        The generator is of the CPU, so that the same is drawn on every device.
        """
        n, size, device = len(images), images.shape[-1], images.device
        small = torch.empty_like(images)
        if self.sides:
            side_of = torch.randint(len(self.sides), (n,), generator=generator)
            for place, side in enumerate(self.sides):
                rows = torch.nonzero(side_of == place)[:, 0].to(device)
                if len(rows):
                    reduced = F.adaptive_avg_pool2d(images[rows], side)
                    small[rows] = F.interpolate(reduced, size=size, mode="bilinear", align_corners=False)
        else:
            small = images
        between = torch.rand(3, n, 1, 1, 1, generator=generator)
        contrast = self.contrast[0] + (self.contrast[1] - self.contrast[0]) * between[0]
        grey = contrast / 2.0 + (1.0 - contrast) * between[1]
        deviation = self.noise[0] + (self.noise[1] - self.noise[0]) * between[2]
        noise = torch.randn(images.shape, generator=generator) * deviation
        return ((small - 0.5) * contrast.to(device) + grey.to(device) + noise.to(device)).clamp(0.0, 1.0)
