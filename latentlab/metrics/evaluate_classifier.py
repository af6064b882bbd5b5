"""How good an attribute predictor is on labelled images: accuracy and calibration, overall and by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from latentlab.data.image_set import ImageSet
from latentlab.metrics.classification import accuracy, calibration_error, confusion_matrix
from latentlab.metrics.intervals import Estimate
from latentlab.metrics.labels import group_attributes, identities, true_codes
from latentlab.metrics.passes import check_size, judge_set
from latentlab.metrics.report import Evaluation, group_notes
from latentlab.model import AttributePredictor
from latentlab.progress import Reporter
from latentlab.spec import Confusion


@dataclass(frozen=True)
class ClassifierEvaluation(Evaluation):
    """An evaluation with its confusion matrices: by attribute, and by group and attribute."""

    confusion: Mapping[str, Confusion] = field(default_factory=dict)
    group_confusion: Mapping[str, Mapping[str, Confusion]] = field(default_factory=dict)


def evaluate_classifier(
    predictor: AttributePredictor,
    data: ImageSet,
    *,
    device: torch.device | str = "cpu",
    seed: int = 0,
    groups: Sequence[str] | None = None,
    reporter: Reporter | None = None,
) -> ClassifierEvaluation:
    """Judge labelled images and compare with the truth.

    Metrics are ``accuracy.ATTR``, balanced over the classes that occur (in a group of one gender,
    ``accuracy.gender`` is that gender's recall), and ``calibration_error.ATTR``
    (`latentlab.metrics.classification.calibration_error`).

    Parameters
    ----------
    predictor
        On ``device`` already, in float32.
    data
        Labelled images at the predictor's image size.
    seed
        Of the bootstrap.
    groups
        Attributes whose intersections are the groups; gender and race by default, where the set has them.

    Raises
    ------
    LatentLabError
        If the set is at another image size, has none of the predictor's attributes or lacks one of the
        groups'; `Cancelled` if the reporter asked for it.
    """
    reporter = reporter or Reporter()
    check_size(data, predictor.spec.image_size, "predictor")
    truth, notes = true_codes(predictor.spec, data)
    chosen = group_attributes(data, groups)
    found = judge_set(predictor, data, torch.device(device), reporter)
    members = data.groups(chosen) if chosen else {}
    clusters = identities(data)

    def measure(rows: NDArray[np.int64], stream: int) -> tuple[dict[str, Estimate], dict[str, Confusion]]:
        metrics: dict[str, Estimate | None] = {}
        matrices = {}
        generator = np.random.default_rng([seed, stream])
        for name, codes in truth.items():
            p, truths = found.probabilities[name][rows], codes[rows]
            predicted, classes = p.argmax(axis=1), p.shape[1]
            matrix = confusion_matrix(truths, predicted, classes)
            matrices[name] = Confusion(counts=tuple(tuple(row) for row in matrix.tolist()))
            shown = None if clusters is None else clusters[rows]
            metrics[f"accuracy.{name}"] = accuracy(truths, predicted, classes, generator, shown)
            metrics[f"calibration_error.{name}"] = calibration_error(p, truths, generator, shown)
        return {name: estimate for name, estimate in metrics.items() if estimate}, matrices

    overall, confusion = measure(np.arange(len(data)), 0)
    by_group = {}
    for stream, (group, rows) in enumerate(members.items(), start=1):
        reporter.raise_if_cancelled()
        if len(rows):
            by_group[group] = measure(rows, stream)
    return ClassifierEvaluation(
        metrics=overall,
        groups={group: metrics for group, (metrics, _) in by_group.items()},
        settings={"groups": list(chosen)},
        notes=(*notes, *group_notes({group: len(rows) for group, rows in members.items()})),
        confusion=confusion,
        group_confusion={group: matrices for group, (_, matrices) in by_group.items()},
    )
