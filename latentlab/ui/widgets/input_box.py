"""The input with what one can do to it: paint on it, reset it, save it, take one by the camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QWidget

from latentlab.operations.painting import Colour, main_colours
from latentlab.ui import camera
from latentlab.ui.icons import icon
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.paint_canvas import CanvasTool, PaintCanvas, Shape
from latentlab.ui.widgets.paint_tools import SWATCHES, PaintSettings, ToolColumn, ask_colour
from latentlab.ui.widgets.picture_view import CAPTION

PICTURE, LEAST = 232, 128
"""The largest and the least side of the input while nobody paints."""
LEAST_CANVAS, LEAST_WIDTH = 220, 340
SPARE = 8
"""Pixels that stay free below the buttons while one paints."""
GAP = 6
PAINT_TIP = "Paint on the input, and see at once what becomes of it on every dataset (Ctrl+B)"
LATENT_TIP = "Take the picture of this z on its own dataset as the input, and paint on it (Ctrl+B)"
RESET_TIP = "Return to the picture as it was brought in"
NOT_PAINTED = "Nothing was painted."
SAVE_TIP = "Save the input as the model sees it, with what was painted, as PNG"
NO_INPUT = "There is no input: z was not made from a picture."
CAMERA_TIP = "Take a picture with the camera as the input"


class InputBox(QWidget):
    """The canvas, its tools while one paints, and the buttons below.

    ``paint_toggled`` tells whether one wants to paint; ``reset_asked``, ``save_asked`` and ``camera_asked``
    are wishes of the buttons.

    Attributes
    ----------
    canvas
        Where the input is seen.
    """

    paint_toggled = Signal(bool)
    reset_asked = Signal()
    save_asked = Signal()
    camera_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._known: NDArray[np.uint8] | None = None
        self.colour: Colour = (0, 0, 0)
        self.canvas = PaintCanvas("Input", "input", theme)
        self.canvas.ground = "surface"
        self.tools = ToolColumn(theme)
        self.settings = PaintSettings(theme)
        self.paint = QPushButton("Paint")
        self.paint.setCheckable(True)
        self.reset = QPushButton("Reset input")
        self.save, self.camera = self._icon_button("Save input"), self._icon_button("Camera")
        missing = camera.missing()
        self.camera.setEnabled(not missing)
        self.camera.setToolTip(f"{CAMERA_TIP}\n{missing}" if missing else CAMERA_TIP)
        self._lay_out()
        self.canvas.tool_asked.connect(self.choose_tool)
        self.canvas.size_asked.connect(self.settings.change_size)
        self.canvas.picked.connect(lambda _place: self._pick())
        self.tools.chosen.connect(self.choose_tool)
        self.tools.colour_asked.connect(self._ask_colour)
        self.settings.colour_chosen.connect(self.choose_colour)
        self.settings.brush_changed.connect(self.canvas.set_brush)
        self.settings.shape_chosen.connect(self._choose_shape)
        self.paint.clicked.connect(self.paint_toggled)
        self.reset.clicked.connect(self.reset_asked)
        self.save.clicked.connect(self.save_asked)
        self.camera.clicked.connect(self.camera_asked)
        theme.changed.connect(self._draw_icons)
        self._draw_icons()
        self.choose_tool("brush")
        self.choose_colour(self.colour)
        self.show_source(False, False, False)
        self.set_painting(False)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(GAP)
        buttons.addWidget(self.paint)
        buttons.addWidget(self.reset)
        buttons.addStretch(1)
        buttons.addWidget(self.save)
        buttons.addWidget(self.camera)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GAP)
        self._grid.setRowStretch(0, 1)
        self._grid.setColumnStretch(1, 1)
        self._grid.addWidget(self.tools, 0, 0)
        self._grid.addWidget(self.canvas, 0, 1)
        self._grid.addWidget(self.settings, 1, 0, 1, 2)
        self._grid.addLayout(buttons, 2, 0, 1, 2)
        self.tools.setContentsMargins(0, CAPTION, 0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)

    @property
    def painting(self) -> bool:
        """Whether one paints."""
        return self.canvas.painting

    @property
    def tool(self) -> CanvasTool:
        """The tool that is chosen."""
        return self.canvas.tool

    @property
    def controls(self) -> list[QWidget]:
        """All controls in the order of the Tab key."""
        column = [*self.tools.buttons.values(), self.tools.colour]
        buttons = [self.paint, self.reset, self.save, self.camera]
        return [*column, *([self.canvas] if self.painting else []), *self.settings.controls, *buttons]

    def set_painting(self, painting: bool) -> None:
        """Show the tools and take strokes, or be a picture again."""
        self.canvas.painting = painting
        self.paint.setChecked(painting)
        for widget in (self.tools, self.settings):
            widget.setVisible(painting)
        if not painting:
            self.canvas.setMinimumHeight(LEAST + CAPTION)
            self.canvas.setMaximumHeight(PICTURE + CAPTION)

    def fit(self, width: int, height: int) -> int:
        """Make the canvas as large as there is room for; returns the width that is needed, at most that."""
        others = self.settings.sizeHint().height() + self.paint.sizeHint().height() + 2 * GAP + SPARE
        beside = self.tools.sizeHint().width() + GAP
        side = max(LEAST_CANVAS, min(width - beside, height - others - CAPTION))
        self.canvas.setFixedHeight(side + CAPTION)
        return min(width, max(side + beside, LEAST_WIDTH))

    def show_picture(self, pixels: NDArray[np.uint8], title: str, name: str) -> None:
        """Show the input, uint8 ``[S, S, 4]``, BGRX."""
        self.canvas.set_caption(title, name)
        self.canvas.show_frame(pixels)
        self.settings.show_side(pixels.shape[0])

    def show_source(self, there: bool, shown: bool, painted: bool) -> None:
        """Say whether there is a picture to paint on, or one that could become it, and if it is painted."""
        self.paint.setText("Paint" if there or not shown else "Paint on this")
        self.paint.setToolTip(PAINT_TIP if there else LATENT_TIP)
        self.paint.setEnabled(there or shown)
        self.reset.setVisible(there or not shown)
        self.reset.setEnabled(painted)
        self.reset.setToolTip(RESET_TIP if painted else f"{RESET_TIP}\n{NOT_PAINTED}")
        self.save.setEnabled(there)
        self.save.setToolTip(SAVE_TIP if there else f"{SAVE_TIP}\n{NO_INPUT}")

    def show_colours_of(self, picture: NDArray[np.uint8], seen: NDArray[np.uint8]) -> None:
        """Offer the colours of what is seen of a picture; while it is the same picture they stay."""
        if picture is not self._known:
            self._known = picture
            self.settings.show_colours(main_colours(seen, SWATCHES - 2))
            self.settings.show_colour(self.colour)

    def choose_tool(self, tool: CanvasTool) -> None:
        """Take another tool."""
        self.canvas.tool = tool
        self.tools.show_tool(tool)
        self.settings.show_tool(tool)

    def choose_colour(self, colour: Colour) -> None:
        """Take another colour, and the brush to paint with it where another tool is of no use for that."""
        self._take_colour(colour)
        if self.tool != "brush":
            self.choose_tool("brush")

    def _take_colour(self, colour: Colour) -> None:
        self.colour = colour
        self.tools.colour.show_colour(colour, "Colour of the brush,")
        self.settings.show_colour(colour)

    def _pick(self) -> None:
        colour = self.canvas.colour_under
        if colour is not None:
            self._take_colour(colour)

    def _ask_colour(self) -> None:
        colour = ask_colour(self, self.colour)
        if colour is not None:
            self.choose_colour(colour)

    def _choose_shape(self, shape: Shape) -> None:
        self.canvas.shape = shape
        self.settings.show_shape(shape)
        self.canvas.forget_region()

    def _icon_button(self, name: str) -> QToolButton:
        button = QToolButton()
        button.setAccessibleName(name)
        button.setFixedSize(30, 30)
        button.setIconSize(QSize(18, 18))
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        return button

    def _draw_icons(self) -> None:
        colour = self._theme.colour
        for button, name in ((self.paint, "brush"), (self.save, "export"), (self.camera, "camera")):
            button.setIcon(icon(name, colour("text"), colour("faint")))
