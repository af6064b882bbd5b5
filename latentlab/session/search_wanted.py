"""What the Search screen is asked, as the document says it: a small picture to search for, and how."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.conditions import choose, chosen, first_classes
from latentlab.operations.projection_plan import told_dataset
from latentlab.operations.search_plan import Observation, PosteriorSettings, SearchSettings
from latentlab.session.document import Document, SearchView
from latentlab.session.explore import cropped
from latentlab.session.kept_explorer import ModelKey
from latentlab.spec import MODE, ConditionSchema, ModelSpec


def no_search(spec: ModelSpec, name: str) -> str:
    """Say why nothing can be searched for with a model, where nothing can; else return the empty string."""
    if "search" in spec.cannot:
        return f"{name} cannot be searched: {spec.cannot['search']}"
    if "sample" in spec.cannot:
        return f"{name} cannot be searched from random latents: {spec.cannot['sample']}"
    if spec.prior != "standard_normal":
        return f"{name} cannot be searched from random latents: its prior is not standard normal."
    return ""


def factors(image_size: int) -> tuple[int, ...]:
    """Return by how much a model's pictures can be reduced."""
    return tuple(factor for factor in range(2, image_size + 1) if image_size % factor == 0)


def factor_of(view: SearchView, image_size: int) -> int:
    """Return the factor of a view, or the nearest that the model allows."""
    return min(factors(image_size), key=lambda one: (abs(one - view.factor), one))


def observation_of(view: SearchView, image_size: int) -> Observation:
    """Return what is compared."""
    return Observation(factor_of(view, image_size), view.kind, view.exposure)


def is_projecting(schema: ConditionSchema) -> bool:
    """Whether a condition is a cINN's: a dataset and a mode."""
    return any(one.name == MODE.name for one in schema.attributes)


def free_of(schema: ConditionSchema, view: SearchView) -> tuple[str, ...]:
    """Return the attributes of a condition that are searched for too: those that nobody fixes."""
    if is_projecting(schema):
        return ()
    fixed = {name for name, _ in view.fixed}
    return tuple(one.name for one in schema.attributes if one.kind == "categorical" and one.name not in fixed)


def told_of(
    schema: ConditionSchema, view: SearchView, explored: NDArray[np.float32] | None
) -> dict[str, str]:
    """Return the classes that a model is told, by attribute; ``explored`` is Explore's condition ``[C]``."""
    known = {one.name: one.classes for one in schema.attributes}
    told = {name: label for name, label in view.fixed if label in known.get(name, ())}
    first = schema.attributes[0].name if schema.attributes else ""
    if is_projecting(schema) and explored is not None and first not in told:
        told[first] = told_dataset(schema, explored)
    return told


@dataclass(frozen=True, eq=False)
class TargetWanted:
    """Which small picture is wanted, of which picture and model.

    Parameters
    ----------
    pixels
        The picture, uint8 ``[H, W, 3]``: its square, what was painted, or what was drawn.
    parts
        What tells the picture from others: arrays by themselves, other things by their value.
    eps
        The eps that is asked for; 0 for the model's own.
    """

    model: ModelKey
    image_size: int
    name: str
    pixels: NDArray[np.uint8]
    parts: tuple[object, ...]
    observation: Observation
    given: str
    eps: float

    def is_same(self, other: TargetWanted | None) -> bool:
        """Whether it is the same small picture, of the same model, with the same eps."""
        return other is not None and self.is_alike(other) and self.eps == other.eps

    def is_alike(self, other: TargetWanted | None) -> bool:
        """Whether it is the same small picture, of the same model."""
        return (
            other is not None
            and _plain(self) == _plain(other)
            and len(self.parts) == len(other.parts)
            and all(_alike(one, two) for one, two in zip(self.parts, other.parts, strict=True))
        )

    @property
    def small(self) -> bool:
        """Whether the picture is taken for the small one itself."""
        side = self.observation.side(self.image_size)
        return self.given == "small" or (self.given == "auto" and min(self.pixels.shape[:2]) <= side)


@dataclass(frozen=True, eq=False)
class SearchWanted:
    """A whole search.

    Parameters
    ----------
    view
        How is searched; what is shown of the set is no matter.
    condition
        What a conditional model is told, float32 ``[C]``.
    free
        What is searched for of the condition too.
    """

    target: TargetWanted
    view: SearchView
    condition: tuple[float, ...] | None
    free: tuple[str, ...]

    def is_same(self, other: SearchWanted | None) -> bool:
        """Whether another would find the same."""
        return (
            other is not None
            and self.target.is_same(other.target)
            and (self.view, self.condition, self.free) == (other.view, other.condition, other.free)
        )

    def vector(self) -> NDArray[np.float32] | None:
        """Return the condition, float32 ``[C]``."""
        return None if self.condition is None else np.asarray(self.condition, dtype=np.float32)

    @property
    def settings(self) -> SearchSettings:
        """How is searched."""
        return settings_of(self.view, self.target.image_size)

    @property
    def sampling(self) -> PosteriorSettings:
        """How a posterior is sampled: half of the steps warm it up."""
        return PosteriorSettings.of(self.view.steps, self.view.leaps, self.view.temperature)

    @property
    def steps(self) -> int:
        """How many steps there will be at most."""
        return 2 * self.sampling.draws if self.view.posterior else self.view.steps


def settings_of(view: SearchView, image_size: int) -> SearchSettings:
    """Return the settings of a view.

    Raises
    ------
    SettingsError
        If they cannot be.
    """
    return SearchSettings(
        observation=observation_of(view, image_size),
        restarts=view.restarts,
        steps=view.steps,
        seed=view.seed,
        eps=view.eps or None,
        optimiser=view.optimiser,
        rate=view.rate,
        loss=view.loss,
        constraint="none" if view.loss == "map" else "sphere",
        sigma=view.sigma or None,
        precision=view.precision,
    )


def target_wanted(document: Document, spec: ModelSpec) -> TargetWanted | None:
    """Return which small picture a document asks for; None while there is no picture."""
    model, view, state = ModelKey.of(document), document.shelf.search, document.explore
    if model is None or state is None:
        return None
    own, source = view.own, state.source
    pixels: NDArray[np.uint8]
    parts: tuple[object, ...]
    given: str = view.given
    if own is not None:
        name, pixels, parts = own.name, own.pixels, (own.pixels,)
        given = "small" if own.small else given
    elif source is not None:
        name = source.title
        painted = source.painted is not None
        pixels = source.seen if painted else cropped(source.picture, source.crop)
        parts = (source.picture, source.crop, source.painted)
    else:
        return None
    observation = observation_of(view, spec.image_size)
    return TargetWanted(model, spec.image_size, name, pixels, parts, observation, given, view.eps)


def search_wanted(document: Document, spec: ModelSpec) -> SearchWanted | None:
    """Return which search a document asks for; None while there is no picture."""
    target, view = target_wanted(document, spec), document.shelf.search
    if target is None or document.explore is None:
        return None
    usual, schema = SearchView(), spec.condition
    condition: tuple[float, ...] | None = None
    if schema.size:
        told = told_of(schema, view, document.explore.condition)
        choices: dict[str, Any] = dict(told)
        condition = tuple(float(one) for one in choose(schema, choices, first_classes(schema)))
    plain = replace(
        view,
        own=None,
        given=usual.given,
        factor=target.observation.factor,
        fixed=(),
        more=usual.more,
        attribute=usual.attribute,
        beside=usual.beside,
        assumed=usual.assumed,
    )
    if view.posterior:  # what a search alone is set by
        plain = replace(
            plain, loss=usual.loss, optimiser=usual.optimiser, rate=usual.rate, precision=usual.precision
        )
    else:
        plain = replace(plain, temperature=usual.temperature, leaps=usual.leaps)
    return SearchWanted(target, plain, condition, free_of(schema, view))


def condition_words(schema: ConditionSchema, wanted: SearchWanted) -> str:
    """Say what the model is told and what is searched for of its condition."""
    if wanted.condition is None:
        return ""
    told = []
    for one in schema.attributes:
        if one.kind == "categorical" and one.name not in wanted.free and one.name != MODE.name:
            found = chosen(schema, wanted.condition, one.name)
            told.append(f"{one.name} {found[0]}" if found is not None else one.name)
    said = [f"Told: {', '.join(told)}." if told else ""]
    said.append(f"Searched for too: {', '.join(wanted.free)}." if wanted.free else "")
    return " ".join(filter(None, said)).replace("_", " ")


def _plain(one: TargetWanted) -> tuple[object, ...]:
    return one.model, one.image_size, one.name, one.observation, one.given


def _alike(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return one is other
    return one == other
