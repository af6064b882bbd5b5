"""Whether a predictor can read samples: how sure it is of them, beside real images of the same size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.audit.report import percent
from latentlab.spec import Attribute

LEAST = 0.75
"""Samples cannot be read where less than this is left of how much surer than by chance the predictor is."""


@dataclass(frozen=True)
class Readable:
    """How sure a predictor is of an attribute.

    Parameters
    ----------
    classes
        How many the attribute has.
    real, samples
        The mean probability of the most probable class, on real images and on samples.
    n_real, n
        How many images of each.
    """

    attribute: str
    classes: int
    real: float
    samples: float
    n_real: int
    n: int

    @property
    def left(self) -> float:
        """What is left of (confidence - 1/k): 1 where samples are read as surely as real images."""
        by_chance = 1.0 / self.classes
        return (self.samples - by_chance) / max(self.real - by_chance, 1e-9)

    def sentence(self) -> str:
        """Say how sure the predictor is."""
        return (
            f"The predictor is {percent(self.samples)} sure of {self.attribute.replace('_', ' ')} in samples "
            f"on average, and {percent(self.real)} in real images of the same size."
        )

    def row(self) -> dict[str, Any]:
        """Return it as a row of a table."""
        return {
            "attribute": self.attribute,
            "confidence_real": self.real,
            "n_real": self.n_real,
            "confidence_samples": self.samples,
            "n_samples": self.n,
            "left": self.left,
            "readable": "no" if unreadable_words(self) else "yes",
        }


class Confidence:
    """Adds up how sure a predictor is, image by image, without keeping them.

    Parameters
    ----------
    attributes
        Those that are looked at.
    """

    def __init__(self, attributes: Sequence[Attribute]) -> None:
        self._sums = {one.name: 0.0 for one in attributes}
        self._counts = {one.name: 0 for one in attributes}
        self._classes = {one.name: len(one.classes) for one in attributes}

    def add(self, probabilities: Mapping[str, NDArray[np.floating]]) -> None:
        """Take some images into account: ``[B, C]`` by attribute; rows of zeros are no answers."""
        for name in self._sums:
            surest = np.asarray(probabilities[name], dtype=np.float64).max(axis=1)
            self._sums[name] += float(surest.sum())
            self._counts[name] += int((surest > 0.0).sum())

    def beside(self, real: Confidence) -> tuple[Readable, ...]:
        """Return how sure it is beside real images; nothing of an attribute without any."""
        return tuple(
            Readable(
                name,
                self._classes[name],
                real._sums[name] / real._counts[name],
                self._sums[name] / self._counts[name],
                real._counts[name],
                self._counts[name],
            )
            for name in self._sums
            if self._counts[name] and real._counts.get(name)
        )


def unreadable_words(found: Readable) -> str:
    """Say why samples cannot be read; empty where they can."""
    if found.left >= LEAST:
        return ""
    name = found.attribute.replace("_", " ")
    return (
        f"The samples cannot be read: the predictor is {percent(found.samples)} sure of {name} in them, and "
        f"{percent(found.real)} sure in real images. Train for more steps, or with a larger picture."
    )
