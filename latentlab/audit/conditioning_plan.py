"""What the conditioning study is asked, and what becomes of an image in it before it is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from latentlab.audit.reconstruction import ReconstructionSettings
from latentlab.errors import SettingsError

SCALES = (1.0, 2.0, 3.0)
Kind = Literal["original", "reconstruction", "scale", "encoder", "decoder"]


@dataclass(frozen=True)
class ConditioningSettings:
    """Which images are taken, what is counted, and at which scales of the condition.

    Parameters
    ----------
    per_group, groups, seed
        As in `latentlab.audit.reconstruction.ReconstructionSettings`; the seed is of the flips too.
    attributes
        What is counted; empty for what the conditional models are conditioned on and the predictor judges, or
        without such a model for all that it judges.
    scales
        Of the condition. At 1 it is the plain reconstruction, which is always there.
    """

    per_group: int = 200
    groups: tuple[str, ...] | None = None
    attributes: tuple[str, ...] = ()
    scales: tuple[float, ...] = SCALES
    seed: int = 0

    def __post_init__(self) -> None:
        self.choice()
        if not all(np.isfinite(self.scales)) or min(self.scales, default=0.0) < 0.0:
            raise SettingsError("Scales are numbers of 0 or more, such as 1,2,3.")
        told = [f"{scale:g}" for scale in dict.fromkeys(self.scales)]
        if len(set(told)) < len(told):
            raise SettingsError("Scales differ in their first six digits, by which they are called.")

    def choice(self) -> ReconstructionSettings:
        """Return the settings of the choice of images."""
        return ReconstructionSettings(self.per_group, self.groups, self.attributes, self.seed)


@dataclass(frozen=True)
class Setting:
    """What becomes of an image before it is judged.

    Parameters
    ----------
    model
        Which model does it; empty for originals.
    scale
        What the decoder's condition is multiplied by.
    size
        Of originals: the size in pixels, where models of several sizes see other pictures; else 0.
    """

    kind: Kind
    model: str = ""
    scale: float = 1.0
    size: int = 0

    @property
    def name(self) -> str:
        """What its columns are called, such as ``faces-cvae@2``."""
        if self.kind == "original":
            return f"originals@{self.size}px" if self.size else "originals"
        told = {"scale": f"@{self.scale:g}", "encoder": "@encoder", "decoder": "@decoder"}
        return self.model + told.get(self.kind, "")

    @property
    def told(self) -> str:
        """What it is called among one model's, such as ``scale 2``."""
        if self.kind == "original":
            return f"original at {self.size} px" if self.size else "original"
        told = {
            "scale": f"scale {self.scale:g}",
            "encoder": "encoder flipped",
            "decoder": "decoder flipped",
        }
        return told.get(self.kind, self.kind)

    @property
    def figure(self) -> str:
        """What is counted: errors, predictions that a flip of the encoder changes, or flips that succeed."""
        return {"encoder": "encoder_flip_effect", "decoder": "effectiveness"}.get(self.kind, "error")

    @property
    def flips(self) -> bool:
        """Whether one attribute at a time is flipped."""
        return self.kind in ("encoder", "decoder")


def column(attribute: str, setting: Setting) -> str:
    """Return the column of what is predicted in a setting."""
    return f"{attribute}@{setting.name}"


def target_column(attribute: str, model: str) -> str:
    """Return the column of the class that a model's images are flipped to."""
    return f"{attribute}_target@{model}"
