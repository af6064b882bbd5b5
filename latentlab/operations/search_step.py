"""How the restarts of a search move: Adam, and a limited-memory BFGS, each restart for itself.

Both take one evaluation a step (losses ``[N]`` and gradients ``[N, U]`` at `v`) for all restarts at once, and
`narrow` leaves those that go on, so that one that has stopped costs nothing more.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

MEMORY = 12
"""Pairs of steps and gradients that the limited-memory BFGS keeps."""
_ENOUGH = 1e-4  # of the decrease that the slope promises (Nocedal & Wright 2006, Armijo's condition)
_SHORTEST = 1e-4  # a shorter part of a direction's first trial than this begins again along the gradient
_LONGEST = 3.0  # of a step, in standard deviations of the prior


class Stepper(Protocol):
    """Where the restarts are, and how they go on."""

    v: Tensor
    """``[N, U]``, where the loss is evaluated next."""

    def update(self, losses: Tensor, gradients: Tensor, rate: float) -> None:
        """Take the losses ``[N]`` and gradients ``[N, U]`` at `v`, and move it."""

    def narrow(self, kept: Tensor) -> None:
        """Go on with the restarts of a mask ``[N]`` only."""


class AdamStepper:
    """Adam (Kingma & Ba 2015), whose numbers are each for themselves, so no restart touches another."""

    def __init__(self, v: Tensor) -> None:
        self.v = v.clone()
        self._adam = torch.optim.Adam([self.v], lr=1.0)

    def update(self, losses: Tensor, gradients: Tensor, rate: float) -> None:
        """Take one step at the rate."""
        self._adam.param_groups[0]["lr"] = rate
        self.v.grad = gradients
        self._adam.step()

    def narrow(self, kept: Tensor) -> None:
        """Leave the numbers and moments of the restarts of a mask ``[N]``."""
        state = self._adam.state.get(self.v, {})
        self.v = self.v[kept].clone()
        self._adam = torch.optim.Adam([self.v], lr=1.0)
        if state:
            self._adam.state[self.v] = {
                name: value[kept].clone() if value.ndim else value for name, value in state.items()
            }


class LBFGSStepper:
    """Limited-memory BFGS (Nocedal & Wright 2006, algorithms 7.4 and 7.5), with one evaluation a step.

    A trial that decreases the loss enough is taken, and the next one tried along the new direction; one that
    does not is shortened by the minimum of the parabola through what is known, and tried at the next step.
    """

    def __init__(self, v: Tensor) -> None:
        self.v = v.clone()
        n, size = v.shape
        self._base, self._slope = v.clone(), v.new_zeros(n)
        self._loss, self._gradient = v.new_full((n,), torch.inf), torch.zeros_like(v)
        self._direction, self._length = torch.zeros_like(v), v.new_ones(n)
        self._first = v.new_ones(n)  # length of the direction's first trial
        self._s, self._y = v.new_zeros(n, MEMORY, size), v.new_zeros(n, MEMORY, size)
        self._rho = v.new_zeros(n, MEMORY)  # 0 where there is no pair

    def update(self, losses: Tensor, gradients: Tensor, rate: float) -> None:
        """Take or shorten each trial; a restart without a memory steps as far as the rate."""
        finite = losses.isfinite() & gradients.isfinite().all(1)
        begun = self._loss.isfinite()
        taken = finite & (~begun | (losses <= self._loss + _ENOUGH * self._length * self._slope))
        self._remember(taken & begun, gradients)
        where = taken[:, None]
        excess = (losses - self._loss - self._length * self._slope).nan_to_num(torch.inf)
        self._base = torch.where(where, self.v, self._base)
        self._loss = torch.where(taken, losses, self._loss)
        self._gradient = torch.where(where, gradients, self._gradient)

        best = -0.5 * self._slope * self._length / excess.clamp_min(1e-30)
        shorter = self._length * best.clamp(0.1, 0.5)
        again = ~taken & (shorter < _SHORTEST * self._first)
        self._rho[again] = 0.0
        fresh = taken | again
        direction = self._two_loops()
        slope = (direction * self._gradient).sum(1)
        up = fresh & ~(slope < 0.0)
        self._rho[up] = 0.0
        direction = torch.where(up[:, None], -self._gradient, direction)
        length = torch.where(self._rho.amax(1) > 0.0, _LONGEST, rate) / direction.norm(dim=1).clamp_min(1e-30)
        plain = self._rho.amax(1) <= 0.0
        length = torch.where(plain, length, length.clamp_max(1.0))
        length = torch.where(again, 0.01 * length, length)
        self._direction = torch.where(fresh[:, None], direction, self._direction)
        self._slope = (self._direction * self._gradient).sum(1)
        self._first = torch.where(fresh, length, self._first)
        self._length = torch.where(fresh, length, shorter)
        self.v = self._base + self._length[:, None] * self._direction

    def narrow(self, kept: Tensor) -> None:
        """Leave the restarts of a mask ``[N]``."""
        for name in (
            "v",
            "_base",
            "_slope",
            "_loss",
            "_gradient",
            "_direction",
            "_length",
            "_first",
            "_s",
            "_y",
            "_rho",
        ):
            setattr(self, name, getattr(self, name)[kept])

    def _remember(self, where: Tensor, gradients: Tensor) -> None:
        """Keep the pair of a taken step and what it did to the gradient, where the loss curves upwards."""
        s, y = self.v - self._base, gradients - self._gradient
        sy = (s * y).sum(1)
        kept = where & (sy > 1e-8 * s.norm(dim=1) * y.norm(dim=1))
        if bool(kept.any()):
            self._s[kept] = torch.cat([self._s[kept][:, 1:], s[kept][:, None]], dim=1)
            self._y[kept] = torch.cat([self._y[kept][:, 1:], y[kept][:, None]], dim=1)
            self._rho[kept] = torch.cat([self._rho[kept][:, 1:], 1.0 / sy[kept][:, None]], dim=1)

    def _two_loops(self) -> Tensor:
        """Return -H g ``[N, U]``; -g where nothing is remembered."""
        q = self._gradient.clone()
        alphas = []
        for k in range(MEMORY - 1, -1, -1):
            alpha = self._rho[:, k] * (self._s[:, k] * q).sum(1)
            q = q - alpha[:, None] * self._y[:, k]
            alphas.append(alpha)
        last = self._y[:, -1].square().sum(1)
        known = self._rho[:, -1] > 0.0
        scale = torch.where(known, 1.0 / (self._rho[:, -1] * last).where(known, torch.ones_like(last)), 1.0)
        q = q * scale[:, None]
        for k, alpha in zip(range(MEMORY), reversed(alphas), strict=True):
            beta = self._rho[:, k] * (self._y[:, k] * q).sum(1)
            q = q + (alpha - beta)[:, None] * self._s[:, k]
        return -q
