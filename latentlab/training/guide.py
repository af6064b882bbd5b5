"""The guide of a cINN's projections: a classifier that reads them as pictures, and stands in a loss only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from latentlab.data.image_set import UNKNOWN
from latentlab.families.attribute_cnn import AttributeCNN
from latentlab.families.vae import VAE
from latentlab.metrics.labels import translation
from latentlab.spec import Attribute


class Guide:
    """Reads projections as pictures: a frozen decoder, and a frozen classifier that judges nothing else.

    Parameters
    ----------
    vae
        The autoencoder, whose decoder draws.
    network
        The classifier.
    datasets
        The attribute whose classes are the datasets.
    attributes
        What is tied. Those that the classifier knows are read; a class that it knows by no name is not.
    can_draw
        By attribute, whether each dataset can draw it, ``[K]``.
    """

    def __init__(
        self,
        vae: VAE,
        network: AttributeCNN,
        datasets: Attribute,
        attributes: Sequence[Attribute],
        can_draw: Mapping[str, NDArray[np.bool_]],
    ) -> None:
        self.vae, self.network = vae.requires_grad_(False).eval(), network.requires_grad_(False).eval()
        known = {attribute.name: attribute for attribute in network.spec.attributes}
        self.places = {
            one.name: torch.from_numpy(translation(one, known[one.name]))
            for one in (datasets, *attributes)
            if one.name in known
        }
        self.datasets = datasets.name
        self.can_draw = {name: torch.from_numpy(where) for name, where in can_draw.items()}

    def to(self, device: torch.device) -> Guide:
        """Move the networks to a device."""
        self.vae.to(device)
        self.network.to(device)
        return self

    def drawn(self, x: Tensor) -> Tensor:
        """Return the pictures ``[B, 3, S, S]`` of the autoencoder's latents ``[B, D]``."""
        return self.vae.decode(x)

    def features(self, x: Tensor) -> Tensor:
        """Return the classifier's features ``[B, F]``, float32, of the pictures of latents ``[B, D]``.

        In bfloat16, which takes half the time: losses on moments of many pictures need no more.
        """
        with torch.autocast(x.device.type, torch.bfloat16):
            pictures = self.drawn(x).contiguous(memory_format=torch.channels_last)
            found: Tensor = self.network.features(pictures)
        return found.float()

    def misread(self, pictures: Tensor, targets: Tensor, labels: Mapping[str, Tensor]) -> Tensor:
        """Return the cross-entropy of what pictures ``[B, 3, S, S]`` ought to show, a mean over attributes.

        Parameters
        ----------
        targets
            Their datasets, ``[B]``; what a dataset cannot draw does not count.
        labels
            Class codes ``[B]`` by attribute; nor does what is `UNKNOWN`.
        """
        logits, losses = self.network(pictures), []
        for name, places in self.places.items():
            codes = targets if name == self.datasets else labels[name]
            wanted = places[codes]
            known = wanted != UNKNOWN
            if name != self.datasets:
                known &= self.can_draw[name][targets]
            entropy = F.cross_entropy(
                logits[name].float(), wanted.clamp_min(0).to(pictures.device), reduction="none"
            )
            losses.append(mean_of_known(entropy, known))
        return torch.stack(losses).mean() if losses else pictures.new_zeros(())

    def shares_apart(self, pictures: Tensor, shares: Mapping[str, Tensor]) -> Tensor:
        """Return how far the mean probabilities of pictures ``[B, 3, S, S]`` are from shares, squared.

        A sum over classes and a mean over attributes; the product of what two halves of the pictures are off,
        so that it is right on average, and may be negative.

        Parameters
        ----------
        shares
            By attribute, of each class ``[C]`` in the numbering of the set; one that is not known to the
            classifier does not count.
        """
        logits, found = self.network(pictures), []
        for name, wanted in shares.items():
            places = self.places[name][: len(wanted)]
            known = places != UNKNOWN
            said = logits[name].float().softmax(dim=1)[:, places[known]]
            off = said - wanted[known].to(said)
            first, second = off.chunk(2)
            found.append((first.mean(0) * second.mean(0)).sum())
        return torch.stack(found).mean() if found else pictures.new_zeros(())

    def apart(self, pictures: Tensor, wanted: Tensor) -> Tensor:
        """Return how far pictures are from those wanted: their mean error, and the features' relative one."""
        with torch.no_grad():
            features = self.network.features(wanted)
        found = self.network.features(pictures)
        relative = (found - features).square().sum(1) / features.square().sum(1).clamp_min(1e-6)
        return (pictures - wanted).abs().mean() + relative.mean()


def mean_of_known(values: Tensor, known: Tensor) -> Tensor:
    """Return the mean of values ``[B]`` where they are known, bool ``[B]``; 0 where none is."""
    counts = known.to(values)
    return (values * counts).sum() / counts.sum().clamp_min(1.0)
