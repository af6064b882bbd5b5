"""Whole trainings, from the name of a set to a checkpoint's folder: what the command line calls."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

import latentlab
from latentlab.checkpoints import Checkpoint, load, save
from latentlab.data.image_set import UNKNOWN, ImageSet
from latentlab.data.merge import merged, parse_merges
from latentlab.errors import DataError, SettingsError
from latentlab.families.attribute_cnn import AttributeCNN, AttributeCNNConfig
from latentlab.families.cinn import CINN, CINNConfig
from latentlab.families.cvae import CVAE
from latentlab.families.flow import ConditionalFlow, FlowConfig
from latentlab.families.vae import VAE, VAEConfig
from latentlab.metrics.labels import group_attributes, with_attribute, with_span
from latentlab.progress import Progress, Reporter
from latentlab.spec import MODE, Attribute, CheckpointConfig, ConditionSchema, ModelSpec, Record
from latentlab.training.affine_layers import whitened
from latentlab.training.centring import centre_condition
from latentlab.training.cinn import CINNLosses, CINNRecipe
from latentlab.training.classifier import ClassifierRecipe, calibrated_spec
from latentlab.training.cvae import CVAELosses, CVAERecipe
from latentlab.training.guide import Guide
from latentlab.training.latent_rows import latent_rows
from latentlab.training.loop import LoopSettings, Trained, make_fabric, train
from latentlab.training.perceptual import FeatureDistance, Misreading
from latentlab.training.setting_out import (
    cnn_of,
    cvae_shape,
    go_on_from,
    network_config,
    open_helper,
    open_sets,
    set_words,
    shape,
)
from latentlab.training.vae import VAELosses, VAERecipe, summarise_latents


def train_vae(
    data: str | Sequence[str],
    out: Path,
    settings: LoopSettings,
    losses: VAELosses,
    network: Mapping[str, Any] | None = None,
    features: str | None = None,
    start: str | None = None,
    predictor: str | None = None,
    validation: str | None = None,
    fresh: bool = False,
    reporter: Reporter | None = None,
) -> Path:
    """Train a VAE on a named set and write its checkpoint to ``out``; resumes an unfinished run there.

    Parameters
    ----------
    data
        A set's name, or those of several, which are joined.
    network
        Fields of `VAEConfig` that differ from its defaults.
    features
        Checkpoint of the network behind the feature distance and the guide; None leaves these losses out.
    start
        Checkpoint of a VAE from whose weights the training sets out, and whose shape the network then has.
    predictor
        Name or path of the predictor that the window should show with this model; only recorded.

    Raises
    ------
    LatentLabError
        If the set, the settings or the feature network cannot be used.
    """
    reporter = reporter or Reporter()
    torch.manual_seed(settings.seed)
    before = None if start is None else load(start)
    config = shape(network or {}, before, VAE, VAEConfig)
    check_place(out)
    images, held_out = open_sets(data, validation, config.image_size, reporter)
    fabric = make_fabric(settings)
    helper = open_helper(features, predictor, data, config.image_size)
    distance = guide = None
    if helper is not None:
        distance = FeatureDistance(cnn_of(helper)).to(fabric.device)
        guide = Misreading(cnn_of(helper)).to(fabric.device) if losses.guide else None
    recipe = VAERecipe(config, losses, held_out, distance, guide)
    if before is not None:
        recipe.vae.load_state_dict(before.network.state_dict())
    run = run_folder(out, fresh, fabric)
    asked = {
        "data": set_words(data),
        "network": config.model_dump(mode="json"),
        "losses": asdict(losses),
        "features": None if helper is None else helper.located.sha256(),
        "from": None if before is None else before.located.sha256(),
    }
    trained = train(recipe, images, run, settings, fabric, reporter, asked)
    vae = trained.network.to("cpu").float()
    assert isinstance(vae, VAE)
    if fabric.is_global_zero:
        reporter.report(Progress("Measuring the latent dimensions"))
        spec = vae.spec.model_copy(update={"latent_summary": summarise_latents(vae, images)})
        more = {"losses": asdict(losses)} | _made_with(features, helper, start, before, predictor)
        record = training_record(set_words(data), settings, trained, more | made_of(images))
        _save_model(out, vae, spec, config, record)
    return out


def train_cvae(
    data: str,
    out: Path,
    settings: LoopSettings,
    losses: CVAELosses,
    condition: Sequence[str],
    network: Mapping[str, Any] | None = None,
    features: str | None = None,
    start: str | None = None,
    predictor: str | None = None,
    validation: str | None = None,
    fresh: bool = False,
    reporter: Reporter | None = None,
) -> Path:
    """Train a conditional VAE on a named set; resumes an unfinished run in ``out``.

    Parameters
    ----------
    condition
        Attributes of the set that the model is conditioned on.
    network
        Fields of `CVAEConfig` that differ from its defaults.
    features
        Checkpoint of an attribute predictor of its own: the network behind the feature distance and, where
        ``losses.guide`` is not 0, the guide of the flips, which must then know the condition's attributes.
    start
        Checkpoint of a VAE or CVAE from whose weights the training sets out.
    predictor
        As in `train_vae`; it must be another one than ``features``.

    Raises
    ------
    LatentLabError
        If the set, the settings or the networks cannot be used.
    """
    reporter = reporter or Reporter()
    torch.manual_seed(settings.seed)
    before = None if start is None else load(start)
    config = cvae_shape(network or {}, before)
    check_place(out)
    images, held_out = open_sets(data, validation, config.image_size, reporter)
    schema = ConditionSchema(attributes=tuple(with_span(images, name) for name in dict.fromkeys(condition)))
    if not schema.size:
        raise SettingsError(
            f"A conditional VAE needs a condition: attributes of {data}, which has "
            f"{', '.join(a.name for a in images.info.attributes) or 'none'}."
        )
    if settings.devices * settings.nodes > 1:
        raise SettingsError(
            "A conditional VAE is trained in one process: what z tells of the condition is judged by the "
            "latents of the last steps, which one process has to remember. Give --devices 1 --nodes 1."
        )
    fabric = make_fabric(settings)
    helper = open_helper(features, predictor, data, config.image_size)
    distance = guide = None
    if helper is not None:
        distance = FeatureDistance(cnn_of(helper)).to(fabric.device)
        guide = cnn_of(helper).to(fabric.device) if losses.guide else None
    recipe = CVAERecipe(config, schema, losses, images, held_out, distance, guide)
    if before is not None:
        go_on_from(recipe.cvae, before)
        if not isinstance(before.network, CVAE):
            reporter.report(Progress("Taking the condition out of the latent"))
            centre_condition(recipe.cvae, images, recipe.conditions.numpy())
    run = run_folder(out, fresh, fabric)
    asked = {
        "data": data,
        "condition": [attribute.model_dump(mode="json") for attribute in schema.attributes],
        "network": config.model_dump(mode="json"),
        "losses": asdict(losses),
        "features": None if helper is None else helper.located.sha256(),
        "from": None if before is None else before.located.sha256(),
    }
    trained = train(recipe, images, run, settings, fabric, reporter, asked)
    cvae = trained.network.to("cpu").float()
    assert isinstance(cvae, CVAE)
    if fabric.is_global_zero:
        reporter.report(Progress("Taking the rest of the condition out of the latent"))
        told = recipe.conditions.numpy()
        centre_condition(cvae, images, told)
        reporter.report(Progress("Measuring the latent dimensions"))
        summary = summarise_latents(cvae, images, told)
        spec = cvae.spec.model_copy(update={"latent_summary": summary})
        more = {"losses": asdict(losses)} | _made_with(features, helper, start, before, predictor)
        record = training_record(data, settings, trained, more | made_of(images))
        _save_model(out, cvae, spec, config, record)
    return out


def train_classifier(
    data: str,
    out: Path,
    settings: LoopSettings,
    attributes: Sequence[str] = (),
    groups: Sequence[str] = (),
    image_size: int = 64,
    validation: str | None = None,
    fresh: bool = False,
    reporter: Reporter | None = None,
) -> Path:
    """Train a calibrated attribute predictor on a named set and write its checkpoint to ``out``.

    Parameters
    ----------
    attributes
        What to predict; all categorical attributes of the set where empty.
    groups
        Attributes whose intersections are the groups of the stored confusion matrices.

    Raises
    ------
    LatentLabError
        If the set lacks an attribute or a held-out split.
    """
    reporter = reporter or Reporter()
    torch.manual_seed(settings.seed)
    config = network_config(AttributeCNNConfig, {"image_size": image_size})
    check_place(out)
    images, held_out = open_sets(data, validation, image_size, reporter)
    if held_out is None:
        raise DataError(
            f"A predictor is calibrated on held-out images, and {data} has none; give --validation."
        )
    names = attributes or [a.name for a in images.info.attributes if a.kind == "categorical"]
    groups = group_attributes(held_out, groups)
    fabric = make_fabric(settings)
    recipe = ClassifierRecipe(config, images, names, held_out)
    run = run_folder(out, fresh, fabric)
    asked = {"data": data, "network": config.model_dump(mode="json"), "attributes": list(names)}
    trained = train(recipe, images, run, settings, fabric, reporter, asked)
    network = trained.network.to("cpu").float()
    assert isinstance(network, AttributeCNN)
    if fabric.is_global_zero:
        reporter.report(Progress("Calibrating"))
        source = validation or data.replace(":train", ":validation")
        spec = calibrated_spec(network, held_out, groups, source)
        save(
            out,
            network,
            CheckpointConfig(
                kind="predictor",
                name=out.name,
                predictor=spec,
                network=config.model_dump(mode="json"),
                training=training_record(data, settings, trained, made_of(images)),
            ),
            half=True,
        )
    return out


def train_cinn(
    data: str,
    out: Path,
    settings: LoopSettings,
    losses: CINNLosses,
    autoencoder: str,
    datasets: str,
    tie: Sequence[str] | None = None,
    pairs: int = 0,
    merge: Sequence[str] = (),
    network: Mapping[str, Any] | None = None,
    features: str | None = None,
    predictor: str | None = None,
    validation: str | None = None,
    fresh: bool = False,
    reporter: Reporter | None = None,
) -> Path:
    """Train a cINN on the latents of an autoencoder; resumes an unfinished run in ``out``.

    Parameters
    ----------
    autoencoder
        Checkpoint of the VAE whose latents they are; it becomes part of the checkpoint that is written.
    datasets
        The attribute of the set whose classes are the datasets.
    tie
        Attributes that are tied in the mode *keep*; all other categorical ones of the set if None.
    pairs
        Identities whose drawings in all styles are taken as known pairs; only of avatars.
    merge
        Datasets that become one, such as ``broad+narrow=faces`` (`latentlab.data.merge`): the model knows
        them by that name, and takes pictures of its parts for it.
    network
        Fields of `FlowConfig` that differ from its defaults.
    features
        Checkpoint of an attribute predictor of its own, the guide of the projections, where ``losses.guide``
        is not 0.
    predictor
        As in `train_vae`.

    Raises
    ------
    LatentLabError
        If the set, the settings or the autoencoder cannot be used.
    """
    reporter = reporter or Reporter()
    torch.manual_seed(settings.seed)
    before = load(autoencoder)
    vae = before.network
    if not isinstance(vae, VAE):
        raise SettingsError(f"{autoencoder} is no VAE; a cINN is trained on the latents of one.")
    flow, merges = network_config(FlowConfig, network or {}), parse_merges(merge)
    check_place(out)
    images, held_out = open_sets(data, validation, vae.config.image_size, reporter)
    told = images.attribute(datasets)
    if told.kind != "categorical":
        raise SettingsError(f"The datasets are the classes of an attribute; {datasets} has none.")
    domain = merged(told, merges)
    tied = _tied(images, datasets, tie) if losses.tie else ()
    if settings.devices * settings.nodes > 1:
        raise SettingsError("A cINN is trained in one process; it takes minutes. Give --devices 1 --nodes 1.")
    if held_out is not None and held_out.attribute(datasets) != told:
        raise SettingsError(
            f"The held-out set has {datasets} as {', '.join(held_out.attribute(datasets).classes)}; the set "
            f"to train on has {', '.join(told.classes)}. Give --validation one in the same datasets."
        )
    if merges:
        images = with_attribute(images, domain)
        held_out = None if held_out is None else with_attribute(held_out, domain)
    helper = open_helper(features, predictor, data, vae.config.image_size)
    fabric = make_fabric(settings)
    reporter.report(Progress("Encoding the images"))
    rows = latent_rows(vae, images, datasets, tied, pairs, settings.seed)
    others = None if held_out is None else latent_rows(vae, held_out, datasets, tied)
    attributes = [images.attribute(name) for name in tied]
    guide = None
    if helper is not None and (losses.guide or losses.shares or losses.samples):
        can_draw = {name: rows.can_draw(name, len(domain.classes)) for name in tied}
        guide = Guide(vae, cnn_of(helper), domain, attributes, can_draw).to(fabric.device)
    alike = bool(images.info.paired_by)
    recipe = CINNRecipe(flow, losses, rows, len(domain.classes), attributes, others, guide, alike)
    run = run_folder(out, fresh, fabric)
    asked = {
        "data": data,
        "datasets": datasets,
        "tie": list(tied),
        "pairs": pairs,
        **({"merge": merges} if merges else {}),
        "network": flow.model_dump(mode="json"),
        "losses": asdict(losses),
        "features": None if helper is None else helper.located.sha256(),
        "autoencoder": before.located.sha256(),
    }
    trained = train(recipe, rows, run, settings, fabric, reporter, asked)
    if fabric.is_global_zero:
        reporter.report(Progress("Whitening z"))
        assert isinstance(trained.network, ConditionalFlow)
        made = whitened(trained.network.to("cpu").float(), rows, len(domain.classes), alike)
        config = CINNConfig(autoencoder=vae.config, flow=made.config)
        spec = ModelSpec(
            family="cinn",
            image_size=vae.config.image_size,
            latent_shape=(vae.config.latent,),
            condition=ConditionSchema(
                attributes=(domain.model_copy(update={"default": domain.classes[0]}), MODE)
            ),
            cannot_show=_cannot_show(images, domain),
        )
        cinn = CINN(config, spec)
        cinn.autoencoder.load_state_dict(vae.state_dict())
        cinn.flow.load_state_dict(made.state_dict())
        cinn.load_state_dict(
            {
                name: tensor.half().float() if tensor.is_floating_point() else tensor
                for name, tensor in cinn.state_dict().items()
            }
        )
        try:
            cinn.eval().verify()  # as it will be stored
        except ValueError as error:
            raise SettingsError(
                f"{out} was not written: the flow that was trained cannot be turned back ({error}). Train "
                "again with --fresh and a lower --rate."
            ) from None
        more = {"losses": asdict(losses), "datasets": datasets, "tie": list(tied), "pairs": pairs}
        more |= {"merge": {name: list(parts) for name, parts in merges.items()}} if merges else {}
        more |= {"autoencoder": autoencoder, "autoencoder_sha256": before.located.sha256()}
        more |= _commands(before.config.training, "autoencoder_")
        more |= _made_with(features, helper, None, None, predictor)
        _save_model(out, cinn, spec, config, training_record(data, settings, trained, more | made_of(images)))
    return out


def _commands(made_by: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return what a record says of how a checkpoint was made that a training uses: all commands before it."""
    kept = [key for key in made_by if key == "command" or key.endswith(("_command", "features_sha256"))]
    return {f"{prefix}{key}": made_by[key] for key in kept if made_by[key]}


def _cannot_show(images: ImageSet, domain: Attribute) -> dict[str, tuple[str, ...]]:
    """Return, by dataset, the categorical attributes that none of its images has a class of.

    Only of sets in which all datasets show the same ones: elsewhere what is not labelled may still be seen.
    """
    if not images.info.paired_by:
        return {}
    datasets = np.asarray(images.codes(domain.name))
    found: dict[str, tuple[str, ...]] = {}
    for place, name in enumerate(domain.classes):
        here = datasets == place
        unseen = tuple(
            one.name
            for one in images.info.attributes
            if one.kind == "categorical"
            and one.name != domain.name
            and (np.asarray(images.codes(one.name))[here] == UNKNOWN).all()
        )
        if unseen:
            found[name] = unseen
    return found


def _tied(images: ImageSet, datasets: str, tie: Sequence[str] | None) -> tuple[str, ...]:
    """Return the attributes to tie, after a look that the set has them."""
    every = [a.name for a in images.info.attributes if a.kind == "categorical" and a.name != datasets]
    for name in tie or ():
        if images.attribute(name).kind != "categorical" or name == datasets:
            raise SettingsError(
                f"{name} cannot be tied: what is tied has classes and is not the dataset itself. The set has "
                f"{', '.join(every) or 'none'}."
            )
    return tuple(every if tie is None else dict.fromkeys(tie))


def _made_with(
    features: str | None,
    helper: Checkpoint | None,
    start: str | None,
    before: Checkpoint | None,
    predictor: str | None,
) -> dict[str, Any]:
    """Return the records of the networks that a training used, with the commands that made them."""
    record: dict[str, Any] = {"features": features}
    if helper is not None:
        record["features_sha256"] = helper.located.sha256()
    if helper is not None and helper.config.training.get("command"):
        record["features_command"] = str(helper.config.training["command"])
    if before is not None:
        record["from"] = start
        made_by = before.config.training
        record |= _commands(made_by, "from_")
    if predictor:
        record["predictor"] = predictor
    return record


def _save_model(
    out: Path, network: nn.Module, spec: ModelSpec, config: Record, record: Mapping[str, Any]
) -> None:
    described = CheckpointConfig(
        kind="model", name=out.name, model=spec, network=config.model_dump(mode="json"), training=record
    )
    save(out, network, described, half=True)


def check_place(out: Path) -> None:
    """Make sure before long work that a checkpoint's folder can lie there."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"The folder {out} cannot be made: {error.strerror or error}. Choose another."
        ) from None


def run_folder(out: Path, fresh: bool, fabric: Fabric) -> Path:
    """Return the run's folder; one process makes it, before the others look into it."""
    run = out / "run"
    if fabric.is_global_zero:
        if fresh and run.exists():
            shutil.rmtree(run)
        run.mkdir(parents=True, exist_ok=True)
    fabric.barrier()
    return run


def made_of(images: ImageSet) -> dict[str, Any]:
    """Return the record of how the rows were chosen, and of the styles that avatars are drawn in."""
    source = images.info.source
    found = {"resampled": source["resampled"]} if "resampled" in source else {}
    if source.get("kind") == "avatars":
        names = images.names[images.rows].tolist()
        found["styles"] = list(dict.fromkeys(name.partition(":")[2] for name in names))
    return found


def training_record(
    data: str, settings: LoopSettings, trained: Trained, more: dict[str, Any]
) -> dict[str, Any]:
    """Return the record of how a checkpoint was made, which is kept with it."""
    program = Path(sys.argv[0])
    ours = program.name == "latentlab" or program.parts[-2:] == ("latentlab", "__main__.py")
    return {
        "command": f"latentlab {shlex.join(sys.argv[1:])}" if ours else "",
        "data": data,
        "step": trained.step,
        "steps": trained.steps,
        "minutes": round(trained.seconds / 60.0, 1),
        "latentlab_version": latentlab.__version__,
        "torch_version": torch.__version__.split("+")[0],
        "settings": asdict(settings),
        **more,
    }
