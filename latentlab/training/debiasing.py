"""The recipe of the debiasing study: a detector alone (the baseline), or a DB-VAE that resamples its faces.

Every batch is half faces, half others. At the first step of each epoch the DB-VAE looks at all faces as they
were drawn, undegraded, for rarity is a matter of the face and not of the picture's quality, and its rule
(`latentlab.training.resampling`) says how likely each is drawn until the next epoch. Only the decision on a
face is estimated from degraded pictures of it: where all is plain to see nothing is missed. What it found is
written to ``epochs/`` before the first of these steps: whoever follows the run reads it there, and a run that
was stopped within an epoch goes on with the same probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor, nn

from latentlab.errors import SettingsError
from latentlab.families.dbvae import DBVAE, DBVAEConfig
from latentlab.families.detector import Detector, DetectorConfig
from latentlab.metrics.detection import Decisions
from latentlab.training.debiasing_losses import (
    KL_WEIGHT,
    classification_loss,
    debiasing_loss,
    kl_divergence,
    reconstruction_error,
)
from latentlab.training.debiasing_record import Epoch, read_epoch, write_epoch
from latentlab.training.degrade import Degradation
from latentlab.training.detection_task import Detection, logits_of, threshold_at
from latentlab.training.loop import Part, Step, descend
from latentlab.training.pictures import save_grid
from latentlab.training.resampling import Resampling, effective_size, group_shares

LOOKS = 2
"""Degraded pictures of each face from which the decision on it is estimated at the start of an epoch."""


@dataclass(frozen=True)
class DetectionLosses:
    """What the recipe minimises.

    Parameters
    ----------
    rate
        The highest learning rate.
    kl
        c, the weight of the KL divergence beside the mean absolute error; only of a DB-VAE.
    false_positives
        The share of held-out pictures of no face that the threshold lets pass. 3% by default: at 2% a
        detector is right less often, and from 3.5% on a baseline's recall differs between groups by less than
        10 points (means over five seeds on the validation rows), so that little is left to debias.
    degradation
        How bad the pictures are, in training and when they are judged.
    """

    rate: float = 1e-3
    kl: float = KL_WEIGHT
    false_positives: float = 0.03
    degradation: Degradation = field(default_factory=Degradation)

    def __post_init__(self) -> None:
        if not 0.0 < self.rate < float("inf") or not 0.0 <= self.kl < float("inf"):
            raise SettingsError(
                f"The learning rate is more than 0 and the KL weight at least 0, not {self.rate}, {self.kl}."
            )
        if not 0.0 < self.false_positives < 1.0:
            raise SettingsError(
                f"The rate of false positives is between 0 and 1, not {self.false_positives}."
            )


class DetectionRecipe:
    """Trains a `Detector` or a `DBVAE`, whichever the configuration is of.

    Parameters
    ----------
    task, validation
        Faces and others to train on, and those of which each fourth is looked at as the training goes on.
    resampling
        The rule; a baseline draws evenly.
    run
        The run folder, in which ``epochs/`` is written.
    epoch
        Steps of an epoch.
    seed
        Of the order of the rows.
    """

    def __init__(
        self,
        config: DetectorConfig,
        task: Detection,
        validation: Detection,
        losses: DetectionLosses,
        resampling: Resampling,
        run: Path,
        epoch: int,
        seed: int,
    ) -> None:
        self.task, self.validation, self.losses = task, validation.thinned(4), losses
        self.resampling, self.run, self.epoch_steps, self.seed = resampling, run, epoch, seed
        self.network: Detector | DBVAE = (
            DBVAE(config) if isinstance(config, DBVAEConfig) else Detector(config)
        )
        if isinstance(self.network, Detector) and resampling.rule != "none":
            raise SettingsError(
                "Only a DB-VAE has a latent to resample by; train the baseline without a rule."
            )
        self._epoch = -1
        self._rows: NDArray[np.int64] = np.empty((0, 0), dtype=np.int64)

    def parts(self) -> dict[str, tuple[nn.Module, torch.optim.Optimizer]]:
        """Return the network with Adam."""
        return {"detector": (self.network, torch.optim.Adam(self.network.parameters(), lr=self.losses.rate))}

    def choose_rows(
        self, parts: Mapping[str, Part], number: int, batch: int, trial: bool
    ) -> NDArray[np.int64]:
        """Return a step's rows: half faces, drawn as the rule says, and half others."""
        epoch, place = divmod(number, self.epoch_steps)
        if trial:
            return np.asarray(self._order(_even(len(self.task.faces)), -1, batch)[place])
        if epoch != self._epoch:
            p = self._probabilities(parts, epoch, begins=place == 0)
            self._epoch, self._rows = epoch, self._order(p, epoch, batch)
        return np.asarray(self._rows[place])

    def step(self, fabric: Fabric, parts: Mapping[str, Part], step: Step) -> dict[str, Tensor]:
        """Do one step on degraded pictures."""
        part = parts["detector"]
        is_face = torch.from_numpy(self.task.is_face(step.rows)).to(step.examples)
        images = self.losses.degradation.apply(step.examples, step.generator)
        if isinstance(self.network, Detector):
            loss = classification_loss(part.wrapped(images), is_face).mean()
            figures = {"loss": loss.detach(), "cross_entropy": loss.detach()}
        else:
            eps = step.noise(self.network.config.latent)
            logit, pictures, mu, logvar = part.wrapped(images, eps)
            loss = debiasing_loss(logit, is_face, images, pictures, mu, logvar, self.losses.kl)
            faces = is_face > 0
            error, kl = reconstruction_error(images, pictures), kl_divergence(mu, logvar)
            figures = {
                "loss": loss.detach(),
                "cross_entropy": classification_loss(logit, is_face).detach().mean(),
                "mae_255": error[faces].detach().mean() * 255.0,
                "kl_nats": kl[faces].detach().mean(),
            }
        descend(fabric, [part], loss, step, self.losses.rate)
        return figures

    def snapshot(self, average: nn.Module, folder: Path, step: int) -> dict[str, float]:
        """Write reconstructions and samples; return recall by group and false positives, held out."""
        assert isinstance(average, (Detector, DBVAE))
        if isinstance(average, DBVAE):
            self._show(average, folder, step)
        faces, others = logits_of(average.logit, self.validation, self.losses.degradation)
        threshold = threshold_at(others, self.losses.false_positives)
        found = Decisions(faces > threshold, others > threshold, self.validation.group_rows())
        counts = found.counts()
        figures = {name: counts[name] for name in ("recall", "precision", "accuracy")}
        figures |= {f"recall.{name}": of for name, of in found.recalls().items()}
        return {"threshold": threshold} | {name: k / max(1, n) for name, (k, n) in figures.items()}

    def _order(self, p: NDArray[np.float64], epoch: int, batch: int) -> NDArray[np.int64]:
        """Return the rows of an epoch's steps, ``[steps, batch]``: faces first in each."""
        generator = np.random.default_rng([self.seed, epoch + 1])
        half, steps = batch // 2, self.epoch_steps
        n, others = len(self.task.faces), len(self.task.others)
        if self.resampling.rule == "none":
            faces = _epochs(n, steps * half, generator)
        else:
            faces = generator.choice(n, steps * half, p=p)
        rest = _epochs(others, steps * (batch - half), generator) + n
        return np.concatenate([faces.reshape(steps, half), rest.reshape(steps, batch - half)], axis=1)

    def _probabilities(self, parts: Mapping[str, Part], epoch: int, begins: bool) -> NDArray[np.float64]:
        network = parts["detector"].plain
        if not begins:
            kept = read_epoch(self.run, epoch)
            if kept is not None and len(kept.p) == len(self.task.faces):
                return kept.p
            raise SettingsError(
                f"The run in {self.run} was stopped within epoch {epoch}, and how likely each face was drawn "
                "in it is lost. Begin anew with --fresh."
            )
        assert isinstance(network, (Detector, DBVAE))
        logit, mu = look_at_faces(network, self.task)
        if isinstance(network, DBVAE) and epoch:
            before = read_epoch(self.run, epoch - 1)
            decision = self._decision(network, epoch)
            p = self.resampling.probabilities(mu, decision, None if before is None else before.p)
        else:  # an untrained latent says nothing of the faces
            p = _even(len(logit))
        write_epoch(
            self.run,
            Epoch(
                number=epoch,
                step=epoch * self.epoch_steps,
                rule=self.resampling.rule,
                smoothing=self.resampling.smoothing,
                effective_size=effective_size(p),
                groups=group_shares(p, self.task.group_rows()),
                p=p,
                logit=logit,
                mu=mu,
                rows=self.task.faces.rows,
            ),
        )
        return p

    def _decision(self, network: DBVAE, epoch: int) -> NDArray[np.float64]:
        """Return how probably each face is found, ``[n]``: the mean over some degraded pictures of it."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)

        def worse(images: Tensor) -> Tensor:
            return self.losses.degradation.apply(images, generator)

        looks = [look_at_faces(network, self.task, worse)[0] for _ in range(LOOKS)]
        return np.asarray(np.mean([expit(logit) for logit in looks], axis=0))

    def _show(self, average: DBVAE, folder: Path, step: int) -> None:
        generator = torch.Generator().manual_seed(0)
        with torch.inference_mode():
            rows = np.arange(min(32, len(self.validation.faces)))
            images = self.validation.tensor(rows, torch.device("cpu"))
            images = self.losses.degradation.apply(images, generator)
            found = average.decode(average.encode(images).mean)
            pairs = torch.stack([images, found], dim=1).flatten(0, 1)
            save_grid(folder / f"reconstructions_{step:06d}.png", pairs)
            save_grid(folder / f"samples_{step:06d}.png", average.decode(average.sample(64, None, generator)))


def look_at_faces(
    network: Detector | DBVAE,
    task: Detection,
    change: Callable[[Tensor], Tensor] | None = None,
    batch: int = 256,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the logits ``[n]`` and latent means ``[n, D]`` of a task's faces, undegraded unless changed.

    The network's mode stays as it is: the training goes on in it. A baseline has no latent: D is 0.
    """
    device = next(network.parameters()).device
    logits, means = [], []
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            for start in range(0, len(task.faces), batch):
                rows = np.arange(start, min(start + batch, len(task.faces)))
                images = task.tensor(rows, device)
                images = images if change is None else change(images)
                if isinstance(network, DBVAE):
                    logit, posterior = network.read(images)
                    mean = posterior.mean
                else:
                    logit = network.logit(images)
                    mean = logit.new_empty((len(rows), 0))
                logits.append(logit.float().cpu().numpy())
                means.append(mean.float().cpu().numpy())
    finally:
        network.train(training)
    return np.concatenate(logits).astype(np.float64), np.concatenate(means).astype(np.float64)


def _even(n: int) -> NDArray[np.float64]:
    return np.full(n, 1.0 / n)


def _epochs(n: int, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return ``count`` of n rows: permutations end to end, so that all stand equally often, within one."""
    return np.concatenate([generator.permutation(n) for _ in range(-(-count // n))])[:count]
