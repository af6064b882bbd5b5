"""What a training sets out from: its sets, the network behind its losses, and a checkpoint to go on from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from latentlab.checkpoints import Checkpoint, load, locate
from latentlab.checkpoints.companion import usual_predictor
from latentlab.data.catalog import open_set
from latentlab.data.image_set import ImageSet
from latentlab.data.joined import join_in_memory
from latentlab.errors import SettingsError
from latentlab.families.attribute_cnn import AttributeCNN
from latentlab.families.cvae import CVAE, CVAEConfig
from latentlab.families.vae import VAE, VAEConfig
from latentlab.progress import Reporter
from latentlab.spec import Record

_Config = TypeVar("_Config", bound=Record)


def open_sets(
    data: str | Sequence[str], validation: str | None, image_size: int, reporter: Reporter
) -> tuple[ImageSet, ImageSet | None]:
    """Open the set to train on and its held-out rows; ``SET:train`` is held out by ``SET:validation``.

    Several sets are joined in memory (`latentlab.data.joined`), and so are the held-out rows of those that
    have any.
    """
    names = _names(data)
    others = [validation] if validation else []
    if validation is None:
        trained = [name.removesuffix(":train") for name in names if name.endswith(":train")]
        others = [f"{name}:validation" for name in trained]
    images = _one_set(names, image_size, reporter)
    return images, _one_set(others, image_size, reporter) if others else None


def _names(data: str | Sequence[str]) -> tuple[str, ...]:
    return (data,) if isinstance(data, str) else tuple(dict.fromkeys(data))


def _one_set(names: Sequence[str], image_size: int, reporter: Reporter) -> ImageSet:
    parts = [(name, open_set(name, image_size, reporter)) for name in names]
    return parts[0][1] if len(parts) == 1 else join_in_memory(parts, set_words(names), reporter)


def set_words(data: str | Sequence[str]) -> str:
    """Say in a record what a model was trained on: the set's name, or those of several."""
    names = _names(data)
    return names[0] if len(names) == 1 else f"joined: {' + '.join(names)}"


def open_helper(
    features: str | None, predictor: str | None, data: str | Sequence[str], image_size: int
) -> Checkpoint | None:
    """Open the network behind the losses, where there is one; it must not be the one that judges the model.

    The judge is ``predictor``, or the usual one of the set ``data`` (or of each of several).

    Raises
    ------
    LatentLabError
        If it cannot be opened, is no predictor for pictures of that size, or is the judge.
    """
    if features is None:
        return None
    helper = load(features)
    judges = [predictor] if predictor else [usual_predictor(name) for name in _names(data)]
    network = helper.network
    if not isinstance(network, AttributeCNN) or network.config.image_size != image_size:
        raise SettingsError(
            f"The feature network {features} must be an attribute predictor for {image_size} px pictures."
        )
    if any(judge and helper.located.sha256() == locate(judge).sha256() for judge in judges):
        raise SettingsError(
            f"{features} is the predictor that judges this model, so it must stand in no loss of its "
            "training. Train another network for the feature loss."
        )
    return helper


def cnn_of(helper: Checkpoint) -> AttributeCNN:
    """Return the network of what `open_helper` opened."""
    assert isinstance(helper.network, AttributeCNN)
    return helper.network


def cvae_shape(network: Mapping[str, Any], before: Checkpoint | None) -> CVAEConfig:
    """Return the shape that is asked for; a checkpoint to go on from gives it its own.

    What goes on from a VAE is told the condition by *concat* where nothing else is asked for: that measures
    better there (`latentlab.families.cvae`).
    """
    asked = dict(network)
    if before is None or isinstance(before.network, CVAE):
        return shape(asked, before, CVAE, CVAEConfig)
    injection = {"injection": asked.pop("injection", "concat")}
    return network_config(CVAEConfig, shape(asked, before, VAE, VAEConfig).model_dump() | injection)


def go_on_from(cvae: CVAE, before: Checkpoint) -> None:
    """Fill in a checkpoint's weights; those of a VAE leave what the condition does at zero."""
    spec = before.config.model
    if isinstance(before.network, CVAE) and spec is not None and spec.condition != cvae.spec.condition:
        names = ", ".join(attribute.name for attribute in spec.condition.attributes)
        raise SettingsError(
            f"{before.located.path} is conditioned on {names}, with its own classes; a training that goes on "
            "from it cannot have another condition."
        )
    cvae.load_state_dict(before.network.state_dict(), strict=isinstance(before.network, CVAE))


def shape(
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
        return network_config(kind, asked)
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


def network_config(kind: type[_Config], settings: Mapping[str, Any]) -> _Config:
    """Make a network's configuration; what it cannot be is the asker's setting, not a fault."""
    try:
        return kind.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise SettingsError(
            f"No such network can be built: {field}{': ' if field else ''}{first['msg']}."
        ) from None
