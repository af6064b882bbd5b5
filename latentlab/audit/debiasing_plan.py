"""The debiasing study's plan: a baseline, and DB-VAEs under several rules and smoothing factors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from latentlab.errors import SettingsError
from latentlab.training.detection_runs import DetectionTraining, of_plain, plain
from latentlab.training.resampling import Resampling, Rule

BASELINE = "baseline"
ALPHAS = (0.1, 0.01, 0.001)
"""The smoothing factors of the laboratory's tables."""


@dataclass(frozen=True)
class DebiasingPlan:
    """What is trained and compared.

    Parameters
    ----------
    training
        What all trainings share; the rule of each arm takes the place of its own.
    rules
        Rule and smoothing factor of each DB-VAE.
    seeds
        So many seeds of each arm, from 0 on.
    batch
        Pictures of a step.
    """

    training: DetectionTraining = DetectionTraining()  # noqa: RUF009 - it is frozen
    rules: tuple[tuple[Rule, float], ...] = (
        *(("max", alpha) for alpha in ALPHAS),
        ("product", 0.001),
        *(("informative", alpha) for alpha in ALPHAS),
    )
    seeds: int = 5
    batch: int = 64

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise SettingsError(f"A study needs at least one seed, not {self.seeds}.")
        if not self.rules or len(set(self.rules)) < len(self.rules):
            raise SettingsError("A study of debiasing needs rules, each with a smoothing factor once.")
        for rule, alpha in self.rules:
            Resampling(rule, alpha)

    def arms(self) -> dict[str, DetectionTraining]:
        """Return every training by its name: the baseline first, then ``RULE-ALPHA``."""
        found = {BASELINE: replace(self.training, family="cnn", resampling=Resampling("none"))}
        for rule, alpha in self.rules:
            how = replace(self.training.resampling, rule=rule, smoothing=alpha)
            found[arm_name(rule, alpha)] = replace(self.training, family="dbvae", resampling=how)
        return found

    def plain(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {
            "training": plain(replace(self.training, family="dbvae")),
            "rules": [list(pair) for pair in self.rules],
            "seeds": self.seeds,
            "batch": self.batch,
        }

    @classmethod
    def of(cls, said: Any) -> DebiasingPlan:
        """Return what `plain` gave; raises `SettingsError` where it is none."""
        try:
            rules = tuple((rule, float(alpha)) for rule, alpha in said["rules"])
            return cls(of_plain(said["training"]), rules, int(said["seeds"]), int(said["batch"]))
        except (KeyError, TypeError, ValueError) as error:
            raise SettingsError(f"The plan of a debiasing study cannot be read: {error}.") from None


def arm_name(rule: str, alpha: float) -> str:
    """Return what an arm and its folder are called, such as ``max-0.001``."""
    return f"{rule}-{alpha:g}"


def lesson() -> DebiasingPlan:
    """Return the plan of a lesson: one seed and half the epochs, the laboratory's rule beside ours."""
    rules: tuple[tuple[Rule, float], ...] = (*(("max", alpha) for alpha in ALPHAS), ("informative", 0.001))
    return DebiasingPlan(DetectionTraining(epochs=4), rules, seeds=1)
