"""What latents that a cINN projects or samples in the mode *follow* ought to be: losses on them.

**Moments**: whether they are distributed as their dataset's own.

Likelihood brings a flow only near to that, and the Frechet distance counts what is left. A dataset has the
mean m and the covariance C = l c, tr c = D. Of latents x that z gives under it, and
y = c^(-1/4) (x - m) / l^(1/2),

    e = |E y|^2 + |E y y^T - c^(1/2)|^2 / 4

is the squared Frechet distance to second order, over l. The squares are products of two independent halves of
the rows, so that e is right on average however few there are; it may be negative.

On six styles (1,500 steps, with a guide) projections were 4.2 times as far from the target as its own
halves are from each other without this loss, 1.5 times at a weight of 10 and .98 times at 40 (samples 9.1,
2.4 and .82).

**Transport**: how far projections are from where Gaussian transport would have moved them, in the mean square
over the target's variance. Many flows give a dataset's distribution; what one of them mixes up of the content
beyond what it has to is lost for nothing. So of those that fit the one that moves least is wanted, as in
optimal transport.

**Shares**: whether a guide reads the classes in their pictures as often as the target's own rows have them:

    s = sum_a |mean p_a - shares_a|^2,

also of two halves of the rows, so right on average. Where a dataset's composition is not another's, moments
alone leave the shares of a class points off: they are a matter of how much lies where, which the first two
moments know little of.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from latentlab.families.flow import ConditionalFlow
from latentlab.metrics.transport import Gaussian, gaussian_transport, root
from latentlab.training.affine_layers import FOLLOW
from latentlab.training.latent_rows import LatentRows
from latentlab.training.running_whitening import ROWS, RunningWhitening


@dataclass(frozen=True)
class Moved:
    """Latents ``[B, D]`` as they come out under a dataset.

    Parameters
    ----------
    x
        Where they are.
    least
        Where Gaussian transport would have moved them; None of samples.
    target
        The dataset.
    """

    x: Tensor
    least: Tensor | None
    target: int


class Moments(nn.Module):
    """The moments that projections and samples in the mode *follow* ought to have, and those that z has now.

    Parameters
    ----------
    rows
        The latents that are trained on.
    datasets
        Number K of datasets.
    """

    mean: Tensor
    towards: Tensor
    wanted: Tensor
    spread: Tensor
    maps: Tensor

    def __init__(self, rows: LatentRows, datasets: int) -> None:
        super().__init__()
        self.whitening = RunningWhitening(rows, datasets)
        size = rows.mean.shape[1]
        bodies = [Gaussian.of(rows.mean[here]) for here in self.whitening.rows]
        spreads = [float(np.trace(body.covariance)) / size for body in bodies]
        known = {
            "mean": [body.mean for body in bodies],
            "spread": spreads,
            "towards": [
                root(b.covariance / spread, -0.25) / np.sqrt(spread)
                for b, spread in zip(bodies, spreads, strict=True)
            ],
            "wanted": [root(b.covariance / spread, 0.5) for b, spread in zip(bodies, spreads, strict=True)],
            "maps": [[gaussian_transport(a, b).matrix for b in bodies] for a in bodies],
        }
        for name, found in known.items():
            self.register_buffer(name, torch.from_numpy(np.asarray(found)).float())

    def moved(self, flow: ConditionalFlow, generator: torch.Generator) -> Moved:
        """Return projections from one dataset, or samples, onto another; both are drawn."""
        count, where = len(self.mean), self.mean.device
        target, step = (int(torch.randint(count, (), generator=generator)) for _ in range(2))
        source, least = (target + step) % count, None
        if source == target:  # as often as any other dataset: samples
            z = torch.randn(ROWS, flow.size, generator=generator).to(where)
        else:
            rows = self.whitening.drawn(source, generator)
            z = self.whitening.into(flow, source, FOLLOW, rows)
            centred = self.whitening.latents[torch.from_numpy(rows)].to(where) - self.mean[source]
            least = centred @ self.maps[source, target].T + self.mean[target]
        return Moved(self.whitening.out(flow, z, target, FOLLOW, generator), least, target)

    def apart(self, moved: Moved) -> Tensor:
        """Return e: how far their moments are from their dataset's own."""
        y = (moved.x - self.mean[moved.target]) @ self.towards[moved.target]
        return second_order(y, self.wanted[moved.target])

    def further(self, moved: Moved) -> Tensor:
        """Return their mean squared distance from where Gaussian transport would have moved them.

        As a share of the target's variance; 0 for samples.
        """
        if moved.least is None:
            return moved.x.new_zeros(())
        return (moved.x - moved.least).square().mean() / self.spread[moved.target]


def second_order(y: Tensor, wanted: Tensor) -> Tensor:
    """Return |E y|^2 + |E y y^T - W|^2 / 4 of rows ``[n, D]`` and W ``[D, D]``, without bias.

    The squares are products of what the two halves of the rows say, which have to be independent.
    """
    first, second = y.chunk(2)
    squares = [half.T @ half / len(half) - wanted for half in (first, second)]
    return (first.mean(0) * second.mean(0)).sum() + 0.25 * (squares[0] * squares[1]).sum()
