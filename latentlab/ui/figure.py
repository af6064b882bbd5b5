"""The figure: input, reconstruction and edited picture over the bars, on white, at twice the size."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter

from latentlab.spec import PredictorSpec
from latentlab.ui.theme import LIGHT
from latentlab.ui.widgets.bars_painter import (
    BarLayout,
    Numbers,
    Series,
    lay_out,
    paint_bars,
    paint_ground,
    paint_legend,
)

SCALE = 2
WIDTH, MARGIN, GAP, TITLE = 880, 24, 20, 24


@dataclass(frozen=True, eq=False)
class FigurePicture:
    """One picture of the figure: its title, its colour's name, its image; None where there is none."""

    title: str
    colour: str
    image: QImage | None


def compose(
    pictures: list[FigurePicture],
    spec: PredictorSpec | None,
    series: list[Series],
    caption: str,
    font: QFont,
    smooth: bool = True,
    changes: bool = False,
) -> QImage:
    """Paint the figure.

    Parameters
    ----------
    pictures
        From left to right; those without an image are left out.
    spec, series
        What the bars show; no bars without.
    caption
        What stands below: model, weights, what was changed, what the attributes are.
    smooth
        Whether to smooth between the pictures' pixels.
    changes
        Whether the last series' numbers also tell how they changed since the one before.
    """
    shown = [picture for picture in pictures if picture.image is not None]
    inner = WIDTH - 2 * MARGIN
    columns = max(3, len(shown))
    side = (inner - (columns - 1) * GAP) // columns
    bars_top = MARGIN + TITLE + side + 20
    bars, used = BarLayout(), 0
    if spec is not None and series:
        bars = lay_out(spec, inner, len(series), font, top=30, changes=changes)
        used = 30 + bars.height
    small = QFont(font)
    small.setPixelSize(11)
    box = QFontMetrics(small).boundingRect(QRect(0, 0, inner, 10_000), int(Qt.TextFlag.TextWordWrap), caption)
    height = bars_top + used + 8 + box.height() + MARGIN
    image = QImage(WIDTH * SCALE, height * SCALE, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    painter.scale(SCALE, SCALE)
    painter.setFont(font)
    for k, picture in enumerate(shown):
        left = MARGIN + k * (side + GAP)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(getattr(LIGHT, picture.colour)))
        painter.drawEllipse(QPointF(left + 5, MARGIN + 7), 4, 4)
        painter.setPen(QColor(LIGHT.text))
        title = QFontMetrics(font).elidedText(picture.title, Qt.TextElideMode.ElideRight, side - 15)
        painter.drawText(
            QRect(left + 15, MARGIN - 4, side - 15, TITLE), int(Qt.AlignmentFlag.AlignVCenter), title
        )
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        assert picture.image is not None
        painter.drawImage(QRect(left, MARGIN + TITLE, side, side), picture.image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QColor(LIGHT.line))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRect(left, MARGIN + TITLE, side - 1, side - 1))
    if bars.blocks:
        painter.translate(MARGIN, bars_top)
        paint_legend(painter, QPointF(0, 0), series, LIGHT, font)
        paint_ground(painter, bars, len(series), LIGHT, font)
        paint_bars(painter, bars, series, range(len(series)), LIGHT)
        if series:
            since = series[-2] if changes and len(series) > 1 else None
            Numbers(font).paint(painter, bars, series[-1], LIGHT, since)
        painter.translate(-MARGIN, -bars_top)
    painter.setFont(small)
    painter.setPen(QColor(LIGHT.muted))
    where = QRect(MARGIN, bars_top + used + 8, inner, box.height() + 4)
    painter.drawText(where, int(Qt.TextFlag.TextWordWrap), caption)
    painter.end()
    return image
