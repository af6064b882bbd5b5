"""What a person does to the input with a brush: each stroke is one step, and is seen while it is drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentlab.operations.painting import (
    Brush,
    Colour,
    Floating,
    Pixels,
    Place,
    Region,
    Stroke,
    blurred,
)
from latentlab.session.document import Source
from latentlab.session.explore import cropped
from latentlab.session.workspace import Workspace

Tool = Literal["brush", "eraser", "blur"]
NAMES: dict[Tool, str] = {"brush": "Paint", "eraser": "Erase", "blur": "Blur"}
"""What the step of a stroke is called."""
MOVE = "Move"
KEY = "painting"


class _Original(NamedTuple):
    """A picture's square at the model's size, as it was before anything was painted."""

    picture: NDArray[np.uint8]
    crop: tuple[int, int, int] | None
    pixels: Pixels

    def is_of(self, source: Source) -> bool:
        return self.picture is source.picture and self.crop == source.crop


class PaintIntents:
    """Strokes and moves on the picture that is the input, at the model's size.

    A stroke goes from `begin` over any number of `draw_to` to `end`; a move from `take_up` over `carry_to` to
    `end`. What is drawn is in the document at once (`Source.painted`); the encoder follows
    (`latentlab.session.painted_encoder`). Where another picture, or an undo, has taken the place meanwhile,
    the stroke is over.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace, self._session = workspace, workspace.session
        self._stroke: Stroke | None = None
        self._floating: tuple[Floating, Region, Pixels] | None = None
        self._from = (0, 0)
        self._drawn: Pixels | None = None
        self._name = ""
        self._original: _Original | None = None

    @property
    def source(self) -> Source | None:
        """The picture that is painted on; None where there is none, or no model that could see it."""
        state = self._session.document.explore
        return None if state is None or not self._workspace.in_step else state.source

    @property
    def painted(self) -> bool:
        """Whether anything was painted that could be reset."""
        return self.source is not None and self.source.painted is not None

    @property
    def drawing(self) -> bool:
        """Whether a stroke or a move is under way."""
        return self._drawn is not None

    def original(self) -> Pixels | None:
        """Return the input as it was before anything was painted, uint8 ``[S, S, 3]``."""
        source = self.source
        if source is None:
            return None
        if source.painted is None and not source.pending:
            self._original = _Original(source.picture, source.crop, source.encoded.source)
        size, known = source.encoded.source.shape, self._original
        if known is None or not known.is_of(source) or known.pixels.shape != size:
            from latentlab.data.pictures import square_picture  # the window's first paint does without Pillow

            square = cropped(source.picture, source.crop)
            known = _Original(source.picture, source.crop, square_picture(square, size[0]))
            self._original = known
        return known.pixels

    def begin(self, tool: Tool, place: Place, brush: Brush, colour: Colour = (0, 0, 0)) -> None:
        """Begin a stroke at a place ``(x, y)`` in the input's pixels, with a dab.

        The brush leaves ``colour``, the eraser the original, blur the picture as it was before, blurred.
        """
        self.end()
        source, original = self.source, self.original()
        if source is None or original is None:
            return
        ink = colour if tool == "brush" else original if tool == "eraser" else blurred(source.seen, brush)
        self._stroke, self._drawn = Stroke(source.seen, brush, ink), source.seen
        self._name = NAMES[tool]
        self._session.begin_gesture(self._name, KEY)
        self._show(self._stroke.to(place))

    def draw_to(self, place: Place) -> None:
        """Draw on to a place."""
        if self._stroke is not None and self._still():
            self._show(self._stroke.to(place))

    def take_up(self, region: Region) -> None:
        """Begin to move a part of the picture; one that has just been moved is moved on."""
        self.end()
        source = self.source
        if source is None:
            return
        self._float(source, region)
        self._drawn, self._name = source.seen, MOVE
        self._session.begin_gesture(MOVE, KEY)

    def carry_to(self, dx: int, dy: int) -> None:
        """Carry the part so many pixels from where it was taken up."""
        if self._floating is not None and self._still():
            floating, region, _ = self._floating
            x, y = self._from[0] + dx, self._from[1] + dy
            picture = floating.at(x, y)
            self._show(picture)
            self._floating = floating, region, picture

    def end(self) -> None:
        """End the stroke, or put the part down."""
        if self._drawn is not None:
            self._stroke = self._drawn = None
            self._session.end_gesture(KEY)
            self._workspace.painted.go_on()

    def nudge(self, region: Region, dx: int, dy: int) -> None:
        """Move a part of the picture by so many pixels; nudges that follow closely are one step."""
        self.end()
        source = self.source
        if source is None:
            return
        floating, first = self._float(source, region)
        picture = floating.at(self._from[0] + dx, self._from[1] + dy)
        self._drawn, self._name = source.seen, MOVE
        self._show(picture)
        self._drawn = None
        self._floating = floating, first, picture
        self._workspace.painted.go_on()

    def reset(self) -> None:
        """Return to the picture as it was brought in; the step is made when it has been encoded."""
        self.end()
        self._workspace.reset_input()

    def _float(self, source: Source, region: Region) -> tuple[Floating, Region]:
        """Take up a part, or go on with the one that was put down there and nothing has happened to since."""
        known = self._floating
        if known is not None and known[2] is source.painted:
            moved = (region.left - known[1].left, region.top - known[1].top)
            if known[1].moved(*moved) == region:
                self._from = moved
                return known[0], known[1]
        self._from = (0, 0)
        floating = Floating(source.seen, region)
        self._floating = floating, region, source.seen
        return floating, region

    def _still(self) -> bool:
        """Whether the picture is still as the stroke has left it; otherwise the stroke is over."""
        source = self.source
        if source is not None and source.seen is self._drawn:
            return True
        self._stroke = self._drawn = None
        return False

    def _show(self, picture: Pixels) -> None:
        document, source = self._session.document, self.source
        if picture is self._drawn or source is None or document.explore is None:
            return
        picture.setflags(write=False)
        self._drawn = picture
        explore = replace(document.explore, source=replace(source, painted=picture, pending=True))
        self._session.change(self._name, replace(document, explore=explore), KEY)
