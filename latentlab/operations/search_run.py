"""A latent search step by step: all restarts of all targets in one batch, each with its best so far.

    search = Search(unknowns, targets, settings, eps)
    search.run(on_step=show)        # as many steps as the settings say
    search.run(200)                 # not converged: more of them, from where each restart stood
    search.found()

A restart is one row of the batch. Its picture, latent and distance are kept together whenever the distance
is its smallest so far, and it leaves the batch once it is under eps. Nothing that it does depends on the
other rows, but for the order in which a batch of another size sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latentlab.errors import SettingsError
from latentlab.operations.render import intra_op_threads, to_uint8
from latentlab.operations.search_events import OnStep, SearchStep
from latentlab.operations.search_geodesic import geocross
from latentlab.operations.search_plan import MISSED, SEARCHING, UNDER, SearchSettings, rate_at
from latentlab.operations.search_precision import in_precision, resolve_precision
from latentlab.operations.search_step import AdamStepper, LBFGSStepper, Stepper
from latentlab.operations.search_unknowns import Drawn, Unknowns
from latentlab.progress import Progress, Reporter

_CLOSE = 1.3  # times eps: distances in a lower precision are taken again below it
_SAFE = 1.0 - 1e-4  # so that a restart that stops is under eps in float32 at batch 1 too


@dataclass(frozen=True, eq=False)
class FoundRow:
    """What one restart found: what was searched for ``[U]``, and all that it draws, decoded by itself.

    Parameters
    ----------
    picture, observed
        Float32 ``[S, S, 3]`` and ``[side, side, channels]``; the latter is what the distance was taken of.
    distance, rounded
        Mean squared error of ``observed``, and that of the picture rounded to 8 bits.
    steps
        Steps that it took.
    """

    v: NDArray[np.float32]
    latent: NDArray[np.float32]
    condition: NDArray[np.float32] | None
    exposure: float | None
    picture: NDArray[np.float32]
    observed: NDArray[np.float32]
    distance: float
    rounded: float
    status: int
    steps: int


class Search:
    """Restarts that evolve together.

    Parameters
    ----------
    unknowns
        What is searched for, and of which model.
    targets
        Small pictures float32 ``[P, channels, side, side]``.
    settings
        The rest; ``settings.eps`` is not looked at.
    eps
        The distance under which a restart has succeeded.
    starts
        Where the restarts begin instead of at their seeds, float32 ``[P * restarts, U]``.
    threads
        Intra-op threads of each step; as many as there are without it. Between steps others may have theirs.

    Raises
    ------
    SettingsError
        If the targets do not fit, or the model draws something that is not finite.
    """

    def __init__(
        self,
        unknowns: Unknowns,
        targets: Tensor,
        settings: SearchSettings,
        eps: float,
        starts: NDArray[np.float32] | None = None,
        threads: int | None = None,
    ) -> None:
        side, channels = unknowns.observer.side, settings.observation.channels
        if targets.shape[1:] != (channels, side, side):
            raise SettingsError(
                f"A target has {channels} x {side} x {side} numbers; {tuple(targets.shape[1:])} were given."
            )
        self.unknowns, self.settings, self.eps = unknowns, settings, eps
        self._threads = threads
        self._sigma2 = eps if settings.sigma is None else settings.sigma**2
        restarts, device = settings.restarts, targets.device
        if starts is None:
            drawn = [unknowns.start(settings.seed + k) for k in range(restarts)]
            starts = np.tile(np.stack(drawn), (len(targets), 1))
        v = torch.from_numpy(np.array(starts, dtype=np.float32)).to(device)
        self.targets, self._y = targets, targets.repeat_interleave(restarts, dim=0)
        n = len(v)
        if v.shape != (len(self._y), unknowns.size):
            raise SettingsError(f"{len(self._y)} starts of {unknowns.size} numbers are needed.")
        self._norms = unknowns.rows(v).norm(dim=2)
        self._stepper: Stepper = (AdamStepper if settings.optimiser == "adam" else LBFGSStepper)(v)
        self._rows = torch.arange(n, device=device)  # the restarts that are still in the batch
        self._best, self._score = v.clone(), v.new_full((n,), torch.inf)
        self._distances, self._best_distances = v.new_full((n,), torch.inf), v.new_full((n,), torch.inf)
        self._statuses, self._steps = np.zeros(n, dtype=np.int8), np.zeros(n, dtype=np.int64)
        self._shown: tuple[NDArray[np.uint8], NDArray[np.float32]] | None = None
        self._made = 0

    @property
    def statuses(self) -> NDArray[np.int8]:
        """How each restart stands, ``[N]``: positions in `latentlab.operations.search_plan.STATUSES`."""
        return self._statuses.copy()

    @property
    def made(self) -> int:
        """How many steps were made."""
        return self._made

    def run(
        self,
        steps: int | None = None,
        on_step: OnStep | None = None,
        show_every: int = 0,
        reporter: Reporter | None = None,
    ) -> None:
        """Make steps, from where the restarts stand, until all have stopped.

        Parameters
        ----------
        steps
            How many at most; as many as the settings say without it. Adam's schedule begins anew over them:
            from a tenth of the rate to the whole and down again, so that few steps may leave where a restart
            stood and not come back as near.
        on_step
            Told of every step.
        show_every
            Every so many steps, and at the last one, it is given pictures too; 0 for never.

        Raises
        ------
        Cancelled
            If the reporter asked for it; what was found until then stays, and can be gone on from.
        """
        reporter, count = reporter or Reporter(), self.settings.steps if steps is None else steps
        self._statuses[self._rows.cpu().numpy()] = SEARCHING
        until = self._made + count
        try:
            with frozen(self.unknowns.model):
                for step in range(count):
                    if not len(self._rows):
                        break
                    reporter.raise_if_cancelled()
                    is_due = bool(show_every) and (step % show_every == 0 or step == count - 1)
                    shows = is_due and on_step is not None
                    with intra_op_threads(self._threads):
                        self._step(rate_at(step, count, self.settings.rate), shows)
                    last = step == count - 1 or not len(self._rows)
                    if last:
                        self._end()
                    if on_step is not None:
                        on_step(self._event(until, shows or (last and bool(show_every))))
                    left = len(self._rows)
                    reporter.report(Progress("Searching", step + 1, count, {"restarts left": left}))
        finally:
            self._end()

    def found(self) -> list[FoundRow]:
        """Return what each restart found, decoded by itself in float32, so that it can be repeated."""
        return [
            found_row(self.unknowns, v, self.targets[row // self.settings.restarts], self.eps, int(steps))
            for row, (v, steps) in enumerate(zip(self._best, self._steps, strict=True))
        ]

    def best_rows(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return each restart's best row ``[N, U]`` and its score ``[N]``: distance, or of *map* the loss."""
        return _array(self._best), _array(self._score)

    # One step

    def _step(self, rate: float, shows: bool) -> None:
        """Evaluate, keep what is better, let go of what is under eps, and move the rest."""
        stepper = self._stepper
        v = stepper.v.detach().requires_grad_()
        with torch.enable_grad():
            drawn = self._draw(self._on_sphere(v) if self._turns else v)
            residuals = (drawn.observed - self._y).flatten(1)
            distances = self._exact(v, residuals.square().mean(1))
            losses = self._losses(v, residuals, distances)
            (gradients,) = torch.autograd.grad(losses.sum(), v)
        self._keep(v.detach(), distances.detach(), losses.detach())
        if shows:
            self._show(drawn)
        self._made += 1
        here = self._rows.cpu().numpy()
        self._steps[here] += 1
        stepper.update(losses.detach(), gradients, rate)
        if self._spheres and not self._turns:
            stepper.v.copy_(self._on_sphere(stepper.v))
        self._let_go(distances.detach(), here, drawn)

    def _draw(self, v: Tensor) -> Drawn:
        with in_precision(self.settings.precision, v.device):
            return self.unknowns.draw(v)

    def _exact(self, v: Tensor, distances: Tensor) -> Tensor:
        """Return the distances ``[N]``, those near eps in float32 where the search's precision is less."""
        if resolve_precision(self.settings.precision, v.device) == "float32":
            return distances
        close = distances.detach() <= _CLOSE * self.eps
        if bool(close.any()):
            with torch.no_grad():
                observed = self.unknowns.draw(self._on_sphere(v)[close] if self._turns else v[close]).observed
                exact = (observed - self._y[close]).square().flatten(1).mean(1)
            distances = distances.clone()
            distances.data[close] = exact  # its gradient stays
        return distances

    def _losses(self, v: Tensor, residuals: Tensor, distances: Tensor) -> Tensor:
        """Return each restart's loss ``[N]``; eps is each one's own, not that of a sum over the batch."""
        if self.settings.loss == "map":
            return 0.5 * (residuals.square().sum(1) / self._sigma2 + v.square().sum(1))
        if self.settings.loss == "l1":
            losses = 10.0 * residuals.abs().mean(1).clamp_min(self.eps)
        else:
            losses = 100.0 * distances.clamp_min(self.eps)
        rows = self.unknowns.rows(v)
        if self.settings.geocross and rows.shape[1] > 1:
            losses = losses + self.settings.geocross * geocross(rows)
        return losses

    def _keep(self, v: Tensor, distances: Tensor, losses: Tensor) -> None:
        """Keep the restarts that are better than ever: by distance, of the loss map by density."""
        rows, scores = self._rows, losses if self.settings.loss == "map" else distances
        self._distances[rows] = distances
        better = scores < self._score[rows]
        kept = rows[better]
        self._score[kept], self._best_distances[kept] = scores[better], distances[better]
        self._best[kept] = (self._on_sphere(v) if self._turns else v)[better]

    def _let_go(self, distances: Tensor, here: NDArray[np.int64], drawn: Drawn) -> None:
        """Take the restarts that have stopped out of the batch."""
        reached = distances <= _SAFE * self.eps
        if self._made == 1 and not bool(distances.isfinite().all()):
            raise SettingsError("The model draws what is no finite picture, so nothing can be searched for.")
        stops = self.settings.stop and self.settings.loss != "map"
        gone = ~self._stepper.v.isfinite().all(1)
        gone = gone | reached if stops else gone
        if not bool(gone.any()):
            return
        done = gone.cpu().numpy()
        self._statuses[here[done]] = self._ended(here[done])
        if self._shown is not None:
            self._put(here[done], drawn.pictures.detach()[gone], drawn.observed.detach()[gone])
        kept = ~gone
        self._rows, self._y, self._norms = self._rows[kept], self._y[kept], self._norms[kept]
        self._stepper.narrow(kept)

    def _end(self) -> None:
        """Say how the restarts ended that are still in the batch."""
        here = np.flatnonzero(self._statuses == SEARCHING)
        self._statuses[here] = self._ended(here)

    def _ended(self, rows: NDArray[np.int64]) -> NDArray[np.int8]:
        """Say of restarts that go no further whether their best is under eps."""
        under = _array(self._best_distances)[rows] <= _SAFE * self.eps
        return np.where(under, UNDER, MISSED).astype(np.int8)

    # The sphere

    @property
    def _spheres(self) -> bool:
        return self.settings.constraint == "sphere"

    @property
    def _turns(self) -> bool:
        """Whether the latents are turned to the sphere before they are drawn, so that gradients lie along it.

        Adam's are put back after the step, as the reference does; a quasi-Newton method needs the gradient of
        the function that it minimises.
        """
        return self._spheres and self.settings.optimiser == "lbfgs"

    def _on_sphere(self, v: Tensor) -> Tensor:
        """Return rows whose latents have the norms that they began with."""
        rows = self.unknowns.rows(v)
        scaled = rows * (self._norms / rows.norm(dim=2).clamp_min(1e-12))[:, :, None]
        return torch.cat([scaled.flatten(1), v[:, self.unknowns.spec.latent_size :]], dim=1)

    # What is told

    def _show(self, drawn: Drawn) -> None:
        if self._shown is None:
            size, (channels, side, _) = self.unknowns.spec.image_size, self.targets.shape[1:]
            n = len(self._best)
            self._shown = (
                np.zeros((n, size, size, 3), np.uint8),
                np.zeros((n, side, side, channels), np.float32),
            )
            gone = np.setdiff1d(np.arange(n), self._rows.cpu().numpy())
            if len(gone):  # they stopped while nobody was shown pictures
                with torch.no_grad():
                    best = self.unknowns.draw(self._best[gone])
                self._put(gone, best.pictures, best.observed)
        self._put(self._rows.cpu().numpy(), drawn.pictures.detach(), drawn.observed.detach())

    def _put(self, rows: NDArray[np.int64], pictures: Tensor, observed: Tensor) -> None:
        assert self._shown is not None
        self._shown[0][rows] = to_uint8(pictures)
        self._shown[1][rows] = _array(observed.permute(0, 2, 3, 1).float())

    def _event(self, until: int, with_pictures: bool) -> SearchStep:
        shown = self._shown if with_pictures else None
        return SearchStep(
            self._made,
            until,
            self._distances.cpu().numpy().copy(),
            self._best_distances.cpu().numpy().copy(),
            self._statuses.copy(),
            None if shown is None else shown[0].copy(),
            None if shown is None else shown[1].copy(),
        )


def found_row(unknowns: Unknowns, v: Tensor, target: Tensor, eps: float, steps: int) -> FoundRow:
    """Decode one row ``[U]`` by itself, and compare it with its target ``[channels, side, side]``."""
    with torch.no_grad():
        drawn = unknowns.draw(v[None])
        exposure = 1.0 if drawn.exposures is None else float(drawn.exposures)
        rounded = torch.from_numpy(to_uint8(drawn.pictures)).permute(0, 3, 1, 2).to(target) / 255.0
        again = exposure * unknowns.observer(rounded)
    distance = float((drawn.observed - target).square().mean())
    return FoundRow(
        v=_array(v),
        latent=_array(drawn.latents[0]),
        condition=None if drawn.conditions is None else _array(drawn.conditions[0]),
        exposure=None if drawn.exposures is None else exposure,
        picture=_array(drawn.pictures[0].permute(1, 2, 0)),
        observed=_array(drawn.observed[0].permute(1, 2, 0)),
        distance=distance,
        rounded=float((again - target).square().mean()),
        status=UNDER if distance <= eps else MISSED,
        steps=steps,
    )


@contextmanager
def frozen(model: object) -> Iterator[None]:
    """Have no gradients taken of a model's parameters, which a search does not need."""
    parameters = [one for one in cast(nn.Module, model).parameters() if one.requires_grad]
    for one in parameters:
        one.requires_grad_(False)
    try:
        yield
    finally:
        for one in parameters:
            one.requires_grad_(True)


def _array(x: Tensor) -> NDArray[np.float32]:
    return np.array(x.detach().cpu().numpy(), dtype=np.float32)
