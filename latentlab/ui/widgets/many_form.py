"""What many pictures are projected by: which, as one of what, onto what, in which mode, and where to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from latentlab.operations.sample_plan import LARGEST_SEED
from latentlab.session.document import ManyView
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.boxes import ComboBox
from latentlab.ui.widgets.form import caption, number_box, switch
from latentlab.ui.widgets.mode_block import FOLLOW_TIP, KEEP_TIP, NO_MODE
from latentlab.ui.widgets.work_form import WorkForm

MOST = 100_000
"""Pictures that are projected at most."""
BOTH_TIP = "Project in both modes: then what the dataset's composition does is known too"
MODES = (("follow", "Follow", FOLLOW_TIP), ("keep", "Keep", KEEP_TIP), ("both", "Both", BOTH_TIP))


class ManyForm(WorkForm):
    """Sends the view that is wished for, and the wishes to choose, to begin and to stop.

    ``folder_asked``, ``pictures_asked`` and ``out_asked`` are the wishes for a dialog; ``show_asked`` opens
    the folder of the results.
    """

    wished = Signal(ManyView)
    folder_asked = Signal()
    pictures_asked = Signal()
    out_asked = Signal()
    show_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        tip = "Where the tables go, and then a figure of each picture; empty keeps them aside"
        super().__init__("Project", "projections", tip, parent)
        self._view, self._has_mode = ManyView(), True
        self.data = ComboBox()
        self.data.setEditable(True)
        self.data.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.data.setAccessibleName("Pictures that are projected")
        self.data.setToolTip("A set by its name, or a folder of pictures; folders can be dropped here too")
        self.data.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.data.setMinimumContentsLength(12)
        self._line.setAcceptDrops(False)
        self._line.setPlaceholderText("a set or folder")
        self.folder = QPushButton("Folder…")
        self.folder.setToolTip("Choose a folder; the pictures in it, and in folders within, are projected")
        self.pictures = QPushButton("Pictures…")
        self.pictures.setToolTip("Choose single pictures")
        tip = "How many pictures at most; of more, so many are chosen at random"
        self.count = number_box("Pictures at most", tip, 1, MOST, 74)
        tip = "Chooses which pictures, where there are more"
        self.seed = number_box("Seed of the choice", tip, 0, LARGEST_SEED, 74)
        self.source = ComboBox()
        self.source.setAccessibleName("Dataset of the pictures")
        self.source.setToolTip("The dataset as one of which they are encoded; auto guesses it for each")
        self.source.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.modes: dict[str, QToolButton] = {}
        for mode, title, tip in MODES:
            self.modes[mode] = switch(title, tip)
        self.judge = caption("")
        self.judge.setWordWrap(True)
        self.onto: dict[str, QCheckBox] = {}
        self._onto = QGridLayout()
        self._onto.setContentsMargins(0, 0, 0, 0)
        self._onto.setHorizontalSpacing(8)
        self._onto.setVerticalSpacing(4)
        self.show_folder = QPushButton("Show folder")
        self.show_folder.setToolTip("Open the folder of the results, with the tables as CSV")
        self._lay_out()
        self._connect()

    @property
    def _line(self) -> QLineEdit:
        line = self.data.lineEdit()
        assert line is not None
        return line

    def _lay_out(self) -> None:
        inner = QWidget()
        inner.setObjectName("plain")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(6)
        column.addWidget(caption("Pictures", self.data))
        column.addWidget(self.data)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.folder, 1)
        row.addWidget(self.pictures, 1)
        column.addLayout(row)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(caption("At most", self.count))
        row.addWidget(self.count)
        row.addStretch(1)
        row.addWidget(caption("Seed", self.seed))
        row.addWidget(self.seed)
        column.addLayout(row)
        column.addSpacing(4)
        column.addWidget(caption("Encoded as", self.source))
        column.addWidget(self.source)
        column.addSpacing(4)
        column.addWidget(caption("Projected onto"))
        column.addLayout(self._onto)
        column.addSpacing(4)
        column.addWidget(caption("Decoded so as to", self.modes["follow"]))
        row = QHBoxLayout()
        row.setSpacing(4)
        for button in self.modes.values():
            row.addWidget(button)
        column.addLayout(row)
        column.addSpacing(4)
        self._add_results(column)
        column.addStretch(1)
        column.addSpacing(6)
        column.addWidget(self.judge)
        self._put_together(inner, self._buttons(self.show_folder))

    def _connect(self) -> None:
        self.data.activated.connect(lambda _index: self._take_data())
        self._line.editingFinished.connect(self._take_data)
        self.folder.clicked.connect(self.folder_asked)
        self.pictures.clicked.connect(self.pictures_asked)
        self.browse.clicked.connect(self.out_asked)
        self.show_folder.clicked.connect(self.show_asked)
        self.count.valueChanged.connect(lambda value: self._wish(count=value))
        self.seed.valueChanged.connect(lambda value: self._wish(seed=value))
        self.source.activated.connect(lambda _index: self._wish(source=self.source.currentData()))
        self.out_wished.connect(lambda out: self._wish(out=out))
        for mode, button in self.modes.items():
            button.clicked.connect(lambda _checked=False, mode=mode: self._wish(mode=mode))

    @property
    def controls(self) -> list[QWidget]:
        """All controls in the order of the Tab key."""
        return [
            self.data,
            self.folder,
            self.pictures,
            self.count,
            self.seed,
            self.source,
            *self.onto.values(),
            *self.modes.values(),
            self.out,
            self.browse,
            self.start,
            self.stop,
            self.show_folder,
        ]

    def set_model(self, datasets: Sequence[str], sets: Sequence[str], has_mode: bool = True) -> None:
        """Offer these datasets, and these sets of pictures; and all modes where the model has them."""
        self._has_mode = has_mode
        for mode, _, tip in MODES:
            self.modes[mode].setEnabled(has_mode or mode == "follow")
            self.modes[mode].setToolTip(tip if self.modes[mode].isEnabled() else NO_MODE)
        with QSignalBlocker(self.data), QSignalBlocker(self.source):
            self.data.clear()
            for name in sets:
                self.data.addItem(name, name)
            self.source.clear()
            self.source.addItem("auto", "")
            for name in datasets:
                self.source.addItem(name, name)
        for box in self.onto.values():
            box.setParent(None)
            box.deleteLater()
        self.onto = {}
        before: QWidget = self.source
        for place, name in enumerate(datasets):
            box = QCheckBox(name)
            box.setToolTip(f"Project onto {name}")
            box.clicked.connect(lambda _checked=False: self._take_onto())
            self._onto.addWidget(box, place // 2, place % 2)
            QWidget.setTabOrder(before, box)
            self.onto[name] = before = box
        QWidget.setTabOrder(before, self.modes["follow"])

    def show_view(self, view: ManyView) -> None:
        """Show how it is set."""
        self._view = view
        if not (self._line.hasFocus() and self._line.isModified()):
            self._show_data()
        self.show_out(view.out)
        with QSignalBlocker(self.source), QSignalBlocker(self.count), QSignalBlocker(self.seed):
            self.source.setCurrentIndex(max(0, self.source.findData(view.source)))
            self.count.setValue(view.count)
            self.seed.setValue(view.seed)
        chosen = [name for name in self.onto if name in view.onto] or list(self.onto)
        for name, box in self.onto.items():
            box.setChecked(name in chosen)
        for mode, button in self.modes.items():
            button.setChecked(mode == (view.mode if self._has_mode else "follow"))

    def _show_data(self) -> None:
        view = self._view
        place = self.data.findData(view.data) if view.data else -1
        with QSignalBlocker(self.data):
            self.data.setCurrentIndex(place)
            if place < 0:
                self.data.setEditText(view.data or _listed(view.pictures))
        self._line.setCursorPosition(0)
        self._line.setToolTip("\n".join(view.pictures[:20]) if not view.data and view.pictures else "")

    def _take_data(self) -> None:
        self._line.setModified(False)
        text = self.data.currentText().strip()
        unchanged = text == (self._view.data or _listed(self._view.pictures))
        if unchanged:
            self._show_data()
        else:
            self._wish(data=text, pictures=())

    def _take_onto(self) -> None:
        chosen = tuple(name for name, box in self.onto.items() if box.isChecked())
        # None is not offered: the last one stays; all of them are said by none, whatever a model knows.
        every = len(chosen) == len(self.onto)
        self._wish(onto=() if every else chosen or self._view.onto)

    def _wish(self, **changes: object) -> None:
        wanted = replace(self._view, **changes)  # type: ignore[arg-type]  # the callers name its own fields
        self.show_view(self._view)  # a switch that was clicked stays as it is until the document has changed
        self.wished.emit(wanted)


def _listed(pictures: Sequence[str]) -> str:
    """Return what stands for a list of pictures."""
    if not pictures:
        return ""
    name = Path(pictures[0]).name
    return name if len(pictures) == 1 else f"{len(pictures)} pictures: {name}, …"
