"""The losses of the DB-VAE, each beside its formula (Amini et al. 2019; the laboratory's own weights).

Shapes: logits and labels ``[B]``, images ``[B, 3, S, S]``, mu and log sigma^2 ``[B, D]``. Each function
gives one number for each image, ``[B]``; only `debiasing_loss` takes the mean. Mistakes that are easy to
make, and that published versions made, are told where they would be made. The latent that is decoded is
`latentlab.families.dbvae.reparameterise`.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

KL_WEIGHT = 0.0005
"""c: for a reconstruction term that is a *mean* absolute error in [0, 1]."""


def kl_divergence(mu: Tensor, logvar: Tensor) -> Tensor:
    """Return KL(N(mu, sigma^2) || N(0, I)) = 1/2 sum(sigma^2 + mu^2 - 1 - log sigma^2) in nats."""
    return 0.5 * (logvar.exp() + mu.square() - 1.0 - logvar).sum(dim=1)


def reconstruction_error(images: Tensor, pictures: Tensor) -> Tensor:
    """Return the mean absolute error of each picture, |x - x^|, in [0, 1]."""
    return (images - pictures).abs().flatten(1).mean(dim=1)


def vae_loss(images: Tensor, pictures: Tensor, mu: Tensor, logvar: Tensor, c: float = KL_WEIGHT) -> Tensor:
    """Return L_VAE = |x - x^| + c KL."""
    return reconstruction_error(images, pictures) + c * kl_divergence(mu, logvar)


def classification_loss(logits: Tensor, is_face: Tensor) -> Tensor:
    """Return L_y, the cross-entropy of being a face (nats)."""
    return F.binary_cross_entropy_with_logits(logits, is_face, reduction="none")


def debiasing_loss(
    logits: Tensor,
    is_face: Tensor,
    images: Tensor,
    pictures: Tensor,
    mu: Tensor,
    logvar: Tensor,
    c: float = KL_WEIGHT,
) -> Tensor:
    """Return the mean over the batch of L_y + I(face) L_VAE: the latent is learnt from faces only.

    The mask stands inside the mean and multiplies the VAE's terms, not the cross-entropy; and mask and terms
    are both ``[B]``, for ``[B, 1]`` times ``[B]`` would be ``[B, B]`` and mask nothing.

    Raises
    ------
    ValueError
        If the parts are not of one length.
    """
    class_term, vae_term = classification_loss(logits, is_face), vae_loss(images, pictures, mu, logvar, c)
    if not class_term.shape == vae_term.shape == is_face.shape:
        raise ValueError(
            f"labels {tuple(is_face.shape)}, class terms {tuple(class_term.shape)} and VAE terms "
            f"{tuple(vae_term.shape)} must all be [B]"
        )
    return (class_term + is_face * vae_term).mean()
