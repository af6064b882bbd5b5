"""The judges of a picture's looks in training: a feature distance, a classifier and a patch discriminator.

The network behind the feature distance and the classifier are of their own; the one that later judges the
model stands in no loss.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from latentlab.families.attribute_cnn import AttributeCNN
from latentlab.training.loop import Part


class FeatureDistance(nn.Module):
    """Mean squared distance of channel-normalised features, over the stages of a frozen network.

    After Zhang et al. 2018 (LPIPS, eq. 1 with unit weights): features are scaled to unit length over
    the channels of each position, so that no stage or bright region outweighs the others.
    """

    def __init__(self, network: AttributeCNN) -> None:
        super().__init__()
        self.pyramid = network.pyramid.requires_grad_(False).eval()

    def forward(self, pictures: Tensor, targets: Tensor) -> Tensor:
        """Return the distance of pictures to targets, both ``[B, 3, S, S]`` in [0, 1], as one number."""
        with torch.no_grad():
            wanted = [self._unit(stage) for stage in self.pyramid.stages(targets * 2.0 - 1.0)]
        found = [self._unit(stage) for stage in self.pyramid.stages(pictures * 2.0 - 1.0)]
        distances = [
            (a - b).square().sum(dim=1).mean(dtype=torch.float32) for a, b in zip(found, wanted, strict=True)
        ]
        return torch.stack(distances).mean()

    @staticmethod
    def _unit(features: Tensor) -> Tensor:
        return F.normalize(features, dim=1, eps=1e-4)


class Misreading(nn.Module):
    """How differently a frozen classifier reads pictures than what they stand for, in nats.

    The cross-entropy of its predictions for the pictures to those for their originals, averaged over its
    attributes: what it sees in the originals is to be seen in the pictures too, however few pixels show it.
    """

    def __init__(self, network: AttributeCNN) -> None:
        super().__init__()
        self.network = network.requires_grad_(False).eval()

    def forward(self, pictures: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of pictures for targets, both ``[B, 3, S, S]`` in [0, 1], as one number."""
        with torch.no_grad():
            wanted = {name: logits.float().softmax(1) for name, logits in self.network(targets).items()}
        found = self.network(pictures)
        return torch.stack([F.cross_entropy(found[name].float(), wanted[name]) for name in wanted]).mean()


class PatchDiscriminator(nn.Module):
    """Says of each patch how real it looks (Isola et al. 2017), spectrally normalised (Miyato et al. 2018).

    Three convolutions on unshuffled pixels give ``[B, 1, S / 8, S / 8]`` scores whose receptive field is
    30 pixels wide.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.PixelUnshuffle(2),
            spectral_norm(nn.Conv2d(12, width, 3, padding=1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(width, 2 * width, 4, stride=2, padding=1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(4 * width, 1, 3, padding=1)),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the patches' scores; above zero looks real."""
        out: Tensor = self.layers(pictures * 2.0 - 1.0)
        return out


def hinge_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Return the discriminator's hinge loss (Lim & Ye 2017)."""
    return F.relu(1.0 - real).mean() + F.relu(1.0 + fake).mean()


def with_judgement(
    fabric: Fabric, judge: nn.Module, looks: Tensor, fakes: Tensor, n: int, weight: float
) -> Tensor:
    """Return a term whose gradient at the pictures is that of looks plus the balanced judgement's.

    The two gradients at the pictures are computed once each and added, so that balancing them costs
    no second pass (after Esser et al. 2021, eq. 7, who balance at the decoder's last layer).

    Parameters
    ----------
    looks
        The other terms of the loss of the pictures, one number.
    fakes
        Pictures ``[N, 3, S, S]``; the gradients are balanced on the first ``n`` of them.
    weight
        Of the judgement, as a share of the other gradient.
    """
    judge = judge.requires_grad_(False)
    with fabric.autocast():
        adversarial = -judge(fakes).mean(dtype=torch.float32)
    (of_looks,) = torch.autograd.grad(looks, fakes)
    (of_judge,) = torch.autograd.grad(adversarial, fakes)
    judge.requires_grad_(True)
    squares = torch.stack([of_looks[:n].square().sum(), of_judge[:n].square().sum()])
    squares = fabric.all_reduce(squares, reduce_op="mean")  # type: ignore[assignment]
    balance = (squares[0].sqrt() / (squares[1].sqrt() + 1e-8)).clamp(0.0, 1e4)
    gradient = of_looks + weight * balance * of_judge
    return (fakes * gradient.detach()).sum()


def teach_judge(fabric: Fabric, part: Part, x: Tensor, fakes: Tensor) -> dict[str, Tensor]:
    """Do one step of the discriminator on the set's pictures and made ones; return its loss."""
    scores = part.wrapped(torch.cat([x, fakes]))
    loss = hinge_loss(scores[: len(x)], scores[len(x) :])
    fabric.backward(loss)
    part.optimizer.step()
    part.optimizer.zero_grad()
    return {"discriminator": loss.detach()}
