"""The whole pass of a frame as one module: latents to picture to attributes and to the screen's bytes.

`prepare` makes fast forms of this module; the plain module is what a script would run.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from latentlab.families.resized import ResizedPredictor
from latentlab.model import AttributePredictor, LatentModel


class FrameNetwork(nn.Module):
    """Decoder and attribute predictor in one pass.

    Parameters
    ----------
    model
        A `LatentModel`.
    predictor
        An `AttributePredictor`, or None: then there are no probabilities. Pictures are resized to the
        predictor's size where it differs from the model's.
    screen
        Whether images become pixels for the screen (`Screen`); a benchmark measures without.
    """

    def __init__(
        self, model: LatentModel, predictor: AttributePredictor | None = None, screen: bool = True
    ) -> None:
        super().__init__()
        self.model = model
        self.judge = None if predictor is None else ResizedPredictor(predictor, model.spec.image_size)
        self.screen = Screen() if screen else nn.Identity()

    def forward(self, latents: Tensor, condition: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return pixels (or images ``[B, 3, S, S]``), and each attribute's probabilities ``[B, classes]``."""
        images = self.model.decode(latents, condition)
        pixels = self.screen(images)
        return (pixels,) if self.judge is None else (pixels, *self.judge.predict(images).values())


class Screen(nn.Module):
    """Images ``[B, 3, S, S]`` in [0, 1] to what a screen shows: uint8 ``[B, S, S, 4]``, B, G, R, 255."""

    def forward(self, images: Tensor) -> Tensor:
        """Return the pixels, on the images' device.

        The channels are joined by arithmetic in float32, which holds all 24 bits: that takes a few passes
        over whole pictures on any device, and no interleaving byte by byte. In memory, a 32-bit number
        0xFFRRGGBB is the bytes B, G, R, 255 of a little-endian machine.
        """
        red, green, blue = (images.float() * 255.0).round_().clamp_(0.0, 255.0).unbind(1)
        joined = torch.add(blue, green, alpha=256.0).add_(red, alpha=65536.0)
        pixels = joined.to(torch.int32).bitwise_or_(_OPAQUE).contiguous()
        return pixels.view(torch.uint8).reshape(*pixels.shape, 4)


_OPAQUE = -(1 << 24)
"""The highest byte of a 32-bit pixel set, as a signed number."""
