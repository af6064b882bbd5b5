"""A whole training of a detector or a DB-VAE, from the name of a set to a checkpoint's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from latentlab.checkpoints import locate, save
from latentlab.checkpoints.companion import OWN_PREDICTOR
from latentlab.errors import SettingsError
from latentlab.families.dbvae import DBVAE, DBVAEConfig
from latentlab.families.detector import FACE, Detector, DetectorConfig
from latentlab.metrics.classification import confusion_matrix
from latentlab.progress import PartOf, Progress, Reporter
from latentlab.spec import CheckpointConfig, Confusion, PredictorSpec
from latentlab.training.debiasing import DetectionLosses, DetectionRecipe
from latentlab.training.degrade import Degradation
from latentlab.training.detection_task import BIAS, Detection, logits_of, open_detection, threshold_at
from latentlab.training.loop import LoopSettings, make_fabric, train
from latentlab.training.resampling import Resampling
from latentlab.training.runs import check_place, made_of, run_folder, training_record
from latentlab.training.setting_out import network_config
from latentlab.training.vae import summarise_latents

Family = Literal["dbvae", "cnn"]
EMA = 0.99
"""Decay of the averaged weights: a hundred steps, for the whole training is some hundreds."""


@dataclass(frozen=True)
class DetectionTraining:
    """What is trained, on what and how; plain values, so that it can be asked for in another process.

    Parameters
    ----------
    family
        ``dbvae`` or ``cnn``, the baseline.
    data
        Set of faces, without its split.
    bias, count
        Ratios of the faces that are trained on, and how many; all that there can be if None.
    resampling
        The DB-VAE's rule; a baseline draws evenly.
    epochs
        Epochs of the whole training: in one, as many faces are drawn as there are.
    latent, filters, image_size
        The shape of the network.
    """

    family: Family = "dbvae"
    data: str = "faces"
    bias: tuple[str, ...] = BIAS
    count: int | None = None
    resampling: Resampling = field(default_factory=Resampling)
    losses: DetectionLosses = field(default_factory=DetectionLosses)
    epochs: int = 8
    latent: int = 32
    filters: int = 12
    image_size: int = 64

    def __post_init__(self) -> None:
        if self.family not in ("dbvae", "cnn"):
            raise SettingsError(f"A detection training is of dbvae or cnn, not {self.family!r}.")
        if self.epochs < 1:
            raise SettingsError(f"A training has at least one epoch, not {self.epochs}.")
        if self.count is not None and self.count < 1:
            raise SettingsError(f"At least one face is trained on; {self.count} were asked for.")

    def config(self) -> DetectorConfig:
        """Return the network's configuration."""
        shape = {"image_size": self.image_size, "filters": self.filters}
        if self.family == "cnn":
            return network_config(DetectorConfig, shape)
        return network_config(DBVAEConfig, shape | {"latent": self.latent})

    def rule(self) -> Resampling:
        """Return how faces are drawn."""
        return self.resampling if self.family == "dbvae" else Resampling("none")

    def task(self, seed: int, reporter: Reporter | None = None) -> Detection:
        """Open the rows that are trained on with a seed; raises `LatentLabError` if they cannot be had."""
        return open_detection(self.data, "train", self.image_size, self.bias, self.count, seed, reporter)


def train_detection(
    asked: DetectionTraining,
    out: Path,
    settings: LoopSettings,
    fresh: bool = False,
    reporter: Reporter | None = None,
) -> Path:
    """Train one and write its checkpoint to ``out``; resumes an unfinished run there.

    A baseline's checkpoint is a predictor of the attribute ``face``; a DB-VAE's is a model, with its decision
    as such a predictor in its folder ``detector``. ``settings.steps`` is not used: the epochs say it, or the
    budget. The threshold is chosen on the validation rows, where `DetectionLosses.false_positives` of what is
    no face passes; for another share what was trained to the end is not trained again.

    Raises
    ------
    LatentLabError
        If the set or the settings cannot be used, or the run cannot be written.
    """
    reporter = reporter or Reporter()
    if settings.devices * settings.nodes > 1:
        raise SettingsError(
            "A detector is trained in one process; it takes minutes. Give --devices 1 --nodes 1."
        )
    if settings.batch < 2:
        raise SettingsError("A batch is half faces and half others: two pictures at least.")
    torch.manual_seed(settings.seed)
    config = asked.config()
    check_place(out)
    task = asked.task(settings.seed, reporter)
    validation = open_detection(asked.data, "validation", asked.image_size, reporter=reporter)
    epoch = max(1, round(2 * len(task.faces) / settings.batch))
    planned = asked.epochs * epoch
    settings = replace(settings, steps=planned, save_every=epoch)
    fabric = make_fabric(settings)
    run = run_folder(out, fresh, fabric)
    recipe = DetectionRecipe(config, task, validation, asked.losses, asked.rule(), run, epoch, settings.seed)
    bearing = plain(asked)
    del bearing["losses"]["false_positives"]  # a threshold is chosen afterwards, and may be chosen anew
    trained = train(recipe, task, run, settings, fabric, reporter, {"training": bearing})
    network = trained.network.to("cpu").float()
    assert isinstance(network, (Detector, DBVAE))
    if trained.step < trained.steps:
        return out
    reporter.report(Progress("Choosing the threshold"))
    more = plain(asked) | {"recipe": asked.family} | made_of(task.faces)
    made = training_record(asked.data, settings, trained, more)
    write_trained(out, network, task, validation, asked.losses, made)
    return out


def train_seeds(
    asked: DetectionTraining,
    out: Path,
    settings: LoopSettings,
    seeds: int,
    fresh: bool = False,
    reporter: Reporter | None = None,
) -> list[Path]:
    """Train with several seeds, ``settings.seed`` and those after it; each in ``out/seed-N``.

    What is finished already is left as it is, unless ``fresh``.
    """
    if seeds < 1:
        raise SettingsError(f"At least one seed is trained with, not {seeds}.")
    whole, found = reporter or Reporter(), []
    for place in range(seeds):
        whole.raise_if_cancelled()
        seed = settings.seed + place
        folder = out / f"seed-{seed}"
        if fresh or not is_finished(folder, asked, seed):
            part = PartOf(whole, place, seeds)
            train_detection(asked, folder, replace(settings, seed=seed), fresh, part)
        found.append(folder)
    return found


def is_finished(folder: Path, asked: DetectionTraining, seed: int) -> bool:
    """Whether a folder holds the checkpoint of just this training.

    Raises
    ------
    LatentLabError
        If a checkpoint lies there that cannot be read.
    """
    if not (folder / "config.json").is_file():
        return False
    made = locate(folder).config.training
    return made.get("settings", {}).get("seed") == seed and all(
        made.get(name) == value for name, value in plain(asked).items()
    )


def write_trained(
    out: Path,
    network: Detector | DBVAE,
    task: Detection,
    validation: Detection,
    losses: DetectionLosses,
    made: Mapping[str, Any],
) -> None:
    """Choose the threshold on validation rows and write the checkpoint."""
    faces, others = logits_of(network.logit, validation, losses.degradation)
    threshold = threshold_at(others, losses.false_positives)
    config = network.config.model_copy(update={"threshold": threshold})
    network.config = config
    detector = network if isinstance(network, Detector) else network.detector()
    spec = _predictor_spec(detector.spec, faces > threshold, others > threshold, validation)
    place = out if isinstance(network, Detector) else out / OWN_PREDICTOR
    if isinstance(network, DBVAE):
        summary = summarise_latents(network, task.faces)
        described = CheckpointConfig(
            kind="model",
            name=_name(out),
            model=network.spec.model_copy(update={"latent_summary": summary}),
            network=config.model_dump(mode="json"),
            training=made,
        )
    save(
        place,
        detector,
        CheckpointConfig(
            kind="predictor",
            name=_name(out),
            predictor=spec,
            network=detector.config.model_dump(mode="json"),
            training=made,
        ),
    )
    if isinstance(network, DBVAE):  # last: where it lies, all of it does
        save(out, network, described)


def _name(out: Path) -> str:
    """Return what to call a checkpoint: of one of several seeds with the name of what all are."""
    return f"{out.parent.name}-{out.name}" if out.name.startswith("seed-") else out.name


def plain(asked: DetectionTraining) -> dict[str, Any]:
    """Return a training as JSON takes it."""
    found: dict[str, Any] = json.loads(json.dumps(asdict(replace(asked, resampling=asked.rule()))))
    return found


def of_plain(said: Mapping[str, Any]) -> DetectionTraining:
    """Return what `plain` gave.

    Raises
    ------
    SettingsError
        If something is missing or of another type.
    """
    try:
        losses = dict(said["losses"])
        worse = {name: tuple(values) for name, values in losses.pop("degradation").items()}
        fields = {name: value for name, value in said.items() if name not in ("losses", "resampling", "bias")}
        return DetectionTraining(
            **fields,
            bias=tuple(said["bias"]),
            resampling=Resampling(**said["resampling"]),
            losses=DetectionLosses(**losses, degradation=Degradation(**worse)),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"The settings of a training cannot be read: {error}.") from None


def _predictor_spec(
    spec: PredictorSpec, hits: Sequence[bool] | Any, false: Any, validation: Detection
) -> PredictorSpec:
    """Add how often the detector errs on the validation rows."""
    truth = np.r_[np.ones(len(hits), np.int64), np.zeros(len(false), np.int64)]
    said = np.r_[np.asarray(hits, np.int64), np.asarray(false, np.int64)]
    counts = confusion_matrix(truth, said, len(FACE.classes))
    confusion = Confusion(counts=tuple(tuple(int(n) for n in row) for row in counts))
    return spec.model_copy(
        update={
            "confusion": {FACE.name: confusion},
            "confusion_source": f"{validation.faces.info.name}:validation and not-faces:validation",
        }
    )
