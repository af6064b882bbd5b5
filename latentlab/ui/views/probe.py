"""The probe view: how probable an attribute's classes are along an axis, for this picture and on average."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from latentlab.live.frames import Frame
from latentlab.operations.direction import Direction
from latentlab.operations.latents import ranking
from latentlab.operations.probe import Probe, Probed, probed_name
from latentlab.operations.scale_axis import ScaleAxis
from latentlab.session.document import AxisRef
from latentlab.session.intents import Intents
from latentlab.session.probe import ProbeCurves, ProbePlan
from latentlab.session.workspace import Workspace
from latentlab.spec import Attribute
from latentlab.ui.theme import Theme
from latentlab.ui.widgets import probe_plot as plot
from latentlab.ui.widgets.axis_choice import AxisChoice
from latentlab.ui.widgets.bars_painter import label_of
from latentlab.ui.widgets.form import caption
from latentlab.ui.widgets.probe_chart import ProbeChart


class ProbePage(QWidget):
    """The chart; ``controls`` choose the axis and the attribute."""

    def __init__(
        self, workspace: Workspace, intents: Intents, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace, self._intents = workspace, intents
        self.follower = ProbeCurves(workspace)
        self.chart = ProbeChart(theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.chart)
        self.controls = QWidget()
        self._axis = AxisChoice("Axis of the probe", scales=True)
        self._attribute = QComboBox()
        self._attribute.setAccessibleName("Attribute of the probe")
        self._attribute.setToolTip("Which attribute's probability is shown")
        row = QHBoxLayout(self.controls)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for widget in (
            caption("Along", self._axis),
            self._axis,
            caption("Attribute", self._attribute),
            self._attribute,
        ):
            row.addWidget(widget)
        self._shown: tuple[object, ...] = ()
        self._axis.chosen.connect(self._choose_axis)
        self._attribute.activated.connect(lambda _index: self._choose_attribute())
        self.follower.axis_changed.connect(self._show_axis)
        self.follower.curve_changed.connect(self._show_curve)
        self.follower.bands_changed.connect(self._show_bands)
        self.chart.went_to.connect(self._go_to)

    @property
    def attribute(self) -> Attribute | None:
        """The attribute that is shown, None without a predictor."""
        opened = self._workspace.opened
        if opened is None or opened.predictor is None:
            return None
        known = [one for one in opened.predictor.attributes if one.classes]
        wanted = self._workspace.session.document.shelf.probe.attribute
        return next((one for one in known if one.name == wanted), known[0] if known else None)

    def show_document(self) -> None:
        """Show how the probe is set, and where the latent stands."""
        opened = self._workspace.opened
        if opened is None:
            return
        shelf = self._workspace.session.document.shelf
        self._axis.show_axes(opened.spec, shelf.directions)
        self._axis.show_choice(self._axis_chosen())
        attribute = self.attribute
        names = [one.name for one in opened.predictor.attributes if one.classes] if opened.predictor else []
        with QSignalBlocker(self._attribute):
            if [self._attribute.itemData(k) for k in range(self._attribute.count())] != names:
                self._attribute.clear()
                for name in names:
                    self._attribute.addItem(label_of(name), name)
            if attribute is not None:
                self._attribute.setCurrentIndex(names.index(attribute.name))
        if attribute is None:
            self.chart.show_nothing("No attribute predictor fits this model, so there is nothing to probe.")
            return
        key = (attribute, opened.token)
        if key != self._shown:
            self._shown = key
            self.chart.set_attribute(label_of(attribute.name), attribute.classes)
            self._show_all()
        if self.follower.axis is not None:
            self.chart.set_position(self.follower.position)

    def drawn(self, found: Probe, plan: ProbePlan, attribute: Attribute) -> plot.Probe:
        """Return what was measured as the chart draws it."""
        title, unit = axis_words(plan.axis)
        one = found.bands.get(attribute.name)
        mean = None if one is None else plot.SetMean(plan.mean_values, one.mean, one.low, one.high, one.count)
        return plot.Probe(
            axis=title,
            unit=unit,
            positions=plan.values,
            attribute=label_of(attribute.name),
            classes=attribute.classes,
            curve=found.curve[attribute.name],
            mean=mean,
            here=plan.position,
            of_what=plan.of_what,
        )

    def _axis_chosen(self) -> AxisRef:
        axis, opened = self._workspace.session.document.shelf.probe.axis, self._workspace.opened
        if axis.condition or axis.direction or axis.dimension >= 0 or opened is None:
            return axis
        return AxisRef(int(ranking(opened.spec)[0]))

    def _choose_axis(self, axis: AxisRef) -> None:
        self._intents.shelf.set_probe(replace(self._workspace.session.document.shelf.probe, axis=axis))

    def _choose_attribute(self) -> None:
        view = replace(self._workspace.session.document.shelf.probe, attribute=self._attribute.currentData())
        self._intents.shelf.set_probe(view)

    def _show_axis(self) -> None:
        axis = self.follower.axis
        if axis is None:
            self.chart.show_nothing(self.follower.refusal)
            return
        title, unit = axis_words(axis)
        self.chart.set_axis(title, self.follower.values, unit)
        self.chart.set_position(self.follower.position)
        self.chart.set_mean_of(self.follower.of_what)
        self.chart.show_mean(None)
        self.chart.show_mean_progress(0, self.follower.count)

    def _show_all(self) -> None:
        attribute = self.attribute
        if attribute is not None and attribute.name in self.follower.curve:
            self.chart.show_curve(self.follower.curve[attribute.name], 0)
            self._show_bands(self.follower.count)

    def _show_curve(self, frame: Frame) -> None:
        attribute = self.attribute
        if attribute is not None and attribute.name in frame.attributes:
            self.chart.show_curve(np.asarray(frame.attributes[attribute.name]), frame.generation)
            self.chart.set_position(self.follower.position)

    def _show_bands(self, done: int) -> None:
        attribute = self.attribute
        found = None if attribute is None else self.follower.bands.get(attribute.name)
        if found is None:
            self.chart.show_mean_progress(done, self.follower.count)
        else:
            places = self.follower.mean_values
            self.chart.show_mean(found.mean, found.low, found.high, found.count, places)

    def _go_to(self, value: float) -> None:
        axis = self.follower.axis
        if axis is None or self._workspace.opened is None:
            return
        condition = self.follower.condition_at(value)
        if condition is not None:
            self._intents.condition.set(condition, f"Go to {value:.2f} on {probed_name(axis)}")
        else:
            latent = self.follower.latents_at(np.array([value], dtype=np.float32))[0]
            self._intents.go_along(latent, f"Go to {value:.2f} on {probed_name(axis)}")


def axis_words(axis: Probed) -> tuple[str, str]:
    """Return what a probe's axis is called on the chart, and its unit."""
    if isinstance(axis, ScaleAxis):
        label = f" {label_of(axis.label).lower()}" if axis.label else ""
        return f"{label_of(axis.attribute)}{label}", "scale; 1 as trained"
    return (axis.name, "σ from the start") if isinstance(axis, Direction) else (f"Dimension {axis}", "value")
