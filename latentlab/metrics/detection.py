"""How well faces are told from what is none, and how unequally: one detector's decisions, and several seeds'.

    recall_g = TP_g / P_g                               of each group g of faces
    recall_variance_points2 = max(0, Var_g(100 recall_g) - mean_g(100^2 recall_g (1 - recall_g) / P_g))

The variance over groups has one degree of freedom less than groups (ddof 1). Groups of finite size differ by
chance even where a detector treats all alike; what the binomial noise of their recalls adds to the variance
on average is subtracted. What is no face belongs to no group: precision and false positives are of all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from latentlab.metrics.intervals import Estimate, wilson_rate

VARIANCE, WORST = "recall_variance_points2", "worst_group_miss_rate"
"""The figures of inequality."""
_RATES = ("recall", "precision", "accuracy", "false_positive_rate")


@dataclass(frozen=True)
class Decisions:
    """What one detector decided of one set.

    Parameters
    ----------
    faces
        Whether each face was found ``[n]``.
    others
        Whether each picture of no face was taken for one ``[m]``.
    groups
        Positions of each group's faces: those between which inequality is measured. Empty ones are left out.
    """

    faces: NDArray[np.bool_]
    others: NDArray[np.bool_]
    groups: Mapping[str, NDArray[np.int64]]

    def counts(self) -> dict[str, tuple[int, int]]:
        """Return successes and trials of each rate; precision has none where nothing was taken for a face."""
        found, false = int(self.faces.sum()), int(self.others.sum())
        n, m = len(self.faces), len(self.others)
        return {
            "recall": (found, n),
            "precision": (found, found + false),
            "accuracy": (found + m - false, n + m),
            "false_positive_rate": (false, m),
        }

    def recalls(self) -> dict[str, tuple[int, int]]:
        """Return each group's faces found, and its faces."""
        return {
            name: (int(self.faces[rows].sum()), len(rows)) for name, rows in self.groups.items() if len(rows)
        }

    def every(self) -> dict[str, float]:
        """Return every figure, and each group's recall as ``recall.GROUP``."""
        return self.figures() | {f"recall.{name}": k / n for name, (k, n) in self.recalls().items()}

    def figures(self) -> dict[str, float]:
        """Return every figure that can be had: rates, and inequality where there are two groups or more."""
        found = {name: k / n for name, (k, n) in self.counts().items() if n}
        recalls = self.recalls()
        if len(recalls) > 1:
            k, n = np.array(list(recalls.values())).T
            found |= {VARIANCE: excess_variance(k, n), WORST: float(1.0 - (k / n).min())}
        return found


def finest(groups: Iterable[str]) -> list[str]:
    """Return the groups between which inequality is measured: intersections of the most attributes."""
    names = list(groups)
    most = max((name.count(",") for name in names), default=0)
    return [name for name in names if name.count(",") == most]


def excess_variance(successes: NDArray[np.int64], n: NDArray[np.int64]) -> float:
    """Return the variance over groups of a rate in %, less the binomial noise of the groups; at least 0."""
    percent = 100.0 * np.asarray(successes) / np.asarray(n)
    noise = percent * (100.0 - percent) / n
    return max(0.0, float(percent.var(ddof=1) - noise.mean()))


def over_seeds(seeds: Sequence[Decisions]) -> tuple[dict[str, Estimate], dict[str, dict[str, Estimate]]]:
    """Return the figures as means over detectors of several seeds, and each group's recall.

    Of one detector a rate has Wilson's interval, which tells of other pictures. Of several each figure has
    Student's interval of the mean over seeds, which tells of other trainings on other samples of the set,
    judged on the same pictures. The variance and the worst group of one detector have none.

    Raises
    ------
    ValueError
        If there is no detector, or they were judged on different groups.
    """
    if not seeds or any(list(one.recalls()) != list(seeds[0].recalls()) for one in seeds):
        raise ValueError("detectors of several seeds are judged on the same groups")
    first = seeds[0]
    total = len(first.faces) + len(first.others)
    sizes = {"recall": len(first.faces), "false_positive_rate": len(first.others)}
    groups = {name: {"recall": _estimate([one.recalls()[name] for one in seeds])} for name in first.recalls()}
    figures: dict[str, Estimate] = {}
    for name in _RATES:
        pairs = [one.counts()[name] for one in seeds]
        if all(n for _, n in pairs):
            figures[name] = _estimate(pairs, sizes.get(name, total))
    for name in (VARIANCE, WORST):
        values = [one.figures()[name] for one in seeds if name in one.figures()]
        if len(values) == len(seeds):
            most = 1.0 if name == WORST else math.inf
            figures[name] = _within(mean_over_seeds(values, len(first.faces)), most)
    return figures, groups


def mean_over_seeds(values: Sequence[float], n: int) -> Estimate:
    """Return a mean with Student's 95% interval; none of a single value. ``n`` are the images behind it."""
    x = np.asarray(values, dtype=np.float64)
    if len(x) < 2:
        return Estimate(float(x.mean()), None, None, n)
    half = float(student.ppf(0.975, len(x) - 1)) * float(x.std(ddof=1)) / math.sqrt(len(x))
    return Estimate(float(x.mean()), float(x.mean()) - half, float(x.mean()) + half, n)


def _estimate(pairs: Sequence[tuple[int, int]], n: int | None = None) -> Estimate:
    if len(pairs) == 1:
        return wilson_rate(*pairs[0])
    return _within(mean_over_seeds([k / of for k, of in pairs], pairs[0][1] if n is None else n), 1.0)


def _within(found: Estimate, most: float) -> Estimate:
    """Cut an interval to what can be: 0 to ``most``."""
    if found.low is None or found.high is None:
        return found
    return Estimate(found.value, max(0.0, found.low), min(most, found.high), found.n)
