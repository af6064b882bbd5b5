"""Choices of axes: one to pick from a list, or several to type."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QWidget

from latentlab.errors import SettingsError
from latentlab.operations.direction import Direction
from latentlab.operations.latents import ranking
from latentlab.session.document import AxisRef
from latentlab.spec import ConditionSchema, ModelSpec
from latentlab.ui.widgets.bars_painter import label_of

STRONGEST, ALL_DIRECTIONS = "Strongest dimensions", "All directions"
LISTED = 256
"""Dimensions that are listed at most; the one that is chosen is listed too."""


class AxisChoice(QComboBox):
    """Offers the directions, then the dimensions, strongest first; with ``scales`` the scales of classes."""

    chosen = Signal(object)

    def __init__(self, name: str, scales: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scales = scales
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(17 if scales else 11)
        self.setMaxVisibleItems(20)
        self._shown: tuple[object, ...] = ()
        self.activated.connect(self._tell)

    def show_axes(self, spec: ModelSpec, directions: Sequence[Direction]) -> None:
        """Offer these directions and the dimensions of this model."""
        names = tuple(one.name for one in directions)
        if self._shown == (spec, names):
            return
        self._shown = (spec, names)
        with QSignalBlocker(self):
            current = self.currentData()
            self.clear()
            if self._scales:
                for text in _classes(spec.condition):
                    name, _, label = text.partition("=")
                    said = f"{label_of(name)}: {label_of(label)}" if label else label_of(name)
                    self.addItem(f"Scale of {said}", AxisRef(condition=text))
            self._part()
            for name in names:
                self.addItem(name, AxisRef(direction=name))
            if names:
                self._part()
            for dimension in ranking(spec)[:LISTED].tolist():
                self.addItem(f"Dimension {dimension}", AxisRef(dimension))
            self.show_choice(current)

    def show_choice(self, axis: AxisRef | None) -> None:
        """Show which axis is chosen; None and a direction that is gone leave the box empty."""
        with QSignalBlocker(self):
            for k in range(self.count()):
                if self.itemData(k) == axis:
                    self.setCurrentIndex(k)
                    return
            if axis is None or axis.direction or axis.condition:
                self.setCurrentIndex(-1)
            else:  # one of those that are not listed
                self.addItem(f"Dimension {axis.dimension}", axis)
                self.setCurrentIndex(self.count() - 1)

    def _part(self) -> None:
        if self.count():
            self.insertSeparator(self.count())

    def _tell(self, _index: int) -> None:
        axis = self.currentData()
        if isinstance(axis, AxisRef):
            self.chosen.emit(axis)


def _classes(schema: ConditionSchema) -> list[str]:
    """Return every class of a condition as an axis is called (`latentlab.operations.scale_axis`)."""
    return [
        f"{one.name}={label}" if label else one.name
        for one in schema.attributes
        for label in one.classes or ("",)
    ]


class AxesChoice(QComboBox):
    """Offers ready sets of axes, and takes a list that is typed: ``3, 17, glasses=yes``."""

    chosen = Signal(object)
    refused = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._directions: tuple[Direction, ...] = ()
        self._size = 0
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setAccessibleName(name)
        self.setToolTip(f"{name}: choose, or type dimensions and directions, such as 3, 17, glasses=yes")
        self.setMinimumContentsLength(len(STRONGEST))
        line = self.lineEdit()
        assert line is not None
        line.setAcceptDrops(False)
        line.returnPressed.connect(self._take)
        self.activated.connect(lambda _index: self._take())

    def show_axes(self, spec: ModelSpec, directions: Sequence[Direction], chosen: Sequence[AxisRef]) -> None:
        """Offer what there is, and show which axes are chosen."""
        self._directions, self._size = tuple(directions), spec.latent_size
        line = self.lineEdit()
        assert line is not None
        if line.hasFocus() and line.isModified():
            return
        with QSignalBlocker(self):
            self.clear()
            self.addItem(STRONGEST)
            if directions:
                self.addItem(ALL_DIRECTIONS)
            self.setEditText(self._text_of(chosen))
            line.setCursorPosition(0)

    def _text_of(self, chosen: Sequence[AxisRef]) -> str:
        if not chosen:
            return STRONGEST
        names = [axis.direction or str(axis.dimension) for axis in chosen]
        every = [one.name for one in self._directions]
        return ALL_DIRECTIONS if every and names == every else ", ".join(names)

    def _take(self) -> None:
        line = self.lineEdit()
        assert line is not None
        line.setModified(False)
        try:
            self.chosen.emit(self.read(self.currentText()))
        except SettingsError as error:
            self.refused.emit(str(error))

    def read(self, text: str) -> tuple[AxisRef, ...]:
        """Read a list of axes.

        Raises
        ------
        SettingsError
            If one is neither a dimension of the model nor a direction there is.
        """
        text = text.strip()
        if text in ("", STRONGEST):
            return ()
        if text == ALL_DIRECTIONS:
            return tuple(AxisRef(direction=one.name) for one in self._directions)
        known = {one.name.strip(): AxisRef(direction=one.name) for one in self._directions}
        axes = []
        for word in _words(text, known):
            number = word.removeprefix("z").strip()
            if word in known:
                axes.append(known[word])
            elif number.isdigit() and int(number) < self._size:
                axes.append(AxisRef(int(number)))
            elif word:
                raise SettingsError(
                    f"{word!r} is neither a dimension (0 to {self._size - 1}) nor a direction of this model."
                )
        return tuple(axes)


def _words(text: str, known: Collection[str]) -> Iterator[str]:
    """Return what stands between the commas of a list; a known name may hold commas, the longest counts."""
    parts = text.split(",")
    first = 0
    while first < len(parts):
        ends = range(len(parts), first, -1)
        end = next((k for k in ends if ",".join(parts[first:k]).strip() in known), first + 1)
        yield ",".join(parts[first:end]).strip()
        first = end
