"""Projections onto datasets without torch: under which conditions to draw, and how to say what comes of it.

The condition of a cINN is (dataset, mode) (`latentlab.families.cinn`); other models that project may know the
dataset only, and follow it. A picture is encoded as one of its own
dataset and decoded as one of every dataset, under the same share of the mode *keep*; decoded as one of its
own it is the autoencoder's reconstruction. The window draws a plan live, a script settled
(`latentlab.operations.project`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentlab.conditions import choose, weights
from latentlab.errors import SettingsError
from latentlab.operations.attribute_table import Probabilities
from latentlab.spec import MODE, ConditionSchema, ModelSpec, PredictorSpec

AUTO = "auto"
"""The dataset is guessed: by the predictor, where it judges that attribute, else by likelihood."""
NOTE = (
    "The reconstruction (the projection onto the picture's own dataset) has the autoencoder's errors; "
    "likelihood pulls every projection towards what is usual; the set that all datasets make together has a "
    "bias of its own; and data are not the only source of bias."
)
"""What the paper itself says of such projections (Rombach, Esser and Ommer 2020)."""
FAR = 3.0
"""So many standard deviations of |z| / sqrt(D) above 1 the latent counts as outside what is known."""


@dataclass(frozen=True, eq=False)
class ProjectionPlan:
    """Under which conditions a picture is encoded and decoded.

    Parameters
    ----------
    dataset
        The dataset as one of which it is encoded.
    guessed
        Whether nobody has chosen it.
    keep
        The share of the mode *keep*, 0 to 1.
    datasets
        Those that it is projected onto.
    conditions
        Float32 ``[K, C]``, one a dataset.
    """

    dataset: str
    guessed: bool
    keep: float
    datasets: tuple[str, ...]
    conditions: NDArray[np.float32]

    @property
    def own(self) -> int:
        """Which of the datasets is the picture's own."""
        return self.datasets.index(self.dataset)

    @property
    def told(self) -> NDArray[np.float32]:
        """What the encoder is told, float32 ``[C]``."""
        told: NDArray[np.float32] = self.conditions[self.own]
        return told


def no_projection(spec: ModelSpec, name: str) -> str:
    """Say why a model does not project and what to open; the empty string where it does."""
    if spec.datasets:
        return ""
    beside = " Counterfactuals show what its condition does." if spec.condition.size else ""
    return (
        f"{name} does not project onto datasets: it is of the family {spec.family}, and a cinn does. "
        f"Open one, or train one with latentlab train cinn.{beside}"
    )


def share_of_keep(schema: ConditionSchema, keep: float) -> float:
    """Return the share of the mode *keep* that a model is told: none where it only follows the dataset.

    Raises
    ------
    SettingsError
        If the share is not from 0 to 1.
    """
    if not 0.0 <= keep <= 1.0:
        raise SettingsError(f"The share of the mode keep lies between 0 (follow) and 1 (keep), not {keep:g}.")
    return keep if schema.has_mode else 0.0


def mixed_condition(
    schema: ConditionSchema, datasets: Mapping[str, float], keep: float
) -> NDArray[np.float32]:
    """Return the condition of datasets with their weights, float32 ``[C]``; see `projection_condition`."""
    domain = schema.attributes[0]
    for dataset in datasets:
        if dataset not in domain.classes:
            raise SettingsError(
                f"The model knows no dataset {dataset!r}; it knows {', '.join(domain.classes)}."
            )
    keep = share_of_keep(schema, keep)
    modes = {MODE.name: dict(zip(MODE.classes, (1.0 - keep, keep), strict=True))} if schema.has_mode else {}
    return choose(schema, {domain.name: dict(datasets), **modes})


def projection_condition(schema: ConditionSchema, dataset: str, keep: float = 1.0) -> NDArray[np.float32]:
    """Return the condition of one dataset, float32 ``[C]``, between the modes by the share of *keep*.

    Raises
    ------
    SettingsError
        If there is no such dataset, or the share is not from 0 to 1.
    """
    return mixed_condition(schema, {dataset: 1.0}, keep)


def projection_plan(
    schema: ConditionSchema, dataset: str, guessed: bool = False, keep: float = 1.0
) -> ProjectionPlan:
    """Plan the projections of a picture of one dataset onto all; raises as `projection_condition`."""
    projection_condition(schema, dataset, keep)
    names = schema.attributes[0].classes
    conditions = np.stack([projection_condition(schema, name, keep) for name in names])
    return ProjectionPlan(dataset, guessed, share_of_keep(schema, keep), names, conditions)


def judged_dataset(schema: ConditionSchema, said: Probabilities, judge: PredictorSpec | None) -> str | None:
    """Return the dataset that a predictor sees in a picture; None where it does not judge that.

    What a predictor says of datasets that the model has merged counts for them together.
    """
    domain = schema.attributes[0]
    for attribute in () if judge is None else judge.attributes:
        if attribute.name == domain.name and domain.name in said:
            found: dict[int, float] = {}
            for label, probability in zip(attribute.classes, said[domain.name], strict=True):
                place = domain.place_of(label)
                if place is not None:
                    found[place] = found.get(place, 0.0) + float(probability)
            if found:
                return domain.classes[max(found, key=lambda place: found[place])]
    return None


def told_dataset(schema: ConditionSchema, condition: NDArray[np.float32]) -> str:
    """Return the dataset that has the largest weight in a condition ``[C]``."""
    found = weights(schema, condition, schema.attributes[0].name)
    return max(found, key=lambda name: found[name])


# In words


def mode_words(keep: float) -> str:
    """Say which projection a share of *keep* is."""
    if keep in (0.0, 1.0):
        return "keep the content" if keep else "follow the dataset"
    return f"{keep:.0%} keep the content, {1.0 - keep:.0%} follow the dataset"


def judged_classes(judge: PredictorSpec | None, domain: str) -> dict[str, tuple[str, ...]]:
    """Return the classes that a predictor tells apart, by attribute, but for the dataset itself."""
    return {
        attribute.name: attribute.classes
        for attribute in (() if judge is None else judge.attributes)
        if attribute.kind == "categorical" and attribute.name != domain
    }


def comparable(
    classes: Mapping[str, tuple[str, ...]], cannot_show: Mapping[str, tuple[str, ...]], *datasets: str
) -> dict[str, tuple[str, ...]]:
    """Leave out the attributes that one of some datasets cannot show (`latentlab.spec.ModelSpec`).

    What a predictor says of such an attribute is a guess, and a change of it is none.
    """
    unseen = {name for dataset in datasets for name in cannot_show.get(dataset, ())}
    return {name: labels for name, labels in classes.items() if name not in unseen}


def changes(before: Probabilities, after: Probabilities, classes: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Say which attributes are predicted otherwise, such as ``hair: short to long (91%)``."""
    found = []
    for name, labels in classes.items():
        if name in before and name in after:
            one, other = int(np.argmax(before[name])), int(np.argmax(after[name]))
            if one != other:
                words = f"{name}: {labels[one]} to {labels[other]}".replace("_", " ")
                found.append(f"{words} ({float(after[name][other]):.0%})")
    return found


def changes_of_all(
    source: Probabilities,
    projections: Sequence[Probabilities],
    own: int | None,
    classes: Sequence[Mapping[str, tuple[str, ...]]],
) -> list[list[str]]:
    """Say what changed in each projection: from the reconstruction, and in the latter from the source.

    ``own`` is the reconstruction's place, None where it is not among them: then the source stands for it.
    ``classes`` are what can be compared with each.
    """
    base = source if own is None else projections[own]
    return [
        changes(source if k == own else base, one, told)
        for k, (one, told) in enumerate(zip(projections, classes, strict=True))
    ]


def shortened(lines: Sequence[str], most: int) -> list[str]:
    """Return so many lines at most, and a further one that counts the others."""
    more = [f"and {len(lines) - most} more"] if len(lines) > most else []
    return [*lines[:most], *more]


def latent_norm(latent: NDArray[np.float32]) -> float:
    """Return |z| / sqrt(D): about 1 for what the model knows, more for what it does not."""
    return float(np.linalg.norm(latent)) / float(np.sqrt(latent.size))


def is_known(norm: float, size: int) -> bool:
    """Whether |z| / sqrt(D) of a latent with ``size`` numbers is as usual.

    Of a standard normal z it is 1 on average, with a standard deviation of about 1 / sqrt(2 D).
    """
    return norm <= 1.0 + FAR / float(np.sqrt(2.0 * size))


def norm_words(norm: float, size: int) -> str:
    """Say whether |z| / sqrt(D) of a latent with ``size`` numbers is as usual (`is_known`)."""
    if is_known(norm, size):
        return "inside what the model knows"
    return f"outside: |z| is {norm:{'.1f' if norm < 10.0 else ',.0f'}} times what is usual"
