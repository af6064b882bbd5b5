"""A card of the start page: a picture, a title and a sentence, chosen by a click, Space or Enter."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFont,
    QFontMetrics,
    QIcon,
    QImage,
    QKeyEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractButton, QToolButton, QWidget

from latentlab.ui.theme import Theme
from latentlab.ui.widgets.bars_painter import small_font

EDGE, CORNER, THUMB = 12, 10, 60
TALL, WIDE = 240, 84
"""Heights of a card with the picture above and of one with the picture at the left."""
PICTURE = 132
"""Height of a picture that stands above."""
_FOOT = 34
_WRAPPED = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)
_LINE = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)


class StartCard(QAbstractButton):
    """One thing to begin with.

    Parameters
    ----------
    title, text
        What it is called, and what is said of it in at most two or three lines.
    tall
        Whether the picture stands above, or at the left.
    drawing
        Gives what is shown where there is no picture: an icon in a colour. None for words alone.
    """

    def __init__(
        self,
        title: str,
        text: str,
        theme: Theme,
        tall: bool,
        drawing: Callable[[QColor], QIcon] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._tall, self._drawing = theme, tall, drawing
        self._picture: QPixmap | None = None
        self._over = False
        self._link: QToolButton | None = None
        self.title, self.said = title, text
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
        self.setFixedHeight(TALL if tall else WIDE)
        theme.changed.connect(self.update)

    def show_picture(self, picture: QImage) -> None:
        """Show a picture; one that is null leaves the drawing."""
        if not picture.isNull():
            self._picture = QPixmap.fromImage(picture)
            self.update()

    def add_link(self, text: str, tip: str) -> QToolButton:
        """Return a second, smaller button at the card's foot, which leads elsewhere."""
        self._link = QToolButton(self)
        self._link.setText(text)
        self._link.setToolTip(tip)
        self._link.setAccessibleName(tip)
        self._link.setProperty("role", "link")
        self._link.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._place_link()
        return self._link

    @property
    def has_picture(self) -> bool:
        """Whether a picture is shown rather than a drawing."""
        return self._picture is not None

    def sizeHint(self) -> QSize:
        """Return the size at which its text can be read."""
        return QSize(262, TALL if self._tall else WIDE)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint ground, picture and words."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        colour, enabled = self._theme.colour, self.isEnabled()
        ground = QPainterPath()
        ground.addRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), CORNER, CORNER)
        pressed = self.isDown() and enabled
        painter.fillPath(
            ground, colour("sunken" if pressed else "surface") if enabled else Qt.GlobalColor.transparent
        )
        if self._tall:
            self._paint_picture(painter, QRect(1, 1, self.width() - 2, PICTURE), ground)
            foot = _FOOT if self._link is not None else EDGE
            words = QRect(EDGE, PICTURE + 10, self.width() - 2 * EDGE, self.height() - PICTURE - 10 - foot)
        elif self._drawing is None:
            words = self.rect().adjusted(EDGE, 12, -EDGE, -8)
        else:
            room = QRect(EDGE, (self.height() - THUMB) // 2, THUMB, THUMB)
            clip = QPainterPath()
            clip.addRoundedRect(QRectF(room), 6, 6)
            self._paint_picture(painter, room, clip)
            left = room.right() + EDGE
            words = QRect(left, 12, self.width() - left - EDGE, self.height() - 20)
        self._paint_words(painter, words)
        focus, over = self.hasFocus(), self._over and enabled
        shade = colour("accent") if focus else colour("faint" if over else "line")
        painter.setPen(QPen(shade, 2 if focus else 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        inset = 1.0 if focus else 0.5
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), CORNER, CORNER)
        painter.end()

    def _paint_picture(self, painter: QPainter, room: QRect, clip: QPainterPath) -> None:
        """Fill the room with the middle of the picture, or put the drawing in its middle."""
        painter.save()
        painter.setClipPath(clip)
        painter.setClipRect(room, Qt.ClipOperation.IntersectClip)
        if self._picture is None and self._drawing is not None:
            painter.fillRect(room, self._theme.colour("sunken"))
            side = min(28, room.height() // 2)
            where = QRect(0, 0, side, side)
            where.moveCenter(room.center())
            self._drawing(self._theme.colour("faint")).paint(painter, where)
        elif self._picture is not None:
            size = self._picture.size()
            share = max(room.width() / size.width(), room.height() / size.height())
            width, height = room.width() / share, room.height() / share
            source = QRectF((size.width() - width) / 2, (size.height() - height) / 2, width, height)
            painter.setOpacity(1.0 if self.isEnabled() else 0.4)
            painter.drawPixmap(QRectF(room), self._picture, source)
        painter.restore()

    def _paint_words(self, painter: QPainter, room: QRect) -> None:
        colour = self._theme.colour
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        metrics = QFontMetrics(bold)
        painter.setFont(bold)
        painter.setPen(colour("text" if self.isEnabled() else "muted"))
        title = metrics.elidedText(self.title, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, _LINE, title)
        small = small_font(self.font())
        painter.setFont(small)
        painter.setPen(colour("muted"))
        below = room.adjusted(0, metrics.height() + 3, 0, 0)
        painter.drawText(below, _WRAPPED, fitting(self.said, QFontMetrics(small), below.size()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the second button at the foot."""
        super().resizeEvent(event)
        self._place_link()

    def _place_link(self) -> None:
        if self._link is not None:
            self._link.adjustSize()
            self._link.move(EDGE - 9, self.height() - self._link.height() - 6)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show that it can be pressed."""
        self._over = True
        self.update()

    def leaveEvent(self, event: object) -> None:
        """Show it as before."""
        self._over = False
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Enter for a click, as Space is."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)


def fitting(text: str, metrics: QFontMetrics, room: QSize) -> str:
    """Return as many of a text's words as there is room for, with a sign where some are left out."""

    def fits(words: str) -> bool:
        area = QRect(0, 0, room.width(), 10_000)
        return metrics.boundingRect(area, _WRAPPED, words).height() <= room.height()

    if fits(text):
        return text
    words = text.split(" ")
    while len(words) > 1 and not fits(" ".join(words) + "…"):
        words.pop()
    return " ".join(words) + "…"
