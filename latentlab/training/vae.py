"""The recipe of the VAE: reconstruction, a feature distance, KL, and a patch discriminator at the end.

    L = mean|x - x^| + w_f * d_f(x, x^) + w_g * CE(guide(x), guide(x^))
        + beta * KL(q(z|x) || N(0, I)) + lambda * g * L_adv

beta rises linearly from 0 over the first part of the training (Bowman et al. 2016). In the last part the
discriminator judges reconstructions and pictures of the prior's latents alike (Larsen et al. 2016), so
that random samples learn to look like the set; g makes its gradient at the pictures as long as that of
the other terms (after Esser et al. 2021, eq. 7, who balance at the decoder's last layer).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from latentlab.data.image_set import ImageSet, images_to_tensor
from latentlab.errors import SettingsError
from latentlab.families.cvae import CVAE
from latentlab.families.dbvae import DBVAE
from latentlab.families.vae import VAE, VAEConfig
from latentlab.model import Posterior
from latentlab.spec import LatentSummary
from latentlab.training.loop import Part, Step, descend
from latentlab.training.muon import Muon
from latentlab.training.perceptual import (
    FeatureDistance,
    Misreading,
    PatchDiscriminator,
    teach_judge,
    with_judgement,
)
from latentlab.training.pictures import save_grid


@dataclass(frozen=True)
class VAELosses:
    """Weights and schedule of the recipe's losses.

    Parameters
    ----------
    rate
        The highest learning rate of the VAE.
    beta
        Weight of the KL divergence (nats of the whole latent) beside the mean absolute error in [0, 1].
    warmup
        Share of the training over which beta rises from 0.
    features
        Weight w_f of the feature distance; needs a feature network.
    features_from
        Share of the training after which the feature distance counts: coarse shapes need it not.
    guide
        Weight w_g of what the feature network, as a classifier, reads otherwise in the reconstruction; counts
        from ``features_from`` on.
    adversarial
        Weight lambda of the discriminator's term; 0 leaves it out.
    adversarial_from
        Share of the training after which the discriminator takes part.
    """

    rate: float = 5e-4
    beta: float = 3e-5
    warmup: float = 0.1
    features: float = 0.1
    features_from: float = 0.4
    guide: float = 0.0
    adversarial: float = 0.3
    adversarial_from: float = 0.85

    def __post_init__(self) -> None:
        if not 0.0 < self.rate < math.inf:
            raise SettingsError(f"The learning rate is more than 0, not {self.rate}.")
        for name in ("beta", "features", "guide", "adversarial"):
            weight = getattr(self, name)
            if not 0.0 <= weight < math.inf:
                raise SettingsError(f"The weight {name} is 0 or more, not {weight}.")

    def beta_at(self, fraction: float) -> float:
        """Return the weight of the KL divergence when that share of the training is done."""
        return self.beta * min(1.0, fraction / self.warmup) if self.warmup else self.beta

    def with_features(self, fraction: float) -> bool:
        """Whether the feature network's losses count by then."""
        return fraction >= self.features_from

    def is_late(self, fraction: float) -> bool:
        """Whether the discriminator takes part by then."""
        return bool(self.adversarial) and fraction >= self.adversarial_from


class VAERecipe:
    """Trains a `VAE`, with a `PatchDiscriminator` in the last part."""

    def __init__(
        self,
        config: VAEConfig,
        losses: VAELosses,
        validation: ImageSet | None,
        feature_network: FeatureDistance | None = None,
        guide: Misreading | None = None,
    ) -> None:
        self.losses = losses
        self.validation = validation
        self.features = feature_network
        self.guide = guide
        self.vae = VAE(config)
        self.discriminator = PatchDiscriminator()
        self.late_share = 1.0 - losses.adversarial_from if losses.adversarial else 0.0

    def parts(self) -> dict[str, tuple[nn.Module, torch.optim.Optimizer]]:
        """Return the VAE with Muon and, where it takes part, the discriminator with Adam."""
        found: dict[str, tuple[nn.Module, torch.optim.Optimizer]] = {
            "vae": (self.vae, Muon(self.vae.parameters(), self.losses.rate))
        }
        if self.losses.adversarial:
            judge = self.discriminator
            adam = torch.optim.Adam(judge.parameters(), lr=2e-4, betas=(0.5, 0.99))
            found["discriminator"] = (judge, adam)
        return found

    def step(self, fabric: Fabric, parts: Mapping[str, Part], step: Step) -> dict[str, Tensor]:
        """Do one step of the VAE and, late in the training, one of the discriminator."""
        losses, vae, latent = self.losses, parts["vae"], self.vae.config.latent
        late = losses.is_late(step.fraction)
        eps = step.noise(latent)
        half = slice(step.share.start // 2, step.share.stop // 2)
        prior = step.noise(latent, rows=half) if late else None
        x = step.examples
        pictures, samples, mean, logvar = vae.wrapped(x, eps, prior)
        fakes = torch.cat([pictures, samples])
        mae = (fakes[: len(x)] - x).abs().mean()
        kl = Posterior(mean, logvar).kl().sum(dim=1).mean()
        figures = {"mae_255": mae.detach() * 255.0, "kl_nats": kl.detach()}
        looks = mae
        weighed = {"feature_distance": (self.features, losses.features), "guide": (self.guide, losses.guide)}
        for name, (measure, weight) in weighed.items():
            if measure is not None and weight and losses.with_features(step.fraction):
                with fabric.autocast():
                    distance = measure(fakes[: len(x)], x)
                figures[name] = distance.detach()
                looks = looks + weight * distance
        if late:
            looks = with_judgement(fabric, self.discriminator, looks, fakes, len(x), losses.adversarial)
        loss = looks + losses.beta_at(step.fraction) * kl
        descend(fabric, [vae], loss, step, losses.rate)
        if late:
            figures |= teach_judge(fabric, parts["discriminator"], x, fakes.detach())
        return figures

    def snapshot(self, average: nn.Module, folder: Path, step: int) -> dict[str, float]:
        """Write grids of reconstructions and random samples; return the held-out error."""
        assert isinstance(average, VAE)
        figures = {}
        generator = torch.Generator().manual_seed(0)
        with torch.inference_mode():
            samples = average.decode(average.sample(64, None, generator))
            save_grid(folder / f"samples_{step:06d}.png", samples)
            if self.validation is not None:
                count = min(256, len(self.validation))
                x = images_to_tensor(self.validation.pixels(slice(0, count)), like=samples)
                found = average.decode(average.encode(x).mean)
                figures["mae_255"] = float((found - x).abs().mean()) * 255.0
                pairs = torch.stack([x[:32], found[:32]], dim=1).flatten(0, 1)
                save_grid(folder / f"reconstructions_{step:06d}.png", pairs)
        return figures


def summarise_latents(
    vae: VAE | CVAE | DBVAE, data: ImageSet, conditions: NDArray[np.float32] | None = None, batch: int = 128
) -> LatentSummary:
    """Measure each latent dimension on a set: mean and std of mu, and the mean KL in nats.

    ``conditions`` are those of the images, float32 ``[n, C]``, where the model has any.
    """
    means, kls = [], []
    for posterior in posteriors(vae, data, conditions, batch):
        means.append(posterior.mean.float().cpu())
        kls.append(posterior.kl().float().cpu())
    mean, kl = torch.cat(means), torch.cat(kls).mean(dim=0)
    spread = mean.std(dim=0, correction=min(1, len(mean) - 1))
    rounded = [tuple(round(value, 5) for value in t.tolist()) for t in (mean.mean(0), spread, kl)]
    return LatentSummary(mean=rounded[0], std=rounded[1], kl=rounded[2])


def posteriors(
    vae: VAE | CVAE | DBVAE, data: ImageSet, conditions: NDArray[np.float32] | None = None, batch: int = 128
) -> Iterator[Posterior]:
    """Encode a set's images batch by batch, under their conditions ``[n, C]``."""
    like = vae.from_latent.weight
    for start in range(0, len(data), batch):
        rows = slice(start, start + batch)
        with torch.inference_mode():
            images = images_to_tensor(data.pixels(rows), like=like)
            given = None if conditions is None else torch.from_numpy(conditions[rows]).to(like)
            yield vae.encode(images, given)
