"""Rates of several bodies of pictures that are resampled together, by whom they show.

The projections of one picture onto several datasets, in several modes, go up and down with that picture; so
do pictures of one image in two sets. Drawing the images once for all bodies keeps the intervals of
differences honest.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from latentlab.metrics.intervals import Estimate, bootstrap_totals, percentile_limits, wilson

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Key = TypeVar("Key", bound=Hashable)


class ResampledRates(Generic[Key]):
    """Means of columns over bodies of pictures, as measured and in every resample of the images.

    Parameters
    ----------
    images
        Number of different images I of which the bodies' pictures are.
    seed
        Of the resamples.
    """

    def __init__(self, images: int, seed: int) -> None:
        self._images, self._seed = images, seed
        self._sums: list[Floats] = []
        self._where: dict[Key, slice] = {}
        self._width = 0
        self._distinct: dict[Key, int] = {}
        self._drawn: Floats | None = None

    def add(self, key: Key, table: NDArray[np.generic], whom: Codes) -> None:
        """Add a body of pictures: numbers ``[n, C]``, and of which image each picture is, ``[n]``."""
        rows = np.asarray(table, dtype=np.float64)
        sums = np.zeros((self._images, rows.shape[1] + 1))
        np.add.at(sums, whom, np.concatenate([rows, np.ones((len(rows), 1))], axis=1))
        self._where[key] = slice(self._width, self._width + sums.shape[1])
        self._width += sums.shape[1]
        self._sums.append(sums)
        self._distinct[key] = int((sums[:, -1] > 0).sum())
        self._drawn = None

    def count(self, key: Key) -> int:
        """Return the number of pictures of a body."""
        return int(self._all()[0, self._where[key]][-1])

    def means(self, key: Key) -> Floats:
        """Return a body's means ``[1 + R, C]``: as measured, then of each resample."""
        totals = self._all()[:, self._where[key]]
        found: Floats = totals[:, :-1] / np.maximum(totals[:, -1:], 1.0)
        return found

    def rate(self, key: Key, column: int) -> Estimate:
        """Return the mean of a column of zeros and ones.

        Its interval is Wilson's where every picture is of another image, or where nothing or everything
        succeeded (then of as many trials as there are different images); else it is bootstrapped.
        """
        means, n, distinct = self.means(key)[:, column], self.count(key), self._distinct[key]
        if distinct == n or means[0] in (0.0, 1.0):
            low, high = wilson(means[0] * distinct, distinct)
            return Estimate(float(means[0]), float(low), float(high), n)
        return estimate(means, n)

    def average(self, statistic: Callable[[Key], Floats], keys: Sequence[Key]) -> Estimate:
        """Return the mean over bodies of a statistic ``[1 + R]`` of each; one that is not negative."""
        values = np.mean([statistic(key) for key in keys], axis=0)
        return estimate(np.maximum(values, 0.0), max(map(self.count, keys)))

    def _all(self) -> Floats:
        if self._drawn is None:
            columns = np.concatenate(self._sums, axis=1)
            drawn = bootstrap_totals(columns, np.random.default_rng([self._seed, 7]))
            self._drawn = np.concatenate([columns.sum(axis=0, keepdims=True), drawn])
        return self._drawn


def estimate(values: Floats, n: int) -> Estimate:
    """Return the estimate of values ``[1 + R]``: as measured, then of each resample."""
    return Estimate(float(values[0]), *percentile_limits(values[1:]), n)


def absolute(differences: Floats) -> Floats:
    """Return the absolute values of differences ``[1 + R, ...]``, each resample's with the sign as measured.

    So what is made of them varies around what was measured. Of absolute values resample by resample chance
    makes more each time, and a percentile interval may lie above the figure itself. Whether there is a
    difference at all is told by the interval of the difference, not by that of its absolute value.
    """
    found: Floats = differences * np.sign(differences[:1])
    return found
