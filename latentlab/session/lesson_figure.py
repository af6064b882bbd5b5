"""A lesson's figure as it is looked at: what its sliders are set to, and what comes of that.

An experiment takes up to a tenth of a second, so it is done on a thread of its own, and while a slider is
moved only the newest wish is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from psygnal import Signal

from latentlab.errors import LatentLabError
from latentlab.session.background import Background
from latentlab.session.lesson import Figure
from latentlab.session.session import Message

if TYPE_CHECKING:
    from latentlab.audit.experiments.experiment import Experiment, ExperimentFigure

FAILURE = "The figure could not be made"


class LessonFigure:
    """One figure of a lesson.

    Parameters
    ----------
    figure
        The experiment, and what its sliders are set to at first.
    background
        Where it is done.

    Attributes
    ----------
    changed
        What is set, or what has come of it, is another.
    experiment
        None where there is none of that name; ``failure`` says why.
    values
        What the sliders are set to, by name.
    seed
        Of the random draw behind it.
    made
        What has come of the newest values that are done; None until then.
    """

    changed = Signal()

    def __init__(self, figure: Figure, background: Background) -> None:
        self.figure, self._background = figure, background
        self.experiment: Experiment | None = None
        self.values: Mapping[str, float] = {}
        self.seed = figure.seed
        self.made: ExperimentFigure | None = None
        self.failure = ""
        self._underway = False
        self._first: Mapping[str, float] = {}
        try:
            from latentlab.audit.experiments.catalog import experiment

            self.experiment = experiment(figure.experiment)
            self._first = self.values = self.experiment.checked(figure.values)
        except LatentLabError as error:
            self.failure = str(error)

    @property
    def first(self) -> Mapping[str, float]:
        """What the sliders were set to at first."""
        return self._first

    @property
    def edited(self) -> bool:
        """Whether anything is set otherwise than at first."""
        return (self.values, self.seed) != (self._first, self.figure.seed)

    @property
    def at_rest(self) -> bool:
        """Whether what is shown belongs to what is set."""
        return not self._underway and (self.made is not None or bool(self.failure))

    def need(self) -> None:
        """Have it made, if it has not been."""
        if self.made is None and not self._underway:
            self._make()

    def set(self, name: str, value: float) -> None:
        """Move a slider."""
        if self.experiment is not None and self.values.get(name) != value:
            self._take({**self.values, name: value}, self.seed)

    def draw_again(self) -> None:
        """Draw everything that is random anew."""
        self._take(self.values, self.seed + 1)

    def reset(self) -> None:
        """Return to what the lesson sets."""
        self._take(self._first, self.figure.seed)

    def _take(self, values: Mapping[str, float], seed: int) -> None:
        if (values, seed) != (self.values, self.seed):
            self.values, self.seed = values, seed
            self.changed.emit()
            self._make()

    def _make(self) -> None:
        if self.experiment is None or self._underway:
            return  # what is set meanwhile is made when the one underway is done
        self._underway = True
        experiment, values, seed = self.experiment, self.values, self.seed

        def have(made: ExperimentFigure | Message) -> None:
            self._underway = False
            if isinstance(made, Message):
                self.failure = made.text
            else:
                self.failure, self.made = "", made
            if (values, seed) != (self.values, self.seed):
                self._make()
            self.changed.emit()

        self._background.do(lambda: experiment.figure(values, seed), have, FAILURE)
