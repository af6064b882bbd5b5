"""Whole evaluations, from the names of a checkpoint and a set to a report: what the command line calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from latentlab.checkpoints.companion import fitting_predictor, load_model, load_predictor
from latentlab.data.catalog import open_set
from latentlab.device import resolve_device
from latentlab.errors import SettingsError
from latentlab.metrics.evaluate_classifier import evaluate_classifier
from latentlab.metrics.evaluate_reconstruction import evaluate_reconstruction, other_held_out
from latentlab.metrics.report import Report
from latentlab.model import AttributePredictor, LatentModel
from latentlab.progress import Reporter


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
    opened, where = load_model(checkpoint), resolve_device(device)
    name = predictor or fitting_predictor(opened.config)
    if not name:
        raise SettingsError(
            f"No attribute predictor is known to go with {checkpoint}; name one with --predictor."
        )
    judge = load_predictor(name)
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
    settings = {
        "model": opened.located.name,
        "predictor": judge.located.name,
        "predictor_sha256": judge.located.sha256(),
        "seed": seed,
        **found.settings,
    }
    found = replace(found, settings=settings)
    located = opened.located
    return Report.of("evaluate reconstruction", located, data, len(images), seed, str(where), found)


def _checked(seed: int) -> int:
    if not 0 <= seed < 1 << 63:
        raise SettingsError(f"The seed must be a number from 0 to {(1 << 63) - 1}, not {seed}.")
    return seed
