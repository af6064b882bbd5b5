"""The mix of a found set: bars of the classes' shares with intervals, beside what is true or assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPointF, QRect, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from latentlab.session.search_mix import BESIDE, Mix, MixRow
from latentlab.ui.theme import Theme, numerals
from latentlab.ui.widgets.bars_painter import label_of, small_font
from latentlab.ui.widgets.boxes import SpinBox
from latentlab.ui.widgets.form import caption, choice_box, number_box

ROW, LABELS, NUMBERS, BOX = 22, 84, 92, 58
BAR = 9
CHOICES = (
    ("input", "the input, as predicted"),
    ("row", "the picture's own label"),
    ("assumed", "what I assume"),
    ("none", "nothing"),
)
NO_JUDGE = "No attribute predictor fits this model, so nothing is said of the set."
NOTHING = "The set's mix appears here when the search is over."
NONE_UNDER = "No restart is under eps, so there is no set yet."
_LEFT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
_RIGHT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
_ELIDE = Qt.TextElideMode.ElideRight


class MixBars(QWidget):
    """A row a class: its share as a bar, the interval as a line over it, what it stands beside as a mark.

    ``assumed`` tells a class and the share, in percent, that is assumed of it.
    """

    assumed = Signal(int, int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._labels: tuple[str, ...] = ()
        self._rows: tuple[MixRow, ...] = ()
        self._beside: Mapping[str, float] = {}
        self.boxes: list[SpinBox] = []
        self.setAccessibleName("Mix of the set")
        theme.changed.connect(self.update)

    def show_mix(
        self, labels: Sequence[str], mix: Mix | None, beside: Mapping[str, float], editable: bool
    ) -> None:
        """Show the classes, the set's shares where there is one, and what they stand beside."""
        self._labels = tuple(labels)
        self._rows = () if mix is None or not mix.count else mix.rows
        self._beside = beside
        wanted = len(self._labels) if editable else 0
        while len(self.boxes) > wanted:
            box = self.boxes.pop()
            box.setParent(None)
            box.deleteLater()
        for place in range(len(self.boxes), wanted):
            box = number_box("", "What you assume of this class, in percent", 0, 100, BOX, " %")
            box.setParent(self)
            box.valueChanged.connect(lambda value, place=place: self.assumed.emit(place, value))
            box.show()
            self.boxes.append(box)
        for box, label in zip(self.boxes, self._labels, strict=False):
            box.setAccessibleName(f"Assumed share of {label_of(label)}")
            with QSignalBlocker(box):
                box.setValue(round(100 * beside.get(label, 0.0)))
        self.setFixedHeight(max(ROW, ROW * len(self._labels)))
        self._place_boxes()
        self._describe()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size that the rows take."""
        return QSize(260, ROW * max(1, len(self._labels)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the boxes at the right."""
        super().resizeEvent(event)
        self._place_boxes()

    def _place_boxes(self) -> None:
        for place, box in enumerate(self.boxes):
            box.setGeometry(self.width() - BOX, place * ROW + 1, BOX, ROW - 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint all rows."""
        painter = QPainter(self)
        font = small_font(self.font())
        metrics, colour = QFontMetrics(font), self._theme.colour
        painter.setFont(font)
        right = self.width() - (BOX + 6 if self.boxes else 0)
        for place, label in enumerate(self._labels):
            top = place * ROW
            painter.setPen(colour("text"))
            name = metrics.elidedText(label_of(label), _ELIDE, LABELS - 6)
            painter.drawText(QRect(0, top, LABELS - 6, ROW), _LEFT, name)
            track = QRectF(LABELS, top + (ROW - BAR) / 2, max(20, right - LABELS - NUMBERS), BAR)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour("sunken"))
            painter.drawRoundedRect(track, 3, 3)
            row = self._rows[place] if place < len(self._rows) else None
            if row is not None:
                self._paint_share(painter, track, row)
                painter.setPen(colour("text"))
                said = f"{100 * row.share:.0f}% [{100 * row.low:.0f}–{100 * row.high:.0f}]"
                painter.drawText(QRect(right - NUMBERS, top, NUMBERS, ROW), _RIGHT, said)
            if label in self._beside:
                self._paint_mark(painter, track, self._beside[label])
        painter.end()

    def _paint_share(self, painter: QPainter, track: QRectF, row: MixRow) -> None:
        colour, middle = self._theme.colour, track.center().y()
        painter.setBrush(colour("accent"))
        painter.drawRoundedRect(QRectF(track.left(), track.top(), track.width() * row.share, BAR), 3, 3)
        ends = [track.left() + track.width() * share for share in (row.low, row.high)]
        painter.setPen(QPen(colour("text"), 1.4))
        painter.drawLine(QPointF(ends[0], middle), QPointF(ends[1], middle))
        for x in ends:
            painter.drawLine(QPointF(x, middle - 3), QPointF(x, middle + 3))
        painter.setPen(Qt.PenStyle.NoPen)

    def _paint_mark(self, painter: QPainter, track: QRectF, share: float) -> None:
        x, colour = track.left() + track.width() * share, self._theme.colour
        painter.setPen(QPen(colour("surface"), 1))
        painter.setBrush(QColor(colour("start")))
        ends = [(0, -8), (4, -4), (0, 0), (-4, -4)]
        middle = track.center().y() + 4
        painter.drawPolygon(QPolygonF([QPointF(x + dx, middle + dy) for dx, dy in ends]))
        painter.setPen(Qt.PenStyle.NoPen)

    def _describe(self) -> None:
        said = []
        for place, label in enumerate(self._labels):
            parts = [label_of(label)]
            if place < len(self._rows):
                row = self._rows[place]
                parts.append(f"{100 * row.share:.0f}%, {100 * row.low:.0f} to {100 * row.high:.0f}%")
            if label in self._beside:
                parts.append(f"beside {100 * self._beside[label]:.0f}%")
            said.append(" ".join(parts))
        self.setAccessibleDescription("; ".join(said))


class MixCard(QWidget):
    """Which attribute's mix is shown, beside what, and the bars.

    ``attribute_chosen`` and ``beside_chosen`` are wishes; ``assumed`` is a class and a share in percent.
    """

    attribute_chosen = Signal(str)
    beside_chosen = Signal(str)
    assumed = Signal(int, int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.attribute = choice_box("Attribute of the mix", "Whose classes are counted over the set")
        self.beside = choice_box("Mix is compared with", "What the set's mix stands beside: the green marks")
        for value, text in CHOICES:
            self.beside.addItem(text, value)
        for box in (self.attribute, self.beside):
            box.setMinimumContentsLength(7)
        self.bars = MixBars(theme)
        self.note = caption("")
        self.note.setWordWrap(True)
        self._title = QLabel("Mix of the set")
        self._title.setProperty("role", "title")
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(self._title)
        top.addWidget(self.attribute, 1)
        second = QHBoxLayout()
        second.setSpacing(6)
        second.addWidget(caption("beside", self.beside))
        second.addWidget(self.beside, 1)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(4)
        column.addWidget(self.bars)
        column.addStretch(1)
        area.setWidget(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        self._top = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._top.setSpacing(6)
        self._top.addLayout(top, 1)
        self._top.addLayout(second, 1)
        layout.addLayout(self._top)
        layout.addWidget(area, 1)
        layout.addWidget(self.note)
        self.note.setFont(numerals(self.note.font()))
        self.attribute.activated.connect(
            lambda _row: self.attribute_chosen.emit(self.attribute.currentData())
        )
        self.beside.activated.connect(lambda _row: self.beside_chosen.emit(self.beside.currentData()))
        self.bars.assumed.connect(self.assumed)

    @property
    def controls(self) -> list[QWidget]:
        """All controls in the order of the Tab key."""
        return [self.attribute, self.beside, *self.bars.boxes]

    def set_low(self, low: bool) -> None:
        """Have both choices side by side and no title, where there is little height."""
        way = QBoxLayout.Direction
        self._top.setDirection(way.LeftToRight if low else way.TopToBottom)
        self._title.setVisible(not low)

    def set_attributes(self, names: Sequence[str]) -> None:
        """Offer the attributes of this predictor; none without one."""
        with QSignalBlocker(self.attribute):
            self.attribute.clear()
            for name in names:
                self.attribute.addItem(label_of(name), name)
        for widget in (self.attribute, self.beside):
            widget.setEnabled(bool(names))
        if not names:
            self.bars.show_mix((), None, {}, False)
            self.note.setText(NO_JUDGE)

    def show_mix(
        self,
        attribute: str,
        labels: Sequence[str],
        mix: Mix | None,
        beside: Mapping[str, float],
        kind: str,
        judged_by: str,
    ) -> None:
        """Show an attribute's mix beside something of a kind (`latentlab.session.search_mix.BESIDE`)."""
        with QSignalBlocker(self.attribute), QSignalBlocker(self.beside):
            self.attribute.setCurrentIndex(max(0, self.attribute.findData(attribute)))
            self.beside.setCurrentIndex(max(0, self.beside.findData(kind)))
        self.bars.show_mix(labels, mix, beside, kind == "assumed")
        self.note.setText(_note(mix, beside, kind, judged_by))


def _note(mix: Mix | None, beside: Mapping[str, float], kind: str, judged_by: str) -> str:
    missing = (
        ""
        if beside or kind == "none"
        else {
            "input": "The input was not judged. ",
            "row": "The picture is no row of a bundled set, so its label is not known. ",
        }.get(kind, "")
    )
    if mix is None:
        return f"{missing}{NOTHING}"
    if not mix.count:
        return f"{missing}{NONE_UNDER}"
    what = f"{mix.count} restart{'s' if mix.count > 1 else ''} under eps"
    if mix.worth != mix.count:
        what = f"{mix.count} draws, worth {mix.worth:.1f} independent ones"
    if not mix.met:
        what = f"{what}, of chains that have not met yet"
    marks = f"; marks: {BESIDE[kind]}" if beside else ""
    return f"{missing}{what}, judged by {judged_by}; 95% intervals{marks}."
