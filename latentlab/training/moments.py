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
from numpy.typing import NDArray
from torch import Tensor, nn

from latentlab.families.flow import ConditionalFlow
from latentlab.metrics.transport import Gaussian, gaussian_transport, root
from latentlab.training.affine_layers import FOLLOW, flow_weights
from latentlab.training.latent_rows import LatentRows

ROWS = 256
"""Rows of one measurement."""
NEWEST = 0.05
"""What the newest rows count in the moving averages, once there are enough of them."""
_LEAST = 1e-4


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

    After training z is whitened under each dataset (`latentlab.training.affine_layers.whitened`); here moving
    averages of its moments stand for that. They are saved with a training's state.

    Parameters
    ----------
    rows
        The latents that are trained on; their means are what is projected afterwards.
    datasets
        Number K of datasets.
    """

    mean: Tensor
    towards: Tensor
    wanted: Tensor
    spread: Tensor
    maps: Tensor
    z_mean: Tensor
    z_square: Tensor
    seen: Tensor

    def __init__(self, rows: LatentRows, datasets: int) -> None:
        super().__init__()
        self.rows = [np.flatnonzero(rows.datasets == k) for k in range(datasets)]
        self.latents = torch.from_numpy(rows.mean)
        size = rows.mean.shape[1]
        bodies = [Gaussian.of(rows.mean[here]) for here in self.rows]
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
        self.register_buffer("z_mean", torch.zeros(datasets, size))
        self.register_buffer("z_square", torch.eye(size).repeat(datasets, 1, 1))
        self.register_buffer("seen", torch.zeros(datasets))

    def moved(self, flow: ConditionalFlow, generator: torch.Generator) -> Moved:
        """Return projections from one dataset, or samples, onto another; both are drawn."""
        count, where = len(self.rows), self.mean.device
        target, step = (int(torch.randint(count, (), generator=generator)) for _ in range(2))
        source, least = (target + step) % count, None
        if source == target:  # as often as any other dataset: samples
            z = torch.randn(ROWS, flow.size, generator=generator).to(where)
        else:
            rows = self._drawn(source, generator)
            z = self._whitened(flow, source, rows)
            centred = self.latents[torch.from_numpy(rows)].to(where) - self.mean[source]
            least = centred @ self.maps[source, target].T + self.mean[target]
        x = flow.inverse(self._coloured(flow, z, target, generator), self._weights(target, len(z)))
        return Moved(x, least, target)

    def apart(self, moved: Moved) -> Tensor:
        """Return e: how far their moments are from their dataset's own."""
        y = (moved.x - self.mean[moved.target]) @ self.towards[moved.target]
        first, second = y.chunk(2)
        squares = [half.T @ half / len(half) - self.wanted[moved.target] for half in (first, second)]
        return (first.mean(0) * second.mean(0)).sum() + 0.25 * (squares[0] * squares[1]).sum()

    def further(self, moved: Moved) -> Tensor:
        """Return their mean squared distance from where Gaussian transport would have moved them.

        As a share of the target's variance; 0 for samples.
        """
        if moved.least is None:
            return moved.x.new_zeros(())
        return (moved.x - moved.least).square().mean() / self.spread[moved.target]

    def _drawn(self, dataset: int, generator: torch.Generator) -> NDArray[np.int64]:
        rows = self.rows[dataset]
        return np.asarray(rows[torch.randint(len(rows), (ROWS,), generator=generator).numpy()])

    def _weights(self, dataset: int, n: int) -> Tensor:
        codes = torch.full((n,), dataset, device=self.mean.device)
        return flow_weights(codes, FOLLOW, len(self.rows))

    def _into(self, flow: ConditionalFlow, dataset: int, rows: NDArray[np.int64]) -> Tensor:
        """Return z of rows, and take it into account."""
        x = self.latents[torch.from_numpy(rows)].to(self.mean.device)
        z, _ = flow(x, self._weights(dataset, len(rows)))
        with torch.no_grad():
            self.seen[dataset] += 1
            share = max(NEWEST, 1.0 / float(self.seen[dataset]))
            self.z_mean[dataset].lerp_(z.mean(0), share)
            self.z_square[dataset].lerp_(z.T @ z / len(z), share)
        found: Tensor = z
        return found

    def _whitened(self, flow: ConditionalFlow, dataset: int, rows: NDArray[np.int64]) -> Tensor:
        z = self._into(flow, dataset, rows)
        return (z - self.z_mean[dataset]) @ self._spread(dataset, -0.5)

    def _coloured(self, flow: ConditionalFlow, z: Tensor, dataset: int, generator: torch.Generator) -> Tensor:
        if not self.seen[dataset]:
            with torch.no_grad():
                self._into(flow, dataset, self._drawn(dataset, generator))
        return z @ self._spread(dataset, 0.5) + self.z_mean[dataset]

    def _spread(self, dataset: int, power: float) -> Tensor:
        """Return a power of z's covariance as it has been lately."""
        mean, square = self.z_mean[dataset].cpu().double(), self.z_square[dataset].cpu().double()
        values, vectors = torch.linalg.eigh(square - torch.outer(mean, mean))
        found = (vectors * values.clamp_min(_LEAST) ** power) @ vectors.T
        spread: Tensor = found.float().to(self.mean.device)
        return spread
