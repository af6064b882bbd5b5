"""The input as a canvas: painting, erasing, picking colours, moving parts, blurring, by pointer or keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QCursor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from latentlab.operations.painting import Brush, Colour, Place, Region
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.picture_view import PictureView

CanvasTool = Literal["brush", "eraser", "pick", "move", "blur"]
Shape = Literal["rectangle", "ellipse"]


@dataclass(frozen=True)
class ToolSpec:
    """A tool of the canvas: its key while the canvas has the focus, its icon, and what it does."""

    id: CanvasTool
    title: str
    key: str
    icon: str
    tip: str


TOOLS: tuple[ToolSpec, ...] = (
    ToolSpec("brush", "Brush", "B", "brush", "Paint with the colour; Alt or the right button picks one"),
    ToolSpec("eraser", "Eraser", "E", "eraser", "Bring back the picture as it was brought in"),
    ToolSpec("pick", "Pick colour", "I", "pick", "Take the brush's colour from the picture"),
    ToolSpec("move", "Move", "M", "shift", "Select a part of the picture, then drag it elsewhere"),
    ToolSpec("blur", "Blur", "U", "blur", "Blur what is under the brush"),
)
"""All tools, in the order of their buttons."""
STROKES = ("brush", "eraser", "blur")
KEYS_TIP = (
    "Arrow keys move the brush (with Shift by 8 px), Space paints, [ and ] change its size; "
    + ", ".join(f"{tool.key}: {tool.title.lower()}" for tool in TOOLS)
)
FAR = 8
"""Pixels of the picture that arrow keys go with Shift."""
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_SIZES = {Qt.Key.Key_BracketLeft: -1, Qt.Key.Key_BracketRight: 1}
_LETTERS = {Qt.Key(ord(tool.key)): tool.id for tool in TOOLS}


class PaintCanvas(PictureView):
    """The picture, and where one stands on it; places are ``(x, y)`` in the picture's own pixels.

    It changes nothing itself: `began`, `drawn` and `ended` tell a stroke, `picked` a place whose colour is
    wanted, `taken`, `carried` and `ended` that a part is moved and how far, `nudged` the same by a key.
    `tool_asked` and `size_asked` are the wishes of keys and wheel.
    """

    began = Signal(tuple)
    drawn = Signal(tuple)
    ended = Signal()
    picked = Signal(tuple)
    taken = Signal(Region)
    carried = Signal(int, int)
    nudged = Signal(Region, int, int)
    tool_asked = Signal(str)
    size_asked = Signal(int)

    def __init__(self, title: str, colour: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(title, colour, theme, parent)
        self.brush, self.shape = Brush(3.0), "rectangle"
        self.region: Region | None = None
        self._tool: CanvasTool = "brush"
        self._painting = False
        self._at: Place | None = None
        self._by_keys = False
        self._doing: Literal["", "stroke", "pick", "select", "carry"] = ""
        self._pen_down = False
        self._from: Place = (0.0, 0.0)
        self.setMouseTracking(True)

    # What is set

    @property
    def painting(self) -> bool:
        """Whether one can paint on it; otherwise it is a picture like any other."""
        return self._painting

    @painting.setter
    def painting(self, painting: bool) -> None:
        self._let_go()
        self._painting, self.region, self._at = painting, None, None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if painting else Qt.FocusPolicy.NoFocus)
        self._show_cursor(None)
        self._describe()
        self.update()

    @property
    def tool(self) -> CanvasTool:
        """What the pointer and the Space key do."""
        return self._tool

    @tool.setter
    def tool(self, tool: CanvasTool) -> None:
        self._let_go()
        self._tool, self.region = tool, None
        self._describe()
        self.update()

    @property
    def side(self) -> int:
        """The picture's side in its own pixels; 1 without one."""
        return 1 if self.pixels is None else self.pixels.shape[0]

    def set_brush(self, brush: Brush) -> None:
        """Show the outline of another brush."""
        self.brush = brush
        self._describe()
        self.update()

    def forget_region(self) -> None:
        """Have nothing selected."""
        if self.region is not None and self._doing != "carry":
            self.region = None
            self.update()

    # The pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a stroke, a selection or a move, or pick a colour."""
        left, right = (
            event.button() == one for one in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton)
        )
        if not self._painting or self.pixels is None or self._doing or not (left or right):
            event.ignore()
            return
        at = self._place_of(event.position())
        self._at, self._by_keys = at, False
        if right or self._tool == "pick" or event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self._doing = "pick"
            self.picked.emit(at)
        elif self._tool == "move":
            self._from = at
            if self.region is not None and self.region.holds(at):
                self._doing = "carry"
                self.taken.emit(self.region)
            else:
                self._doing, self.region = "select", None
        else:
            self._doing = "stroke"
            self.began.emit(at)
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw on, select, carry, or only show where the brush is."""
        if not self._painting or self.pixels is None:
            event.ignore()
            return
        at = self._place_of(event.position())
        self._at, self._by_keys = at, False
        if self._doing == "stroke":
            self.drawn.emit(at)
        elif self._doing == "pick":
            self.picked.emit(at)
        elif self._doing == "select":
            self.region = self._between(self._from, at)
        elif self._doing == "carry":
            self.carried.emit(*self._carried(at))
        self._show_cursor(at)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End what the press began."""
        if self._doing and event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            at = self._place_of(event.position())
            if self._doing == "carry" and self.region is not None:
                self.region = self.region.moved(*self._carried(at))
            self._let_go()
            self._show_cursor(at)
            self.update()
        else:
            event.ignore()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Take the second press for a press: dabs may follow one another quickly."""
        self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Change the brush's size while the canvas has the focus; else scroll what it stands in."""
        turns = event.angleDelta().y()
        if self._painting and self.hasFocus() and turns:
            self.size_asked.emit(1 if turns > 0 else -1)
            event.accept()
        else:
            event.ignore()

    def leaveEvent(self, event: QEvent) -> None:
        """Show no brush where none is."""
        if not self._doing and not self._by_keys:
            self._at = None
            self.update()
        super().leaveEvent(event)

    # The keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move by arrows, paint by Space, change size and tool, drop the selection by Escape."""
        key = Qt.Key(event.key())
        plain = not event.modifiers() & ~(
            Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier
        )
        if not self._painting or self.pixels is None or not plain:
            event.ignore()
        elif key in _ARROWS:
            far = FAR if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            self._go(_ARROWS[key][0] * far, _ARROWS[key][1] * far)
        elif key == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._press_by_key()
        elif key in _SIZES:
            self.size_asked.emit(_SIZES[key])
        elif key in _LETTERS and not event.isAutoRepeat():
            self.tool_asked.emit(_LETTERS[key])
        elif key == Qt.Key.Key_Escape and (self.region is not None or self._doing == "select"):
            self._let_go()  # a part that is carried is put down where it is
            self.region = None
            self.update()
        else:
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """End the stroke that Space began."""
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat() and self._pen_down:
            self._let_go()
            self.update()
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that the keys paint."""
        self._by_keys = event.reason() != Qt.FocusReason.MouseFocusReason
        if self._by_keys and self._at is None:
            self._at = (self.side / 2, self.side / 2)
        self._describe()
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """End what keys have begun."""
        if self._pen_down or self._by_keys:
            self._let_go()
        self._by_keys = False
        self._at = self._at if self.underMouse() else None
        self.update()

    def _go(self, dx: int, dy: int) -> None:
        if self._tool == "move" and self.region is not None and not self._doing:
            self.nudged.emit(self.region, dx, dy)
            self.region = self.region.moved(dx, dy)
            self.update()
            return
        most = self.side - 0.5
        x, y = self._at or (self.side / 2, self.side / 2)
        # Keys stand on the pixels' middles.
        x, y = (min(max(int(one) + 0.5 + step, 0.5), most) for one, step in ((x, dx), (y, dy)))
        self._at, self._by_keys = (x, y), True
        if self._pen_down:
            self.drawn.emit(self._at)
        elif self._doing == "select":
            self.region = self._between(self._from, self._at)
        self._describe()
        self.update()

    def _press_by_key(self) -> None:
        at = self._at or (self.side / 2, self.side / 2)
        self._at, self._by_keys = at, True
        if self._tool == "pick":
            self.picked.emit(at)
        elif self._tool != "move":
            if not self._doing:
                self._doing, self._pen_down = "stroke", True
                self.began.emit(at)
        elif self._doing == "select":
            self._doing = ""
        else:
            self._doing, self._from = "select", at
            self.region = self._between(at, at)
        self._describe()
        self.update()

    # Both

    def _let_go(self) -> None:
        held, self._doing, self._pen_down = self._doing, "", False
        if held in ("stroke", "carry"):
            self.ended.emit()

    def _carried(self, at: Place) -> tuple[int, int]:
        return round(at[0] - self._from[0]), round(at[1] - self._from[1])

    def _between(self, one: Place, other: Place) -> Region:
        return Region.between(one, other, "ellipse" if self.shape == "ellipse" else "rectangle")

    def _place_of(self, point: QPointF) -> Place:
        share = self._share_at(point)
        return share.x() * self.side, share.y() * self.side

    def _point_of(self, place: Place) -> QPointF:
        area = QRectF(self.picture_area())
        scale = area.width() / self.side
        return QPointF(area.left() + place[0] * scale, area.top() + place[1] * scale)

    def _show_cursor(self, at: Place | None) -> None:
        inside = at is not None and all(0 <= one < self.side for one in at)
        if not self._painting or not inside:
            shape = Qt.CursorShape.ArrowCursor
        elif self._tool == "move":
            held = self.region is not None and at is not None and self.region.holds(at)
            shape = (
                Qt.CursorShape.SizeAllCursor if held or self._doing == "carry" else Qt.CursorShape.CrossCursor
            )
        else:
            shape = Qt.CursorShape.CrossCursor if self._tool == "pick" else Qt.CursorShape.BlankCursor
        if self.cursor().shape() != shape:
            self.setCursor(QCursor(shape))

    def _describe(self) -> None:
        """Say in words what is shown by the outline, for those who do not see it."""
        if not self._painting:
            self.setToolTip("")
            return
        title = next(tool.title for tool in TOOLS if tool.id == self._tool)
        size = f", {2 * self.brush.radius:g} px" if self._tool in STROKES else ""
        at = "" if self._at is None else f" at {int(self._at[0])}, {int(self._at[1])}"
        self.setAccessibleDescription(f"{title}{size}{at}. {KEYS_TIP}.")

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture, then the selection, the brush's outline and who has the focus."""
        super().paintEvent(event)
        if not self._painting or self.pixels is None:
            return
        area = self.picture_area()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(area)
        scale = area.width() / self.side
        if self.region is not None:
            region = self.region
            if self._doing == "carry" and self._at is not None:
                region = region.moved(*self._carried(self._at))
            self._paint_region(painter, region, scale)
        if self._at is not None:
            self._paint_brush(painter, self._point_of(self._at), scale)
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self._theme.colour("accent"), 2))
            painter.drawRect(area.adjusted(1, 1, -1, -1))
        painter.end()

    def _paint_region(self, painter: QPainter, region: Region, scale: float) -> None:
        corner = self._point_of((region.left, region.top))
        box = QRectF(
            corner.x(),
            corner.y(),
            (region.right - region.left) * scale,
            (region.bottom - region.top) * scale,
        )
        path = QPainterPath()
        path.addEllipse(box) if region.shape == "ellipse" else path.addRect(box)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(255, 255, 255, 230), 1.5))
        painter.drawPath(path)
        painter.setPen(QPen(QColor(0, 0, 0, 230), 1.5, Qt.PenStyle.DashLine))
        painter.drawPath(path)

    def _paint_brush(self, painter: QPainter, at: QPointF, scale: float) -> None:
        """Paint the outline, light and dark, so that it is seen on every ground, and a cross in it."""
        radius = self.brush.radius * scale if self._tool in STROKES else 0.0
        arm = 4.0 if radius < 14.0 and self._tool in STROKES else 7.0
        crossed = self._by_keys or radius < 4.0 if self._tool in STROKES else self._by_keys
        for shade, width in ((QColor(255, 255, 255, 220), 3.0), (QColor(0, 0, 0, 220), 1.2)):
            painter.setPen(QPen(shade, width))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            if radius:
                painter.drawEllipse(at, radius, radius)
            if crossed:
                painter.drawLine(at - QPointF(arm, 0), at + QPointF(arm, 0))
                painter.drawLine(at - QPointF(0, arm), at + QPointF(0, arm))
        if self._tool == "pick":
            self._paint_picked(painter, at)

    def _paint_picked(self, painter: QPainter, at: QPointF) -> None:
        """Paint the colour under the pointer beside it."""
        colour = self.colour_under
        if colour is None:
            return
        place = QRectF(at.x() + 10, at.y() - 32, 22, 22)
        area = QRectF(self.picture_area())
        place.moveRight(min(place.right(), area.right() - 3))
        place.moveTop(max(place.top(), area.top() + 3))
        painter.setPen(QPen(QColor(0, 0, 0, 200), 1))
        painter.setBrush(QColor(255, 255, 255))
        painter.drawRoundedRect(place, 5, 5)
        painter.setBrush(QColor(*colour))
        painter.drawRoundedRect(place.adjusted(2, 2, -2, -2), 4, 4)

    @property
    def colour_under(self) -> Colour | None:
        """The colour of the pixel under pointer or cursor; None where there is none."""
        if self._at is None or self.pixels is None:
            return None
        column, row = (min(max(int(one), 0), self.side - 1) for one in self._at)
        blue, green, red = self.pixels[row, column, :3].tolist()
        return red, green, blue
