"""How often a search comes as near as the model itself can draw, on held-out images and on its own samples.

The model's own reduced samples are the positive control: each of them has a latent that draws it exactly, so
what a search does not reach there is the search's doing; what it reaches there and not on held-out images is
the model's. Two more controls tell what holds a search back that misses samples:

- held-out images as the model draws them again, of latents that its encoder draws for them. They are the
  model's own pictures too, but of latents from where images are;
- the same samples, searched for gently from beside their own latents. What is reached from there and not
  from random starts is in the search's reach, but not found: local minima lie between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

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
from latentlab.operations.search_precision import resolve_precision
from latentlab.operations.search_run import FoundRow, Search
from latentlab.operations.search_unknowns import Observer, Unknowns
from latentlab.progress import Progress, Reporter

TOGETHER = 8
"""Images that are searched for in one batch."""
CONTROL, REDRAWN, BESIDE = "control.", "redrawn.", "control.beside."
"""What stands before the names of the controls' figures: of the model's own samples, of images that the model
draws again, and of the samples searched for from beside their latents."""
_BESIDE, _GENTLE = 0.1, 0.5  # standard deviations from a sample's latent, and a rate that does not leave it
_Told = NDArray[np.float32] | None
_Part = tuple[Tensor, _Told]
_Drawn = tuple[Tensor, Tensor, _Told]
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

    with `CONTROL`, `REDRAWN` (of a model that encodes) and `BESIDE` (``success_rate`` alone) before each for
    the controls. A conditional model is told the images' labels.

    Parameters
    ----------
    model
        On ``device`` already, in float32.
    controls
        How many samples of the model are searched for beside them, and as many of the images drawn again.
    first
        Where the images begin in a larger set that is evaluated in parts: exposures and samples are those of
        this part.

    Raises
    ------
    LatentLabError
        If the set does not fit the model, or the settings do not; `Cancelled` on request.
    """
    reporter, where = reporter or Reporter(), torch.device(device)
    settings = replace(settings, precision=resolve_precision(settings.precision, where))
    check_size(data, model.spec.image_size, "model")
    observer = Observer(settings.observation, model.spec.image_size)
    told = conditions(model.spec.condition, data)
    redraws = min(controls, len(data)) if "encode" not in model.spec.cannot else 0
    total = len(data) + 2 * controls + redraws
    found: list[FoundRow] = []
    controls_found: dict[str, list[FoundRow]] = {CONTROL: [], BESIDE: [], REDRAWN: []}
    norms: dict[str, list[float]] = {CONTROL: [], REDRAWN: []}
    done = 0

    def search(x: Tensor, c: _Told, into: list[FoundRow], beside: Tensor | None = None) -> None:
        nonlocal done
        place = first + len(into) // settings.restarts
        small, how, starts = _observed(observer, x, settings, place), settings, None
        if beside is not None:
            starts = _beside(beside, observer, settings, place)
            how = replace(settings, rate=min(_GENTLE, settings.rate))
        into += _search(model, observer, small, c, how, eps.value, reporter, starts)
        done += len(x)
        reporter.report(Progress("Searching", done, total))

    with torch.no_grad():
        for x, c in _images(data, told):
            search(x.to(where), c, found)
        for z, x, c in _samples(model, controls, told, first, where):
            norms[CONTROL] += z.flatten(1).norm(dim=1).tolist()
            search(x, c, controls_found[CONTROL])
            search(x, c, controls_found[BESIDE], z)
        for z, x, c in _redrawn(model, data, redraws, told, first, where):
            norms[REDRAWN] += z.flatten(1).norm(dim=1).tolist()
            search(x, c, controls_found[REDRAWN])
    chosen = group_attributes(data, groups)
    members = data.groups(chosen) if chosen else {}
    metrics = search_figures(found, settings.restarts, eps.value)
    for name, rows in controls_found.items():
        figures = search_figures(rows, settings.restarts, eps.value) if rows else {}
        if name == BESIDE and figures:
            figures = {"success_rate": figures["success_rate"]}
        metrics |= {name + key: one for key, one in figures.items()}
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
        *_control_notes(metrics, norms),
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
    starts: NDArray[np.float32] | None = None,
) -> list[FoundRow]:
    """Search for small pictures, under one condition together."""
    if told is None:
        return _searched(Unknowns(model, observer), small, settings, eps, reporter, starts)
    found: dict[int, list[FoundRow]] = {}
    kinds, where = np.unique(told, axis=0, return_inverse=True)
    for kind, condition in enumerate(kinds):
        rows = np.flatnonzero(where.reshape(-1) == kind)
        own = None
        if starts is not None:
            own = starts.reshape(len(told), settings.restarts, -1)[rows].reshape(-1, starts.shape[1])
        every = _searched(Unknowns(model, observer, condition), small[rows], settings, eps, reporter, own)
        for place, row in enumerate(rows):
            found[int(row)] = every[place * settings.restarts : (place + 1) * settings.restarts]
    return [one for row in sorted(found) for one in found[row]]


def _searched(
    unknowns: Unknowns,
    small: Tensor,
    settings: SearchSettings,
    eps: float,
    reporter: Reporter,
    starts: NDArray[np.float32] | None,
) -> list[FoundRow]:
    search = Search(unknowns, small, settings, eps, starts)
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
) -> Iterator[_Drawn]:
    """Draw latents and pictures of the model's own, under conditions of the set."""
    for start in range(0, count, TOGETHER):
        n = min(TOGETHER, count - start)
        c = None if told is None else told[np.arange(start, start + n) % len(told)]
        condition = None if c is None else torch.from_numpy(c).to(device)
        z = model.sample(n, condition, torch.Generator().manual_seed(_CONTROL_SEED + first + start))
        z = z.to(device)
        yield z, model.decode(z, condition), c


def _redrawn(
    model: LatentModel,
    data: ImageSet,
    count: int,
    told: NDArray[np.float32] | None,
    first: int,
    device: torch.device,
) -> Iterator[_Drawn]:
    """Draw the first images of a set again: of latents drawn for them by the encoder."""
    for start in range(0, count, TOGETHER):
        part = slice(start, min(start + TOGETHER, count))
        c = None if told is None else told[part]
        condition = None if c is None else torch.from_numpy(c).to(device)
        q = model.encode(images_to_tensor(data.pixels(part)).to(device), condition)
        z = q.mean
        if q.logvar is not None:
            generator = torch.Generator().manual_seed(_CONTROL_SEED + first + start)
            noise = torch.randn(z.shape, generator=generator).to(z)
            z = z + torch.exp(0.5 * q.logvar) * noise
        yield z, model.decode(z, condition), c


def _beside(z: Tensor, observer: Observer, settings: SearchSettings, place: int) -> NDArray[np.float32]:
    """Return restarts beside latents, ``[n * restarts, U]``; an unknown exposure begins at 1."""
    generator = np.random.default_rng([settings.seed, place])
    rows = np.repeat(z.flatten(1).cpu().numpy(), settings.restarts, axis=0)
    rows = rows + _BESIDE * generator.standard_normal(rows.shape)
    extra = np.zeros((len(rows), int(observer.observation.exposure_spread > 0.0)))
    return np.concatenate([rows, extra], axis=1).astype(np.float32)


def _control_notes(metrics: Mapping[str, Estimate], norms: Mapping[str, Sequence[float]]) -> list[str]:
    """Say what the controls show of a search that misses the model's own samples."""
    if not norms[CONTROL]:
        return []
    rate, beside = (metrics[f"{name}success_rate"].value for name in (CONTROL, BESIDE))
    lines = [
        f"Of the model's own samples {rate:.0%} are reached from random starts, and {beside:.0%} from beside "
        "their own latents, at a rate that does not leave them."
    ]
    if norms[REDRAWN]:
        again = metrics[f"{REDRAWN}success_rate"].value
        of_images, of_samples = (np.mean(norms[name]) for name in (REDRAWN, CONTROL))
        lines.append(
            f"Of the images that the model draws again {again:.0%} are reached. Their latents have the norm "
            f"{of_images:.1f} on average, those of samples {of_samples:.1f}: among "
            "latents farther out than those of images a search ends in more local minima."
        )
    return lines


def _rate(success: NDArray[np.bool_]) -> Estimate:
    low, high = wilson(success.sum(), len(success))
    return Estimate(float(success.mean()), float(low), float(high), len(success))
