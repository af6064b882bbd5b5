"""``latentlab train``: train a model or a predictor on a set of images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentlab.cli.options import split_names
from latentlab.cli.train_detection import register_detection
from latentlab.cli.train_options import Accelerator, Fresh, ImageSize, Precision, Rate, Seed, Stop, Threads

if TYPE_CHECKING:
    from latentlab.training.loop import LoopSettings

Data = Annotated[str, typer.Option("--data", help="Set to train on: faces:train, a folder, ...")]
Out = Annotated[Path, typer.Option("--out", help="Checkpoint folder to write; its run lies in OUT/run.")]
Steps = Annotated[int, typer.Option(help="Optimiser steps of the whole training.")]
Minutes = Annotated[float | None, typer.Option(help="Budget; sets the steps once, from a short trial.")]
Batch = Annotated[int, typer.Option(help="Images of a step, over all processes together.")]
Devices = Annotated[int, typer.Option(help="Processes (one a device) on each node.")]
Nodes = Annotated[int, typer.Option(help="Machines that take part.")]
Validation = Annotated[
    str | None, typer.Option(help="Held-out set; SET:validation by default, where it exists.")
]
Widths = Annotated[
    str | None, typer.Option(help="Channels of each stage by commas, from the finest to the coarsest.")
]
StartVAE = Annotated[
    str | None, typer.Option("--from", help="Checkpoint of a VAE to go on from, with its shape and weights.")
]
PictureSize = Annotated[int | None, typer.Option(help="Size of the pictures; 64 by default.")]
Latent = Annotated[int | None, typer.Option(help="Entries of the latent; 64 by default.")]
Beta = Annotated[float, typer.Option(help="Weight of the KL divergence.")]
Features = Annotated[
    str | None,
    typer.Option(help="Checkpoint of the feature loss's network; without one there is no such loss."),
]
FeatureWeight = Annotated[float, typer.Option(help="Weight of the feature distance.")]
Guide = Annotated[
    float,
    typer.Option(help="Weight of what the feature network, as a classifier, reads otherwise afterwards."),
]
Adversarial = Annotated[float, typer.Option(help="Weight of the discriminator; 0 leaves it out.")]
AdversarialFrom = Annotated[
    float, typer.Option(min=0.0, max=1.0, help="Share of the training before the discriminator's phase.")
]
Shown = Annotated[
    str | None,
    typer.Option(help="Bundled attribute predictor to show with this model, recorded in its config."),
]


def register(app: typer.Typer) -> None:
    """Add the command group ``train``."""
    group = typer.Typer(help="Train a model or a predictor.", no_args_is_help=True)
    group.command("vae")(vae)
    group.command("autoencoder")(autoencoder)
    group.command("cvae")(cvae)
    group.command("cinn")(cinn)
    group.command("classifier")(classifier)
    register_detection(group)
    app.add_typer(group, name="train")


def vae(
    data: Data,
    out: Out,
    steps: Steps = 10_000,
    stop: Stop = None,
    minutes: Minutes = None,
    batch: Batch = 64,
    seed: Seed = 0,
    start: StartVAE = None,
    image_size: PictureSize = None,
    latent: Latent = None,
    encoder_widths: Widths = None,
    decoder_widths: Widths = None,
    rate: Rate = 5e-4,
    beta: Beta = 3e-5,
    features: Features = None,
    feature_weight: FeatureWeight = 0.1,
    guide: Guide = 0.0,
    adversarial: Adversarial = 0.3,
    adversarial_from: AdversarialFrom = 0.85,
    predictor: Shown = None,
    validation: Validation = None,
    devices: Devices = 1,
    nodes: Nodes = 1,
    accelerator: Accelerator = "auto",
    precision: Precision = "bf16-mixed",
    threads: Threads = 0,
    fresh: Fresh = False,
) -> None:
    """Train a variational autoencoder; run it again to resume.

    Example: latentlab train vae --data faces:train --out my-vae --minutes 30
    """
    _train_vae(
        data,
        out,
        _loop(steps, stop, minutes, batch, seed, devices, nodes, accelerator, precision, threads),
        start,
        _shape(image_size, latent, encoder_widths, decoder_widths),
        rate,
        beta,
        features,
        feature_weight,
        guide,
        adversarial,
        adversarial_from,
        predictor,
        validation,
        fresh,
    )


def autoencoder(
    data: Annotated[
        list[str], typer.Option("--data", help="Sets to train on, each with a --data of its own.")
    ],
    out: Out,
    steps: Steps = 10_000,
    stop: Stop = None,
    minutes: Minutes = None,
    batch: Batch = 64,
    seed: Seed = 0,
    start: StartVAE = None,
    image_size: PictureSize = None,
    latent: Latent = None,
    encoder_widths: Widths = None,
    decoder_widths: Widths = None,
    rate: Rate = 5e-4,
    beta: Beta = 1e-5,
    features: Features = None,
    feature_weight: FeatureWeight = 1.0,
    guide: Guide = 0.02,
    adversarial: Adversarial = 0.3,
    adversarial_from: AdversarialFrom = 0.6,
    predictor: Shown = None,
    validation: Validation = None,
    devices: Devices = 1,
    nodes: Nodes = 1,
    accelerator: Accelerator = "auto",
    precision: Precision = "bf16-mixed",
    threads: Threads = 0,
    fresh: Fresh = False,
) -> None:
    """Train one autoencoder on several datasets together, as a cINN needs it; run it again to resume.

    It is train vae with defaults for crisp reconstructions: little weight on the KL divergence, much on the
    feature distance, and a discriminator that judges for longer. Several sets are joined in memory.

    Example: latentlab train autoencoder --data photos:train --data drawings:train --out my-autoencoder
    """
    _train_vae(
        data,
        out,
        _loop(steps, stop, minutes, batch, seed, devices, nodes, accelerator, precision, threads),
        start,
        _shape(image_size, latent, encoder_widths, decoder_widths),
        rate,
        beta,
        features,
        feature_weight,
        guide,
        adversarial,
        adversarial_from,
        predictor,
        validation,
        fresh,
    )


def cvae(
    data: Data,
    out: Out,
    condition: Annotated[str, typer.Option(help="Attributes that the model is conditioned on, by commas.")],
    steps: Steps = 10_000,
    stop: Stop = None,
    minutes: Minutes = None,
    batch: Batch = 64,
    seed: Seed = 0,
    start: Annotated[
        str | None,
        typer.Option("--from", help="Checkpoint of a VAE or CVAE to go on from, with its shape and weights."),
    ] = None,
    injection: Annotated[
        str | None,
        typer.Option(
            help="How the condition enters: concat, the default --from a VAE, or spatial (a map a stage)."
        ),
    ] = None,
    image_size: PictureSize = None,
    latent: Latent = None,
    encoder_widths: Widths = None,
    decoder_widths: Widths = None,
    rate: Rate = 5e-4,
    beta: Beta = 3e-5,
    independence: Annotated[
        str, typer.Option(help="Penalty on what z tells of the condition: linear, adversarial, hsic or none.")
    ] = "none",
    independence_weight: Annotated[float, typer.Option(help="Weight of that penalty.")] = 0.02,
    features: Annotated[
        str | None,
        typer.Option(
            help="Checkpoint of an attribute predictor for the feature loss and, where it knows the "
            "condition, as the guide of the flips."
        ),
    ] = None,
    feature_weight: FeatureWeight = 0.1,
    guide: Annotated[float, typer.Option(help="Weight of the guide's cross-entropy on flips.")] = 0.02,
    trained: Annotated[
        str, typer.Option(help="What is trained: all, or only what the decoder's condition does (condition).")
    ] = "all",
    adversarial: Adversarial = 0.3,
    adversarial_from: AdversarialFrom = 0.85,
    predictor: Shown = None,
    validation: Validation = None,
    devices: Devices = 1,
    nodes: Nodes = 1,
    accelerator: Accelerator = "auto",
    precision: Precision = "bf16-mixed",
    threads: Threads = 0,
    fresh: Fresh = False,
) -> None:
    """Train a conditional variational autoencoder; run it again to resume.

    Example: latentlab train cvae --data faces:train --condition gender,race,glasses --out my-cvae
    """
    from latentlab.cli.progress import show_progress
    from latentlab.training.cvae import CVAELosses
    from latentlab.training.runs import train_cvae

    settings = _loop(steps, stop, minutes, batch, seed, devices, nodes, accelerator, precision, threads)
    losses = CVAELosses(
        rate=rate,
        beta=beta,
        features=feature_weight if features else 0.0,
        adversarial=adversarial,
        adversarial_from=adversarial_from,
        independence=independence,  # type: ignore[arg-type]
        independence_weight=independence_weight,
        guide=guide if features else 0.0,
        trained=trained,  # type: ignore[arg-type]
        **({} if start is None else {"warmup": 0.0, "features_from": 0.0}),  # it has learnt what comes first
    )
    asked = _shape(image_size, latent, encoder_widths, decoder_widths)
    asked |= {} if injection is None else {"injection": injection}
    chosen = split_names(condition) or ()
    with show_progress() as reporter:
        folder = train_cvae(
            data,
            out,
            settings,
            losses,
            chosen,
            asked,
            features,
            start,
            predictor,
            validation,
            fresh,
            reporter,
        )
    print(f"Written to {folder}")


def cinn(
    data: Data,
    out: Out,
    autoencoder: Annotated[str, typer.Option(help="Checkpoint of the VAE on whose latents it is trained.")],
    datasets: Annotated[
        str, typer.Option(help="Attribute of the set whose classes are the datasets: style, dataset, ...")
    ],
    tie: Annotated[
        str | None,
        typer.Option(help="Attributes tied in the mode keep, by commas; all others of the set by default."),
    ] = None,
    pairs: Annotated[
        int, typer.Option(min=0, help="Identities whose drawings in all styles are taken as known pairs.")
    ] = 0,
    merge: Annotated[
        list[str] | None,
        typer.Option(help="Datasets that become one: broad+narrow=faces. Repeatable."),
    ] = None,
    steps: Steps = 4_000,
    stop: Stop = None,
    minutes: Minutes = None,
    batch: Batch = 256,
    seed: Seed = 0,
    blocks: Annotated[int | None, typer.Option(help="Blocks of the flow.")] = None,
    width: Annotated[int | None, typer.Option(help="Width of the networks in its couplings.")] = None,
    depth: Annotated[int | None, typer.Option(help="Hidden layers in them after the first.")] = None,
    rate: Rate = 1e-3,
    tie_weight: Annotated[float, typer.Option(help="Weight of the tied attributes' cross-entropy.")] = 1.0,
    pair_weight: Annotated[float, typer.Option(help="Weight of the squared distance of known pairs.")] = 1.0,
    features: Annotated[
        str | None,
        typer.Option(help="Checkpoint of an attribute predictor of its own, the guide of the projections."),
    ] = None,
    guide: Annotated[
        float, typer.Option(help="Weight of what the guide reads otherwise in projections.")
    ] = 0.3,
    moments: Annotated[
        float,
        typer.Option(min=0.0, help="Weight of projections' and samples' moments against the set's own."),
    ] = 40.0,
    transport: Annotated[
        float,
        typer.Option(min=0.0, help="Weight of how far *follow* moves pictures beyond Gaussian transport."),
    ] = 0.0,
    shares: Annotated[
        float,
        typer.Option(min=0.0, help="Weight of the classes' shares, as the guide reads them in *follow*."),
    ] = 0.0,
    samples: Annotated[
        float,
        typer.Option(
            min=0.0, help="Weight of how far samples' pictures are from the set's, as the guide sees."
        ),
    ] = 0.0,
    posterior: Annotated[
        float, typer.Option(min=0.0, help="How widely latents are drawn from the posterior: 0 its mean.")
    ] = 1.0,
    noise: Annotated[
        float, typer.Option(min=0.0, help="Noise on latents, as a share of their spread in each direction.")
    ] = 0.3,
    predictor: Shown = None,
    validation: Validation = None,
    devices: Devices = 1,
    nodes: Nodes = 1,
    accelerator: Accelerator = "auto",
    precision: Precision = "32-true",
    threads: Threads = 0,
    fresh: Fresh = False,
) -> None:
    """Train a conditional INN on an autoencoder's latents; run it again to resume.

    Example: latentlab train cinn --data avatars:train --datasets style --autoencoder my-vae --out my-cinn

    Example: latentlab train cinn --data faces-triple:train --datasets dataset --merge broad+narrow=faces ...
    """
    from latentlab.cli.progress import show_progress
    from latentlab.training.cinn import CINNLosses
    from latentlab.training.runs import train_cinn

    settings = _loop(steps, stop, minutes, batch, seed, devices, nodes, accelerator, precision, threads)
    losses = CINNLosses(
        rate=rate,
        tie=0.0 if tie == "" else tie_weight,
        pairs=pair_weight,
        guide=guide if features else 0.0,
        noise=noise,
        moments=moments,
        transport=transport,
        shares=shares if features else 0.0,
        samples=samples if features else 0.0,
        posterior=posterior,
    )
    asked = {"blocks": blocks, "width": width, "depth": depth}
    network = {name: value for name, value in asked.items() if value is not None}
    with show_progress() as reporter:
        folder = train_cinn(
            data,
            out,
            settings,
            losses,
            autoencoder,
            datasets,
            split_names(tie),
            pairs,
            merge or (),
            network,
            features,
            predictor,
            validation,
            fresh,
            reporter,
        )
    print(f"Written to {folder}")


def classifier(
    data: Data,
    out: Out,
    attributes: Annotated[
        str, typer.Option(help="Attributes to predict, by commas; all categorical ones by default.")
    ] = "",
    groups: Annotated[
        str, typer.Option(help="Attributes whose intersections are the groups of the stored error matrices.")
    ] = "",
    steps: Steps = 3_000,
    stop: Stop = None,
    minutes: Minutes = None,
    batch: Batch = 64,
    seed: Seed = 0,
    image_size: ImageSize = 64,
    validation: Validation = None,
    devices: Devices = 1,
    nodes: Nodes = 1,
    accelerator: Accelerator = "auto",
    precision: Precision = "bf16-mixed",
    threads: Threads = 0,
    fresh: Fresh = False,
) -> None:
    """Train a calibrated attribute predictor; run it again to resume.

    Example: latentlab train classifier --data faces:train --attributes gender,race --out my-attributes
    """
    from latentlab.cli.progress import show_progress
    from latentlab.training.runs import train_classifier

    settings = _loop(steps, stop, minutes, batch, seed, devices, nodes, accelerator, precision, threads)
    with show_progress() as reporter:
        folder = train_classifier(
            data,
            out,
            settings,
            split_names(attributes) or (),
            split_names(groups) or (),
            image_size,
            validation,
            fresh,
            reporter,
        )
    print(f"Written to {folder}")


def _loop(
    steps: int,
    stop: int | None,
    minutes: float | None,
    batch: int,
    seed: int,
    devices: int,
    nodes: int,
    accelerator: str,
    precision: str,
    threads: int,
) -> LoopSettings:
    """Return the settings that all recipes share."""
    from latentlab.training.loop import LoopSettings

    return LoopSettings(
        steps=steps,
        stop=stop,
        minutes=minutes,
        batch=batch,
        seed=seed,
        devices=devices,
        nodes=nodes,
        accelerator=accelerator,
        precision=precision,
        threads=threads,
    )


def _shape(
    image_size: int | None, latent: int | None, encoder_widths: str | None, decoder_widths: str | None
) -> dict[str, Any]:
    """Return what is asked of an autoencoder's shape."""
    network = {
        "image_size": image_size,
        "latent": latent,
        "encoder_widths": _numbers(encoder_widths),
        "decoder_widths": _numbers(decoder_widths),
    }
    return {name: value for name, value in network.items() if value is not None}


def _train_vae(
    data: str | list[str],
    out: Path,
    settings: LoopSettings,
    start: str | None,
    network: dict[str, Any],
    rate: float,
    beta: float,
    features: str | None,
    feature_weight: float,
    guide: float,
    adversarial: float,
    adversarial_from: float,
    predictor: str | None,
    validation: str | None,
    fresh: bool,
) -> None:
    from latentlab.cli.progress import show_progress
    from latentlab.training.runs import train_vae
    from latentlab.training.vae import VAELosses

    losses = VAELosses(
        rate=rate,
        beta=beta,
        features=feature_weight if features else 0.0,
        guide=guide if features else 0.0,
        adversarial=adversarial,
        adversarial_from=adversarial_from,
        **({} if start is None else {"warmup": 0.0, "features_from": 0.0}),  # it has learnt what comes first
    )
    with show_progress() as reporter:
        folder = train_vae(
            data, out, settings, losses, network, features, start, predictor, validation, fresh, reporter
        )
    print(f"Written to {folder}")


def _numbers(text: str | None) -> tuple[int, ...] | None:
    """Read whole numbers between commas; None stays None."""
    from latentlab.errors import SettingsError

    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        example = "64,96,192,256"
        raise SettingsError(f"Widths are whole numbers by commas, such as {example}; not {text!r}.") from None
