"""Histograms of latent entries: how many faces lie where, and how often they are drawn, over one another."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from latentlab.training.debiasing_record import Histogram
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.chart_parts import TITLE_HEIGHT, paint_nothing, paint_title
from latentlab.ui.widgets.tips import answered_tip
from latentlab.ui.widgets.train_colours import colour_of, paint_key

TITLE, FOOT, LEAST, GAP = 42, 18, 104, 12
NOTHING = "Where faces lie in the latent, and where they are drawn from, appears here after the first epoch."
IN_SET, DRAWN = "faces", "as drawn (resampling weight)"
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)


class LatentHistograms(QWidget):
    """Shows as many histograms as there is room for; arrow keys go on to the others."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.shown: tuple[tuple[int, Histogram], ...] = ()
        self.first = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Histograms of the latent")
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(420, 170)

    def minimumSizeHint(self) -> QSize:
        """Return the least size."""
        return QSize(160, 110)

    @property
    def columns(self) -> int:
        """How many there is room for."""
        return max(1, (self.width() + GAP) // (LEAST + GAP))

    def show_histograms(self, shown: Sequence[tuple[int, Histogram]]) -> None:
        """Show histograms by latent entry, those first that the draws change most."""
        self.shown = tuple(shown)
        self.first = min(self.first, max(0, len(self.shown) - 1))
        said = [
            f"entry {entry}: most faces in bin {int(one.share.argmax()) + 1} ({one.share.max():.0%}), "
            f"drawn {one.drawn[one.share.argmax()]:.0%}"
            for entry, one in self._here()
        ]
        self.setAccessibleDescription("; ".join(said) if said else NOTHING)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go on to other entries by arrow keys."""
        step = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        last = max(0, len(self.shown) - self.columns)
        self.first = min(last, max(0, self.first + step))
        self.show_histograms(self.shown)

    def _here(self) -> tuple[tuple[int, Histogram], ...]:
        return self.shown[self.first : self.first + self.columns]

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint title, key and histograms."""
        painter = QPainter(self)
        paint_title(painter, self._theme, self.font(), "Latent entries, most changed first")
        if not self.shown:
            where = QRectF(self.rect()).adjusted(8, TITLE_HEIGHT, -8, -8)
            paint_nothing(painter, self._theme, self.font(), where, NOTHING)
            painter.end()
            return
        paint_key(painter, QRectF(0, TITLE_HEIGHT, self.width(), 18), {IN_SET: 0, DRAWN: 1}, self._theme)
        for place, (entry, one) in enumerate(self._here()):
            self._paint_one(painter, self._place(place), entry, one)
        if self.hasFocus():
            painter.setPen(QPen(self._theme.colour("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.end()

    def _place(self, place: int) -> QRectF:
        columns = self.columns
        width = (self.width() - (columns - 1) * GAP) / columns
        return QRectF(place * (width + GAP), TITLE, width, max(1.0, self.height() - TITLE - FOOT))

    def _paint_one(self, painter: QPainter, area: QRectF, entry: int, one: Histogram) -> None:
        colour = self._theme.colour
        most = max(float(one.share.max()), float(one.drawn.max()), 1e-9)
        bins = len(one.share)
        width = area.width() / bins
        painter.setPen(Qt.PenStyle.NoPen)
        soft = QColor(colour_of(self._theme, 0))
        soft.setAlpha(120)
        painter.setBrush(soft)
        for k, share in enumerate(one.share):
            height = float(share) / most * area.height()
            painter.drawRect(QRectF(area.left() + k * width + 0.5, area.bottom() - height, width - 1, height))
        points = [QPointF(area.left(), area.bottom())]
        for k, drawn in enumerate(one.drawn):
            y = area.bottom() - float(drawn) / most * area.height()
            points += [QPointF(area.left() + k * width, y), QPointF(area.left() + (k + 1) * width, y)]
        points.append(QPointF(area.right(), area.bottom()))
        painter.setPen(QPen(colour_of(self._theme, 1), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(points))
        painter.setPen(QPen(colour("line"), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.setPen(colour("muted"))
        where = QRectF(area.left(), area.bottom() + 1, area.width(), FOOT - 1)
        text = f"z{entry}: {one.edges[0]:.2g} to {one.edges[-1]:.2g}"
        painter.drawText(where, _CENTRE, text)

    def event(self, event: QEvent) -> bool:
        """Say what the bin under the pointer is."""
        return answered_tip(self, event, self.tip_at) or super().event(event)

    def tip_at(self, point: QPoint) -> str:
        """Return what the tool tip says at a point."""
        for place, (entry, one) in enumerate(self._here()):
            area = self._place(place)
            if area.contains(QPointF(point)):
                bins = len(one.share)
                k = min(bins - 1, int((point.x() - area.left()) / area.width() * bins))
                return (
                    f"Latent entry {entry}, {one.edges[k]:.2g} to {one.edges[k + 1]:.2g}: "
                    f"{one.share[k]:.1%} of the faces, {one.drawn[k]:.1%} of the draws"
                )
        return ""
