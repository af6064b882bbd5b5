"""The training-ratio study: the same small model trained on several shares of a class, several times each.

The set is resampled so that the first of an attribute's two classes has each share; how many images there are
stays the same, and so does everything else within each class. Each training has its own weights to begin with
and its own choice of rows: what they draw is then spread as trainings are spread, and that spread is what an
interval has to know of. A generation study of each follows (`latentlab.audit.generation`).
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import latentlab
from latentlab.audit.generation import GenerationSettings, redraw
from latentlab.audit.reference import UNIFORM, Reference
from latentlab.audit.training_ratio_plan import BATCH, LOSSES, RatioPlan, name_of, own_seed
from latentlab.checkpoints import load, save
from latentlab.errors import CheckpointError, SettingsError
from latentlab.families.vae import VAE
from latentlab.operations.explore import Explorer
from latentlab.progress import Progress, Reporter
from latentlab.spec import CheckpointConfig
from latentlab.training.loop import LoopSettings, make_fabric, train
from latentlab.training.vae import VAERecipe, summarise_latents

TRAININGS, SAMPLES = "trainings", "samples"
"""The folders with a checkpoint and with a generation study for each training."""
_SUMMARISED = 1024


def train_at(
    plan: RatioPlan,
    ratio: float,
    seed: int,
    out: Path,
    device: torch.device,
    predictor: str = "",
    reporter: Reporter | None = None,
) -> Path:
    """Train the model of a ratio and seed, unless that is done; return its checkpoint's folder.

    A training that was interrupted goes on where its last state was saved.

    Parameters
    ----------
    out
        The study's folder.
    predictor
        What the window should judge this model by; only recorded.

    Raises
    ------
    Cancelled
        If the reporter asked for it; the state is saved first.
    """
    folder = out / TRAININGS / name_of(ratio, seed)
    if _is_done(folder):
        return folder
    reporter, settings = reporter or Reporter(), plan.settings
    images, config = plan.resampled(ratio, seed), settings.network()
    loop = LoopSettings(
        steps=settings.steps,
        batch=BATCH,
        seed=own_seed(ratio, seed),
        save_every=250,
        accelerator=device.type,
        precision="32-true",
    )
    run = folder / "run"
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"The folder {run} cannot be made: {error.strerror or error}.") from None
    fabric = make_fabric(loop)
    torch.manual_seed(loop.seed)
    recipe = VAERecipe(config, LOSSES, None)
    trained = train(recipe, images, run, loop, fabric, reporter, {"ratio": ratio, "data": plan.name})
    vae = trained.network.to("cpu").float()
    assert isinstance(vae, VAE)
    reporter.report(Progress("Measuring the latent dimensions", settings.steps, settings.steps))
    first = images.select(np.arange(min(len(images), _SUMMARISED)))
    spec = vae.spec.model_copy(update={"latent_summary": summarise_latents(vae, first)})
    record = {
        "data": plan.name,
        "resampled": images.info.source["resampled"],
        "predictor": predictor,
        "steps": trained.steps,
        "batch": BATCH,
        "seed": loop.seed,
        "latentlab_version": latentlab.__version__,
        "torch_version": torch.__version__.split("+")[0],
    }
    described = CheckpointConfig(
        kind="model",
        name=folder.name,
        model=spec,
        network=config.model_dump(mode="json"),
        training=record,
    )
    save(folder, vae, described, half=True)
    shutil.rmtree(run / "state", ignore_errors=True)  # what has been trained needs no state to go on from
    return folder


def sample_rows(out: Path, ratio: float, seed: int) -> Iterator[list[str]]:
    """Give the rows of a training's generation study, without the header; the ratio stands first."""
    path = out / SAMPLES / name_of(ratio, seed) / "images.csv"
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        for row in reader:
            yield [repr(ratio), *row[1:]]


def opened_model(out: Path, ratio: float, seed: int) -> Explorer:
    """Return the model of a ratio and seed, without a predictor.

    Raises
    ------
    CheckpointError
        If it is not in the study's folder.
    """
    return Explorer.open(out / TRAININGS / name_of(ratio, seed), "")


def redraw_sample(explorer: Explorer, n: int, seed: int, image: int) -> NDArray[np.uint8]:
    """Return the picture behind a row of the table of images, uint8 ``[S, S, 3]``, RGB.

    Parameters
    ----------
    explorer
        The model of the row's ratio and seed.
    n
        Samples of each model.
    """
    return redraw(explorer, GenerationSettings(n, (seed,)), Reference(UNIFORM), seed, image)


def _is_done(folder: Path) -> bool:
    """Whether a whole checkpoint lies there: it is written when the training has ended."""
    if not (folder / "config.json").is_file():
        return False
    try:
        load(folder)
    except CheckpointError:
        return False
    return True
