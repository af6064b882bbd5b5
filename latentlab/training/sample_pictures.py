"""Whether pictures of sampled z are distributed as a dataset's own, as a loss.

Latents whose moments are right still have pictures that no dataset has. Between its classes of hair lies
nothing, but a flow is continuous and puts some of every sample there. The distance that counts is that of
pictures, in the features f of a guide (`latentlab.training.guide`), which judges nothing else:

    d = |E y|^2 + |E y y^T - W|^2 / 4,    y = (c + n I)^(-1/4) (f - m) / l^(1/2),
    W = (c + n I)^(-1/4) c (c + n I)^(-1/4),

where a dataset's own features have the mean m and the covariance l c, tr c = F. It is the squared Frechet
distance to second order, over l, as in `latentlab.training.moments`, and the squares are of two independent
halves too; n keeps what hardly varies in a dataset from counting more than all else. (Averages over many
steps instead of halves are behind the flow, and drive it past where it should be.)

A dataset's own pictures are those of its own latents: what the autoencoder cannot draw is not asked for.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from latentlab.families.flow import ConditionalFlow
from latentlab.metrics.transport import Gaussian, root
from latentlab.training.guide import Guide
from latentlab.training.latent_rows import LatentRows
from latentlab.training.moments import second_order
from latentlab.training.running_whitening import RunningWhitening

SAMPLES = 128
"""Pictures of a step."""
OWN = 3000
"""Pictures, at most, from which a dataset's own moments are taken."""
NUDGE = 0.03
"""The variance n, as a share of the mean one, that every feature has besides its own."""
_BATCH = 128


class SamplePictures(nn.Module):
    """The moments that features of samples' pictures ought to have.

    Parameters
    ----------
    guide
        What sees the pictures.
    rows
        The latents that are trained on.
    datasets
        Number K of datasets.
    modes
        Positions of the modes whose samples are looked at: *keep* only where all datasets show the same.
    """

    mean: Tensor
    towards: Tensor
    wanted: Tensor

    def __init__(self, guide: Guide, rows: LatentRows, datasets: int, modes: tuple[int, ...]) -> None:
        super().__init__()
        self.whitening, self.modes = RunningWhitening(rows, datasets), modes
        found: dict[str, list[np.ndarray]] = {"mean": [], "towards": [], "wanted": []}
        for k in range(datasets):
            body = self._own(guide, k)
            spread = float(np.trace(body.covariance)) / len(body.mean)
            covariance = body.covariance / spread
            towards = root(covariance + NUDGE * np.eye(len(covariance)), -0.25)
            found["mean"].append(body.mean)
            found["towards"].append(towards / np.sqrt(spread))
            found["wanted"].append(towards @ covariance @ towards)
        for name, arrays in found.items():
            self.register_buffer(name, torch.from_numpy(np.stack(arrays)).float())

    def apart(self, guide: Guide, flow: ConditionalFlow, generator: torch.Generator) -> Tensor:
        """Return d of some samples of a dataset in a mode, both drawn."""
        dataset = int(torch.randint(len(self.mean), (), generator=generator))
        mode = self.modes[int(torch.randint(len(self.modes), (), generator=generator))]
        self.whitening.measure(flow, dataset, mode, generator)
        z = torch.randn(SAMPLES, flow.size, generator=generator).to(self.mean.device)
        features = guide.features(self.whitening.out(flow, z, dataset, mode, generator))
        return self.of(features, dataset)

    def of(self, features: Tensor, dataset: int) -> Tensor:
        """Return d of features ``[n, F]``, those of the pictures of independent samples of a dataset."""
        return second_order((features - self.mean[dataset]) @ self.towards[dataset], self.wanted[dataset])

    def _own(self, guide: Guide, dataset: int) -> Gaussian:
        """Measure the features of the pictures of a dataset's own latents."""
        rows = self.whitening.rows[dataset]
        chosen = np.random.default_rng([dataset, 7]).permutation(len(rows))[:OWN]
        x = self.whitening.latents[torch.from_numpy(rows[chosen])]
        where = next(guide.vae.parameters()).device
        with torch.inference_mode():
            starts = range(0, len(x), _BATCH)
            parts = [guide.features(x[start : start + _BATCH].to(where)).cpu() for start in starts]
        return Gaussian.of(torch.cat(parts).numpy())
