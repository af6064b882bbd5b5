"""How z of each dataset has been distributed lately: what a flow's last layer will undo after training.

A trained flow gets a last layer under which z has the mean 0 and the covariance I
(`latentlab.training.affine_layers.whitened`). While it is trained moving averages of z's moments stand for
that layer, so that what a loss sees is what comes out afterwards. They are saved with a training's state.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latentlab.families.flow import ConditionalFlow
from latentlab.training.affine_layers import MODES, flow_weights
from latentlab.training.latent_rows import LatentRows

ROWS = 256
"""Rows of one measurement."""
NEWEST = 0.05
"""What the newest rows count in the moving averages, once there are enough of them."""
_LEAST = 1e-4


class RunningWhitening(nn.Module):
    """Moving averages of z's mean and second moments, by dataset and mode.

    Parameters
    ----------
    rows
        The latents that are trained on; their means are what is projected afterwards.
    datasets
        Number K of datasets.
    """

    z_mean: Tensor
    z_square: Tensor
    seen: Tensor

    def __init__(self, rows: LatentRows, datasets: int) -> None:
        super().__init__()
        self.rows = [np.flatnonzero(rows.datasets == k) for k in range(datasets)]
        self.latents = torch.from_numpy(rows.mean)
        size = rows.mean.shape[1]
        self.register_buffer("z_mean", torch.zeros(datasets, MODES, size))
        self.register_buffer("z_square", torch.eye(size).repeat(datasets, MODES, 1, 1))
        self.register_buffer("seen", torch.zeros(datasets, MODES))

    def drawn(self, dataset: int, generator: torch.Generator) -> NDArray[np.int64]:
        """Return `ROWS` rows of a dataset, drawn with replacement."""
        rows = self.rows[dataset]
        return np.asarray(rows[torch.randint(len(rows), (ROWS,), generator=generator).numpy()])

    def into(self, flow: ConditionalFlow, dataset: int, mode: int, rows: NDArray[np.int64]) -> Tensor:
        """Return z ``[n, D]`` of rows of a dataset as the last layer will give it; they are averaged in."""
        z = self._measured(flow, dataset, mode, rows)
        return (z - self.z_mean[dataset, mode]) @ self._spread(dataset, mode, -0.5)

    def out(
        self, flow: ConditionalFlow, z: Tensor, dataset: int, mode: int, generator: torch.Generator
    ) -> Tensor:
        """Return the latents ``[n, D]`` of whitened z ``[n, D]`` under a dataset and mode."""
        if not self.seen[dataset, mode]:
            self.measure(flow, dataset, mode, generator)
        coloured = z @ self._spread(dataset, mode, 0.5) + self.z_mean[dataset, mode]
        return flow.inverse(coloured, self._weights(dataset, mode, len(z)))

    def measure(self, flow: ConditionalFlow, dataset: int, mode: int, generator: torch.Generator) -> None:
        """Average in some rows of a dataset."""
        with torch.no_grad():
            self._measured(flow, dataset, mode, self.drawn(dataset, generator))

    def _measured(self, flow: ConditionalFlow, dataset: int, mode: int, rows: NDArray[np.int64]) -> Tensor:
        x = self.latents[torch.from_numpy(rows)].to(self.z_mean.device)
        z, _ = flow(x, self._weights(dataset, mode, len(rows)))
        with torch.no_grad():
            self.seen[dataset, mode] += 1
            share = max(NEWEST, 1.0 / float(self.seen[dataset, mode]))
            self.z_mean[dataset, mode].lerp_(z.mean(0), share)
            self.z_square[dataset, mode].lerp_(z.T @ z / len(z), share)
        found: Tensor = z
        return found

    def _weights(self, dataset: int, mode: int, n: int) -> Tensor:
        codes = torch.full((n,), dataset, device=self.z_mean.device)
        return flow_weights(codes, mode, len(self.rows))

    def _spread(self, dataset: int, mode: int, power: float) -> Tensor:
        """Return a power of z's covariance as it has been lately."""
        mean = self.z_mean[dataset, mode].cpu().double()
        square = self.z_square[dataset, mode].cpu().double()
        values, vectors = torch.linalg.eigh(square - torch.outer(mean, mean))
        found = (vectors * values.clamp_min(_LEAST) ** power) @ vectors.T
        spread: Tensor = found.float().to(self.z_mean.device)
        return spread
