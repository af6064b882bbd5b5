"""Frames a second while the map is dragged: 10,000 points on 900 x 600 pixels, painted in software.

    python benchmarks/map_pan.py [points]

Every frame is a real one: a mouse move that drags the map, and the repaint of the whole canvas. Beside it
stand the ways that were not taken, painting the same points without legend, axes and marks: pyqtgraph's
`ScatterPlotItem`, stamps that numpy blends into the image's bytes (pixel by pixel of the stamp, so that
where points overlap the edge of one may lie on the middle of another), and `QPainter.drawPoints`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

WIDTH, HEIGHT, FRAMES = 900, 600, 120


def main() -> None:
    """Measure at one and at two device pixels to a pixel, in processes of their own."""
    points = sys.argv[1] if len(sys.argv) > 1 else "10000"
    for scale in ("1", "2"):
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": scale}
        subprocess.run([sys.executable, __file__, points, scale], env=environment, check=True)


def measure(count: int, scale: str) -> None:
    """Print the figures of every way at one scale."""
    from PySide6.QtWidgets import QApplication

    from latentlab.ui.theme import Theme

    app = QApplication([])
    theme = Theme(app)
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 8, count)
    centres, widths = generator.uniform(-3, 3, (8, 2)), generator.uniform(0.3, 1.0, (8, 2))
    noise = generator.normal(size=(count, 2))
    places = (centres[codes] + noise * widths[codes]).astype(np.float32)
    print(f"{count:,} points, {WIDTH} x {HEIGHT}, at {scale} device pixel(s) to a pixel")
    for name, way in (
        ("MapCanvas", canvas),
        ("MapCanvas, density", lambda *given: canvas(*given, density=True)),
        ("MapCanvas, zoomed 8x", lambda *given: canvas(*given, zoom=8.0)),
        ("pyqtgraph", pyqtgraph),
        ("numpy stamps", numpy_stamps),
        ("drawPoints", draw_points),
    ):
        frame = way(theme, places, codes)
        app.processEvents()  # nothing is painted before the window is exposed
        times = 1e3 * np.array(timed(frame))
        print(
            f"  {name:22} {1e3 / np.median(times):6.0f} frames a second, "
            f"median {np.median(times):6.2f} ms, 95th percentile {np.percentile(times, 95):6.2f} ms"
        )


def timed(frame: Callable[[int], None]) -> list[float]:
    """Return the seconds that each frame takes, after ten to warm up; at most eight seconds in all."""
    times: list[float] = []
    began = time.perf_counter()
    for k in range(FRAMES + 10):
        start = time.perf_counter()
        frame(k)
        times.append(time.perf_counter() - start)
        if len(times) > 20 and time.perf_counter() - began > 8:
            break
    return times[10:]


def way_of(k: int) -> tuple[float, float]:
    """Return where the pointer is in frame ``k``: it circles."""
    return 450 + 120 * np.cos(k / 10), 300 + 120 * np.sin(k / 10)


def canvas(theme, places, codes, density=False, zoom=1.0):
    """Drag the map with its legend, axes, pins and marker."""
    from PySide6.QtCore import QEvent, QPointF, Qt
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QApplication
    from scipy.ndimage import gaussian_filter

    from latentlab.ui.widgets.map_canvas import MapCanvas

    shown = MapCanvas(theme)
    shown.resize(WIDTH, HEIGHT)
    shown.set_points(places, codes, tuple(f"class {k}" for k in range(8)), title="Class")
    shown.set_axes("PC 1, 18.2% of the variance", "PC 2, 9.7% of the variance")
    shown.set_marker(0.5, 0.5)
    shown.set_pins([(1.0, 1.0, "one"), (-1.0, 0.0, "two")])
    if density:
        counts, _, _ = np.histogram2d(places[:, 1], places[:, 0], bins=128, range=[[-6, 6], [-6, 6]])
        shown.set_density(gaussian_filter(counts, 2).astype(np.float32), (-6, -6, 6, 6))
    shown.show()
    shown.zoom_by(zoom)
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier

    def send(kind: QEvent.Type, k: int) -> None:
        at = QPointF(*way_of(k))
        QApplication.sendEvent(shown, QMouseEvent(kind, at, at, left, left, none))

    send(QEvent.Type.MouseButtonPress, 0)

    def frame(k: int) -> None:
        send(QEvent.Type.MouseMove, k)
        shown.repaint()

    return frame


def pyqtgraph(theme, places, codes):
    """Move the range of a plot with a scatter of the same size."""
    import pyqtgraph as pg

    from latentlab.ui.widgets.map_colours import CLASSES_LIGHT

    pg.setConfigOptions(antialias=True, background="w")
    plot = pg.PlotWidget()
    plot.resize(WIDTH, HEIGHT)
    plot.hideAxis("left")
    plot.hideAxis("bottom")
    brushes = [pg.mkBrush(CLASSES_LIGHT[code]) for code in codes]
    plot.addItem(pg.ScatterPlotItem(x=places[:, 0], y=places[:, 1], size=4.5, pen=None, brush=brushes))
    plot.show()
    plot.setRange(xRange=(-6, 6), yRange=(-4, 4), padding=0)

    def frame(k: int) -> None:
        (x0, y0), (x1, y1) = way_of(k), way_of(k + 1)
        plot.getViewBox().translateBy(x=(x0 - x1) / 75, y=(y1 - y0) / 75)
        plot.viewport().repaint()

    return frame


def painted(theme, draw):
    """Return the frame of a plain widget that ``draw(painter, k, scale)`` paints."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    class Plain(QWidget):
        k = 0

        def paintEvent(self, event):  # noqa: N802 - Qt's own name
            painter = QPainter(self)
            painter.fillRect(self.rect(), theme.colour("surface"))
            draw(painter, self.k, self.devicePixelRatioF())
            painter.end()

    shown = Plain()
    shown.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
    shown.resize(WIDTH, HEIGHT)
    shown.show()

    def frame(k: int) -> None:
        shown.k = k
        shown.repaint()

    return frame


def numpy_stamps(theme, places, codes):
    """Blend each pixel of a smooth stamp into the bytes of the image, for all points at once."""
    from PySide6.QtGui import QColor, QImage

    from latentlab.ui.widgets.map_colours import CLASSES_LIGHT

    shades = np.array([QColor(name).getRgb()[2::-1] for name in CLASSES_LIGHT], dtype=np.uint16)[codes]

    def draw(painter, k, scale):
        radius = 2.25 * scale
        side = int(np.ceil(2 * radius + 2))
        width, height = int(WIDTH * scale) + 2 * side, int(HEIGHT * scale) + 2 * side
        pixels = np.full((width * height, 4), 255, dtype=np.uint8)
        at = np.rint((places * (75, -75) + way_of(k)) * scale - side / 2).astype(np.int64) + side
        seen = ((at >= 0) & (at < (width - side, height - side))).all(axis=1)
        first, colour = at[seen, 1] * width + at[seen, 0], shades[seen]
        for row, column in np.ndindex(side, side):
            away = np.hypot(row + 0.5 - side / 2, column + 0.5 - side / 2)
            alpha = int(230 * np.clip(radius + 0.5 - away, 0, 1))
            if alpha:
                index = first + (row * width + column)
                ground = pixels[index, :3].astype(np.uint16)
                pixels[index, :3] = (colour * alpha + ground * (255 - alpha)) // 255
        inner = np.ascontiguousarray(pixels.reshape(height, width, 4)[side:-side, side:-side])
        image = QImage(
            inner.data, inner.shape[1], inner.shape[0], 4 * inner.shape[1], QImage.Format.Format_RGB32
        )
        image.setDevicePixelRatio(scale)
        painter.drawImage(0, 0, image)

    return painted(theme, draw)


def draw_points(theme, places, codes):
    """Let the painter draw round points, one call a class."""
    from PySide6.QtCore import QPointF, Qt
    from PySide6.QtGui import QColor, QPainter, QPen

    from latentlab.ui.widgets.map_colours import CLASSES_LIGHT

    def draw(painter, k, scale):
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        at = places * (75, -75) + way_of(k)
        for code, name in enumerate(CLASSES_LIGHT):
            painter.setPen(QPen(QColor(name), 4.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPoints([QPointF(x, y) for x, y in at[codes == code].tolist()])

    return painted(theme, draw)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        measure(int(sys.argv[1]), sys.argv[2])
    else:
        main()
