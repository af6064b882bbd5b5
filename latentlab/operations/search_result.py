"""What was found for one picture: restarts, how well a posterior was sampled, and all of it as a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import latentlab
from latentlab.checkpoints import Located
from latentlab.metrics.intervals import Estimate, wilson
from latentlab.operations.attribute_table import Probabilities
from latentlab.operations.search_eps import Eps
from latentlab.operations.search_plan import (
    DRAWN,
    NOTE,
    STATUSES,
    UNDER,
    PosteriorSettings,
    SearchSettings,
    Status,
)
from latentlab.operations.search_run import FoundRow
from latentlab.operations.search_target import SearchTarget
from latentlab.spec import PredictorSpec

AGREES = 1.1
"""The largest R-hat with which chains count as having met."""


@dataclass(frozen=True, eq=False)
class Restart:
    """What one restart found: picture, latent and distance belong together.

    Parameters
    ----------
    seed
        The seed that it began at.
    found
        Numbers and pictures (`latentlab.operations.search_run.FoundRow`).
    attributes
        What the predictor sees in the picture rounded to 8 bits; empty without one.
    """

    seed: int
    found: FoundRow
    attributes: Probabilities = field(default_factory=dict)

    @property
    def latent(self) -> NDArray[np.float32]:
        """z, of the latent shape."""
        return self.found.latent

    @property
    def picture(self) -> NDArray[np.float32]:
        """Float32 ``[S, S, 3]``; reduced it gives exactly `distance`."""
        return self.found.picture

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The picture rounded to 8 bits, uint8 ``[S, S, 3]``: reduced it gives ``found.rounded``."""
        return (255.0 * self.found.picture.clip(0.0, 1.0) + 0.5).astype(np.uint8)

    @property
    def distance(self) -> float:
        """Mean squared error between the reduced picture and the target."""
        return self.found.distance

    @property
    def status(self) -> Status:
        """How it ended."""
        return STATUSES[self.found.status]


@dataclass(frozen=True, eq=False)
class Sampling:
    """How well the chains of a posterior were sampled.

    Parameters
    ----------
    chains
        How many.
    acceptance
        Share of all chains' proposals that were taken.
    effective
        Smallest and median effective sample size over all numbers searched for, and the density's.
    r_hat
        Largest split R-hat over them; infinite where a number never moved.
    draws
        Draws of all chains.
    settings
        How they were made.
    """

    chains: int
    acceptance: float
    effective: tuple[float, float, float]
    r_hat: float
    draws: int
    settings: PosteriorSettings

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Sampling | None:
        """Return what a record of `PictureSearch` says of it; None for a search's."""
        if not record["settings"]["posterior"]:
            return None
        metrics = record["metrics"]
        least, median, density = (
            float(metrics[f"effective_samples_{name}"]["value"]) for name in ("least", "median", "density")
        )
        r_hat = metrics["r_hat"]["value"]
        return cls(
            int(record["settings"]["restarts"]),
            float(metrics["acceptance"]["value"]),
            (least, median, density),
            float("inf") if r_hat is None else float(r_hat),
            int(metrics["acceptance"]["n"]),
            PosteriorSettings(**record["settings"]["sampling"]),
        )

    @property
    def agrees(self) -> bool:
        """Whether the chains have met (Vehtari et al. 2021 ask for 1.01; below 1.1 shares hardly differ)."""
        return self.r_hat <= AGREES

    def text(self) -> str:
        """Say it in a line."""
        least, median, density = self.effective
        chains = f"{self.chains} chain{'s' if self.chains > 1 else ''}"
        apart = "have not met yet" if np.isfinite(self.r_hat) else "never moved"
        return (
            f"{self.draws:,} draws of {chains} are worth {median:.0f} independent ones "
            f"(median over the latent; least {least:.0f}, log density {density:.0f}); acceptance "
            f"{self.acceptance:.0%}"
            + (
                f", R-hat {self.r_hat:.2f} at most: the chains "
                if np.isfinite(self.r_hat)
                else ": the chains "
            )
            + ("have met" if self.agrees else f"{apart}, so more steps are needed for shares")
        )


@dataclass(frozen=True, eq=False)
class PictureSearch:
    """What was found for one picture: a set of imaginary ones, with all that is needed to find them again.

    Parameters
    ----------
    restarts
        By seed; of a posterior one a kept draw, chain by chain.
    sampling
        Of a posterior; None of a search.
    """

    located: Located
    predictor: PredictorSpec | None
    target: SearchTarget
    settings: SearchSettings
    eps: Eps
    restarts: tuple[Restart, ...]
    threads: int
    notes: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    sampling: Sampling | None = None

    @property
    def best(self) -> Restart:
        """The restart with the smallest distance."""
        return min(self.restarts, key=lambda one: one.distance)

    @property
    def under(self) -> tuple[Restart, ...]:
        """The restarts under eps."""
        return tuple(one for one in self.restarts if one.found.status == UNDER)

    def mix(self, attribute: str) -> dict[str, int]:
        """Count the predicted classes of an attribute over the restarts under eps, or a posterior's draws.

        Raises
        ------
        SettingsError
            If the predictor knows no such attribute.
        """
        if self.predictor is None:
            return {}
        classes = self.predictor.attribute(attribute).classes
        counted = self.restarts if self.sampling is not None else self.under
        codes = [int(np.argmax(one.attributes[attribute])) for one in counted]
        return {label: codes.count(k) for k, label in enumerate(classes)}

    @property
    def worth(self) -> float:
        """How many independent pictures the counted ones are worth.

        Draws of a posterior are not independent: of those that are shown as many are as the median effective
        sample size over what was searched for, at most.
        """
        if self.sampling is None:
            return float(len(self.under))
        return max(1.0, min(float(len(self.restarts)), self.sampling.effective[1]))

    def shares(self, attribute: str) -> dict[str, Estimate]:
        """Return the classes' shares of what `mix` counts, with Wilson's intervals of as many as it is worth.

        Raises
        ------
        SettingsError
            As `mix`.
        """
        counts, worth = self.mix(attribute), self.worth
        total = sum(counts.values())
        shares = [count / total if total else 0.0 for count in counts.values()]
        low, high = wilson([share * worth for share in shares], worth)
        return {
            label: Estimate(share, float(least), float(most), total)
            for label, share, least, most in zip(counts, shares, low, high, strict=True)
        }

    def record(self) -> dict[str, Any]:
        """Return the JSON object as plain values, in the form of the ``evaluate`` commands."""
        n, single = len(self.restarts), {"low": None, "high": None}
        metrics: dict[str, Any] = {}
        if self.sampling is None:
            metrics["restarts_under_eps"] = {"value": len(self.under), **single, "n": n}
        metrics |= {
            "distance": {"value": self.best.distance, **single, "n": 1},
            "rounded_distance": {"value": self.best.found.rounded, **single, "n": 1},
        }
        if self.sampling is not None:
            least, median, density = self.sampling.effective
            for name, value in (
                ("acceptance", self.sampling.acceptance),
                ("effective_samples_least", least),
                ("effective_samples_median", median),
                ("effective_samples_density", density),
                ("r_hat", self.sampling.r_hat),
            ):
                finite = float(value) if np.isfinite(value) else None
                metrics[name] = {"value": finite, **single, "n": self.sampling.draws}
        for attribute in () if self.predictor is None else self.predictor.attributes:
            for label, share in self.shares(attribute.name).items():
                if share.n:
                    metrics[f"share.{attribute.name}={label}"] = share.record()
        return {
            "command": "search",
            "version": latentlab.__version__,
            "checkpoint": {"path": str(self.located.path), "sha256": self.located.sha256()},
            "data": {"path": self.target.name, "n": 1},
            "seed": self.settings.seed,
            "device": "cpu",
            "settings": {
                **self.settings.record(),
                "eps": self.eps.value,
                "eps_source": self.eps.source,
                "free": list(self.free),
                "posterior": self.sampling is not None,
                "sampling": None if self.sampling is None else asdict(self.sampling.settings),
                "threads": self.threads,
            },
            "metrics": metrics,
            "restarts": [
                {
                    "seed": one.seed,
                    "status": one.status if self.sampling is None else DRAWN,
                    "distance": one.distance,
                    "rounded_distance": one.found.rounded,
                    "steps": one.found.steps,
                    "exposure": one.found.exposure,
                    "latent": one.latent.reshape(-1).tolist(),
                    "condition": None if one.found.condition is None else one.found.condition.tolist(),
                    "searched": one.found.v.tolist(),
                    "attributes": {
                        name: [round(float(x), 6) for x in p] for name, p in one.attributes.items()
                    },
                }
                for one in self.restarts
            ],
            "groups": {},
            "notes": [NOTE, *self.notes],
        }

    def text(self) -> str:
        """Return what a person reads."""
        n, under, best = len(self.restarts), len(self.under), self.best
        called = f"{self.target.name}: " if self.target.name else ""
        if self.sampling is not None:
            lines = [f"{called}{self.sampling.text()}"]
        else:
            lines = [
                f"{called}{under} of {n} restarts under eps = {self.eps.value:.3g} ({self.eps.source}); the "
                f"nearest {best.distance:.3g}, rounded to 8 bits {best.found.rounded:.3g}"
            ]
        if self.sampling is None and not under:
            lines.append("Not converged: the nearest pictures are kept all the same. Try more steps.")
        return "\n".join([*lines, *self.notes, NOTE])
