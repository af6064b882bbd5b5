"""A study's summary, and below it all its charts in as many columns as there is room for."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from latentlab.session.audit_beside import Shown
from latentlab.ui.theme import LIGHT, Theme
from latentlab.ui.widgets.audit_chart import AuditChart
from latentlab.ui.widgets.audit_painter import paint_chart
from latentlab.ui.widgets.audit_plot import lay_out
from latentlab.ui.widgets.audit_summary import AuditSummary
from latentlab.ui.widgets.bars_painter import small_font

COLUMN_LEAST, WIDE, SUMMARY_LEAST, GAP = 470, 620, 340, 12
"""The least width of a column, of one with differences too, and of a summary beside another."""
SCALE = 2
"""By how much an exported picture is enlarged."""
MARGIN = 20


def columns_of(heights: Sequence[int], width: int, least: int = COLUMN_LEAST) -> list[QRect]:
    """Place charts of these heights, each below the shortest column so far.

    Parameters
    ----------
    heights
        Of each chart at the width of a column (`column_width`).
    """
    each = column_width(width, least)
    bottoms = [0] * max(1, (width + GAP) // (least + GAP))
    bottoms = bottoms[: max(1, len(heights))]
    found = []
    for height in heights:
        column = bottoms.index(min(bottoms))
        found.append(QRect(column * (each + GAP), bottoms[column], each, height))
        bottoms[column] += height + GAP
    return found


def column_width(width: int, least: int = COLUMN_LEAST) -> int:
    """Return how wide a column is, of as many as there is room for."""
    count = max(1, (width + GAP) // (least + GAP))
    return (width - (count - 1) * GAP) // count


class AuditColumns(QScrollArea):
    """Shows charts; ``chosen`` tells the place of a chart and that of its mark."""

    chosen = Signal(int, int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.charts: list[AuditChart] = []
        self.summaries: list[AuditSummary] = []
        self._least = COLUMN_LEAST
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Charts")
        self._plane = QWidget()
        self._plane.setObjectName("plain")
        self.setWidget(self._plane)

    def show_summaries(self, said: Sequence[tuple[str, Sequence[str]]]) -> None:
        """Show summaries, each a heading and its sentences, side by side above the charts."""
        for left in self.summaries[len(said) :]:
            left.setParent(None)
            left.deleteLater()
        del self.summaries[len(said) :]
        while len(self.summaries) < len(said):
            summary = AuditSummary(self._plane)
            summary.unfolded.connect(self._lay_out)
            summary.show()
            self.summaries.append(summary)
        for summary, (heading, sentences) in zip(self.summaries, said, strict=True):
            summary.show_sentences(heading, sentences)
        self._lay_out()

    def show_charts(self, shown: Sequence[Shown], least: int = COLUMN_LEAST) -> None:
        """Show these, each at least so wide where there is room; charts stay, so that more can come in."""
        self._least = least
        for chart in self.charts[len(shown) :]:
            chart.setParent(None)
            chart.deleteLater()
        del self.charts[len(shown) :]
        for place, one in enumerate(shown):
            if place < len(self.charts):
                self.charts[place].show_chart(one)
                continue
            chart = AuditChart(one, self._theme, self._plane)
            chart.chosen.connect(lambda mark, place=place: self.chosen.emit(place, mark))
            chart.show()
            self.charts.append(chart)
        self._lay_out()

    def mark(self, place: int | None, mark: int | None) -> None:
        """Mark the one whose images are shown."""
        for k, chart in enumerate(self.charts):
            chart.set_current(mark if k == place else None)

    def reveal(self, place: int) -> None:
        """Scroll so that a chart's chosen mark is seen."""
        chart = self.charts[place]
        if chart.current is not None:
            area = chart.mark_area(chart.current).toRect()
            centre = chart.mapTo(self._plane, area.center())
            self.ensureVisible(centre.x(), centre.y(), 0, area.height() + 20)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the charts anew."""
        super().resizeEvent(event)
        self._lay_out()

    def changeEvent(self, event: QEvent) -> None:
        """Place the charts anew with another font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._lay_out()

    def sizeHint(self) -> QSize:
        """Return a usual size."""
        return QSize(640, 400)

    def _lay_out(self) -> None:
        width = self.viewport().width() - 4
        top = self._lay_out_summaries(width)
        each = column_width(width, self._least)
        places = columns_of([chart.height_for(each) for chart in self.charts], width, self._least)
        for chart, place in zip(self.charts, places, strict=True):
            chart.setGeometry(place.translated(0, top))
        bottom = max((place.bottom() + 1 for place in places), default=0)
        self._plane.resize(self.viewport().width(), top + bottom)

    def _lay_out_summaries(self, width: int) -> int:
        """Place the summaries, side by side where there is room, and return how high they are with a gap."""
        count = len(self.summaries)
        beside = count > 1 and width >= 2 * SUMMARY_LEAST
        each = (width - GAP) // 2 if beside else width
        heights = [one.height_for(each) for one in self.summaries]
        y = 0
        for place, (summary, height) in enumerate(zip(self.summaries, heights, strict=True)):
            if beside:
                summary.setGeometry(place * (each + GAP), 0, each, max(heights))
            else:
                summary.setGeometry(0, y, each, height)
                y += height + GAP
        return max(heights) + GAP if beside else y


def charts_picture(shown: Sequence[Shown], width: int, title: str, caption: str, font_of: QWidget) -> QImage:
    """Return charts as one picture on white, with a title above and words below."""
    font = font_of.font()
    inner = width - 2 * MARGIN
    plots = [lay_out(one, column_width(inner), font) for one in shown]
    places = columns_of([round(plot.height + 0.5) for plot in plots], inner)
    image = QImage(1, 1, QImage.Format.Format_RGB32)
    probe = QPainter(image)
    probe.setFont(small_font(font))
    words = probe.boundingRect(QRect(0, 0, inner, 10_000), int(Qt.TextFlag.TextWordWrap), caption)
    probe.end()
    top = MARGIN + 30
    bottom = top + max((place.bottom() + 1 for place in places), default=0)
    height = bottom + 12 + words.height() + MARGIN
    image = QImage(QSize(width, height) * SCALE, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    painter.scale(SCALE, SCALE)
    strong = font_of.font()
    strong.setPixelSize(font.pixelSize() + 2)
    strong.setWeight(strong.Weight.DemiBold)
    painter.setFont(strong)
    painter.setPen(QColor(LIGHT.text))
    painter.drawText(QRect(MARGIN, MARGIN - 4, inner, 26), 0, title)
    for one, plot, place in zip(shown, plots, places, strict=True):
        painter.save()
        painter.translate(QPoint(MARGIN, top) + place.topLeft())
        paint_chart(painter, plot, one, LIGHT, font)
        painter.restore()
    painter.setFont(small_font(font))
    painter.setPen(QColor(LIGHT.muted))
    below = QRect(MARGIN, bottom + 12, inner, words.height() + 4)
    painter.drawText(below, int(Qt.TextFlag.TextWordWrap), caption)
    painter.end()
    return image
