"""What the search study is asked: which images, reduced how, found again by which method and how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from latentlab.audit.reconstruction import ReconstructionSettings
from latentlab.errors import SettingsError
from latentlab.operations.search_plan import Observation, PosteriorSettings, SearchSettings

Method = Literal["search", "posterior"]
METHODS: tuple[Method, ...] = get_args(Method)
RESTARTS, STEPS = 4, 200
PER_GROUP = 6
CHAINS, APPROACH, WARM_UP, DRAWS, LEAPS = 2, 150, 6, 6, 4
"""Of each image's sampling: chains, of which one gives the answer, and how long each is."""
EXPOSURE_SPREAD = 0.3
"""Standard deviation of the logarithm of the exposure that is drawn for each image."""


@dataclass(frozen=True)
class Input:
    """How an image becomes the small one that is looked for.

    Parameters
    ----------
    side
        Its height and width.
    exposure_spread
        As in `latentlab.operations.search_plan.Observation`; each image is under an exposure of its own.
    """

    name: str
    side: int
    kind: Literal["colour", "luminance"]
    exposure_spread: float = 0.0

    def observation(self, image_size: int) -> Observation:
        """Return how a picture of a model's size is observed.

        Raises
        ------
        SettingsError
            If the size is no multiple of the side, or less than twice of it.
        """
        factor, rest = divmod(image_size, self.side)
        if rest or factor < 2:
            raise SettingsError(
                f"Pictures of {image_size} px cannot be reduced to {self.side} x {self.side}. Give models of "
                "16, 24, 32, 40, ... px."
            )
        return Observation(factor, self.kind, self.exposure_spread)


INPUTS = (Input("8x8 colour", 8, "colour"), Input("4x4 luminance", 4, "luminance", EXPOSURE_SPREAD))
"""What is looked for: as many numbers as decide a group, and so few that they leave it open."""


@dataclass(frozen=True)
class Setting:
    """What finds a picture for a small one: a model and a method, for an input."""

    input: Input
    model: str
    method: Method

    @property
    def name(self) -> str:
        """What its columns are called, such as ``faces-vae@8x8 colour@search``."""
        return f"{self.model}@{self.input.name}@{self.method}"

    @property
    def told(self) -> str:
        """What it is called beside others of the same input."""
        return f"{self.model}, {self.method}"


@dataclass(frozen=True)
class SearchStudySettings:
    """Which images are taken, and how long is searched and sampled.

    Parameters
    ----------
    per_group, groups, seed
        As in `latentlab.audit.reconstruction.ReconstructionSettings`; the seed is of exposures, starts and
        chains too.
    restarts, steps
        Of each search.
    eps
        The mean squared error to reach, for all models and inputs; 0 for the smallest of the models' own, of
        each input (`latentlab.audit.search_study_eps`).
    """

    per_group: int = PER_GROUP
    groups: tuple[str, ...] | None = None
    seed: int = 0
    restarts: int = RESTARTS
    steps: int = STEPS
    eps: float = 0.0

    def __post_init__(self) -> None:
        self.choice()
        self.search(INPUTS[0].observation(64))

    def choice(self) -> ReconstructionSettings:
        """Return the settings of the choice of images."""
        return ReconstructionSettings(self.per_group, self.groups, (), self.seed)

    def search(self, observation: Observation) -> SearchSettings:
        """Return the settings of a search."""
        eps = self.eps or None
        return SearchSettings(observation, restarts=self.restarts, steps=self.steps, seed=self.seed, eps=eps)

    def sampling(self) -> PosteriorSettings:
        """Return the settings of the sampling."""
        return PosteriorSettings(warm_up=WARM_UP, draws=DRAWS, leaps=LEAPS, approach=APPROACH)


def column(what: str, setting: Setting) -> str:
    """Return the column of what is known of a setting's answer, such as ``gender@...``."""
    return f"{what}@{setting.name}"
