"""What a search may change, as rows of numbers: latent, mixture of classes, exposure.

A row v ``[U]`` holds the latent z (flattened), then a number for every class of each *free* attribute of the
condition, then one for an unknown exposure. Under the prior every number of v is standard normal: the weights
of a free attribute's classes are softmax(4 v), mostly close to one class, and the exposure is exp(spread v).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentlab.conditions import as_condition, first_classes
from latentlab.errors import SettingsError
from latentlab.model import LatentModel
from latentlab.operations import latents
from latentlab.operations.downscale import Downscale
from latentlab.operations.search_plan import Observation
from latentlab.spec import MODE, ModelSpec

SHARPNESS = 4.0
"""What the numbers of a free attribute are multiplied by before the softmax."""
LARGEST_EXPOSURE = 3.0
"""A search takes an exposure within so many of its standard deviations."""
_LUMINANCE = (0.299, 0.587, 0.114)
_EXTRAS = 1  # stream of random numbers beside the latent's


class Observer:
    """Reduces pictures as an `Observation` says, all but the exposure."""

    def __init__(self, observation: Observation, image_size: int) -> None:
        self.observation = observation
        self.side = observation.side(image_size)
        self._down = Downscale(image_size, self.side)

    def __call__(self, images: Tensor) -> Tensor:
        """Return C(D(x)) ``[B, channels, side, side]`` of images ``[B, 3, S, S]`` in [0, 1]."""
        return in_kind(self._down(images), self.observation)


def in_kind(small: Tensor, observation: Observation) -> Tensor:
    """Return small pictures ``[B, 3, h, w]`` in the observation's colours, ``[B, channels, h, w]``."""
    if observation.kind == "colour":
        return small
    return torch.einsum("bchw,c->bhw", small, small.new_tensor(_LUMINANCE))[:, None]


@dataclass(frozen=True, eq=False)
class Drawn:
    """Rows as the model draws them: latents, conditions (None without), exposures, pictures, observations."""

    latents: Tensor
    conditions: Tensor | None
    exposures: Tensor | None
    pictures: Tensor
    observed: Tensor


class Unknowns:
    """Maps rows v ``[B, U]`` to pictures and what is observed of them.

    Parameters
    ----------
    model
        In evaluation mode.
    observer
        At the model's image size.
    condition
        What stands in the condition of the attributes that are not free, float32 ``[C]``; the first classes
        without it.
    free
        Categorical attributes of the condition whose mixture of classes is searched for too.

    Raises
    ------
    SettingsError
        If the model cannot be searched or its prior is not standard normal, or an attribute cannot be free.
    """

    def __init__(
        self,
        model: LatentModel,
        observer: Observer,
        condition: NDArray[np.float32] | None = None,
        free: Sequence[str] = (),
    ) -> None:
        spec = model.spec
        if spec.prior != "standard_normal" or "sample" in spec.cannot:
            why = spec.cannot.get("sample", "its prior is not standard normal.")
            raise SettingsError(f"The model's latents cannot be searched from random ones: {why}")
        if "search" in spec.cannot:
            raise SettingsError(f"The model's latents cannot be searched: {spec.cannot['search']}")
        self.model, self.spec, self.observer = model, spec, observer
        self.free = tuple(dict.fromkeys(free))
        self._condition = None
        if spec.condition.size:
            given = first_classes(spec.condition) if condition is None else condition
            self._condition = torch.from_numpy(as_condition(given, spec.condition).copy())
        elif condition is not None or self.free:
            raise SettingsError("This model is unconditional: leave its condition out.")
        self._slices = sorted((_free_slice(spec, name) for name in self.free), key=lambda one: one.start)
        self.classes = sum(one.stop - one.start for one in self._slices)
        self.size = spec.latent_size + self.classes + int(observer.observation.exposure_spread > 0.0)

    def start(self, seed: int) -> NDArray[np.float32]:
        """Draw a row from the prior; its latent is what Randomise draws from the seed. Float32 ``[U]``."""
        z = latents.draw(self.spec, seed).reshape(-1)
        extras = np.random.default_rng([seed, _EXTRAS]).standard_normal(self.size - z.size)
        return np.concatenate([z, extras.astype(np.float32)])

    def rows(self, v: Tensor) -> Tensor:
        """Return the latents' rows ``[B, rows, D]``: a vector is one row, and so is a grid."""
        shape = self.spec.latent_shape
        rows = shape[0] if len(shape) == 2 else 1
        return v[:, : self.spec.latent_size].reshape(len(v), rows, -1)

    def draw(self, v: Tensor) -> Drawn:
        """Draw the pictures of rows, and observe them: y = e * C(D(G(z, c)))."""
        z = v[:, : self.spec.latent_size].reshape(-1, *self.spec.latent_shape)
        conditions, exposures = self.conditions(v), self.exposures(v)
        pictures = self.model.decode(z, conditions).float()
        observed = self.observer(pictures)
        if exposures is not None:
            observed = observed * exposures[:, None, None, None]
        return Drawn(z, conditions, exposures, pictures, observed)

    def conditions(self, v: Tensor) -> Tensor | None:
        """Return the conditions of rows, ``[B, C]``; None for an unconditional model."""
        if self._condition is None:
            return None
        fixed = self._condition.to(v).expand(len(v), -1)
        if not self._slices:
            return fixed
        parts, at, place = [], self.spec.latent_size, 0
        for where in self._slices:
            width = where.stop - where.start
            parts += [fixed[:, place : where.start], torch.softmax(SHARPNESS * v[:, at : at + width], dim=1)]
            at, place = at + width, where.stop
        return torch.cat([*parts, fixed[:, place:]], dim=1)

    def exposures(self, v: Tensor) -> Tensor | None:
        """Return the exposures of rows, ``[B]``; None where the exposure is known to be 1."""
        spread = self.observer.observation.exposure_spread
        return torch.exp(spread * v[:, -1].clamp(-LARGEST_EXPOSURE, LARGEST_EXPOSURE)) if spread else None


def free_attributes(spec: ModelSpec, fixed: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the attributes that are free where nobody says which: all with classes that are not fixed.

    None of a cINN's, whose datasets are not mixed unless somebody asks for it.
    """
    attributes = spec.condition.attributes
    if any(attribute.name == MODE.name for attribute in attributes):
        return ()
    return tuple(one.name for one in attributes if one.kind == "categorical" and one.name not in fixed)


def _free_slice(spec: ModelSpec, name: str) -> slice:
    attribute = spec.condition.attribute(name)
    if attribute.kind != "categorical" or name == MODE.name:
        raise SettingsError(f"{name!r} has no classes that could be mixed; fix it instead.")
    return spec.condition.slice(name)
