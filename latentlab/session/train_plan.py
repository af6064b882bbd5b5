"""What each recipe needs: its fields with their defaults, and the training that a form asks for.

Recipes that are trained on the same task share fields: what the pair is asked, its DB-VAE alone is asked too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from latentlab.errors import SettingsError
from latentlab.jobs.train_job import PAIR, TrainSettings
from latentlab.paths import runs_directory
from latentlab.session.document import TrainValue, TrainView

Kind = Literal["whole", "number", "log", "choice", "set", "checkpoint", "text", "ratios"]
"""How a field is shown; ``log`` is a number on a logarithmic slider, ``ratios`` are sliders of shares."""
DETECTION, MODELS = "detection", "models"
TRAINED = "trained"
"""The folder among the runs in which those are trained that have none of their own."""
SAVED = 200
"""Steps between two saved states: so many are lost at most where the process is killed."""
LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True)
class TrainField:
    """One thing that a recipe is asked.

    Parameters
    ----------
    least, most, decimals
        The range of a number, both ends included, and how finely it is shown.
    choices
        Values with what each is called.
    further
        Whether it is only shown among the further settings.
    when
        The budget with which it is asked; empty for any.
    none
        What 0 stands for, where it is no number.
    """

    name: str
    title: str
    kind: Kind
    default: TrainValue
    tip: str
    least: float = 0.0
    most: float = 0.0
    decimals: int = 0
    choices: tuple[tuple[str, str], ...] = ()
    further: bool = False
    when: str = ""
    none: str = ""


@dataclass(frozen=True)
class Recipe:
    """One recipe: what it is called and for, whose fields it shares, and what it is asked."""

    name: str
    title: str
    purpose: str
    scope: str
    fields: tuple[TrainField, ...]

    def field(self, name: str) -> TrainField:
        """Return the field of that name."""
        return next(one for one in self.fields if one.name == name)


def _whole(
    name: str,
    title: str,
    default: int,
    tip: str,
    least: int,
    most: int,
    further: bool = False,
    when: str = "",
) -> TrainField:
    return TrainField(name, title, "whole", default, tip, least, most, further=further, when=when)


def _number(
    name: str, title: str, default: float, tip: str, least: float, most: float, decimals: int
) -> TrainField:
    return TrainField(name, title, "number", default, tip, least, most, decimals, further=True)


def _rate(default: float) -> TrainField:
    tip = "The highest learning rate; lower it where the loss is not finite"
    return _number("rate", "Learning rate", default, tip, 1e-6, 1.0, 6)


def _budget(length: str, default: int, minutes: float) -> tuple[TrainField, ...]:
    said = {"epochs": "So many times all faces are drawn", "steps": "Optimiser steps of the whole training"}
    return (
        TrainField(
            "budget",
            "Budget",
            "choice",
            length,
            f"How long is trained: {length}, or minutes that set the {length} once from a short trial",
            choices=((length, length), ("minutes", "minutes")),
        ),
        _whole(length, length.capitalize(), default, said[length], 1, 10_000_000, when=length),
        TrainField(
            "minutes", "Minutes", "number", minutes, "Of each training", 0.01, 100_000, 2, when="minutes"
        ),
    )


def _loop(batch: int) -> tuple[TrainField, ...]:
    return (
        _whole("seed", "First seed", 0, "Of weights, order and noise", 0, LARGEST_SEED),
        _whole("batch", "Batch", batch, "Pictures of a step", 2, 4096, further=True),
        TrainField(
            "threads", "Threads", "whole", 0, "Of torch; 0 leaves it", 0, 256, further=True, none="auto"
        ),
    )


_BIAS = ("race=asian+white:0.9,black+brown:0.1", "gender=female:0.2,male:0.8")
_FACES = TrainField("data", "Faces", "set", "faces", "Set of faces, without its split; a name or a folder")
_RATIOS = TrainField(
    "ratios", "Faces trained on", "ratios", _BIAS, "Shares of the groups among the faces trained on"
)
_COUNT = TrainField(
    "count",
    "Number of faces",
    "whole",
    0,
    "How many; as many as there can be by 0",
    0,
    1_000_000,
    none="most",
)
_RULE = TrainField(
    "rule",
    "Resampling",
    "choice",
    "informative",
    "How faces that are rare in the latent are drawn more often",
    choices=(
        ("informative", "informative: ours"),
        ("max", "max: the laboratory's"),
        ("product", "product: the paper's"),
        ("none", "none: evenly"),
    ),
)
_SMOOTHING = TrainField(
    "smoothing",
    "Smoothing factor",
    "log",
    0.001,
    "alpha: the smaller, the stronger the resampling",
    1e-5,
    1.0,
    5,
)
_SEEDS = _whole("seeds", "Seeds", 1, "Trained so many times, one after the other", 1, 50)
_ENDS = (
    _rate(1e-3),
    _number(
        "false_positives",
        "False positives",
        0.03,
        "Held-out non-faces that the threshold passes",
        0.001,
        0.5,
        3,
    ),
    _whole("filters", "Filters", 12, "Channels of the first stage, a multiple of 4", 4, 256, further=True),
    _whole("image_size", "Picture size", 64, "Height and width in pixels", 16, 256, further=True),
)
_DEBIASING = (
    _number("keep", "Kept share", 0.0, "Of an epoch's probabilities in the next one's", 0.0, 0.99, 2),
    _whole("latent", "Latent entries", 32, "Entries of the latent", 1, 1024, further=True),
    _number("kl", "KL weight", 0.0005, "Weight of the KL divergence", 0.0, 10.0, 6),
)
_PAIR_FIELDS = (
    _FACES,
    _RATIOS,
    _COUNT,
    _RULE,
    _SMOOTHING,
    *_budget("epochs", 8, 2.0),
    _SEEDS,
    *_loop(64),
    *_DEBIASING,
    *_ENDS,
)
_CNN_FIELDS = (_FACES, _RATIOS, _COUNT, *_budget("epochs", 8, 2.0), _SEEDS, *_loop(64), *_ENDS)
_SET = TrainField("data", "Set", "set", "faces:train", "Set to train on: a name, or a folder")
_START = TrainField(
    "start", "Sets out from", "checkpoint", "", "Checkpoint whose weights and shape are gone on with"
)
_FEATURES = TrainField(
    "features",
    "Feature network",
    "checkpoint",
    "",
    "An attribute predictor of its own; without: no such loss",
)
_SIZE = _whole("image_size", "Picture size", 64, "Height and width in pixels", 16, 1024, further=True)
_LATENT = _whole("latent", "Latent entries", 64, "Entries of the latent", 1, 4096)


def _autoencoding(beta: float, feature_weight: float, guide: float, late: float) -> tuple[TrainField, ...]:
    return (
        _SIZE,
        _rate(5e-4),
        _number("beta", "KL weight", beta, "Weight of the KL divergence", 0.0, 10.0, 6),
        _number("adversarial", "Discriminator", 0.3, "Its weight; 0 leaves it out", 0.0, 100.0, 2),
        _number("adversarial_from", "From share", late, "Of the training before its phase", 0.0, 1.0, 2),
        _number(
            "feature_weight", "Feature weight", feature_weight, "Of the distance in features", 0.0, 100.0, 3
        ),
        _number("guide", "Guide", guide, "Of what the feature network then reads otherwise", 0.0, 100.0, 3),
    )


RECIPES: Mapping[str, Recipe] = {
    one.name: one
    for one in (
        Recipe(
            PAIR,
            "DB-VAE and its baseline",
            "Trains a detector of faces on biased data and a debiasing VAE that draws rare faces more often, "
            "and compares which groups both miss.",
            DETECTION,
            _PAIR_FIELDS,
        ),
        Recipe(
            "dbvae",
            "DB-VAE",
            "A VAE of faces that also tells faces from what is none, and draws rare ones more often.",
            DETECTION,
            _PAIR_FIELDS,
        ),
        Recipe(
            "cnn",
            "CNN baseline",
            "The DB-VAE's network without a latent, on the same biased faces.",
            DETECTION,
            _CNN_FIELDS,
        ),
        Recipe(
            "vae",
            "VAE",
            "A variational autoencoder of one set.",
            MODELS,
            (
                _SET,
                _LATENT,
                *_budget("steps", 10_000, 30.0),
                *_loop(64),
                _START,
                _FEATURES,
                *_autoencoding(3e-5, 0.1, 0.0, 0.85),
            ),
        ),
        Recipe(
            "autoencoder",
            "Autoencoder of several sets",
            "One crisp autoencoder of several sets together, as a conditional INN needs it.",
            "autoencoder",
            (
                TrainField("data", "Sets, by commas", "text", "avatars:train", "Sets to train on, by commas"),
                _LATENT,
                *_budget("steps", 10_000, 30.0),
                *_loop(64),
                _START,
                _FEATURES,
                *_autoencoding(1e-5, 1.0, 0.02, 0.6),
            ),
        ),
        Recipe(
            "cvae",
            "Conditional VAE",
            "A VAE that is told attributes: they can be changed while the rest stays.",
            MODELS,
            (
                _SET,
                TrainField(
                    "condition",
                    "Condition, by commas",
                    "text",
                    "gender,race,glasses",
                    "Attributes of the set that the model is told",
                ),
                _LATENT,
                *_budget("steps", 10_000, 30.0),
                *_loop(64),
                _START,
                _FEATURES,
                TrainField(
                    "independence",
                    "Independence",
                    "choice",
                    "none",
                    "Penalty on what the latent tells of the condition",
                    choices=tuple((name, name) for name in ("none", "linear", "adversarial", "hsic")),
                    further=True,
                ),
                *_autoencoding(3e-5, 0.1, 0.02, 0.85),
            ),
        ),
        Recipe(
            "cinn",
            "Conditional INN",
            "An invertible network on an autoencoder's latents, which are told their dataset.",
            "cinn",
            (
                TrainField("data", "Set", "set", "avatars:train", "Set to train on: a name, or a folder"),
                TrainField(
                    "datasets", "Datasets", "text", "style", "The attribute whose classes are the datasets"
                ),
                TrainField(
                    "autoencoder", "Autoencoder", "checkpoint", "", "The VAE on whose latents is trained"
                ),
                *_budget("steps", 4_000, 10.0),
                *_loop(256),
                _FEATURES,
                _rate(1e-3),
                _number("guide", "Guide", 0.3, "Of what the feature network reads otherwise", 0.0, 100.0, 3),
                _number("moments", "Moments", 40.0, "Of the moments of projections and samples", 0, 1e4, 2),
                _number("noise", "Noise", 0.3, "On latents, as a share of their spread", 0.0, 10.0, 2),
            ),
        ),
        Recipe(
            "classifier",
            "Attribute classifier",
            "A calibrated predictor of attributes, which judges models.",
            MODELS,
            (
                _SET,
                TrainField(
                    "attributes", "Attributes, by commas", "text", "", "What to predict; empty for all"
                ),
                *_budget("steps", 3_000, 10.0),
                *_loop(64),
                _SIZE,
            ),
        ),
    )
}
"""By name, in the order in which they are offered."""


def key_of(recipe: str, name: str) -> str:
    """Return under which key a field's value stands in the view."""
    shared = name in _SHARED
    return f"{RECIPES[recipe].scope if shared else recipe}.{name}"


_SHARED = {one.name for one in _PAIR_FIELDS}
# What means the same to recipes of one scope; the length of a training of models differs by recipe.


def value_of(view: TrainView, name: str, recipe: str = "") -> Any:
    """Return what a field is set to; its default where it was not, or cannot be that."""
    recipe = recipe or view.recipe
    one = RECIPES[recipe].field(name)
    value = view.values.get(key_of(recipe, name), one.default)
    if type(value) is not type(one.default):
        if isinstance(one.default, float) and isinstance(value, int) and one.least <= value <= one.most:
            return float(value)
        return one.default
    if one.choices and value not in dict(one.choices):
        return one.default
    if isinstance(value, (int, float)) and not one.least <= value <= one.most:  # nor is what is not a number
        return one.default
    return value


def fits(key: str, value: TrainValue) -> bool:
    """Whether there is a field with this key (`key_of`) that can be set to a value."""
    for recipe in RECIPES.values():
        for one in recipe.fields:
            if key_of(recipe.name, one.name) == key:
                found = value_of(TrainView(recipe.name, {key: value}), one.name)
                return type(found) is type(value) and bool(found == value)
    return False


def values_of(view: TrainView) -> dict[str, Any]:
    """Return what all fields of the chosen recipe are set to, by name."""
    return {one.name: value_of(view, one.name) for one in RECIPES[view.recipe].fields}


def problems(view: TrainView) -> dict[str, str]:
    """Return what is wrong, by field; nothing where the training can be begun."""
    values, wrong = values_of(view), {}
    kinds = {one.name: one.kind for one in RECIPES[view.recipe].fields}
    data = str(values["data"]).strip()
    for source in data.split(",") if view.recipe == "autoencoder" else [data]:
        said = _set_problem(source.strip())
        if said:
            wrong["data"] = said
    if RECIPES[view.recipe].scope == DETECTION and data.endswith((":train", ":validation", ":test")):
        wrong["data"] = "Give the set without its split: it is trained on one, and judged on the others."
    if values.get("filters", 4) % 4:
        wrong["filters"] = "A multiple of 4."
    for name, kind in kinds.items():
        if kind == "checkpoint" and values[name]:
            said = _checkpoint_problem(str(values[name]))
            if said:
                wrong[name] = said
    if view.recipe == "cinn" and not values["autoencoder"]:
        wrong["autoencoder"] = "A conditional INN needs the autoencoder on whose latents it is trained."
    if view.recipe == "cinn" and not values["datasets"]:
        wrong["datasets"] = "Write the attribute whose classes are the datasets."
    if view.recipe == "cvae" and not _names(values["condition"]):
        wrong["condition"] = "Write at least one attribute of the set."
    return wrong


def settings_of(view: TrainView, device: str = "") -> TrainSettings:
    """Return the training that is asked for.

    Parameters
    ----------
    device
        A wish of the window: where it is trained; empty for what there is.
    """
    values = values_of(view)
    length = "epochs" if "epochs" in values else "steps"
    loop: dict[str, Any] = {"batch": values["batch"], "seed": values["seed"]}
    if values["threads"]:
        loop["threads"] = values["threads"]
    if device in ("cpu", "cuda", "mps"):
        loop["accelerator"] = device
    if values["budget"] == "minutes":
        loop["minutes"] = values["minutes"]
    elif length == "steps":
        loop["steps"] = values["steps"]
    asked = _ASKED[view.recipe](view.recipe, values)
    if length == "steps":
        loop["save_every"] = SAVED
        if view.recipe == "cinn":
            loop["precision"] = "32-true"
    seeds = values.get("seeds", 1)
    out = view.out or str(_own_folder(view.recipe, loop, asked, seeds))
    return TrainSettings(view.recipe, str(Path(out).expanduser().resolve()), loop, asked, seeds)


def _own_folder(recipe: str, loop: Mapping[str, Any], asked: Mapping[str, Any], seeds: int) -> Path:
    said = json.dumps([recipe, dict(loop), dict(asked), seeds], sort_keys=True)
    return runs_directory() / TRAINED / f"{recipe}-{hashlib.sha256(said.encode()).hexdigest()[:8]}"


def same_training(one: TrainSettings, other: TrainSettings) -> bool:
    """Whether two ask for the same; whether one of them begins anew makes no difference."""
    first, second = (json.loads(json.dumps(asdict(each) | {"fresh": False})) for each in (one, other))
    return bool(first == second)


def title_of(settings: TrainSettings) -> str:
    """Return what a training is called: its recipe, and how faces are drawn."""
    title = RECIPES[settings.recipe].title
    how = settings.asked.get("resampling")
    if isinstance(how, Mapping) and how.get("rule") not in (None, "none"):
        return f"{title}, {how['rule']}, α {how.get('smoothing', 0.001):g}"
    return f"{title}, even draws" if isinstance(how, Mapping) else title


def settings_words(settings: TrainSettings) -> str:
    """Say in a line what a training was asked."""
    asked, loop = settings.asked, settings.loop
    data = asked.get("data", "")
    said = [data if isinstance(data, str) else ", ".join(data)]
    said += [" ".join(asked.get("bias", ()))] if asked.get("bias") else []
    if "minutes" in loop:
        said.append(f"{loop['minutes']:g} min")
    elif "epochs" in asked:
        said.append(f"{asked['epochs']} epochs")
    elif "steps" in loop:
        said.append(f"{loop['steps']:,} steps")
    said.append(f"{settings.seeds} seeds" if settings.seeds > 1 else f"seed {loop.get('seed', 0)}")
    return ", ".join(filter(None, said))


def _detection(recipe: str, values: Mapping[str, Any]) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "data": values["data"],
        "bias": list(values["ratios"]),
        "count": values["count"] or None,
        "filters": values["filters"],
        "image_size": values["image_size"],
        "losses": {"rate": values["rate"], "false_positives": values["false_positives"]},
    }
    if values["budget"] == "epochs":
        asked["epochs"] = values["epochs"]
    if recipe != "cnn":
        asked["latent"] = values["latent"]
        asked["losses"]["kl"] = values["kl"]
        asked["resampling"] = {name: values[name] for name in ("rule", "smoothing", "keep")}
    return asked


def _autoencoder(recipe: str, values: Mapping[str, Any]) -> dict[str, Any]:
    features, start = values["features"], values["start"]
    losses = {name: values[name] for name in ("rate", "beta", "adversarial", "adversarial_from")}
    losses |= {"features": values["feature_weight"] if features else 0.0}
    losses |= {"guide": values["guide"] if features else 0.0}
    if start:  # it has learnt what comes first, and it has its shape
        losses |= {"warmup": 0.0, "features_from": 0.0}
    asked: dict[str, Any] = {"data": values["data"], "losses": losses}
    if recipe == "autoencoder":
        asked["data"] = _names(values["data"])
    if recipe == "cvae":
        asked["condition"] = _names(values["condition"])
        losses["independence"] = values["independence"]
    if not start:
        asked["network"] = {"latent": values["latent"], "image_size": values["image_size"]}
    return asked | {name: value for name, value in (("features", features), ("start", start)) if value}


def _cinn(_recipe: str, values: Mapping[str, Any]) -> dict[str, Any]:
    features = values["features"]
    losses = {name: values[name] for name in ("rate", "moments", "noise")}
    losses["guide"] = values["guide"] if features else 0.0
    asked = {name: values[name] for name in ("data", "datasets", "autoencoder")}
    return asked | {"losses": losses} | ({"features": features} if features else {})


def _classifier(_recipe: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "data": values["data"],
        "attributes": _names(values["attributes"]),
        "image_size": values["image_size"],
    }


_ASKED = {
    PAIR: _detection,
    "dbvae": _detection,
    "cnn": _detection,
    "vae": _autoencoder,
    "autoencoder": _autoencoder,
    "cvae": _autoencoder,
    "cinn": _cinn,
    "classifier": _classifier,
}


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _set_problem(name: str) -> str:
    from latentlab.data.catalog import known_sets

    if not name:
        return "Choose a set, or a folder."
    source, _, split = name.rpartition(":")
    source = source if source and split in ("train", "validation", "test") else name
    if source in known_sets() or Path(source).expanduser().is_dir():
        return ""
    return f"There is no set or folder {name!r}."


def _checkpoint_problem(name: str) -> str:
    from latentlab.checkpoints import locate
    from latentlab.errors import LatentLabError

    try:
        locate(name)
    except LatentLabError as error:
        return str(error)
    return ""


def of_job(settings: Mapping[str, Any]) -> TrainSettings | None:
    """Return what a job was asked; None where it cannot be read."""
    try:
        return TrainSettings.of(settings)
    except SettingsError:
        return None
