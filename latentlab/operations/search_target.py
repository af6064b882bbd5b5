"""What is searched for: a small picture, given as it is or made from a larger one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from latentlab.data.image_set import images_to_tensor
from latentlab.data.pictures import square_picture
from latentlab.errors import ImageError, SettingsError
from latentlab.operations.search_plan import FITS, Observation
from latentlab.operations.search_unknowns import Observer, in_kind

Fit = Literal["crop", "stretch", "pad"]
Given = Literal["auto", "full", "small"]


@dataclass(frozen=True, eq=False)
class SearchTarget:
    """A small picture to search for.

    Parameters
    ----------
    small
        Float32 ``[side, side, channels]`` in [0, 1]; 1 channel of luminance, or 3 colours.
    source
        The picture at the model's size that it was made from, uint8 ``[S, S, 3]``; None where the small
        picture was given itself.
    notes
        How it came about, a sentence each.
    """

    small: NDArray[np.float32]
    source: NDArray[np.uint8] | None
    notes: tuple[str, ...]
    name: str = ""

    def tensor(self) -> torch.Tensor:
        """Return it as float32 ``[1, channels, side, side]``."""
        return torch.from_numpy(np.ascontiguousarray(self.small.transpose(2, 0, 1)))[None]

    def shown(self) -> NDArray[np.uint8]:
        """Return it as a picture uint8 ``[side, side, 3]``."""
        return small_picture(self.small)


def small_picture(small: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return what was observed ``[side, side, channels]`` as a picture uint8 ``[side, side, 3]``."""
    rounded = np.rint(small.clip(0.0, 1.0) * 255.0).astype(np.uint8)
    return np.repeat(rounded, 3, axis=2) if rounded.shape[2] == 1 else rounded


def search_target(
    pixels: NDArray[np.uint8],
    observation: Observation,
    image_size: int,
    *,
    fit: Fit = "crop",
    given: Given = "auto",
    notes: tuple[str, ...] = (),
    name: str = "",
) -> SearchTarget:
    """Make the small picture that is searched for.

    Parameters
    ----------
    pixels
        A picture uint8 ``[H, W, 3]``, RGB, of any size.
    image_size
        The model's, S.
    fit
        How it becomes a square (`latentlab.operations.search_plan.FITS`).
    given
        *full*: it is made S pixels large, and reduced by the factor. *small*: it is the small picture itself,
        resized where it has another size. *auto*: *small* where it has no more pixels on its shorter side
        than the small picture, else *full*.
    notes
        What is known of it already.

    Raises
    ------
    ImageError
        If it shows one colour only, so that there is nothing to search for, or is no picture.
    SettingsError
        If the factor or a choice does not exist.
    """
    side = observation.side(image_size)
    check_fit(fit, given)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size or pixels.dtype != np.uint8:
        raise ImageError(f"A picture is uint8 [H, W, 3]; {pixels.dtype} {list(pixels.shape)} was given.")
    height, width = pixels.shape[:2]
    is_small = given == "small" or (given == "auto" and min(height, width) <= side)
    size, told = (side if is_small else image_size), list(notes)
    square = _square(pixels, size, fit)
    if height != width:
        told.append(f"It has {width} x {height} px; what is looked at is {FITS[fit]}.")
    if is_small:
        told.append(f"It was taken for the small picture itself ({side} x {side} px).")
    whose = "small picture" if is_small else "model"
    seen = min(height, width) if fit == "crop" else max(height, width)
    if seen > size:
        told.append(f"It is larger than the {whose} and was reduced to {size} px.")
    elif seen < size:
        told.append(f"It is smaller than the {whose} and was enlarged to {size} px.")
    if any((one.max((0, 1)) == one.min((0, 1))).all() for one in (pixels, square)):
        raise ImageError(
            f"{name or 'The picture'} shows one colour only: there is nothing to search for. Choose another."
        )
    images = images_to_tensor(square[None])
    small = in_kind(images, observation) if is_small else Observer(observation, image_size)(images)
    found = np.ascontiguousarray(small[0].permute(1, 2, 0).numpy(), dtype=np.float32)
    if observation.exposure_spread:
        told.append("Its exposure is taken for unknown.")
    return SearchTarget(found, None if is_small else square, tuple(told), name)


def check_fit(fit: str, given: str) -> None:
    """Make sure that how a picture is taken is known (`search_target`).

    Raises
    ------
    SettingsError
        If one of the choices does not exist.
    """
    if fit not in FITS:
        raise SettingsError(f"A picture is made to fit by {', '.join(FITS)}, not {fit!r}.")
    if given not in get_args(Given):
        raise SettingsError(f"A picture is given as {', '.join(get_args(Given))}, not {given!r}.")


def _square(pixels: NDArray[np.uint8], size: int, fit: Fit) -> NDArray[np.uint8]:
    # Resized before it is padded or stretched: a narrow picture's square may be larger than the memory.
    height, width = pixels.shape[:2]
    if fit == "crop" or height == width:
        return square_picture(pixels, size)
    if fit == "stretch":
        return _resized(pixels, size, size)
    longer = max(height, width)
    part = _resized(pixels, *(max(1, round(size * one / longer)) for one in (height, width)))
    padded = np.full((size, size, 3), 255, dtype=np.uint8)
    top, left = ((size - one) // 2 for one in part.shape[:2])
    padded[top : top + part.shape[0], left : left + part.shape[1]] = part
    return padded


def _resized(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    return np.array(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))
