"""Whole evaluations of searches, from the names of a model and a set to a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from latentlab.checkpoints.companion import load_model
from latentlab.data.catalog import open_set
from latentlab.device import resolve_device
from latentlab.errors import DataError, SettingsError
from latentlab.metrics.intervals import RESAMPLES, Estimate, percentile_limits
from latentlab.metrics.report import Evaluation, Report
from latentlab.metrics.runs import own_style
from latentlab.model import LatentModel
from latentlab.operations.evaluate_search import evaluate_search
from latentlab.operations.search_eps import Eps, known_eps, measure_eps, reconstruction_distances
from latentlab.operations.search_plan import Observation, SearchSettings
from latentlab.progress import Reporter


def run_search_evaluation(
    checkpoint: str,
    data: str,
    settings: SearchSettings,
    *,
    count: int | None = None,
    first: int = 0,
    controls: int = 0,
    eps_data: str = "",
    device: str = "auto",
    groups: Sequence[str] | None = None,
    reporter: Reporter | None = None,
) -> Report:
    """Evaluate searches in a model by name or path, for images of a set by name (`evaluate_search`).

    Parameters
    ----------
    count, first
        How many images, from which on, counted from 0; all without a count.
    eps_data
        The set whose reconstructions give eps; without it the settings' own or what the checkpoint records.

    Raises
    ------
    LatentLabError
        If the checkpoint, the set, the device or the settings cannot be used; `Cancelled` on request.
    """
    opened, where = load_model(checkpoint), resolve_device(device)
    size = cast(LatentModel, opened.network).spec.image_size
    settings.observation.side(size)
    data = own_style(opened.config, data)
    images = open_set(data, size, reporter)
    rows = np.arange(len(images))[first : None if count is None else first + count]
    if first < 0 or (count is not None and count < 1) or not len(rows):
        raise DataError(f"{data} has {len(images):,} images; none of them stands from {first} on.")
    model = cast(LatentModel, opened.network.to(where))
    eps = eps_of(checkpoint, settings, eps_data, device, reporter)
    found = evaluate_search(
        model,
        images.select(rows),
        settings,
        eps,
        controls=controls,
        first=first,
        device=where,
        groups=groups,
        reporter=reporter,
    )
    found = replace(found, settings={**found.settings, "first": first, "eps_source": eps.source})
    return Report.of("evaluate search", opened.located, data, len(rows), settings.seed, str(where), found)


def eps_of(
    checkpoint: str,
    settings: SearchSettings,
    eps_data: str = "",
    device: str = "auto",
    reporter: Reporter | None = None,
) -> Eps:
    """Return the eps of a model by name or path: measured on a set, asked for, recorded, or the reference's.

    Raises
    ------
    LatentLabError
        If the checkpoint or the set cannot be used, or both an eps and a set are given.
    """
    opened = load_model(checkpoint)
    if not eps_data:
        return known_eps(opened.config, settings.observation, settings.eps)
    if settings.eps is not None:
        raise SettingsError("Give either eps itself or a set to measure it on, and not both.")
    where = resolve_device(device)
    model = cast(LatentModel, opened.network.to(where))
    eps_data = own_style(opened.config, eps_data)
    images = open_set(eps_data, model.spec.image_size, reporter)
    found = measure_eps(model, images, settings.observation, where, reporter)
    return replace(found, source=f"the median over the {len(images):,} reconstructions of {eps_data}")


def run_search_eps(
    checkpoint: str,
    data: str,
    observation: Observation,
    *,
    device: str = "auto",
    reporter: Reporter | None = None,
) -> Report:
    """Measure eps of a model by name or path on a set by name: the metric ``eps``, with quartiles beside it.

    Its interval is that of the median, bootstrapped over images.

    Raises
    ------
    LatentLabError
        If the checkpoint, the set, the device or the factor cannot be used; `Cancelled` on request.
    """
    opened, where = load_model(checkpoint), resolve_device(device)
    model = cast(LatentModel, opened.network.to(where))
    observation.side(model.spec.image_size)
    data = own_style(opened.config, data)
    images = open_set(data, model.spec.image_size, reporter)
    found = reconstruction_distances(model, images, observation, where, reporter)
    generator, n = np.random.default_rng(0), len(found)
    medians = [float(np.median(found[generator.integers(0, n, n)])) for _ in range(RESAMPLES)]
    low, high = percentile_limits(np.array(medians))
    metrics = {"eps": Estimate(float(np.median(found)), low, high, n)}
    metrics |= {
        f"quantile_{share:.2f}": Estimate(float(np.quantile(found, share)), None, None, n)
        for share in (0.05, 0.25, 0.75, 0.95)
    }
    settings = {"factor": observation.factor, "kind": observation.kind, "key": observation.key}
    note = "eps is the median over the images of the mean squared error of the reduced reconstruction."
    evaluation = Evaluation(metrics, settings=settings, notes=(note,))
    return Report.of("evaluate search-eps", opened.located, data, n, 0, str(where), evaluation)
