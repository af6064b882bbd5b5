"""Settled pictures: rendered so that they come out the same to the bit on one device.

A live frame is a preview in the fastest precision; a settled or exported one is decoded in float32, one
latent at a time, with a stated thread count, because the order of a sum depends on batch and threads.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from latentlab.model import AttributePredictor, LatentModel

_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def intra_op_threads(threads: int | None) -> Iterator[None]:
    """Run with that many intra-op threads on the CPU, and put the former number back afterwards.

    None leaves as many as there are. The number is the process's: whoever else asks for one meanwhile, on
    another thread, waits.
    """
    if threads is None:
        yield
        return
    with _ONE_AT_A_TIME:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def settled_pictures(
    model: LatentModel,
    latents: NDArray[np.float32],
    condition: NDArray[np.float32] | None = None,
    threads: int = 1,
) -> NDArray[np.uint8]:
    """Decode latents one by one in float32.

    Parameters
    ----------
    latents
        Float32 ``[B, *latent_shape]``.
    condition
        Float32 ``[B, C]``, or None for an unconditional model.
    threads
        Intra-op threads; part of what makes the picture repeatable.

    Returns
    -------
    numpy.ndarray
        Pictures uint8 ``[B, S, S, 3]``, RGB.
    """
    pictures = []
    with intra_op_threads(threads), torch.inference_mode():
        for row in range(len(latents)):
            z = torch.from_numpy(np.array(latents[row : row + 1], dtype=np.float32))
            c = (
                None
                if condition is None
                else torch.from_numpy(np.array(condition[row : row + 1], np.float32))
            )
            pictures.append(to_uint8(model.decode(z, c)))
    return np.concatenate(pictures)


def settled_attributes(
    predictor: AttributePredictor, pictures: NDArray[np.uint8], threads: int = 1
) -> list[dict[str, NDArray[np.float32]]]:
    """Predict attributes of pictures uint8 ``[B, S, S, 3]`` one by one in float32, as settled frames do."""
    answers = []
    with intra_op_threads(threads), torch.inference_mode():
        for picture in pictures:
            images = torch.from_numpy(picture.copy())[None].permute(0, 3, 1, 2).float().div_(255.0)
            answers.append({name: p[0].numpy() for name, p in predictor.predict(images).items()})
    return answers


def to_uint8(images: torch.Tensor) -> NDArray[np.uint8]:
    """Turn images float ``[B, 3, S, S]`` in [0, 1] into uint8 ``[B, S, S, 3]``, rounding to nearest."""
    pixels = images.float().mul(255.0).add_(0.5).clamp_(0.0, 255.0).to(torch.uint8)
    return np.ascontiguousarray(pixels.permute(0, 2, 3, 1).cpu().numpy())
