"""What a person paints on a latent that is a grid: each stroke is one step, and is seen while it is drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from latentlab.errors import SettingsError
from latentlab.operations.latent_brush import (
    MOST_PLACES,
    MOST_STROKES,
    Ink,
    Latent,
    LatentDrawing,
    LatentStroke,
    Strokes,
    channel_ink,
    direction_ink,
    grid_of,
    latent_ink,
)
from latentlab.operations.painting import Brush, Place
from latentlab.session.document import Explore, Shelf
from latentlab.session.session import Message
from latentlab.session.workspace import Workspace

Kind = Literal["direction", "channel", "pin", "start"]
KEY = "latent brush"
_DIGITS = 2
# Of the places of a way, in pixels: no hand is finer, and a program that draws it again is shorter.


@dataclass(frozen=True)
class InkRef:
    """What a brush brings, by the name of a direction or pin or the number of a channel."""

    kind: Kind
    name: str = ""

    @property
    def mixes(self) -> bool:
        """Whether its amount is a share, from 0 to 1, rather than a number of deviations."""
        return self.kind in ("pin", "start")

    @property
    def title(self) -> str:
        """What it is called."""
        return {"channel": f"Channel {self.name}", "start": "Start"}.get(self.kind, self.name)


START = InkRef("start")


@dataclass(frozen=True, eq=False)
class _Drawing:
    """A stroke on its way: with what, on which strokes, and as far as it has come."""

    ink: Ink
    stroke: LatentStroke
    before: Strokes
    drawn: LatentDrawing
    name: str


class LatentBrushIntents:
    """Strokes on the edited latent: a stroke goes from `begin` over any number of `draw_to` to `end`.

    Where something else, or an undo, has changed the latent meanwhile, the stroke is over.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace, self._session = workspace, workspace.session
        self._drawing: _Drawing | None = None
        self._known: tuple[Latent, Strokes] | None = None

    @property
    def offered(self) -> bool:
        """Whether the open model's latent is a grid, so that one can paint on it."""
        opened = self._workspace.opened
        return opened is not None and self._workspace.in_step and grid_of(opened.spec) is not None

    def inks(self) -> list[InkRef]:
        """Return what can be painted with: directions first, then pins, channels, and the start."""
        state = self._state
        if state is None or not self.offered:
            return []
        shelf = self._session.document.shelf
        found = [InkRef("direction", one.name) for one in shelf.directions]
        found += [InkRef("pin", one.name) for one in shelf.pins if one.latent.size == state.latent.size]
        found += [InkRef("channel", str(channel)) for channel in range(len(state.latent))]
        return [*found, START]

    def begin(self, ink: InkRef, place: Place, brush: Brush, amount: float) -> None:
        """Begin a stroke at a place ``(x, y)`` in the picture's pixels, with a dab.

        Parameters
        ----------
        brush
            Its radius is in pixels of the picture.
        amount
            How many deviations, or which share, applies where the brush covers a cell wholly.
        """
        self.end()
        state, opened = self._state, self._workspace.opened
        if state is None or opened is None or not self.offered:
            return
        found = _ink(ink, state, self._session.document.shelf)
        if found is None:
            return
        stroke = LatentStroke(0, float(amount), float(brush.radius), (), float(brush.hardness))
        side = opened.spec.image_size
        try:
            drawn = LatentDrawing(state.latent, side, found, stroke)
        except SettingsError as error:
            self._session.message.emit(Message("error", str(error)))
            return
        name = "Erase from the latent" if ink.kind == "start" else f"Paint {ink.title} on the latent"
        self._drawing = _Drawing(found, stroke, self._before(state, side), drawn, name)
        self._session.begin_gesture(name, KEY)
        self.draw_to(place)

    def draw_to(self, place: Place) -> None:
        """Draw on to a place."""
        drawing, state = self._drawing, self._state
        if drawing is None or state is None:
            return
        if state.latent is not drawing.drawn.latent or len(drawing.stroke.places) >= MOST_PLACES:
            self.end()
            return
        place = round(place[0], _DIGITS), round(place[1], _DIGITS)
        if drawing.stroke.places[-1:] == (place,):
            return
        latent = drawing.drawn.to(place)
        stroke = replace(drawing.stroke, places=(*drawing.stroke.places, place))
        self._drawing = replace(drawing, stroke=stroke)
        if latent is state.latent:
            return
        strokes = drawing.before.with_stroke(drawing.ink, stroke)
        self._known = latent, strokes
        explore = replace(state, latent=latent, strokes=strokes)
        self._session.change(drawing.name, replace(self._session.document, explore=explore), KEY)

    def end(self) -> None:
        """End the stroke."""
        if self._drawing is not None:
            self._drawing = None
            self._session.end_gesture(KEY)

    @property
    def _state(self) -> Explore | None:
        return self._session.document.explore

    def _before(self, state: Explore, side: int) -> Strokes:
        """Return the strokes that led to the latent as it is, to which another is added."""
        known = self._known
        drawn = known[1] if known is not None and known[0] is state.latent else state.drawn
        if drawn is None or len(drawn.strokes) >= MOST_STROKES or drawn.side != side:
            return Strokes(state.latent, side)
        return drawn


def _ink(ref: InkRef, state: Explore, shelf: Shelf) -> Ink | None:
    """Return what a reference stands for; None where it is gone."""
    latent, locked = state.latent, shelf.locked
    if ref.kind == "start":
        return latent_ink(ref.title, state.start, latent, locked)
    if ref.kind == "channel":
        # Its deviation is the start's, so that it does not grow as one paints.
        return channel_ink(int(ref.name), state.start, locked)
    if ref.kind == "pin":
        pin = shelf.pin(ref.name)
        fits = pin is not None and pin.latent.size == latent.size
        return latent_ink(ref.title, pin.latent, latent, locked) if fits and pin is not None else None
    direction = shelf.direction(ref.name)
    fits = direction is not None and len(direction.vector) == latent.size
    return direction_ink(direction, latent, locked) if fits and direction is not None else None
