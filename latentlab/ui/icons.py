"""Icons: line drawings in ``resources/icons``, drawn in the colour that is asked for."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from latentlab.paths import bundled

SIZE = 20
_SCALES = (1, 2, 3)


def icon(name: str, colour: QColor, disabled: QColor | None = None) -> QIcon:
    """Return the icon of that name (a file in ``resources/icons``) in one colour.

    ``disabled`` is its colour on a control that cannot be used.
    """
    drawing = bundled("resources", "icons", f"{name}.svg").read_text(encoding="utf-8")
    result = QIcon()
    for mode, shade in ((QIcon.Mode.Normal, colour), (QIcon.Mode.Disabled, disabled)):
        if shade is not None:
            for scale in _SCALES:
                result.addPixmap(_pixmap(drawing, shade, scale), mode)
    return result


def application_icon() -> QIcon:
    """Return the program's own icon, in its own colours."""
    return QIcon(str(bundled("resources", "icons", "latentlab.svg")))


def _pixmap(drawing: str, colour: QColor, scale: int) -> QPixmap:
    pixmap = QPixmap(SIZE * scale, SIZE * scale)
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    renderer = QSvgRenderer(QByteArray(drawing.replace("currentColor", colour.name()).encode()))
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, SIZE, SIZE))
    painter.end()
    return pixmap
