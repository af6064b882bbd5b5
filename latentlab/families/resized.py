"""A predictor for pictures of another size than its own."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from latentlab.model import AttributePredictor


def resized(images: Tensor, side: int, given: int | None = None) -> Tensor:
    """Return images ``[B, 3, side, side]``: the mean over areas downwards, bilinear upwards.

    ``given`` is the images' size, where it is known before the images are (as when a network is traced).
    """
    given = images.shape[-1] if given is None else given
    if given > side:
        return F.interpolate(images, size=(side, side), mode="area")
    if given < side:
        return F.interpolate(images, size=(side, side), mode="bilinear", align_corners=False)
    return images


class ResizedPredictor(nn.Module):
    """An `AttributePredictor` that resizes what it is given.

    Parameters
    ----------
    image_size
        Size of the pictures that will come.
    """

    def __init__(self, predictor: AttributePredictor, image_size: int) -> None:
        super().__init__()
        self.predictor = predictor
        self.spec = predictor.spec
        self._given = image_size

    def predict(self, images: Tensor) -> dict[str, Tensor]:
        """Return calibrated probabilities ``[B, classes]`` by attribute, for images in [0, 1]."""
        return self.predictor.predict(self._fit(images))

    def features(self, images: Tensor) -> Tensor:
        """Return the last hidden layer ``[B, F]``."""
        return self.predictor.features(self._fit(images))

    def probabilities(self, features: Tensor) -> dict[str, Tensor]:
        """Return what `predict` does, for features that have been computed already."""
        return self.predictor.probabilities(features)

    def _fit(self, images: Tensor) -> Tensor:
        return resized(images, self.spec.image_size, self._given)
