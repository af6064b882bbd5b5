"""The probe: the predicted probability along an axis, for the edited latent and for many, while one looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from latentlab.errors import SettingsError
from latentlab.live.frames import Frame
from latentlab.operations.direction import Direction, free_step, offset
from latentlab.operations.probe import (
    MEAN_POINTS,
    POINTS,
    Band,
    Probe,
    Probed,
    band,
    mean_latents,
    probe_conditions,
    probe_latents,
    probe_values,
    probed_name,
    usual_latents,
    usual_rows,
)
from latentlab.operations.scale_axis import ScaleAxis, scale_axis
from latentlab.session.batches import Batch
from latentlab.session.document import Document
from latentlab.session.follower import Follower
from latentlab.session.workspace import Workspace

AT_ONCE = 8
"""Latents of the mean that are rendered with one request, between which other views have their turn."""


Part = tuple[NDArray[np.float32], NDArray[np.float32] | None]
"""Latents ``[B, *latent_shape]`` that are rendered with one request, and their conditions."""


@dataclass(frozen=True, eq=False)
class ProbePlan:
    """What is rendered for a probe as it is set now, and what it is of.

    Parameters
    ----------
    parts
        The first is the curve's, the others are the mean's.
    position
        Where the edited latent stands on the axis.
    """

    axis: Probed
    values: NDArray[np.float32]
    mean_values: NDArray[np.float32]
    classes: Mapping[str, tuple[str, ...]]
    parts: tuple[Part, ...]
    of_what: str
    position: float

    @property
    def count(self) -> int:
        """How many pictures are rendered."""
        return sum(len(latents) for latents, _ in self.parts)

    def measured(self, answers: Sequence[Mapping[str, NDArray[np.float32]]]) -> Probe:
        """Return the curves of the parts' predicted probabilities, each ``[B, classes]`` by attribute."""
        curve = {name: np.asarray(answers[0][name]) for name in self.classes}
        bands, places = {}, len(self.mean_values)
        if len(answers) > 1:
            for name in self.classes:
                rows = np.concatenate([one[name] for one in answers[1:]])
                bands[name] = band(rows.reshape(-1, places, rows.shape[1]))
        name = probed_name(self.axis)
        return Probe(name, self.values, self.mean_values, self.classes, curve, bands)


class ProbeCurves(Follower):
    """Has the latents along the probe's axis rendered, and keeps what the predictor says of them.

    Attributes
    ----------
    axis_changed
        Another axis or model: what `axis` and `values` say has changed, curves and bands are void.
    curve_changed
        The edited latent's probabilities have arrived (`Frame`).
    bands_changed
        So many of the mean's latents are done (`int`); `bands` is there when all are.
    axis, refusal
        What is probed along; where it is None, why nothing is.
    """

    axis_changed = Signal()
    curve_changed = Signal(Frame)
    bands_changed = Signal(int)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._curve = Batch(workspace.rendering, "probe")
        self._curve.arrived.connect(self._take_curve)
        self._mean = Batch(workspace.rendering, "probe-mean")
        self._mean.arrived.connect(self._take_mean)
        self._given: tuple[str, NDArray[np.float32]] | None = None
        self._given_for = ""
        self._usual: NDArray[np.float32] | None = None
        self._done: list[dict[str, NDArray[np.float32]]] = []
        self._key: tuple[object, ...] = ()
        self._conditions: NDArray[np.float32] | None = None
        self.axis: Probed | None = None
        self.refusal = ""
        self.values = self.mean_values = np.zeros(0, dtype=np.float32)
        self.curve: dict[str, NDArray[np.float32]] = {}
        self.bands: dict[str, Band] = {}

    @property
    def count(self) -> int:
        """Of how many latents the mean is taken."""
        return 0 if self._usual is None else len(self._usual)

    @property
    def waiting(self) -> bool:
        """Whether the curve of the newest state has not come yet."""
        return self._curve.waiting

    @property
    def of_what(self) -> str:
        """What the mean is taken of, in words."""
        if self._data is None:
            return "random draws"
        opened = self._workspace.opened
        told_alike = opened is not None and opened.spec.condition.size and self._conditions is None
        return f"images of {self._data[0]}{', all under one condition' if told_alike else ''}"

    @property
    def _in_step(self) -> bool:
        """Whether the axis is of the model that is open: another may have been opened since."""
        return len(self._key) > 2 and self._key[2] is self._workspace.opened

    @property
    def position(self) -> float:
        """Where the edited latent stands on the axis."""
        state = self.state
        if state is None or self.axis is None or not self._in_step:
            return 0.0
        if isinstance(self.axis, ScaleAxis):
            return (
                0.0
                if state.condition is None
                else float(state.condition[self.axis.place(self.spec.condition)])
            )
        if isinstance(self.axis, Direction):
            return offset(state.latent, state.start, self.axis)
        return float(state.latent.reshape(-1)[self.axis])

    def use_data(
        self,
        name: str,
        latents: NDArray[np.float32] | None,
        conditions: NDArray[np.float32] | None = None,
    ) -> None:
        """Take the mean over encoded latents ``[n, ...]`` of that set from now on; None for random draws.

        They are the open model's: while another one is open the mean is of random draws. ``conditions`` are
        theirs ``[n, C]``; without them the edited picture's condition holds for all.
        """
        before = None if self._data is None else self._data[1]
        if latents is not before:
            opened = self._workspace.opened
            self._given = None if latents is None else (name, latents)
            self._conditions = conditions
            self._given_for = "" if opened is None else opened.sha256
            self._key = ()
            if self._active and self.ready:
                self.refresh()

    def watched(self, document: Document) -> tuple[object, ...]:
        """Return start, latent, directions, locks and the view."""
        explore, shelf = document.explore, document.shelf
        latent, start = (None, None) if explore is None else (explore.latent, explore.start)
        condition = None if explore is None else explore.condition
        return latent, start, condition, shelf.directions, shelf.locked, shelf.probe

    def refresh(self) -> None:
        """Render the curve anew, and the mean where the axis is another one."""
        state = self.state
        assert state is not None
        try:
            self.axis, self.refusal = self._chosen(), ""
        except SettingsError as error:
            self.axis, self.refusal = None, str(error)
            self._key = ()
            self.curve, self.bands = {}, {}
            self._curve.drop()
            self._mean.drop()
            self.axis_changed.emit()
            return
        opened, data = self._workspace.opened, None if self._data is None else id(self._data[1])
        key = (self.axis, self._held, opened, data, self._shared_condition())
        if key != self._key:
            self._key = key
            self._begin()
        elif not self.bands and not self._mean.waiting:
            self._go_on()  # it was not looked at for a while
        conditions = probe_conditions(self.spec, state.condition, self.axis, self.values)
        self._curve.ask(self.latents_at(self.values), conditions)

    def plan(self) -> ProbePlan | None:
        """Return what is to be rendered for what is shown; None where nothing is probed or predicted."""
        opened = self._workspace.opened
        if self.axis is None or self.state is None or opened is None or opened.predictor is None:
            return None
        if not self._in_step:
            return None
        conditions = probe_conditions(self.spec, self.state.condition, self.axis, self.values)
        mean = (self._mean_part(done) for done in range(0, self.count, AT_ONCE))
        return ProbePlan(
            axis=self.axis,
            values=self.values,
            mean_values=self.mean_values,
            classes={one.name: one.classes for one in opened.predictor.attributes if one.classes},
            parts=((self.latents_at(self.values), conditions), *mean),
            of_what=self.of_what,
            position=self.position,
        )

    def latents_at(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the edited latent at places of the axis ``[m]``, float32 ``[m, *latent_shape]``."""
        state = self.state
        assert state is not None
        assert self.axis is not None
        return probe_latents(self.spec, state.latent, state.start, self.axis, values, self._held)

    def condition_at(self, value: float) -> NDArray[np.float32] | None:
        """Return the condition at a place of the axis, ``[C]``; None where it is not what changes."""
        state = self.state
        if state is None or state.condition is None or not isinstance(self.axis, ScaleAxis):
            return None
        place = np.array([value], dtype=np.float32)
        found: NDArray[np.float32] = self.axis.conditions(self.spec.condition, state.condition, place)[0]
        return found

    def _shared_condition(self) -> bytes:
        """Return what the mean depends on of the edited picture's condition: nothing, where each has its own.

        The axis' own attribute is left out: the mean does not depend on how far one has gone.
        """
        state = self.state
        if state is None or state.condition is None or self._own_conditions is not None:
            return b""
        rest = np.array(state.condition)
        if isinstance(self.axis, ScaleAxis):
            rest[self.spec.condition.slice(self.axis.attribute)] = 0.0
        return rest.tobytes()

    @property
    def _own_conditions(self) -> NDArray[np.float32] | None:
        return None if self._data is None else self._conditions

    def _chosen(self) -> Probed:
        reference = self.shelf.probe.axis
        if reference.condition:
            return scale_axis(self.spec.condition, reference.condition)
        axes = self.axes([reference])
        if not axes:
            raise SettingsError("The direction that was probed is gone. Choose another axis.")
        if isinstance(axes[0], Direction):
            free_step(axes[0], self.shelf.locked)
        return axes[0]

    @property
    def _held(self) -> frozenset[int]:
        """The dimensions that are left as they are along the axis."""
        return self.shelf.locked if isinstance(self.axis, Direction) else frozenset()

    @property
    def _data(self) -> tuple[str, NDArray[np.float32]] | None:
        """The set whose mean is taken, as far as its latents are those of the open model."""
        opened = self._workspace.opened
        return self._given if opened is not None and opened.sha256 == self._given_for else None

    def _begin(self) -> None:
        assert self.axis is not None
        self.values = probe_values(self.spec, self.axis, POINTS)
        self.mean_values = probe_values(self.spec, self.axis, MEAN_POINTS)
        self.curve, self.bands, self._done = {}, {}, []
        self._curve.drop()
        self._mean.drop()
        self._usual = None
        opened = self._workspace.opened
        if opened is not None and opened.predictor is not None:
            with suppress(SettingsError):  # a prior that cannot be drawn from: there is no mean to show
                self._usual = usual_latents(self.spec, None if self._data is None else self._data[1])
        self.axis_changed.emit()
        self._go_on()

    def _go_on(self) -> None:
        state, done = self.state, sum(len(next(iter(one.values()))) for one in self._done)
        if state is None or self._usual is None or self.axis is None or done >= len(self._usual):
            return
        self._mean.ask(*self._mean_part(done))

    def _mean_part(self, done: int) -> Part:
        """Return the mean's next latents and conditions where so many of `count` are done."""
        state = self.state
        assert state is not None
        assert self.axis is not None
        assert self._usual is not None
        part = self._usual[done : done + AT_ONCE]
        latents = mean_latents(self.spec, part, self.axis, self.mean_values, self._held)
        theirs = None if state.condition is None else np.repeat(state.condition[None], len(part), axis=0)
        if self._own_conditions is not None:
            rows = usual_rows(len(self._own_conditions))
            theirs = self._own_conditions[rows][done : done + AT_ONCE]
        return latents, probe_conditions(self.spec, theirs, self.axis, self.mean_values)

    def _take_curve(self, frame: Frame) -> None:
        if len(frame.pixels) == len(self.values):
            self.curve = {name: np.asarray(rows) for name, rows in frame.attributes.items()}
            self.curve_changed.emit(frame)

    def _take_mean(self, frame: Frame) -> None:
        if not frame.attributes or self._usual is None or not self._active:
            return
        places = len(self.mean_values)
        self._done.append(
            {name: rows.reshape(-1, places, rows.shape[1]) for name, rows in frame.attributes.items()}
        )
        done = sum(len(next(iter(one.values()))) for one in self._done)
        if done >= len(self._usual):
            names = self._done[0].keys()
            self.bands = {name: band(np.concatenate([one[name] for one in self._done])) for name in names}
        self.bands_changed.emit(min(done, len(self._usual)))
        self._go_on()
