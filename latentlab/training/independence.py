"""Keeping the condition out of the latent: penalties on what z tells of it.

*linear*: how much of the condition a line reads from z, the sum of the squared canonical correlations. It is
0 where `latentlab.training.centring` begins. The line is that of the last steps' latents, and lags behind.

*adversarial*: a small network learns to read the condition from z, and the encoder learns to leave it
guessing at the condition's shares in the set (Lample et al. 2017, "Fader networks"; the target is the
shares, so that hiding is not the same as telling the opposite).

*hsic*: the normalised Hilbert-Schmidt independence criterion of z and c in each batch (Gretton et al.
2005; normalised as by Kornblith et al. 2019), which needs no second network.

The default is none of them: centring at the end does it at no cost. On the faces, from a VAE, after 500 to
1,500 steps of 32, a linear probe is up to 33 points above chance with *adversarial* at .01 and up to 71 with
*hsic* at .05; with *adversarial* at .03 the error of reconstructions doubles.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentlab.spec import Attribute, ConditionSchema

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

    def told_by_a_line(self, latents: Tensor, conditions: Tensor) -> Tensor:
        """Return about the sum of the squared canonical correlations of rows of z and c, one number.

        The canonical directions are those of the newest remembered rows, and are not differentiated: for each
        the rows' own covariance counts, times the remembered correlation. Where theirs has turned negative
        the directions are stale, and nothing is asked. 0 while too little is remembered to know.
        """
        size, known = self.latents.shape[1], min(int(self.seen), REMEMBERED)
        wanted = min(REMEMBERED, max(256, 16 * size))
        if known < min(wanted, 4 * size):
            return latents.new_zeros((), dtype=torch.float32)
        newest = (int(self.seen) - 1 - torch.arange(min(known, wanted))) % REMEMBERED
        z, c = (t[newest].double() for t in (self.latents, self.conditions))
        middle_z, middle_c = z.mean(0), c.mean(0)
        z, c = z - middle_z, c - middle_c
        whiten_z, whiten_c = _whitener(z), _whitener(c)
        u, shared, v = torch.linalg.svd(whiten_z.T @ (z.T @ c / len(z)) @ whiten_c, full_matrices=False)
        of_z = (latents.float() - middle_z.float()) @ (whiten_z @ u).float()
        of_c = (conditions - middle_c.float()) @ (whiten_c @ v.T).float()
        found: Tensor = ((of_z * of_c).mean(0).clamp_min(0.0) * shared.float()).sum()
        return found

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


def _whitener(x: Tensor) -> Tensor:
    """Return a matrix ``[D, r]`` that makes rows ``[n, D]`` uncorrelated with variance 1, r their rank."""
    values, vectors = torch.linalg.eigh(x.T @ x / len(x))
    kept = values > 1e-6 * values[-1].clamp_min(1e-12)
    whitener: Tensor = vectors[:, kept] / values[kept].sqrt()
    return whitener
