"""What an experiment is: parameters with a range each, and a figure that is drawn from their values.

The truth of every experiment is known by a formula, which stands in its file beside the code. What a method
finds is drawn at random and counted, with intervals, and stands beside it. Nothing here knows torch, and a
figure takes a moment, so that one can move a slider.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import latentlab
from latentlab.audit.charts import Chart
from latentlab.errors import SettingsError
from latentlab.metrics.intervals import Estimate

Values = Mapping[str, float]
"""The value of every parameter by its name; those that count something are whole numbers."""
MOST_SEED = (1 << 32) - 1
NOT_SHOWN = "What this does not show"
COLUMNS = ("chart", "label", "series", "value", "low", "high", "n", "reference", "reference_is", "told")
"""The table of a figure: one row a mark of its charts."""


@dataclass(frozen=True)
class Parameter:
    """What can be changed of an experiment.

    Parameters
    ----------
    name
        One word, as the command line and a lesson have it.
    title
        As people read it beside a slider.
    default, low, high
        The value to begin with, and both ends of the range.
    about
        One sentence that says what it is.
    unit
        ``share`` of 1, which people read in %; otherwise what is counted or measured, empty for nothing.
    whole
        Whether only whole numbers make sense.
    log
        Whether a slider should be logarithmic.
    """

    name: str
    title: str
    default: float
    low: float
    high: float
    about: str
    unit: str = ""
    whole: bool = False
    log: bool = False

    def told(self, value: float) -> str:
        """Write a value for people, such as ``10%`` or ``3,000``."""
        if self.unit == "share":
            return f"{100.0 * value:.4g}%"
        return f"{int(value):,}" if self.whole else f"{value:.4g}"

    def checked(self, value: object, experiment: str) -> float:
        """Return a value that is in the range.

        Raises
        ------
        SettingsError
            If it is no number, or one outside the range, or has to be whole and is not.
        """
        where = f"{self.name} of the experiment {experiment}"
        ends = f"from {self.low:g} to {self.high:g}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SettingsError(f"The {where} is a number {ends}, not {value!r}.")
        if not (math.isfinite(value) and self.low <= value <= self.high):
            raise SettingsError(f"The {where} is a number {ends}, not {value:g}.")
        if self.whole and value != int(value):
            raise SettingsError(f"The {where} is a whole number {ends}, not {value:g}.")
        return int(value) if self.whole else float(value)


@dataclass(frozen=True)
class Drawn:
    """What an experiment draws: its charts, and what they say in short sentences."""

    charts: tuple[Chart, ...]
    statements: tuple[str, ...]


@dataclass(frozen=True)
class ExperimentFigure:
    """A figure of an experiment.

    Parameters
    ----------
    name, values, seed
        What it was drawn from: the same three give the same figure.
    charts
        To be painted as those of a study are (`latentlab.audit.charts`); the references in them are the
        truth.
    statements
        What was found, with 95% intervals wherever something was drawn at random.
    not_shown
        What nobody should conclude from it.
    """

    name: str
    values: Values
    seed: int
    charts: tuple[Chart, ...]
    statements: tuple[str, ...]
    not_shown: str

    @cached_property
    def rows(self) -> tuple[Mapping[str, Any], ...]:
        """The tidy table, one row a mark with the columns `COLUMNS`; None where there is no number."""
        found = []
        for chart in self.charts:
            for mark in chart.marks:
                reference = chart.references.get(mark.label)
                known = (reference, "" if reference is None else chart.reference_name)
                row = (chart.name, mark.label, mark.series, mark.value, mark.low, mark.high, mark.n or None)
                found.append(dict(zip(COLUMNS, (*row, *known, mark.told), strict=True)))
        return tuple(found)

    def record(self) -> dict[str, Any]:
        """Return everything as plain values, in the form of every command's JSON.

        A mark is the metric CHART.LABEL.SERIES, with underscores for spaces, and what it is compared with
        the same with ``reference.`` before it.
        """
        metrics: dict[str, dict[str, float | int | None]] = {}
        for row in self.rows:
            name = ".".join(str(row[part]).replace(" ", "_") for part in ("chart", "label", "series"))
            metrics[name] = {part: row[part] for part in ("value", "low", "high", "n")}
            if row["reference"] is not None:
                metrics[f"reference.{name}"] = Estimate(row["reference"], None, None, 0).record()
        return {
            "command": f"experiment {self.name}",
            "version": latentlab.__version__,
            "checkpoint": None,
            "data": None,
            "seed": self.seed,
            "device": "cpu",
            "settings": dict(self.values),
            "metrics": metrics,
            "groups": {},
            "notes": [*self.statements, f"{NOT_SHOWN}: {self.not_shown}"],
        }


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Parameters
    ----------
    name
        Lower-case words with hyphens.
    title
        As people read it.
    question
        What it asks.
    about
        What is drawn at random and what is done to it, in a few sentences.
    formula
        The truth in one line, with the symbols of the source.
    sources
        Papers and books.
    not_shown
        What nobody should conclude from it.
    parameters
        In the order in which their sliders stand.
    draw
        Draws the charts from checked values, all randomness taken from the generator.
    """

    name: str
    title: str
    question: str
    about: str
    formula: str
    sources: tuple[str, ...]
    not_shown: str
    parameters: tuple[Parameter, ...]
    draw: Callable[[Values, np.random.Generator], Drawn]

    def checked(self, values: Values | None = None) -> dict[str, float]:
        """Return a value for every parameter, the default where none is given.

        Raises
        ------
        SettingsError
            If there is no such parameter, or a value is outside its range.
        """
        given, known = dict(values or {}), {one.name: one for one in self.parameters}
        strange = [name for name in given if name not in known]
        if strange:
            raise SettingsError(
                f"The experiment {self.name} has no parameter {strange[0]!r}; it has {', '.join(known)}."
            )
        return {name: one.checked(given.get(name, one.default), self.name) for name, one in known.items()}

    def figure(self, values: Values | None = None, seed: int = 0) -> ExperimentFigure:
        """Draw the figure for some values.

        Parameters
        ----------
        values
            By the parameters' names; the default where one is left out.
        seed
            Of everything random, 0 to 2^32 - 1; the same seed and values give the same figure.

        Raises
        ------
        SettingsError
            If a value or the seed cannot be used.
        """
        whole = self.checked(values)
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MOST_SEED:
            raise SettingsError(f"The seed is a whole number from 0 to {MOST_SEED}, not {seed!r}.")
        drawn = self.draw(whole, np.random.default_rng(seed))
        return ExperimentFigure(self.name, whole, seed, drawn.charts, drawn.statements, self.not_shown)
