"""The canvas's tools and what they are set by: a column of buttons, colours, size, hardness, shape."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QColorDialog,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from latentlab.operations.painting import Brush, Colour
from latentlab.ui.icons import icon
from latentlab.ui.theme import Theme, numerals
from latentlab.ui.widgets.boxes import SpinBox
from latentlab.ui.widgets.dimension_slider import DimensionSlider
from latentlab.ui.widgets.paint_canvas import STROKES, TOOLS, CanvasTool, Shape

BUTTON, SWATCH, OWN = 34, 22, 34
"""Sides of a tool's button, of a colour, and of the colour that the brush has."""
SWATCHES = 10
FIRST = ((0, 0, 0), (255, 255, 255))
"""Colours that are offered for every picture, before its own."""
HARDNESS, SIZE = 80, 10
"""At first: in percent; and the share of the picture's side that the brush has, as its inverse."""
MOVE_HINT = "Drag to select, then drag the selection."


class Swatch(QAbstractButton):
    """A colour to choose."""

    def __init__(self, colour: Colour, side: int, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.colour, self.chosen = colour, False
        self.setFixedSize(side, side)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.show_colour(colour)

    def show_colour(self, colour: Colour, name: str = "") -> None:
        """Show another colour."""
        self.colour = colour
        self.setAccessibleName(f"{name or 'Colour'} {colour_name(colour)}")
        self.update()

    def sizeHint(self) -> QSize:
        """Return its size."""
        return self.size()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the colour, framed where it is the brush's or has the focus."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        framed = self.chosen or self.hasFocus()
        if framed:
            painter.setPen(QPen(self._theme.colour("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, 6, 6)
            box = box.adjusted(3, 3, -3, -3)
        painter.setPen(QPen(self._theme.colour("faint" if self.underMouse() else "line"), 1))
        painter.setBrush(QColor(*self.colour))
        painter.drawRoundedRect(box, 4, 4)
        painter.end()


class _Setting(QWidget):
    """A whole number by slider and box."""

    moved = Signal(int)

    def __init__(self, text: str, name: str, low: int, high: int, unit: str, theme: Theme) -> None:
        super().__init__()
        self.usual = low
        self.slider = DimensionSlider(low, high, 1, theme)
        self.slider.setSingleStep(1)
        self.slider.setAccessibleName(name)
        self.spin = SpinBox()
        self.spin.setRange(low, high)
        self.spin.setSuffix(unit)
        self.spin.setAccessibleName(f"{name}, value")
        self.spin.setKeyboardTracking(False)
        self.spin.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.spin.setFont(numerals(self.spin.font()))
        self.spin.setFixedWidth(54)
        self.spin.lineEdit().setAcceptDrops(False)
        caption = QLabel(text)
        caption.setProperty("role", "caption")
        caption.setBuddy(self.slider)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(caption)
        row.addWidget(self.slider, 1)
        row.addWidget(self.spin)
        self.slider.value_moved.connect(lambda value: self.moved.emit(round(value)))
        self.spin.valueChanged.connect(self.moved)
        self.slider.reset_asked.connect(lambda: self.moved.emit(self.usual))

    @property
    def value(self) -> int:
        """What is shown."""
        return self.spin.value()

    def show_value(self, value: int) -> None:
        """Show a value; tells nobody."""
        with QSignalBlocker(self.spin):
            self.spin.setValue(value)
        self.slider.show_value(self.spin.value(), self.usual)

    def set_range(self, low: int, high: int, usual: int) -> None:
        """Have other ends, and another value that a double click returns to."""
        self.usual = usual
        with QSignalBlocker(self.spin), QSignalBlocker(self.slider):
            self.spin.setRange(low, high)
            self.slider.setRange(low, high)
        self.show_value(self.value)


class ToolColumn(QWidget):
    """The tools, one of which is chosen, and the brush's colour below them."""

    chosen = Signal(str)
    colour_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.buttons: dict[CanvasTool, QToolButton] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for tool in TOOLS:
            button = QToolButton()
            button.setCheckable(True)
            button.setAccessibleName(tool.title)
            button.setToolTip(f"{tool.title} ({tool.key})\n{tool.tip}")
            button.setFixedSize(BUTTON, BUTTON)
            button.setIconSize(QSize(20, 20))
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.clicked.connect(lambda _checked, tool=tool.id: self.chosen.emit(tool))
            column.addWidget(button)
            self.buttons[tool.id] = button
        self.colour = Swatch((0, 0, 0), OWN, theme)
        self.colour.setToolTip("The brush's colour; press to choose any other")
        self.colour.clicked.connect(self.colour_asked)
        column.addSpacing(4)
        column.addWidget(self.colour)
        column.addStretch(1)
        theme.changed.connect(self._draw_icons)
        self._draw_icons()

    def show_tool(self, tool: CanvasTool) -> None:
        """Show which tool is chosen."""
        for one, button in self.buttons.items():
            button.setChecked(one == tool)

    def _draw_icons(self) -> None:
        colour = self._theme.colour
        for tool in TOOLS:
            self.buttons[tool.id].setIcon(icon(tool.icon, colour("text"), colour("faint")))


class PaintSettings(QWidget):
    """Colours of the picture, and size and hardness of the brush or the shape of the selection."""

    colour_chosen = Signal(tuple)
    brush_changed = Signal(Brush)
    shape_chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._side = 0
        self.swatches = [Swatch((0, 0, 0), SWATCH, theme) for _ in range(SWATCHES)]
        self.size_row = _Setting("Size", "Brush size", 1, 32, " px", theme)
        self.hardness = _Setting("Hardness", "Brush hardness", 0, 100, " %", theme)
        self.size_row.setToolTip("Across, in the model's own pixels ([ and ] on the canvas)")
        self.hardness.setToolTip("From an edge that is soft as far as the middle to a sharp one")
        self.hardness.usual = HARDNESS
        self.hardness.show_value(HARDNESS)
        self.shapes: dict[Shape, QToolButton] = {}
        colours = QHBoxLayout()
        colours.setContentsMargins(0, 0, 0, 0)
        colours.setSpacing(5)
        for swatch in self.swatches:
            swatch.setToolTip("Paint with this colour of the picture")
            swatch.clicked.connect(
                lambda _checked=False, swatch=swatch: self.colour_chosen.emit(swatch.colour)
            )
            colours.addWidget(swatch)
        colours.addStretch(1)
        self._stack = QStackedWidget()
        self._stack.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._strokes = self._brush_row()
        self._stack.addWidget(self._strokes)
        self._stack.addWidget(self._shape_row())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(colours)
        layout.addWidget(self._stack)
        self.size_row.moved.connect(lambda value: self._set(self.size_row, value))
        self.hardness.moved.connect(lambda value: self._set(self.hardness, value))
        self.show_colours(())

    def _brush_row(self) -> QWidget:
        row, page = QHBoxLayout(), QWidget()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self.size_row, 1)
        row.addWidget(self.hardness, 1)
        page.setLayout(row)
        return page

    def _shape_row(self) -> QWidget:
        row, page = QHBoxLayout(), QWidget()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        shapes: tuple[tuple[Shape, str], ...] = (("rectangle", "Rectangle"), ("ellipse", "Round"))
        for shape, title in shapes:
            button = QToolButton()
            button.setText(title)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setCheckable(True)
            button.setChecked(shape == "rectangle")
            button.setAccessibleName(f"{title} selection")
            button.setProperty("role", "switch")
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.clicked.connect(lambda _checked, shape=shape: self.shape_chosen.emit(shape))
            row.addWidget(button)
            self.shapes[shape] = button
        hint = QLabel(MOVE_HINT)
        hint.setProperty("role", "caption")
        hint.setWordWrap(True)
        row.addSpacing(6)
        row.addWidget(hint, 1)
        page.setLayout(row)
        self._theme.changed.connect(self._draw_icons)
        self._draw_icons()
        return page

    @property
    def brush(self) -> Brush:
        """The brush as it is set."""
        return Brush(self.size_row.value / 2, self.hardness.value / 100)

    @property
    def controls(self) -> list[QWidget]:
        """All controls in the order of the Tab key."""
        rows = (self.size_row, self.hardness)
        return [
            *self.swatches,
            *(one for row in rows for one in (row.slider, row.spin)),
            *self.shapes.values(),
        ]

    def show_tool(self, tool: CanvasTool) -> None:
        """Show what a tool is set by."""
        self._stack.setCurrentIndex(1 if tool == "move" else 0)
        self._strokes.setEnabled(tool in STROKES)

    def show_shape(self, shape: Shape) -> None:
        """Show which shape a selection has."""
        for one, button in self.shapes.items():
            button.setChecked(one == shape)

    def show_side(self, side: int) -> None:
        """Offer the sizes that suit a picture of so many pixels a side."""
        if side != self._side:
            first, self._side = not self._side, side
            usual = max(1, round(side / SIZE))
            self.size_row.set_range(1, max(2, side // 2), usual)
            if first:
                self.size_row.show_value(usual)
                self.brush_changed.emit(self.brush)

    def show_colours(self, own: Sequence[Colour]) -> None:
        """Offer black, white and the picture's own colours."""
        found = list(FIRST)
        found += [one for one in own if all(_far(one, other) for other in FIRST)]
        for k, swatch in enumerate(self.swatches):
            swatch.setVisible(k < len(found))
            if k < len(found):
                swatch.show_colour(found[k])

    def show_colour(self, colour: Colour) -> None:
        """Show which colour the brush has."""
        for swatch in self.swatches:
            if swatch.chosen != (swatch.colour == colour):
                swatch.chosen = swatch.colour == colour
                swatch.update()

    def change_size(self, step: int) -> None:
        """Make the brush larger or smaller by about a tenth, at least by a pixel."""
        value = self.size_row.value
        self._set(self.size_row, value + step * max(1, round(value / 10)))

    def _set(self, row: _Setting, value: int) -> None:
        row.show_value(value)
        self.brush_changed.emit(self.brush)

    def _draw_icons(self) -> None:
        for shape, button in self.shapes.items():
            button.setIcon(icon(shape, self._theme.colour("text"), self._theme.colour("faint")))


def ask_colour(parent: QWidget, colour: Colour) -> Colour | None:
    """Ask for any colour; None where none was chosen."""
    chosen = QColorDialog.getColor(QColor(*colour), parent, "Colour of the brush")
    return (chosen.red(), chosen.green(), chosen.blue()) if chosen.isValid() else None


def colour_name(colour: Colour) -> str:
    """Return a colour as it is written: ``#rrggbb``."""
    return QColor(*colour).name()


def _far(one: Colour, other: Colour) -> bool:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) > 30**2
