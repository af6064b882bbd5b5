"""``latentlab train dbvae`` and ``cnn``: a debiasing VAE, and the detector that is its baseline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentlab.cli.train_options import Accelerator, Fresh, ImageSize, Precision, Rate, Seed, Stop, Threads

if TYPE_CHECKING:
    from latentlab.training.detection_runs import DetectionTraining

Faces = Annotated[str, typer.Option("--data", help="Set of faces, without its split: faces, a folder, ...")]
Out = Annotated[
    Path, typer.Option("--out", help="Checkpoint folder to write, with a folder seed-N for each of several.")
]
Bias = Annotated[
    list[str] | None,
    typer.Option(
        "--ratio",
        help="Shares of the faces trained on, as data resample takes them. Repeatable; 90% light, 80% male "
        "by default; --ratio none takes the set as it is.",
    ),
]
Count = Annotated[int | None, typer.Option(help="Faces to train on; as many as there can be by default.")]
Epochs = Annotated[int, typer.Option(min=1, help="Epochs of the training.")]
Minutes = Annotated[
    float | None, typer.Option(help="Budget of each seed, in place of the epochs, from a short trial.")
]
Batch = Annotated[int, typer.Option(help="Pictures of a step: half faces, half others.")]
Seeds = Annotated[int | None, typer.Option(min=1, help="Train so many times, each in OUT/seed-N.")]
FalsePositives = Annotated[
    float, typer.Option(help="Share of held-out non-faces that the threshold lets pass.")
]
Filters = Annotated[int, typer.Option(help="Channels of the first stage, a multiple of 4.")]


def register_detection(group: typer.Typer) -> None:
    """Add the commands to the group ``train``."""
    group.command("dbvae")(dbvae)
    group.command("cnn")(cnn)


def dbvae(
    out: Out,
    data: Faces = "faces",
    ratio: Bias = None,
    count: Count = None,
    rule: Annotated[
        str, typer.Option(help="How rare faces are drawn more often: max, product, informative or none.")
    ] = "informative",
    smoothing: Annotated[
        float, typer.Option(help="Smoothing factor alpha: the smaller, the stronger the resampling.")
    ] = 0.001,
    keep: Annotated[
        float, typer.Option(help="Share of an epoch's probabilities that stays in the next one's.")
    ] = 0.0,
    latent: Annotated[int, typer.Option(help="Entries of the latent.")] = 32,
    kl: Annotated[float, typer.Option(help="Weight of the KL divergence.")] = 0.0005,
    epochs: Epochs = 8,
    minutes: Minutes = None,
    stop: Stop = None,
    batch: Batch = 64,
    seed: Seed = 0,
    seeds: Seeds = None,
    rate: Rate = 1e-3,
    false_positives: FalsePositives = 0.03,
    filters: Filters = 12,
    image_size: ImageSize = 64,
    accelerator: Accelerator = "auto",
    precision: Precision = "32-true",
    threads: Threads = 0,
    fresh: Fresh = False,
) -> None:
    """Train a debiasing VAE to tell faces from what is none; run it again to resume.

    The faces are biased on purpose, and drawn anew each epoch so that rare ones stand in more batches.

    Example: latentlab train dbvae --out my-dbvae --rule max --smoothing 0.001 --seeds 5
    """
    from latentlab.training.debiasing import DetectionLosses
    from latentlab.training.detection_runs import DetectionTraining
    from latentlab.training.resampling import Resampling

    asked = DetectionTraining(
        family="dbvae",
        data=data,
        bias=_bias(ratio),
        count=count,
        resampling=Resampling(rule, smoothing, keep),  # type: ignore[arg-type]
        losses=DetectionLosses(rate=rate, kl=kl, false_positives=false_positives),
        epochs=epochs,
        latent=latent,
        filters=filters,
        image_size=image_size,
    )
    _train(asked, out, minutes, stop, batch, seed, seeds, accelerator, precision, threads, fresh)


def cnn(
    out: Out,
    data: Faces = "faces",
    ratio: Bias = None,
    count: Count = None,
    epochs: Epochs = 8,
    minutes: Minutes = None,
    stop: Stop = None,
    batch: Batch = 64,
    seed: Seed = 0,
    seeds: Seeds = None,
    rate: Rate = 1e-3,
    false_positives: FalsePositives = 0.03,
    filters: Filters = 12,
    image_size: ImageSize = 64,
    accelerator: Accelerator = "auto",
    precision: Precision = "32-true",
    threads: Threads = 0,
    fresh: Fresh = False,
) -> None:
    """Train the baseline: the DB-VAE's network without a latent, on the same biased faces.

    Example: latentlab train cnn --out my-baseline --seeds 5
    """
    from latentlab.training.debiasing import DetectionLosses
    from latentlab.training.detection_runs import DetectionTraining

    asked = DetectionTraining(
        family="cnn",
        data=data,
        bias=_bias(ratio),
        count=count,
        losses=DetectionLosses(rate=rate, false_positives=false_positives),
        epochs=epochs,
        filters=filters,
        image_size=image_size,
    )
    _train(asked, out, minutes, stop, batch, seed, seeds, accelerator, precision, threads, fresh)


def _bias(ratio: list[str] | None) -> tuple[str, ...]:
    from latentlab.training.detection_task import BIAS

    if ratio is None:
        return BIAS
    return () if ratio == ["none"] else tuple(ratio)


def _train(
    asked: DetectionTraining,
    out: Path,
    minutes: float | None,
    stop: int | None,
    batch: int,
    seed: int,
    seeds: int | None,
    accelerator: str,
    precision: str,
    threads: int,
    fresh: bool,
) -> None:
    from latentlab.cli.progress import show_progress
    from latentlab.training.detection_runs import EMA, train_detection, train_seeds
    from latentlab.training.loop import LoopSettings

    settings = LoopSettings(
        stop=stop,
        minutes=minutes,
        batch=batch,
        seed=seed,
        ema=EMA,
        accelerator=accelerator,
        precision=precision,
        threads=threads,
    )
    with show_progress() as reporter:
        if seeds is None:
            train_detection(asked, out, settings, fresh, reporter)
        else:
            train_seeds(asked, out, settings, seeds, fresh, reporter)
    print(f"Written to {out}")
