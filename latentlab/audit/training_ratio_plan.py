"""What the training-ratio study trains: models, ratios, seeds, and the rows that each of them sees."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from latentlab.audit.reference import Reference
from latentlab.data.distribution import Distribution, Ratio
from latentlab.data.image_set import ImageSet
from latentlab.data.resample import largest_remainder, resample
from latentlab.errors import DataError, SettingsError
from latentlab.families.vae import VAE, VAEConfig
from latentlab.metrics.labels import translate
from latentlab.spec import Attribute
from latentlab.training.setting_out import network_config
from latentlab.training.vae import VAELosses

DATA = "faces:train"
"""The set that is trained on where nobody names one."""
BATCH = 64
LOSSES = VAELosses(rate=1e-3, beta=1e-4, features=0.0, adversarial=0.0)
"""No feature network, so that no other network's reading is in what is measured, and no discriminator: 32 px
faces are read by `faces-attributes` after a thousand steps without either."""
_WIDTHS = (16, 32, 64, 64, 64, 64, 64, 64)


@dataclass(frozen=True)
class RatioSettings:
    """What is trained and drawn.

    Parameters
    ----------
    attribute
        The attribute of two classes whose share is varied.
    ratios
        The shares of its first class in training, each between 0 and 1.
    seeds
        Of the trainings at each share.
    n
        Samples of each model.
    attributes
        What is counted; empty for all that the predictor judges. The varied one is always.
    steps, image_size, latent
        Of each training: optimiser steps, the pictures' size in pixels, and entries of the latent.
    """

    attribute: str = "gender"
    ratios: tuple[float, ...] = (0.52, 0.5, 0.4)
    seeds: tuple[int, ...] = (0, 1, 2)
    n: int = 2000
    attributes: tuple[str, ...] = ()
    steps: int = 1500
    image_size: int = 32
    latent: int = 16

    def __post_init__(self) -> None:
        if self.n < 1:
            raise SettingsError(f"At least one sample is needed; {self.n} were asked for.")
        if not self.seeds or min(self.seeds) < 0 or len(set(self.seeds)) < len(self.seeds):
            raise SettingsError("Seeds are one or more different numbers, each 0 or more.")
        if not self.ratios or len(set(self.ratios)) < len(self.ratios):
            raise SettingsError("Ratios are one or more different shares of the attribute's first class.")
        outside = [ratio for ratio in self.ratios if not 0.0 < ratio < 1.0]
        if outside:
            raise SettingsError(f"A ratio is more than 0 and less than 1, not {outside[0]:g}.")
        if self.steps < 1:
            raise SettingsError(f"A training needs at least one step; {self.steps} were asked for.")
        self.network()

    def network(self) -> VAEConfig:
        """Return the shape of the models: 4 to 7 pixels wide at their innermost.

        Raises
        ------
        SettingsError
            If there is none for this picture size or latent.
        """
        stages = min(len(_WIDTHS), max(1, int(math.log2(max(self.image_size, 8) / 4))))
        widths, blocks = _WIDTHS[:stages], (1,) * stages
        return network_config(
            VAEConfig,
            {
                "image_size": self.image_size,
                "latent": self.latent,
                "encoder_widths": widths,
                "encoder_blocks": blocks,
                "decoder_widths": widths,
                "decoder_blocks": blocks,
            },
        )

    def runs(self) -> list[tuple[float, int]]:
        """Return the ratio and seed of each training, in order: so that all ratios are seen early."""
        return [(ratio, seed) for seed in self.seeds for ratio in self.ratios]


@dataclass(frozen=True, eq=False)
class RatioPlan:
    """What is trained on, when all that is asked for is known to be possible.

    Parameters
    ----------
    images
        The set.
    name
        What it was asked for as.
    varied
        The varied attribute as the set has it.
    size
        Images that every training sees: as many as the scarcest class allows at every ratio.
    """

    images: ImageSet
    name: str
    varied: Attribute
    size: int
    settings: RatioSettings

    def resampled(self, ratio: float, seed: int) -> ImageSet:
        """Return the images of one training."""
        return resample(self.images, self._distribution(ratio), self.size, own_seed(ratio, seed))

    def reference(self, ratio: float, attributes: Sequence[Attribute]) -> Reference:
        """Return the shares of the classes that the trainings at a ratio have seen, over all seeds."""
        known = {one.name: one for one in self.images.info.attributes if one.kind == "categorical"}
        sets = [self.resampled(ratio, seed) for seed in self.settings.seeds]
        shares: dict[str, NDArray[np.float64]] = {}
        for one in attributes:
            if one.name in known:
                codes = np.concatenate(
                    [translate(known[one.name], one, images.codes(one.name)) for images in sets]
                )
                counts = np.bincount(codes[codes >= 0], minlength=len(one.classes)).astype(np.float64)
                if counts.sum():
                    shares[one.name] = counts / counts.sum()
        return Reference("its training set", shares)

    def sha256(self) -> str:
        """Return the SHA-256 of the rows' names and labels."""
        found = hashlib.sha256("\n".join(self.images.names[self.images.rows].tolist()).encode())
        for one in self.images.info.attributes:
            found.update(one.name.encode() + np.ascontiguousarray(self.images.codes(one.name)).tobytes())
        return found.hexdigest()

    def _distribution(self, ratio: float) -> Distribution:
        first, second = self.varied.classes
        shares = {first: ratio, second: 1.0 - ratio}
        return Distribution(ratios=(Ratio(attribute=self.varied.name, shares=shares),))


def plan_of(images: ImageSet, name: str, settings: RatioSettings) -> RatioPlan:
    """Plan the trainings on a set.

    Raises
    ------
    SettingsError
        If the attribute has not two classes.
    DataError
        If the set lacks it, a class of it has no image, or there are too few for a ratio.
    """
    varied = images.attribute(settings.attribute)
    if varied.kind != "categorical" or len(varied.classes) != 2:
        has = "no classes" if varied.kind != "categorical" else f"{len(varied.classes)} classes"
        raise SettingsError(
            f"The share of {varied.name} cannot be varied: it has {has}, not two. Choose another attribute."
        )
    counts = np.bincount(images.codes(varied.name)[images.codes(varied.name) >= 0], minlength=2)
    if not counts.all():
        lacking = varied.classes[int(np.argmin(counts))]
        raise DataError(f"The set {name} has no image with {varied.name}={lacking}.")
    whole = RatioPlan(images, name, varied, 0, settings)
    sizes = {}
    for ratio in settings.ratios:
        try:
            sizes[ratio] = len(resample(images, whole._distribution(ratio)))
        except DataError:
            sizes[ratio] = 0
    least = min(sizes, key=lambda ratio: sizes[ratio])
    if sizes[least] < BATCH:
        raise DataError(
            f"The set {name} allows {sizes[least]} images with a share of {least:g} of "
            f"{varied.name}={varied.classes[0]}; at least {BATCH} are needed. Choose another ratio, or a "
            "larger set."
        )
    for ratio in settings.ratios:
        if 0 in largest_remainder(np.array([ratio, 1.0 - ratio]), sizes[least]):
            lacking = varied.classes[int(ratio > 1.0 - ratio)]
            raise DataError(
                f"At a ratio of {ratio:g} not one of {sizes[least]:,} images of {name} would be "
                f"{varied.name}={lacking}. Choose a ratio nearer to 0.5, or a larger set."
            )
    return RatioPlan(images, name, varied, sizes[least], settings)


def own_seed(ratio: float, seed: int) -> int:
    """Return the seed of a training's rows, first weights and noise.

    It depends on the ratio too: trainings that share their first weights would go astray together, and then
    the differences between ratios would be spread less, or more, than the trainings of one ratio say.
    """
    return int(np.random.SeedSequence([seed, round(ratio * 10**9)]).generate_state(1)[0])


def name_of(ratio: float, seed: int) -> str:
    """Return what a training's folder is called."""
    return f"ratio-{ratio!r}-seed-{seed}"


def count_parameters(settings: RatioSettings) -> int:
    """Return how many parameters each model has."""
    with torch.device("meta"):
        network = VAE(settings.network())
    return sum(one.numel() for one in network.parameters())


def as_record(plan: RatioPlan) -> dict[str, Any]:
    """Return all that the trainings rest on, as plain values."""
    settings = plan.settings
    return {
        "data": plan.name,
        "images_sha256": plan.sha256(),
        "images": plan.size,
        "attribute": settings.attribute,
        "classes": list(plan.varied.classes),
        "ratios": list(settings.ratios),
        "seeds": list(settings.seeds),
        "n": settings.n,
        "steps": settings.steps,
        "batch": BATCH,
        "image_size": settings.image_size,
        "latent": settings.latent,
        "rate": LOSSES.rate,
        "beta": LOSSES.beta,
        "parameters": count_parameters(settings),
    }
