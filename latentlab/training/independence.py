"""Keeping the condition out of the latent: two penalties on what z tells of it.

*adversarial*: a small network learns to read the condition from z, and the encoder learns to leave it
guessing at the condition's shares in the set (Lample et al. 2017, "Fader networks"; the target is the
shares, so that hiding is not the same as telling the opposite).

*hsic*: the normalised Hilbert-Schmidt independence criterion of z and c in each batch (Gretton et al.
2005; normalised as by Kornblith et al. 2019), which needs no second network.

Neither keeps a line from reading the condition. On the faces, from a VAE, after 500 to 1,500 steps of 32, a
linear probe is up to 33 points above chance with *adversarial* at .01 and up to 71 with *hsic* at .05; with
*adversarial* at .03 the error of reconstructions doubles. So the linear part is not left to a penalty:
`latentlab.training.erasure` takes it out of every step's latent, and what is penalised is the rest.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentlab.spec import Attribute, ConditionSchema
from latentlab.training.erasure import erasure

REMEMBERED = 2048
"""Latents that the reader learns from: those of the last steps, which changed little since."""


class Reader(nn.Module):
    """Reads the condition from a latent: two hidden layers, ``[B, D]`` to ``[B, C]``.

    A categorical attribute's entries are logits, a continuous one's its value. It remembers the latents and
    conditions of the last steps, so that it learns from many more than one step's and keeps pace with the
    encoder.
    """

    latents: Tensor
    conditions: Tensor
    seen: Tensor

    def __init__(self, latent: int, condition: int, hidden: int = 256) -> None:
        super().__init__()
        self.register_buffer("latents", torch.zeros(REMEMBERED, latent))
        self.register_buffer("conditions", torch.zeros(REMEMBERED, condition))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.layers = nn.Sequential(
            nn.Linear(latent, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, condition),
        )

    def forward(self, latents: Tensor) -> Tensor:
        """Return the logits and values.

        Latents ``[B, D]`` are brought to the mean 0 and deviation 1 of what is remembered: an encoder cannot
        hide what it tells by telling it more quietly.
        """
        known = self.latents[: max(1, min(int(self.seen), REMEMBERED))]
        spread = known.std(dim=0, correction=0).clamp_min(1e-3)
        out: Tensor = self.layers((latents - known.mean(dim=0)) / spread)
        return out

    def remember(self, latents: Tensor, conditions: Tensor) -> None:
        """Put latents ``[B, D]`` and their conditions ``[B, C]`` in the place of the oldest ones."""
        places = (int(self.seen) + torch.arange(len(latents))) % REMEMBERED
        self.latents[places], self.conditions[places] = latents.detach().float(), conditions
        self.seen += len(latents)

    def erasure(self) -> tuple[Tensor, Tensor]:
        """Return the map after which no line reads the condition from what is remembered.

        That is a matrix ``[D, D]`` and an offset ``[D]`` (`latentlab.training.erasure`); nothing is erased
        while too little is remembered to know.
        """
        known, size = min(int(self.seen), REMEMBERED), self.latents.shape[1]
        if known < 4 * size:
            return torch.eye(size, device=self.latents.device), torch.zeros(size, device=self.latents.device)
        latents, conditions = (t[:known].double().cpu().numpy() for t in (self.latents, self.conditions))
        found = erasure(latents, conditions)
        matrix, offset = (torch.from_numpy(one).to(self.latents) for one in found)
        return matrix, offset

    def recall(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return some remembered latents and their conditions, drawn with replacement."""
        known = min(int(self.seen), REMEMBERED)
        rows = torch.randint(0, known, (count,), generator=generator)
        return self.latents[rows], self.conditions[rows]


def shares(schema: ConditionSchema, conditions: Tensor) -> Tensor:
    """Return what is known of a condition before anything is seen: classes' shares and means, ``[C]``.

    Rows whose attribute is unknown (zeros) count for nothing in it.
    """
    found = conditions.mean(dim=0)
    for attribute in schema.attributes:
        where = schema.slice(attribute.name)
        if attribute.kind == "categorical":
            found[where] = found[where] / found[where].sum().clamp_min(1e-8)
    return found


def reading_error(schema: ConditionSchema, read: Tensor, targets: Tensor) -> Tensor:
    """Return cross-entropy (nats) and squared error of read conditions, summed over the attributes.

    Parameters
    ----------
    read
        What a `Reader` gives, ``[B, C]``.
    targets
        Conditions, or the classes' probabilities, ``[B, C]``; an attribute that is all zeros is unknown.
    """
    places = [(attribute, schema.slice(attribute.name)) for attribute in schema.attributes]
    return sum((errors_of(a, read[:, w], targets[:, w]).mean() for a, w in places), read.new_zeros(()))


def errors_of(attribute: Attribute, read: Tensor, targets: Tensor) -> Tensor:
    """Return each row's error in one attribute, ``[B]``: nats, or squared for a continuous one.

    ``read`` and ``targets`` are the attribute's entries, ``[B, width]``.
    """
    if attribute.kind == "continuous":
        return (read - targets).square().sum(dim=1)
    return -(targets * F.log_softmax(read.float(), dim=1)).sum(dim=1)


def dependence(latents: Tensor, conditions: Tensor) -> Tensor:
    """Return the normalised HSIC of latents ``[B, D]`` and conditions ``[B, C]``, from 0 to 1.

    The kernels are Gaussian in z (its width the mean squared distance of the batch) and linear in c.
    """
    distances = torch.cdist(latents.float(), latents.float()).square()
    of_latents = _centred(torch.exp(-distances / distances.mean().detach().clamp_min(1e-8)))
    of_conditions = _centred(conditions.float() @ conditions.float().T)
    norm = of_latents.norm() * of_conditions.norm()
    found: Tensor = (of_latents * of_conditions).sum() / norm.clamp_min(1e-8)
    return found


def _centred(kernel: Tensor) -> Tensor:
    return kernel - kernel.mean(0, keepdim=True) - kernel.mean(1, keepdim=True) + kernel.mean()
