"""The strip below the samples: one z from a dataset to another, or the way between two z; it plays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from latentlab.operations.sample_plan import MOST_WAY
from latentlab.session.document import LatentRef, StripView
from latentlab.ui.icons import icon
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.boxes import ComboBox
from latentlab.ui.widgets.buttons import PlayButton
from latentlab.ui.widgets.condition_block import ValueRow
from latentlab.ui.widgets.film_strip import FilmStrip
from latentlab.ui.widgets.form import number_box
from latentlab.ui.widgets.path_bar import KINDS, LEAST_FPS, MOST_FPS
from latentlab.ui.widgets.picture_cells import PictureCells

STRIP, HERE = 92, 84
FPS = 12
EXPORT_TIP = "Save the strip as a loop that plays to and fro: GIF, WebP, APNG or MP4"
HERE_TIP = "Click to go on with it in Explore"
NO_STRIP = "There is no strip to save."
KINDS_OF_STRIP = {"blend": "Blend two datasets", "way": "Way between two z", "none": "No strip"}


class HereButton(QAbstractButton):
    """The picture where one stands on the strip; a click or Enter goes on with it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._cells: PictureCells | None = None
        self.smooth = True
        self.setFixedSize(HERE, HERE)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Picture at this place of the strip")
        theme.changed.connect(self.update)

    def show_picture(self, pixels: NDArray[np.uint8] | None, words: str) -> None:
        """Show one picture, uint8 ``[1, S, S, 4]``, BGRX, and say what it is; or none."""
        self._cells = None if pixels is None else PictureCells(pixels)
        self.setEnabled(pixels is not None)
        self.setAccessibleDescription(words)
        self.setToolTip(f"{words}\n{HERE_TIP}" if words else "")
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Enter for a click, as Space is."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.isAutoRepeat():
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint picture and frame."""
        painter = QPainter(self)
        area, colour = QRect(3, 3, HERE - 6, HERE - 6), self._theme.colour
        if self._cells is None:
            painter.fillRect(area, colour("sunken"))
        else:
            self._cells.paint(painter, 0, area, self.smooth)
        painter.setPen(QPen(colour("text" if self.hasFocus() else "accent"), 2 if self.hasFocus() else 1))
        painter.drawRect(area.adjusted(-1, -1, 0, 0))
        painter.end()


class SampleBar(QFrame):
    """Shows a strip and sends what a person wants of it; the playing itself is the owner's.

    ``wished`` tells the strip that is wished for, ``moved`` where one wants to stand on it (0 to 1) between
    ``pressed`` and ``released``; ``take_asked`` is the wish to go on in Explore with what is there,
    ``loop_asked`` that to save a loop.
    """

    wished = Signal(StripView)
    moved = Signal(float)
    pressed = Signal()
    released = Signal()
    play_toggled = Signal(bool)
    take_asked = Signal()
    loop_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._view = StripView()
        self._refs: list[LatentRef] = []
        self.setObjectName("card")
        self.setAccessibleName("Strip")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.kind = _choice("What the strip shows", "", 172)
        for value, text in KINDS_OF_STRIP.items():
            self.kind.addItem(text, value)
        self.start = _choice("Where the strip begins", "A row, the open picture, or a pin of Explore")
        self.end = _choice("Where the way ends", "A row, the open picture, or a pin of Explore")
        self.first = _choice("First dataset of the blend", "The dataset A: at the left of the strip")
        self.second = _choice("Second dataset of the blend", "The dataset B: at the right of the strip")
        self.dataset = _choice("Dataset of the way", "On which dataset the way is drawn")
        self.share = ValueRow("Share of the second dataset", 0.0, 1.0, theme)
        self.share.spin.setRange(0.0, 1.0)
        self.share.setToolTip("w: the last column has the condition (1 − w) A + w B")
        self.share.setMinimumWidth(150)
        self.path = _choice(
            "How the way goes", "Spherical: around the origin, through likely z. Linear: straight.", 74
        )
        for value, text in KINDS.items():
            self.path.addItem(text, value)
        self.steps = number_box("Steps of the way", "Pictures of the way, with both ends", 2, MOST_WAY, 48)
        self.play = PlayButton(theme, "the strip")
        self.fps = number_box("Speed of the strip", "Pictures a second", LEAST_FPS, MOST_FPS, 64, " fps")
        self.fps.setValue(FPS)
        self.strip = FilmStrip(theme)
        self.strip.setAccessibleName("Place on the strip")
        self.here = HereButton(theme)
        self.export = QToolButton()
        self.export.setIconSize(QSize(18, 18))
        self.export.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.export.setAccessibleName("Export the strip as a loop")
        self._lay_out()
        self._connect()
        theme.changed.connect(self._draw)
        self.show_nothing("")
        self._draw()

    def _lay_out(self) -> None:
        self._of = QLabel("of")
        self._from_dataset, self._to_dataset = QLabel("from"), QLabel("to")
        self._to, self._on, self._steps = QLabel("to"), QLabel("on"), QLabel("Steps")
        captions = (self._of, self._from_dataset, self._to_dataset, self._to, self._on, self._steps)
        boxes = (self.start, self.first, self.second, self.end, self.dataset, self.steps)
        for label, box in zip(captions, boxes, strict=True):
            label.setProperty("role", "caption")
            label.setBuddy(box)
        self._blend_only: tuple[QWidget, ...] = (
            self._from_dataset,
            self.first,
            self._to_dataset,
            self.second,
            self.share,
        )
        self._way_only: tuple[QWidget, ...] = (
            self._to,
            self.end,
            self._on,
            self.dataset,
            self.path,
            self._steps,
            self.steps,
        )
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self.kind)
        head.addSpacing(4)
        head.addWidget(self._of)
        head.addWidget(self.start)
        more: tuple[QWidget, ...] = (*self._blend_only, *self._way_only)
        for widget in more:
            head.addWidget(widget, 1 if widget is self.share else 0)
        self._rest = QWidget()
        self._rest.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        head.addWidget(self._rest)
        head.addWidget(self.export)
        before = QVBoxLayout()
        before.setSpacing(4)
        before.addWidget(self.play)
        before.addWidget(self.fps)
        self._below = QWidget()
        self._below.setFixedHeight(STRIP)
        row = QHBoxLayout(self._below)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addLayout(before)
        row.addWidget(self.strip, 1)
        row.addWidget(self.here)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 12, 6)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._below)

    def _connect(self) -> None:
        self.kind.activated.connect(lambda _row: self._wish(kind=self.kind.currentData()))
        self.start.activated.connect(lambda row: self._wish(start=self._refs[row]))
        self.end.activated.connect(lambda row: self._wish(end=self._refs[row]))
        self.first.activated.connect(lambda _row: self._wish(first=self.first.currentText()))
        self.second.activated.connect(lambda _row: self._wish(second=self.second.currentText()))
        self.dataset.activated.connect(lambda _row: self._wish(dataset=self.dataset.currentText()))
        self.path.activated.connect(lambda _row: self._wish(path=self.path.currentData()))
        self.steps.valueChanged.connect(lambda steps: self._wish(steps=steps))
        self.share.moved.connect(self.moved)
        self.share.pressed.connect(self.pressed)
        self.share.released.connect(self.released)
        self.share.reset_asked.connect(lambda: self.moved.emit(StripView().share))
        self.strip.scrub_begun.connect(self.pressed)
        self.strip.scrubbed.connect(self.moved)
        self.strip.scrub_ended.connect(self.released)
        self.play.clicked.connect(self._toggle)
        self.here.clicked.connect(self.take_asked)
        self.export.clicked.connect(self.loop_asked)

    @property
    def controls(self) -> list[QWidget]:
        """All controls that are shown, in the order of the Tab key."""
        blend: list[QWidget] = [self.first, self.second, self.share.slider, self.share.spin]
        way: list[QWidget] = [self.end, self.dataset, self.path, self.steps]
        shown = {"blend": blend, "way": way}.get(self._view.kind)
        if shown is None:
            return [self.kind]
        return [self.kind, self.start, *shown, self.export, self.play, self.fps, self.strip, self.here]

    @property
    def playing(self) -> bool:
        """Whether it shows that it plays."""
        return self.play.playing

    def set_datasets(self, names: Sequence[str]) -> None:
        """Offer these datasets."""
        for box in (self.first, self.second, self.dataset):
            with QSignalBlocker(box):
                box.clear()
                box.addItems(list(names))

    def set_latents(self, refs: Sequence[tuple[LatentRef, str]]) -> None:
        """Offer these latents, each with its name."""
        offered = [ref for ref, _name in refs]
        names = [name for _ref, name in refs]
        if offered == self._refs and names == [self.start.itemText(k) for k in range(self.start.count())]:
            return
        self._refs = offered
        for box in (self.start, self.end):
            with QSignalBlocker(box):
                box.clear()
                box.addItems(names)

    def show_view(self, view: StripView, first: str, second: str, dataset: str) -> None:
        """Show how the strip is set; the datasets are those that it stands for."""
        self._view = view
        blend, way = view.kind == "blend", view.kind == "way"
        for widget in self._blend_only:
            widget.setVisible(blend)
        for widget in self._way_only:
            widget.setVisible(way)
        for widget in (self._of, self.start, self._below, self.export):
            widget.setVisible(blend or way)
        self._rest.setVisible(not blend)
        self._of.setText("of" if blend else "from")
        self.kind.setCurrentIndex(self.kind.findData(view.kind))
        for box, ref in ((self.start, view.start), (self.end, view.end)):
            box.setCurrentIndex(self._place_of(ref))
        for box, name in ((self.first, first), (self.second, second), (self.dataset, dataset)):
            box.setCurrentIndex(box.findText(name))
        self.share.show_value(view.share, StripView().share)
        self.path.setCurrentIndex(self.path.findData(view.path))
        with QSignalBlocker(self.steps):
            self.steps.setValue(view.steps)
        self.strip.show_position(view.share if blend else view.place)

    def show_strip(self, pixels: NDArray[np.uint8], generation: int, names: tuple[str, str]) -> None:
        """Show the strip's pictures, uint8 ``[N, S, S, 4]``, BGRX, and the names of its ends."""
        self.strip.set_stations([0.0, 1.0], names)
        self.strip.show_frame(pixels, generation)
        self._enable(True)

    def show_nothing(self, reason: str) -> None:
        """Show no strip, and say why."""
        self.strip.show_nothing(reason)
        self.here.show_picture(None, "")
        self._enable(False)

    def show_playing(self, playing: bool) -> None:
        """Show whether it plays."""
        self.play.show_playing(playing)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Play or pause by Space, wherever in the bar nothing else takes it."""
        if event.key() == Qt.Key.Key_Space and self.play.isEnabled() and not event.isAutoRepeat():
            self._toggle()
        else:
            event.ignore()

    def _place_of(self, ref: LatentRef) -> int:
        """Return which entry a reference is; one to a row that is gone stands for the last row."""
        if ref in self._refs:
            return self._refs.index(ref)
        rows = [k for k, one in enumerate(self._refs) if not one.pin and not one.input]
        return -1 if ref.pin or ref.input or not rows else rows[-1]

    def _enable(self, there: bool) -> None:
        for widget in (self.strip, self.play, self.export):
            widget.setEnabled(there)
        self.export.setToolTip(EXPORT_TIP if there else NO_STRIP)

    def _wish(self, **changes: object) -> None:
        self.wished.emit(replace(self._view, **changes))  # type: ignore[arg-type]  # its own fields

    def _toggle(self) -> None:
        self.play_toggled.emit(not self.play.playing)

    def _draw(self) -> None:
        colour = self._theme.colour
        self.export.setIcon(icon("loop", colour("muted"), colour("line")))


def _choice(name: str, tip: str, width: int = 84) -> ComboBox:
    box = ComboBox()
    box.setAccessibleName(name)
    box.setToolTip(tip or name)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    box.setMinimumWidth(width)
    box.setMaximumWidth(max(width, 128))
    box.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    return box
