"""Copy as Python for a training: a program that does the same training and writes the same checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from latentlab.jobs.train_job import DETECTION, PAIR, TrainSettings
from latentlab.session.python_code import comment
from latentlab.session.train_plan import settings_words, title_of

_LOSSES = {"vae": "VAELosses", "autoencoder": "VAELosses", "cvae": "CVAELosses", "cinn": "CINNLosses"}
_MODULES = {"VAELosses": "vae", "CVAELosses": "cvae", "CINNLosses": "cinn"}
_EMA = 0.99


def train_code(settings: TrainSettings) -> str:
    """Return the program's text: the settings as the training's own classes, and the call.

    It writes into a folder of the same name beside it; given again it goes on where it was stopped.
    """
    lines = _detection(settings) if settings.recipe in DETECTION else _other(settings)
    said = comment(f"{title_of(settings)}: {settings_words(settings)}.")
    return "\n".join([said, *lines]) + "\n"


def _detection(settings: TrainSettings) -> list[str]:
    asked, how = dict(settings.asked), settings.asked.get("resampling")
    losses = dict(asked.get("losses", {}))
    several = settings.recipe != PAIR and settings.seeds > 1
    call = "train_seeds" if several else "train_detection"
    names = ["DetectionTraining", *([] if settings.recipe == PAIR else [call])]
    lines = [
        "from pathlib import Path",
        "",
        "from latentlab.training.debiasing import DetectionLosses",
        *(["from latentlab.training.detection_pair import train_pair"] if settings.recipe == PAIR else []),
        f"from latentlab.training.detection_runs import {', '.join(names)}",
        "from latentlab.training.loop import LoopSettings",
        *(["from latentlab.training.resampling import Resampling"] if isinstance(how, Mapping) else []),
        "",
        "asked = DetectionTraining(",
        *([f"    family={settings.recipe!r},"] if settings.recipe != PAIR else []),
    ]
    for name, value in asked.items():
        if name in ("losses", "resampling") or value is None:
            continue
        lines.append(f"    {name}={_written(value)},")
    if isinstance(how, Mapping):
        lines.append(f"    resampling=Resampling({_arguments(how)}),")
    lines += [f"    losses=DetectionLosses({_arguments(losses)}),", ")"]
    loop = {"ema": _EMA, "precision": "32-true"} | dict(settings.loop)
    lines += [f"settings = LoopSettings({_arguments(loop)})", f"out = Path({_folder(settings)!r})"]
    if settings.recipe == PAIR:
        lines += [
            f"judged = train_pair(asked, out, settings, seeds={settings.seeds})",
            'for arm, one in judged["arms"].items():',
            '    print(arm, {name: found["value"] for name, found in one["groups"].items()})',
        ]
    elif several:
        lines.append(f"folders = train_seeds(asked, out, settings, seeds={settings.seeds})")
    else:
        lines.append("folder = train_detection(asked, out, settings)")
    return lines


def _other(settings: TrainSettings) -> list[str]:
    asked = dict(settings.asked)
    losses = asked.pop("losses", None)
    recipe = "vae" if settings.recipe == "autoencoder" else settings.recipe
    call, kind = f"train_{recipe}", _LOSSES.get(settings.recipe)
    lines = ["from pathlib import Path", "", "from latentlab.training.loop import LoopSettings"]
    lines.append(f"from latentlab.training.runs import {call}")
    if kind is not None:
        lines.append(f"from latentlab.training.{_MODULES[kind]} import {kind}")
    lines += ["", f"folder = {call}("]
    lines += [f"    {name}={_written(value)}," for name, value in asked.items()]
    lines += [
        f"    out=Path({_folder(settings)!r}),",
        f"    settings=LoopSettings({_arguments(settings.loop)}),",
    ]
    if kind is not None:
        lines.append(f"    losses={kind}({_arguments(losses or {})}),")
    return [*lines, ")"]


def _folder(settings: TrainSettings) -> str:
    return f"{settings.recipe}-again"


def _arguments(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_written(value)}" for name, value in values.items())


def _written(value: Any) -> str:
    return repr(tuple(value)) if isinstance(value, list) else repr(value)
