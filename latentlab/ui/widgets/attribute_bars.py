"""The chart of predicted attributes: bars of the input, the start and the edited picture side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget

from latentlab.operations.attribute_table import held_out_error
from latentlab.spec import Attribute, PredictorSpec
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.bars_painter import (
    BarLayout,
    Numbers,
    Series,
    label_of,
    lay_out,
    paint_bars,
    paint_ground,
    paint_legend,
    small_font,
)
from latentlab.ui.widgets.tips import answered_tip

LEAST, TALLEST = 100, 250
_ORDER = ("input", "start", "edited")

Probabilities = Mapping[str, NDArray[np.float32]]


class Legend(QWidget):
    """Says which colour stands for which picture, and on the right, where there is room, who predicts."""

    def __init__(self, bars: AttributeBars, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bars, self._theme = bars, theme
        self._source = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(self.fontMetrics().height())
        bars.series_changed.connect(self.update)
        theme.changed.connect(self.update)

    @property
    def wanted(self) -> int:
        """The width that the pictures' titles take."""
        titles = sum(self.fontMetrics().horizontalAdvance(one.title) + 38 for one in self._bars.series)
        return titles - 18 if titles else 0

    def changeEvent(self, event: QEvent) -> None:
        """Be as high as the letters are."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.setFixedHeight(self.fontMetrics().height())

    def set_source(self, text: str) -> None:
        """Say whose predictions they are."""
        self._source = text
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the pictures' titles after their colours."""
        painter = QPainter(self)
        used = paint_legend(painter, QPointF(0, 0), self._bars.series, self._theme.colours, self.font())
        small = small_font(self.font())
        if used + QFontMetrics(small).horizontalAdvance(self._source) < self.width():
            painter.setFont(small)
            painter.setPen(self._theme.colour("muted"))
            right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            painter.drawText(self.rect(), right, self._source)
        painter.end()


class BarsArea(QScrollArea):
    """Shows the chart in full where there is room, and lets one scroll where there is not."""

    def __init__(self, bars: AttributeBars, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bars = bars
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Predicted attributes")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.setWidget(bars)
        bars.laid_out.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        """Return the chart's height, within bounds."""
        return QSize(640, min(TALLEST, self._bars.sizeHint().height()))

    def minimumSizeHint(self) -> QSize:
        """Return the height of an attribute with two classes."""
        return QSize(200, min(LEAST, self._bars.sizeHint().height()))


class AttributeBars(QWidget):
    """Painted by hand, so that a frame's bars appear in the same paint as its picture."""

    painted = Signal(int)
    series_changed = Signal()
    laid_out = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._spec: PredictorSpec | None = None
        self._series: dict[str, Series] = {}
        self._layout = BarLayout()
        self._ground: QPixmap | None = None
        self._numbers = Numbers(self.font())
        self._generation = 0
        self._changes = False
        self.painted_generation = 0
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Predicted attributes")
        theme.changed.connect(self._forget_ground)

    def set_predictor(self, spec: PredictorSpec | None) -> None:
        """Show this predictor's attributes from now on."""
        self._spec = spec
        self._series = {}
        self._lay_out()

    def show_series(self, role: str, title: str, probabilities: Probabilities | None) -> None:
        """Show one picture's probabilities; ``role`` is input, start or edited, None takes its bars away."""
        had = role in self._series
        before = self._series[role].title if had else title
        if probabilities:
            self._series[role] = Series(title, role, probabilities)
        else:
            self._series.pop(role, None)
        if had != (role in self._series) or title != before:
            self._ground = None
            self.series_changed.emit()
        elif role != _ORDER[-1]:
            self._ground = None
        self.update()

    def show_changes(self, changes: bool) -> None:
        """Show beside the numbers how many points they changed since the start or pin, or not."""
        if changes != self._changes:
            self._changes = changes
            self._lay_out()

    def show_frame(self, probabilities: Probabilities, generation: int) -> None:
        """Show the edited picture's probabilities; `painted` then tells the generation."""
        self._generation = generation
        self.show_series("edited", "Edited", probabilities)

    @property
    def series(self) -> list[Series]:
        """What is shown, in the order of the pictures."""
        return [self._series[role] for role in _ORDER if role in self._series]

    def describe(self) -> None:
        """Tell assistive programs the edited picture's most probable classes."""
        edited = self._series.get("edited")
        if edited is None or self._spec is None:
            self.setAccessibleDescription("")
            return
        parts = []
        for attribute in (block.attribute for block in self._layout.blocks):
            values = edited.probabilities[attribute.name]
            best = int(np.argmax(values))
            parts.append(f"{label_of(attribute.name)}: {attribute.classes[best]} {100 * values[best]:.0f}%")
        self.setAccessibleDescription("; ".join(parts))

    def sizeHint(self) -> QSize:
        """Return the size that all blocks take."""
        return QSize(640, self._layout.height)

    def minimumSizeHint(self) -> QSize:
        """Return the least size."""
        return QSize(200, self._layout.height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the blocks anew."""
        self._lay_out()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint what stays from a picture of it, and the last picture's bars and numbers anew."""
        series = self.series
        if self._ground is None:
            self._ground = self._paint_ground(series)
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._ground)
        if series:
            paint_bars(painter, self._layout, series, [len(series) - 1], self._theme.colours)
            since = self._series.get("start") if self._changes and "edited" in self._series else None
            self._numbers.paint(painter, self._layout, series[-1], self._theme.colours, since)
        painter.end()
        self.painted_generation = self._generation
        self.painted.emit(self._generation)

    def event(self, event: QEvent) -> bool:
        """Show all numbers of the row under the pointer, and the predictor's own errors."""
        return answered_tip(self, event, self.tip_at) or super().event(event)

    def tip_at(self, point: QPoint) -> str:
        """Return what the tool tip says at a point."""
        for block in self._layout.blocks:
            if block.title.contains(point):
                return self._error_text(block.attribute)
            for k, row in enumerate(block.rows):
                if row.area().contains(point):
                    name = f"{label_of(block.attribute.name)}: {block.attribute.classes[k]}"
                    values = (
                        f"{one.title} {100 * float(one.probabilities[block.attribute.name][k]):.1f}%"
                        for one in self.series
                    )
                    return "\n".join([name, *values])
        return ""

    def _error_text(self, attribute: Attribute) -> str:
        assert self._spec is not None
        error = held_out_error(self._spec, attribute)
        if error is None:
            return f"How often the predictor errs on {label_of(attribute.name).lower()} was not measured."
        counts = self._spec.confusion[attribute.name].array()
        source = self._spec.confusion_source or "held-out pictures"
        lines = [
            f"On {counts.sum():,} pictures ({source}) the predictor is wrong about "
            f"{label_of(attribute.name).lower()} {100 * error:.2f}% of the time, balanced over the classes."
        ]
        lines += [
            f"{attribute.classes[k]}: {row[k]:,} of {row.sum():,} right" for k, row in enumerate(counts)
        ]
        return "\n".join(lines)

    def _paint_ground(self, series: list[Series]) -> QPixmap:
        scale = self.devicePixelRatioF()
        ground = QPixmap(self.size() * scale)
        ground.setDevicePixelRatio(scale)
        ground.fill(self._theme.colour("surface"))
        painter = QPainter(ground)
        if series:
            paint_ground(painter, self._layout, len(series), self._theme.colours, self.font())
            paint_bars(painter, self._layout, series, range(len(series) - 1), self._theme.colours)
        painter.end()
        return ground

    def _forget_ground(self) -> None:
        self._ground = None
        self.update()

    def _lay_out(self) -> None:
        self._numbers = Numbers(self.font())
        before = self._layout.height
        # Always with room for all three pictures' bars, so that nothing moves when there is no input.
        self._layout = (
            BarLayout()
            if self._spec is None
            else lay_out(self._spec, self.width(), len(_ORDER), self.font(), changes=self._changes)
        )
        if self._layout.height != before:
            self.setMinimumHeight(self._layout.height)
            self.laid_out.emit()
        self._forget_ground()
