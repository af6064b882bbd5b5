"""Whole evaluations, from the names of a checkpoint and a set to a report: what the command line calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, cast

import numpy as np

from latentlab.checkpoints import Checkpoint
from latentlab.checkpoints.companion import fitting_predictor, load_model, load_predictor
from latentlab.data.catalog import open_set
from latentlab.data.image_set import SPLITS, ImageSet
from latentlab.device import resolve_device
from latentlab.errors import NoSplitError, SettingsError
from latentlab.families.cinn import CINN
from latentlab.metrics.evaluate_classifier import evaluate_classifier
from latentlab.metrics.evaluate_counterfactual import SCALES, evaluate_counterfactual
from latentlab.metrics.evaluate_projection import IDENTITIES, evaluate_projection
from latentlab.metrics.evaluate_reconstruction import evaluate_reconstruction, other_held_out
from latentlab.metrics.evaluate_unpaired import INPUTS, evaluate_unpaired
from latentlab.metrics.report import Report
from latentlab.model import AttributePredictor, LatentModel
from latentlab.progress import Reporter
from latentlab.spec import Attribute, CheckpointConfig


def run_classifier(
    checkpoint: str,
    data: str,
    *,
    seed: int = 0,
    device: str = "auto",
    groups: Sequence[str] | None = None,
    reporter: Reporter | None = None,
) -> Report:
    """Evaluate a predictor by name or path on a set by name (`evaluate_classifier`).

    Raises
    ------
    LatentLabError
        If the checkpoint, the set, the device or the groups cannot be used; `Cancelled` on request.
    """
    opened, where = load_predictor(checkpoint), resolve_device(device)
    predictor = cast(AttributePredictor, opened.network.to(where))
    images = open_set(data, predictor.spec.image_size, reporter)
    found = evaluate_classifier(
        predictor, images, device=where, seed=_checked(seed), groups=groups, reporter=reporter
    )
    located = opened.located
    return Report.of("evaluate classifier", located, data, len(images), seed, str(where), found)


def run_reconstruction(
    checkpoint: str,
    data: str,
    *,
    predictor: str | None = None,
    samples: int = 2048,
    seed: int = 0,
    device: str = "auto",
    groups: Sequence[str] | None = None,
    reporter: Reporter | None = None,
) -> Report:
    """Evaluate a model by name or path on a set by name (`evaluate_reconstruction`).

    Parameters
    ----------
    predictor
        The judge, by name or path; None for the one that goes with the model (`fitting_predictor`).

    Raises
    ------
    LatentLabError
        If a checkpoint, the set, the device or the groups cannot be used, or no judge is known;
        `Cancelled` on request.
    """
    opened, judge, where = *_model_and_judge(checkpoint, predictor), resolve_device(device)
    data = own_style(opened.config, data)
    model = cast(LatentModel, opened.network.to(where))
    images = open_set(data, model.spec.image_size, reporter)
    found = evaluate_reconstruction(
        model,
        cast(AttributePredictor, judge.network.to(where)),
        images,
        reference=other_held_out(data, model.spec.image_size, reporter),
        samples=samples,
        device=where,
        seed=_checked(seed),
        groups=groups,
        reporter=reporter,
    )
    found = replace(found, settings=_of_both(opened, judge, seed) | dict(found.settings))
    return Report.of("evaluate reconstruction", opened.located, data, len(images), seed, str(where), found)


def run_counterfactual(
    checkpoint: str,
    data: str,
    *,
    predictor: str | None = None,
    scales: Sequence[float] = SCALES,
    seed: int = 0,
    device: str = "auto",
    groups: Sequence[str] | None = None,
    reporter: Reporter | None = None,
) -> Report:
    """Evaluate a conditional model's counterfactuals by name or path (`evaluate_counterfactual`).

    Parameters
    ----------
    predictor
        The judge, by name or path; None for the one that goes with the model (`fitting_predictor`).

    Raises
    ------
    LatentLabError
        If a checkpoint, the set, the device or the groups cannot be used, or no judge is known;
        `Cancelled` on request.
    """
    opened, judge, where = *_model_and_judge(checkpoint, predictor), resolve_device(device)
    model = cast(LatentModel, opened.network.to(where))
    data = own_style(opened.config, data)
    images = open_set(data, model.spec.image_size, reporter)
    others, why_none = _training_rows(data, model.spec.image_size, reporter)
    found = evaluate_counterfactual(
        model,
        cast(AttributePredictor, judge.network.to(where)),
        images,
        probe_data=others,
        why_no_probe=why_none,
        scales=scales,
        device=where,
        seed=_checked(seed),
        groups=groups,
        reporter=reporter,
    )
    found = replace(found, settings=_of_both(opened, judge, seed) | dict(found.settings))
    return Report.of("evaluate counterfactual", opened.located, data, len(images), seed, str(where), found)


def run_projection(
    checkpoint: str,
    data: str,
    *,
    mode: Literal["keep", "follow"] | None = None,
    predictor: str | None = None,
    known_pairs: int = 200,
    count: int | None = None,
    seed: int = 0,
    device: str = "auto",
    reporter: Reporter | None = None,
) -> Report:
    """Evaluate a cINN's projections by name or path on a set by name.

    Where the set shows the same identities in all the model's datasets (`shows_pairs`), by
    `evaluate_projection`, else by `evaluate_unpaired`.

    Parameters
    ----------
    mode
        Only of a set with pairs, *keep* by default; without pairs both modes are measured together.
    predictor
        The judge, by name or path; None for the one that goes with the model (`fitting_predictor`).
    known_pairs
        Identities of the training rows that the ridge map learns from; a model that was trained with pairs
        is compared with the map from as many.
    count
        Identities, or without pairs images of each dataset, that are projected; `IDENTITIES` or `INPUTS`
        by default.

    Raises
    ------
    LatentLabError
        If a checkpoint, the set or the device cannot be used, or no judge is known; `Cancelled` on request.
    """
    opened, judge = _model_and_judge(checkpoint, predictor)
    where, model = resolve_device(device), opened.network
    if not isinstance(model, CINN):
        raise SettingsError(f"{checkpoint} is no cINN, so it does not project. Name one.")
    images = open_set(data, model.spec.image_size, reporter)
    others, why_none = _training_rows(data, model.spec.image_size, reporter)
    judging = cast(AttributePredictor, judge.network.to(where))
    if shows_pairs(images, model.spec.condition.attributes[0]):
        trained_with = int(opened.config.training.get("pairs") or 0)
        found = evaluate_projection(
            model.to(where),
            judging,
            images,
            train=others,
            pairs=trained_with or known_pairs,
            mode=mode or "keep",
            count=IDENTITIES if count is None else count,
            device=where,
            seed=_checked(seed),
            reporter=reporter,
        )
    else:
        if mode is not None:
            raise SettingsError(
                f"{data} shows nobody in all the model's datasets; without pairs both modes are measured at "
                "once. Leave --mode out."
            )
        found = evaluate_unpaired(
            model.to(where),
            judging,
            images,
            train=others,
            count=INPUTS if count is None else count,
            device=where,
            seed=_checked(seed),
            reporter=reporter,
        )
    if why_none:
        found = replace(found, notes=(*found.notes, f"{why_none}.".capitalize()))
    found = replace(found, settings=_of_both(opened, judge, seed) | dict(found.settings))
    return Report.of("evaluate projection", opened.located, data, len(images), seed, str(where), found)


def shows_pairs(images: ImageSet, domain: Attribute) -> bool:
    """Whether a set has pairs for a model: each dataset that it knows is a style or quality they are over."""
    drawn = {str(name).partition(":")[2] for name in np.unique(images.names[images.rows])}
    return images.info.paired_by is not None and set(domain.classes) <= drawn


def own_style(config: CheckpointConfig, data: str) -> str:
    """Return the avatars in a checkpoint's own style where it has one and the set names none.

    A model that was trained on avatars of one style is tested on ``avatars:STYLE:test`` when
    ``avatars:test`` is asked for.
    """
    styles = config.training.get("styles")
    body, _, asked = data.partition(":")
    if body != "avatars" or not isinstance(styles, list) or len(styles) != 1:
        return data
    return (
        data if asked.partition(":")[0] not in ("", *SPLITS) else f"avatars:{styles[0]}:{asked}".rstrip(":")
    )


def _training_rows(data: str, image_size: int, reporter: Reporter | None) -> tuple[ImageSet | None, str]:
    """Open the training rows that go with held-out ones, ``X:train`` for ``X:test`` or ``X:validation``.

    Where there are none the second says why, as `evaluate_counterfactual` takes it.
    """
    body, _, split = data.rpartition(":")
    if not body or split not in SPLITS:
        return None, f"{data} is no split of a set, so no other rows are known to fit probes on"
    if split == "train":
        return None, f"{data} are the training rows, which probes would be fitted on, so none is left to try"
    try:
        return open_set(f"{body}:train", image_size, reporter), ""
    except NoSplitError:
        return None, f"the set {body} has no training rows to fit probes on"


def _model_and_judge(checkpoint: str, predictor: str | None) -> tuple[Checkpoint, Checkpoint]:
    """Open a model and its judge: the one named, or the one that goes with it."""
    opened = load_model(checkpoint)
    name = predictor or fitting_predictor(opened.config)
    if not name:
        raise SettingsError(
            f"No attribute predictor is known to go with {checkpoint}; name one with --predictor."
        )
    judge = load_predictor(name)
    if judge.located.sha256() == opened.config.training.get("features_sha256"):
        raise SettingsError(
            f"{name} stood in a loss of the training of {checkpoint}, so it cannot judge it. Name another "
            "with --predictor."
        )
    return opened, judge


def _of_both(opened: Checkpoint, judge: Checkpoint, seed: int) -> dict[str, Any]:
    return {
        "model": opened.located.name,
        "predictor": judge.located.name,
        "predictor_sha256": judge.located.sha256(),
        "seed": seed,
    }


def _checked(seed: int) -> int:
    if not 0 <= seed < 1 << 63:
        raise SettingsError(f"The seed must be a number from 0 to {(1 << 63) - 1}, not {seed}.")
    return seed
