"""How faithful a model's reconstructions are, and how near its samples come to the real images.

A reconstruction is the decoded *mean* of the posterior, in float32. The judging predictor stands in no
training loss. Frechet distances are taken in its last hidden layer:

- ``frechet_reconstruction`` compares reconstructions of some held-out images with *other* held-out
  originals, so that no image meets its own reconstruction. The others are those given as ``reference``
  (the validation rows, when test rows are evaluated); without them the set is cut in two halves, which
  share no identity.
- ``frechet_sample`` compares pictures of latents drawn from the prior with the originals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from latentlab.data.catalog import open_set
from latentlab.data.image_set import ImageSet
from latentlab.errors import DataError, SettingsError
from latentlab.metrics.classification import agreement
from latentlab.metrics.frechet import LEAST_IMAGES, frechet_distance
from latentlab.metrics.intervals import Estimate, bootstrap_mean
from latentlab.metrics.labels import conditions, group_attributes, identities, true_codes
from latentlab.metrics.passes import (
    BATCH,
    Judgements,
    JudgementsList,
    batches,
    check_size,
    evaluation,
    judge_set,
)
from latentlab.metrics.report import Evaluation, group_notes
from latentlab.model import AttributePredictor, LatentModel
from latentlab.progress import Progress, Reporter

ACTIVE_VARIANCE = 0.01
"""A latent dimension is active if its posterior mean varies more than this over the images."""


_HALVES, _CONDITIONS = 1 << 20, 1 << 21  # streams of random numbers beside those of the groups


@dataclass(frozen=True)
class _Pass:
    """What one pass over the set gave: per image, error and judgements; the latents' variance."""

    error_255: NDArray[np.float64]
    originals: Judgements
    reconstructions: Judgements
    mean_variance: NDArray[np.float64]


def evaluate_reconstruction(
    model: LatentModel,
    predictor: AttributePredictor,
    data: ImageSet,
    *,
    reference: ImageSet | None = None,
    samples: int = 2048,
    device: torch.device | str = "cpu",
    seed: int = 0,
    groups: Sequence[str] | None = None,
    reporter: Reporter | None = None,
) -> Evaluation:
    """Reconstruct labelled images, draw pictures from the prior, and judge both.

    Metrics, the first two by group as well:

    - ``mae_255``: mean absolute error over all pixels and channels, 0 to 255, with a bootstrap interval
      over images.
    - ``agreement.ATTR``: balanced accuracy on reconstructions / on the originals
      (`latentlab.metrics.classification.agreement`), the interval from Wilson's limits.
    - ``frechet_reconstruction`` and ``frechet_sample``: see the module's text. They have no interval: a
      bootstrap of a distance that is too large in finite samples is too large twice. The notes say how
      far two sets of originals are apart, which is what a perfect model would get.
    - ``active_dimensions``: latent dimensions whose posterior mean has a variance over the images above
      `ACTIVE_VARIANCE` (Burda, Grosse & Salakhutdinov 2016, section 5).

    Parameters
    ----------
    model, predictor
        On ``device`` already, in float32.
    data
        Labelled images at the model's image size.
    reference
        Other held-out originals for ``frechet_reconstruction``, disjoint from ``data``.
    samples
        Pictures drawn from the prior.
    seed
        Of the samples and of the bootstrap.
    groups
        Attributes whose intersections are the groups; gender and race by default, where the set has them.

    Raises
    ------
    LatentLabError
        If the model cannot encode, the set does not fit the model or the predictor, or ``reference``
        shares images with ``data``; `Cancelled` if the reporter asked for it.
    """
    reporter, where = reporter or Reporter(), torch.device(device)
    if "encode" in model.spec.cannot:
        raise SettingsError(f"The model cannot encode images: {model.spec.cannot['encode']}")
    if samples < 2:
        raise SettingsError(f"At least 2 samples are needed for a Frechet distance, not {samples}.")
    check_size(data, model.spec.image_size, "model")
    truth, notes = true_codes(predictor.spec, data)
    chosen = group_attributes(data, groups)
    found = _reconstruct(model, predictor, data, where, reporter)
    members = data.groups(chosen) if chosen else {}
    clusters = identities(data)

    def measure(rows: NDArray[np.int64], stream: int) -> dict[str, Estimate]:
        generator = np.random.default_rng([seed, stream])
        shown = None if clusters is None else clusters[rows]
        metrics: dict[str, Estimate | None] = {
            "mae_255": bootstrap_mean(found.error_255[rows], generator, shown)
        }
        for name, codes in truth.items():
            before, after = found.originals.codes(name)[rows], found.reconstructions.codes(name)[rows]
            classes = len(predictor.spec.attribute(name).classes)
            metrics[f"agreement.{name}"] = agreement(codes[rows], before, after, classes, generator, shown)
        return {name: estimate for name, estimate in metrics.items() if estimate}

    metrics = measure(np.arange(len(data)), 0)
    by_group = {
        group: measure(rows, stream)
        for stream, (group, rows) in enumerate(members.items(), start=1)
        if len(rows)
    }
    frechet, frechet_notes = _frechet_reconstruction(found, predictor, data, reference, where, seed, reporter)
    metrics |= frechet
    if len(data) < 2 or "sample" in model.spec.cannot:
        reason = model.spec.cannot.get("sample", "the set has too few images.")
        notes.append(f"frechet_sample was not measured: {reason}")
    else:
        features = _sample_features(model, predictor, data, samples, where, seed, reporter)
        metrics["frechet_sample"] = _distance(features, found.originals.features)
        frechet_notes.append(f"frechet_sample: {samples} samples against {len(data)} originals.")
    active = int((found.mean_variance > ACTIVE_VARIANCE).sum())
    metrics["active_dimensions"] = Estimate(active, None, None, len(data))
    notes += [
        *frechet_notes,
        f"active_dimensions: of {model.spec.latent_size}; variance of the posterior mean over the images > "
        f"{ACTIVE_VARIANCE} (Burda et al. 2016).",
        *group_notes({group: len(rows) for group, rows in members.items()}),
    ]
    settings = {"latent": "posterior mean", "samples": samples, "groups": list(chosen)}
    return Evaluation(metrics, by_group, settings, tuple(notes))


def other_held_out(name: str, image_size: int, reporter: Reporter | None = None) -> ImageSet | None:
    """Open the images for ``reference`` that go with a set's name: ``X:validation`` for ``X:test``.

    It is never the other way round: what is measured on validation rows may steer a choice, and nothing
    is chosen on test rows. None where the set is no test split, or has no validation rows.
    """
    body, _, split = name.rpartition(":")
    if not body or split != "test":
        return None
    try:
        return open_set(f"{body}:validation", image_size, reporter)
    except DataError:
        return None


def _reconstruct(
    model: LatentModel,
    predictor: AttributePredictor,
    data: ImageSet,
    device: torch.device,
    reporter: Reporter,
) -> _Pass:
    errors, latents = [], []
    originals, reconstructions = JudgementsList(predictor), JudgementsList(predictor)
    c = conditions(model.spec.condition, data)
    with evaluation():
        for rows, x in batches(data, device, reporter, "Reconstructing"):
            condition = None if c is None else torch.from_numpy(c[rows]).to(device)
            mu = model.encode(x, condition).mean
            reconstruction = model.decode(mu, condition)
            errors.append((reconstruction - x).abs().mean(dim=(1, 2, 3)).cpu().numpy())
            latents.append(mu.flatten(1).cpu().numpy())
            originals.judge(x)
            reconstructions.judge(reconstruction)
    variance = np.concatenate(latents).astype(np.float64).var(axis=0)
    error_255 = 255.0 * np.concatenate(errors).astype(np.float64)
    return _Pass(error_255, originals.all(), reconstructions.all(), variance)


def _frechet_reconstruction(
    found: _Pass,
    predictor: AttributePredictor,
    data: ImageSet,
    reference: ImageSet | None,
    device: torch.device,
    seed: int,
    reporter: Reporter,
) -> tuple[dict[str, Estimate], list[str]]:
    """Compare reconstructions with other originals: the reference's, or those of the set's other half."""
    originals, reconstructions = found.originals.features, found.reconstructions.features
    if reference is not None:
        if reference.images is data.images and np.isin(reference.rows, data.rows).any():
            raise SettingsError(
                "The reference of frechet_reconstruction shares images with the set evaluated."
            )
        others = judge_set(predictor, reference, device, reporter, "Judging other originals").features
        used, said = np.arange(len(data)), "of the reference rows"
    else:
        clusters = identities(data)
        whom = np.arange(len(data)) if clusters is None else clusters
        halves = np.random.default_rng([seed, _HALVES]).permutation(np.unique(whom))
        first = np.isin(whom, halves[: len(halves) // 2])
        used, others, said = np.flatnonzero(first), originals[~first], "of the set's other half"
    if min(len(used), len(others)) < 2:
        return {}, ["Frechet distances were not measured: the set has too few images."]
    floor = frechet_distance(originals[used], others)
    notes = [
        f"frechet_reconstruction: {len(used)} reconstructions against {len(others)} originals {said}, none "
        f"of them the same; the originals of those reconstructions are {floor:.4g} away from the same others."
    ]
    if min(len(used), len(others), len(data)) < LEAST_IMAGES:
        notes.append(
            f"Frechet distances of fewer than {LEAST_IMAGES} images a side are too large; do not compare "
            "them with others."
        )
    return {"frechet_reconstruction": _distance(reconstructions[used], others)}, notes


def _sample_features(
    model: LatentModel,
    predictor: AttributePredictor,
    data: ImageSet,
    samples: int,
    device: torch.device,
    seed: int,
    reporter: Reporter,
) -> NDArray[np.float32]:
    """Return features ``[samples, F]`` of pictures of the prior's latents, conditioned as the set is."""
    found = JudgementsList(predictor)
    latents, pictures = torch.Generator().manual_seed(seed), np.random.default_rng([seed, _CONDITIONS])
    c = conditions(model.spec.condition, data)
    with evaluation():
        for start in range(0, samples, BATCH):
            reporter.raise_if_cancelled()
            n = min(BATCH, samples - start)
            rows = pictures.integers(0, len(data), n)
            condition = None if c is None else torch.from_numpy(c[rows]).to(device)
            z = model.sample(n, condition, latents).to(device)
            found.judge(model.decode(z, condition))
            reporter.report(Progress("Judging samples", start + n, samples))
    return found.all().features


def _distance(first: NDArray[np.float32], second: NDArray[np.float32]) -> Estimate:
    return Estimate(frechet_distance(first, second), None, None, min(len(first), len(second)))
