"""The results of a study: its summary, its charts, and the images behind the mark that was clicked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from latentlab.audit.charts import Chart, Mark
from latentlab.session.audit_beside import FIRST, SECOND, Shown, alone, together
from latentlab.session.audit_folder import StudyFound
from latentlab.session.audit_images import BehindImage, BehindMaker, BehindMark
from latentlab.session.audit_words import mark_words
from latentlab.session.session import Message
from latentlab.session.workspace import Workspace
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.audit_columns import COLUMN_LEAST, WIDE, AuditColumns
from latentlab.ui.widgets.audit_runs_dialog import when_words
from latentlab.ui.widgets.audit_strip import AuditStrip
from latentlab.ui.widgets.audit_summary import HEADING
from latentlab.ui.widgets.bars_painter import label_of
from latentlab.ui.widgets.boxes import ComboBox

MOST_IMAGES = 24
"""Images that are drawn behind a mark."""
BESIDE_NOTHING = "Beside: nothing"
NARROW, IMAGES_LEAST = 700, 182
"""The width below which title and controls stand below one another; the least height of the images."""
LATER = 150
"""Milliseconds after which images are drawn: arrow keys pass over many marks."""
DRAWING = "The images are being drawn…"
NO_IMAGES = "No images are behind it."

Key = tuple[str, str, str, int]
"""Which mark: its chart's name, its label, its series, and which study's it is."""


class AuditResults(QWidget):
    """Shows one study, or two side by side.

    ``beside_chosen`` tells the folder of the study that is wished for beside, ``runs_asked`` and
    ``folder_asked`` are the wishes for the list of studies and for the folder, ``explore_asked`` tells an
    image to go on with.
    """

    beside_chosen = Signal(str)
    runs_asked = Signal()
    folder_asked = Signal()
    explore_asked = Signal(object)

    def __init__(self, workspace: Workspace, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.maker = BehindMaker(workspace)
        self.studies: tuple[StudyFound, ...] = ()
        self.shown: list[Shown] = []
        self.chosen: Key | None = None
        self.behind: BehindMark | None = None
        self.drawing = False
        self.title, self.note, self.empty, self.said = QLabel(), QLabel(), QLabel(), QLabel()
        self.beside = ComboBox()
        self.runs = QPushButton("Earlier studies…")
        self.folder = QPushButton("Open folder")
        self.columns = AuditColumns(theme)
        self.strip = AuditStrip(theme)
        self.explore = QPushButton("Open in Explore")
        self.hide_images = QPushButton("Hide")
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(LATER)
        self._lay_out()
        self._connect()
        self.show_studies(None, None)

    def _lay_out(self) -> None:
        self.title.setProperty("role", "name")
        for label in (self.title, self.note):  # what is too long is cut off, not the window made wider
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.note.setProperty("role", "caption")
        self.said.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setContentsMargins(40, 0, 40, 40)
        flags = Qt.TextInteractionFlag
        self.empty.setTextInteractionFlags(flags.TextSelectableByMouse)
        self.beside.setAccessibleName("Study beside")
        self.beside.setToolTip(
            "Show an earlier study beside this one, on the same axes, with the differences"
        )
        self.beside.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.beside.setMinimumContentsLength(18)
        self.runs.setToolTip("List the studies that were done, to show, compare, rename and delete them")
        self.folder.setToolTip("Open the folder of the results, with tables, charts and report")
        self.explore.setToolTip("Encode the chosen image with the open model, and go on in Explore")
        self.hide_images.setToolTip("Give the charts all the room (Escape)")
        names, controls = QVBoxLayout(), QHBoxLayout()
        names.setSpacing(0)
        names.addWidget(self.title)
        names.addWidget(self.note)
        controls.setSpacing(8)
        controls.addWidget(self.beside, 1)
        controls.addWidget(self.folder)
        controls.addWidget(self.runs)
        self._head = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._head.setSpacing(8)
        self._head.addLayout(names, 1)
        self._head.addLayout(controls)
        self.images = QFrame()
        self.images.setObjectName("card")
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.said, 1)
        top.addWidget(self.explore, 0, Qt.AlignmentFlag.AlignTop)
        top.addWidget(self.hide_images, 0, Qt.AlignmentFlag.AlignTop)
        inner = QVBoxLayout(self.images)
        inner.setContentsMargins(14, 10, 14, 6)
        inner.setSpacing(6)
        inner.addLayout(top)
        inner.addWidget(self.strip)
        self.images.hide()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.columns)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addLayout(self._head)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self.images)

    def _connect(self) -> None:
        self.beside.activated.connect(lambda _index: self.beside_chosen.emit(self.beside.currentData()))
        self.runs.clicked.connect(self.runs_asked)
        self.folder.clicked.connect(self.folder_asked)
        self.columns.chosen.connect(self.choose)
        self.strip.opened.connect(lambda _place: self._open())
        self.explore.clicked.connect(self._open)
        self.hide_images.clicked.connect(self.forget_images)
        self._later.timeout.connect(self._draw)

    # What the screen asks

    @property
    def at_rest(self) -> bool:
        """Whether all that was asked for is drawn."""
        return not self.drawing

    @property
    def image(self) -> BehindImage | None:
        """The image that is chosen."""
        place = self.strip.current
        return None if place is None else self.strip.tiles[place].behind

    def close_threads(self) -> None:
        """Stop drawing."""
        self._later.stop()
        self.maker.close()

    def show_runs(self, runs: Mapping[str, str], beside: str) -> None:
        """Offer studies to be shown beside, by the folders of their results, and show which one is."""
        wanted = {"": BESIDE_NOTHING} | {folder: f"Beside: {title}" for folder, title in runs.items()}
        if beside:
            second = next((one.title for one in self.studies[1:]), Path(beside).name)
            wanted.setdefault(beside, f"Beside: {second}")
        with QSignalBlocker(self.beside):
            if {
                self.beside.itemData(k): self.beside.itemText(k) for k in range(self.beside.count())
            } != wanted:
                self.beside.clear()
                for folder, text in wanted.items():
                    self.beside.addItem(text, folder)
            self.beside.setCurrentIndex(max(0, self.beside.findData(beside)))
        self.beside.setEnabled(len(wanted) > 1)

    def show_empty(self, text: str) -> None:
        """Show no results, and say why."""
        self.show_studies(None, None)
        self.empty.setText(text)

    def show_studies(self, first: StudyFound | None, second: StudyFound | None) -> None:
        """Show a study, and another one beside it."""
        found = tuple(one for one in (first, second) if one is not None) if first is not None else ()
        if found == self.studies and found:
            return
        other = [one.folder for one in found] != [one.folder for one in self.studies]
        self.studies = found
        self.folder.setEnabled(bool(found))
        if first is None:
            self.forget_images()
            self.title.clear()
            self.note.clear()
            self.shown = []
            self.columns.show_charts([])
            self.columns.show_summaries([])
            self._stack.setCurrentWidget(self.empty)
            return
        if second is None:
            self.title.setText(first.title)
            self.note.setText(_note(first))
            self.shown = [alone(chart) for chart in first.charts]
            said: Sequence[tuple[str, Sequence[str]]] = [(HEADING, first.summary)]
        else:
            self.title.setText(f"{FIRST}: {first.title}")
            self.note.setText(f"{SECOND}: {second.title}")
            self.shown = together(first.charts, second.charts)
            said = [
                (f"{letter}: {one.title}", one.summary)
                for letter, one in zip((FIRST, SECOND), (first, second), strict=True)
            ]
        self.columns.show_summaries([one for one in said if one[1]])
        self.columns.show_charts(self.shown, WIDE if second is not None else COLUMN_LEAST)
        self._stack.setCurrentWidget(self.columns)
        if other:
            self.forget_images()
            self.columns.verticalScrollBar().setValue(0)
        else:
            self._mark_chosen()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the controls below the title where there is little room beside it, and bound the images."""
        super().resizeEvent(event)
        ways = QBoxLayout.Direction
        self._head.setDirection(ways.TopToBottom if self.width() < NARROW else ways.LeftToRight)
        self.images.setMaximumHeight(max(IMAGES_LEAST, round(0.42 * self.height())))

    # The images behind a mark

    def choose(self, place: int, mark: int) -> None:
        """Show the images behind a mark of a chart."""
        shown = self.shown[place]
        origin = shown.origins[mark]
        if origin is None:
            return
        study, own = origin
        self.chosen = (shown.chart.name, own.label, own.series, study)
        self.columns.mark(place, mark)
        self.said.setText(self._words(shown, mark))
        self.behind = None
        self.maker.drop()
        self.strip.show_images([])
        self._enable()
        self.drawing = True
        first = self.images.isHidden()
        self.images.show()
        self._later.start()
        if first:  # the charts have less room now: the mark should still be seen
            QTimer.singleShot(0, lambda: self._reveal(place))

    def forget_images(self) -> None:
        """Show no images."""
        self._later.stop()
        self.maker.drop()
        self.drawing = False
        self.chosen, self.behind = None, None
        self.columns.mark(None, None)
        self.strip.show_images([])
        self.images.hide()

    def _reveal(self, place: int) -> None:
        if place < len(self.columns.charts):
            self.columns.reveal(place)

    def _words(self, shown: Shown, mark: int) -> str:
        name, *known = mark_words(shown.chart, shown.chart.marks[mark])
        return f"{label_of(name)}: {known[0]}" if known else label_of(name)

    def _find(self) -> tuple[int, int, Chart, Mark] | None:
        """Return where the chosen mark stands now, and what it is."""
        for place, shown in enumerate(self.shown):
            for mark, origin in enumerate(shown.origins):
                if origin is not None and self.chosen is not None:
                    study, own = origin
                    if (shown.chart.name, own.label, own.series, study) == self.chosen:
                        return place, mark, shown.chart, own
        return None

    def _mark_chosen(self) -> None:
        """Mark what is chosen in charts that have changed; what is gone is not shown any longer."""
        if self.chosen is None:
            return
        there = self._find()
        if there is None:
            self.forget_images()
        else:
            self.columns.mark(there[0], there[1])

    def _draw(self) -> None:
        there = self._find()
        if there is None or self.chosen is None or self.chosen[3] >= len(self.studies):
            self.drawing = False
            return
        place, mark, chart, own = there
        said = self._words(self.shown[place], mark)
        self.said.setText(f"{said}. {DRAWING}")

        def have(made: BehindMark | Message) -> None:
            self.drawing = False
            if isinstance(made, Message):
                self.said.setText(f"{said}. {made.text}")
                return
            self.behind = made
            self.strip.show_images(made.images)
            self.said.setText(f"{said}. {_how_many(made)}")
            self._enable()

        self.maker.make(self.studies[self.chosen[3]], chart, own, MOST_IMAGES, have)

    def _enable(self) -> None:
        opened = self._workspace.opened
        can = opened is not None and "encode" not in opened.spec.cannot
        self.explore.setEnabled(can and bool(self.strip.tiles))

    def _open(self) -> None:
        image = self.image
        if image is not None and self.explore.isEnabled():
            self.explore_asked.emit(image)


def _how_many(made: BehindMark) -> str:
    if not made.n:
        return NO_IMAGES
    wrong = "" if made.wrong is None else f" {made.wrong:,} of {made.n:,} are seen otherwise than they are."
    most = len(made.images)
    which = "All are shown, the worst first." if most == made.n else f"The {most} worst are shown."
    return f"{wrong} {which}".strip()


def _note(found: StudyFound) -> str:
    """Say of how many images a study is, when it was done and on what."""
    so_far = "" if found.whole else "So far "
    parts = [f"{so_far}{found.images:,} images"] if found.images else []
    seed, device = found.record.get("seed"), found.record.get("device")
    parts += [f"seed {seed}"] if isinstance(seed, int) else []
    parts += [str(device)] if device else []
    parts.append(when_words(found.when))
    return ", ".join(parts)
