"""Which images and attributes a conditioning study can be of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from latentlab.audit.conditioning_plan import ConditioningSettings
from latentlab.audit.generation import common_attributes
from latentlab.audit.reconstruction import Chosen
from latentlab.data.image_set import ImageSet
from latentlab.errors import SettingsError
from latentlab.operations.explore import Explorer
from latentlab.spec import Attribute, ModelSpec, PredictorSpec


def flippable(spec: ModelSpec, judge: PredictorSpec) -> list[str]:
    """Return the attributes of a condition that can be flipped, and all of whose classes are judged."""
    known = {one.name: set(one.classes) for one in judge.attributes if one.kind == "categorical"}
    return [
        one.name
        for one in spec.condition.attributes
        if one.kind == "categorical" and set(one.classes) <= known.get(one.name, set())
    ]


def counted_names(
    models: Mapping[str, Explorer], data: ImageSet, settings: ConditioningSettings
) -> tuple[str, ...]:
    """Return what is counted: what was wished, or what the models are conditioned on."""
    if settings.attributes:
        return settings.attributes
    judge = next(iter(models.values())).predictor_spec
    assert judge is not None
    alike = {one.name: one for one in common_attributes(models, ())}
    labelled = {one.name for one in data.info.attributes if one.kind == "categorical"}
    told = dict.fromkeys(name for one in models.values() for name in flippable(one.spec, judge))
    wanted = [name for name in told if name in alike] if told else list(alike)
    found = tuple(name for name in wanted if name in labelled and not unjudged_classes(alike[name], data))
    if not found:
        raise SettingsError(
            f"Of {', '.join(wanted) or 'what is judged'} the set {data.info.name} has no labels that the "
            "predictor judges. Choose another set, --attributes, or another --predictor."
        )
    return found


def unjudged_classes(attribute: Attribute, data: ImageSet) -> list[str]:
    """Return the classes that a set's images show and a predictor does not know."""
    labelled = data.attribute(attribute.name)
    seen = np.unique(data.codes(attribute.name))
    return [labelled.classes[k] for k in seen if k >= 0 and attribute.place_of(labelled.classes[k]) is None]


def expect_known(chosen: Chosen, data: ImageSet) -> None:
    """Raise `SettingsError` where the predictor does not know a class that the set's images show."""
    for one in chosen.attributes:
        strange = unjudged_classes(one, data)
        if strange:
            raise SettingsError(
                f"The predictor does not know the class {strange[0]!r} of {one.name}, which the set "
                f"{data.info.name} shows; it knows {', '.join(one.classes)}. Choose other --attributes or "
                "another --predictor."
            )


def in_turns(chosen: Chosen) -> Chosen:
    """Return the images with one of each group after another: so what is known half-way is balanced too."""
    turn = np.zeros(len(chosen.group), dtype=np.int64)
    for place in range(len(chosen.names)):
        turn[chosen.group == place] = np.arange(np.count_nonzero(chosen.group == place))
    order = np.lexsort((chosen.group, turn))
    return replace(
        chosen,
        images=chosen.images.select(order),
        group=chosen.group[order],
        labels={name: codes[order] for name, codes in chosen.labels.items()},
    )


def same_rows(data: ImageSet, images: ImageSet) -> ImageSet:
    """Return the same images of a set that was opened at another size."""
    places = {str(name): place for place, name in enumerate(data.names[data.rows].tolist())}
    names = images.names[images.rows].tolist()
    lost = [name for name in names if name not in places]
    if lost:
        raise SettingsError(
            f"The image {lost[0]} of {images.info.name} is not there at {data.image_size} px. Give models of "
            "one image size."
        )
    return data.select(np.array([places[name] for name in names], dtype=np.int64))
