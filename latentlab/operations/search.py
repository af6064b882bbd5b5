"""Latent search for one picture, from Python: the twin of the Search screen and of ``latentlab search``.

    explorer = Explorer.open("faces-vae")
    found = search_picture(explorer, read_picture("face.png").pixels, SearchSettings(restarts=8))
    found.best.picture            # float32 [S, S, 3]
    found.best.distance           # of exactly that picture, reduced

`LatentSearch` is the same step by step, to be shown while it goes on, stopped, and gone on with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from latentlab.errors import SettingsError
from latentlab.operations.attribute_table import origin_note
from latentlab.operations.explore import Explorer
from latentlab.operations.render import intra_op_threads
from latentlab.operations.search_eps import Eps, known_eps
from latentlab.operations.search_events import OnPosteriorStep, OnStep
from latentlab.operations.search_plan import PosteriorSettings, SearchSettings
from latentlab.operations.search_posterior import sample_posterior
from latentlab.operations.search_precision import resolve_precision
from latentlab.operations.search_result import PictureSearch, Restart, Sampling
from latentlab.operations.search_run import FoundRow, Search, found_row
from latentlab.operations.search_target import Fit, Given, SearchTarget, search_target
from latentlab.operations.search_unknowns import Observer, Unknowns
from latentlab.progress import Reporter


class LatentSearch:
    """A search for one picture or several, to be shown while it goes on.

    Parameters
    ----------
    targets
        All of one model's size and one observation (`latentlab.operations.search_target`).
    condition
        What a conditional model is told, float32 ``[C]``; the first classes without it.
    free
        Attributes of the condition whose mixture of classes is searched for too.
    starts
        Where the restarts begin instead of at their seeds (``found.v`` of an earlier search), in the order
        of `Search`.

    Raises
    ------
    SettingsError
        If model, targets and settings do not fit.
    """

    def __init__(
        self,
        explorer: Explorer,
        targets: Sequence[SearchTarget],
        settings: SearchSettings | None = None,
        *,
        eps: Eps | None = None,
        condition: NDArray[np.float32] | None = None,
        free: Sequence[str] = (),
        starts: NDArray[np.float32] | None = None,
    ) -> None:
        self.explorer, self.targets = explorer, tuple(targets)
        settings = settings or SearchSettings()
        self.settings = replace(settings, precision=resolve_precision(settings.precision, "cpu"))
        observation = self.settings.observation
        self.eps = eps or known_eps(explorer.located.config, observation, self.settings.eps)
        self.unknowns = Unknowns(
            explorer.network, Observer(observation, explorer.spec.image_size), condition, free
        )
        self.search = Search(
            self.unknowns, _stacked(self.targets), self.settings, self.eps.value, starts, explorer.threads
        )

    def run(
        self,
        steps: int | None = None,
        on_step: OnStep | None = None,
        show_every: int = 0,
        reporter: Reporter | None = None,
    ) -> None:
        """Make steps from where the restarts stand (`Search.run`, also for what it raises)."""
        self.search.run(steps, on_step, show_every, reporter)

    def found(self, judged: bool = True) -> tuple[PictureSearch, ...]:
        """Return what was found until now for each target; the predictor judges it where wished."""
        with intra_op_threads(self.explorer.threads):
            rows, count = self.search.found(), self.settings.restarts
        seeds = [self.settings.seed + k for k in range(count)]
        return tuple(
            _picture_search(
                self.explorer,
                target,
                self.settings,
                self.eps,
                self.unknowns,
                rows[k * count : (k + 1) * count],
                seeds,
                judged,
            )
            for k, target in enumerate(self.targets)
        )


def search_picture(
    explorer: Explorer,
    pixels: NDArray[np.uint8],
    settings: SearchSettings | None = None,
    *,
    eps: Eps | None = None,
    condition: NDArray[np.float32] | None = None,
    free: Sequence[str] = (),
    fit: Fit = "crop",
    given: Given = "auto",
    notes: Sequence[str] = (),
    name: str = "",
    on_step: OnStep | None = None,
    show_every: int = 0,
    reporter: Reporter | None = None,
) -> PictureSearch:
    """Search for latents whose pictures, reduced, look like a picture reduced.

    Parameters
    ----------
    pixels
        Uint8 ``[H, W, 3]``, RGB, of any size; what of it is used says `search_target`.
    eps
        The distance to reach; the settings', the model's own, or the reference's without it.
    condition, free
        As in `LatentSearch`.
    fit, given, notes, name
        As in `search_target`.
    on_step, show_every
        As in `Search.run`.

    Raises
    ------
    LatentLabError
        If the picture, the model and the settings do not fit; `Cancelled` on request.
    """
    settings = settings or SearchSettings()
    target = search_target(
        pixels,
        settings.observation,
        explorer.spec.image_size,
        fit=fit,
        given=given,
        notes=tuple(notes),
        name=name,
    )
    search = LatentSearch(explorer, [target], settings, eps=eps, condition=condition, free=free)
    search.run(on_step=on_step, show_every=show_every, reporter=reporter)
    (found,) = search.found()
    return found


def sample_picture(
    explorer: Explorer,
    target: SearchTarget,
    settings: SearchSettings | None = None,
    sampling: PosteriorSettings | None = None,
    *,
    eps: Eps | None = None,
    condition: NDArray[np.float32] | None = None,
    free: Sequence[str] = (),
    kept: int = 4,
    on_step: OnPosteriorStep | None = None,
    show_every: int = 0,
    reporter: Reporter | None = None,
) -> PictureSearch:
    """Sample what a small picture may show (`sample_posterior`), instead of searching for the likeliest.

    Parameters
    ----------
    settings
        ``restarts`` are the chains, ``sigma`` the noise (the root of eps without it).
    sampling
        Without it half of the settings' steps are proposals of the warm-up, and half are draws.
    kept
        Draws of each chain that are decoded and judged, evenly over it; the last is one of them.
    on_step, show_every
        As in `sample_posterior`.

    Raises
    ------
    LatentLabError
        As `search_picture`.
    """
    settings = settings or SearchSettings()
    observation = settings.observation
    sampling = sampling or PosteriorSettings.of(settings.steps)
    eps = eps or known_eps(explorer.located.config, observation, settings.eps)
    unknowns = Unknowns(explorer.network, Observer(observation, explorer.spec.image_size), condition, free)
    found = sample_posterior(
        unknowns,
        _stacked([target]),
        eps.value**0.5 if settings.sigma is None else settings.sigma,
        sampling,
        chains=settings.restarts,
        seed=settings.seed,
        threads=explorer.threads,
        on_step=on_step,
        show_every=show_every,
        reporter=reporter,
    )
    places = np.linspace(sampling.draws - 1, 0, min(kept, sampling.draws), endpoint=False)
    places = np.unique(places.astype(np.int64))
    chosen = found.draws[:, places].reshape(-1, unknowns.size)
    steps = np.tile(sampling.warm_up + places + 1, settings.restarts)
    with intra_op_threads(explorer.threads):
        rows = [
            found_row(unknowns, torch.from_numpy(v.copy()), target.tensor()[0], eps.value, int(step))
            for v, step in zip(chosen, steps, strict=True)
        ]
    seeds = [settings.seed + chain for chain in range(settings.restarts) for _ in places]
    searched = _picture_search(explorer, target, settings, eps, unknowns, rows, seeds, True)
    effective, r_hat = found.effective(), found.r_hat()
    # Every number has a density, so one that is the same everywhere belongs to chains that never moved.
    effective, r_hat = np.nan_to_num(effective, nan=0.0), np.where(np.isnan(r_hat), np.inf, r_hat)
    numbers = effective[:-1]
    told = Sampling(
        found.chains,
        float(found.acceptance.mean()),
        (float(numbers.min()), float(np.median(numbers)), float(effective[-1])),
        float(r_hat.max()),
        found.draws.shape[0] * found.draws.shape[1],
        sampling,
    )
    return replace(searched, sampling=told)


def _stacked(targets: Sequence[SearchTarget]) -> torch.Tensor:
    if not targets:
        raise SettingsError("A search needs a picture at least.")
    return torch.cat([one.tensor() for one in targets])


def _picture_search(
    explorer: Explorer,
    target: SearchTarget,
    settings: SearchSettings,
    eps: Eps,
    unknowns: Unknowns,
    rows: Sequence[FoundRow],
    seeds: Sequence[int],
    judged: bool,
) -> PictureSearch:
    restarts = tuple(Restart(seed, row) for seed, row in zip(seeds, rows, strict=True))
    judge = explorer.predictor_spec if judged else None
    if judge is not None:
        restarts = tuple(replace(one, attributes=explorer.attributes(one.pixels)) for one in restarts)
    notes = (*target.notes, *(() if judge is None else (origin_note(judge),)))
    return PictureSearch(
        explorer.located,
        judge,
        target,
        settings,
        eps,
        restarts,
        explorer.threads,
        notes,
        unknowns.free,
    )
