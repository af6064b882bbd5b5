"""``latentlab train``: train a model or a predictor on a set of images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[str, typer.Option("--data", help="Set to train on: faces:train, a folder, ...")]
Out = Annotated[Path, typer.Option("--out", help="Checkpoint folder to write; its run lies in OUT/run.")]
Steps = Annotated[int, typer.Option(help="Optimiser steps of the whole training.")]
Stop = Annotated[
    int | None, typer.Option(help="Stop after this step; the same command without it goes on from there.")
]
Minutes = Annotated[float | None, typer.Option(help="Budget; sets the steps once, from a short trial.")]
Batch = Annotated[int, typer.Option(help="Images of a step, over all processes together.")]
Seed = Annotated[int, typer.Option(help="Of the weights, the order of the rows, and the noise.")]
ImageSize = Annotated[int, typer.Option(help="Height and width of the pictures in pixels.")]
Devices = Annotated[int, typer.Option(help="Processes (one a device) on each node.")]
Nodes = Annotated[int, typer.Option(help="Machines that take part.")]
Accelerator = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Precision = Annotated[str, typer.Option(help="bf16-mixed, 16-mixed or 32-true.")]
Threads = Annotated[int, typer.Option(help="Intra-op threads; 0 leaves torch's choice.")]
Validation = Annotated[
    str | None, typer.Option(help="Held-out set; SET:validation by default, where it exists.")
]
Widths = Annotated[
    str | None, typer.Option(help="Channels of each stage by commas, from the finest to the coarsest.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Begin anew where OUT holds an unfinished run.")]


def register(app: typer.Typer) -> None:
    """Add the command group ``train``."""
    group = typer.Typer(help="Train a model or a predictor.", no_args_is_help=True)
    group.command("vae")(vae)
    group.command("cvae")(cvae)
    group.command("cinn")(cinn)
    group.command("classifier")(classifier)
    app.add_typer(group, name="train")


def vae(
    data: Data,
    out: Out,
    steps: Steps = 10_000,
    stop: Stop = None,
    minutes: Minutes = None,
    batch: Batch = 64,
    seed: Seed = 0,
    start: Annotated[
        str | None,
        typer.Option("--from", help="Checkpoint of a VAE to go on from, with its shape and weights."),
    ] = None,
    image_size: Annotated[int | None, typer.Option(help="Size of the pictures; 64 by default.")] = None,
    latent: Annotated[int | None, typer.Option(help="Entries of the latent; 64 by default.")] = None,
    encoder_widths: Widths = None,
    decoder_widths: Widths = None,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 5e-4,
    beta: Annotated[float, typer.Option(help="Weight of the KL divergence.")] = 3e-5,
    features: Annotated[
        str | None,
        typer.Option(help="Checkpoint of the feature loss's network; without one there is no such loss."),
    ] = None,
    feature_weight: Annotated[float, typer.Option(help="Weight of the feature distance.")] = 0.1,
    adversarial: Annotated[float, typer.Option(help="Weight of the discriminator; 0 leaves it out.")] = 0.3,
    adversarial_from: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the training before the discriminator's phase.")
    ] = 0.85,
    predictor: Annotated[
        str | None,
        typer.Option(help="Bundled attribute predictor to show with this model, recorded in its config."),
    ] = None,
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
    from latentlab.cli.progress import show_progress
    from latentlab.training.loop import LoopSettings
    from latentlab.training.runs import train_vae
    from latentlab.training.vae import VAELosses

    settings = LoopSettings(
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
    losses = VAELosses(
        rate=rate,
        beta=beta,
        features=feature_weight if features else 0.0,
        adversarial=adversarial,
        adversarial_from=adversarial_from,
        **({} if start is None else {"warmup": 0.0, "features_from": 0.0}),  # it has learnt what comes first
    )
    network = {
        "image_size": image_size,
        "latent": latent,
        "encoder_widths": _numbers(encoder_widths),
        "decoder_widths": _numbers(decoder_widths),
    }
    asked = {name: value for name, value in network.items() if value is not None}
    with show_progress() as reporter:
        folder = train_vae(
            data, out, settings, losses, asked, features, start, predictor, validation, fresh, reporter
        )
    print(f"Written to {folder}")


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
        typer.Option(help="How the condition enters: spatial (a map a stage, the default) or concat."),
    ] = None,
    image_size: Annotated[int | None, typer.Option(help="Size of the pictures; 64 by default.")] = None,
    latent: Annotated[int | None, typer.Option(help="Entries of the latent; 64 by default.")] = None,
    encoder_widths: Widths = None,
    decoder_widths: Widths = None,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 5e-4,
    beta: Annotated[float, typer.Option(help="Weight of the KL divergence.")] = 3e-5,
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
    feature_weight: Annotated[float, typer.Option(help="Weight of the feature distance.")] = 0.1,
    guide: Annotated[float, typer.Option(help="Weight of the guide's cross-entropy on flips.")] = 0.02,
    adversarial: Annotated[float, typer.Option(help="Weight of the discriminator; 0 leaves it out.")] = 0.3,
    adversarial_from: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the training before the discriminator's phase.")
    ] = 0.85,
    predictor: Annotated[
        str | None,
        typer.Option(help="Bundled attribute predictor to show with this model, recorded in its config."),
    ] = None,
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
    from latentlab.cli.evaluate import split_names
    from latentlab.cli.progress import show_progress
    from latentlab.training.cvae import CVAELosses
    from latentlab.training.loop import LoopSettings
    from latentlab.training.runs import train_cvae

    settings = LoopSettings(
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
    losses = CVAELosses(
        rate=rate,
        beta=beta,
        features=feature_weight if features else 0.0,
        adversarial=adversarial,
        adversarial_from=adversarial_from,
        independence=independence,  # type: ignore[arg-type]
        independence_weight=independence_weight,
        guide=guide if features else 0.0,
        **({} if start is None else {"warmup": 0.0, "features_from": 0.0}),  # it has learnt what comes first
    )
    network = {
        "image_size": image_size,
        "latent": latent,
        "encoder_widths": _numbers(encoder_widths),
        "decoder_widths": _numbers(decoder_widths),
        "injection": injection,
    }
    asked = {name: value for name, value in network.items() if value is not None}
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
    steps: Steps = 4_000,
    stop: Stop = None,
    minutes: Minutes = None,
    batch: Batch = 256,
    seed: Seed = 0,
    blocks: Annotated[int | None, typer.Option(help="Blocks of the flow.")] = None,
    width: Annotated[int | None, typer.Option(help="Width of the networks in its couplings.")] = None,
    depth: Annotated[int | None, typer.Option(help="Hidden layers in them after the first.")] = None,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 1e-3,
    tie_weight: Annotated[float, typer.Option(help="Weight of the tied attributes' cross-entropy.")] = 1.0,
    pair_weight: Annotated[float, typer.Option(help="Weight of the squared distance of known pairs.")] = 1.0,
    predictor: Annotated[
        str | None,
        typer.Option(help="Bundled attribute predictor to show with this model, recorded in its config."),
    ] = None,
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
    """
    from latentlab.cli.evaluate import split_names
    from latentlab.cli.progress import show_progress
    from latentlab.training.cinn import CINNLosses
    from latentlab.training.loop import LoopSettings
    from latentlab.training.runs import train_cinn

    settings = LoopSettings(
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
    losses = CINNLosses(rate=rate, tie=0.0 if tie == "" else tie_weight, pairs=pair_weight)
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
            network,
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
    from latentlab.cli.evaluate import split_names
    from latentlab.cli.progress import show_progress
    from latentlab.training.loop import LoopSettings
    from latentlab.training.runs import train_classifier

    settings = LoopSettings(
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
