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
        if self.painting:
            super().mousePressEvent(event)
        else:
            PictureView.mousePressEvent(self, event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw on, or move an enlarged picture."""
        if self.painting:
            super().mouseMoveEvent(event)
        else:
            PictureView.mouseMoveEvent(self, event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the stroke, or let go of the picture."""
        if self.painting:
            super().mouseReleaseEvent(event)
        else:
            PictureView.mouseReleaseEvent(self, event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Take the second press for a press, or show the whole picture."""
        if self.painting:
            super().mouseDoubleClickEvent(event)
        else:
            PictureView.mouseDoubleClickEvent(self, event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Change the brush's size, or enlarge the picture."""
        if self.painting:
            super().wheelEvent(event)
        else:
            PictureView.wheelEvent(self, event)

    def _point_of(self, place: Place) -> QPointF:
        area = QRectF(self.picture_area())
        x, y = place[0] / self.side - self._part.x(), place[1] / self.side - self._part.y()
        scale = area.width() / self._part.width()
        return QPointF(area.left() + x * scale, area.top() + y * scale)
