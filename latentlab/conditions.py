"""What one does with a condition: choose a class, scale it, flip it, mix classes; and say it in words.

A condition is a float vector ``[C]`` (`latentlab.spec.ConditionSchema`): each categorical attribute has an
entry for every class, a continuous one its value. As trained, one class has the weight 1 and the others 0,
and an attribute whose class is not known is all zeros; every other vector is an interpolation (weights
between 0 and 1 that sum to 1 at most) or an extrapolation. Functions return new arrays, float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.errors import SettingsError
from latentlab.spec import Attribute, ConditionSchema

Vector = NDArray[np.float32]
Choices = Mapping[str, str | float | Mapping[str, float]]
"""What is chosen of attributes, by name: see `choose`."""

_CLOSE = 1e-6


def as_condition(values: ArrayLike, schema: ConditionSchema) -> Vector:
    """Return a condition, float32 ``[C]``, from its numbers.

    Raises
    ------
    SettingsError
        If there are more or fewer than C, or one is not finite.
    """
    condition = np.array(values, dtype=np.float32)
    if condition.shape != (schema.size,):
        raise SettingsError(
            f"A condition of this model has {schema.size} numbers "
            f"({', '.join(attribute.name for attribute in schema.attributes) or 'it is unconditional'}); "
            f"{condition.size} were given."
        )
    if not np.isfinite(condition).all():
        raise SettingsError("A condition holds finite numbers only.")
    return condition


def choose(
    schema: ConditionSchema,
    choices: Choices,
    base: ArrayLike | None = None,
    scale: float = 1.0,
) -> Vector:
    """Return a condition from what is chosen of each attribute.

    Parameters
    ----------
    choices
        By attribute: a class, a continuous attribute's value, or weights by class (which are taken as they
        are; classes left out have none).
    base
        The condition ``[C]`` whose other attributes are kept; zeros (nothing known) by default.
    scale
        What a class or a value is multiplied by: 1 as trained.

    Raises
    ------
    SettingsError
        If the model does not know the attribute or the class; the message lists those it knows.

    Examples
    --------
    >>> choose(schema, {"gender": "female", "glasses": {"no": 0.5, "yes": 0.5}}, scale=2)
    """
    condition = np.zeros(schema.size) if base is None else np.array(base, dtype=np.float64)
    for name, choice in choices.items():
        attribute, where = schema.attribute(name), schema.slice(name)
        condition[where] = 0.0
        if isinstance(choice, str):
            condition[where.start + _class(attribute, choice)] = scale
        elif isinstance(choice, Mapping):
            for label, weight in choice.items():
                condition[where.start + _class(attribute, label)] = weight
        elif attribute.kind == "categorical":
            raise SettingsError(
                f"{name!r} is a matter of classes ({', '.join(attribute.classes)}); {choice} is none of them."
            )
        else:
            condition[where] = scale * choice
    return as_condition(condition, schema)


def parse_choices(schema: ConditionSchema, text: str) -> dict[str, str | float | Mapping[str, float]]:
    """Read choices, as `choose` takes them, from words such as ``gender=female,glasses=yes:2``.

    ``yes:2`` is the class at the scale 2, ``female:0.5+male:0.5`` a mixture; a continuous attribute is given
    its number.

    Raises
    ------
    SettingsError
        If something is neither, an attribute is given twice, or the model does not know it or a class.
    """
    choices: dict[str, str | float | Mapping[str, float]] = {}
    for part in text.split(","):
        name, _, said = (piece.strip() for piece in part.partition("="))
        if not name or not said:
            raise SettingsError(
                f"{part.strip()!r} chooses nothing; write ATTRIBUTE=CLASS, such as gender=female, with a "
                "scale glasses=yes:2, or a mixture gender=female:0.5+male:0.5."
            )
        attribute = schema.attribute(name)
        if name in choices:
            raise SettingsError(f"{name!r} is chosen twice in {text!r}; mix classes with +.")
        choices[name] = (
            _number(said, part) if attribute.kind == "continuous" else _parse_classes(attribute, said)
        )
    return choices


def first_classes(schema: ConditionSchema) -> Vector:
    """Return the condition to set out with where nothing is known, ``[C]``.

    Each attribute's default or else its first class; a continuous one is 0.
    """
    named = [attribute for attribute in schema.attributes if attribute.kind == "categorical"]
    return choose(schema, {a.name: a.default or a.classes[0] for a in named})


def with_codes(
    schema: ConditionSchema, conditions: ArrayLike, name: str, codes: ArrayLike, scale: float = 1.0
) -> NDArray[np.float32]:
    """Return conditions ``[B, C]`` with one categorical attribute set to the classes of codes ``[B]``."""
    found, where = np.array(conditions, dtype=np.float32), schema.slice(name)
    found[:, where] = 0.0
    found[np.arange(len(found)), where.start + np.asarray(codes)] = scale
    return found


def weights(schema: ConditionSchema, condition: ArrayLike, name: str) -> dict[str, float]:
    """Return the weight of every class of an attribute in a condition ``[C]``; a value under its own name."""
    attribute = schema.attribute(name)
    values = np.asarray(condition, dtype=np.float32)[schema.slice(name)].tolist()
    return dict(zip(attribute.classes or (name,), values, strict=True))


def chosen(schema: ConditionSchema, condition: ArrayLike, name: str) -> tuple[str, float] | None:
    """Return the one class that has a weight, and that weight; None where there is none, or a mixture.

    A continuous attribute has its own name for a class.
    """
    found = {label: w for label, w in weights(schema, condition, name).items() if w != 0.0}
    return next(iter(found.items())) if len(found) == 1 else None


def flip(schema: ConditionSchema, condition: ArrayLike, name: str) -> Vector:
    """Return a condition with an attribute's weights handed on to the next class, the last to the first.

    With two classes this exchanges them; scale and mixture stay. A continuous value changes its sign.
    """
    attribute, where = schema.attribute(name), schema.slice(name)
    flipped = np.array(condition, dtype=np.float32)
    flipped[where] = np.roll(flipped[where], 1) if attribute.kind == "categorical" else -flipped[where]
    return flipped


def scaled(schema: ConditionSchema, condition: ArrayLike, name: str, scale: float) -> Vector:
    """Return a condition in which an attribute's weights sum to ``scale``, in the shares that they have.

    Weights that sum to nothing have no shares; then the condition stays as it is. A continuous value is set.
    """
    found, where = np.array(condition, dtype=np.float32), schema.slice(name)
    if schema.attribute(name).kind == "continuous":
        found[where] = scale
        return found
    values = found[where].astype(np.float64)  # so that one class comes back to the bit
    if abs(values.sum()) > _CLOSE:
        found[where] = values * (scale / values.sum())
    return found


def extrapolates(schema: ConditionSchema, condition: ArrayLike, name: str) -> bool:
    """Whether a condition asks of an attribute what lies outside the mixtures that training knows.

    That is a class weight below 0, or weights of more than 1 together; of a continuous attribute a value
    outside the span that training has shown, where the schema knows it (0 says nothing, and is none).
    """
    attribute, values = schema.attribute(name), np.asarray(condition, dtype=np.float64)[schema.slice(name)]
    if attribute.kind == "continuous":
        if attribute.span is None or values[0] == 0.0:
            return False
        low, high = attribute.span
        slack = _CLOSE * max(1.0, abs(low), abs(high))
        return bool(values[0] < low - slack or values[0] > high + slack)
    return bool((values < -_CLOSE).any() or values.sum() > 1.0 + _CLOSE)


def words(schema: ConditionSchema, condition: ArrayLike) -> list[str]:
    """Say a condition, an attribute a line: ``gender female``, ``race 0.5 black + 0.5 white``, ``hair -``."""
    lines = []
    for attribute in schema.attributes:
        found = {k: w for k, w in weights(schema, condition, attribute.name).items() if abs(w) > _CLOSE}
        if attribute.kind == "continuous":
            said = f"{next(iter(found.values()), 0.0):g}"
        elif len(found) == 1 and abs(next(iter(found.values())) - 1.0) < _CLOSE:
            said = next(iter(found))
        else:
            said = " + ".join(f"{w:.4g} {label}" for label, w in found.items()) or "-"
        lines.append(f"{attribute.name} {said}")
    return lines


def from_probabilities(
    schema: ConditionSchema,
    probabilities: Mapping[str, Sequence[float] | NDArray[np.float32]],
    classes: Mapping[str, tuple[str, ...]],
    base: ArrayLike | None = None,
) -> Vector:
    """Return the condition that a predictor sees in a picture: each attribute's most probable class.

    Parameters
    ----------
    probabilities, classes
        ``[classes]`` and the classes' names, by attribute. Attributes of the condition that are not judged,
        or whose most probable class the model does not know, are as in ``base``; without one they take
        their default, and are zeros where they have none.
    """
    choices: dict[str, str | float | Mapping[str, float]] = {}
    for attribute in schema.attributes:
        if base is None and attribute.default:
            choices[attribute.name] = attribute.default
        if attribute.kind == "categorical" and attribute.name in probabilities:
            place = attribute.place_of(classes[attribute.name][int(np.argmax(probabilities[attribute.name]))])
            if place is not None:
                choices[attribute.name] = attribute.classes[place]
    return choose(schema, choices, base)


def _class(attribute: Attribute, label: str) -> int:
    if attribute.kind != "categorical":
        raise SettingsError(f"{attribute.name!r} is continuous and has no class {label!r}; give a number.")
    return attribute.index(label)


def _parse_classes(attribute: Attribute, said: str) -> str | dict[str, float]:
    if said in attribute.classes:
        return said
    found: dict[str, float] = {}
    for term in said.split("+"):
        label, colon, weight = term.strip().rpartition(":")
        if not colon:
            label, weight = term.strip(), "1"
        attribute.index(label)
        found[label] = found.get(label, 0.0) + _number(weight, f"{attribute.name}={said}")
    return found


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SettingsError(f"{text!r} in {where.strip()!r} is no number.") from None
