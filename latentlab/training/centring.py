"""The condition is taken out of a latent at once, as far as a line can read it: before and after training.

A VAE's latent tells all that a condition says. Least-squares concept erasure (Belrose et al. 2023, LEACE)
gives the affine change of z, smallest in the mean square, after which no linear probe reads the condition;
what was taken out is regressed on the condition and handed to the decoder by it. So a CVAE begins with
reconstructions close to the VAE's, with flips that move the latent by the difference of the classes' means,
and with an encoder that what it is told does not move.

In training the latent of every step goes through the erasure of the last steps' latents before it is decoded:
whatever the encoder learns, the decoder never sees what a line could read, and at the end the erasure of all
images becomes part of the encoder's last layer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from latentlab.families.cvae import CVAE

_FLOOR = 1e-6


def erasure(
    latents: NDArray[np.float64], conditions: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the affine map z -> A z + b after which conditions cannot be read linearly.

    Parameters
    ----------
    latents, conditions
        ``[n, D]`` and ``[n, C]``, n > 1.

    Returns
    -------
    tuple
        A ``[D, D]`` and b ``[D]``; the map keeps the mean.
    """
    middle = latents.mean(axis=0)
    z, c = latents - middle, conditions - conditions.mean(axis=0)
    values, vectors = np.linalg.eigh(z.T @ z / len(z))
    scales = np.sqrt(np.maximum(values, _FLOOR * values.max()))
    whiten, unwhiten = (vectors / scales) @ vectors.T, (vectors * scales) @ vectors.T
    left, strengths, _ = np.linalg.svd(whiten @ (z.T @ c / len(z)), full_matrices=False)
    seen = left[:, strengths > _FLOOR * max(strengths.max(), _FLOOR)]
    matrix = np.eye(z.shape[1]) - unwhiten @ seen @ seen.T @ whiten
    return matrix, middle - matrix @ middle


def erase_condition(
    cvae: CVAE, latents: NDArray[np.float32], conditions: NDArray[np.float32], hand_over: bool
) -> None:
    """Take what a CVAE's latent tells of the condition out of its encoder.

    Parameters
    ----------
    cvae
        It is changed in place.
    latents
        The posterior means of images under it, ``[n, D]``.
    conditions
        Their conditions, ``[n, C]``.
    hand_over
        Whether what was taken out is handed to the decoder by the condition: where the decoder has learnt to
        rely on it.
    """
    z, c = latents.astype(np.float64), conditions.astype(np.float64)
    matrix, offset = erasure(z, c)
    taken = z - (z @ matrix.T + offset)
    design = np.hstack([c, np.ones((len(c), 1))])
    told, *_ = np.linalg.lstsq(design, taken, rcond=None)
    half = z.shape[1]

    def tensor(array: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(array).to(cvae.from_latent.weight)

    with torch.no_grad():
        to_mean, bias = cvae.to_posterior.weight[:half].clone(), cvae.to_posterior.bias[:half].clone()
        told_mean = cvae.condition_to_posterior.weight[:half].clone()
        cvae.to_posterior.weight[:half] = tensor(matrix) @ to_mean
        cvae.to_posterior.bias[:half] = tensor(matrix) @ bias + tensor(offset)
        cvae.condition_to_posterior.weight[:half] = tensor(matrix) @ told_mean
        if not hand_over:
            return
        cvae.from_condition.weight.add_(cvae.from_latent.weight @ tensor(told[:-1].T))
        cvae.from_latent.bias.add_(cvae.from_latent.weight @ tensor(told[-1]))
