"""How often a search comes as near as the model itself can draw, on held-out images and on its own samples.

The model's own reduced samples are the positive control: each of them has a latent that draws it exactly, so
what a search does not reach there is the search's doing; what it reaches there and not on held-out images is
the model's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentlab.data.image_set import ImageSet, images_to_tensor
from latentlab.metrics.intervals import Estimate, bootstrap_mean, wilson
from latentlab.metrics.labels import conditions, group_attributes
from latentlab.metrics.passes import check_size
from latentlab.metrics.report import Evaluation, group_notes
from latentlab.model import LatentModel
from latentlab.operations.search_eps import Eps
from latentlab.operations.search_plan import NOTE, SearchSettings
from latentlab.operations.search_run import FoundRow, Search
from latentlab.operations.search_unknowns import Observer, Unknowns
from latentlab.progress import Progress, Reporter

TOGETHER = 8
"""Images that are searched for in one batch."""
CONTROL = "control."
"""What stands before the names of the figures of the model's own samples."""
_Part = tuple[Tensor, NDArray[np.float32] | None]
_CONTROL_SEED = 1_000_000  # of the control's samples: no restart sets out from one of them


def evaluate_search(
    model: LatentModel,
    data: ImageSet,
    settings: SearchSettings,
    eps: Eps,
    *,
    controls: int = 0,
    first: int = 0,
    device: torch.device | str = "cpu",
    groups: Sequence[str] | None = None,
    reporter: Reporter | None = None,
) -> Evaluation:
    """Search for every image of a set from its reduced self.

    Metrics, by group as well:

    - ``success_rate``: share of images with at least one restart under eps.
    - ``restart_success_rate``: share of restarts under eps, with a bootstrap interval over images.
    - ``distance``: mean over images of the smallest distance of an image's restarts.
    - ``steps``: mean steps of a restart.
    - ``rounded_success_rate``: ``success_rate`` of the pictures rounded to 8 bits.

    and ``control.`` before each for the model's own samples. A conditional model is told the images' labels.

    Parameters
    ----------
    model
        On ``device`` already, in float32.
    controls
        How many samples of the model are searched for beside them.
    first
        Where the images begin in a larger set that is evaluated in parts: exposures and samples are those of
        this part.

    Raises
    ------
    LatentLabError
        If the set does not fit the model, or the settings do not; `Cancelled` on request.
    """
    reporter, where = reporter or Reporter(), torch.device(device)
    check_size(data, model.spec.image_size, "model")
    observer = Observer(settings.observation, model.spec.image_size)
    told, total = conditions(model.spec.condition, data), len(data) + controls
    found: list[FoundRow] = []
    with torch.no_grad():
        for x, c in _images(data, told):
            small = _observed(observer, x.to(where), settings, first + len(found) // settings.restarts)
            found += _search(model, observer, small, c, settings, eps.value, reporter)
            reporter.report(Progress("Searching", len(found) // settings.restarts, total))
        control: list[FoundRow] = []
        for x, c in _samples(model, controls, told, first, where):
            small = _observed(observer, x, settings, first + len(control) // settings.restarts)
            control += _search(model, observer, small, c, settings, eps.value, reporter)
            reporter.report(Progress("Searching", len(data) + len(control) // settings.restarts, total))
    chosen = group_attributes(data, groups)
    members = data.groups(chosen) if chosen else {}
    metrics = search_figures(found, settings.restarts, eps.value)
    if control:
        figures = search_figures(control, settings.restarts, eps.value)
        metrics |= {CONTROL + name: one for name, one in figures.items()}
    by_group = {
        group: search_figures(
            [found[settings.restarts * row + k] for row in rows for k in range(settings.restarts)],
            settings.restarts,
            eps.value,
        )
        for group, rows in members.items()
        if len(rows)
    }
    notes = [
        f"eps = {eps.value:.4g}: {eps.source}.",
        f"Observed: {settings.observation.words(model.spec.image_size)}.",
        *group_notes({group: len(rows) for group, rows in members.items()}),
        f"What is found are {NOTE}.",
    ]
    return Evaluation(metrics, by_group, {**settings.record(), "eps": eps.value}, tuple(notes))


def search_figures(found: Sequence[FoundRow], restarts: int, eps: float) -> dict[str, Estimate]:
    """Return the figures of `evaluate_search` of some images, restart by restart, image by image."""
    distances = np.array([one.distance for one in found]).reshape(-1, restarts)
    rounded = np.array([one.rounded for one in found]).reshape(-1, restarts)
    steps = np.array([one.steps for one in found], dtype=np.float64).reshape(-1, restarts)
    generator = np.random.default_rng(0)
    return {
        "success_rate": _rate(distances.min(1) <= eps),
        "restart_success_rate": bootstrap_mean((distances <= eps).mean(1), generator),
        "distance": bootstrap_mean(distances.min(1), generator),
        "steps": bootstrap_mean(steps.mean(1), generator),
        "rounded_success_rate": _rate(rounded.min(1) <= eps),
    }


def _search(
    model: LatentModel,
    observer: Observer,
    small: Tensor,
    told: NDArray[np.float32] | None,
    settings: SearchSettings,
    eps: float,
    reporter: Reporter,
) -> list[FoundRow]:
    """Search for small pictures, under one condition together."""
    if told is None:
        return _searched(Unknowns(model, observer), small, settings, eps, reporter)
    found: dict[int, list[FoundRow]] = {}
    kinds, where = np.unique(told, axis=0, return_inverse=True)
    for kind, condition in enumerate(kinds):
        rows = np.flatnonzero(where.reshape(-1) == kind)
        every = _searched(Unknowns(model, observer, condition), small[rows], settings, eps, reporter)
        for place, row in enumerate(rows):
            found[int(row)] = every[place * settings.restarts : (place + 1) * settings.restarts]
    return [one for row in sorted(found) for one in found[row]]


def _searched(
    unknowns: Unknowns, small: Tensor, settings: SearchSettings, eps: float, reporter: Reporter
) -> list[FoundRow]:
    search = Search(unknowns, small, settings, eps)
    quiet = _Quiet(reporter)
    search.run(reporter=quiet)
    return search.found()


class _Quiet(Reporter):
    """Hears a wish to cancel and says nothing: the whole evaluation's progress is told instead."""

    def __init__(self, outer: Reporter) -> None:
        super().__init__()
        self._outer = outer

    @property
    def cancelled(self) -> bool:
        return self._outer.cancelled


def _observed(observer: Observer, x: Tensor, settings: SearchSettings, first: int) -> Tensor:
    """Reduce images, each under an exposure of its own where the exposure is unknown."""
    small = observer(x)
    spread = settings.observation.exposure_spread
    if spread:
        drawn = [np.random.default_rng([settings.seed, first + k]).standard_normal() for k in range(len(x))]
        small = small * torch.exp(spread * small.new_tensor(drawn))[:, None, None, None]
    return small


def _images(data: ImageSet, told: NDArray[np.float32] | None) -> Iterator[_Part]:
    for start in range(0, len(data), TOGETHER):
        part = slice(start, min(start + TOGETHER, len(data)))
        yield images_to_tensor(data.pixels(part)), None if told is None else told[part]


def _samples(
    model: LatentModel, count: int, told: NDArray[np.float32] | None, first: int, device: torch.device
) -> Iterator[_Part]:
    """Draw pictures of the model's own, under conditions of the set."""
    for start in range(0, count, TOGETHER):
        n = min(TOGETHER, count - start)
        c = None if told is None else told[np.arange(start, start + n) % len(told)]
        condition = None if c is None else torch.from_numpy(c).to(device)
        z = model.sample(n, condition, torch.Generator().manual_seed(_CONTROL_SEED + first + start))
        yield model.decode(z.to(device), condition), c


def _rate(success: NDArray[np.bool_]) -> Estimate:
    low, high = wilson(success.sum(), len(success))
    return Estimate(float(success.mean()), float(low), float(high), len(success))
