"""How near a search has to come: eps of a model, from what its own reconstructions leave over.

eps is the median over held-out images of the mean squared error between the reduced original and the reduced
reconstruction. A search that is as near as that has found what looks, reduced, like the picture as the model
itself would draw it; nearer than the model can draw, no search comes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from latentlab.data.image_set import ImageSet
from latentlab.errors import SettingsError
from latentlab.metrics.labels import conditions
from latentlab.metrics.passes import batches, check_size, evaluation
from latentlab.model import LatentModel
from latentlab.operations.search_plan import REFERENCE_EPS, Observation
from latentlab.operations.search_unknowns import Observer
from latentlab.progress import Reporter
from latentlab.spec import CheckpointConfig

RECORD = "search_eps"
"""Where a checkpoint's record of its training keeps eps, by `Observation.key`."""


@dataclass(frozen=True)
class Eps:
    """A distance to reach, and where it comes from, in words."""

    value: float
    source: str


def known_eps(config: CheckpointConfig, observation: Observation, asked: float | None = None) -> Eps:
    """Return the eps that was asked for, or the one that a checkpoint records, or the reference's."""
    if asked is not None:
        return Eps(asked, "as asked for")
    found = recorded_eps(config, observation)
    if found is not None:
        return Eps(found, "the model's own, from its card")
    return Eps(REFERENCE_EPS, "the reference's, for the model's own was not measured")


def recorded_eps(config: CheckpointConfig, observation: Observation) -> float | None:
    """Return the eps that a checkpoint records; None where it records none of the observation."""
    recorded = config.training.get(RECORD)
    found = recorded.get(observation.key) if isinstance(recorded, dict) else None
    return float(found) if isinstance(found, (int, float)) and 0.0 < found <= 1.0 else None


def reconstruction_distances(
    model: LatentModel,
    data: ImageSet,
    observation: Observation,
    device: torch.device | str = "cpu",
    reporter: Reporter | None = None,
) -> NDArray[np.float64]:
    """Return the mean squared error between each image and its reconstruction, both reduced, ``[n]``.

    The exposure plays no part: both have the same. A conditional model is told the images' labels.

    Raises
    ------
    SettingsError
        If the model has no encoder, or the set another size; `DataError` if labels are missing.
    """
    if "encode" in model.spec.cannot:
        raise SettingsError(
            f"The model cannot encode images, so it has no eps of its own: {model.spec.cannot['encode']} "
            "Give an eps."
        )
    check_size(data, model.spec.image_size, "model")
    observer, where = Observer(observation, model.spec.image_size), torch.device(device)
    c, found = conditions(model.spec.condition, data), []
    with evaluation():
        for rows, x in batches(data, where, reporter or Reporter(), "Measuring eps"):
            condition = None if c is None else torch.from_numpy(c[rows]).to(where)
            again = model.decode(model.encode(x, condition).mean, condition)
            found.append((observer(again) - observer(x)).square().flatten(1).mean(1).cpu().numpy())
    return np.concatenate(found).astype(np.float64)


def measure_eps(
    model: LatentModel,
    data: ImageSet,
    observation: Observation,
    device: torch.device | str = "cpu",
    reporter: Reporter | None = None,
) -> Eps:
    """Return the median of `reconstruction_distances`, also for what it raises."""
    value = float(np.median(reconstruction_distances(model, data, observation, device, reporter)))
    return Eps(value, f"the median over {len(data):,} reconstructions of {data.info.name}")
