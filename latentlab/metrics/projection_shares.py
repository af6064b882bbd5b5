"""Shares of classes among projections, and what is made of them: shifts, gaps, and the composition bias.

Counted for ways of projecting (the modes, baselines) by ordered pair of datasets, beside what the judge says
of the pictures before, and of the target's own. The definitions stand in
`latentlab.metrics.evaluate_unpaired.evaluate_unpaired`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

import numpy as np

from latentlab.metrics.intervals import Estimate
from latentlab.metrics.projecting import Codes, Floats, Projector, Seen
from latentlab.metrics.resampled_rates import ResampledRates, absolute, estimate

SOURCE = "source"
"""What the group of an ordered pair of datasets begins with: ``source=broad,dataset=narrow``."""
PREFIXES: Mapping[str, str] = MappingProxyType({"keep": "", "follow": "follow."})
"""What stands before the figures of a mode."""
TRUTH, RECONSTRUCTED, BEFORE = "truth", "reconstructed", "before"
"""What is counted beside projections: a dataset's pictures, their reconstructions, those of the inputs."""
Key = tuple[str, int, int]
"""A way of projecting (or one of the words above), the source dataset, and the target dataset."""
Statistic = Callable[[Key], Floats]
"""A figure of an ordered pair of datasets, ``[1 + R]``: as measured, then of each resample."""


class Shares:
    """Counts what is seen in pictures, and makes figures of the counts.

    Parameters
    ----------
    images
        Number of different images of which all pictures are.
    """

    def __init__(self, projector: Projector, images: int, seed: int) -> None:
        self._domain, self._names, self._ordered = projector.domain.name, projector.names, projector.ordered
        self._attributes = projector.attributes
        self._rates: ResampledRates[Key] = ResampledRates(images, seed)
        self._columns: dict[str, slice] = {}
        start = 0
        for attribute in self._attributes:
            self._columns[attribute.name] = slice(start, start + attribute.width)
            start += attribute.width
        self._kept = slice(start, start + len(self._attributes))
        self._taken = self._kept.stop

    def add(self, key: Key, seen: Seen, whom: Codes, before: Codes | None = None) -> None:
        """Count pictures, which are of images ``[n]``; ``before`` are their classes ``[n, A]`` before it."""
        classes = [seen.codes[:, [k]] == np.arange(a.width) for k, a in enumerate(self._attributes)]
        kept = np.ones_like(seen.codes, dtype=bool) if before is None else seen.codes == before
        taken = seen.dataset[:, None] == key[2]
        self._rates.add(key, np.concatenate([*classes, kept, taken], axis=1), whom)

    def target(self, b: int) -> str:
        """Return the group of a target dataset."""
        return f"{self._domain}={self._names[b]}"

    def pair(self, a: int, b: int) -> str:
        """Return the group of an ordered pair of datasets."""
        return f"{SOURCE}={self._names[a]},{self.target(b)}"

    def _share(self, key: Key, name: str) -> Floats:
        """Return the shares of an attribute's classes, ``[1 + R, classes]``."""
        return self._rates.means(key)[:, self._columns[name]]

    def _gap(self, key: Key, name: str, other: str = TRUTH) -> Floats:
        apart = absolute(self._share(key, name) - self._share((other, key[2], key[2]), name))
        found: Floats = 100.0 * apart[:, int(np.argmax(apart[0]))]
        return found

    def _bias(self, key: Key, name: str) -> Floats:
        """Return the shares in *follow* minus those in *keep*, in points, ``[1 + R, classes]``."""
        apart: Floats = self._share(("follow", *key[1:]), name) - self._share(("keep", *key[1:]), name)
        return 100.0 * apart

    def _column(self, key: Key, column: int) -> Floats:
        found: Floats = self._rates.means(key)[:, column]
        return found

    def _all_kept(self, key: Key) -> Floats:
        found: Floats = self._rates.means(key)[:, self._kept].mean(axis=1)
        return found

    def _variation(self, key: Key, name: str) -> Floats:
        found: Floats = 0.5 * absolute(self._bias(key, name)).sum(axis=1)
        return found

    def _of_way(self) -> dict[str, Statistic]:
        """Return the figures of a way that have a mean over the pairs."""
        found: dict[str, Statistic] = {
            "target_dataset_share": partial(self._column, column=self._taken),
            "attributes_kept": self._all_kept,
        }
        for place, name in enumerate(self._columns):
            found[f"attributes_kept.{name}"] = partial(self._column, column=self._kept.start + place)
        return found | {f"gap_points.{name}": partial(self._gap, name=name) for name in self._columns}

    def _of_mode(self) -> dict[str, Statistic]:
        return self._of_way() | {
            f"gap_points_reconstructed.{name}": partial(self._gap, name=name, other=RECONSTRUCTED)
            for name in self._columns
        }

    def _of_both(self) -> dict[str, Statistic]:
        return {f"composition_bias.{name}": partial(self._variation, name=name) for name in self._columns}

    def figures(self, baselines: Sequence[str]) -> tuple[dict[str, Estimate], dict[str, dict[str, Estimate]]]:
        """Return the figures of modes and baselines over all ordered pairs, and by target and by pair."""
        tables = [(prefix, mode, self._of_mode()) for mode, prefix in PREFIXES.items()]
        tables += [("", "follow", self._of_both())]
        tables += [(name, name, self._of_way()) for name in baselines]
        chosen = {"": self._ordered} | {
            self.target(b): [(a, to) for a, to in self._ordered if to == b] for b in range(len(self._names))
        }
        chosen |= {self.pair(a, b): [(a, b)] for a, b in self._ordered}
        found: dict[str, dict[str, Estimate]] = {group: {} for group in chosen}
        for prefix, way, statistics in tables:
            for name, statistic in statistics.items():
                for group, pairs in chosen.items():
                    keys = [(way, a, b) for a, b in pairs]
                    found[group][f"{prefix}{name}"] = self._rates.average(statistic, keys)
        for a, b in self._ordered:
            found[self.pair(a, b)] |= self._by_class(a, b)
        for b in range(len(self._names)):
            own = found[self.target(b)]
            own[f"{TRUTH}.target_dataset_share"] = self._rates.rate((TRUTH, b, b), self._taken)
            for said in (TRUTH, RECONSTRUCTED):
                own |= self._shares(f"{said}.", (said, b, b))
        return found.pop(""), found

    def _by_class(self, a: int, b: int) -> dict[str, Estimate]:
        """Return the figures of an ordered pair that a class has."""
        found = self._shares(f"{BEFORE}.", (BEFORE, a, a))
        for mode, prefix in PREFIXES.items():
            found |= self._shares(prefix, (mode, a, b))
        n = self._rates.count(("keep", a, b))
        for attribute in self._attributes:
            before = self._share((BEFORE, a, a), attribute.name)
            parts = {
                f"{prefix}shift_points": 100.0 * (self._share((mode, a, b), attribute.name) - before)
                for mode, prefix in PREFIXES.items()
            }
            parts["composition_bias"] = self._bias(("follow", a, b), attribute.name)
            for figure, values in parts.items():
                for k, label in enumerate(attribute.classes):
                    found[f"{figure}.{attribute.name}={label}"] = estimate(values[:, k], n)
        return found

    def _shares(self, prefix: str, key: Key) -> dict[str, Estimate]:
        return {
            f"{prefix}share.{a.name}={label}": self._rates.rate(key, self._columns[a.name].start + k)
            for a in self._attributes
            for k, label in enumerate(a.classes)
        }
