"""The edited picture as a canvas: what is drawn on it changes the cells of the latent under the brush."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QMouseEvent, QWheelEvent

from latentlab.operations.painting import Place
from latentlab.ui.widgets.paint_canvas import PaintCanvas
from latentlab.ui.widgets.picture_view import PictureView


class LatentCanvas(PaintCanvas):
    """A canvas with brush and eraser while one paints; else a picture that is enlarged and moved."""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a stroke, or take hold of an enlarged picture."""
        (super().mousePressEvent if self.painting else self._picture.mousePressEvent)(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw on, or move an enlarged picture."""
        (super().mouseMoveEvent if self.painting else self._picture.mouseMoveEvent)(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the stroke, or let go of the picture."""
        (super().mouseReleaseEvent if self.painting else self._picture.mouseReleaseEvent)(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Take the second press for a press, or show the whole picture."""
        (super().mouseDoubleClickEvent if self.painting else self._picture.mouseDoubleClickEvent)(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Change the brush's size, or enlarge the picture."""
        (super().wheelEvent if self.painting else self._picture.wheelEvent)(event)

    @property
    def _picture(self) -> PictureView:
        """What it is while nobody paints."""
        picture: PictureView = super(PaintCanvas, self)  # type: ignore[assignment]
        return picture

    def _point_of(self, place: Place) -> QPointF:
        area = QRectF(self.picture_area())
        x, y = place[0] / self.side - self._part.x(), place[1] / self.side - self._part.y()
        scale = area.width() / self._part.width()
        return QPointF(area.left() + x * scale, area.top() + y * scale)
