"""What is searched for: the input and the small picture made of it, or one that is drawn pixel by pixel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from latentlab.operations.painting import Brush, Colour, Place, main_colours
from latentlab.session.search_drawing import fill, line
from latentlab.ui.icons import icon
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.buttons import text_button
from latentlab.ui.widgets.form import caption, number_box
from latentlab.ui.widgets.paint_canvas import PaintCanvas
from latentlab.ui.widgets.paint_tools import Swatch, ask_colour
from latentlab.ui.widgets.picture_view import CAPTION, PictureView, bgrx

SIDE, CANVAS = 134, 236
SWATCH, SWATCHES = 23, 9
FIRST: tuple[Colour, ...] = ((0, 0, 0), (255, 255, 255), (128, 128, 128))
TOOLS = (
    ("pen", "Pen", "brush", "Draw pixels with the colour; Alt or the right button picks one"),
    ("fill", "Fill", "fill", "Fill what hangs together and has one colour"),
    ("pick", "Pick colour", "pick", "Take the pen's colour from the picture"),
)
DRAW_TIP = "Draw the small picture yourself, pixel by pixel; it begins with what is seen"
Pixels = NDArray[np.uint8]


class SearchInput(QWidget):
    """The two pictures and, while one draws, pen, colours and buttons.

    ``draw_toggled`` tells whether one wants to draw; ``began``, ``drawn`` and ``ended`` are a stroke on the
    drawing, `drawing` of it what is there; ``cleared`` is the wish for an empty one, ``own_dropped`` that
    for the open picture.
    """

    draw_toggled = Signal(bool)
    began = Signal()
    drawn = Signal(object)
    ended = Signal()
    cleared = Signal(tuple)
    own_dropped = Signal()

    def __init__(self, theme: Theme, crop: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tool = "pen"
        self._small: Pixels | None = None
        self._known: Pixels | None = None
        self._last: Place | None = None
        self.colour: Colour = (0, 0, 0)
        self.input = PictureView("Input", "input", theme)
        self.canvas = PaintCanvas("Searched for", "start", theme)
        for view in (self.input, self.canvas):
            view.ground = "surface"
        self.canvas.smooth = False
        self.canvas.set_brush(Brush(0.5, 1.0))
        self.tools: dict[str, QToolButton] = {}
        for name, title, _icon, tip in TOOLS:
            button = QToolButton()
            button.setCheckable(True)
            button.setAccessibleName(title)
            button.setToolTip(f"{title}\n{tip}")
            button.setFixedSize(34, 34)
            button.setIconSize(QSize(20, 20))
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.clicked.connect(lambda _checked, name=name: self.choose_tool(name))
            self.tools[name] = button
        self.swatches = [Swatch((0, 0, 0), SWATCH, theme) for _ in range(SWATCHES)]
        self.own = Swatch((0, 0, 0), 34, theme)
        self.own.setToolTip("The pen's colour; press to choose any other")
        self.pen = number_box("Size of the pen", "How many pixels the pen is wide", 1, 4, 54, " px")
        self.clear = QPushButton("Clear")
        self.clear.setToolTip("Begin with an empty picture of the pen's colour")
        self.draw = QPushButton("Draw one")
        self.draw.setCheckable(True)
        self.draw.setToolTip(DRAW_TIP)
        self.open = QPushButton("Use the open picture")
        self.open.setToolTip("Search for the picture that is open again, instead of this one")
        self.crop = text_button(crop, "Crop…")
        self.about = caption("")
        self.about.setWordWrap(True)
        self._lay_out()
        self._connect()
        self.choose_tool("pen")
        self._offer(())
        self.choose_colour(self.colour)
        self.set_drawing(False)
        theme.changed.connect(self._draw_icons)
        self._draw_icons()

    def _lay_out(self) -> None:
        self._column = QWidget()
        tools = QVBoxLayout(self._column)
        tools.setContentsMargins(0, CAPTION, 0, 0)
        tools.setSpacing(4)
        for button in self.tools.values():
            tools.addWidget(button)
        tools.addWidget(self.own)
        tools.addStretch(1)
        self._colours = QWidget()
        row = QHBoxLayout(self._colours)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for swatch in self.swatches:
            swatch.setToolTip("Draw with this colour")
            row.addWidget(swatch)
        row.addStretch(1)
        self._pen_row = QWidget()
        row = QHBoxLayout(self._pen_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(caption("Pen", self.pen))
        row.addWidget(self.pen)
        row.addStretch(1)
        row.addWidget(self.clear)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self.draw)
        buttons.addWidget(self.open)
        buttons.addWidget(self.crop)
        buttons.addStretch(1)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(6)
        self._grid.addWidget(self._column, 0, 0)
        self._grid.addWidget(self.input, 0, 1)
        self._grid.addWidget(self.canvas, 0, 2)
        self._grid.addWidget(self._colours, 1, 0, 1, 3)
        self._grid.addWidget(self._pen_row, 2, 0, 1, 3)
        self._grid.addWidget(self.about, 3, 0, 1, 3)
        self._grid.addLayout(buttons, 4, 0, 1, 3)

    def _connect(self) -> None:
        canvas = self.canvas
        canvas.began.connect(self._begin)
        canvas.drawn.connect(self._draw_to)
        canvas.ended.connect(self._end)
        canvas.picked.connect(lambda _place: self._pick())
        canvas.tool_asked.connect(self._take_key)
        canvas.size_asked.connect(lambda step: self.pen.setValue(self.pen.value() + step))
        self.pen.valueChanged.connect(lambda size: canvas.set_brush(Brush(size / 2, 1.0)))
        for swatch in self.swatches:
            swatch.clicked.connect(lambda _checked=False, swatch=swatch: self.choose_colour(swatch.colour))
        self.own.clicked.connect(self._ask_colour)
        self.clear.clicked.connect(lambda: self.cleared.emit(self.colour))
        self.draw.clicked.connect(self.draw_toggled)
        self.open.clicked.connect(self.own_dropped)

    @property
    def drawing(self) -> bool:
        """Whether one draws."""
        return self.canvas.painting

    @property
    def small(self) -> Pixels | None:
        """The small picture that is shown, uint8 ``[side, side, 3]``, RGB; None without one."""
        return self._small

    @property
    def controls(self) -> list[QWidget]:
        """All controls in the order of the Tab key."""
        while_drawing: list[QWidget] = [
            *self.tools.values(),
            self.own,
            self.canvas,
            *self.swatches,
            self.pen,
            self.clear,
        ]
        return [*while_drawing, self.draw, self.open, self.crop]

    def set_drawing(self, drawing: bool) -> None:
        """Show pen and colours and take strokes, or be two pictures again."""
        self.canvas.painting = drawing
        self.draw.setChecked(drawing)
        self.draw.setText("Done" if drawing else "Draw one")
        self.draw.setToolTip("Stop drawing; the drawing stays" if drawing else DRAW_TIP)
        for widget in (self._column, self._colours, self._pen_row):
            widget.setVisible(drawing)
        self.input.setVisible(not drawing)
        self.crop.setVisible(not drawing)
        side = CANVAS if drawing else SIDE
        self.canvas.setFixedHeight(side + CAPTION)
        self.input.setFixedHeight(SIDE + CAPTION)
        self._grid.setColumnStretch(1, 0 if drawing else 1)
        self._grid.setColumnStretch(2, 1)
        if drawing:
            self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_input(self, pixels: Pixels | None, title: str, why: str = "") -> None:
        """Show the input, uint8 ``[S, S, 3]``, RGB, or say why there is none."""
        self.input.set_caption("Input", title)
        if pixels is None:
            self.input.show_nothing(why)
        else:
            self.input.show_frame(bgrx(pixels))

    def show_small(self, pixels: Pixels | None, about: str, own: bool) -> None:
        """Show the small picture, uint8 ``[side, side, 3]``, RGB; ``own`` where it is not the open one's."""
        self._small = pixels
        if pixels is None:
            self.canvas.show_nothing("")
        else:
            self.canvas.show_frame(bgrx(pixels))
            if self.drawing and pixels is not self._known and not self._doing:
                self._offer(main_colours(pixels, SWATCHES - len(FIRST)))
        self.about.setText(about)
        self.about.setVisible(bool(about))
        self.open.setVisible(own and not self.drawing)
        self.crop.setVisible(not own and not self.drawing)

    def choose_tool(self, tool: str) -> None:
        """Take another tool."""
        self._tool = tool
        self.canvas.tool = "pick" if tool == "pick" else "brush"
        for name, button in self.tools.items():
            button.setChecked(name == tool)

    def choose_colour(self, colour: Colour) -> None:
        """Draw with another colour."""
        self.colour = colour
        self.own.show_colour(colour, "Colour of the pen,")
        for swatch in self.swatches:
            if swatch.chosen != (swatch.colour == colour):
                swatch.chosen = swatch.colour == colour
                swatch.update()
        if self._tool == "pick":
            self.choose_tool("pen")

    # Strokes

    @property
    def _doing(self) -> bool:
        return self._last is not None

    def _begin(self, place: Place) -> None:
        if self._small is None:
            return
        self._last = place
        self.began.emit()
        self._put(
            lambda small: (
                fill(small, place, self.colour)
                if self._tool == "fill"
                else line(small, place, place, self.colour, self.pen.value())
            )
        )

    def _draw_to(self, place: Place) -> None:
        last = self._last
        if last is None or self._tool == "fill":
            return
        self._last = place
        self._put(lambda small: line(small, last, place, self.colour, self.pen.value()))

    def _put(self, change: Callable[[Pixels], Pixels]) -> None:
        assert self._small is not None
        changed = change(self._small)
        if changed is not self._small:
            self.drawn.emit(changed)

    def _end(self) -> None:
        if self._last is not None:
            self._last = None
            self.ended.emit()

    def _pick(self) -> None:
        colour = self.canvas.colour_under
        if colour is not None:
            tool = self._tool
            self.choose_colour(colour)
            self.choose_tool(tool)

    def _take_key(self, tool: str) -> None:
        known = {"brush": "pen", "pick": "pick", "move": "fill"}
        if tool in known:
            self.choose_tool(known[tool])

    def _ask_colour(self) -> None:
        colour = ask_colour(self, self.colour)
        if colour is not None:
            self.choose_colour(colour)

    def _offer(self, own: tuple[Colour, ...] | list[Colour]) -> None:
        self._known = self._small
        found = [*FIRST, *(one for one in own if all(_far(one, other) for other in FIRST))][:SWATCHES]
        for k, swatch in enumerate(self.swatches):
            swatch.setVisible(k < len(found))
            if k < len(found):
                swatch.show_colour(found[k])
                swatch.chosen = found[k] == self.colour

    def _draw_icons(self) -> None:
        colour = self._theme.colour
        for name, _title, drawing, _tip in TOOLS:
            self.tools[name].setIcon(icon(drawing, colour("text"), colour("faint")))
        self.draw.setIcon(icon("brush", colour("text"), colour("faint")))


def _far(one: Colour, other: Colour) -> bool:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) > 24**2
