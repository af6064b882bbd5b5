"""Posterior sampling by Langevin dynamics: many latents in the proportions in which they are probable.

A search returns what is most probable, and so what most people are; sampling the posterior keeps the
proportions (Jalal et al. 2021). The target density of a row v (`latentlab.operations.search_unknowns`) is
exactly

    log p(v | y) = -|v|^2 / 2 - sum_i (y_i - A(v)_i)^2 / (2 sigma^2) + constant:

the prior N(0, I) on all that is searched for (z first), and independent Gaussian noise of standard deviation
sigma on every number of the small picture y, whose mean A(v) is what is observed of the picture drawn.

It is sampled by Langevin proposals that Metropolis' rule accepts or not, so that no step size is too large
to be exact. A proposal draws n ~ N(0, I) and makes L leapfrog steps of size h under a metric C = R R':

    p += h/2 R' grad log p(v | y);   v += h R p;   p += h/2 R' grad log p(v | y),   p = n at first,

accepted with the probability min(1, exp(change of log p(v | y) - |p|^2 / 2)). One leapfrog step is the
Metropolis-adjusted Langevin algorithm (Roberts & Tweedie 1996), v' = v + h^2 / 2 C grad log p + h R n; more
make it Hamiltonian Monte Carlo (Neal 2011), which crosses a narrow posterior in L steps instead of L^2.

The chains begin at draws from the prior, or where an *approach* brings these draws v0: to the minimum of

    |v - v0|^2 / 2 + sum_i (y_i + sigma n_i - A(v)_i)^2 / (2 sigma^2),   n ~ N(0, I),

which is a draw of the posterior itself where A is linear (randomised maximum likelihood, Oliver, He &
Reynolds 1996), and near one where it is not; so a few steps do what takes hundreds from the prior. Without it
the likelihood is tempered during the *warm-up*, its power rising geometrically from ``least_power`` to 1 (a
temperature falling to 1). In either case h follows the acceptance rate during the warm-up, and C is
taken from where a chain stands: (I + J' J / sigma^2)^-1 with J the derivative of A, as a Gaussian posterior
would have it. Then all three are held (h but for a jitter that no state decides), and every draw that is kept
is of a chain whose stationary density is the above.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentlab.errors import SettingsError
from latentlab.metrics.effective_samples import effective_samples, split_r_hat
from latentlab.operations.render import intra_op_threads, to_uint8
from latentlab.operations.search_events import OnPosteriorStep, PosteriorStep
from latentlab.operations.search_plan import PosteriorSettings, rate_at
from latentlab.operations.search_precision import in_precision
from latentlab.operations.search_run import frozen
from latentlab.operations.search_step import AdamStepper
from latentlab.operations.search_unknowns import Unknowns
from latentlab.progress import Progress, Reporter

ACCEPTANCE = (0.574, 0.65)
"""The acceptance that h is led to: of one leapfrog step (Roberts & Rosenthal 1998), of more (Beskos 2013)."""
LARGEST_METRIC = 1024
"""Rows of more numbers are sampled without a metric: C = I."""
_DIFFERENCE = 0.02  # of a number of v, for J by differences; C need not be exact
_METRICS = (0.1, 0.25, 0.45, 0.65, 0.85)  # parts of the warm-up after which C is taken anew
_GAIN = 0.6  # with which log h follows the acceptance, falling with the root of the steps
_JITTER = 0.2  # of h, so that no orbit closes
_BATCH = 64
_APPROACH_RATE = 0.3  # Adam's at most; with 1 half of the chains stop far away
_NARROWEST, _NARROWED = 0.01, 0.7  # power that an approach begins with, and the part in which it rises to 1


@dataclass(frozen=True, eq=False)
class Posterior:
    """What the chains of all targets drew.

    Parameters
    ----------
    draws
        Float32 ``[N, draws, U]``, N = targets times chains, target by target.
    distances
        Mean squared errors, float32 ``[N, draws]``.
    log_density
        Up to the constant, float32 ``[N, draws]``.
    acceptance
        Share of the proposals after the warm-up that were taken, ``[N]``.
    """

    draws: NDArray[np.float32]
    distances: NDArray[np.float32]
    log_density: NDArray[np.float32]
    acceptance: NDArray[np.float32]
    chains: int

    def effective(self, target: int = 0) -> NDArray[np.float64]:
        """Return a target's effective sample sizes, ``[U + 1]``: each number's, the density's."""
        return effective_samples(self._of(target))

    def r_hat(self, target: int = 0) -> NDArray[np.float64]:
        """Return split R-hat of the same quantities, ``[U + 1]``."""
        return split_r_hat(self._of(target))

    def _of(self, target: int) -> NDArray[np.float32]:
        where = slice(target * self.chains, (target + 1) * self.chains)
        return np.concatenate([self.draws[where], self.log_density[where][:, :, None]], axis=2)


def sample_posterior(
    unknowns: Unknowns,
    targets: Tensor,
    sigma: float,
    settings: PosteriorSettings | None = None,
    *,
    chains: int = 8,
    seed: int = 0,
    starts: NDArray[np.float32] | None = None,
    threads: int | None = None,
    on_step: OnPosteriorStep | None = None,
    show_every: int = 0,
    reporter: Reporter | None = None,
) -> Posterior:
    """Sample the posterior of small pictures float32 ``[P, channels, side, side]``; see the module's text.

    Parameters
    ----------
    sigma
        Standard deviation of the noise on each number of a small picture.
    chains
        How many for each target; they begin where the restarts of a search do, from the same seeds. What
        moves them is drawn for all chains of a call together, so a chain repeats only among the same ones.
    starts
        Draws of the prior where the chains begin instead, float32 ``[P * chains, U]``.
    threads
        Intra-op threads of each step; as many as there are without it.
    on_step, show_every
        As in `latentlab.operations.search_run.Search.run`.

    Raises
    ------
    SettingsError
        If sigma is not positive, there is no chain, or the model draws something that is not finite;
        `Cancelled` on request.
    """
    settings, reporter = settings or PosteriorSettings(), reporter or Reporter()
    if not sigma > 0.0 or chains < 1:
        raise SettingsError(f"Sigma is positive and there is a chain at least, not {sigma:g} and {chains}.")
    if starts is None:
        starts = np.tile(np.stack([unknowns.start(seed + k) for k in range(chains)]), (len(targets), 1))
    if starts.shape != (len(targets) * chains, unknowns.size):
        raise SettingsError(f"{len(targets) * chains} starts of {unknowns.size} numbers are needed.")
    y = targets.repeat_interleave(chains, dim=0).flatten(1)
    noise = torch.Generator().manual_seed(seed)
    with frozen(unknowns.model):
        walk = _Walk(unknowns, y, sigma, torch.from_numpy(starts).to(targets.device), noise)
        total = settings.warm_up + settings.draws
        whole = settings.approach + total
        renewals = {int(part * settings.warm_up) for part in (_METRICS if not settings.approach else (0.0,))}
        kept: list[tuple[Tensor, Tensor, Tensor]] = []
        for step in range(settings.approach):
            reporter.raise_if_cancelled()
            with intra_op_threads(threads):
                walk.approach(step, settings.approach)
            reporter.report(Progress("Approaching", step + 1, whole))
        for step in range(total):
            reporter.raise_if_cancelled()
            warm = step < settings.warm_up
            power = settings.power(step)
            with intra_op_threads(threads):
                if warm and step in renewals:
                    walk.renew(power)
                if step == settings.warm_up:
                    walk.taken.zero_()
                walk.step(power, settings.leaps, _GAIN / (1.0 + step / 20.0) ** 0.5 if warm else 0.0)
            if not warm:
                kept.append((walk.v.clone(), walk.distances.clone(), walk.log_density(1.0)))
            if on_step is not None:
                since = step + 1 if warm else step + 1 - settings.warm_up
                shows = bool(show_every) and (step % show_every == 0 or step == total - 1)
                with intra_op_threads(threads):
                    pictures, observed = walk.seen() if shows else (None, None)
                on_step(
                    PosteriorStep(
                        step + 1,
                        total,
                        walk.distances.cpu().numpy().copy(),
                        (walk.taken / since).cpu().numpy(),
                        1.0 / power,
                        pictures,
                        observed,
                    )
                )
            done = settings.approach + step + 1
            reporter.report(Progress("Warming up" if warm else "Sampling", done, whole))
    draws, distances, densities = (torch.stack(one, 1).cpu().numpy() for one in zip(*kept, strict=True))
    return Posterior(draws, distances, densities, (walk.taken / settings.draws).cpu().numpy(), chains)


class _Walk:
    """All chains at once: where they are, what is known there, and how they step."""

    def __init__(
        self, unknowns: Unknowns, y: Tensor, sigma: float, starts: Tensor, noise: torch.Generator
    ) -> None:
        self._unknowns, self._y, self._sigma2, self._noise = unknowns, y, sigma**2, noise
        self.v = starts
        self.taken = starts.new_zeros(len(starts))
        # log h, at most 0: at h = 2 a leapfrog step in a Gaussian turns back on itself.
        self._size = starts.new_full((len(starts),), np.log(1.0 / starts.shape[1] ** (1 / 6)))
        self._metric: Tensor | None = None  # R of C = R R', [N, U, U]
        self._aim: tuple[Tensor, Tensor, AdamStepper] | None = None  # of the approach: v0, y + sigma n
        self._errors, self._pull = self._evaluate(self.v)
        if not bool(self._errors.isfinite().all()):
            raise SettingsError("The model draws what is no finite picture, so nothing can be sampled.")

    @property
    def distances(self) -> Tensor:
        """Mean squared errors, ``[N]``."""
        return self._errors / self._y.shape[1]

    def log_density(self, power: float) -> Tensor:
        """Return the log density with the likelihood at a power, up to a constant, ``[N]``."""
        return _log_density(self.v, self._errors, self._sigma2, power)

    def seen(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return where the chains stand: pictures uint8 ``[N, S, S, 3]``, and what is observed of them."""
        with torch.no_grad():
            drawn = self._unknowns.draw(self.v)
        return to_uint8(drawn.pictures), drawn.observed.permute(0, 2, 3, 1).float().cpu().numpy().copy()

    def step(self, power: float, leaps: int, gain: float) -> None:
        """Propose, accept or not, and follow the acceptance by a gain."""
        u = torch.rand(2, len(self.v), generator=self._noise).to(self.v)
        h = (self._size.exp() * (1.0 + _JITTER * (2.0 * u[0] - 1.0)))[:, None]
        n = torch.randn(self.v.shape, generator=self._noise).to(self.v)
        v, errors, pull = self.v, self._errors, self._pull
        p = n + 0.5 * h * self._slope(v, pull, power)
        for leap in range(leaps):
            v = v + h * self._root(p)
            errors, pull = self._evaluate(v)
            p = p + (0.5 if leap == leaps - 1 else 1.0) * h * self._slope(v, pull, power)
        change = _log_density(v, errors, self._sigma2, power) - self.log_density(power)
        ratio = (change + 0.5 * (n.square() - p.square()).sum(1)).nan_to_num(-torch.inf, posinf=-torch.inf)
        accepted = u[1].log() < ratio
        where = accepted[:, None]
        self.v, self._pull = torch.where(where, v, self.v), torch.where(where, pull, self._pull)
        self._errors = torch.where(accepted, errors, self._errors)
        self.taken += accepted
        self._size += gain * (ratio.exp().clamp_max(1.0) - ACCEPTANCE[leaps > 1])
        self._size.clamp_max_(0.0)

    def renew(self, power: float) -> None:
        """Take each chain's metric from where it stands."""
        size = self.v.shape[1]
        if size > LARGEST_METRIC:
            return
        j = self._jacobians().double()
        inverse = torch.eye(size, dtype=torch.float64).to(j) + power / self._sigma2 * j @ j.transpose(1, 2)
        # C = (L^-1)' L^-1 of its inverse L L'; R is (L^-1)'.
        lower = torch.linalg.cholesky(inverse)
        eye = torch.eye(size, dtype=torch.float64).to(j).expand_as(lower)
        root = torch.linalg.solve_triangular(lower, eye, upper=False).transpose(1, 2)
        if self._metric is None:
            self._size[:] = np.log(1.0 / size ** (1 / 6))
        self._metric = root.to(self.v)

    def approach(self, step: int, steps: int) -> None:
        """Make a step from the prior's draws to where the posterior is; see the module's text."""
        if self._aim is None:
            noise = torch.randn(self._y.shape, generator=self._noise).to(self._y)
            self._aim = self.v, self._y + self._sigma2**0.5 * noise, AdamStepper(self.v)
        prior, aim, adam = self._aim
        v = adam.v.detach().requires_grad_()
        power = float(_NARROWEST ** max(0.0, 1.0 - step / (_NARROWED * steps)))
        with torch.enable_grad():
            with in_precision("auto", v.device):
                observed = self._unknowns.draw(v).observed.flatten(1)
            apart = (observed - aim).square().sum(1)
            losses = 0.5 * ((v - prior).square().sum(1) + power * apart / self._sigma2)
            (gradients,) = torch.autograd.grad(losses.sum(), v)
        adam.update(losses.detach(), gradients, rate_at(step, steps, _APPROACH_RATE))
        if step == steps - 1:
            self.v = torch.where(adam.v.isfinite().all(1)[:, None], adam.v.detach(), prior)
            self._errors, self._pull = self._evaluate(self.v)

    def _observed(self, v: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.cat(
                [self._unknowns.draw(part).observed.flatten(1) for part in torch.split(v, _BATCH)]
            )

    def _jacobians(self) -> Tensor:
        """Return J' of each chain, ``[N, U, numbers of y]``: by differences, or exactly if cheaper."""
        (n, size), numbers = self.v.shape, self._y.shape[1]
        found = []
        for row in range(n):
            if 2 * numbers <= size:
                around = self.v[row].expand(numbers, -1).clone().requires_grad_()
                with torch.enable_grad():
                    seen = self._unknowns.draw(around).observed.flatten(1).diagonal().sum()
                    (gradients,) = torch.autograd.grad(seen, around)
                found.append(gradients.T)
                continue
            steps = _DIFFERENCE * torch.eye(size).to(self.v)
            if self._aim is not None:  # to one side costs half, where there is little else to do
                seen = self._observed(torch.cat([self.v[row : row + 1], self.v[row] + steps]))
                found.append((seen[1:] - seen[:1]) / _DIFFERENCE)
                continue
            both = self._observed(torch.cat([self.v[row] + steps, self.v[row] - steps]))
            found.append((both[:size] - both[size:]) / (2.0 * _DIFFERENCE))
        return torch.stack(found)

    def _slope(self, v: Tensor, pull: Tensor, power: float) -> Tensor:
        """Return R' grad log p."""
        gradient = -v + power * pull
        if self._metric is None:
            return gradient
        return torch.bmm(self._metric.transpose(1, 2), gradient[:, :, None])[:, :, 0]

    def _root(self, p: Tensor) -> Tensor:
        """Return R p."""
        return p if self._metric is None else torch.bmm(self._metric, p[:, :, None])[:, :, 0]

    def _evaluate(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """Return the summed squared errors ``[N]``, and the gradient of the log likelihood ``[N, U]``."""
        v = v.detach().requires_grad_()
        with torch.enable_grad():
            errors = (self._unknowns.draw(v).observed.flatten(1) - self._y).square().sum(1)
            (gradient,) = torch.autograd.grad(errors.sum(), v)
        return errors.detach(), -0.5 * gradient / self._sigma2


def _log_density(v: Tensor, errors: Tensor, sigma2: float, power: float) -> Tensor:
    return -0.5 * (v.square().sum(1) + power * errors / sigma2)
