"""How near an answer has to come in a search study: one eps for all models, and each model's own beside it.

A generator that draws a set badly has a large eps of its own (the median error of its reconstructions), so
held to its own it reaches it easily, and its success says nothing beside another's. So all are held to one:
of each input the smallest of the models' own, as near as the best of them draws. How often each reaches its
own is told too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from latentlab.audit.files import SETTINGS
from latentlab.audit.opened_models import models_record
from latentlab.audit.request_file import read_settings
from latentlab.audit.search_study_plan import INPUTS
from latentlab.data.catalog import open_set
from latentlab.data.image_set import ImageSet
from latentlab.errors import NoSplitError
from latentlab.operations.explore import Explorer
from latentlab.operations.search_eps import measure_eps, recorded_eps
from latentlab.operations.search_plan import REFERENCE_EPS
from latentlab.progress import Reporter

MOST = 512
"""Held-out images on whose reconstructions an eps is measured that no checkpoint records."""


@dataclass(frozen=True)
class Bars:
    """What distances are compared with.

    Parameters
    ----------
    eps
        By input, for all models.
    own
        By model and input, the model's own; none where the model does not encode.
    asked
        Whether eps was asked for.
    """

    eps: Mapping[str, float]
    own: Mapping[tuple[str, str], float]
    asked: bool

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "eps": dict(self.eps),
            "own_eps": [[model, given, value] for (model, given), value in self.own.items()],
        }


def bars_of(
    models: Mapping[str, Explorer], data: str, eps: float, out: Path | None, reporter: Reporter
) -> Bars:
    """Return what distances are compared with: recorded, kept in the study's folder, or measured now.

    Parameters
    ----------
    data
        The set of the study: its validation split is measured on, else all of it.
    eps
        What was asked for; 0 for the smallest of the models' own.
    out
        The study's folder.
    """
    kept = _kept(models, out)
    own: dict[tuple[str, str], float] = {}
    images: dict[int, ImageSet] = {}
    for name, one in models.items():
        for given in INPUTS:
            observation = given.observation(one.spec.image_size)
            found = recorded_eps(one.located.config, observation) or kept.get((name, given.name))
            if found is None and "encode" not in one.spec.cannot:
                size = one.spec.image_size
                if size not in images:
                    images[size] = _held_out(data, size, reporter)
                found = measure_eps(
                    one.network, images[size], observation, torch.device("cpu"), reporter
                ).value
            if found is not None:
                own[name, given.name] = found
    shared = {
        given.name: eps or min((v for (_, one), v in own.items() if one == given.name), default=REFERENCE_EPS)
        for given in INPUTS
    }
    return Bars(shared, own, bool(eps))


def _held_out(data: str, image_size: int, reporter: Reporter) -> ImageSet:
    """Return images that nothing of the study is counted on, where the set has any."""
    source, _, split = data.rpartition(":")
    name = f"{source if split in ('train', 'validation', 'test') and source else data}:validation"
    try:
        images = open_set(name, image_size, reporter)
    except NoSplitError:
        images = open_set(data, image_size, reporter)
    return images.select(np.sort(np.random.default_rng(0).permutation(len(images))[:MOST]))


def _kept(models: Mapping[str, Explorer], out: Path | None) -> dict[tuple[str, str], float]:
    """Return what the folder of the same study has: measuring it again would give the same."""
    if out is None or not (out / SETTINGS).exists():
        return {}
    before = read_settings(out)
    if before.get("models") != models_record(models):
        return {}
    try:
        return {(str(model), str(given)): float(value) for model, given, value in before["own_eps"]}
    except (KeyError, TypeError, ValueError):
        return {}
