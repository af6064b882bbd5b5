"""Whole trainings, from the name of a set to a checkpoint's folder: what the command line calls."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from lightning_fabric import Fabric
from pydantic import ValidationError
from torch import nn

import latentlab
from latentlab.checkpoints import Checkpoint, load, locate, save
from latentlab.checkpoints.companion import usual_predictor
from latentlab.data.catalog import open_set
from latentlab.data.image_set import ImageSet
from latentlab.errors import DataError, SettingsError
from latentlab.families.attribute_cnn import AttributeCNN, AttributeCNNConfig
from latentlab.families.cvae import CVAE, CVAEConfig
from latentlab.families.vae import VAE, VAEConfig
from latentlab.metrics.labels import group_attributes
from latentlab.progress import Progress, Reporter
from latentlab.spec import CheckpointConfig, ConditionSchema, ModelSpec, Record
from latentlab.training.classifier import ClassifierRecipe, calibrated_spec
from latentlab.training.cvae import CVAELosses, CVAERecipe
from latentlab.training.erasure import erase_condition
from latentlab.training.loop import LoopSettings, Trained, make_fabric, train
from latentlab.training.perceptual import FeatureDistance
from latentlab.training.vae import VAELosses, VAERecipe, encode_all, summarise_latents

_Config = TypeVar("_Config", bound=Record)


def train_vae(
    data: str,
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
    network
        Fields of `VAEConfig` that differ from its defaults.
    features
        Checkpoint of the network behind the feature distance; None leaves that loss out.
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
    config = _shape(network or {}, before, VAE, VAEConfig)
    _check_place(out)
    images, held_out = _sets(data, validation, config.image_size, reporter)
    fabric = make_fabric(settings)
    helper = (
        None if features is None else _helper(features, predictor or usual_predictor(data), config.image_size)
    )
    distance = None if helper is None else FeatureDistance(_cnn(helper)).to(fabric.device)
    recipe = VAERecipe(config, losses, held_out, distance)
    if before is not None:
        recipe.vae.load_state_dict(before.network.state_dict())
    run = _run_folder(out, fresh, fabric)
    asked = {
        "data": data,
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
        record = _record(data, settings, trained, more | _made_of(images))
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
    config = _cvae_shape(network or {}, before)
    _check_place(out)
    images, held_out = _sets(data, validation, config.image_size, reporter)
    schema = ConditionSchema(attributes=tuple(images.attribute(name) for name in dict.fromkeys(condition)))
    if not schema.size:
        raise SettingsError(
            f"A conditional VAE needs a condition: attributes of {data}, which has "
            f"{', '.join(a.name for a in images.info.attributes) or 'none'}."
        )
    if settings.devices * settings.nodes > 1:
        raise SettingsError(
            "A conditional VAE is trained in one process: what a line reads is erased by the latents of the "
            "last steps, which one process has to remember. Give --devices 1 --nodes 1."
        )
    fabric = make_fabric(settings)
    helper = (
        None if features is None else _helper(features, predictor or usual_predictor(data), config.image_size)
    )
    distance = guide = None
    if helper is not None:
        distance = FeatureDistance(_cnn(helper)).to(fabric.device)
        guide = _cnn(helper).to(fabric.device) if losses.guide else None
    recipe = CVAERecipe(config, schema, losses, images, held_out, distance, guide)
    if before is not None:
        _go_on_from(recipe.cvae, before)
        if not isinstance(before.network, CVAE):
            reporter.report(Progress("Taking the condition out of the latent"))
            vectors = recipe.conditions.numpy()
            erase_condition(recipe.cvae, encode_all(recipe.cvae, images, vectors), vectors, hand_over=True)
    run = _run_folder(out, fresh, fabric)
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
        erase_condition(cvae, encode_all(cvae, images, told), told, hand_over=False)
        reporter.report(Progress("Measuring the latent dimensions"))
        summary = summarise_latents(cvae, images, told)
        spec = cvae.spec.model_copy(update={"latent_summary": summary})
        more = {"losses": asdict(losses)} | _made_with(features, helper, start, before, predictor)
        record = _record(data, settings, trained, more | _made_of(images))
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
    config = _network(AttributeCNNConfig, {"image_size": image_size})
    _check_place(out)
    images, held_out = _sets(data, validation, image_size, reporter)
    if held_out is None:
        raise DataError(
            f"A predictor is calibrated on held-out images, and {data} has none; give --validation."
        )
    names = attributes or [a.name for a in images.info.attributes if a.kind == "categorical"]
    groups = group_attributes(held_out, groups)
    fabric = make_fabric(settings)
    recipe = ClassifierRecipe(config, images, names, held_out)
    run = _run_folder(out, fresh, fabric)
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
                training=_record(data, settings, trained, _made_of(images)),
            ),
            half=True,
        )
    return out


def _sets(
    data: str, validation: str | None, image_size: int, reporter: Reporter
) -> tuple[ImageSet, ImageSet | None]:
    """Open the set to train on and its held-out rows; ``SET:train`` is held out by ``SET:validation``."""
    images = open_set(data, image_size, reporter)
    if validation is None and data.endswith(":train"):
        validation = data.removesuffix(":train") + ":validation"
    return images, open_set(validation, image_size, reporter) if validation else None


def _helper(features: str, predictor: str | None, image_size: int) -> Checkpoint:
    """Open the network behind the losses, which must not be the one that judges the model."""
    helper = load(features)
    judge = helper.network
    if not isinstance(judge, AttributeCNN) or judge.config.image_size != image_size:
        raise SettingsError(
            f"The feature network {features} must be an attribute predictor for {image_size} px pictures."
        )
    if predictor and helper.located.sha256() == locate(predictor).sha256():
        raise SettingsError(
            f"{features} is the predictor that judges this model, so it must stand in no loss of its "
            "training. Train another network for the feature loss."
        )
    return helper


def _cnn(helper: Checkpoint) -> AttributeCNN:
    assert isinstance(helper.network, AttributeCNN)
    return helper.network


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
        record |= {f"from_{key}": made_by[key] for key in ("command", "features_command") if key in made_by}
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


def _cvae_shape(network: Mapping[str, Any], before: Checkpoint | None) -> CVAEConfig:
    """Return the shape that is asked for; a checkpoint to go on from gives it its own."""
    asked = dict(network)
    if before is None or isinstance(before.network, CVAE):
        return _shape(asked, before, CVAE, CVAEConfig)
    injection = {name: asked.pop(name) for name in ("injection",) if name in asked}
    return _network(CVAEConfig, _shape(asked, before, VAE, VAEConfig).model_dump() | injection)


def _go_on_from(cvae: CVAE, before: Checkpoint) -> None:
    """Fill in a checkpoint's weights; those of a VAE leave what the condition does at zero."""
    spec = before.config.model
    if isinstance(before.network, CVAE) and spec is not None and spec.condition != cvae.spec.condition:
        names = ", ".join(attribute.name for attribute in spec.condition.attributes)
        raise SettingsError(
            f"{before.located.path} is conditioned on {names}, with its own classes; a training that goes on "
            "from it cannot have another condition."
        )
    cvae.load_state_dict(before.network.state_dict(), strict=isinstance(before.network, CVAE))


def _shape(
    network: Mapping[str, Any],
    before: Checkpoint | None,
    family: type[VAE] | type[CVAE],
    kind: type[_Config],
) -> _Config:
    """Return the shape that is asked for, which must be that of the checkpoint to go on from."""
    asked = dict(network)
    for side in ("encoder", "decoder"):
        if f"{side}_widths" in asked:  # a stage more or less has its block
            asked.setdefault(f"{side}_blocks", (1,) * len(asked[f"{side}_widths"]))
    if before is None:
        return _network(kind, asked)
    if not isinstance(before.network, family):
        raise SettingsError(
            f"A {family.__name__} can only go on from a VAE{' or CVAE' if family is CVAE else ''}; "
            f"{before.located.path} holds something else."
        )
    config = cast(_Config, before.network.config)
    for name, value in asked.items():
        if getattr(config, name) != value:
            raise SettingsError(
                f"{before.located.path} has {name} {getattr(config, name)}; a training that goes on from it "
                "cannot have another."
            )
    return config


def _network(kind: type[_Config], settings: Mapping[str, Any]) -> _Config:
    """Make a network's configuration; what it cannot be is the asker's setting, not a fault."""
    try:
        return kind.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise SettingsError(
            f"No such network can be built: {field}{': ' if field else ''}{first['msg']}."
        ) from None


def _check_place(out: Path) -> None:
    """Make sure before long work that a checkpoint's folder can lie there."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"The folder {out} cannot be made: {error.strerror or error}. Choose another."
        ) from None


def _run_folder(out: Path, fresh: bool, fabric: Fabric) -> Path:
    """Return the run's folder; one process makes it, before the others look into it."""
    run = out / "run"
    if fabric.is_global_zero:
        if fresh and run.exists():
            shutil.rmtree(run)
        run.mkdir(parents=True, exist_ok=True)
    fabric.barrier()
    return run


def _made_of(images: ImageSet) -> dict[str, Any]:
    """Return the record of how the rows were chosen, and of the styles that avatars are drawn in."""
    source = images.info.source
    found = {"resampled": source["resampled"]} if "resampled" in source else {}
    if source.get("kind") == "avatars":
        names = images.names[images.rows].tolist()
        found["styles"] = list(dict.fromkeys(name.partition(":")[2] for name in names))
    return found


def _record(data: str, settings: LoopSettings, trained: Trained, more: dict[str, Any]) -> dict[str, Any]:
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
