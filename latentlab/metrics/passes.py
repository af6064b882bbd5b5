"""Running networks over whole sets: in batches, in float32, on one device, with progress.

Evaluation is never done in a lower precision, and TensorFloat-32 is off, so that figures of different
machines can be compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentlab.data.image_set import ImageSet, images_to_tensor
from latentlab.errors import SettingsError
from latentlab.families.resized import resized
from latentlab.model import AttributePredictor
from latentlab.progress import Progress, Reporter

BATCH = 64


@dataclass(frozen=True)
class Judgements:
    """What a predictor says of n images: probabilities ``[n, classes]`` by attribute, features ``[n, F]``."""

    probabilities: dict[str, NDArray[np.float32]]
    features: NDArray[np.float32]

    def codes(self, attribute: str) -> NDArray[np.int64]:
        """Return the most probable class of each image, ``[n]``."""
        codes: NDArray[np.int64] = self.probabilities[attribute].argmax(axis=1)
        return codes


class JudgementsList:
    """Collects judgements batch by batch."""

    def __init__(self, predictor: AttributePredictor) -> None:
        self._predictor = predictor
        self._features: list[NDArray[np.float32]] = []
        self._probabilities: list[dict[str, NDArray[np.float32]]] = []

    def judge(self, images: Tensor) -> None:
        """Judge images ``[B, 3, S, S]`` in [0, 1]; another size than the predictor's is resized to it."""
        features = self._predictor.features(resized(images, self._predictor.spec.image_size))
        probabilities = self._predictor.probabilities(features)
        self._features.append(features.float().cpu().numpy())
        self._probabilities.append({name: p.float().cpu().numpy() for name, p in probabilities.items()})

    def all(self) -> Judgements:
        """Return everything that was judged, in order."""
        names = self._probabilities[0]
        return Judgements(
            {name: np.concatenate([batch[name] for batch in self._probabilities]) for name in names},
            np.concatenate(self._features),
        )


def judge_set(
    predictor: AttributePredictor,
    data: ImageSet,
    device: torch.device,
    reporter: Reporter,
    stage: str = "Judging the images",
) -> Judgements:
    """Judge every image of a set, which must have the predictor's image size or is resized to it.

    Raises
    ------
    Cancelled
        If the reporter asked for it.
    """
    found = JudgementsList(predictor)
    with evaluation():
        for _, images in batches(data, device, reporter, stage):
            found.judge(images)
    return found.all()


def batches(
    data: ImageSet, device: torch.device, reporter: Reporter, stage: str
) -> Iterator[tuple[slice, Tensor]]:
    """Give the images of a set in order as float32 ``[B, 3, S, S]`` in [0, 1], and where they stand."""
    n = len(data)
    for start in range(0, n, BATCH):
        reporter.raise_if_cancelled()
        where = slice(start, min(n, start + BATCH))
        yield where, images_to_tensor(data.pixels(where)).to(device)
        reporter.report(Progress(stage, where.stop, n))


@contextmanager
def evaluation() -> Iterator[None]:
    """Compute without gradients and, on a GPU too, in full float32."""
    cudnn = torch.backends.cudnn
    before = cudnn.allow_tf32
    cudnn.allow_tf32 = False
    try:
        with torch.inference_mode():
            yield
    finally:
        cudnn.allow_tf32 = before


def check_size(data: ImageSet, image_size: int, whose: str) -> None:
    """Make sure that a set is at a network's image size.

    Raises
    ------
    SettingsError
        If it is not.
    """
    if data.image_size != image_size:
        raise SettingsError(
            f"The {whose} works at {image_size} px; the set {data.info.name} was opened at {data.image_size} "
            f"px. Open it at {image_size} px."
        )
