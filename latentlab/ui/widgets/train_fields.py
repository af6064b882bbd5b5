"""Controls of the training's form that others have not: a logarithmic slider, shares of groups, numbers."""

from __future__ import annotations

from collections.abc import Mapping
from math import log10
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from latentlab.session.train_faces import Axis, FacesFound
from latentlab.session.train_figures import words_of_group
from latentlab.session.train_plan import TrainField
from latentlab.ui.theme import Theme, numerals
from latentlab.ui.widgets.audit_fields import BoxField, ChoiceField, Field, SetField, TextField
from latentlab.ui.widgets.bars_painter import label_of
from latentlab.ui.widgets.boxes import DoubleSpinBox
from latentlab.ui.widgets.dimension_slider import DimensionSlider
from latentlab.ui.widgets.form import caption, number_box, set_up_number

FINE = 0.05
"""Steps of a logarithmic slider, in decades."""
COUNTING = "The faces are being counted…"


class DecimalBox(DoubleSpinBox):
    """A number with decimals, of which those at the end that are 0 are not written."""

    def __init__(self, one: TrainField) -> None:
        super().__init__()
        self.setDecimals(one.decimals)
        self.setRange(one.least, one.most)
        self.setSingleStep(10.0 ** -max(1, one.decimals - 1))
        set_up_number(self, one.title, one.tip)
        self.setFixedWidth(88)

    def textFromValue(self, value: float) -> str:
        """Write a number as short as it can be."""
        text = f"{value:.{self.decimals()}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


class NumberField(BoxField):
    """A number with decimals."""

    def __init__(self, one: TrainField) -> None:
        box = DecimalBox(one)
        super().__init__(one.title, box)
        box.valueChanged.connect(lambda value: self.wished.emit(round(value, one.decimals)))


class WholeField(BoxField):
    """A whole number."""

    def __init__(self, one: TrainField) -> None:
        box = number_box(one.title, one.tip, round(one.least), round(one.most), 88)
        if not one.least and one.none:
            box.setSpecialValueText(one.none)
        super().__init__(one.title, box)
        box.valueChanged.connect(self.wished.emit)


class LogField(Field):
    """A number on a logarithmic slider, and in a box beside it."""

    def __init__(self, one: TrainField, theme: Theme) -> None:
        super().__init__(one.title)
        self._one = one
        self.slider = DimensionSlider(log10(one.least), log10(one.most), FINE, theme)
        self.slider.setAccessibleName(f"{one.title}, logarithmic slider")
        self.slider.setToolTip(f"{one.tip}. A double click returns to {one.default:g}")
        self.box = DecimalBox(one)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.slider, 1)
        row.addWidget(self.box)
        self.title.setBuddy(self.box)
        self._column.addWidget(self.title)
        self._column.addLayout(row)
        self._column.addWidget(self.reason)
        self.slider.value_moved.connect(lambda exponent: self._wish(10.0**exponent))
        self.slider.reset_asked.connect(lambda: self.wished.emit(one.default))
        self.box.valueChanged.connect(self._wish)

    @property
    def controls(self) -> list[QWidget]:
        """What the Tab key reaches, in order."""
        return [self.slider, self.box]

    def show_value(self, value: float) -> None:
        """Show the number."""
        with QSignalBlocker(self.box):
            self.box.setValue(value)
        self.slider.show_value(log10(value), log10(float(self._one.default)))  # type: ignore[arg-type]

    def _wish(self, value: float) -> None:
        shown = float(f"{value:.2g}")
        self.wished.emit(min(self._one.most, max(self._one.least, shown)))


class RatiosField(Field):
    """Shares of groups on sliders, and the counts of faces that come of them.

    ``wished`` tells ratios as text; those that no slider shows stay as they are.
    """

    def __init__(self, one: TrainField, theme: Theme) -> None:
        super().__init__(one.title)
        self._theme = theme
        self._value: tuple[str, ...] = ()
        self._found = FacesFound()
        self.as_in_set = QCheckBox("as in the set")
        self.as_in_set.setToolTip("Take all faces of the set, however they are shared among the groups")
        self.sliders: dict[str, tuple[Axis, DimensionSlider, QLabel]] = {}
        self._inner = QWidget()
        self._rows = QVBoxLayout(self._inner)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(0)
        self.counts = QWidget()
        self.counts.setAccessibleName("Faces of each group")
        self._grid = QGridLayout(self.counts)
        self._grid.setContentsMargins(0, 2, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(1)
        self._grid.setColumnStretch(0, 1)
        self.total = caption("")
        self.total.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(self.title, 1)
        row.addWidget(self.as_in_set)
        self._column.addLayout(row)
        self._column.addWidget(self._inner)
        self._column.addWidget(self.counts)
        self._column.addWidget(self.total)
        self._column.addWidget(self.reason)
        self.as_in_set.clicked.connect(self._toggle)

    @property
    def controls(self) -> list[QWidget]:
        """What the Tab key reaches, in order."""
        return [self.as_in_set, *(slider for _, slider, _ in self.sliders.values())]

    def show_value(self, value: tuple[str, ...]) -> None:
        """Show the shares."""
        self._value = value
        self.as_in_set.setChecked(not value)
        for place, (axis, slider, label) in enumerate(self.sliders.values()):
            own = self._found.shares[place] if place < len(self._found.shares) else 0.5
            share = axis.share(value)
            here = own if share is None else share
            slider.show_value(100.0 * here, 100.0 * own)
            free = "" if share is not None else "  (as in the set)"
            text = f"{here:.0%} {axis.first_name} · {1 - here:.0%} {axis.second_name}{free}"
            label.setText(text)
            slider.setAccessibleDescription(text)

    def show_found(self, found: FacesFound, waiting: bool) -> bool:
        """Show what comes of the shares; return whether there are other sliders than before."""
        self._found = found
        other = tuple(axis for axis, _, _ in self.sliders.values()) != found.axes
        if other:
            self._build(found.axes)
        self.show_value(self._value)
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = None if item is None else item.widget()
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()
        for place, (group, (now, there)) in enumerate(found.groups.items()):
            name, count = caption(label_of(words_of_group(group))), QLabel(f"{now:,}")
            count.setFont(numerals(count.font()))
            of = caption(f"of {there:,}")
            of.setFont(numerals(of.font()))
            for column, widget in enumerate((name, count, of)):
                aligned = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
                self._grid.addWidget(widget, place, column, aligned)
        said = [f"{words_of_group(group)} {now:,}" for group, (now, _) in found.groups.items()]
        self.counts.setAccessibleDescription(", ".join(said))
        self.total.setText(COUNTING if waiting else f"{found.total:,} of {found.there:,} faces")
        self.total.setVisible(waiting or not found.wrong)
        self.unread = "" if waiting else found.wrong
        return other

    def _build(self, axes: tuple[Axis, ...]) -> None:
        for _, slider, label in self.sliders.values():
            for widget in (slider, label):
                widget.setParent(None)
                widget.deleteLater()
        self.sliders = {}
        for axis in axes:
            label = caption("")
            label.setFont(numerals(label.font()))
            slider = DimensionSlider(0.0, 100.0, 1.0, self._theme)
            slider.setSingleStep(1)
            slider.setAccessibleName(f"Share of {axis.first_name} faces")
            slider.setToolTip(f"Share of {axis.first_name} faces, the others are {axis.second_name}")
            slider.value_moved.connect(lambda percent, axis=axis: self._move(axis, percent / 100.0))
            slider.reset_asked.connect(lambda axis=axis: self._free(axis))
            self._rows.addWidget(label)
            self._rows.addWidget(slider)
            self.sliders[axis.attribute] = (axis, slider, label)

    def _without(self, axis: Axis) -> tuple[str, ...]:
        return tuple(text for text in self._value if text.partition("=")[0].strip() != axis.attribute)

    def _move(self, axis: Axis, share: float) -> None:
        order = [text.partition("=")[0].strip() for text in self._value]
        place = order.index(axis.attribute) if axis.attribute in order else len(order)
        others = list(self._without(axis))
        others.insert(place, axis.ratio(share))
        self.wished.emit(tuple(others))

    def _free(self, axis: Axis) -> None:
        self.wished.emit(self._without(axis))

    def _toggle(self, on: bool) -> None:
        if on:
            self.wished.emit(())
            return
        found = zip(self.sliders.values(), self._found.shares, strict=False)
        ratios = tuple(axis.ratio(round(share, 2)) for (axis, _, _), share in found)
        self.as_in_set.setChecked(not ratios)
        self.wished.emit(ratios[:2])


class CheckpointField(SetField):
    """A checkpoint: a bundled one by its name, or a folder."""

    def __init__(self, one: TrainField) -> None:
        super().__init__(one.title, one.tip, f"Choose the folder of: {one.title.lower()}")
        self.line.setPlaceholderText("none")

    def offer(self, names: Mapping[str, str]) -> None:
        """Offer checkpoints by name, and none."""
        super().offer({"": "none", **names})


def make_field(one: TrainField, theme: Theme) -> Field:
    """Return the control of a field."""
    if one.kind == "whole":
        return WholeField(one)
    if one.kind == "number":
        return NumberField(one)
    if one.kind == "log":
        return LogField(one, theme)
    if one.kind == "ratios":
        return RatiosField(one, theme)
    if one.kind == "checkpoint":
        return CheckpointField(one)
    if one.kind == "set":
        return SetField(one.title, one.tip, "Choose a folder of pictures")
    if one.kind == "choice":
        field = ChoiceField(one.title, one.tip)
        field.offer(dict(one.choices))
        return field
    return TextField(one.title, one.tip, str(one.default) or "all")


def short_name(name: str) -> str:
    """Return a checkpoint's name without its folders."""
    return Path(name).name or name
