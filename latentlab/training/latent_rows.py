"""An autoencoder's posteriors of a set's images, with what is known of each: what a cINN is trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentlab.data.avatars import paired
from latentlab.data.image_set import UNKNOWN, ImageSet
from latentlab.errors import SettingsError
from latentlab.families.vae import VAE
from latentlab.training.vae import posteriors


@dataclass(frozen=True)
class LatentRows:
    """The autoencoder's posteriors of a set as examples: ``[B, 2 D]``, means and deviations side by side.

    Parameters
    ----------
    mean, deviation
        float32 ``[n, D]``.
    datasets
        The dataset of each row, int64 ``[n]``.
    attributes
        Class codes ``[n]`` by attribute, `UNKNOWN` where the dataset cannot show it.
    pairs
        Rows that show the same, ``[P, 2]``, each in two datasets; none by default.
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    datasets: NDArray[np.int64]
    attributes: Mapping[str, NDArray[np.int64]]
    pairs: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.mean)

    def tensor(self, rows: NDArray[np.int64], device: torch.device) -> Tensor:
        """Return the posteriors of rows."""
        both = np.concatenate([self.mean[rows], self.deviation[rows]], axis=1)
        return torch.from_numpy(both).to(device)

    def can_draw(self, attribute: str, datasets: int) -> NDArray[np.bool_]:
        """Return whether each dataset has any image whose class of an attribute is known, ``[K]``."""
        known = self.attributes[attribute] != UNKNOWN
        return np.array([(known & (self.datasets == k)).any() for k in range(datasets)], dtype=bool)


def latent_rows(
    vae: VAE, images: ImageSet, datasets: str, attributes: Sequence[str], pairs: int = 0, seed: int = 0
) -> LatentRows:
    """Encode a set's images, with their labels, and choose pairs.

    Parameters
    ----------
    datasets
        The attribute whose classes are the datasets.
    attributes
        The attributes whose codes are wanted.
    pairs
        How many identities are taken, in all their styles, as known pairs.

    Raises
    ------
    DataError
        If pairs are asked for and the set has none.
    SettingsError
        If it has fewer, or an image's dataset is not known.
    """
    codes = np.asarray(images.codes(datasets), dtype=np.int64)
    if (codes == UNKNOWN).any():
        first = images.names[images.rows[int(np.argmax(codes == UNKNOWN))]]
        raise SettingsError(
            f"Every image needs its dataset; {int((codes == UNKNOWN).sum())} of {images.info.name} have no "
            f"{datasets}, such as {first}. Fill in the set's attributes.csv or leave them out."
        )
    means, deviations = [], []
    for posterior in posteriors(vae, images):
        assert posterior.logvar is not None
        means.append(posterior.mean.float().cpu())
        deviations.append(torch.exp(0.5 * posterior.logvar.float()).cpu())
    return LatentRows(
        torch.cat(means).numpy(),
        torch.cat(deviations).numpy(),
        codes,
        {name: np.asarray(images.codes(name), dtype=np.int64) for name in attributes},
        _known_pairs(images, codes, pairs, seed) if pairs else np.zeros((0, 2), dtype=np.int64),
    )


def _known_pairs(images: ImageSet, datasets: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Return the rows of all pairs of styles of some identities, ``[P, 2]``.

    Styles that were merged into one dataset are no pair: under one condition two pictures have two latents.
    """
    identities, places = paired(images)
    if count < 0 or count > len(identities):
        raise SettingsError(f"There are {len(identities)} identities in all styles, so no {count} pairs.")
    chosen = np.random.default_rng([seed, 2]).permutation(len(identities))[:count]
    styles = list(places)
    found = [
        np.stack([places[a][chosen], places[b][chosen]], axis=1)
        for k, a in enumerate(styles)
        for b in styles[k + 1 :]
    ]
    pairs = np.concatenate(found)
    return np.asarray(pairs[datasets[pairs[:, 0]] != datasets[pairs[:, 1]]], dtype=np.int64)
