"""What a latent search is asked, without torch: observation, settings, and how it stands.

A search looks for latents whose pictures look like a given small picture once they are reduced as it was
(PULSE, Menon et al. 2020). What it finds is invented by the model: nothing of an original is recovered.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from latentlab.errors import SettingsError

NOTE = "imaginary people; this identifies no one"
"""The line that is on the screen and in everything that a search exports."""
REFERENCE_EPS = 2e-3
"""The mean squared error that the reference asks for, where a model's own was never measured."""
MOST_RESTARTS, MOST_STEPS = 256, 100_000
LEAST_DRAWS = 4
"""Draws of each chain of a posterior, at least."""
FITS = {
    "crop": "its centre square",
    "stretch": "all of it, stretched to a square",
    "pad": "all of it, on a white square",
}
"""How a picture becomes a square, and what of it is then looked at."""

Kind = Literal["colour", "luminance"]
Optimiser = Literal["adam", "lbfgs"]
Loss = Literal["l2", "l1", "map"]
Constraint = Literal["sphere", "none"]
Precision = Literal["auto", "float32", "bfloat16"]
Status = Literal["searching", "under eps", "not converged"]
STATUSES: tuple[Status, ...] = get_args(Status)
DRAWN = "drawn"
"""How a posterior's draws stand: they are not judged against eps."""
SEARCHING, UNDER, MISSED = range(3)
"""Positions in `STATUSES`."""


def _one_of(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SettingsError(f"{what} is {' or '.join(known)}, not {value!r}.")


def _within(what: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise SettingsError(f"{what}: {least} to {most:,} are possible, not {value:,}.")


@dataclass(frozen=True)
class Observation:
    """How a picture in [0, 1] becomes the small one that is compared: y = e * C(D(x)).

    Parameters
    ----------
    factor
        D reduces by this factor (bicubic, as Pillow does); it divides the model's picture size.
    kind
        C keeps the three colours, or leaves the luminance (ITU-R 601: .299 R + .587 G + .114 B).
    exposure_spread
        Standard deviation of log e, the logarithm of an unknown exposure, log e ~ N(0, spread^2); 0 where the
        exposure is known to be 1.
    """

    factor: int = 8
    kind: Kind = "colour"
    exposure_spread: float = 0.0

    def __post_init__(self) -> None:
        _one_of("The kind of an observation", self.kind, get_args(Kind))
        if not (math.isfinite(self.exposure_spread) and 0.0 <= self.exposure_spread <= 2.0):
            raise SettingsError(f"The spread of the exposure is 0 to 2, not {self.exposure_spread:g}.")

    @property
    def channels(self) -> int:
        """3 colours, or 1."""
        return 3 if self.kind == "colour" else 1

    @property
    def key(self) -> str:
        """What tells it from others, such as ``8 colour``: eps does not depend on the exposure."""
        return f"{self.factor} {self.kind}"

    def side(self, image_size: int) -> int:
        """Return the height and width of the small picture.

        Raises
        ------
        SettingsError
            If the factor is less than 2 or does not divide the size; the message lists those that do.
        """
        fitting = [factor for factor in range(2, image_size + 1) if image_size % factor == 0]
        if self.factor not in fitting:
            raise SettingsError(
                f"The model's pictures have {image_size} px, which cannot be reduced by a factor of "
                f"{self.factor}; choose one of {', '.join(map(str, fitting))}."
            )
        return image_size // self.factor

    def words(self, image_size: int) -> str:
        """Say what is observed, such as ``8 x 8 px in colour``."""
        side = self.side(image_size)
        unknown = ", exposure unknown" if self.exposure_spread else ""
        return f"{side} x {side} px in {self.kind}{unknown}"


@dataclass(frozen=True)
class SearchSettings:
    """How is searched.

    The published setting is ``SearchSettings(steps=100, eps=REFERENCE_EPS, rate=0.4)``; the rate here is ten
    times that, which on ``faces:validation`` brought more restarts under a smaller eps in fewer steps.

    Parameters
    ----------
    observation
        What is compared.
    restarts
        How many latents are searched for, from the seeds ``seed``, ``seed + 1``, ...
    steps
        Evaluations of each, unless it stops sooner.
    seed
        The first seed, from 0.
    eps
        The mean squared error in [0, 1]^2 under which a restart has succeeded; None for the model's own
        (`latentlab.operations.search_eps`).
    stop
        Whether a restart stops at eps. One that goes on is still clamped there: below eps the reference's
        losses have no gradient. With the loss *map* none stops, for the density has no eps.
    optimiser, rate
        *adam* at the rate with the reference's schedule (`rate_at`), or *lbfgs*, whose steps along the
        gradient itself, such as the first, are as long as that rate.
    loss
        *l2*: 100 max(mean r^2, eps), *l1*: 10 max(mean |r|, eps), of the residual r of each restart by
        itself; *map*: minus the log density of the posterior, sum r^2 / (2 sigma^2) + |v|^2 / 2, of all that
        is searched for.
    geocross
        Weight of GEOCROSS beside l2 and l1 (`latentlab.operations.search_geodesic`); 0 for one latent row.
    constraint
        *sphere*: each latent row keeps the norm that it began with; *none* with the loss *map*.
    sigma
        Standard deviation of the observation's noise, for *map* and the posterior; the root of eps if None.
    precision
        Of the search's own pictures (`latentlab.operations.search_precision`); distances near eps are taken
        again in float32, and what it returns is decoded in float32.
    """

    observation: Observation = Observation()
    restarts: int = 8
    steps: int = 400
    seed: int = 0
    eps: float | None = None
    stop: bool = True
    optimiser: Optimiser = "adam"
    rate: float = 4.0
    loss: Loss = "l2"
    geocross: float = 0.05
    constraint: Constraint = "sphere"
    sigma: float | None = None
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        _one_of("The optimiser", self.optimiser, get_args(Optimiser))
        _one_of("The loss", self.loss, get_args(Loss))
        _one_of("The constraint", self.constraint, get_args(Constraint))
        _one_of("The precision", self.precision, get_args(Precision))
        _within("Restarts", self.restarts, 1, MOST_RESTARTS)
        _within("Steps", self.steps, 1, MOST_STEPS)
        _within("The seed", self.seed, 0, 2**31 - 1 - MOST_RESTARTS)
        for name, value in (("eps", self.eps), ("sigma", self.sigma)):
            if value is not None and not (math.isfinite(value) and 0.0 < value <= 1.0):
                raise SettingsError(f"{name} lies between 0 and 1, not {value:g}.")
        if not (math.isfinite(self.rate) and 0.0 < self.rate <= 10.0):
            raise SettingsError(f"The rate lies between 0 and 10, not {self.rate:g}.")
        if not (math.isfinite(self.geocross) and self.geocross >= 0.0):
            raise SettingsError(f"The weight of GEOCROSS is 0 or more, not {self.geocross:g}.")
        if self.loss == "map" and self.constraint == "sphere":
            raise SettingsError(
                "The loss map has the prior in it, so no norm can be held; choose the constraint none."
            )

    def record(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class PosteriorSettings:
    """How is sampled.

    Parameters
    ----------
    warm_up, draws
        Proposals before, and proposals after which a draw is kept, of each chain.
    leaps
        Leapfrog steps of a proposal, each an evaluation; with 1 it is the adjusted Langevin algorithm.
    least_power
        Power of the likelihood in the first proposal, 0 to 1.
    approach
        Steps of the approach before all of them (`latentlab.operations.search_posterior`), after which the
        likelihood has its power from the first proposal on; 0 for none.
    """

    warm_up: int = 200
    draws: int = 200
    leaps: int = 8
    least_power: float = 0.01
    approach: int = 0

    def __post_init__(self) -> None:
        if self.warm_up < 1 or self.draws < LEAST_DRAWS or self.leaps < 1 or self.approach < 0:
            raise SettingsError("Posterior sampling needs 1 step of warm-up, 4 draws and 1 leap at least.")
        if not 0.0 < self.least_power <= 1.0:
            raise SettingsError(
                f"The power of the likelihood begins between 0 and 1, not at {self.least_power:g}."
            )

    @classmethod
    def of(cls, steps: int, leaps: int = 8, temperature: float = 100.0) -> PosteriorSettings:
        """Return those of so many proposals, half of which are the warm-up, from a first temperature on."""
        if not (math.isfinite(temperature) and temperature >= 1.0):
            raise SettingsError(f"The first temperature is 1 or more, not {temperature:g}.")
        half = max(LEAST_DRAWS, steps // 2)
        return cls(warm_up=half, draws=half, leaps=leaps, least_power=1.0 / temperature)

    def power(self, step: int) -> float:
        """Return the power of the likelihood at a step: 1 / temperature."""
        over = 0.7 * self.warm_up  # the rest of the warm-up leads the step size at the temperature 1
        return 1.0 if self.approach or step >= over else float(self.least_power ** (1.0 - step / over))


def rate_at(step: int, steps: int, rate: float) -> float:
    """Return the learning rate of a step under the reference's schedule ``linear1cycledrop``.

    Over the first nine tenths T' of the steps it rises from a tenth to the whole and falls back,
    (9 (1 - 2 |x / T' - 1/2|) + 1) / 10; over the last tenth it falls to a thousandth.
    """
    most = 0.9 * steps
    if step < most:
        return rate * (9.0 * (1.0 - 2.0 * abs(step / most - 0.5)) + 1.0) / 10.0
    part = (step - most) / (steps - most)
    return rate * (0.1 + part * (0.001 - 0.1))
