"""The scale of one class of the condition as an axis of the probe: s x one-hot, s from 0 to 3. No torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import SettingsError
from latentlab.spec import ConditionSchema

LOWEST, HIGHEST = 0.0, 3.0
"""Where the axis begins and ends; 1 is as trained, beyond it lies extrapolation."""


@dataclass(frozen=True)
class ScaleAxis:
    """The weight of a class of one attribute, the attribute's other classes having none.

    A continuous attribute has no class (""): then it is its value.
    """

    attribute: str
    label: str = ""

    @property
    def name(self) -> str:
        """What the axis is called: ``scale of gender=female``."""
        return f"scale of {self.attribute}{'=' if self.label else ''}{self.label}"

    def values(self, points: int) -> NDArray[np.float32]:
        """Return evenly spaced scales, float32 ``[points]``."""
        return np.linspace(LOWEST, HIGHEST, points, dtype=np.float32)

    def place(self, schema: ConditionSchema) -> int:
        """Return which entry of the condition changes.

        Raises
        ------
        SettingsError
            If the condition has no such attribute or class.
        """
        attribute = schema.attribute(self.attribute)
        start = int(schema.slice(self.attribute).start)
        return start + attribute.index(self.label) if attribute.classes else start

    def conditions(
        self, schema: ConditionSchema, conditions: NDArray[np.float32], values: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return conditions ``[C]`` or ``[k, C]`` at scales ``[m]``: float32 ``[k * m, C]``, row by row."""
        rows = np.repeat(np.atleast_2d(conditions), len(values), axis=0).astype(np.float32)
        rows[:, schema.slice(self.attribute)] = 0.0
        rows[:, self.place(schema)] = np.tile(values, len(rows) // len(values))
        return rows


def scale_axis(schema: ConditionSchema, text: str) -> ScaleAxis:
    """Return the axis of ``gender=female``, or of a continuous attribute's name.

    Raises
    ------
    SettingsError
        If the condition has no such attribute or class.
    """
    name, _, label = text.partition("=")
    attribute = schema.attribute(name.strip())
    if attribute.classes and not label:
        raise SettingsError(
            f"Name a class of {name!r}, such as {name}={attribute.classes[0]}; it has "
            f"{', '.join(attribute.classes)}."
        )
    axis = ScaleAxis(attribute.name, label.strip())
    axis.place(schema)
    return axis
